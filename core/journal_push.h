/*
 * Pushes in the journal: what the receiver has acknowledged, and how far the
 * worker is with it. A push is one row, written once in the receiver's batch;
 * its bytes, headers and arrival never change afterwards (the schema refuses),
 * only where it stands. It obeys journal.h's conventions; every writing
 * operation joins the batch that is open, or is a commit of its own.
 *
 * What there is to do is told by next_at alone: a push that has one waits for the
 * worker from then on. A new push has it, and so has one just quarantined, whose
 * handler is told of it once.
 *
 *   new -> done | failed | quarantined | new (again, later)
 *   done, failed, quarantined -> new by replay; all but done -> done by discard
 *   done -> taken out, when it is old and nothing open rests on it
 */
#ifndef XF_JOURNAL_PUSH_H
#define XF_JOURNAL_PUSH_H

#include "journal.h"

enum xf_push_kind { XF_PUSH_REPORT, XF_PUSH_RESPONSE, XF_PUSH_UNKNOWN, XF_PUSH_KINDS };
enum xf_push_state { XF_PUSH_NEW, XF_PUSH_DONE, XF_PUSH_FAILED, XF_PUSH_QUARANTINED, XF_PUSH_STATES };
#define XF_PUSH_BIT(state) (1u << (unsigned)(state))

/* report, response, unknown; new, done, failed, quarantined. NULL beyond them. */
const char *xf_push_kind_name(enum xf_push_kind kind);
const char *xf_push_state_name(enum xf_push_state state);
/* False if there is no such name; then *out stays. */
bool xf_push_kind_find(const char *name, enum xf_push_kind *out);
bool xf_push_state_find(const char *name, enum xf_push_state *out);

/* Reasons of quarantine that are known here; others may be given by the worker. */
#define XF_PUSH_NOT_JSON "not_json" /* refused with 400: never acknowledged, kept while there is room */
#define XF_PUSH_NOT_LIST "not_a_list" /* JSON, but no list of messages */
#define XF_PUSH_STALE    "stale" /* its transId is outside the freshness window */
#define XF_PUSH_OWN      "own_trans_id" /* its transId is one that this utility has sent out */
#define XF_PUSH_CONFLICT "conflict" /* its transId has come with another body or kind before */

enum {
    /* Bodies that are not JSON: the oldest go when there are more. */
    XF_PUSH_NOT_JSON_ROWS = 1000,
    XF_PUSH_NOT_JSON_BYTES = 16 * 1024 * 1024,
    /* Different bodies under one transId: an overheard header signs any number of them. */
    XF_PUSH_SAME_ID_ROWS = 1000,
    XF_PUSH_SAME_ID_BYTES = 64 * 1024 * 1024,
};

/* ---- admission, by the receiver */

/* A push whose token was right. */
struct xf_arrival {
    enum xf_push_kind kind;
    const char *trans_id;
    const char *headers; /* "Name: value" lines, without those that hold a token */
    const char *body; /* as it came */
    size_t body_size;
    const char *reason; /* why it is quarantined, or NULL */
    int64_t at;
};

enum xf_admitted {
    XF_ADMITTED_FAILED = -1,
    XF_ADMITTED_NEW = 0,
    XF_ADMITTED_QUARANTINED, /* for a->reason, or because of a conflict */
    XF_ADMITTED_REPEATED, /* the same body and kind have come under this transId: nothing was written */
    XF_ADMITTED_FULL, /* too much has come under this transId: nothing was written */
};

/* Writes a push. Bodies that were no JSON do not make their transId a used one:
 * they were refused, and what the platform meant may still come. *id (may be
 * NULL) is the row, also of the one that is repeated. */
enum xf_admitted xf_journal_admit_push(struct xf_journal *j, const struct xf_arrival *a, int64_t *id,
                                       struct xf_err *err);

/* ---- work, by the worker; each returns 1, 0 if there is no such push or it does
 * not stand where this can be done, -1 with err */

/* Counts an attempt before it is made; if nothing more is heard, because the
 * attempt took the process with it, the push is due again at `again_at`. Only
 * with next_at. */
int xf_journal_begin_push(struct xf_journal *j, int64_t id, int64_t again_at, struct xf_err *err);

/* How an attempt ended. */
struct xf_push_step {
    int64_t id;
    enum xf_push_state to; /* new: to be tried again at next_at */
    int64_t at;
    int64_t next_at; /* counts for new, and for quarantined whose handler is still to be told; else 0 */
    const char *reason; /* NULL: none; on quarantined: as it was */
    const char *traceback; /* NULL: none */
    const char *note; /* what was unusual (unknown fields), NULL: as it was */
    const char *device_ids; /* JSON list of texts; NULL: as it was. The push is found by them. */
};
/* Only for a push with next_at. */
int xf_journal_finish_push(struct xf_journal *j, const struct xf_push_step *step, struct xf_err *err);

/* ---- decisions, by a person; results as above. Each leaves a line in the push's history. */

/* It is new again, with no attempt made, whatever it was. */
int xf_journal_replay_push(struct xf_journal *j, int64_t id, const char *by, int64_t at, struct xf_err *err);
/* It is done without having had an effect. Not for one that is done. */
int xf_journal_discard_push(struct xf_journal *j, int64_t id, const char *by, int64_t at, struct xf_err *err);

/* ---- clearing */

enum {
    XF_PUSH_KEEP_LEAST = 86400, /* seconds: longer than a transId may be fresh */
    XF_PUSH_CLEARED_MOST = 128, /* looked at in one go */
};

struct xf_clearing {
    int64_t now;
    int64_t keep; /* seconds that what is done is kept; at least XF_PUSH_KEEP_LEAST */
    int64_t after; /* only ids after this one: `last` of the go before */
};
struct xf_cleared {
    int64_t count; /* taken out */
    int64_t last;
    bool over; /* what follows is not old */
};
/* Takes out, of the next few pushes, those that came and were done so long ago. Stays:
 * the last push of all, and what is not done; each push of a meter with an open order,
 * or with a reading in its ledger that waits for a person. What persons have decided
 * about it stays as well. The pages are used again. One commit. Returns 0, or -1 with err. */
int xf_journal_clear_pushes(struct xf_journal *j, const struct xf_clearing *c, struct xf_cleared *out,
                            struct xf_err *err);

/* ---- reading */

/* Texts are NULL where there is none; all live as long as the list. */
struct xf_push_row {
    const char *trans_id, *reason, *traceback, *note, *device_ids;
    const char *headers, *body; /* only of a push that was found; a listing has none */
    size_t body_size; /* also in listings */
    int64_t id; /* rises with every push admitted */
    enum xf_push_kind kind;
    enum xf_push_state state;
    int64_t received_at;
    int64_t attempts;
    int64_t next_at, done_at; /* 0: none */
};

struct xf_pushes {
    size_t count;
    struct xf_push_row *rows;
    void *texts; /* theirs */
};
void xf_pushes_free(struct xf_pushes *pushes);

/* Which pushes; all zero means every push. */
struct xf_push_filter {
    unsigned states; /* a mask of XF_PUSH_BITs; 0: any */
    const char *device_id; /* or NULL */
    const char *trans_id; /* or NULL; not together with device_id */
    int64_t since; /* received then or later; 0: any */
    int64_t after; /* only ids after this one: the last of the page before */
    size_t limit; /* 0, or more than that: XF_JOURNAL_PAGE */
};
/* A page, oldest first, without bodies. A page shorter than the limit is the
 * last. Free with xf_pushes_free, also after -1. */
int xf_journal_list_pushes(struct xf_journal *j, const struct xf_push_filter *filter, struct xf_pushes *out,
                           struct xf_err *err);
/* Those that there is something to do for now: whose next_at has come, the
 * earliest first, without bodies. Likewise. */
int xf_journal_due_pushes(struct xf_journal *j, int64_t now, size_t limit, struct xf_pushes *out,
                          struct xf_err *err);
/* The page that follows the push with next_at `after_at` and id `after_id`; only what was
 * tried so often at least. */
int xf_journal_due_pushes_after(struct xf_journal *j, int64_t now, int64_t after_at, int64_t after_id,
                                int64_t attempts, size_t limit, struct xf_pushes *out, struct xf_err *err);
/* Returns 1 with the push and its body as out->rows[0], 0 if there is none, -1
 * with err. Free with xf_pushes_free in every case. */
int xf_journal_find_push(struct xf_journal *j, int64_t id, struct xf_pushes *out, struct xf_err *err);

enum { XF_PUSH_COUNTED = 10000 };
struct xf_push_counts {
    int64_t waiting; /* new ones; of those with next_at, the XF_PUSH_COUNTED that are due first */
    int64_t oldest; /* received_at of the oldest of these; 0: none waits */
    int64_t next; /* the earliest next_at of all; 0: nothing is to be done, ever */
};
/* Returns 0, or -1 with err. */
int xf_journal_count_pushes(struct xf_journal *j, struct xf_push_counts *out, struct xf_err *err);

/* A line in the history of a push: what a person has decided. */
struct xf_push_event {
    const char *what; /* replayed, discarded */
    const char *by, *from; /* who, and the state it was in */
    const char *reason; /* what it had then, or NULL */
    int64_t at;
};
struct xf_push_history {
    size_t count;
    struct xf_push_event *rows;
    void *texts; /* theirs */
};
void xf_push_history_free(struct xf_push_history *history);
/* The oldest XF_JOURNAL_PAGE lines, oldest first. Free in every case. Returns 0, or -1 with err. */
int xf_journal_list_push_history(struct xf_journal *j, int64_t id, struct xf_push_history *out,
                                 struct xf_err *err);

#endif
