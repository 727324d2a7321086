/* Opening the file, and transactions. */
#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "journal_inside.h"

enum { BUSY_MS = 10000, CACHE_KIB = 16384 };

static int expect(struct xf_journal *j, const char *pragma, const char *value, struct xf_err *err)
{
    sqlite3_stmt *statement = NULL;
    char got[32] = "";
    int rc = sqlite3_prepare_v2(j->db, pragma, -1, &statement, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        (void)snprintf(got, sizeof got, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    if (rc != SQLITE_ROW)
        return xf_sql_fail(j, rc, err);
    if (strcmp(got, value) != 0)
        return xf_fail(
            err,
            "the journal cannot be made durable here (%s is %s, not %s): put it on a local disk (%.100s)",
            pragma, got, value, j->path);
    return 0;
}

static int set_up(struct xf_journal *j, const struct xf_journal_options *options, struct xf_err *err)
{
    int version = xf_schema_identify(j, err);
    char pragmas[160];

    if (version < 0)
        return -1;
    if (j->read_only && version == 0) {
        if (options != NULL && options->blank != NULL)
            *options->blank = true;
        return xf_fail(err, "nothing was ever written to the journal (%.160s)", j->path);
    }
    if (j->read_only && version < XF_JOURNAL_VERSION)
        return xf_fail(err, "the journal is of an older version: open it for writing once (%.160s)", j->path);
    /* What a lone commit would stall for is moved when idle; 4,000 pages is the backstop. */
    if (!j->read_only &&
        xf_sql_exec(j, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000", err) != 0)
        return -1;
    (void)snprintf(pragmas, sizeof pragmas,
                   "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                   " PRAGMA cache_size = -%d",
                   options != NULL && options->cache_kib > 0 ? options->cache_kib : (int)CACHE_KIB);
    if (xf_sql_exec(j, pragmas, err) != 0)
        return -1;
    if (expect(j, "PRAGMA journal_mode", "wal", err) != 0 || expect(j, "PRAGMA synchronous", "2", err) != 0 ||
        expect(j, "PRAGMA foreign_keys", "1", err) != 0)
        return -1;
    if (!j->read_only && version < XF_JOURNAL_VERSION && xf_schema_migrate(j, err) != 0)
        return -1;
    return xf_place_check(j, err);
}

struct xf_journal *xf_journal_open(const char *path, const struct xf_journal_options *options,
                                   struct xf_err *err)
{
    struct xf_journal *j = calloc(1, sizeof *j);
    int rc;

    if (j == NULL) {
        (void)xf_fail(err, "out of memory");
        return NULL;
    }
    j->pid = getpid();
    for (int i = 0; i < XF_WITNESSES; i++)
        j->witnesses[i] = -1;
    j->read_only = options != NULL && options->read_only;
    j->busy_ms = options != NULL && options->busy_ms > 0 ? options->busy_ms : BUSY_MS;
    if (xf_owner_name(j->owner, err) != 0 || (!j->read_only && xf_file_make(path, err) != 0))
        goto fail;
    j->path = realpath(path, NULL);
    if (j->path == NULL) {
        (void)xf_fail(err, "the journal cannot be found: %s (%.160s)", strerror(errno), path);
        goto fail;
    }
    if (xf_file_regular(j->path, err) != 0)
        goto fail;
    rc = sqlite3_open_v2(j->path, &j->db,
                         (j->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
                             SQLITE_OPEN_EXRESCODE,
                         NULL);
    if (rc == SQLITE_OK && !j->read_only && sqlite3_db_readonly(j->db, "main") != 0)
        rc = SQLITE_READONLY; /* SQLite opens what it cannot write for reading, without a word */
    if (rc != SQLITE_OK) {
        (void)xf_sql_fail(j, rc, err);
        goto fail;
    }
    if (options != NULL && options->eager)
        (void)sqlite3_busy_handler(j->db, xf_sql_wait_eagerly, j);
    else
        (void)sqlite3_busy_timeout(j->db, j->busy_ms);
    (void)sqlite3_db_config(j->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (set_up(j, options, err) != 0)
        goto fail;
    return j;
fail:
    xf_journal_close(j);
    return NULL;
}

void xf_journal_close(struct xf_journal *j)
{
    if (j == NULL)
        return;
    if (j->pid == getpid()) { /* a fork's copy is left alone: its locks are the parent's */
        xf_journal_rollback(j);
        xf_sql_finalize(j);
        (void)sqlite3_close(j->db);
    }
    xf_witness_dismiss(j);
    EVP_MD_free(j->sha256);
    free(j->path);
    free(j);
}

bool xf_journal_broken(const struct xf_journal *j)
{
    return j->broken;
}

int xf_journal_ready(const struct xf_journal *j, struct xf_err *err)
{
    return j->pid == getpid()
               ? 0
               : xf_fail(err, "a journal cannot be carried over a fork: the child opens its own");
}

static int writable(struct xf_journal *j, struct xf_err *err)
{
    if (xf_journal_ready(j, err) != 0)
        return -1;
    if (j->read_only)
        return xf_fail(err, "the journal was opened for reading only (%.160s)", j->path);
    if (j->broken)
        return xf_fail(
            err, "the journal had an error of the disk: no money moves until it is opened again (%.120s)",
            j->path);
    return 0;
}

/* SQLite removes the -wal file when it thinks that the last user has gone; it cannot see
 * one whose locks were dropped because some part of its process opened the journal's
 * file and closed it. What is committed after that is in no file that others see. Our
 * descriptor keeps the inode from being used again. 0, or -1 with err: the handle is broken. */
static int confirm_log(struct xf_journal *j, struct xf_err *err)
{
    char path[XF_JOURNAL_PATH_SIZE + sizeof "-wal"];
    struct stat st = {0};
    const bool there =
        snprintf(path, sizeof path, "%s-wal", j->path) < (int)sizeof path && stat(path, &st) == 0;

    if (there && j->log.inode == 0) {
        j->log.device = st.st_dev;
        j->log.inode = st.st_ino;
    }
    if (there && j->log.device == st.st_dev && j->log.inode == st.st_ino)
        return 0;
    j->broken = true;
    /* It is not written into the file that others have gone on with. */
    (void)sqlite3_db_config(j->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return xf_fail(err, "the journal's -wal file was removed or replaced while in use: start again (%.160s)",
                   j->path);
}

int xf_journal_begin(struct xf_journal *j, struct xf_err *err)
{
    int moved = 0;

    if (writable(j, err) != 0)
        return -1;
    if (j->batch)
        return xf_fail(err, "a batch is open already: batches do not nest");
    (void)sqlite3_file_control(j->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved)
        return xf_fail(err, "the journal was renamed, replaced or removed while in use: start again (%.120s)",
                       j->path);
    if (xf_sql_run(j, XF_SQL_BEGIN, err) != 0)
        return -1;
    j->batch = true;
    j->changes = sqlite3_total_changes64(j->db);
    if (xf_schema_confirm(j, err) == 0 && confirm_log(j, err) == 0)
        return 0;
    xf_journal_rollback(j);
    return -1;
}

/* After a full disk SQLite may have undone the transaction by itself. */
static bool taken_back(const struct xf_journal *j)
{
    return sqlite3_get_autocommit(j->db) != 0;
}

int xf_journal_commit(struct xf_journal *j, struct xf_err *err)
{
    int64_t position = 0;
    bool written;

    if (xf_journal_ready(j, err) != 0)
        return -1;
    if (!j->batch)
        return xf_fail(err, "there is no batch to commit");
    if (j->broken || taken_back(j)) {
        (void)xf_fail(err, "the batch failed and was undone: nothing of it was written (%.120s)", j->path);
        goto fail;
    }
    written = sqlite3_total_changes64(j->db) != j->changes;
    if (written && (position = xf_place_count(j, err)) < 0)
        goto fail;
    if (xf_sql_run(j, XF_SQL_COMMIT, err) != 0)
        goto fail;
    j->batch = false;
    if (written && confirm_log(j, err) != 0)
        return -1;
    if (written)
        xf_place_mark(j, position);
    return 0;
fail:
    xf_journal_rollback(j);
    return -1;
}

void xf_journal_rollback(struct xf_journal *j)
{
    struct xf_err ignored;

    if (!j->batch || j->pid != getpid())
        return;
    if (!taken_back(j))
        (void)xf_sql_run(j, XF_SQL_ROLLBACK, &ignored);
    j->batch = j->owner_known = false; /* which may have been written in this batch */
}

bool xf_journal_in_batch(const struct xf_journal *j)
{
    return j->batch;
}

int xf_journal_enter(struct xf_journal *j, bool *own, struct xf_err *err)
{
    *own = !j->batch;
    if (*own)
        return xf_journal_begin(j, err);
    if (writable(j, err) != 0)
        return -1;
    return taken_back(j)
               ? xf_fail(err, "the batch failed and was undone: nothing of it was written (%.120s)", j->path)
               : 0;
}

int xf_journal_leave(struct xf_journal *j, bool own, bool keep, struct xf_err *err)
{
    if (!own)
        return 0;
    if (keep)
        return xf_journal_commit(j, err);
    xf_journal_rollback(j);
    return 0;
}

int xf_journal_tidy(struct xf_journal *j, struct xf_err *err)
{
    int rc;

    if (writable(j, err) != 0)
        return -1;
    if (j->batch)
        return xf_fail(err, "the journal is tidied between batches");
    if (j->log.inode != 0 && confirm_log(j, err) != 0)
        return -1;
    rc = sqlite3_wal_checkpoint_v2(j->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? 0 : xf_sql_fail(j, rc, err);
}
