/* Writing pushes: admission, work, decisions. */
#include "journal_push.h"

#include <stdlib.h>
#include <string.h>

#include "journal_inside.h"

static const char *const KINDS[XF_PUSH_KINDS] = {
    [XF_PUSH_REPORT] = "report", [XF_PUSH_RESPONSE] = "response", [XF_PUSH_UNKNOWN] = "unknown"};
static const char *const STATES[XF_PUSH_STATES] = {[XF_PUSH_NEW] = "new",
                                                   [XF_PUSH_DONE] = "done",
                                                   [XF_PUSH_FAILED] = "failed",
                                                   [XF_PUSH_QUARANTINED] = "quarantined"};

const char *xf_push_kind_name(enum xf_push_kind kind)
{
    return (unsigned)kind < XF_PUSH_KINDS ? KINDS[kind] : NULL;
}

const char *xf_push_state_name(enum xf_push_state state)
{
    return (unsigned)state < XF_PUSH_STATES ? STATES[state] : NULL;
}

bool xf_push_kind_find(const char *name, enum xf_push_kind *out)
{
    for (int i = 0; i < XF_PUSH_KINDS; i++)
        if (strcmp(KINDS[i], name) == 0) {
            *out = (enum xf_push_kind)i;
            return true;
        }
    return false;
}

bool xf_push_state_find(const char *name, enum xf_push_state *out)
{
    for (int i = 0; i < XF_PUSH_STATES; i++)
        if (strcmp(STATES[i], name) == 0) {
            *out = (enum xf_push_state)i;
            return true;
        }
    return false;
}

/* Runs a writing statement to its end. 0 or -1. */
static int run(struct xf_journal *j, sqlite3_stmt *s, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return row < 0 ? -1 : 0;
}

/* The same, for a statement that concerns one row: 1 if it did, 0 or -1. */
static int run_one(struct xf_journal *j, sqlite3_stmt *s, struct xf_err *err)
{
    return run(j, s, err) != 0 ? -1 : sqlite3_changes(j->db) > 0;
}

/* ---- admission */

static int hash_body(struct xf_journal *j, const struct xf_arrival *a, int64_t *hash, struct xf_err *err)
{
    char hex[XF_FINGERPRINT_SIZE];

    if (xf_journal_fingerprint(j, a->body, a->body_size, hex, err) != 0)
        return -1;
    hex[16] = '\0';
    *hash = (int64_t)strtoull(hex, NULL, 16);
    return 0;
}

/* What has come under one transId. */
struct past {
    int64_t rows, bytes;
    bool used; /* by a push that was not refused */
    int64_t alike; /* a row of its kind whose body has the same hash; 0: none */
};

static int look_back(struct xf_journal *j, const struct xf_arrival *a, int64_t hash, struct past *past,
                     struct xf_err *err)
{
    sqlite3_stmt *s =
        xf_sql_start(j, XF_SQL_PUSH_SAME_ID, err, "tit", a->trans_id, hash, xf_push_kind_name(a->kind));
    int row = -1;

    while (s != NULL && (row = xf_sql_row(j, s, err)) == 1) {
        past->rows++;
        past->bytes += sqlite3_column_int64(s, 1);
        past->used = past->used || sqlite3_column_int(s, 2) == 0;
        if (sqlite3_column_int(s, 3) != 0)
            past->alike = sqlite3_column_int64(s, 0);
    }
    xf_sql_end(s);
    return row;
}

/* 1 if the row has this very body, 0 or -1. */
static int has_body(struct xf_journal *j, int64_t id, const struct xf_arrival *a, struct xf_err *err)
{
    sqlite3_stmt *s = xf_sql_start(j, XF_SQL_PUSH_SAME_BODY, err, "ib", id, a->body, a->body_size);
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return row;
}

/* What has come under this transId decides what the push is. */
static enum xf_admitted judge(struct xf_journal *j, const struct xf_arrival *a, int64_t hash, int64_t *id,
                              struct xf_err *err)
{
    struct past past = {0};
    int same = 0;

    if (look_back(j, a, hash, &past, err) != 0)
        return XF_ADMITTED_FAILED;
    if (past.alike != 0 && (same = has_body(j, past.alike, a, err)) < 0)
        return XF_ADMITTED_FAILED;
    if (same == 1) {
        *id = past.alike;
        return XF_ADMITTED_REPEATED;
    }
    if (past.rows >= XF_PUSH_SAME_ID_ROWS || past.bytes >= XF_PUSH_SAME_ID_BYTES) {
        (void)xf_fail(err, "transId %.30s has come with too many different bodies", a->trans_id);
        return XF_ADMITTED_FULL;
    }
    return past.used || a->reason != NULL ? XF_ADMITTED_QUARANTINED : XF_ADMITTED_NEW;
}

static int write_push(struct xf_journal *j, const struct xf_arrival *a, int64_t hash,
                      enum xf_admitted admitted, struct xf_err *err)
{
    const char *reason = a->reason != NULL || admitted == XF_ADMITTED_NEW ? a->reason : XF_PUSH_CONFLICT;
    const char *state = STATES[admitted == XF_ADMITTED_NEW ? XF_PUSH_NEW : XF_PUSH_QUARANTINED];

    return run(j,
               xf_sql_start(j, XF_SQL_PUSH_ADMIT, err, "ttiitttbi", xf_push_kind_name(a->kind), a->trans_id,
                            a->at, (int64_t)a->body_size, state, reason, a->headers != NULL ? a->headers : "",
                            a->body, a->body_size, hash),
               err);
}

/* Keeps what was never acknowledged within its bounds. */
static int make_room(struct xf_journal *j, struct xf_err *err)
{
    sqlite3_stmt *s;
    int64_t rows, bytes;
    int row;

    do {
        s = xf_sql_start(j, XF_SQL_PUSH_SPARE, err, "");
        row = s == NULL ? -1 : xf_sql_row(j, s, err);
        rows = row == 1 ? sqlite3_column_int64(s, 0) : 0;
        bytes = row == 1 ? sqlite3_column_int64(s, 1) : 0;
        xf_sql_end(s);
        if (row < 0)
            return -1;
        if (rows <= XF_PUSH_NOT_JSON_ROWS && bytes <= XF_PUSH_NOT_JSON_BYTES)
            return 0;
        row = run_one(j, xf_sql_start(j, XF_SQL_PUSH_DROP, err, ""), err);
    } while (row == 1);
    return row;
}

enum xf_admitted xf_journal_admit_push(struct xf_journal *j, const struct xf_arrival *a, int64_t *id,
                                       struct xf_err *err)
{
    bool own, wrote = false;
    enum xf_admitted admitted;
    int64_t row = 0, hash;

    if (a->trans_id == NULL || a->body == NULL || xf_push_kind_name(a->kind) == NULL)
        return (enum xf_admitted)xf_fail(err, "a push has a kind, a transId and a body");
    if (hash_body(j, a, &hash, err) != 0 || xf_journal_enter(j, &own, err) != 0)
        return XF_ADMITTED_FAILED;
    admitted = judge(j, a, hash, &row, err);
    if (admitted == XF_ADMITTED_NEW || admitted == XF_ADMITTED_QUARANTINED) {
        wrote = write_push(j, a, hash, admitted, err) == 0;
        row = wrote ? sqlite3_last_insert_rowid(j->db) : 0;
        if (wrote && a->reason != NULL && strcmp(a->reason, XF_PUSH_NOT_JSON) == 0)
            wrote = make_room(j, err) == 0;
        if (!wrote)
            admitted = XF_ADMITTED_FAILED;
    }
    if (xf_journal_leave(j, own, wrote, err) != 0)
        admitted = XF_ADMITTED_FAILED;
    if (id != NULL)
        *id = row;
    return admitted;
}

/* ---- work */

/* Ends an operation that began with xf_journal_enter: 1, 0 or -1. */
static int leave(struct xf_journal *j, bool own, int changed, struct xf_err *err)
{
    return xf_journal_leave(j, own, changed == 1, err) != 0 ? -1 : changed;
}

int xf_journal_begin_push(struct xf_journal *j, int64_t id, int64_t again_at, struct xf_err *err)
{
    bool own;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return leave(j, own, run_one(j, xf_sql_start(j, XF_SQL_PUSH_BEGIN, err, "ii", id, again_at), err), err);
}

int xf_journal_finish_push(struct xf_journal *j, const struct xf_push_step *step, struct xf_err *err)
{
    const char *state = xf_push_state_name(step->to);
    bool waits = step->to == XF_PUSH_NEW || step->to == XF_PUSH_QUARANTINED, own;
    int changed;

    if (state == NULL || (step->next_at != 0 && !waits) || (step->next_at == 0 && step->to == XF_PUSH_NEW))
        return xf_fail(err, "a push that is to be tried again needs a time for it, others have none");
    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    changed = run_one(j,
                      xf_sql_start(j, XF_SQL_PUSH_FINISH, err, "itzttttz", step->id, state, step->next_at,
                                   step->reason, step->traceback, step->note, step->device_ids,
                                   step->to == XF_PUSH_DONE ? step->at : INT64_C(0)),
                      err);
    if (changed == 1 && step->device_ids != NULL &&
        run(j, xf_sql_start(j, XF_SQL_PUSH_DEVICES, err, "it", step->id, step->device_ids), err) != 0)
        changed = -1;
    return leave(j, own, changed, err);
}

/* ---- decisions */

static int decide(struct xf_journal *j, int64_t id, const char *by, int64_t at, bool replay,
                  struct xf_err *err)
{
    const char *actor = by != NULL ? by : "xfiot";
    bool own;
    int changed;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    changed = run_one(
        j,
        xf_sql_start(j, XF_SQL_PUSH_DECIDED, err, "iitt", id, at, replay ? "replayed" : "discarded", actor),
        err);
    if (changed == 1 && replay)
        changed = run_one(j, xf_sql_start(j, XF_SQL_PUSH_REPLAY, err, "ii", id, at), err);
    else if (changed == 1)
        changed = run_one(j, xf_sql_start(j, XF_SQL_PUSH_DISCARD, err, "iit", id, at, actor), err);
    return leave(j, own, changed, err);
}

int xf_journal_replay_push(struct xf_journal *j, int64_t id, const char *by, int64_t at, struct xf_err *err)
{
    return decide(j, id, by, at, true, err);
}

int xf_journal_discard_push(struct xf_journal *j, int64_t id, const char *by, int64_t at, struct xf_err *err)
{
    return decide(j, id, by, at, false, err);
}
