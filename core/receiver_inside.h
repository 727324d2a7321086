/* What receiver.c and receiver_batch.c share. Not for others. */
#ifndef XF_RECEIVER_INSIDE_H
#define XF_RECEIVER_INSIDE_H

#include "bytes.h"
#include "journal_push.h"
#include "logline.h"
#include "receiver.h"
#include "tally.h"

enum {
    XF_RECEIVER_BATCH = 512, /* pushes that share one commit, at most */
    XF_RECEIVER_BUSY_MS = 5000, /* how long the journal may be another's before pushes are answered 503 */
    XF_RECEIVER_CACHE_KIB = 4096, /* of the journal: pushes are written at its end, hardly read */
};

/* One push of the turn, from its being taken to its answer. */
struct xf_item {
    struct xf_incoming *in;
    enum xf_push_kind kind;
    const char *reason;
    enum xf_outcome outcome;
    char trans_id[XF_TRANS_ID_LENGTH + 1];
};

struct xf_own_ids;

struct xf_receiver {
    struct xf_receiver_options o;
    struct xf_signer *signer;
    struct xf_own_ids *own; /* NULL: it could not be had, and no transId is known as ours */
    struct xf_journal *journal; /* NULL: it could not be opened again */
    double opened_at; /* xf_loop_clock */
    bool failing; /* the last commit did not go well */
    unsigned unrested; /* commits since the last rest */
    struct xf_tally tally;
    struct xf_log_quota quota;
    struct xf_bytes headers; /* scratch of one push */
    struct xf_bytes text; /* scratch of one answer */
    size_t count;
    struct xf_item batch[XF_RECEIVER_BATCH];
};

/* Commits the batch and answers it. Returns how many pushes were written. */
size_t xf_receiver_settle(struct xf_receiver *r, int64_t now);

#endif
