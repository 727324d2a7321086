/* What the receiver has done since it began, as numbers and as Prometheus text. */
#ifndef XF_TALLY_H
#define XF_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "journal_push.h"

/* What became of a push. */
enum xf_outcome {
    XF_OUTCOME_NEW,
    XF_OUTCOME_REPEATED,
    XF_OUTCOME_STALE,
    XF_OUTCOME_CONFLICT,
    XF_OUTCOME_OWN,
    XF_OUTCOME_NOT_LIST,
    XF_OUTCOME_NOT_JSON,
    XF_OUTCOME_UNAUTHORIZED, /* 401 */
    XF_OUTCOME_REFUSED, /* other 4xx */
    XF_OUTCOME_FULL, /* 503: too much under one transId */
    XF_OUTCOME_FAILED, /* 503: the journal */
    XF_OUTCOMES
};

enum { XF_TALLY_STEPS = 10, XF_TALLY_ORDERS = 512 };

struct xf_tally {
    uint64_t outcomes[XF_OUTCOMES];
    uint64_t commits[XF_TALLY_STEPS + 1]; /* by how long they took; the last: longer */
    double commit_seconds;
    uint64_t starts; /* of the worker */
    char orders[XF_TALLY_ORDERS]; /* as the worker told: "intent=0 sent=1 ..." */
};

/* "unauthorized"; NULL beyond the list. */
const char *xf_outcome_name(enum xf_outcome outcome);

/* One commit took so long. */
void xf_tally_commit(struct xf_tally *t, double seconds);
/* Takes the text if it is words of name=number, else leaves what was there. */
void xf_tally_orders(struct xf_tally *t, const char *text);

/* What is not the tally's. */
struct xf_gauges {
    struct xf_push_counts pushes;
    int64_t now;
    size_t requests; /* begun and not over */
    int64_t expires; /* the last second of the certificate; 0: no TLS */
};
/* Appends the text that GET /metrics gives. */
void xf_tally_write(const struct xf_tally *t, const struct xf_gauges *g, struct xf_bytes *out);

#endif
