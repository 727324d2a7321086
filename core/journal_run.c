/* Writing runs: their beginning, whose they are, their steps. */
#include "journal_run.h"

#include <string.h>

#include "journal_inside.h"

static const char *const STATES[XF_RUN_STATES] = {
    [XF_RUN_RUNNING] = "running",     [XF_RUN_WAITING] = "waiting",
    [XF_RUN_SUCCEEDED] = "succeeded", [XF_RUN_FAILED] = "failed",
    [XF_RUN_DIVERGED] = "diverged",   [XF_RUN_NEEDS_DECISION] = "needs_decision",
    [XF_RUN_CANCELLED] = "cancelled"};

const char *xf_run_state_name(enum xf_run_state state)
{
    return (unsigned)state < XF_RUN_STATES ? STATES[state] : NULL;
}

bool xf_run_state_find(const char *name, enum xf_run_state *out)
{
    for (int i = 0; i < XF_RUN_STATES; i++)
        if (strcmp(STATES[i], name) == 0) {
            *out = (enum xf_run_state)i;
            return true;
        }
    return false;
}

/* Runs a writing statement that concerns one row: 1 if it did, 0 or -1. */
static int write_one(struct xf_journal *j, sqlite3_stmt *s, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return row < 0 ? -1 : sqlite3_changes(j->db) > 0;
}

/* The first number of the first row: 1 if there is one, 0 or -1. */
static int read_number(struct xf_journal *j, sqlite3_stmt *s, int64_t *out, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    if (row == 1)
        *out = sqlite3_column_int64(s, 0);
    xf_sql_end(s);
    return row;
}

/* Ends an operation that began with xf_journal_enter: 1, 0 or -1. */
static int leave(struct xf_journal *j, bool own, int changed, struct xf_err *err)
{
    return xf_journal_leave(j, own, changed == 1, err) != 0 ? -1 : changed;
}

/* ---- beginning */

int xf_journal_find_campaign(struct xf_journal *j, const char *workflow, const char *file,
                             const char *constants, int64_t *id, struct xf_err *err)
{
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_number(j, xf_sql_start(j, XF_SQL_CAMPAIGN_FIND, err, "ttt", workflow, file, constants), id,
                       err);
}

int xf_journal_campaign(struct xf_journal *j, const char *workflow, const char *file, const char *constants,
                        int64_t at, int64_t *id, struct xf_err *err)
{
    bool own;
    int found;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    found = xf_journal_find_campaign(j, workflow, file, constants, id, err);
    if (found == 0) {
        found = write_one(j, xf_sql_start(j, XF_SQL_CAMPAIGN_ADD, err, "ttti", workflow, file, constants, at),
                          err);
        *id = sqlite3_last_insert_rowid(j->db);
    }
    return leave(j, own, found, err) == 1 ? 0 : -1;
}

/* The row of a script's text; written when it is new. 1 or -1. */
static int find_script(struct xf_journal *j, const char *path, const char *hash, int64_t *id,
                       struct xf_err *err)
{
    int found = read_number(j, xf_sql_start(j, XF_SQL_SCRIPT_FIND, err, "tt", path, hash), id, err);

    if (found == 0) {
        found = write_one(j, xf_sql_start(j, XF_SQL_SCRIPT_ADD, err, "tt", path, hash), err);
        *id = sqlite3_last_insert_rowid(j->db);
    }
    return found;
}

int xf_journal_start_run(struct xf_journal *j, const struct xf_run_start *start, int64_t *id,
                         struct xf_err *err)
{
    int64_t script = 0, there = 0;
    bool own;
    int taken, done = 0;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    taken =
        read_number(j,
                    start->campaign != 0 ? xf_sql_start(j, XF_SQL_RUN_OPEN_ROW, err, "iti", start->campaign,
                                                        start->key, start->newest)
                                         : xf_sql_start(j, XF_SQL_RUN_OPEN_SAME, err, "ttt", start->workflow,
                                                        start->company_code, start->args),
                    &there, err);
    if (taken < 0)
        done = -1;
    else if (taken == 0 &&
             (find_script(j, start->script, start->hash, &script, err) != 1 || xf_owner_write(j, err) != 0))
        done = -1;
    else if (taken == 0)
        done = write_one(j,
                         xf_sql_start(j, XF_SQL_RUN_START, err, "ttztittii", start->workflow,
                                      start->company_code, start->campaign, start->key, script, start->args,
                                      j->owner, start->at, (int64_t)start->restricted),
                         err);
    *id = done == 1 ? sqlite3_last_insert_rowid(j->db) : there;
    return leave(j, own, done, err);
}

/* ---- whose it is */

/* Where a run stands, before it is claimed or cancelled. */
struct standing {
    enum xf_run_state state;
    int64_t token, script;
    enum xf_owner owner;
};

static enum xf_claimed look(struct xf_journal *j, int64_t run, struct standing *out, struct xf_err *err)
{
    sqlite3_stmt *s = xf_sql_start(j, XF_SQL_RUN_STANDING, err, "i", run);
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);
    enum xf_claimed result = row < 0 ? XF_CLAIM_FAILED : XF_CLAIM_ABSENT;

    if (row == 1) {
        const char *state = (const char *)sqlite3_column_text(s, 0);
        const char *owner = (const char *)sqlite3_column_text(s, 2);

        out->state = XF_RUN_CANCELLED; /* the schema's CHECK lets no other name in */
        (void)(state != NULL && xf_run_state_find(state, &out->state));
        out->token = sqlite3_column_int64(s, 1);
        out->owner = owner == NULL ? XF_OWNER_GONE : xf_owner_judge(j->owner, owner);
        out->script = sqlite3_column_int64(s, 3);
        result = out->state == XF_RUN_SUCCEEDED || out->state == XF_RUN_CANCELLED ? XF_CLAIM_ENDED
                 : out->owner == XF_OWNER_GONE                                    ? XF_CLAIMED
                                                                                  : XF_CLAIM_HELD;
    }
    xf_sql_end(s);
    return result;
}

enum xf_claimed xf_journal_claim_run(struct xf_journal *j, const struct xf_claim *claim, int64_t *token,
                                     struct xf_err *err)
{
    struct standing s = {0};
    enum xf_claimed result;
    bool own;
    int done = -1;

    if (xf_journal_enter(j, &own, err) != 0)
        return XF_CLAIM_FAILED;
    result = look(j, claim->run, &s, err);
    if (result == XF_CLAIM_HELD && claim->by_force)
        result = XF_CLAIMED;
    if (result == XF_CLAIMED &&
        (claim->hash == NULL || find_script(j, claim->script, claim->hash, &s.script, err) == 1) &&
        xf_owner_write(j, err) == 0)
        done = write_one(j,
                         xf_sql_start(j, XF_SQL_RUN_CLAIM, err, "itiii", claim->run, j->owner, s.script,
                                      claim->at, (int64_t)claim->restricted),
                         err);
    if (result == XF_CLAIMED && done != 1)
        result = XF_CLAIM_FAILED;
    if (xf_journal_leave(j, own, result == XF_CLAIMED, err) != 0)
        result = XF_CLAIM_FAILED;
    *token = s.token + 1;
    return result;
}

int xf_journal_cancel_run(struct xf_journal *j, int64_t run, const char *by, int64_t at, struct xf_err *err)
{
    struct standing s;
    enum xf_claimed result;
    bool own;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    result = look(j, run, &s, err);
    return leave(j, own,
                 result == XF_CLAIMED
                     ? write_one(j, xf_sql_start(j, XF_SQL_RUN_CANCEL, err, "iti", run, by, at), err)
                 : result == XF_CLAIM_FAILED ? -1
                                             : 0,
                 err);
}

/* ---- steps */

int xf_journal_add_step(struct xf_journal *j, const struct xf_run_step *step, struct xf_err *err)
{
    bool own;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return leave(j, own,
                 write_one(j,
                           xf_sql_start(j, XF_SQL_STEP_ADD, err, "iiittttti", step->run, step->token,
                                        (int64_t)step->seq, step->name, step->line, step->state, step->handle,
                                        step->value, step->at),
                           err),
                 err);
}

int xf_journal_change_step(struct xf_journal *j, const struct xf_run_step *step, struct xf_err *err)
{
    bool own;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return leave(j, own,
                 write_one(j,
                           xf_sql_start(j, XF_SQL_STEP_CHANGE, err, "iiittti", step->run, step->token,
                                        (int64_t)step->seq, step->state, step->handle, step->value, step->at),
                           err),
                 err);
}

int xf_journal_rest_run(struct xf_journal *j, const struct xf_run_rest *rest, struct xf_err *err)
{
    const char *state = xf_run_state_name(rest->to);
    bool own;
    int done;

    if (state == NULL || rest->to == XF_RUN_RUNNING)
        return xf_fail(err, "a run rests in a state of its own");
    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    done = write_one(j,
                     xf_sql_start(j, XF_SQL_RUN_REST, err, "iitttttzttzi", rest->run, rest->token, state,
                                  rest->step, rest->waiting_for, rest->order, rest->device_id, rest->wake_at,
                                  rest->result, rest->error, (int64_t)rest->result_step, rest->at),
                     err);
    /* what it waits for may have happened before it was known to wait */
    if (done == 1 && rest->order != NULL &&
        write_one(j, xf_sql_start(j, XF_SQL_RUN_MISSED, err, "ii", rest->run, rest->at), err) < 0)
        done = -1;
    return leave(j, own, done, err);
}
