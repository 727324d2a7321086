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

/* Our own transIds, see own_ids.h; or NULL. */
struct xf_own_ids;

struct xf_receiver_options {
    const char *company_code; /* pushes for others are refused */
    const char *reports_path; /* NULL: /deviceReportData */
    const char *responses_path; /* NULL: /deviceResponseData */
    int64_t freshness; /* seconds that a transId may be off, both ways; 0: 300 */
    int offset; /* seconds east of UTC of the times in transIds */
    const struct xf_source *clock; /* NULL: the system's */
};

struct xf_receiver;

/* Borrows all it is given, texts of the options too, until it is freed. NULL with err. */
struct xf_receiver *xf_receiver_new(const struct xf_receiver_options *o, struct xf_listener *listener,
                                    struct xf_journal *journal, struct xf_signer *signer,
                                    struct xf_own_ids *own, struct xf_err *err);
void xf_receiver_free(struct xf_receiver *r);

/* Takes all whole requests that wait, and answers them. Returns how many pushes
 * were newly written, which is when the worker is to be woken. */
size_t xf_receiver_turn(struct xf_receiver *r);

/* What the worker tells, for /metrics: "intent=0 sent=1 ..."; kept until the
 * next. What is no such text is not shown. */
void xf_receiver_tell_orders(struct xf_receiver *r, const char *text);
/* For /metrics: how often the worker was started. */
void xf_receiver_tell_starts(struct xf_receiver *r, uint64_t starts);

#endif
