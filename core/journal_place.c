/*
 * Is this file still the journal it was (money.md's rule 12)? It knows itself by
 * - its place, kept inside: inode, time of birth and path. A copy, a file unpacked
 *   or put back after it was removed has others;
 * - its witnesses (journal_witness.c), with the number of the last commit: an old
 *   copy written over the file in place has fewer.
 * The mark beside it was made before the journal had its id, so that one without
 * a mark has lost it. What the witnesses have found stays found (`held`, inside),
 * however many commits follow, until a person accepts it. Accepting gives the journal
 * a new id: what was said of the old one counts no more (`former`, inside), and the same
 * backup put back once more is found again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>

#include "journal_inside.h"

enum {
    FOUNDED = 1, /* commits of a journal that was only made */
    PLACE_SIZE = XF_JOURNAL_PATH_SIZE + 64,
    FORMER_SIZE = 8 + XF_JOURNAL_ID_SIZE,
};

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

/* "inode birth path"; the birth is "-" where the file system does not tell. */
static int present_place(const struct xf_journal *j, char out[PLACE_SIZE], struct xf_err *err)
{
    struct statx st;
    char birth[48] = "-";

    /* not open() and fstat(): closing it again would drop SQLite's locks */
    if (statx(AT_FDCWD, j->path, 0, STATX_INO | STATX_BTIME, &st) != 0)
        return xf_fail(err, "the journal has gone: %s (%.160s)", strerror(errno), j->path);
    if ((st.stx_mask & STATX_BTIME) != 0)
        (void)snprintf(birth, sizeof birth, "%" PRId64 ".%09" PRIu32, (int64_t)st.stx_btime.tv_sec,
                       (uint32_t)st.stx_btime.tv_nsec);
    (void)snprintf(out, PLACE_SIZE, "%ju %s %s", (uintmax_t)st.stx_ino, birth, j->path);
    return 0;
}

/* The word at *place, which is moved on behind the space after it. */
static size_t next_word(const char **place)
{
    size_t length = strcspn(*place, " ");

    *place += length + ((*place)[length] == ' ');
    return length;
}

static bool same_word(const char **a, const char **b, const char *unless)
{
    const char *x = *a, *y = *b;
    size_t n = next_word(a), m = next_word(b);

    if (unless != NULL && (strncmp(x, unless, n) == 0 || strncmp(y, unless, m) == 0))
        return true;
    return n == m && memcmp(x, y, n) == 0;
}

/* What is wrong with the place, or NULL. */
static const char *compare_places(const char *known, const char *here)
{
    bool inode = same_word(&known, &here, NULL), birth = same_word(&known, &here, "-");

    if (strcmp(known, here) != 0)
        return "it is not where it was: it is a copy, or was renamed or moved";
    return inode && birth ? NULL : "it is another file than it was: a copy or a backup that was put back";
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
    int64_t position = number(j, XF_SQL_POSITION_NEXT, err);

    if (position < 0 || position > j->position)
        return position;
    j->moved = true;
    return xf_fail(err, "the journal is older than a moment ago: it was replaced while in use (%.160s)",
                   j->path);
}

void xf_place_mark(struct xf_journal *j, int64_t position)
{
    j->position = position;
    if (!j->moved)
        xf_witness_tell(j, position);
}

static int new_id(char out[XF_JOURNAL_ID_SIZE], struct xf_err *err)
{
    unsigned char random[16];

    if (RAND_bytes(random, sizeof random) != 1)
        return xf_fail(err, "there is no randomness to name the journal by");
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned)random[i]);
    return 0;
}

/* The first one to open a journal gives it its id and its place. */
static int found(struct xf_journal *j, struct xf_err *err)
{
    char place[PLACE_SIZE];
    bool own;
    int row, result = -1;

    if (xf_witness_make(j, err) != 0 || xf_journal_enter(j, &own, err) != 0)
        return -1;
    if (!get(j, "id", j->id, sizeof j->id, err, &row)) {
        if (row < 0 || present_place(j, place, err) != 0 || new_id(j->id, err) != 0 ||
            put(j, "id", j->id, err) != 0 || put(j, "place", place, err) != 0)
            goto fail;
    }
    result = 0;
fail:
    if (xf_journal_leave(j, own, result == 0, err) != 0)
        result = -1;
    return result;
}

static const char *former(const char *id, char out[FORMER_SIZE])
{
    (void)snprintf(out, FORMER_SIZE, "former:%.32s", id);
    return out;
}

/* What a witness has against the journal: 1 with the finding in j->held, 0, or -1 with err. */
static int examine(struct xf_journal *j, enum xf_witness witness, const struct xf_testimony *t,
                   struct xf_err *err)
{
    char name[FORMER_SIZE], ignored[8];
    int row;

    if (strcmp(t->id, j->id) == 0) {
        if (t->commits <= j->position)
            return 0;
        (void)snprintf(j->held, sizeof j->held,
                       "%.32s it is older than it was, by %" PRId64 " commits: a backup was put back", t->id,
                       t->commits - j->position);
        return 1;
    }
    if (t->commits <= FOUNDED && j->position <= FOUNDED)
        return 0; /* neither ever held an order */
    if (witness == XF_WITNESS_OUTSIDE && j->position <= FOUNDED)
        return 0; /* the journal was removed with all that lay beside it: somebody begins anew */
    if (get(j, former(t->id, name), ignored, sizeof ignored, err, &row) || row < 0)
        return row < 0 ? -1 : 0;
    (void)snprintf(j->held, sizeof j->held,
                   j->position <= FOUNDED ? "%.32s it is a new one; another, with %" PRId64
                                            " commits, was in its place and is gone"
                                          : "%.32s another journal, with %" PRId64
                                            " commits, was in its place",
                   t->id, t->commits);
    return 1;
}

/* Writes the finding down, unless a person has accepted the journal meanwhile. */
static int hold(struct xf_journal *j, struct xf_err *err)
{
    char id[XF_JOURNAL_ID_SIZE] = "";
    int row;

    if (xf_journal_begin(j, err) != 0)
        return -1;
    (void)get(j, "id", id, sizeof id, err, &row);
    if (row > 0 && strcmp(id, j->id) != 0)
        (void)xf_fail(err, "the journal was accepted a moment ago: try again (%.160s)", j->path);
    else if (row > 0 && put(j, "held", j->held, err) == 0)
        return xf_journal_commit(j, err);
    xf_journal_rollback(j);
    return -1;
}

/* Fills j->held with what is found. What was found earlier is told first. */
static int examine_all(struct xf_journal *j, bool has_mark, const struct xf_testimony *said,
                       const bool *speaks, struct xf_err *err)
{
    int row, found_out = 0;

    if (get(j, "held", j->held, sizeof j->held, err, &row) && j->held[0] != '\0')
        return 0;
    for (int i = 0; i < XF_WITNESSES && row >= 0 && found_out == 0; i++)
        if (speaks[i])
            found_out = examine(j, (enum xf_witness)i, &said[i], err);
    if (row < 0 || found_out < 0)
        return -1;
    if (found_out == 0 && !has_mark && j->position > FOUNDED)
        (void)snprintf(j->held, sizeof j->held,
                       "%.32s its mark (-mark, beside it) is gone: it was put back or moved without it",
                       j->id);
    if (j->held[0] == '\0' || j->read_only)
        return 0;
    return hold(j, err);
}

static bool up_to_date(const struct xf_journal *j, bool speaks, const struct xf_testimony *t)
{
    return speaks && strcmp(t->id, j->id) == 0 && t->commits >= j->position;
}

/* Sets moved and its reasons. */
static int judge(struct xf_journal *j, bool has_mark, struct xf_err *err)
{
    struct xf_testimony said[XF_WITNESSES] = {{.commits = 0}};
    char here[PLACE_SIZE], known[PLACE_SIZE];
    bool speaks[XF_WITNESSES], all = true;
    int row;

    for (int i = 0; i < XF_WITNESSES; i++) /* before the journal: others may change both meanwhile */
        speaks[i] = xf_witness_hear(j, (enum xf_witness)i, &said[i]);
    if (!get(j, "id", j->id, sizeof j->id, err, &row) || !get(j, "place", known, sizeof known, err, &row))
        return row < 0 ? -1 : xf_fail(err, "the journal has lost its name or place (%.160s)", j->path);
    j->position = xf_place_position(j, err);
    if (j->position < 0 || present_place(j, here, err) != 0 ||
        examine_all(j, has_mark, said, speaks, err) != 0)
        return -1;
    j->misplaced = compare_places(known, here);
    j->moved = j->misplaced != NULL || j->held[0] != '\0';
    if (j->moved || j->read_only)
        return 0;
    if (!has_mark && xf_witness_make(j, err) != 0)
        return -1;
    for (int i = 0; i < XF_WITNESSES; i++)
        all = all && up_to_date(j, speaks[i], &said[i]);
    if (!all)
        xf_witness_tell(j, j->position);
    return 0;
}

int xf_place_check(struct xf_journal *j, struct xf_err *err)
{
    int row;

    j->moved = true; /* until it is known better, the witnesses are told nothing */
    if (!get(j, "id", j->id, sizeof j->id, err, &row)) {
        if (row < 0)
            return -1;
        if (j->read_only)
            return xf_fail(err, "the journal is not finished: open it for writing once (%.160s)", j->path);
        if (found(j, err) != 0)
            return -1;
    }
    return judge(j, xf_witness_call(j), err);
}

/* In a batch. */
static int begin_anew(struct xf_journal *j, const char *record, const char *id, struct xf_err *err)
{
    struct xf_testimony said;
    char here[PLACE_SIZE], name[FORMER_SIZE], held_for[XF_JOURNAL_ID_SIZE];

    for (int i = 0; i < XF_WITNESSES; i++)
        if (xf_witness_hear(j, (enum xf_witness)i, &said) && put(j, former(said.id, name), record, err) != 0)
            return -1;
    (void)snprintf(held_for, sizeof held_for, "%.32s",
                   j->held); /* begins with an id, of a witness of somebody's */
    if (held_for[0] != '\0' && put(j, former(held_for, name), record, err) != 0)
        return -1;
    return put(j, former(j->id, name), record, err) != 0 || put(j, "id", id, err) != 0 ||
                   put(j, "held", "", err) != 0 || present_place(j, here, err) != 0 ||
                   put(j, "place", here, err) != 0
               ? -1
               : 0;
}

int xf_journal_accept_move(struct xf_journal *j, const char *by, int64_t at, struct xf_err *err)
{
    char id[XF_JOURNAL_ID_SIZE], record[XF_ERR_SIZE + 256];
    int64_t position;

    if (j->batch)
        return xf_fail(err, "the journal is accepted between batches");
    if (!j->moved)
        return 0;
    (void)snprintf(record, sizeof record, "accepted %" PRId64 " by %.128s: %s", at, by,
                   xf_journal_why_moved(j));
    /* the mark before the commit: a journal is not without one for a moment */
    if (new_id(id, err) != 0 || xf_journal_begin(j, err) != 0)
        return -1;
    if (xf_witness_make(j, err) != 0 || begin_anew(j, record, id, err) != 0) {
        xf_journal_rollback(j);
        return -1;
    }
    if (xf_journal_commit(j, err) != 0)
        return -1;
    position = j->position;
    memcpy(j->id, id, sizeof j->id);
    j->moved = false;
    j->misplaced = NULL;
    j->held[0] = '\0';
    xf_place_mark(j, position);
    return 0;
}

bool xf_journal_moved(const struct xf_journal *j)
{
    return j->moved;
}

const char *xf_journal_why_moved(const struct xf_journal *j)
{
    if (!j->moved)
        return NULL;
    if (j->held[0] != '\0')
        return j->held + XF_JOURNAL_ID_SIZE; /* behind the id */
    return j->misplaced != NULL ? j->misplaced : "it was replaced while in use";
}

const char *xf_journal_id(const struct xf_journal *j)
{
    return j->id;
}
