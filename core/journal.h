/*
 * The journal: the file that makes money move exactly once. Operations, not
 * SQL; another database would be another implementation of this header.
 *
 * What every function keeps to:
 * - It returns 0 (or what it says), and -1 with a sentence in *err for a failure
 *   of the world: disk full, I/O error, another process in the way for too
 *   long. After -1 nothing of that operation is on disk.
 * - Expected refusals have results of their own (enum xf_placed, enum
 *   xf_advanced), and their sentence is in *err too.
 * - Texts passed in are borrowed for the call. What comes out is the caller's,
 *   freed by the function named there.
 * - Times are arguments: seconds since 1970 UTC.
 * - A handle belongs to one thread of the process that opened it; a forked child
 *   is refused and opens its own. Any number of processes and handles may use
 *   one journal.
 * - After an I/O error or damage a handle writes no more; open it again.
 *
 * When it is on disk: outside a batch, when the operation returns. In a batch,
 * when xf_journal_commit returns 0: one commit, one fsync for all of it.
 */
#ifndef XF_JOURNAL_H
#define XF_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "order_state.h"

enum {
    XF_BILL_MOST = 65535, /* the last bill number a meter has */
    XF_JOURNAL_PAGE = 256, /* rows of one listing, unless the caller asks for fewer */
    XF_FINGERPRINT_SIZE = 65, /* SHA-256 in hex, and a NUL */
    XF_JOURNAL_ID_SIZE = 33, /* 16 random bytes in hex, and a NUL */
    XF_JOURNAL_PATH_SIZE = 4096,
};

/* ---- opening */

struct xf_journal;

struct xf_journal_options {
    int busy_ms; /* how long to wait for another process's batch; 0: 10 s */
    int cache_kib; /* memory for pages of the file; 0: 16 MiB */
    bool eager; /* looks every 0.1 ms whether another's batch is over, and so is the next one in;
                          else more and more seldom, up to 0.1 s */
    bool read_only; /* for listings: nothing is made, migrated or written */
    bool *blank; /* or NULL; set if it was to be read only and nothing was ever written to it:
                    there is no handle then */
};

/* $XDG_DATA_HOME/xfiot/journal.db, else ~/.local/share/xfiot/journal.db. Returns 0, or -1 with err. */
int xf_journal_default_path(char out[XF_JOURNAL_PATH_SIZE], struct xf_err *err);

/* Whether there is a file for a journal: 1; 0: nothing is there yet; -1 with err:
 * one cannot tell, or it is no ordinary file. */
int xf_journal_probe(const char *path, struct xf_err *err);

/* Opens the journal, making it (0600) and its folder (0700) if missing, and
 * brings an older schema up to date. Refuses a newer schema, a file that is no
 * journal and one that cannot be written. `options` may be NULL. Free with
 * xf_journal_close. NULL with err. */
struct xf_journal *xf_journal_open(const char *path, const struct xf_journal_options *options,
                                   struct xf_err *err);
/* A batch still open is undone. NULL is fine. */
void xf_journal_close(struct xf_journal *j);

/* The file is not where, or not the one, that this journal was last known as: a
 * copy, a restored backup, or only renamed; or it stands where another was. No money
 * moves on it until every meter is reconciled; that is for the caller to see to. */
bool xf_journal_moved(const struct xf_journal *j);
/* How that shows, in a few words after "the journal cannot be used"; NULL: not moved. */
const char *xf_journal_why_moved(const struct xf_journal *j);
/* Makes the journal as it is now the one that counts, for all who open it from now
 * on, and writes down who said so and when. Not in a batch. Nothing happens to one
 * that has not moved. */
int xf_journal_accept_move(struct xf_journal *j, const char *by, int64_t at, struct xf_err *err);
/* The witness outside the journal's folder (journal_witness.c): its file; or -1, with
 * err, when there is none that stays when the folder is put back. */
int xf_journal_outside(struct xf_journal *j, char out[XF_JOURNAL_PATH_SIZE], struct xf_err *err);
/* Random, given when the journal was made or accepted; a copy has the same. */
const char *xf_journal_id(const struct xf_journal *j);
/* After an I/O error: true until it is closed and opened again. */
bool xf_journal_broken(const struct xf_journal *j);

/* Looks through the whole file and tries a write, which is undone. *space is what the
 * file system has left for it, bytes. Returns 0, or -1 with err; not in a batch. */
int xf_journal_check(struct xf_journal *j, int64_t *space, struct xf_err *err);

/* For idle moments: moves what was committed from the write-ahead log into the
 * file, so that no order has to wait for it. Returns 0, or -1 with err. */
int xf_journal_tidy(struct xf_journal *j, struct xf_err *err);

/* ---- batches */

/* Several operations as one commit, the write lock held from here on. Batches
 * do not nest. An operation that is refused or fails leaves the others as they
 * are, unless the disk took the whole batch back: then whatever follows, and
 * the commit, fails. */
int xf_journal_begin(struct xf_journal *j, struct xf_err *err);
/* The batch is over either way: 0 and all of it is durable, or -1 and none is. */
int xf_journal_commit(struct xf_journal *j, struct xf_err *err);
/* Does nothing without a batch. */
void xf_journal_rollback(struct xf_journal *j);
bool xf_journal_in_batch(const struct xf_journal *j);

/* ---- placing an order */

struct xf_intent {
    const char *order; /* the caller's id, unique for ever */
    const char *fingerprint; /* of what the caller asked for, see xf_journal_fingerprint */
    const char *company_code;
    const char *merchant_id; /* whose platform account it is for, or NULL: not known */
    const char *device_no;
    const char *device_id;
    const char *method; /* RECHARGE_REMOTE */
    const char *variant; /* the contract's id of the command, ACCOUNT_OPEN.meterPrepaid */
    int bill_no; /* 1 to XF_BILL_MOST; 0: the command has none */
    const char *amount; /* as text, or NULL */
    int64_t amount_thousandths; /* counts if there is an amount */
    const char *body; /* the frozen request, NUL-ended: what is sent later is these bytes */
    size_t body_size;
    int64_t expire_time; /* seconds the platform keeps the command, as in the body */
    const char *last_report; /* the last known report as JSON, to compare with later; or NULL */
    const char *by; /* who asked; NULL: xfiot */
    int64_t at;
};

enum xf_placed {
    XF_PLACED_FAILED = -1,
    XF_PLACED_NEW = 0, /* written as intent */
    XF_PLACED_SAME, /* the same id and content: the order that is there stands for it */
    XF_PLACED_CONFLICT, /* the id is taken by other content */
    XF_PLACED_BLOCKED, /* the meter has another open order, named in *blocking */
    XF_PLACED_BILL_REPEATED, /* the meter had an order with this bill number */
};

/* Lower-case hex SHA-256. Returns 0, or -1 with err. */
int xf_journal_fingerprint(struct xf_journal *j, const char *text, size_t size, char out[XF_FINGERPRINT_SIZE],
                           struct xf_err *err);

/* The next bill number of a meter. Only in a batch, so that nobody takes it
 * before the order that carries it is placed. Returns 1 to XF_BILL_MOST, 0 with
 * err when they are used up (the meter is held for a person), -1 with err. It is
 * taken by xf_journal_place, not here. */
int xf_journal_next_bill(struct xf_journal *j, const char *company_code, const char *device_no,
                         struct xf_err *err);
/* Numbers up to this one were used elsewhere; the mark only rises. */
int xf_journal_lift_bill(struct xf_journal *j, const char *company_code, const char *device_no, int bill_no,
                         struct xf_err *err);

/* Writes the intent, or says why not. *blocking (may be NULL) is the id of the
 * open order in the way, to be freed with free(); NULL otherwise. A bill number
 * of the caller's own lifts the meter's mark. */
enum xf_placed xf_journal_place(struct xf_journal *j, const struct xf_intent *intent, char **blocking,
                                struct xf_err *err);

/* ---- moving an order on */

struct xf_step {
    const char *order;
    enum xf_order_state to;
    int64_t at;
    const char *by; /* NULL: xfiot */
    const char *evidence; /* JSON or text, no secrets; or NULL */
    const char *command_id; /* required by accepted; comes with it and never changes afterwards */
    int code; /* the platform's, 0: none; required by rejected */
    int64_t deadline; /* required by sent: when the call has surely ended; 0: as it was */
    const char *proposal; /* what a person is asked to confirm; "" takes it back; NULL: as it
                               was. A transition takes it back. */
};

enum xf_advanced {
    XF_ADVANCED_FAILED = -1,
    XF_ADVANCED = 0,
    XF_ADVANCED_REFUSED, /* not from the state it is in (see *now) */
    XF_ADVANCED_ABSENT, /* no such order */
    XF_ADVANCED_COMMAND_TAKEN, /* the commandId is another order's, or this one has another */
    XF_ADVANCED_INCOMPLETE, /* sent without deadline, accepted without commandId, rejected without code */
};

/* One transition, with its line in the history. The state from which it starts
 * is the one on disk now, whatever the caller last saw; repeating a transition
 * is refused. *now (may be NULL) is where the order stands afterwards. Going to
 * sent makes this handle its owner. */
enum xf_advanced xf_journal_advance(struct xf_journal *j, const struct xf_step *step,
                                    enum xf_order_state *now, struct xf_err *err);
/* A `sent` order that was surely not let go goes out again: a line in the history
 * with the new deadline; step->to is not looked at. Refused unless it is still `sent`
 * and this handle's. */
enum xf_advanced xf_journal_send_again(struct xf_journal *j, const struct xf_step *step, struct xf_err *err);
/* A line in the history without a transition (an answer, a push, a proposal);
 * also on closed orders. step->to is not looked at. */
enum xf_advanced xf_journal_note(struct xf_journal *j, const struct xf_step *step, enum xf_order_state *now,
                                 struct xf_err *err);

/* Whose a `sent` order is, as far as this machine can tell. */
enum xf_owner {
    XF_OWNER_SELF, /* this handle's */
    XF_OWNER_NEAR, /* another handle of this process */
    XF_OWNER_ALIVE, /* another process, which lives */
    XF_OWNER_GONE, /* a process that has ended, or a boot ago */
    XF_OWNER_UNSEEN, /* in a container whose processes cannot be seen from here */
};

/* Makes `sent` orders `unknown` when nobody can still get their answer: the
 * owner's process is gone; or it is this one or cannot be seen, and the deadline
 * has passed. Never while another process that owns them lives. Call it outside
 * a batch (several commits). Returns how many became unknown, or -1 with err. */
int64_t xf_journal_recover(struct xf_journal *j, int64_t now, struct xf_err *err);

/* ---- reading orders */

/* Texts are NULL where there is none; all live as long as the list. */
struct xf_order {
    const char *order, *fingerprint;
    const char *company_code, *merchant_id, *device_no, *device_id, *method, *variant;
    const char *amount, *body, *last_report;
    const char *command_id, *proposal, *owner, *by;
    size_t body_size;
    int64_t row; /* rises with every order placed; for xf_order_filter.after */
    enum xf_order_state state;
    int bill_no; /* 0: none */
    int code; /* 0: none */
    int64_t amount_thousandths; /* counts if there is an amount */
    int64_t expire_time;
    int64_t deadline; /* 0: none */
    int64_t created_at, updated_at;
};

struct xf_orders {
    size_t count;
    struct xf_order *rows;
    void *texts; /* theirs */
};
void xf_orders_free(struct xf_orders *orders);

/* Which orders; all zero means every order. */
struct xf_order_filter {
    unsigned states; /* a mask of XF_ORDER_BITs; 0: any */
    const char *device_no; /* or NULL */
    int64_t since; /* created then or later; 0: any */
    int64_t after; /* only rows after this one: the last row of the page before */
    size_t limit; /* 0, or more than that: XF_JOURNAL_PAGE */
};
/* A page, oldest first. A page shorter than the limit is the last. Free with xf_orders_free, also after -1. */
int xf_journal_list_orders(struct xf_journal *j, const struct xf_order_filter *filter, struct xf_orders *out,
                           struct xf_err *err);

/* How many of `many` orders in a row, those after row `after`, are in each state. A
 * stretch without open ones stays as it is: it need not be counted again. */
struct xf_order_counts {
    int64_t in[XF_ORDER_STATES];
    int64_t rows; /* of all states; fewer than `many`: there were no more */
    int64_t open;
    int64_t last; /* the row of the last one; `after` if there was none */
};
/* Returns 0, or -1 with err. */
int xf_journal_count_orders(struct xf_journal *j, int64_t after, size_t many, struct xf_order_counts *out,
                            struct xf_err *err);

/* How to look for one order: exactly one of these. */
enum xf_order_key {
    XF_ORDER_BY_ID,
    XF_ORDER_BY_COMMAND, /* commandId */
    XF_ORDER_OPEN_OF_DEVICE, /* deviceNo: the open order of the meter */
    XF_ORDER_BY_BILL, /* deviceId and bill number, as a response push names it: the order that
                                has no answer yet (sent, unknown) */
};
/* Returns 1 with the order as out->rows[0], 0 if there is none, -1 with err.
 * Free with xf_orders_free in every case. bill_no counts for XF_ORDER_BY_BILL. */
int xf_journal_find_order(struct xf_journal *j, enum xf_order_key key, const char *value, int bill_no,
                          struct xf_orders *out, struct xf_err *err);

/* Of any order that was listed or found; for an intent, who placed it. */
enum xf_owner xf_journal_owner(const struct xf_journal *j, const struct xf_order *order);

/* One line of an order's history. */
struct xf_order_event {
    int64_t at;
    int seq; /* from 1 */
    const char *from, *to; /* states; from is NULL on the first line, equal to `to` on a note */
    const char *by, *evidence, *command_id, *proposal; /* NULL where there is none */
    int code; /* 0: none */
};
struct xf_history {
    size_t count;
    struct xf_order_event *rows;
    void *texts; /* theirs */
};
void xf_history_free(struct xf_history *history);
/* A page of the history, oldest first, lines after number `after`. An order that
 * does not exist has no lines. Free with xf_history_free in every case. */
int xf_journal_list_history(struct xf_journal *j, const char *order, int after, struct xf_history *out,
                            struct xf_err *err);

/* ---- meters */

/* What is known of a meter. When remembering, NULL leaves a member as it is. */
struct xf_device {
    const char *company_code, *device_no; /* who it is; both required */
    const char *device_id;
    const char *charge_type;
    /* the latest, JSON, and its receiveTime, 14 digits; an older one than the known one is
     * left out when remembering; told is a pushed one (journal_sighting.h) if it is newer
     * and tells what was bought */
    const char *report, *report_time;
    int bill_mark; /* highest bill number used, 0: none; told, not remembered: see place and lift_bill */
    int64_t updated_at;
};
int xf_journal_remember_device(struct xf_journal *j, const struct xf_device *device, struct xf_err *err);

struct xf_devices {
    size_t count;
    struct xf_device *rows;
    void *texts; /* theirs */
};
void xf_devices_free(struct xf_devices *devices);
/* By its number and company. 1 with out->rows[0], 0, or -1 with err. Free in every case. */
int xf_journal_recall_device(struct xf_journal *j, const char *company_code, const char *device_no,
                             struct xf_devices *out, struct xf_err *err);
/* By its platform id, as pushes name it. Likewise. */
int xf_journal_recall_device_id(struct xf_journal *j, const char *device_id, struct xf_devices *out,
                                struct xf_err *err);

#endif
