/* Pushes in the journal: admission, work, decisions, bounds, and what the schema
 * itself refuses. */
#include "journal_push.h"

#include <sys/stat.h>
#include <time.h>

#include "journal_case.h"

static struct xf_arrival arrival(const char *trans_id, const char *body)
{
    return (struct xf_arrival){.kind = XF_PUSH_REPORT,
                               .trans_id = trans_id,
                               .headers = "Content-Type: application/json\n",
                               .body = body,
                               .body_size = strlen(body),
                               .at = 1000};
}

/* Its id, or 0 when it was not written or is the row of another. */
static int64_t admit(struct xf_journal *j, const char *trans_id, const char *body)
{
    struct xf_arrival a = arrival(trans_id, body);
    struct xf_err err;
    int64_t id = 0;

    return xf_journal_admit_push(j, &a, &id, &err) == XF_ADMITTED_NEW ? id : 0;
}

static void admission(struct xf_journal *j)
{
    static const struct {
        const char *row, *trans_id, *body, *reason;
        enum xf_admitted admitted;
        const char *state, *kept; /* of the row it is about; kept: its reason */
    } rows[] = {
        {"first", "A", "[1]", NULL, XF_ADMITTED_NEW, "new", NULL},
        {"the same again", "A", "[1]", NULL, XF_ADMITTED_REPEATED, "new", NULL},
        {"the same again, by now stale", "A", "[1]", XF_PUSH_STALE, XF_ADMITTED_REPEATED, "new", NULL},
        {"another body", "A", "[2]", NULL, XF_ADMITTED_QUARANTINED, "quarantined", "conflict"},
        {"the other body again", "A", "[2]", NULL, XF_ADMITTED_REPEATED, "quarantined", "conflict"},
        {"a third body, stale", "A", "[3]", XF_PUSH_STALE, XF_ADMITTED_QUARANTINED, "quarantined", "stale"},
        {"same length, other bytes", "A", "[4]", NULL, XF_ADMITTED_QUARANTINED, "quarantined", "conflict"},
        {"another id, the same body", "B", "[1]", NULL, XF_ADMITTED_NEW, "new", NULL},
        {"stale", "C", "[1]", XF_PUSH_STALE, XF_ADMITTED_QUARANTINED, "quarantined", "stale"},
        {"garbled on its way", "D", "[1", XF_PUSH_NOT_JSON, XF_ADMITTED_QUARANTINED, "quarantined",
         "not_json"},
        {"garbled again", "D", "[1", XF_PUSH_NOT_JSON, XF_ADMITTED_REPEATED, "quarantined", "not_json"},
        {"what was meant", "D", "[1]", NULL, XF_ADMITTED_NEW, "new", NULL},
        {"empty", "E", "", XF_PUSH_NOT_JSON, XF_ADMITTED_QUARANTINED, "quarantined", "not_json"},
    };
    struct xf_pushes found;
    struct xf_err err;
    int64_t id;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xf_arrival a = arrival(rows[i].trans_id, rows[i].body);
        const struct xf_push_row *p;

        a.reason = rows[i].reason;
        CHECK_ROW(xf_journal_admit_push(j, &a, &id, &err) == rows[i].admitted, rows[i].row);
        if (!CHECK_ROW(xf_journal_find_push(j, id, &found, &err) == 1, rows[i].row))
            continue;
        p = found.rows;
        CHECK_TEXT(xf_push_state_name(p->state), rows[i].state);
        CHECK_ROW((p->reason == NULL) == (rows[i].kept == NULL), rows[i].row);
        if (p->reason != NULL && rows[i].kept != NULL)
            CHECK_TEXT(p->reason, rows[i].kept);
        CHECK_TEXT(p->body, rows[i].body);
        CHECK_ROW(p->body_size == strlen(rows[i].body) && p->kind == XF_PUSH_REPORT &&
                      p->received_at == 1000 && p->next_at == 1000,
                  rows[i].row);
        xf_pushes_free(&found);
    }
}

static void bytes_stay(struct xf_journal *j)
{
    static const char body[] = "[\"\0\xff\"]";
    struct xf_arrival a = arrival("bytes", "");
    struct xf_pushes found;
    struct xf_err err;
    int64_t id;

    a.body = body;
    a.body_size = sizeof body - 1;
    CHECK(xf_journal_admit_push(j, &a, &id, &err) == XF_ADMITTED_NEW);
    CHECK(xf_journal_find_push(j, id, &found, &err) == 1 && found.rows[0].body_size == sizeof body - 1 &&
          memcmp(found.rows[0].body, body, sizeof body - 1) == 0);
    CHECK_TEXT(found.rows[0].headers, "Content-Type: application/json\n");
    xf_pushes_free(&found);
    CHECK(xf_journal_find_push(j, 123456, &found, &err) == 0);
    xf_pushes_free(&found);

    a.trans_id = NULL;
    CHECK(xf_journal_admit_push(j, &a, NULL, &err) == XF_ADMITTED_FAILED);
    a = arrival("bytes", "");
    a.body = NULL;
    CHECK(xf_journal_admit_push(j, &a, NULL, &err) == XF_ADMITTED_FAILED);
    a = arrival("bytes", "");
    a.kind = XF_PUSH_KINDS;
    CHECK(xf_journal_admit_push(j, &a, NULL, &err) == XF_ADMITTED_FAILED);
}

/* The ids that are due, as a text of numbers relative to `first`. */
static const char *due(struct xf_journal *j, int64_t now, int64_t first, char *out, size_t size)
{
    struct xf_pushes found;
    struct xf_err err;
    size_t used = 0;

    out[0] = '\0';
    CHECK(xf_journal_due_pushes(j, now, 0, &found, &err) == 0);
    for (size_t i = 0; i < found.count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%d ", (int)(found.rows[i].id - first));
    xf_pushes_free(&found);
    return out;
}

static int finish(struct xf_journal *j, int64_t id, enum xf_push_state to, int64_t next_at)
{
    struct xf_push_step step = {.id = id, .to = to, .at = 2000, .next_at = next_at, .reason = "because"};
    struct xf_err err;

    return xf_journal_finish_push(j, &step, &err);
}

static void work(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_err err;
    struct xf_push_counts counts;
    struct xf_pushes found;
    char text[64];
    int64_t first = admit(j, "w0", "[]");

    for (int i = 1; i < 5; i++) {
        (void)snprintf(text, sizeof text, "w%d", i);
        CHECK(admit(j, text, "[]") == first + i);
    }
    CHECK_TEXT(due(j, 999, first, text, sizeof text), "");
    CHECK_TEXT(due(j, 1000, first, text, sizeof text), "0 1 2 3 4 ");
    CHECK(xf_journal_count_pushes(j, &counts, &err) == 0 && counts.waiting == 5 && counts.oldest == 1000 &&
          counts.next == 1000);

    /* an attempt that is never heard of again is due later, and counted */
    CHECK(xf_journal_begin_push(j, first, 1010, &err) == 1);
    CHECK_TEXT(due(j, 1009, first, text, sizeof text), "1 2 3 4 ");
    CHECK_TEXT(due(j, 1010, first, text, sizeof text), "1 2 3 4 0 ");
    CHECK(finish(j, first, XF_PUSH_NEW, 0) == -1 && finish(j, first, XF_PUSH_DONE, 1) == -1 &&
          finish(j, first, XF_PUSH_FAILED, 1) == -1 && finish(j, first, XF_PUSH_STATES, 1) == -1);
    CHECK(finish(j, first, XF_PUSH_NEW, 1020) == 1 && finish(j, first + 1, XF_PUSH_DONE, 0) == 1 &&
          finish(j, first + 2, XF_PUSH_FAILED, 0) == 1 &&
          finish(j, first + 3, XF_PUSH_QUARANTINED, 1500) == 1);
    CHECK_TEXT(due(j, 1500, first, text, sizeof text), "4 0 3 ");
    CHECK(xf_journal_begin_push(j, first + 1, 1, &err) == 0 && finish(j, first + 1, XF_PUSH_DONE, 0) == 0 &&
          xf_journal_begin_push(j, first + 2, 1, &err) == 0 && xf_journal_begin_push(j, 999, 1, &err) == 0);
    CHECK(finish(j, first + 3, XF_PUSH_QUARANTINED, 0) == 1); /* its handler has been told */
    CHECK_TEXT(due(j, 9999, first, text, sizeof text), "4 0 ");
    CHECK(xf_journal_count_pushes(j, &counts, &err) == 0 && counts.waiting == 2 && counts.next == 1000);
    CHECK(xf_journal_find_push(j, first, &found, &err) == 1 && found.rows[0].attempts == 1 &&
          found.rows[0].state == XF_PUSH_NEW);
    CHECK_TEXT(found.rows[0].reason, "because");
    xf_pushes_free(&found);

    CHECK(finish(j, first, XF_PUSH_DONE, 0) == 1 && finish(j, first + 4, XF_PUSH_DONE, 0) == 1);
    CHECK(xf_journal_count_pushes(j, &counts, &err) == 0 && counts.waiting == 0 && counts.oldest == 0 &&
          counts.next == 0);
    xf_journal_close(j);
}

static void decisions(struct xf_journal *j)
{
    struct xf_arrival a = arrival("decided", "[]");
    struct xf_push_history history;
    struct xf_pushes found;
    struct xf_err err;
    int64_t id;

    a.reason = XF_PUSH_STALE;
    CHECK(xf_journal_admit_push(j, &a, &id, &err) == XF_ADMITTED_QUARANTINED);
    CHECK(xf_journal_begin_push(j, id, 1100, &err) == 1);
    CHECK(xf_journal_replay_push(j, id, "wang", 3000, &err) == 1);
    CHECK(xf_journal_find_push(j, id, &found, &err) == 1 && found.rows[0].state == XF_PUSH_NEW &&
          found.rows[0].reason == NULL && found.rows[0].attempts == 0 && found.rows[0].next_at == 3000);
    xf_pushes_free(&found);
    CHECK(xf_journal_discard_push(j, id, "li", 3001, &err) == 1);
    CHECK(xf_journal_discard_push(j, id, "li", 3002, &err) == 0);
    CHECK(xf_journal_find_push(j, id, &found, &err) == 1 && found.rows[0].state == XF_PUSH_DONE &&
          found.rows[0].next_at == 0 && found.rows[0].done_at == 3001);
    CHECK_TEXT(found.rows[0].reason, "discarded by li");
    xf_pushes_free(&found);
    CHECK(xf_journal_replay_push(j, id, NULL, 3003, &err) == 1);
    CHECK(xf_journal_replay_push(j, 123456, NULL, 1, &err) == 0 &&
          xf_journal_discard_push(j, 123456, NULL, 1, &err) == 0);

    CHECK(xf_journal_list_push_history(j, id, &history, &err) == 0);
    if (CHECK(history.count == 3)) {
        CHECK_TEXT(history.rows[0].what, "replayed");
        CHECK_TEXT(history.rows[0].by, "wang");
        CHECK_TEXT(history.rows[0].from, "quarantined");
        CHECK_TEXT(history.rows[0].reason, "stale");
        CHECK_TEXT(history.rows[1].what, "discarded");
        CHECK(history.rows[1].at == 3001 && history.rows[1].reason == NULL);
        CHECK_TEXT(history.rows[2].by, "xfiot");
    }
    xf_push_history_free(&history);
}

static size_t count(struct xf_journal *j, struct xf_push_filter filter)
{
    struct xf_pushes found;
    struct xf_err err;
    size_t n = 0;

    if (CHECK(xf_journal_list_pushes(j, &filter, &found, &err) == 0))
        n = found.count;
    for (size_t i = 0; i < n; i++)
        CHECK(found.rows[i].body == NULL && found.rows[i].headers == NULL);
    xf_pushes_free(&found);
    return n;
}

static void listing(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_push_step step = {.to = XF_PUSH_DONE, .at = 2000, .device_ids = "[\"d1\",\"d2\",3,\"d1\"]"};
    struct xf_err err;

    step.id = admit(j, "l1", "[1]");
    CHECK(xf_journal_finish_push(j, &step, &err) == 1);
    step = (struct xf_push_step){.to = XF_PUSH_FAILED, .at = 2000, .device_ids = "[\"d2\"]"};
    step.id = admit(j, "l2", "[1]");
    CHECK(xf_journal_finish_push(j, &step, &err) == 1);
    CHECK(admit(j, "l3", "[1]") > 0);
    step.device_ids = "[";
    step.id++;
    CHECK(xf_journal_finish_push(j, &step, &err) == -1); /* no JSON: nothing of it is written */

    CHECK(count(j, (struct xf_push_filter){.device_id = "d1"}) == 1);
    CHECK(count(j, (struct xf_push_filter){.device_id = "d2"}) == 2);
    CHECK(count(j, (struct xf_push_filter){.device_id = "d2", .states = XF_PUSH_BIT(XF_PUSH_FAILED)}) == 1);
    CHECK(count(j, (struct xf_push_filter){.device_id = "d3"}) == 0);
    CHECK(count(j, (struct xf_push_filter){.trans_id = "l2"}) == 1);
    CHECK(count(j, (struct xf_push_filter){.states = XF_PUSH_BIT(XF_PUSH_NEW) | XF_PUSH_BIT(XF_PUSH_DONE)}) ==
          2);
    CHECK(count(j, (struct xf_push_filter){.since = 1001}) == 0);
    CHECK(count(j, (struct xf_push_filter){.after = step.id}) == 0);
    CHECK(count(j, (struct xf_push_filter){.limit = 2}) == 2);
    xf_journal_close(j);
}

/* Bounds: bodies that are no JSON, and bodies under one transId. */
static void bounds(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct xf_arrival a = arrival("full", "");
    struct xf_pushes found;
    struct xf_err err;
    char text[32];
    int64_t first = 0, id;
    int admitted = 0;

    CHECK(xf_journal_begin(j, &err) == 0);
    for (int i = 0; i <= XF_PUSH_SAME_ID_ROWS; i++) {
        (void)snprintf(text, sizeof text, "[%d]", i);
        a.body = text;
        a.body_size = strlen(text);
        admitted += xf_journal_admit_push(j, &a, NULL, &err) != XF_ADMITTED_FULL;
    }
    CHECK(admitted == XF_PUSH_SAME_ID_ROWS);
    a.body = "[0]";
    a.body_size = 3;
    CHECK(xf_journal_admit_push(j, &a, NULL, &err) == XF_ADMITTED_REPEATED);

    a = arrival("", "[");
    a.trans_id = text;
    a.reason = XF_PUSH_NOT_JSON;
    for (int i = 0; i < XF_PUSH_NOT_JSON_ROWS + 10; i++) {
        (void)snprintf(text, sizeof text, "n%d", i);
        CHECK(xf_journal_admit_push(j, &a, &id, &err) == XF_ADMITTED_QUARANTINED);
        first = first == 0 ? id : first;
    }
    CHECK(xf_journal_commit(j, &err) == 0);
    CHECK(xf_journal_find_push(j, first + 9, &found, &err) == 0);
    xf_pushes_free(&found);
    CHECK(xf_journal_find_push(j, first + 10, &found, &err) == 1);
    xf_pushes_free(&found);
    xf_journal_close(j);
}

static void schema(const struct journal_case *c)
{
    static const char *const refused[] = {
        "UPDATE pushes SET body = x'00'",
        "UPDATE pushes SET headers = ''",
        "UPDATE pushes SET body_hash = 1",
        "UPDATE pushes SET refused = 1",
        "UPDATE pushes SET trans_id = 'other'",
        "UPDATE pushes SET received_at = 0",
        "UPDATE pushes SET kind = 'response'",
        "UPDATE pushes SET state = 'gone'",
        "UPDATE pushes SET state = 'done'", /* with next_at still there */
        "UPDATE pushes SET state = 'quarantined', reason = NULL",
        "DELETE FROM pushes",
        "UPDATE push_history SET actor = 'nobody'",
        "DELETE FROM push_history",
    };
    struct xf_journal *j = case_open(c);
    struct xf_err err;
    int64_t id = admit(j, "s", "[]");

    CHECK(xf_journal_replay_push(j, id, "wang", 1, &err) == 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        CHECK_ROW(case_sql(c, refused[i]) == SQLITE_CONSTRAINT, refused[i]);
    xf_journal_close(j);
}

/* What one batch admits is on disk with its commit, and none of it without. */
static void batches(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c), *other = case_open(c);
    struct xf_err err;

    CHECK(xf_journal_begin(j, &err) == 0);
    CHECK(admit(j, "b1", "[]") > 0 && admit(j, "b2", "[]") > 0);
    CHECK(count(other, (struct xf_push_filter){0}) == 0);
    xf_journal_rollback(j);
    CHECK(count(j, (struct xf_push_filter){0}) == 0);
    CHECK(xf_journal_begin(j, &err) == 0);
    CHECK(admit(j, "b1", "[]") > 0 && admit(j, "b2", "[]") > 0);
    CHECK(xf_journal_commit(j, &err) == 0);
    CHECK(count(other, (struct xf_push_filter){0}) == 2);
    xf_journal_close(other);
    xf_journal_close(j);
}

static void each(void (*test)(const struct journal_case *c))
{
    struct journal_case c = case_start();

    test(&c);
    case_end(&c);
}

/* ---- clearing */

enum { DAY = 86400 };

/* A push that came so long ago and, unless it is to stay new, ended then. */
static int64_t aged(struct xf_journal *j, const char *trans_id, int64_t at, enum xf_push_state state,
                    const char *device_ids)
{
    struct xf_arrival a = arrival(trans_id, "[1]");
    struct xf_push_step step = {.to = state, .at = at, .reason = "because", .device_ids = device_ids};
    struct xf_err err;

    a.at = at;
    CHECK(xf_journal_admit_push(j, &a, &step.id, &err) == XF_ADMITTED_NEW);
    if (state != XF_PUSH_NEW)
        CHECK(xf_journal_finish_push(j, &step, &err) == 1);
    return step.id;
}

static bool is_there(struct xf_journal *j, int64_t id)
{
    struct xf_pushes found;
    struct xf_err err;
    const bool there = xf_journal_find_push(j, id, &found, &err) == 1;

    xf_pushes_free(&found);
    return there;
}

/* What a query of another program says. */
static int number(const struct journal_case *c, const char *query)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int n = -1;

    if (sqlite3_open(c->path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

/* All that may go; how many went. */
static int64_t clear_all(struct xf_journal *j, int64_t now, int64_t keep)
{
    struct xf_clearing c = {.now = now, .keep = keep};
    struct xf_cleared cleared = {0};
    struct xf_err err;
    int64_t count = 0;

    while (!cleared.over && CHECK(xf_journal_clear_pushes(j, &c, &cleared, &err) == 0)) {
        count += cleared.count;
        c.after = cleared.last;
    }
    return count;
}

static void clearing(const struct journal_case *c)
{
    const int64_t now = (int64_t)time(NULL);
    const struct {
        const char *row;
        int64_t age;
        enum xf_push_state state;
        const char *devices;
        bool goes;
    } rows[] = {
        {"done long ago", 91 * DAY, XF_PUSH_DONE, "[\"d\"]", true},
        {"of several meters", 91 * DAY, XF_PUSH_DONE, "[\"d\",\"e\"]", true},
        {"of no meter", 91 * DAY, XF_PUSH_DONE, "[]", true},
        {"of nobody knows whom", 91 * DAY, XF_PUSH_DONE, NULL, true},
        {"new", 91 * DAY, XF_PUSH_NEW, NULL, false},
        {"failed", 91 * DAY, XF_PUSH_FAILED, "[\"d\"]", false},
        {"quarantined", 91 * DAY, XF_PUSH_QUARANTINED, "[\"d\"]", false},
        {"of a meter with an open order", 91 * DAY, XF_PUSH_DONE, "[\"open\"]", false},
        {"also of one", 91 * DAY, XF_PUSH_DONE, "[\"d\",\"open\"]", false},
        {"of a meter whose order has ended", 91 * DAY, XF_PUSH_DONE, "[\"closed\"]", true},
        {"from the future", -1000 * DAY, XF_PUSH_DONE, "[\"d\"]", false},
        {"long ago, after one from the future", 91 * DAY, XF_PUSH_DONE, "[\"d\"]", true},
        {"to the second", 90 * DAY, XF_PUSH_DONE, "[\"d\"]", true},
        {"a second too young", 90 * DAY - 1, XF_PUSH_DONE, "[\"d\"]", false},
        {"the last of all, whose number must not come again", 91 * DAY, XF_PUSH_DONE, "[\"d\"]", false},
    };
    struct xf_journal *j = case_open(c);
    int64_t ids[sizeof rows / sizeof rows[0]], gone = 0;

    CHECK(case_place(j, "o1", "open", 1) == XF_PLACED_NEW && case_go(j, "o1", XF_ORDER_SENT) == XF_ADVANCED &&
          case_go(j, "o1", XF_ORDER_UNKNOWN) == XF_ADVANCED);
    CHECK(case_place(j, "o2", "closed", 1) == XF_PLACED_NEW &&
          case_go(j, "o2", XF_ORDER_SENT) == XF_ADVANCED &&
          case_go(j, "o2", XF_ORDER_REJECTED) == XF_ADVANCED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ids[i] = aged(j, rows[i].row, now - rows[i].age, rows[i].state, rows[i].devices);
        gone += rows[i].goes;
    }
    CHECK(clear_all(j, now, 90 * DAY) == gone);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(is_there(j, ids[i]) == !rows[i].goes, rows[i].row);
    CHECK(clear_all(j, now, 90 * DAY) == 0);
    CHECK(count(j, (struct xf_push_filter){.device_id = "e"}) == 0);
    CHECK(number(c, "SELECT count(*) FROM push_devices WHERE device_id = 'e'") == 0);
    CHECK(number(c, "SELECT count(*) FROM push_devices WHERE device_id = 'open'") == 2);
    /* once the order is decided nothing rests on them any more */
    CHECK(case_go(j, "o1", XF_ORDER_NOT_APPLIED) == XF_ADVANCED && clear_all(j, now, 90 * DAY) == 2);
    CHECK(aged(j, "next", now, XF_PUSH_NEW, NULL) == ids[sizeof rows / sizeof rows[0] - 1] + 1);
    xf_journal_close(j);
}

/* Neither young ones, nor by any other way. */
static void clearing_is_guarded(const struct journal_case *c)
{
    const int64_t now = (int64_t)time(NULL);
    struct xf_journal *j = case_open(c);
    const struct xf_clearing hasty = {.now = now, .keep = DAY - 1};
    struct xf_cleared cleared;
    struct xf_err err;
    int64_t id = aged(j, "young", now - DAY + 3600, XF_PUSH_DONE, "[\"d\"]"), old;

    (void)aged(j, "last", now, XF_PUSH_NEW, NULL);
    CHECK(xf_journal_clear_pushes(j, &hasty, &cleared, &err) == -1);
    CHECK(clear_all(j, now + 1000 * DAY, DAY) == 0); /* a caller whose clock is wrong */
    CHECK(case_sql(c, "DELETE FROM pushes WHERE id = 1") == SQLITE_CONSTRAINT && is_there(j, id));
    old = aged(j, "old", now - 3 * DAY, XF_PUSH_DONE, "[\"d\"]");
    (void)aged(j, "decided", now - 3 * DAY, XF_PUSH_FAILED, NULL);
    CHECK(xf_journal_discard_push(j, old + 1, "wang", now - 2 * DAY, &err) == 1);
    (void)aged(j, "really last", now, XF_PUSH_NEW, NULL);
    CHECK(clear_all(j, now, DAY) == 2 && !is_there(j, old) && !is_there(j, old + 1) && is_there(j, id));
    CHECK(number(c, "SELECT count(*) FROM push_history WHERE actor = 'wang'") == 1);
    CHECK(case_sql(c, "UPDATE push_history SET actor = 'li'") == SQLITE_CONSTRAINT);
    xf_journal_close(j);
}

/* Many from a time when the clock was wrong do not stand in the way; those that are
 * recent end the search. */
static void clearing_in_stretches(const struct journal_case *c)
{
    enum { MANY = XF_PUSH_CLEARED_MOST + 10 };
    const int64_t now = (int64_t)time(NULL);
    const int64_t ages[] = {-500 * DAY, 91 * DAY, DAY, DAY, 91 * DAY};
    struct xf_clearing clearing = {.now = now, .keep = 90 * DAY};
    struct xf_cleared cleared = {0};
    struct xf_journal *j = case_open(c);
    char trans_id[32];
    struct xf_err err;

    CHECK(xf_journal_begin(j, &err) == 0);
    for (int i = 0; i < 5 * MANY; i++) {
        (void)snprintf(trans_id, sizeof trans_id, "t%d", i);
        (void)aged(j, trans_id, now - ages[i / MANY], XF_PUSH_DONE, "[]");
    }
    CHECK(xf_journal_commit(j, &err) == 0);
    CHECK(xf_journal_clear_pushes(j, &clearing, &cleared, &err) == 0 && cleared.count == 0 && !cleared.over &&
          cleared.last == XF_PUSH_CLEARED_MOST);
    CHECK(clear_all(j, now, 90 * DAY) == MANY);
    CHECK(number(c, "SELECT count(*) FROM pushes") == 4 * MANY);
    CHECK(clear_all(j, now, DAY) == 3 * MANY - 1); /* those that ended the search are old themselves */
    xf_journal_close(j);
}

/* Days of pushes, each cleared after a while: the file grows no more. */
static void space_is_used_again(const struct journal_case *c)
{
    enum { DAYS = 12, KEPT = 3, A_DAY = 400 };
    const int64_t start = (int64_t)time(NULL) - 30 * DAY;
    struct xf_journal *j = case_open(c);
    char body[1200], trans_id[32], devices[32];
    struct stat st;
    off_t size = 0;
    struct xf_err err;

    memset(body, ' ', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    for (int day = 0; day < DAYS; day++) {
        CHECK(xf_journal_begin(j, &err) == 0);
        for (int i = 0; i < A_DAY; i++) {
            struct xf_arrival a = {.kind = XF_PUSH_REPORT, .trans_id = trans_id, .body = body};
            struct xf_push_step step = {.to = XF_PUSH_DONE, .device_ids = devices};

            a.body_size = sizeof body - 1;
            a.at = step.at = start + day * DAY;
            (void)snprintf(trans_id, sizeof trans_id, "2026%02d%04d", day, i);
            (void)snprintf(devices, sizeof devices, "[\"%08d\"]", i);
            CHECK(xf_journal_admit_push(j, &a, &step.id, &err) == XF_ADMITTED_NEW &&
                  xf_journal_finish_push(j, &step, &err) == 1);
        }
        CHECK(xf_journal_commit(j, &err) == 0);
        CHECK(clear_all(j, start + day * DAY, KEPT * DAY) == (day >= KEPT ? A_DAY : 0));
        CHECK(xf_journal_tidy(j, &err) == 0 && stat(c->path, &st) == 0);
        if (day == 2 * KEPT)
            size = st.st_size;
    }
    CHECK(size > 0 && st.st_size < size + size / 20);
    xf_journal_close(j);
}

int main(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j = case_open(&c);

    admission(j);
    bytes_stay(j);
    decisions(j);
    xf_journal_close(j);
    case_end(&c);
    each(work);
    each(listing);
    each(bounds);
    each(schema);
    each(batches);
    each(clearing);
    each(clearing_is_guarded);
    each(clearing_in_stretches);
    each(space_is_used_again);
    return check_end();
}
