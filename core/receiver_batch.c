/* The pushes of one turn: one commit, then their answers. */
#include <string.h>
#include <unistd.h>

#include "logline.h"
#include "loop.h"
#include "push_header.h"
#include "receiver_inside.h"

#define REOPEN_AFTER 1.0 /* s */

/* ---- committing */

static enum xf_outcome outcome_of(const struct xf_item *item, enum xf_admitted admitted)
{
    static const enum xf_outcome reasons[] = {XF_OUTCOME_STALE, XF_OUTCOME_OWN, XF_OUTCOME_NOT_LIST};

    if (item->kind == XF_PUSH_UNKNOWN)
        return XF_OUTCOME_NOT_JSON; /* wrong whether it is kept or not */
    switch (admitted) {
    case XF_ADMITTED_NEW:
        return XF_OUTCOME_NEW;
    case XF_ADMITTED_REPEATED:
        return XF_OUTCOME_REPEATED;
    case XF_ADMITTED_FULL:
        return XF_OUTCOME_FULL;
    case XF_ADMITTED_FAILED:
        return XF_OUTCOME_FAILED;
    case XF_ADMITTED_QUARANTINED:
    default:
        break;
    }
    for (size_t i = 0; item->reason != NULL && i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(item->reason, xf_outcome_name(reasons[i])) == 0)
            return reasons[i];
    return XF_OUTCOME_CONFLICT;
}

static enum xf_outcome admit(struct xf_receiver *r, const struct xf_item *item, int64_t now,
                             struct xf_err *err)
{
    struct xf_arrival a = {.kind = item->kind, .trans_id = item->trans_id, .reason = item->reason, .at = now};

    xf_bytes_reset(&r->headers);
    xf_push_header_keep(item->in, &r->headers);
    a.headers = r->headers.data;
    a.body = xf_incoming_body(item->in, &a.body_size);
    return outcome_of(item, xf_journal_admit_push(r->journal, &a, NULL, err));
}

/* After an error of the disk, or when another file has taken its place, the handle
 * is of no more use. A journal that has gone is not made anew: its orders are missed. */
static int see_to_journal(struct xf_receiver *r, struct xf_err *err)
{
    const struct xf_journal_options options = {
        .busy_ms = XF_RECEIVER_BUSY_MS, .cache_kib = XF_RECEIVER_CACHE_KIB, .eager = true};

    if (r->journal != NULL && !r->failing)
        return 0;
    if (r->opened_at + REOPEN_AFTER > xf_loop_clock())
        return r->journal != NULL ? 0 : xf_fail(err, "the journal cannot be opened");
    if (access(r->o.journal, F_OK) != 0)
        return xf_fail(err, "the journal has gone (%.160s)", r->o.journal);
    r->opened_at = xf_loop_clock();
    xf_journal_close(r->journal);
    r->journal = xf_journal_open(r->o.journal, &options, err);
    return r->journal != NULL ? 0 : -1;
}

static int write_batch(struct xf_receiver *r, int64_t now, struct xf_err *err)
{
    const double start = xf_loop_clock();

    if (see_to_journal(r, err) != 0 || xf_journal_begin(r->journal, err) != 0)
        return -1;
    for (size_t i = 0; i < r->count; i++)
        r->batch[i].outcome = admit(r, &r->batch[i], now, err);
    if (xf_journal_commit(r->journal, err) != 0)
        return -1;
    xf_tally_commit(&r->tally, xf_loop_clock() - start);
    r->unrested++;
    return 0;
}

/* ---- answering */

static unsigned status_of(enum xf_outcome outcome)
{
    switch (outcome) {
    case XF_OUTCOME_NEW:
    case XF_OUTCOME_REPEATED:
    case XF_OUTCOME_STALE:
    case XF_OUTCOME_CONFLICT:
    case XF_OUTCOME_OWN:
    case XF_OUTCOME_NOT_LIST:
        return 200;
    case XF_OUTCOME_NOT_JSON:
        return 400;
    case XF_OUTCOME_FULL:
    case XF_OUTCOME_FAILED:
    case XF_OUTCOME_UNAUTHORIZED:
    case XF_OUTCOME_REFUSED:
    case XF_OUTCOMES:
    default:
        return 503;
    }
}

static void log_outcome(struct xf_receiver *r, const struct xf_item *item, int64_t now)
{
    unsigned lost;

    if (item->outcome <= XF_OUTCOME_REPEATED || r->o.quiet || !xf_log_allowed(&r->quota, now, &lost))
        return;
    xf_logline("push", "level=warning outcome=%s trans_id=%s unlogged=%u", xf_outcome_name(item->outcome),
               item->trans_id, lost);
}

/* Returns how many were written. */
static size_t answer_batch(struct xf_receiver *r, int64_t now)
{
    size_t written = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct xf_item *item = &r->batch[i];

        r->tally.outcomes[item->outcome]++;
        written += !r->failing && item->outcome != XF_OUTCOME_REPEATED && status_of(item->outcome) != 503;
        log_outcome(r, item, now);
        xf_incoming_finish(item->in, status_of(item->outcome), false);
    }
    r->count = 0;
    return written;
}

size_t xf_receiver_settle(struct xf_receiver *r, int64_t now)
{
    struct xf_err err = {""};
    char why[XF_LOG_VALUE];
    bool failed;

    if (r->count == 0)
        return 0;
    failed = write_batch(r, now, &err) != 0;
    for (size_t i = 0; failed && i < r->count; i++) {
        struct xf_item *item = &r->batch[i];

        item->outcome = item->kind == XF_PUSH_UNKNOWN ? XF_OUTCOME_NOT_JSON : XF_OUTCOME_FAILED;
    }
    if (failed && !r->failing && !r->o.quiet)
        xf_logline("journal", "level=error why=%s", xf_log_value(why, err.message));
    if (!failed && r->failing && !r->o.quiet)
        xf_logline("journal", "level=info why=\"it works again\"");
    r->failing = failed;
    return answer_batch(r, now);
}
