#include "transfer.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "transport.h"

/* Deadlines in the queue are looked at no more often than this, so that a long
 * queue of expiring calls is not walked at every step. */
static const double QUEUE_WALK_S = 0.02;

struct xf_transfers {
    CURLM *multi;
    struct xf_link queue, done;
    int running, queued;
    double walk; /* when the queue must be walked for passed deadlines */
    struct xf_keeper *keeper;
};

struct xf_transfers *xf_transfers_new(CURLM *multi)
{
    struct xf_transfers *all = calloc(1, sizeof *all);

    if (all == NULL)
        return NULL;
    all->keeper = xf_keeper_new();
    if (all->keeper == NULL) {
        free(all);
        return NULL;
    }
    all->multi = multi;
    all->walk = HUGE_VAL;
    xf_link_init(&all->queue);
    xf_link_init(&all->done);
    return all;
}

void xf_transfers_free(struct xf_transfers *all)
{
    if (all == NULL)
        return;
    xf_keeper_free(all->keeper);
    free(all);
}

struct xf_keeper *xf_transfers_keeper(const struct xf_transfers *all)
{
    return all->keeper;
}

static struct xf_transfer *take_spare(struct xf_transport *t)
{
    struct xf_transfer *x = t->spare;

    if (x == NULL)
        return calloc(1, sizeof *x);
    t->spare = x->next;
    t->spare_idle--;
    return x;
}

static void give_spare(struct xf_transport *t, struct xf_transfer *x)
{
    if (t->spare_idle >= XF_TRANSFERS_MOST || x->room > XF_TEXT_KEPT) {
        free(x->text);
        free(x);
        return;
    }
    x->next = t->spare;
    t->spare = x;
    t->spare_idle++;
}

struct xf_transfer *xf_transfer_start(struct xf_transport *t, const struct xf_request *r, struct xf_err *err)
{
    struct xf_transfers *all = xf_loop_transfers(t->loop);
    struct xf_transfer *x = take_spare(t);

    if (x == NULL) {
        xf_fail(err, "no memory for a request");
        return NULL;
    }
    if (xf_transfer_write(x, t, r, err) != 0) {
        give_spare(t, x);
        return NULL;
    }
    x->transport = t;
    x->handle = NULL;
    x->stage = XF_QUEUED;
    x->once = r->once;
    x->keep = r->keep;
    x->no_repeat = r->once || r->no_repeat;
    x->release = r->release;
    x->payload = r->payload;
    x->started = xf_loop_clock();
    x->due = x->started + 1e-3 * (double)(r->timeout_ms > 0 ? r->timeout_ms : t->timeout_ms);
    x->reply = (struct xf_reply){.why = "", .type = "", .date = "", .body = "", .address = ""};
    xf_link_before(&all->queue, &x->turn);
    xf_link_before(&t->transfers, &x->mine);
    all->queued++;
    if (x->due < all->walk)
        all->walk = x->due;
    return x;
}

/* ---- From the queue to curl */

static void end(struct xf_transfers *all, struct xf_transfer *x, CURLcode code, const char *why)
{
    x->stage = XF_DONE;
    x->reply.curl = (int)code;
    x->reply.why = why;
    xf_link_before(&all->done, &x->turn);
}

static void leave_queue(struct xf_transfers *all, struct xf_transfer *x)
{
    xf_link_cut(&x->turn);
    all->queued--;
}

static void walk_queue(struct xf_transfers *all, double now)
{
    double next = HUGE_VAL;
    struct xf_link *l, *following;

    for (l = all->queue.next; l != &all->queue; l = following) {
        struct xf_transfer *x = XF_LINKED(l, struct xf_transfer, turn);

        following = l->next;
        if (x->due <= now) {
            leave_queue(all, x);
            end(all, x, CURLE_OPERATION_TIMEDOUT, "Timed out before its turn came");
            x->reply.total_s = now - x->started;
        } else if (x->due < next) {
            next = x->due;
        }
    }
    all->walk = next < now + QUEUE_WALK_S ? now + QUEUE_WALK_S : next;
}

static void launch(struct xf_transfers *all, struct xf_transfer *x, double now)
{
    bool fresh = x->once && all->running == 0 && all->queued == 1;
    double left_ms = ceil((x->due - now) * 1e3);
    struct xf_handle *h = xf_transport_take_handle(x->transport);
    CURLcode code = CURLE_OUT_OF_MEMORY;

    leave_queue(all, x);
    if (h != NULL)
        code = xf_handle_aim(h, x, left_ms > 1 ? (long)left_ms : 1, fresh);
    if (code == CURLE_OK && curl_multi_add_handle(all->multi, h->easy) != CURLM_OK)
        code = CURLE_FAILED_INIT;
    if (code != CURLE_OK) {
        if (h != NULL)
            xf_handle_free(h);
        end(all, x, code, curl_easy_strerror(code));
        return;
    }
    x->handle = h;
    x->stage = XF_RUNNING;
    all->running++;
}

int xf_transfers_launch(struct xf_transfers *all)
{
    int before = all->running;
    double now;

    if (all->queued == 0)
        return 0;
    now = xf_loop_clock();
    if (now >= all->walk)
        walk_queue(all, now);
    while (all->queued > 0 && all->running < XF_TRANSFERS_MOST)
        launch(all, XF_LINKED(all->queue.next, struct xf_transfer, turn), now);
    if (all->queued == 0)
        all->walk = HUGE_VAL;
    return all->running - before;
}

int xf_transfers_timeout(const struct xf_transfers *all)
{
    double ms;

    if (!xf_link_alone(&all->done))
        return 0;
    if (all->queued == 0)
        return -1;
    ms = ceil((all->walk - xf_loop_clock()) * 1e3);
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* ---- From curl to the done list */

static double phase(CURL *easy, CURLINFO info, double waited)
{
    curl_off_t us = 0;

    (void)curl_easy_getinfo(easy, info, &us);
    return us > 0 ? waited + 1e-6 * (double)us : 0;
}

static const char *text_of(CURL *easy, CURLINFO info)
{
    char *text = NULL;

    (void)curl_easy_getinfo(easy, info, &text);
    return text != NULL ? text : "";
}

static void read_reply(struct xf_transfer *x, CURLcode code)
{
    struct xf_handle *h = x->handle;
    struct xf_reply *r = &x->reply;
    CURL *easy = h->easy;
    curl_off_t own_us = 0;
    double now = xf_loop_clock(), waited;

    (void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &own_us);
    r->total_s = now - x->started;
    waited = r->total_s - 1e-6 * (double)own_us;
    if (waited < 0)
        waited = 0;
    r->released = h->released;
    r->over_cap = h->over_cap || code == CURLE_FILESIZE_EXCEEDED;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &r->status);
    r->type = text_of(easy, CURLINFO_CONTENT_TYPE);
    r->address = text_of(easy, CURLINFO_PRIMARY_IP);
    r->date = h->date;
    if (h->size > 0) {
        r->body = h->body;
        r->size = h->size;
    }
    r->name_s = phase(easy, CURLINFO_NAMELOOKUP_TIME_T, waited);
    r->connect_s = phase(easy, CURLINFO_CONNECT_TIME_T, waited);
    r->tls_s = phase(easy, CURLINFO_APPCONNECT_TIME_T, waited);
    r->first_byte_s = phase(easy, CURLINFO_STARTTRANSFER_TIME_T, waited);
}

void xf_transfers_collect(struct xf_transfers *all)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(all->multi, &left)) != NULL) {
        CURLcode code = m->data.result;
        CURL *easy = m->easy_handle; /* m is gone after the removal */
        struct xf_handle *h;
        char *private = NULL;
        const char *why = "";

        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
        h = (struct xf_handle *)(void *)private;
        (void)curl_multi_remove_handle(all->multi, easy);
        all->running--;
        read_reply(h->transfer, code);
        if (code == CURLE_OK && !h->head_ended) { /* libcurl takes that for a reply without a body */
            code = CURLE_PARTIAL_FILE;
            why = "The reply ended within its headers";
        } else if (code != CURLE_OK) {
            why = h->error[0] != '\0' ? h->error : curl_easy_strerror(code);
        }
        end(all, h->transfer, code, why);
    }
}

/* ---- For the caller */

struct xf_transfer *xf_transfer_take_done(struct xf_loop *loop)
{
    struct xf_transfers *all = xf_loop_transfers(loop);
    struct xf_transfer *x;

    if (xf_link_alone(&all->done))
        return NULL;
    x = XF_LINKED(all->done.next, struct xf_transfer, turn);
    xf_link_cut(&x->turn);
    x->stage = XF_TAKEN;
    return x;
}

void *xf_transfer_payload(const struct xf_transfer *x)
{
    return x->payload;
}

bool xf_transfer_may_go(const struct xf_transfer *x)
{
    return x->stage == XF_RUNNING && !x->handle->connecting;
}

const struct xf_reply *xf_transfer_reply(const struct xf_transfer *x)
{
    return &x->reply;
}

void xf_transfer_free(struct xf_transfer *x)
{
    struct xf_transport *t;
    struct xf_transfers *all;

    if (x == NULL)
        return;
    t = x->transport;
    all = xf_loop_transfers(t->loop);
    switch (x->stage) {
    case XF_QUEUED:
        leave_queue(all, x);
        break;
    case XF_RUNNING:
        (void)curl_multi_remove_handle(all->multi, x->handle->easy);
        all->running--;
        break;
    case XF_DONE:
        xf_link_cut(&x->turn);
        break;
    case XF_TAKEN:
        break;
    }
    xf_link_cut(&x->mine);
    if (x->handle != NULL)
        xf_transport_give_handle(t, x->handle);
    give_spare(t, x);
}

int xf_transfers_open(const struct xf_loop *loop)
{
    const struct xf_transfers *all = xf_loop_transfers(loop);

    return all->running + all->queued;
}
