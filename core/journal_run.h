/*
 * Runs in the journal: workflows under way, what each of their steps came to, and
 * who works on them. It obeys journal.h's conventions; every writing operation
 * joins the batch that is open, or is a commit of its own.
 *
 * A run has one owner at most: the handle that claimed it. Each claim raises its
 * token, and nothing of the run is written without the token of the last claim:
 * here, and once more by the schema's triggers. A run is taken from another owner
 * only if that process is gone (or a person says so), never because time passed.
 *
 *   running -> waiting | succeeded | failed | diverged | needs_decision | cancelled
 *   waiting, failed, diverged, needs_decision -> running by a claim; cancelled by a person
 *
 * What there is to do is told by wake_at: a waiting run that has one is to be
 * claimed from then on. It is set to now by the end of the order, or by the report
 * of the device, that the run waits for.
 */
#ifndef XF_JOURNAL_RUN_H
#define XF_JOURNAL_RUN_H

#include "journal.h"

enum xf_run_state {
    XF_RUN_RUNNING,
    XF_RUN_WAITING,
    XF_RUN_SUCCEEDED,
    XF_RUN_FAILED,
    XF_RUN_DIVERGED,
    XF_RUN_NEEDS_DECISION,
    XF_RUN_CANCELLED,
    XF_RUN_STATES
};
#define XF_RUN_BIT(state) (1u << (unsigned)(state))

/* running, waiting ... NULL beyond them. */
const char *xf_run_state_name(enum xf_run_state state);
/* False if there is no such name; then *out stays. */
bool xf_run_state_find(const char *name, enum xf_run_state *out);

/* ---- beginning */

/* The id of a campaign: one file of rows, one workflow, the same values for all
 * rows. It is written when it is asked for first. 0, or -1 with err. */
int xf_journal_campaign(struct xf_journal *j, const char *workflow, const char *file, const char *constants,
                        int64_t at, int64_t *id, struct xf_err *err);
/* The same without writing: 1 if there is one, 0, or -1 with err. */
int xf_journal_find_campaign(struct xf_journal *j, const char *workflow, const char *file,
                             const char *constants, int64_t *id, struct xf_err *err);

struct xf_run_start {
    const char *workflow;
    const char *company_code;
    int64_t campaign; /* 0: none */
    const char *key; /* of the row in its campaign, or what a person knows the run by; or NULL */
    int64_t newest; /* of a campaign: the newest run of this row that is known; 0: none */
    const char *script; /* the file */
    const char *hash; /* of its text */
    const char *args; /* JSON */
    bool restricted; /* its script gets nothing of the system, for as long as it lives */
    int64_t at;
};
/* Writes a new run, owned by this handle under token 1; *id is the run. Returns 1,
 * or 0 when somebody else was faster, then *id is the other's run: one of the same
 * campaign and key that has not ended or is newer than start->newest; without a
 * campaign one as xf_journal_find_same gives it. -1 with err. */
int xf_journal_start_run(struct xf_journal *j, const struct xf_run_start *start, int64_t *id,
                         struct xf_err *err);

/* ---- whose it is */

enum xf_claimed {
    XF_CLAIM_FAILED = -1,
    XF_CLAIMED = 0,
    XF_CLAIM_ABSENT, /* no such run */
    XF_CLAIM_ENDED, /* it has succeeded or was cancelled */
    XF_CLAIM_HELD, /* by a process that lives, or that cannot be seen from here */
};
struct xf_claim {
    int64_t run;
    const char *script, *hash; /* what it goes on with; NULL: as it was */
    int64_t at;
    bool restricted; /* from now on; what is restricted stays so */
    bool by_force; /* a person knows that its owner is no more */
};
/* Makes this handle the owner; *token is what it writes with. */
enum xf_claimed xf_journal_claim_run(struct xf_journal *j, const struct xf_claim *claim, int64_t *token,
                                     struct xf_err *err);

/* ---- steps; each returns 1, 0 when the token is not the run's any more, -1 with err */

struct xf_run_step {
    int64_t run, token;
    int seq; /* from 1, without gaps */
    const char *name; /* what the script asked for */
    const char *line; /* where, script.lua:12; or NULL */
    const char *state; /* begun, done, failed */
    const char *handle; /* what is needed to find its end again; NULL: as it was */
    const char *value; /* JSON; NULL: none */
    int64_t at;
};
int xf_journal_add_step(struct xf_journal *j, const struct xf_run_step *step, struct xf_err *err);
/* Name and line are not looked at. A step that has ended begins again only as
 * `begun`, and only the last one. */
int xf_journal_change_step(struct xf_journal *j, const struct xf_run_step *step, struct xf_err *err);

/* How far it has come, and that nobody owns it any more. */
struct xf_run_rest {
    int64_t run, token;
    enum xf_run_state to; /* not running */
    const char *step; /* the last one's name */
    const char *waiting_for; /* for people */
    const char *order, *device_id; /* whose end or report wakes it; or NULL */
    int64_t wake_at; /* 0: only by those */
    const char *result, *error; /* JSON */
    int result_step; /* the result is this step's value; 0: it is `result` */
    int64_t at;
};
int xf_journal_rest_run(struct xf_journal *j, const struct xf_run_rest *rest, struct xf_err *err);

/* A person ends it; 0 if there is none, it has ended, or a process works on it. */
int xf_journal_cancel_run(struct xf_journal *j, int64_t run, const char *by, int64_t at, struct xf_err *err);

/* ---- reading */

/* Texts are NULL where there is none; all live as long as the list. */
struct xf_run {
    const char *workflow, *company_code, *key, *script, *hash, *args;
    const char *step, *waiting_for, *order, *result, *error, *owner;
    int64_t id, campaign, token;
    enum xf_run_state state;
    bool restricted;
    int64_t wake_at; /* 0: none */
    int64_t created_at, updated_at;
};
struct xf_runs {
    size_t count;
    struct xf_run *rows;
    void *texts; /* theirs */
};
void xf_runs_free(struct xf_runs *runs);

/* Which runs; all zero means every run. */
struct xf_run_filter {
    unsigned states; /* a mask of XF_RUN_BITs; 0: any */
    const char *workflow; /* or NULL */
    int64_t campaign; /* 0: any, and none */
    int64_t since; /* created then or later; 0: any */
    int64_t after; /* only ids after this one */
    size_t limit; /* 0, or more than that: XF_JOURNAL_PAGE */
};
/* A page, oldest first. Free with xf_runs_free, also after -1. */
int xf_journal_list_runs(struct xf_journal *j, const struct xf_run_filter *filter, struct xf_runs *out,
                         struct xf_err *err);
/* Those that nobody works on and whose time has come, or that a process worked on
 * which may be gone (see xf_journal_run_owner); ids after `after`. Campaign 0: of
 * any, and none. Likewise. */
int xf_journal_due_runs(struct xf_journal *j, int64_t now, int64_t campaign, int64_t after, size_t limit,
                        struct xf_runs *out, struct xf_err *err);
/* 1 with the run as out->rows[0], 0, -1 with err. Free in every case. */
int xf_journal_find_run(struct xf_journal *j, int64_t id, struct xf_runs *out, struct xf_err *err);
/* The newest run of a row. Likewise. */
int xf_journal_find_row(struct xf_journal *j, int64_t campaign, const char *key, struct xf_runs *out,
                        struct xf_err *err);
/* A run of no campaign that has not ended and was asked for the same. Likewise. */
int xf_journal_find_same(struct xf_journal *j, const char *workflow, const char *company_code,
                         const char *args, struct xf_runs *out, struct xf_err *err);
/* Whether a restricted run of that script has not ended: 1, 0, or -1 with err. */
int xf_journal_is_restricted(struct xf_journal *j, const char *script, struct xf_err *err);
/* Whose a run is; XF_OWNER_GONE if nobody's. */
enum xf_owner xf_journal_run_owner(const struct xf_journal *j, const struct xf_run *run);

/* How many rows of a campaign are in each state, by their newest runs. 0, or -1 with err. */
int xf_journal_count_runs(struct xf_journal *j, int64_t campaign, int64_t counts[XF_RUN_STATES],
                          struct xf_err *err);

struct xf_run_steps {
    size_t count;
    struct xf_run_event *rows;
    void *texts; /* theirs */
};
struct xf_run_event {
    const char *name, *line, *state, *handle, *value;
    int64_t seq, token, began_at, ended_at; /* ended_at 0: not yet */
};
void xf_run_steps_free(struct xf_run_steps *steps);
/* A page, in order, those after number `after`. Free in every case. 0, or -1 with err. */
int xf_journal_list_steps(struct xf_journal *j, int64_t run, int64_t after, struct xf_run_steps *out,
                          struct xf_err *err);

#endif
