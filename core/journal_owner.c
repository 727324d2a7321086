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

/* The parts of an owner's name: what tells one process from all others is the
 * boot (starts are counted from it), the namespace (a container's pids mean
 * nothing elsewhere), the pid, and its start, for a pid is given again. */
enum part { BOOT, SPACE, PID, START, HANDLE, PARTS };
enum { PART_SIZE = 40 };
struct owner {
    char part[PARTS][PART_SIZE];
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

/* A process's state letter and when it started, in ticks since boot: fields 3
 * and 22 of proc(5)'s stat. False if there is no such process, or none to see. */
static bool look_up(const char *pid, char *state, char start[PART_SIZE])
{
    char path[64], text[1024];
    char *at;

    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (!read_text(path, text, sizeof text))
        return false;
    at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
        if (at != NULL && field == 2)
            *state = *at;
    }
    if (at == NULL)
        return false;
    (void)snprintf(start, PART_SIZE, "%.*s", (int)strspn(at, "0123456789"), at);
    return true;
}

int xf_owner_name(char out[XF_OWNER_SIZE], struct xf_err *err)
{
    char boot[37], start[PART_SIZE], pid[PART_SIZE], space[PART_SIZE] = "", handle[XF_JOURNAL_ID_SIZE], state;
    unsigned char random[16];
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);

    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    if (RAND_bytes(random, sizeof random) != 1)
        return xf_fail(err, "there is no randomness to name this process by");
    if (n <= 0 || !read_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot) ||
        !look_up(pid, &state, start))
        return xf_fail(err,
                       "/proc cannot be read: without it nobody can tell whether an order's process lives");
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(handle + 2 * i, 3, "%02x", (unsigned)random[i]);
    (void)snprintf(out, XF_OWNER_SIZE, "%s/%s/%s/%s/%s", boot, space, pid, start, handle);
    return 0;
}

int xf_owner_write(struct xf_journal *j, struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    if (j->owner_known)
        return 0;
    s = xf_sql_start(j, XF_SQL_OWNER_PUT, err, "t", j->owner);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    j->owner_known = row >= 0;
    return row < 0 ? -1 : 0;
}

static bool parse(const char *text, struct owner *o)
{
    for (int i = 0; i < PARTS; i++) {
        size_t length = strcspn(text, "/");

        if (length == 0 || length >= PART_SIZE || (text[length] == '\0') != (i == PARTS - 1))
            return false;
        (void)snprintf(o->part[i], PART_SIZE, "%.*s", (int)length, text);
        text += length + 1;
    }
    return true;
}

static bool same(const struct owner *a, const struct owner *b, enum part part)
{
    return strcmp(a->part[part], b->part[part]) == 0;
}

enum xf_owner xf_owner_judge(const char *self, const char *owner)
{
    struct owner me, they;
    char state = 0, start[PART_SIZE] = "";

    if (!parse(self, &me) || owner == NULL || !parse(owner, &they))
        return XF_OWNER_UNSEEN;
    if (!same(&me, &they, BOOT))
        return XF_OWNER_GONE; /* write-ahead logging is for one machine, so it is this one, started again */
    if (!same(&me, &they, SPACE))
        return XF_OWNER_UNSEEN;
    if (same(&me, &they, PID) && same(&me, &they, START))
        return same(&me, &they, HANDLE) ? XF_OWNER_SELF : XF_OWNER_NEAR;
    if (look_up(they.part[PID], &state, start))
        return strcmp(start, they.part[START]) == 0 && state != 'Z' && state != 'X' ? XF_OWNER_ALIVE
                                                                                    : XF_OWNER_GONE;
    /* no file: gone, or hidden from this user */
    return kill((pid_t)strtol(they.part[PID], NULL, 10), 0) != 0 && errno == ESRCH ? XF_OWNER_GONE
                                                                                   : XF_OWNER_UNSEEN;
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
