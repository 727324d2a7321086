/*
 * Receives pushes: what a listener has taken in is verified, admitted to the
 * journal and answered. All pushes that came in one turn of the loop share one
 * commit, and none is answered 200 before that commit is on disk.
 *
 * Answers: 200 admitted, be it new, repeated or quarantined (stale, conflict,
 * own_trans_id, not_a_list); 400 body not JSON (kept while there is room), or
 * duplicate signing headers (and the connection closes); 401 token wrong or
 * missing, transId malformed, company not ours: nothing is stored; 404, 405; 503
 * the journal failed, or too many bodies under one transId: nothing was acknowledged.
 */
#ifndef XF_RECEIVER_H
#define XF_RECEIVER_H

#include "journal.h"
#include "listener.h"
#include "sign.h"

struct xf_receiver_options {
    const char *journal; /* path */
    const char *company_code; /* pushes for others are refused */
    const char *reports_path; /* NULL: /deviceReportData */
    const char *responses_path; /* NULL: /deviceResponseData */
    int64_t freshness; /* seconds that a transId may be off, both ways; 0: 300 */
    int offset; /* seconds east of UTC of the times in transIds */
    const struct xf_source *clock; /* NULL: the system's */
    bool quiet; /* no lines on stderr, for tests */
};

struct xf_receiver;

/* Borrows the signer and all texts until it is freed; the journal is opened here,
 * and again, once a second at most, when it fails. NULL with err. */
struct xf_receiver *xf_receiver_new(const struct xf_receiver_options *o, struct xf_signer *signer,
                                    struct xf_err *err);
void xf_receiver_free(struct xf_receiver *r);

/* What the listener is to ask (listener.h) when a request's headers are there:
 * the payload is the receiver. */
unsigned xf_receiver_screen(void *receiver, const struct xf_incoming *in);

/* Takes all whole requests of the listener that wait, and answers them. Returns how
 * many pushes were written, which is when the worker is to be woken. */
size_t xf_receiver_turn(struct xf_receiver *r, struct xf_listener *listener);
/* For a moment without requests: moves what was written to where the journal keeps
 * it, if there is enough of it. */
void xf_receiver_rest(struct xf_receiver *r);
/* Whether the last commit went well. */
bool xf_receiver_healthy(const struct xf_receiver *r);

/* What the worker tells, for /metrics: "intent=0 sent=1 ..."; kept until the
 * next. What is no such text is not shown. */
void xf_receiver_tell_orders(struct xf_receiver *r, const char *text);
/* For /metrics: how often the worker was started. */
void xf_receiver_tell_starts(struct xf_receiver *r, uint64_t starts);

#endif
