#include <unistd.h>

#include "check.h"
#include "loop.h"

struct bell {
    struct xf_watcher watcher;
    struct xf_loop *loop;
    struct xf_watcher *remove; /* at its first work */
    int worked, asked, wait;
};

static int bell_timeout(void *payload)
{
    struct bell *b = payload;

    b->asked++;
    return b->wait;
}

static void bell_work(void *payload)
{
    struct bell *b = payload;

    b->worked++;
    if (b->remove != NULL)
        xf_loop_unwatch(b->loop, b->remove);
    b->remove = NULL;
}

static struct bell make(struct xf_loop *loop, int fd, int wait)
{
    return (struct bell){.watcher = {fd, bell_timeout, bell_work, NULL, NULL}, .loop = loop, .wait = wait};
}

static void watch(struct bell *b)
{
    b->watcher.payload = b;
    xf_loop_watch(b->loop, &b->watcher);
}

/* The step would wait for ever if the descriptor or the shortest wait were not heeded. */
static void check_wake(struct xf_loop *loop)
{
    struct xf_err err;
    int ends[2];
    struct bell ready, slow, quick;

    if (!CHECK(pipe(ends) == 0))
        return;
    ready = make(loop, ends[0], -1);
    watch(&ready);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(xf_loop_step(loop, -1, &err) == 0);
    CHECK(ready.worked == 1 && ready.asked == 1);
    xf_loop_unwatch(loop, &ready.watcher);
    xf_loop_unwatch(loop, &ready.watcher);

    slow = make(loop, -1, 3600 * 1000);
    quick = make(loop, -1, 0);
    watch(&slow);
    watch(&quick);
    CHECK(xf_loop_step(loop, -1, &err) == 0);
    CHECK(slow.worked == 1 && quick.worked == 1 && ready.worked == 1);
    xf_loop_unwatch(loop, &slow.watcher);
    xf_loop_unwatch(loop, &quick.watcher);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Any watcher may take itself or another one out while it works. */
static void check_unwatch(struct xf_loop *loop)
{
    for (int who = 0; who < 9; who++) {
        struct xf_err err;
        struct bell bells[3];
        int worked = 0, by = who / 3, gone = who % 3;

        for (int i = 0; i < 3; i++) {
            bells[i] = make(loop, -1, 0);
            watch(&bells[i]);
        }
        bells[by].remove = &bells[gone].watcher;
        CHECK(xf_loop_step(loop, 0, &err) == 0);
        CHECK(xf_loop_step(loop, 0, &err) == 0);
        for (int i = 0; i < 3; i++) {
            CHECK(i == gone || bells[i].worked == 2);
            worked += bells[i].worked;
            xf_loop_unwatch(loop, &bells[i].watcher);
        }
        /* Later ones are called first: one who goes before its turn has no work at all. */
        CHECK(worked == (gone < by ? 4 : 5));
    }
}

static void check_many_descriptors(struct xf_loop *loop)
{
    enum { MANY = 40 };
    struct bell bells[MANY];
    struct xf_err err;
    int ends[2];

    if (!CHECK(pipe(ends) == 0))
        return;
    for (int i = 0; i < MANY; i++) {
        bells[i] = make(loop, ends[0], -1);
        watch(&bells[i]);
    }
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(xf_loop_step(loop, -1, &err) == 0);
    for (int i = 0; i < MANY; i++) {
        CHECK(bells[i].worked == 1);
        xf_loop_unwatch(loop, &bells[i].watcher);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    struct xf_err err;
    struct xf_loop *loop = xf_loop_new(&err), *other = xf_loop_new(&err);
    double before = xf_loop_clock();

    if (!CHECK(loop != NULL && other != NULL))
        return check_end();
    CHECK(xf_loop_multi(loop) != NULL && xf_loop_multi(loop) != xf_loop_multi(other));
    CHECK(xf_loop_step(loop, 0, &err) == 0);
    check_wake(loop);
    check_unwatch(loop);
    check_many_descriptors(loop);
    xf_loop_free(other);
    CHECK(xf_loop_step(loop, 0, &err) == 0);
    CHECK(xf_loop_clock() >= before);
    xf_loop_free(loop);
    xf_loop_free(NULL);
    return check_end();
}
