#include "receiver.h"

#include <stdlib.h>
#include <string.h>

#include "admit.h"
#include "own_ids.h"
#include "push_header.h"
#include "receiver_inside.h"

enum {
    FRESHNESS_S = 300,
    KEPT_HEADERS = 32 * 1024, /* more than a request's may be */
    METRICS_MOST = 64 * 1024,
    REST_AFTER = 200, /* commits */
};

/* ---- making */

struct xf_receiver *xf_receiver_new(const struct xf_receiver_options *o, struct xf_signer *signer,
                                    struct xf_err *err)
{
    const struct xf_journal_options options = {
        .busy_ms = XF_RECEIVER_BUSY_MS, .cache_kib = XF_RECEIVER_CACHE_KIB, .eager = true};
    struct xf_receiver *r = calloc(1, sizeof *r);
    struct xf_err why;

    if (r == NULL) {
        (void)xf_fail(err, "out of memory for the receiver");
        return NULL;
    }
    r->o = *o;
    r->signer = signer;
    r->o.reports_path = o->reports_path != NULL ? o->reports_path : "/deviceReportData";
    r->o.responses_path = o->responses_path != NULL ? o->responses_path : "/deviceResponseData";
    r->o.freshness = o->freshness > 0 ? o->freshness : FRESHNESS_S;
    r->o.clock = o->clock != NULL ? o->clock : &xf_source_system;
    xf_bytes_init(&r->headers, KEPT_HEADERS);
    xf_bytes_init(&r->text, METRICS_MOST);
    if (strcmp(r->o.reports_path, r->o.responses_path) == 0) {
        (void)xf_fail(err,
                      "reports_path and responses_path are both %.100s: reports and responses need a "
                      "path each",
                      r->o.reports_path);
        goto fail;
    }
    if (r->o.freshness > XF_OWN_SECONDS / 2) {
        (void)xf_fail(err, "the freshness window is at most %d seconds", XF_OWN_SECONDS / 2);
        goto fail;
    }
    r->journal = xf_journal_open(o->journal, &options, err);
    if (r->journal == NULL)
        goto fail;
    r->own = xf_own_ids_new(o->journal, &why);
    if (r->own == NULL && !o->quiet)
        xf_logline("own_ids", "level=warning why=%s", xf_log_value((char[XF_LOG_VALUE]){0}, why.message));
    return r;
fail:
    xf_receiver_free(r);
    return NULL;
}

void xf_receiver_free(struct xf_receiver *r)
{
    if (r == NULL)
        return;
    xf_journal_close(r->journal);
    xf_own_ids_free(r->own);
    xf_bytes_free(&r->headers);
    xf_bytes_free(&r->text);
    free(r);
}

/* ---- before the body */

static bool is_path(const char *path, const char *wanted)
{
    return strcmp(path, wanted) == 0;
}

static bool is_ours(const struct xf_receiver *r, const char *path, enum xf_push_kind *kind)
{
    *kind = is_path(path, r->o.reports_path) ? XF_PUSH_REPORT : XF_PUSH_RESPONSE;
    return *kind == XF_PUSH_REPORT || is_path(path, r->o.responses_path);
}

static bool is_for_people(const char *path)
{
    return is_path(path, "/healthz") || is_path(path, "/metrics");
}

unsigned xf_receiver_screen(void *receiver, const struct xf_incoming *in)
{
    const struct xf_receiver *r = receiver;
    const char *method = xf_incoming_method(in), *path = xf_incoming_path(in);
    struct xf_push_header h;
    enum xf_push_kind kind;

    if (is_for_people(path))
        return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ? 0 : 405;
    if (!is_ours(r, path, &kind))
        return 404;
    if (strcmp(method, "POST") != 0)
        return 405;
    xf_push_header_read(in, &h);
    if (!h.measured)
        return 411;
    switch (xf_push_header_judge(&h, r->signer, r->o.company_code, r->o.offset)) {
    case XF_VERDICT_GOOD:
        return 0;
    case XF_VERDICT_TWICE:
        return 400;
    case XF_VERDICT_TRANS_ID:
    case XF_VERDICT_COMPANY:
    case XF_VERDICT_TOKEN:
    default:
        return 401;
    }
}

/* ---- taking */

static void answer_text(struct xf_receiver *r, struct xf_incoming *in, unsigned status, const char *type)
{
    const struct xf_answer a = {.status = status,
                                .type = type,
                                .body = r->text.data != NULL ? r->text.data : "",
                                .size = r->text.size};
    struct xf_err ignored;

    (void)xf_incoming_answer(in, &a, &ignored);
}

/* While it fails no push may come to show that it works again: a proxy sends them elsewhere. */
static bool works_again(struct xf_receiver *r)
{
    struct xf_err ignored;

    if (r->journal == NULL || xf_journal_begin(r->journal, &ignored) != 0)
        return false;
    xf_journal_rollback(r->journal);
    r->failing = xf_journal_tidy(r->journal, &ignored) != 0;
    return !r->failing;
}

static void answer_people(struct xf_receiver *r, const struct xf_listener *l, struct xf_incoming *in)
{
    struct xf_gauges g = {.now = r->o.clock->now(r->o.clock->payload),
                          .requests = xf_listener_requests(l),
                          .expires = xf_listener_expires(l)};
    struct xf_err ignored;
    bool fine;

    xf_bytes_reset(&r->text);
    if (is_path(xf_incoming_path(in), "/healthz")) {
        fine = !r->failing || works_again(r);
        xf_bytes_add_text(&r->text, fine ? "ok\n" : "the journal fails\n");
        answer_text(r, in, fine ? 200 : 503, "text/plain; charset=utf-8");
        return;
    }
    if (r->journal != NULL)
        (void)xf_journal_count_pushes(r->journal, &g.pushes, &ignored);
    xf_tally_write(&r->tally, &g, &r->text);
    answer_text(r, in, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void log_refusal(struct xf_receiver *r, int64_t now, unsigned status)
{
    unsigned lost;

    if (!r->o.quiet && xf_log_allowed(&r->quota, now, &lost))
        xf_logline("refused", "level=warning status=%u unlogged=%u", status, lost);
}

static void refuse(struct xf_receiver *r, struct xf_incoming *in, int64_t now, unsigned status)
{
    const struct xf_answer wrong_method = {
        .status = 405,
        .headers =
            (const char *const[]){"Allow", is_for_people(xf_incoming_path(in)) ? "GET, HEAD" : "POST", NULL}};
    struct xf_err ignored;

    r->tally.outcomes[status == 401 ? XF_OUTCOME_UNAUTHORIZED : XF_OUTCOME_REFUSED]++;
    log_refusal(r, now, status);
    if (status == 405)
        (void)xf_incoming_answer(in, &wrong_method, &ignored);
    else
        xf_incoming_finish(in, status, status == 400 || status == 411);
}

static bool is_list(const char *body, size_t size)
{
    while (size > 0 && (*body == ' ' || *body == '\t' || *body == '\n' || *body == '\r')) {
        body++;
        size--;
    }
    return size > 0 && *body == '[';
}

/* Why it is to be quarantined, as far as can be told without the journal. */
static const char *suspect(const struct xf_receiver *r, const struct xf_incoming *in, int64_t now,
                           int64_t second, uint32_t tail)
{
    size_t size;
    const char *body = xf_incoming_body(in, &size);

    if (xf_admit_json(body, size, SIZE_MAX, XF_ADMIT_DEPTH, NULL) != XF_ADMIT_OK)
        return XF_PUSH_NOT_JSON;
    if (r->own != NULL && tail != UINT32_MAX && xf_own_ids_hold(r->own, second, tail))
        return XF_PUSH_OWN;
    if (second < now - r->o.freshness || second > now + r->o.freshness)
        return XF_PUSH_STALE;
    return is_list(body, size) ? NULL : XF_PUSH_NOT_LIST;
}

/* Its headers were found good when they came. */
static void take_push(struct xf_receiver *r, struct xf_incoming *in, int64_t now)
{
    struct xf_item *item = &r->batch[r->count++];
    struct xf_push_header h;
    int64_t second = 0;
    uint32_t tail = UINT32_MAX;

    *item = (struct xf_item){.in = in};
    xf_push_header_read(in, &h);
    (void)xf_push_header_time(&h, r->o.offset, &second, &tail);
    memcpy(item->trans_id, h.trans_id, XF_TRANS_ID_LENGTH);
    (void)is_ours(r, xf_incoming_path(in), &item->kind);
    item->reason = suspect(r, in, now, second, tail);
    if (item->reason != NULL && strcmp(item->reason, XF_PUSH_NOT_JSON) == 0)
        item->kind = XF_PUSH_UNKNOWN;
}

size_t xf_receiver_turn(struct xf_receiver *r, struct xf_listener *listener)
{
    const int64_t now = r->o.clock->now(r->o.clock->payload);
    struct xf_incoming *in;
    size_t written = 0;

    while ((in = xf_listener_take(listener)) != NULL) {
        if (xf_incoming_screened(in) != 0)
            refuse(r, in, now, xf_incoming_screened(in));
        else if (is_for_people(xf_incoming_path(in)))
            answer_people(r, listener, in);
        else
            take_push(r, in, now);
        if (r->count == XF_RECEIVER_BATCH)
            written += xf_receiver_settle(r, now);
    }
    return written + xf_receiver_settle(r, now);
}

void xf_receiver_rest(struct xf_receiver *r)
{
    struct xf_err ignored;

    if (r->unrested < REST_AFTER || r->journal == NULL)
        return;
    r->unrested = 0;
    (void)xf_journal_tidy(r->journal, &ignored);
}

bool xf_receiver_healthy(const struct xf_receiver *r)
{
    return !r->failing;
}

void xf_receiver_tell_orders(struct xf_receiver *r, const char *text)
{
    xf_tally_orders(&r->tally, text);
}

void xf_receiver_tell_starts(struct xf_receiver *r, uint64_t starts)
{
    r->tally.starts = starts;
}
