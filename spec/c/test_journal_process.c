/* Several handles and processes on one journal, and processes that die. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal_case.h"
#include "journal_inside.h"

enum { CHILDREN = 4, ORDERS = 40, ROUNDS = 30 };

static void two_handles(void)
{
    struct journal_case c = case_start();
    struct xf_journal *a, *b;
    struct xf_err err;

    a = case_open(&c);
    b = xf_journal_open(c.path, &(struct xf_journal_options){.busy_ms = 20}, &err);
    CHECK(b != NULL && case_place(a, "A", "m1", 1) == XF_PLACED_NEW);
    CHECK(case_place(b, "A", "m1", 1) == XF_PLACED_SAME && case_place(b, "B", "m1", 2) == XF_PLACED_BLOCKED);
    CHECK(case_go(b, "A", XF_ORDER_SENT) == XF_ADVANCED); /* one of them sends it */
    CHECK(case_go(a, "A", XF_ORDER_SENT) == XF_ADVANCED_REFUSED);
    CHECK(xf_journal_begin(a, &err) == 0 && case_go(a, "A", XF_ORDER_ACCEPTED) == XF_ADVANCED);
    CHECK(case_place(b, "C", "m2", 1) == XF_PLACED_FAILED); /* a holds the lock for longer than b waits */
    CHECK(xf_journal_begin(b, &err) == -1 && strstr(err.message, "busy") != NULL);
    CHECK(case_state(b, "A") == XF_ORDER_SENT); /* reading does not wait */
    CHECK(xf_journal_commit(a, &err) == 0);
    CHECK(case_place(b, "C", "m2", 1) == XF_PLACED_NEW && case_state(b, "A") == XF_ORDER_ACCEPTED);
    xf_journal_close(a);
    xf_journal_close(b);
    case_end(&c);
}

/* One child of `together`: orders for meters that all children share. */
static int work(const struct journal_case *c, int child)
{
    struct xf_journal *j = case_open(c);
    struct xf_err err = {""};
    char order[32], device[32];
    int failed = 0;

    for (int i = 0; i < ORDERS; i++) {
        int bill;

        (void)snprintf(order, sizeof order, "%d-%d", child, i);
        (void)snprintf(device, sizeof device, "meter%d", i % 5);
        failed += xf_journal_begin(j, &err) != 0;
        bill = xf_journal_next_bill(j, "C1", device, &err);
        if (case_place(j, order, device, bill) == XF_PLACED_NEW) {
            failed += case_go(j, order, XF_ORDER_SENT) != XF_ADVANCED;
            failed += case_go(j, order, XF_ORDER_ACCEPTED) != XF_ADVANCED;
            failed += case_go(j, order, XF_ORDER_APPLIED) != XF_ADVANCED;
        } else {
            failed++; /* nobody else's order can be open: it would be in another's batch */
        }
        failed += xf_journal_commit(j, &err) != 0;
    }
    xf_journal_close(j);
    return failed;
}

/* Children that start at once on a journal that does not exist yet. */
static void together(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_orders page;
    struct xf_err err;
    pid_t children[CHILDREN];
    int go[2], status;
    char byte;

    case_pipe(go);
    (void)fflush(stdout);
    for (int i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0) {
            (void)close(go[1]);
            (void)!read(go[0], &byte, 1); /* until the parent closes its end */
            _exit(work(&c, i) != 0);
        }
    (void)close(go[0]);
    (void)close(go[1]);
    for (int i = 0; i < CHILDREN; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) &&
              WEXITSTATUS(status) == 0);

    j = case_open(&c);
    for (int m = 0; m < 5; m++) {
        struct xf_order_filter filter = {.states = XF_ORDER_BIT(XF_ORDER_APPLIED)};
        char device[32];

        (void)snprintf(device, sizeof device, "meter%d", m);
        filter.device_no = device;
        CHECK(xf_journal_list_orders(j, &filter, &page, &err) == 0 && page.count == CHILDREN * ORDERS / 5);
        for (size_t i = 0; i < page.count; i++)
            CHECK(page.rows[i].bill_no == (int)i + 1); /* rising, none twice, none left out */
        xf_orders_free(&page);
    }
    xf_journal_close(j);
    case_end(&c);
}

static void over_a_fork(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j, *own;
    struct xf_orders found;
    struct xf_err err;
    int status, failed;
    pid_t child;

    j = case_open(&c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        failed = case_place(j, "B", "b", 1) != XF_PLACED_FAILED;
        failed += xf_journal_begin(j, &err) != -1 || strstr(err.message, "fork") == NULL;
        failed += xf_journal_find_order(j, XF_ORDER_BY_ID, "A", 0, &found, &err) != -1;
        xf_journal_close(j);
        own = case_open(&c);
        failed += case_place(own, "B", "b", 1) != XF_PLACED_NEW;
        xf_journal_close(own);
        _exit(failed);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(case_state(j, "B") == XF_ORDER_INTENT && case_go(j, "A", XF_ORDER_SENT) == XF_ADVANCED);
    xf_journal_close(j);
    case_end(&c);
}

/* What a child reports once it is committed. */
struct report {
    int round, number;
    enum xf_order_state state;
};

/* Writes orders until it is killed; every third one in a batch of its own. */
static void write_until_killed(const struct journal_case *c, int round, int out)
{
    struct xf_journal *j = case_open(c);
    struct xf_err err;
    struct report r = {.round = round};

    for (;; r.number++) {
        char order[32];
        bool batch = r.number % 3 == 0;

        (void)snprintf(order, sizeof order, "%d-%d", r.round, r.number);
        r.state = XF_ORDER_INTENT;
        if (batch && xf_journal_begin(j, &err) != 0)
            _exit(1);
        if (case_place(j, order, order, 1) != XF_PLACED_NEW)
            _exit(1);
        if (!batch && write(out, &r, sizeof r) != (ssize_t)sizeof r)
            _exit(1);
        if (case_go(j, order, XF_ORDER_SENT) != XF_ADVANCED || (batch && xf_journal_commit(j, &err) != 0))
            _exit(1);
        r.state = XF_ORDER_SENT;
        if (write(out, &r, sizeof r) != (ssize_t)sizeof r)
            _exit(1);
    }
}

/* Reads reports, kills after `most` of them, and reads what is still in the pipe. How many there are. */
static int read_and_kill(int in, pid_t child, struct report *reports, int most, int room)
{
    int n = 0;

    while (n < room && read(in, &reports[n], sizeof *reports) == (ssize_t)sizeof *reports)
        if (++n == most)
            (void)kill(child, SIGKILL);
    return n;
}

static void killed(void)
{
    enum { ROOM = 4096 };
    static struct report reports[ROOM];
    struct journal_case c = case_start();
    unsigned chance = 12345;

    for (int round = 0; round < ROUNDS; round++) {
        struct xf_journal *j;
        int ends[2], n, status, last = -1;
        char order[32];
        pid_t child;

        case_pipe(ends);
        (void)fflush(stdout);
        child = fork();
        if (child == 0)
            write_until_killed(&c, round, ends[1]);
        (void)close(ends[1]);
        chance = chance * 1103515245u + 12345u;
        n = read_and_kill(ends[0], child, reports, 1 + (int)(chance >> 16) % 60, ROOM);
        (void)close(ends[0]);
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        j = case_open(&c);
        CHECK(!xf_journal_moved(j));
        for (int i = 0; i < n; i++) {
            enum xf_order_state now;

            (void)snprintf(order, sizeof order, "%d-%d", reports[i].round, reports[i].number);
            now = case_state(j, order);
            CHECK(now == reports[i].state || now == XF_ORDER_SENT);
            last = reports[i].number;
        }
        (void)snprintf(order, sizeof order, "%d-%d", round,
                       last + 2); /* at most one beyond the last report */
        CHECK(case_state(j, order) == XF_ORDER_STATES);
        xf_journal_close(j);
    }
    case_end(&c);
}

/* A child that sends an order and waits; it ends when the parent closes `hold`. */
static pid_t sender(const struct journal_case *c, const char *order, int hold[2])
{
    int ready[2];
    char byte;
    pid_t child;

    case_pipe(ready);
    case_pipe(hold);
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        struct xf_journal *j;

        (void)close(ready[0]);
        (void)close(hold[1]);
        j = case_open(c);
        if (case_place(j, order, order, 1) != XF_PLACED_NEW ||
            case_go(j, order, XF_ORDER_SENT) != XF_ADVANCED)
            _exit(1);
        (void)!write(ready[1], "r", 1);
        (void)!read(hold[0], &byte, 1);
        _exit(0); /* without closing the journal, as a killed process */
    }
    (void)close(ready[1]);
    (void)close(hold[0]);
    CHECK(read(ready[0], &byte, 1) == 1);
    (void)close(ready[0]);
    return child;
}

static enum xf_owner owner(struct xf_journal *j, const char *order)
{
    struct xf_err err;
    struct xf_orders found;
    enum xf_owner who = XF_OWNER_UNSEEN;

    if (xf_journal_find_order(j, XF_ORDER_BY_ID, order, 0, &found, &err) == 1)
        who = xf_journal_owner(j, found.rows);
    xf_orders_free(&found);
    return who;
}

static void owners(void)
{
    enum { BEFORE = 2060, AFTER = 2061 }; /* the deadline of case_go is 2060 */
    struct journal_case c = case_start();
    struct xf_journal *j, *near;
    struct xf_err err;
    siginfo_t info;
    int hold[2], status;
    pid_t child;

    j = case_open(&c);
    near = case_open(&c);
    CHECK(case_place(j, "own", "own", 1) == XF_PLACED_NEW && case_go(j, "own", XF_ORDER_SENT) == XF_ADVANCED);
    CHECK(case_place(j, "intent", "intent", 1) == XF_PLACED_NEW);
    CHECK(owner(j, "own") == XF_OWNER_SELF && owner(near, "own") == XF_OWNER_NEAR);
    child = sender(&c, "theirs", hold);
    CHECK(owner(j, "theirs") == XF_OWNER_ALIVE);

    CHECK(xf_journal_recover(near, BEFORE, &err) == 0);
    CHECK(xf_journal_recover(near, AFTER, &err) == 1); /* own, for its deadline; never theirs, which lives */
    CHECK(case_state(j, "own") == XF_ORDER_UNKNOWN && case_state(j, "theirs") == XF_ORDER_SENT);
    CHECK(case_go(j, "own", XF_ORDER_ACCEPTED) == XF_ADVANCED); /* its answer may still come in */

    (void)close(hold[1]);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    CHECK(owner(j, "theirs") == XF_OWNER_GONE); /* ended, though its parent has not looked yet */
    CHECK(waitpid(child, &status, 0) == child && owner(j, "theirs") == XF_OWNER_GONE);
    CHECK(xf_journal_recover(j, BEFORE, &err) == 1 && case_state(j, "theirs") == XF_ORDER_UNKNOWN);
    CHECK(xf_journal_recover(j, BEFORE, &err) == 0 && case_state(j, "intent") == XF_ORDER_INTENT);
    xf_journal_close(near);
    xf_journal_close(j);
    case_end(&c);
}

/* One part of an owner's name changed: boot/namespace/pid/start/random. */
static void strangers(void)
{
    static const struct {
        const char *row;
        int part;
        enum xf_owner who;
    } rows[] = {
        {"all the same", -1, XF_OWNER_SELF},       {"another boot", 0, XF_OWNER_GONE},
        {"another container", 1, XF_OWNER_UNSEEN}, {"an earlier process with our pid", 3, XF_OWNER_GONE},
        {"another handle", 4, XF_OWNER_NEAR},
    };
    struct xf_err err;
    char self[XF_OWNER_SIZE], other[XF_OWNER_SIZE];

    CHECK(xf_owner_name(self, &err) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *at = other;

        (void)snprintf(other, sizeof other, "%s", self);
        for (int part = 0; part < rows[i].part; part++)
            at = strchr(at, '/') + 1;
        if (rows[i].part >= 0)
            *at = *at == '1' ? '2' : '1';
        CHECK_ROW(xf_owner_judge(self, other) == rows[i].who, rows[i].row);
    }
    CHECK(xf_owner_judge(self, "") == XF_OWNER_UNSEEN && xf_owner_judge(self, NULL) == XF_OWNER_UNSEEN);
}

/* More than a page of them. */
static void many_to_recover(void)
{
    enum { MANY = XF_JOURNAL_PAGE + 10 };
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_err err;
    char order[32];

    j = case_open(&c);
    CHECK(xf_journal_begin(j, &err) == 0);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(order, sizeof order, "%d", i);
        (void)case_place(j, order, order, 1);
        (void)case_go(j, order, XF_ORDER_SENT);
    }
    CHECK(xf_journal_commit(j, &err) == 0);
    CHECK(xf_journal_recover(j, 2061, &err) == MANY);
    CHECK(xf_journal_recover(j, 2061, &err) == 0);
    xf_journal_close(j);
    case_end(&c);
}

int main(void)
{
    two_handles();
    together();
    over_a_fork();
    killed();
    owners();
    strangers();
    many_to_recover();
    return check_end();
}
