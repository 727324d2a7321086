#include "loop.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "transport.h"

struct xf_loop {
    CURLM *multi;
    struct xf_transfers *transfers;
    struct xf_watcher *watchers;
    struct xf_watcher *turn; /* whose work comes next, so that any may unwatch */
    struct curl_waitfd *waits;
    unsigned room;
};

double xf_loop_clock(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int curl_fits(struct xf_err *err)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

    if (v->version_num < 0x075800)
        return xf_fail(err, "libcurl 7.88 or later is needed, this is %s", v->version);
    /* Without this, curl_global_init in one thread could disturb another. */
    if ((v->features & CURL_VERSION_THREADSAFE) == 0)
        return xf_fail(err, "this libcurl is not built thread-safe");
    return 0;
}

struct xf_loop *xf_loop_new(struct xf_err *err)
{
    struct xf_loop *loop;

    if (curl_fits(err) != 0)
        return NULL;
    /* Counted by libcurl: each loop brings its own and takes it along. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        xf_fail(err, "libcurl could not be started");
        return NULL;
    }
    loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        goto fail;
    loop->multi = curl_multi_init();
    if (loop->multi == NULL)
        goto fail;
    loop->transfers = xf_transfers_new(loop->multi);
    if (loop->transfers == NULL)
        goto fail;
    return loop;
fail:
    xf_fail(err, "no memory for an event loop");
    if (loop != NULL)
        xf_loop_free(loop);
    else
        curl_global_cleanup();
    return NULL;
}

void xf_loop_free(struct xf_loop *loop)
{
    if (loop == NULL)
        return;
    xf_transfers_free(loop->transfers);
    if (loop->multi != NULL)
        curl_multi_cleanup(loop->multi);
    free(loop->waits);
    free(loop);
    curl_global_cleanup();
}

void xf_loop_watch(struct xf_loop *loop, struct xf_watcher *w)
{
    w->next = loop->watchers;
    loop->watchers = w;
}

void xf_loop_unwatch(struct xf_loop *loop, struct xf_watcher *w)
{
    struct xf_watcher **place = &loop->watchers;

    while (*place != NULL && *place != w)
        place = &(*place)->next;
    if (*place == NULL)
        return;
    if (loop->turn == w)
        loop->turn = w->next;
    *place = w->next;
    w->next = NULL;
}

static int shorter(int a, int b)
{
    if (a < 0)
        return b;
    if (b < 0)
        return a;
    return a < b ? a : b;
}

/* How many descriptors there are to poll; -1 with err when out of memory. */
static int list_waits(struct xf_loop *loop, int *timeout_ms, struct xf_err *err)
{
    unsigned count = 0;

    for (struct xf_watcher *w = loop->watchers; w != NULL; w = w->next) {
        if (w->timeout_ms != NULL)
            *timeout_ms = shorter(*timeout_ms, w->timeout_ms(w->payload));
        if (w->fd < 0)
            continue;
        if (count == loop->room) {
            unsigned room = loop->room * 2 + 4;
            struct curl_waitfd *more = realloc(loop->waits, room * sizeof *more);

            if (more == NULL)
                return xf_fail(err, "no memory to watch %u descriptors", room);
            loop->waits = more;
            loop->room = room;
        }
        loop->waits[count++] = (struct curl_waitfd){w->fd, CURL_WAIT_POLLIN, 0};
    }
    return (int)count;
}

static void work(struct xf_loop *loop)
{
    for (loop->turn = loop->watchers; loop->turn != NULL;) {
        struct xf_watcher *w = loop->turn;

        loop->turn = w->next;
        w->work(w->payload);
    }
}

int xf_loop_step(struct xf_loop *loop, int timeout_ms, struct xf_err *err)
{
    bool fresh = xf_transfers_launch(loop->transfers) > 0;
    int wait = shorter(timeout_ms, xf_transfers_timeout(loop->transfers));
    int running = 0;
    CURLMcode code = CURLM_OK;

    /* What has just been started goes out at once: a poll before would be a
     * system call for nothing. */
    if (fresh)
        wait = 0;
    if (!fresh || loop->watchers != NULL) {
        int count = list_waits(loop, &wait, err);

        if (count < 0)
            return -1;
        code = curl_multi_poll(loop->multi, loop->waits, (unsigned)count, wait < 0 ? INT_MAX : wait, NULL);
        work(loop);
    }
    if (code == CURLM_OK)
        code = curl_multi_perform(loop->multi, &running);
    xf_transfers_collect(loop->transfers);
    if (code != CURLM_OK)
        return xf_fail(err, "the event loop failed: %s", curl_multi_strerror(code));
    return 0;
}

CURLM *xf_loop_multi(struct xf_loop *loop)
{
    return loop->multi;
}

struct xf_transfers *xf_loop_transfers(const struct xf_loop *loop)
{
    return loop->transfers;
}
