/* Whether the journal could be worked with: for whoever asks before money moves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "journal_inside.h"

/* SQLite's own look through the file: the first thing that is wrong with it. */
static int look_through(struct xf_journal *j, struct xf_err *err)
{
    sqlite3_stmt *s = NULL;
    char found[96] = "";
    int rc = sqlite3_prepare_v2(j->db, "PRAGMA quick_check(1)", -1, &s, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
        (void)snprintf(found, sizeof found, "%s", (const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    if (rc != SQLITE_ROW)
        return xf_sql_fail(j, rc, err);
    found[strcspn(found, "\n")] = '\0';
    return strcmp(found, "ok") == 0 ? 0 : xf_fail(err, "the journal is damaged: %s (%.100s)", found, j->path);
}

/* Pages stay in memory until a commit; that they fit on the disk is told by its space. */
static int try_a_write(struct xf_journal *j, struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    if (xf_journal_begin(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_META_PUT, err, "tt", "checked", "");
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    xf_journal_rollback(j);
    return row < 0 ? -1 : 0;
}

int xf_journal_check(struct xf_journal *j, int64_t *space, struct xf_err *err)
{
    struct statvfs fs;

    if (xf_journal_ready(j, err) != 0 || look_through(j, err) != 0 || try_a_write(j, err) != 0)
        return -1;
    if (statvfs(j->path, &fs) != 0)
        return xf_fail(err, "the space left cannot be told: %s (%.160s)", strerror(errno), j->path);
    *space = (int64_t)(fs.f_bavail * fs.f_frsize);
    return 0;
}
