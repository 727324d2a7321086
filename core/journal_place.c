/*
 * Is this file still the journal it was (money.md's rule 12)? Two witnesses:
 * - its path and inode, kept inside: a copy or a restored file has others;
 * - the mark, a small file beside it, with the number of the last commit: an old
 *   copy written over the file in place has fewer.
 * The mark is written after the commit and never synced, so it can be behind,
 * which only weakens it, and never ahead.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "journal_inside.h"

enum { MARK_SIZE = 32 + 1 + 20 + 1 }; /* id, space, commits, newline */

/* False when there is none (*row 0) or it cannot be read (*row -1). */
static bool get(struct xf_journal *j, const char *name, char *out, size_t size, struct xf_err *err, int *row)
{
    sqlite3_stmt *statement = xf_sql_start(j, XF_SQL_META_GET, err, "t", name);

    *row = statement == NULL ? -1 : xf_sql_row(j, statement, err);
    if (*row == 1)
        (void)snprintf(out, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    xf_sql_end(statement);
    return *row == 1;
}

static int put(struct xf_journal *j, const char *name, const char *value, struct xf_err *err)
{
    sqlite3_stmt *statement = xf_sql_start(j, XF_SQL_META_PUT, err, "tt", name, value);
    int row = statement == NULL ? -1 : xf_sql_row(j, statement, err);

    xf_sql_end(statement);
    return row < 0 ? -1 : 0;
}

static int present_place(const struct xf_journal *j, char *out, size_t size, struct xf_err *err)
{
    struct stat st;

    /* not open() and fstat(): closing it again would drop SQLite's locks */
    if (stat(j->path, &st) != 0)
        return xf_fail(err, "the journal has gone: %s (%.160s)", strerror(errno), j->path);
    (void)snprintf(out, size, "%ju %s", (uintmax_t)st.st_ino, j->path);
    return 0;
}

static void open_mark(struct xf_journal *j)
{
    char path[XF_JOURNAL_PATH_SIZE + 8];

    (void)snprintf(path, sizeof path, "%s-mark", j->path);
    j->mark_fd = open(path, (j->read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void xf_place_mark(struct xf_journal *j, int64_t position)
{
    char text[MARK_SIZE + 1];

    if (j->mark_fd < 0 || j->read_only || j->moved)
        return;
    (void)snprintf(text, sizeof text, "%.32s %020" PRId64 "\n", j->id, position);
    if (pwrite(j->mark_fd, text, MARK_SIZE, 0) < 0) {
        (void)close(j->mark_fd); /* a witness less; the order does not depend on it */
        j->mark_fd = -1;
    }
}

/* How many commits the mark knows of; 0 when it says nothing about this journal. */
static int64_t read_mark(const struct xf_journal *j)
{
    char text[MARK_SIZE + 1] = "";

    if (j->mark_fd < 0 || pread(j->mark_fd, text, MARK_SIZE, 0) != MARK_SIZE)
        return 0;
    return strncmp(text, j->id, strlen(j->id)) == 0 ? strtoll(text + XF_JOURNAL_ID_SIZE, NULL, 10) : 0;
}

static int64_t number(struct xf_journal *j, enum xf_sql id, struct xf_err *err)
{
    sqlite3_stmt *statement = xf_sql_start(j, id, err, "");
    int row = statement == NULL ? -1 : xf_sql_row(j, statement, err);
    int64_t position = row == 1 ? sqlite3_column_int64(statement, 0) : -1;

    if (row == 0)
        (void)xf_fail(err, "the journal does not know how many commits it has (%.160s)", j->path);
    xf_sql_end(statement);
    return position;
}

int64_t xf_place_position(struct xf_journal *j, struct xf_err *err)
{
    return number(j, XF_SQL_POSITION, err);
}

int64_t xf_place_count(struct xf_journal *j, struct xf_err *err)
{
    return number(j, XF_SQL_POSITION_NEXT, err);
}

/* The first one to open a journal gives it its id and its place. */
static int found(struct xf_journal *j, struct xf_err *err)
{
    char place[XF_JOURNAL_PATH_SIZE + 32];
    unsigned char random[16];
    bool own;
    int row, result = -1;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    if (!get(j, "id", j->id, sizeof j->id, err, &row)) {
        if (row < 0 || present_place(j, place, sizeof place, err) != 0)
            goto fail;
        if (RAND_bytes(random, sizeof random) != 1) {
            (void)xf_fail(err, "there is no randomness to name the journal by");
            goto fail;
        }
        for (size_t i = 0; i < sizeof random; i++)
            (void)snprintf(j->id + 2 * i, 3, "%02x", (unsigned)random[i]);
        if (put(j, "id", j->id, err) != 0 || put(j, "place", place, err) != 0)
            goto fail;
    }
    result = 0;
fail:
    if (xf_journal_leave(j, own, result == 0, err) != 0)
        result = -1;
    return result;
}

int xf_place_check(struct xf_journal *j, struct xf_err *err)
{
    char here[XF_JOURNAL_PATH_SIZE + 32], known[XF_JOURNAL_PATH_SIZE + 32];
    int64_t marked, position;
    int row;

    if (!get(j, "id", j->id, sizeof j->id, err, &row)) {
        if (row < 0)
            return -1;
        if (j->read_only)
            return xf_fail(err, "the journal is not finished: open it for writing once (%.160s)", j->path);
        if (found(j, err) != 0)
            return -1;
    }
    open_mark(j);
    marked = read_mark(j); /* before the history: others may lengthen both meanwhile */
    position = xf_place_position(j, err);
    if (position < 0 || present_place(j, here, sizeof here, err) != 0)
        return -1;
    known[0] = '\0';
    (void)get(j, "place", known, sizeof known, err, &row);
    if (row < 0)
        return -1;
    j->moved = strcmp(here, known) != 0 || position < marked;
    return 0;
}

int xf_journal_accept_move(struct xf_journal *j, struct xf_err *err)
{
    char here[XF_JOURNAL_PATH_SIZE + 32];
    int64_t position;

    if (xf_journal_begin(j, err) != 0)
        return -1;
    position = xf_place_position(j, err);
    if (position < 0 || present_place(j, here, sizeof here, err) != 0 || put(j, "place", here, err) != 0) {
        xf_journal_rollback(j);
        return -1;
    }
    if (xf_journal_commit(j, err) != 0)
        return -1;
    j->moved = false;
    xf_place_mark(j, position); /* a copy's is shorter than what stood there */
    return 0;
}

bool xf_journal_moved(const struct xf_journal *j)
{
    return j->moved;
}

const char *xf_journal_id(const struct xf_journal *j)
{
    return j->id;
}
