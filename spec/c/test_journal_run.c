/* Runs in the journal: whose they are, what they remember, what wakes them, and
 * what the schema itself refuses. */
#include "journal_run.h"

#include <sys/wait.h>

#include "journal_case.h"
#include "journal_sighting.h"

/* Begins a run; *id is the other's when there is one. */
static int begin(struct xf_journal *j, const char *args, bool restricted, int64_t *id)
{
    struct xf_run_start s = {.workflow = "w",
                             .company_code = "C1",
                             .script = "w.lua",
                             .hash = "abcd",
                             .args = args,
                             .restricted = restricted,
                             .at = 1000};
    struct xf_err err;

    return xf_journal_start_run(j, &s, id, &err);
}

static int64_t start_after(struct xf_journal *j, int64_t campaign, const char *key, int64_t newest)
{
    static int count;
    char args[32];
    struct xf_run_start s = {.workflow = "w",
                             .company_code = "C1",
                             .campaign = campaign,
                             .key = key,
                             .newest = newest,
                             .script = "w.lua",
                             .hash = "abcd",
                             .args = args,
                             .at = 1000};
    struct xf_err err;
    int64_t id = 0;

    (void)snprintf(args, sizeof args, "{\"n\":%d}", ++count); /* each is asked for something else */
    return xf_journal_start_run(j, &s, &id, &err) == 1 ? id : -1;
}

static int64_t start(struct xf_journal *j, int64_t campaign, const char *key)
{
    return start_after(j, campaign, key, 0);
}

static int step(struct xf_journal *j, int64_t run, int64_t token, int seq, const char *state)
{
    struct xf_run_step s = {
        .run = run, .token = token, .seq = seq, .name = "step", .state = state, .value = "1", .at = 1001};
    struct xf_err err;

    return xf_journal_add_step(j, &s, &err);
}

static int change(struct xf_journal *j, int64_t run, int64_t token, int seq, const char *state)
{
    struct xf_run_step s = {.run = run, .token = token, .seq = seq, .state = state, .at = 1002};
    struct xf_err err;

    return xf_journal_change_step(j, &s, &err);
}

static int settle(struct xf_journal *j, int64_t run, int64_t token, enum xf_run_state to, const char *order,
                  const char *device)
{
    struct xf_run_rest r = {
        .run = run, .token = token, .to = to, .order = order, .device_id = device, .at = 1003};
    struct xf_err err;

    return xf_journal_rest_run(j, &r, &err);
}

static enum xf_claimed claim(struct xf_journal *j, int64_t run, int64_t *token, bool by_force)
{
    struct xf_claim c = {.run = run, .at = 1004, .by_force = by_force};
    struct xf_err err;

    return xf_journal_claim_run(j, &c, token, &err);
}

/* How many runs are due at a time, and the first one's id. */
static int due(struct xf_journal *j, int64_t now, int64_t *first)
{
    struct xf_runs runs;
    struct xf_err err;
    int count = xf_journal_due_runs(j, now, 0, 0, 0, &runs, &err) != 0 ? -1 : (int)runs.count;

    *first = count > 0 ? runs.rows[0].id : 0;
    xf_runs_free(&runs);
    return count;
}

static void leases(const struct journal_case *c)
{
    struct xf_journal *a = case_open(c), *b = case_open(c);
    struct xf_err err;
    int64_t run = start(a, 0, NULL), token = 0;

    CHECK(step(a, run, 1, 1, "done") == 1);
    CHECK_ROW(claim(b, run, &token, false) == XF_CLAIM_HELD, "another handle that lives");
    CHECK_ROW(claim(a, run, &token, false) == XF_CLAIM_HELD, "our own, twice");
    CHECK(xf_journal_cancel_run(b, run, "{}", 1, &err) == 0);
    CHECK(claim(b, run, &token, true) == XF_CLAIMED && token == 2);
    CHECK_ROW(step(a, run, 1, 2, "done") == 0, "a lost lease adds no step");
    CHECK_ROW(change(a, run, 1, 1, "begun") == 0, "and changes none");
    CHECK_ROW(settle(a, run, 1, XF_RUN_SUCCEEDED, NULL, NULL) == 0, "and ends no run");
    CHECK(step(b, run, 2, 2, "begun") == 1 && step(b, run, 2, 3, "done") == -1);
    CHECK(change(b, run, 2, 2, "failed") == 1 && change(b, run, 2, 2, "begun") == 1);
    CHECK(change(b, run, 2, 2, "done") == 1 && settle(b, run, 2, XF_RUN_WAITING, NULL, NULL) == 1);
    CHECK_ROW(step(b, run, 2, 3, "done") == 0, "who has put it away writes no more");
    CHECK(claim(a, run, &token, false) == XF_CLAIMED && token == 3);
    CHECK(settle(a, run, 3, XF_RUN_SUCCEEDED, NULL, NULL) == 1);
    CHECK(claim(a, run, &token, true) == XF_CLAIM_ENDED && claim(a, 99, &token, true) == XF_CLAIM_ABSENT);
    run = start(a, 0, NULL);
    CHECK(settle(a, run, 1, XF_RUN_FAILED, NULL, NULL) == 1 &&
          xf_journal_cancel_run(b, run, "{}", 1, &err) == 1);
    CHECK(claim(b, run, &token, false) == XF_CLAIM_ENDED);
    xf_journal_close(a);
    xf_journal_close(b);
}

/* The owner's process is gone: only then others may take it, at once. */
static void gone(const struct journal_case *c)
{
    struct xf_journal *j;
    int64_t run = 1, token = 0, first = 0;
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        j = case_open(c);
        _exit(start(j, 0, NULL) == run && step(j, run, 1, 1, "begun") == 1 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    j = case_open(c);
    CHECK(due(j, 0, &first) == 1 && first == run);
    CHECK(claim(j, run, &token, false) == XF_CLAIMED && token == 2);
    CHECK(change(j, run, 2, 1, "done") == 1);
    xf_journal_close(j);
}

static void rows(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_runs found;
    struct xf_err err;
    int64_t one = 0, two = 0, again = 0, counts[XF_RUN_STATES], run;

    CHECK(xf_journal_campaign(j, "w", "/a.csv", "{}", 1, &one, &err) == 0);
    CHECK(xf_journal_campaign(j, "w", "/b.csv", "{}", 1, &two, &err) == 0);
    CHECK(xf_journal_campaign(j, "w", "/a.csv", "{}", 1, &again, &err) == 0);
    CHECK(one == again && one != two);
    run = start(j, one, "k");
    CHECK_ROW(start(j, one, "k") == -1, "a row has one run that has not ended");
    CHECK(start(j, two, "k") > 0 && start(j, one, "l") > 0);
    CHECK(settle(j, run, 1, XF_RUN_FAILED, NULL, NULL) == 1);
    CHECK_ROW(start(j, one, "k") == -1, "nor one that the caller has not seen");
    CHECK(start_after(j, one, "k", run) > 0);
    CHECK(xf_journal_find_row(j, one, "k", &found, &err) == 1 && found.rows[0].id > run);
    xf_runs_free(&found);
    CHECK(xf_journal_find_row(j, one, "m", &found, &err) == 0);
    xf_runs_free(&found);
    CHECK(xf_journal_count_runs(j, one, counts, &err) == 0);
    CHECK(counts[XF_RUN_RUNNING] == 2 && counts[XF_RUN_FAILED] == 0 && counts[XF_RUN_WAITING] == 0);
    xf_journal_close(j);
}

static void waking(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_sighting seen = {.device_id = "d", .seen_at = 5, .report = "{}", .report_time = "2"};
    struct xf_err err;
    int64_t first, by_order = start(j, 0, NULL), by_report = start(j, 0, NULL), late = start(j, 0, NULL);

    CHECK(case_place(j, "o", "1", 1) == XF_PLACED_NEW);
    CHECK(settle(j, by_order, 1, XF_RUN_WAITING, "o", NULL) == 1);
    CHECK(settle(j, by_report, 1, XF_RUN_WAITING, NULL, "d") == 1);
    CHECK(case_go(j, "o", XF_ORDER_SENT) == XF_ADVANCED && case_go(j, "o", XF_ORDER_ACCEPTED) == XF_ADVANCED);
    CHECK(due(j, 9999, &first) == 0);
    CHECK(case_go(j, "o", XF_ORDER_APPLIED) == XF_ADVANCED);
    CHECK(due(j, 9999, &first) == 1 && first == by_order);
    CHECK(xf_journal_see(j, &seen, &err) == 0);
    CHECK(due(j, 9999, &first) == 2);
    CHECK_ROW(settle(j, late, 1, XF_RUN_WAITING, "o", NULL) == 1 && due(j, 9999, &first) == 3,
              "what has happened before it is waited for");
    xf_journal_close(j);
}

/* The same command at once from several processes is one run. */
static void same(const struct journal_case *c)
{
    struct xf_journal *a = case_open(c), *b = case_open(c);
    int64_t run = 0, other = 0, third = 0;

    CHECK(begin(a, "{}", false, &run) == 1 && run > 0);
    CHECK_ROW(begin(b, "{}", false, &other) == 0 && other == run, "who was faster is told");
    CHECK(begin(b, "{\"n\":1}", false, &third) == 1);
    CHECK(settle(a, run, 1, XF_RUN_WAITING, NULL, NULL) == 1);
    CHECK_ROW(begin(b, "{}", false, &other) == 0 && other == run, "one that waits is there as well");
    CHECK(claim(a, run, &third, false) == XF_CLAIMED && settle(a, run, 2, XF_RUN_FAILED, NULL, NULL) == 1);
    CHECK_ROW(begin(b, "{}", false, &other) == 1 && other > run, "one that has failed is not");
    xf_journal_close(a);
    xf_journal_close(b);
}

static bool restricted(struct xf_journal *j, int64_t run)
{
    struct xf_runs found;
    struct xf_err err;
    bool is = xf_journal_find_run(j, run, &found, &err) == 1 && found.rows[0].restricted;

    xf_runs_free(&found);
    return is;
}

/* Once restricted, always restricted. */
static void restriction(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_claim harder = {.at = 1004, .restricted = true};
    struct xf_err err;
    int64_t run = 0, open = 0, token = 0;

    CHECK(xf_journal_is_restricted(j, "w.lua", &err) == 0);
    CHECK(begin(j, "{}", true, &run) == 1 && begin(j, "[]", false, &open) == 1);
    CHECK(restricted(j, run) && !restricted(j, open));
    CHECK(xf_journal_is_restricted(j, "w.lua", &err) == 1 && xf_journal_is_restricted(j, "v.lua", &err) == 0);
    CHECK(settle(j, run, 1, XF_RUN_WAITING, NULL, NULL) == 1 && claim(j, run, &token, false) == XF_CLAIMED);
    CHECK_ROW(restricted(j, run), "a claim that says nothing of it");
    CHECK(case_sql(c, "UPDATE runs SET restricted = 0 WHERE restricted = 1") == SQLITE_CONSTRAINT);
    CHECK(settle(j, open, 1, XF_RUN_WAITING, NULL, NULL) == 1);
    harder.run = open;
    CHECK(xf_journal_claim_run(j, &harder, &token, &err) == XF_CLAIMED && restricted(j, open));
    CHECK(settle(j, run, 2, XF_RUN_SUCCEEDED, NULL, NULL) == 1 &&
          xf_journal_is_restricted(j, "w.lua", &err) == 1);
    CHECK(settle(j, open, 2, XF_RUN_SUCCEEDED, NULL, NULL) == 1 &&
          xf_journal_is_restricted(j, "w.lua", &err) == 0);
    xf_journal_close(j);
}

static void schema(const struct journal_case *c)
{
    static const char *const refused[] = {
        "UPDATE runs SET state = 'succeeded'", /* with its owner still there */
        "UPDATE runs SET args = '{\"amount\":1}'",
        "UPDATE runs SET token = token + 2",
        "UPDATE runs SET token = token - 1",
        "UPDATE runs SET owner = owner + 1",
        "UPDATE runs SET state = 'gone'",
        "DELETE FROM runs",
        "INSERT INTO run_steps (run, seq, token, name, state, began_at) VALUES (1, 2, 2, 's', 'begun', 1)",
        "INSERT INTO run_steps (run, seq, token, name, state, began_at) VALUES (1, 3, 1, 's', 'begun', 1)",
        "INSERT OR REPLACE INTO run_steps (run, seq, token, name, state, began_at) VALUES (1, 1, 1, 's', 'begun', 1)",
        "INSERT OR REPLACE INTO runs SELECT * FROM runs",
        "UPDATE run_steps SET value = '2'",
        "UPDATE run_steps SET name = 'other'",
        "DELETE FROM run_steps",
    };
    struct xf_journal *j = case_open(c);

    CHECK(start(j, 0, NULL) == 1 && step(j, 1, 1, 1, "done") == 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        CHECK_ROW(case_sql(c, refused[i]) == SQLITE_CONSTRAINT, refused[i]);
    CHECK(settle(j, 1, 1, XF_RUN_SUCCEEDED, NULL, NULL) == 1);
    CHECK(case_sql(c, "UPDATE runs SET wake_at = 1") == SQLITE_CONSTRAINT);
    xf_journal_close(j);
}

static void each(void (*test)(const struct journal_case *))
{
    struct journal_case c = case_start();

    test(&c);
    case_end(&c);
}

int main(void)
{
    each(leases);
    each(gone);
    each(rows);
    each(waking);
    each(same);
    each(restriction);
    each(schema);
    return check_end();
}
