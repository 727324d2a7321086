/* Whose a `sent` order is, whether that process still lives, and what becomes of
 * the order if not. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "journal_inside.h"

/* What tells one process from all others: the boot (starts are counted from it),
 * the namespace (a container's pids mean nothing elsewhere), the pid, and its
 * start, for a pid is given again. */
struct owner {
    char boot[40];
    char space[32];
    long pid;
    unsigned long long start; /* ticks since boot */
    char handle[XF_JOURNAL_ID_SIZE];
};

static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* False with errno ENOENT when there is no such process. */
static bool look_up(long pid, char *state, unsigned long long *start)
{
    char path[48], text[1024];
    const char *after;

    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (!read_text(path, text, sizeof text))
        return false;
    after = strrchr(text, ')'); /* the name before it may hold anything */
    return after != NULL &&
           sscanf(after + 1,
                  " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", state,
                  start) == 2;
}

int xf_owner_name(char out[XF_OWNER_SIZE], struct xf_err *err)
{
    struct owner me = {.pid = (long)getpid()};
    unsigned char random[16];
    char state;
    ssize_t n = readlink("/proc/self/ns/pid", me.space, sizeof me.space - 1);

    if (RAND_bytes(random, sizeof random) != 1)
        return xf_fail(err, "there is no randomness to name this process by");
    if (n <= 0 || !read_text("/proc/sys/kernel/random/boot_id", me.boot, 37) ||
        !look_up(me.pid, &state, &me.start))
        return xf_fail(err,
                       "/proc cannot be read: without it nobody can tell whether an order's process lives");
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(me.handle + 2 * i, 3, "%02x", (unsigned)random[i]);
    (void)snprintf(out, XF_OWNER_SIZE, "%s/%s/%ld/%llu/%s", me.boot, me.space, me.pid, me.start, me.handle);
    return 0;
}

static bool parse(const char *text, struct owner *o)
{
    return sscanf(text, "%39[^/]/%31[^/]/%ld/%llu/%32[0-9a-f]", o->boot, o->space, &o->pid, &o->start,
                  o->handle) == 5;
}

enum xf_owner xf_owner_judge(const char *self, const char *owner)
{
    struct owner me, they;
    unsigned long long start = 0;
    char state = 0;

    if (!parse(self, &me) || owner == NULL || !parse(owner, &they))
        return XF_OWNER_UNSEEN;
    if (strcmp(me.boot, they.boot) != 0)
        return XF_OWNER_GONE; /* write-ahead logging is for one machine, so it is this one, started again */
    if (strcmp(me.space, they.space) != 0)
        return XF_OWNER_UNSEEN;
    if (me.pid == they.pid && me.start == they.start)
        return strcmp(me.handle, they.handle) == 0 ? XF_OWNER_SELF : XF_OWNER_NEAR;
    if (look_up(they.pid, &state, &start))
        return start == they.start && state != 'Z' && state != 'X' ? XF_OWNER_ALIVE : XF_OWNER_GONE;
    /* no file: gone, or hidden from this user */
    return kill((pid_t)they.pid, 0) != 0 && errno == ESRCH ? XF_OWNER_GONE : XF_OWNER_UNSEEN;
}

enum xf_owner xf_journal_owner(const struct xf_journal *j, const struct xf_order *order)
{
    return xf_owner_judge(j->owner, order->owner);
}

/* Why nobody can still get the answer to this order; NULL if somebody may. */
static const char *lost(const struct xf_journal *j, const struct xf_order *o, int64_t now)
{
    bool passed = o->deadline != 0 && now > o->deadline;

    switch (xf_journal_owner(j, o)) {
    case XF_OWNER_GONE:
        return "its process is gone";
    case XF_OWNER_SELF:
    case XF_OWNER_NEAR:
    case XF_OWNER_UNSEEN:
        return passed ? "its deadline has passed" : NULL;
    case XF_OWNER_ALIVE:
    default:
        return NULL;
    }
}

/* How many of the page became unknown, or -1. */
static int64_t recover_page(struct xf_journal *j, const struct xf_orders *orders, int64_t now,
                            struct xf_err *err)
{
    int64_t count = 0;

    if (xf_journal_begin(j, err) != 0)
        return -1;
    for (size_t i = 0; i < orders->count; i++) {
        struct xf_step step = {.order = orders->rows[i].order, .to = XF_ORDER_UNKNOWN, .at = now};
        enum xf_advanced done = XF_ADVANCED_REFUSED;

        step.evidence = lost(j, &orders->rows[i], now);
        if (step.evidence != NULL)
            done = xf_journal_advance(j, &step, NULL, err); /* refused: another has done it meanwhile */
        if (done == XF_ADVANCED_FAILED) {
            xf_journal_rollback(j);
            return -1;
        }
        count += done == XF_ADVANCED;
    }
    return xf_journal_commit(j, err) == 0 ? count : -1;
}

int64_t xf_journal_recover(struct xf_journal *j, int64_t now, struct xf_err *err)
{
    struct xf_order_filter filter = {.states = XF_ORDER_BIT(XF_ORDER_SENT)};
    struct xf_orders orders;
    int64_t count = 0, more;
    size_t read;

    do {
        if (xf_journal_list_orders(j, &filter, &orders, err) != 0)
            return -1;
        read = orders.count;
        if (read > 0)
            filter.after = orders.rows[read - 1].row;
        more = read > 0 ? recover_page(j, &orders, now, err) : 0;
        xf_orders_free(&orders);
        if (more < 0)
            return -1;
        count += more;
    } while (read == XF_JOURNAL_PAGE);
    return count;
}
