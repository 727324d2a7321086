/* One journal, one process: orders, bill numbers, meters, batches, and what the
 * schema itself refuses. */
#include "journal_case.h"
#include "journal_sighting.h"

static void placing(struct xf_journal *j)
{
    static const struct {
        const char *row, *order, *fingerprint, *device;
        int bill;
        enum xf_placed placed;
    } rows[] = {
        {"first", "A", "1", "m1", 1, XF_PLACED_NEW},
        {"same again", "A", "1", "m1", 1, XF_PLACED_SAME},
        {"other content", "A", "2", "m1", 1, XF_PLACED_CONFLICT},
        {"other content, other meter", "A", "2", "m2", 1, XF_PLACED_CONFLICT},
        {"the meter is taken", "B", "1", "m1", 2, XF_PLACED_BLOCKED},
        {"another meter", "B", "1", "m2", 1, XF_PLACED_NEW},
        {"a command without bill number", "C", "1", "m3", 0, XF_PLACED_NEW},
        {"no id", "", "1", "m4", 1, XF_PLACED_FAILED},
        {"no fingerprint", "D", NULL, "m4", 1, XF_PLACED_FAILED},
        {"bill number too high", "D", "1", "m4", 65536, XF_PLACED_FAILED},
        {"bill number negative", "D", "1", "m4", -1, XF_PLACED_FAILED},
        {"the highest bill number", "D", "1", "m4", 65535, XF_PLACED_NEW},
    };
    struct xf_err err;
    char *blocking;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xf_intent intent = case_intent(rows[i].order, rows[i].device, rows[i].bill);

        intent.fingerprint = rows[i].fingerprint;
        CHECK_ROW(xf_journal_place(j, &intent, &blocking, &err) == rows[i].placed, rows[i].row);
        CHECK_ROW((blocking != NULL) == (rows[i].placed == XF_PLACED_BLOCKED), rows[i].row);
        if (blocking != NULL)
            CHECK_TEXT(blocking, "A");
        free(blocking);
    }
}

static void frozen(struct xf_journal *j)
{
    struct xf_err err;
    struct xf_orders found;
    struct xf_intent intent = case_intent("frozen", "m-frozen", 7);
    const struct xf_order *o;

    intent.body = "{\"a\":\"\xe4\xbd\x99\"}";
    intent.body_size = strlen(intent.body);
    intent.last_report = "{\"buyCount\":3}";
    intent.by = "wang";
    CHECK(xf_journal_place(j, &intent, NULL, &err) == XF_PLACED_NEW);
    intent.body_size--;
    CHECK(xf_journal_place(j, &intent, NULL, &err) == XF_PLACED_FAILED);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_ID, "frozen", 0, &found, &err) == 1);
    o = found.rows;
    CHECK_TEXT(o->body, "{\"a\":\"\xe4\xbd\x99\"}");
    CHECK(o->body_size == 11 && o->bill_no == 7 && o->code == 0 && o->deadline == 0);
    CHECK_TEXT(o->amount, "100.00");
    CHECK(o->amount_thousandths == 100000 && o->expire_time == 86400 && o->created_at == 1000 &&
          o->updated_at == 1000);
    CHECK_TEXT(o->last_report, "{\"buyCount\":3}");
    CHECK_TEXT(o->by, "wang");
    CHECK(o->command_id == NULL && o->proposal == NULL);
    xf_orders_free(&found);

    intent = case_intent("no amount", "m-none", 0);
    intent.amount = NULL;
    CHECK(xf_journal_place(j, &intent, NULL, &err) == XF_PLACED_NEW);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_ID, "no amount", 0, &found, &err) == 1);
    CHECK(found.rows[0].amount == NULL && found.rows[0].amount_thousandths == 0);
    xf_orders_free(&found);
}

static int next_bill(struct xf_journal *j, const char *company, const char *device)
{
    struct xf_err err;
    int n;

    CHECK(xf_journal_begin(j, &err) == 0);
    n = xf_journal_next_bill(j, company, device, &err);
    xf_journal_rollback(j);
    return n;
}

static void bill_numbers(struct xf_journal *j)
{
    struct xf_err err;

    CHECK(xf_journal_next_bill(j, "C1", "b1", &err) == -1); /* not in a batch */
    CHECK(next_bill(j, "C1", "b1") == 1);
    CHECK(case_place(j, "b-1", "b1", 1) == XF_PLACED_NEW);
    CHECK(next_bill(j, "C1", "b1") == 2 && next_bill(j, "C2", "b1") == 1 && next_bill(j, "C1", "b2") == 1);
    CHECK(case_go(j, "b-1", XF_ORDER_SENT) == 0 && case_go(j, "b-1", XF_ORDER_REJECTED) == 0);
    CHECK(case_place(j, "b-2", "b1", 1) == XF_PLACED_BILL_REPEATED); /* not even after a rejection */
    CHECK(case_place(j, "b-2", "b1", 500) == XF_PLACED_NEW);
    CHECK(next_bill(j, "C1", "b1") == 501);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 600, &err) == 0 && next_bill(j, "C1", "b1") == 601);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 10, &err) == 0 && next_bill(j, "C1", "b1") == 601);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 0, &err) == -1);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 65536, &err) == -1);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 65534, &err) == 0 && next_bill(j, "C1", "b1") == 65535);
    CHECK(xf_journal_lift_bill(j, "C1", "b1", 65535, &err) == 0 && next_bill(j, "C1", "b1") == 0);
}

/* The way to each state. */
static const enum xf_order_state ways[XF_ORDER_STATES][4] = {
    [XF_ORDER_SENT] = {XF_ORDER_SENT},
    [XF_ORDER_ACCEPTED] = {XF_ORDER_SENT, XF_ORDER_ACCEPTED},
    [XF_ORDER_SUSPECT] = {XF_ORDER_SENT, XF_ORDER_ACCEPTED, XF_ORDER_SUSPECT},
    [XF_ORDER_UNKNOWN] = {XF_ORDER_SENT, XF_ORDER_UNKNOWN},
    [XF_ORDER_APPLIED] = {XF_ORDER_SENT, XF_ORDER_ACCEPTED, XF_ORDER_APPLIED},
    [XF_ORDER_CANCELLED] = {XF_ORDER_SENT, XF_ORDER_ACCEPTED, XF_ORDER_CANCELLED},
    [XF_ORDER_REJECTED] = {XF_ORDER_SENT, XF_ORDER_REJECTED},
    [XF_ORDER_NOT_APPLIED] = {XF_ORDER_SENT, XF_ORDER_UNKNOWN, XF_ORDER_NOT_APPLIED},
};

/* A new order in that state, of a meter of its own. */
static void bring(struct xf_journal *j, const char *order, enum xf_order_state state)
{
    CHECK_ROW(case_place(j, order, order, 1) == XF_PLACED_NEW, order);
    for (int i = 0; i < 4 && ways[state][i] != XF_ORDER_INTENT; i++)
        CHECK_ROW(case_go(j, order, ways[state][i]) == XF_ADVANCED, order);
    CHECK_ROW(case_state(j, order) == state, order);
}

#define ROW_OF "(SELECT row FROM orders WHERE order_id = "

static void transition(const struct journal_case *c, struct xf_journal *j, enum xf_order_state from,
                       enum xf_order_state to)
{
    const char *a = xf_order_state_name(from), *b = xf_order_state_name(to);
    bool may = xf_order_may(from, to);
    char order[64], raw[64], sql[512];

    (void)snprintf(order, sizeof order, "%s>%s", a, b);
    bring(j, order, from);
    CHECK_ROW(case_go(j, order, to) == (may ? XF_ADVANCED : XF_ADVANCED_REFUSED), order);
    CHECK_ROW(case_state(j, order) == (may ? to : from), order);

    /* behind the journal's back: a state alone never, a line of history only where it is legal */
    (void)snprintf(raw, sizeof raw, "raw %s>%s", a, b);
    bring(j, raw, from);
    (void)snprintf(sql, sizeof sql, "UPDATE standings SET state = '%s' WHERE row = " ROW_OF "'%s')", b, raw);
    CHECK_ROW(case_sql(c, sql) == SQLITE_CONSTRAINT, raw);
    (void)snprintf(sql, sizeof sql,
                   "UPDATE standings SET state = '%s', entries = entries + 1 WHERE row = " ROW_OF "'%s')", b,
                   raw);
    CHECK_ROW(case_sql(c, sql) == SQLITE_CONSTRAINT, raw);
    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO order_history (order_row, seq, at, from_state, to_state, actor, code, deadline,"
        " command_id) SELECT row, entries + 1, 1, state, '%s', 'x', 1, 1, %s FROM standings"
        " WHERE row = " ROW_OF "'%s')",
        b, to == XF_ORDER_ACCEPTED && from != to ? "'of ' || row" : "NULL", raw);
    CHECK_ROW(case_sql(c, sql) == (may || from == to ? SQLITE_OK : SQLITE_CONSTRAINT), raw);
    CHECK_ROW(case_state(j, raw) == (may ? to : from), raw);
}

static void transitions(const struct journal_case *c, struct xf_journal *j)
{
    for (int from = 0; from < XF_ORDER_STATES; from++)
        for (int to = 0; to < XF_ORDER_STATES; to++)
            transition(c, j, (enum xf_order_state)from, (enum xf_order_state)to);
}

/* An order like S, whose id and meter are what the texts say. */
#define PLACE_OTHER(insert, id, device)                                                                      \
    insert                                                                                                   \
        " (order_id, fingerprint, company_code, device_no, device_id, method, variant, body, expire_time,"   \
        " placed_by, placer, created_at) SELECT " id ", fingerprint, company_code, " device ", device_id,"   \
        " method, variant, body, expire_time, placed_by, placer, 1 FROM orders WHERE order_id = 'S'"

static void schema_refuses(const struct journal_case *c, struct xf_journal *j)
{
    static const char *const statements[] = {
        "DELETE FROM orders WHERE order_id = 'S'",
        "UPDATE orders SET body = '{}' WHERE order_id = 'S'",
        "UPDATE orders SET bill_no = 9 WHERE order_id = 'S'",
        "UPDATE orders SET thousandths = 1 WHERE order_id = 'S'",
        "UPDATE orders SET device_no = 'x' WHERE order_id = 'S'",
        "UPDATE orders SET order_id = 'T' WHERE order_id = 'S'",
        "INSERT OR REPLACE INTO orders SELECT * FROM orders WHERE order_id = 'S'",
        PLACE_OTHER("INSERT OR REPLACE INTO orders", "'T'", "device_no"),
        PLACE_OTHER("INSERT OR REPLACE INTO orders", "order_id", "'another'"),
        "DELETE FROM standings",
        "UPDATE standings SET command_id = 'x' WHERE row = " ROW_OF "'S')",
        "UPDATE standings SET command_id = NULL, entries = entries + 1 WHERE row = " ROW_OF "'S')",
        "UPDATE standings SET holds = NULL WHERE row = " ROW_OF "'S')",
        "UPDATE standings SET proposal = 'applied' WHERE row = " ROW_OF "'S')",
        "UPDATE OR REPLACE standings SET row = 1 WHERE row = " ROW_OF "'S')",
        "INSERT OR REPLACE INTO standings SELECT * FROM standings WHERE row = " ROW_OF "'S')",
        ("INSERT OR REPLACE INTO standings (row, entries, state, owner, updated_at)"
         " SELECT row, 1, 'intent', owner, 1 FROM standings WHERE row = " ROW_OF "'S')"),
        "UPDATE order_history SET to_state = 'applied'",
        "UPDATE order_history SET evidence = 'none'",
        "DELETE FROM order_history",
        "INSERT OR REPLACE INTO order_history SELECT * FROM order_history WHERE seq = 2",
        ("INSERT INTO order_history (order_row, seq, at, from_state, to_state, actor)"
         " SELECT row, entries + 2, 1, state, state, 'x' FROM standings WHERE row = " ROW_OF "'S')"),
        ("INSERT OR REPLACE INTO order_history (order_row, seq, at, from_state, to_state, actor)"
         " SELECT row, 2, 1, state, state, 'x' FROM standings WHERE row = " ROW_OF "'S')"),
        "UPDATE owners SET name = 'x'",
        "DELETE FROM owners",
        "UPDATE position SET commits = commits - 1",
        "INSERT OR REPLACE INTO position (one, commits) VALUES (1, 0)",
        "DELETE FROM position",
        "UPDATE bill_marks SET mark = 1",
        "DELETE FROM bill_marks",
    };
    struct xf_err err;

    bring(j, "S", XF_ORDER_ACCEPTED);
    CHECK(xf_journal_lift_bill(j, "C1", "S", 40, &err) == 0);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        CHECK_ROW(case_sql(c, statements[i]) == SQLITE_CONSTRAINT, statements[i]);
    CHECK(case_sql(
              c, "INSERT OR REPLACE INTO bill_marks (device_no, company_code, mark) VALUES ('S', 'C1', 3)") ==
          SQLITE_OK);
    CHECK(next_bill(j, "C1", "S") == 41);
    CHECK(case_state(j, "S") == XF_ORDER_ACCEPTED && case_state(j, "T") == XF_ORDER_STATES);
}

static void steps_that_lack(struct xf_journal *j)
{
    struct xf_err err;
    enum xf_order_state now = XF_ORDER_STATES;
    struct xf_step step = {.order = "L", .to = XF_ORDER_SENT, .at = 1};

    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_ABSENT && now == XF_ORDER_STATES);
    bring(j, "L", XF_ORDER_INTENT);
    bring(j, "M", XF_ORDER_ACCEPTED);
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_INCOMPLETE && now == XF_ORDER_INTENT);
    step.deadline = 5;
    step.command_id = "too early";
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_REFUSED);
    step.command_id = NULL;
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED && now == XF_ORDER_SENT);
    step.to = XF_ORDER_REJECTED;
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_INCOMPLETE && now == XF_ORDER_SENT);
    step.to = XF_ORDER_ACCEPTED;
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_INCOMPLETE && now == XF_ORDER_SENT);
    step.command_id = "M";
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_COMMAND_TAKEN && now == XF_ORDER_SENT);
    CHECK_TEXT(err.message, "command M belongs to order M already");
    step.command_id = "L";
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED && now == XF_ORDER_ACCEPTED);
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_REFUSED && now == XF_ORDER_ACCEPTED);
    step.to = XF_ORDER_APPLIED;
    step.command_id = "other";
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_COMMAND_TAKEN);
    step.command_id = "L"; /* repeating what is known does no harm */
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED && now == XF_ORDER_APPLIED);
    step.to = XF_ORDER_STATES;
    CHECK(xf_journal_advance(j, &step, &now, &err) == XF_ADVANCED_REFUSED && now == XF_ORDER_APPLIED);
}

static enum xf_advanced send_again(struct xf_journal *j, const char *order, int64_t at, int64_t deadline,
                                   struct xf_err *err)
{
    const struct xf_step step = {.order = order, .at = at, .deadline = deadline, .evidence = "again"};

    return xf_journal_send_again(j, &step, err);
}

/* What was marked and surely not let go goes out again, unless somebody gave it up meanwhile. */
static void sending_again(const struct journal_case *c, struct xf_journal *j)
{
    struct xf_journal *other = case_open(c);
    struct xf_orders found;
    struct xf_err err;

    CHECK(send_again(j, "G", 3000, 3060, &err) == XF_ADVANCED_ABSENT);
    for (int state = 0; state < XF_ORDER_STATES; state++) {
        char order[32];

        (void)snprintf(order, sizeof order, "G%d", state);
        bring(j, order, (enum xf_order_state)state);
        CHECK_ROW(send_again(j, order, 3000, 3060, &err) ==
                      (state == XF_ORDER_SENT ? XF_ADVANCED : XF_ADVANCED_REFUSED),
                  order);
        CHECK_ROW(case_state(j, order) == (enum xf_order_state)state, order);
    }
    bring(other, "Again", XF_ORDER_SENT);
    CHECK(send_again(j, "Again", 3000, 3060, &err) == XF_ADVANCED_REFUSED);
    CHECK_TEXT(err.message, "order Again is sent by another process: it is not sent again");
    CHECK(send_again(other, "Again", 3000, 3060, &err) == XF_ADVANCED);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_ID, "Again", 0, &found, &err) == 1 &&
          found.rows[0].deadline == 3060 && found.rows[0].updated_at == 3000);
    xf_orders_free(&found);
    CHECK(xf_journal_recover(j, 3060, &err) >= 0 && case_state(j, "Again") == XF_ORDER_SENT);
    CHECK(xf_journal_recover(j, 3061, &err) > 0 && case_state(j, "Again") == XF_ORDER_UNKNOWN);
    CHECK(send_again(other, "Again", 3062, 3090, &err) == XF_ADVANCED_REFUSED);
    CHECK_TEXT(err.message, "order Again is unknown: it is not sent again");
    xf_journal_close(other);
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void history(struct xf_journal *j)
{
    static const struct {
        const char *from, *to, *evidence, *proposal;
    } lines[] = {
        {NULL, "intent", NULL, NULL},           {"intent", "sent", NULL, NULL},
        {"sent", "unknown", "timed out", NULL}, {"unknown", "unknown", "report", "applied"},
        {"unknown", "unknown", "push", NULL},   {"unknown", "applied", "li: seen at the meter", NULL},
    };
    struct xf_err err;
    struct xf_history h;
    struct xf_orders found;
    struct xf_step step = {.order = "H", .to = XF_ORDER_UNKNOWN, .at = 3000, .evidence = "timed out"};

    bring(j, "H", XF_ORDER_SENT);
    CHECK(xf_journal_advance(j, &step, NULL, &err) == XF_ADVANCED);
    step.evidence = "report";
    step.proposal = "applied";
    CHECK(xf_journal_note(j, &step, NULL, &err) == XF_ADVANCED);
    step.evidence = "push";
    step.proposal = NULL;
    CHECK(xf_journal_note(j, &step, NULL, &err) == XF_ADVANCED);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_ID, "H", 0, &found, &err) == 1);
    CHECK_TEXT(found.rows[0].proposal, "applied");
    xf_orders_free(&found);
    step = (struct xf_step){
        .order = "H", .to = XF_ORDER_APPLIED, .at = 4000, .by = "li", .evidence = "li: seen at the meter"};
    CHECK(xf_journal_advance(j, &step, NULL, &err) == XF_ADVANCED);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_ID, "H", 0, &found, &err) == 1);
    CHECK(found.rows[0].proposal == NULL && found.rows[0].code == 0 && found.rows[0].updated_at == 4000 &&
          found.rows[0].deadline == 2060);
    xf_orders_free(&found);

    CHECK(xf_journal_list_history(j, "H", 0, &h, &err) == 0 && h.count == sizeof lines / sizeof lines[0]);
    for (size_t i = 0; i < h.count; i++) {
        CHECK(h.rows[i].seq == (int)i + 1);
        CHECK_TEXT(h.rows[i].to, lines[i].to);
        CHECK(same(h.rows[i].from, lines[i].from) && same(h.rows[i].evidence, lines[i].evidence));
        CHECK(same(h.rows[i].proposal, lines[i].proposal));
    }
    CHECK_TEXT(h.rows[0].by, "xfiot");
    CHECK_TEXT(h.rows[5].by, "li");
    CHECK(h.rows[0].at == 1000 && h.rows[5].at == 4000 && h.rows[1].code == 500014);
    xf_history_free(&h);
    CHECK(xf_journal_list_history(j, "H", 4, &h, &err) == 0 && h.count == 2 && h.rows[0].seq == 5);
    xf_history_free(&h);
    CHECK(xf_journal_list_history(j, "nobody", 0, &h, &err) == 0 && h.count == 0);
    xf_history_free(&h);
    CHECK(xf_journal_note(j, &step, NULL, &err) == XF_ADVANCED); /* closed orders learn too */
}

static void finding(struct xf_journal *j)
{
    struct xf_err err;
    struct xf_orders found;

    bring(j, "F1", XF_ORDER_UNKNOWN);
    bring(j, "F2", XF_ORDER_ACCEPTED);
    bring(j, "F3", XF_ORDER_APPLIED);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_BILL, "F1", 1, &found, &err) == 1);
    xf_orders_free(&found);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_BILL, "F1", 2, &found, &err) == 0);
    xf_orders_free(&found);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_BILL, "F3", 1, &found, &err) == 0);
    xf_orders_free(&found);
    CHECK(xf_journal_find_order(j, XF_ORDER_BY_COMMAND, "F2", 0, &found, &err) == 1);
    CHECK_TEXT(found.rows[0].order, "F2");
    xf_orders_free(&found);
    CHECK(xf_journal_find_order(j, XF_ORDER_OPEN_OF_DEVICE, "F2", 0, &found, &err) == 1);
    xf_orders_free(&found);
    CHECK(xf_journal_find_order(j, XF_ORDER_OPEN_OF_DEVICE, "F3", 0, &found, &err) == 0);
    xf_orders_free(&found);
}

/* How many orders a filter finds, read in pages of `limit`, oldest first. */
static size_t count(struct xf_journal *j, struct xf_order_filter filter, size_t limit)
{
    struct xf_err err;
    struct xf_orders page;
    size_t all = 0, got;

    filter.limit = limit;
    do {
        CHECK(xf_journal_list_orders(j, &filter, &page, &err) == 0);
        got = page.count;
        all += got;
        for (size_t i = 0; i < got; i++) {
            CHECK(page.rows[i].row > filter.after);
            filter.after = page.rows[i].row;
        }
        xf_orders_free(&page);
    } while (got == limit);
    return all;
}

static void listing(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    char order[32];

    j = case_open(&c);
    CHECK(count(j, (struct xf_order_filter){0}, 4) == 0);
    for (int i = 0; i < 30; i++) {
        (void)snprintf(order, sizeof order, "%02d", i);
        bring(j, order, i % 3 == 0 ? XF_ORDER_APPLIED : i % 3 == 1 ? XF_ORDER_SENT : XF_ORDER_INTENT);
    }
    CHECK(count(j, (struct xf_order_filter){0}, 4) == 30);
    CHECK(count(j, (struct xf_order_filter){0}, XF_JOURNAL_PAGE) == 30);
    CHECK(count(j, (struct xf_order_filter){.states = XF_ORDER_OPEN}, 7) == 20);
    CHECK(count(j, (struct xf_order_filter){.states = XF_ORDER_BIT(XF_ORDER_SENT)}, 3) == 10);
    CHECK(count(j, (struct xf_order_filter){.states = XF_ORDER_BIT(XF_ORDER_APPLIED)}, 3) == 10);
    CHECK(count(j, (struct xf_order_filter){.states = XF_ORDER_BIT(XF_ORDER_NOT_APPLIED)}, 3) == 0);
    CHECK(count(j, (struct xf_order_filter){.states = XF_ORDER_ALL}, 11) == 30);
    CHECK(count(j, (struct xf_order_filter){.device_no = "07"}, 5) == 1);
    CHECK(count(j, (struct xf_order_filter){.device_no = "07", .states = XF_ORDER_BIT(XF_ORDER_INTENT)}, 5) ==
          0);
    CHECK(count(j, (struct xf_order_filter){.since = 1000}, 5) == 30);
    CHECK(count(j, (struct xf_order_filter){.since = 1001}, 5) == 0);
    xf_journal_close(j);
    case_end(&c);
}

/* Of the meter d1, whose remembered report is of 20260102. */
static void pushed_reports(struct xf_journal *j)
{
    static const struct {
        const char *report, *time, *told;
    } rows[] = {
        {"{\"buyCount\":\"older\"}", "20260101235959", "{\"n\":2}"},
        {"{\"frozen\":1}", "20260103000000", "{\"n\":2}"},
        {"{\"buyCount\":\"4\"}", "20260104000000", "{\"buyCount\":\"4\"}"},
    };
    struct xf_devices found;
    struct xf_err err;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xf_sighting s = {
            .device_id = "id1", .report = rows[i].report, .report_time = rows[i].time, .seen_at = 10};

        CHECK_ROW(xf_journal_see(j, &s, &err) == 0, rows[i].report);
        CHECK_ROW(xf_journal_recall_device(j, "C1", "d1", &found, &err) == 1, rows[i].report);
        CHECK_TEXT(found.rows[0].report, rows[i].told);
        xf_devices_free(&found);
    }
}

static void devices(struct xf_journal *j)
{
    struct xf_err err;
    struct xf_devices found;
    struct xf_device d = {.company_code = "C1", .device_no = "d1", .device_id = "id1", .updated_at = 5};

    CHECK(xf_journal_recall_device(j, "C1", "d1", &found, &err) == 0);
    xf_devices_free(&found);
    CHECK(xf_journal_remember_device(j, &d, &err) == 0);
    d = (struct xf_device){.company_code = "C1",
                           .device_no = "d1",
                           .charge_type = "2",
                           .report = "{\"n\":2}",
                           .report_time = "20260102000000",
                           .updated_at = 6};
    CHECK(xf_journal_remember_device(j, &d, &err) == 0);
    d.report = "{\"n\":1}";
    d.report_time = "20260101000000"; /* late: older than the known one */
    d.charge_type = NULL;
    CHECK(xf_journal_remember_device(j, &d, &err) == 0);
    CHECK(xf_journal_lift_bill(j, "C1", "d1", 3, &err) == 0);
    CHECK(xf_journal_recall_device(j, "C1", "d1", &found, &err) == 1);
    CHECK_TEXT(found.rows[0].device_id, "id1");
    CHECK_TEXT(found.rows[0].charge_type, "2");
    CHECK_TEXT(found.rows[0].report, "{\"n\":2}");
    CHECK_TEXT(found.rows[0].report_time, "20260102000000");
    CHECK(found.rows[0].bill_mark == 3);
    xf_devices_free(&found);
    pushed_reports(j);
    CHECK(xf_journal_recall_device_id(j, "id1", &found, &err) == 1);
    CHECK_TEXT(found.rows[0].device_no, "d1");
    xf_devices_free(&found);
    CHECK(xf_journal_recall_device_id(j, "id2", &found, &err) == 0);
    xf_devices_free(&found);
    CHECK(xf_journal_recall_device(j, "C2", "d1", &found, &err) == 0);
    xf_devices_free(&found);
    d.report_time = NULL;
    CHECK(xf_journal_remember_device(j, &d, &err) == -1);
    d = (struct xf_device){.company_code = "C1"};
    CHECK(xf_journal_remember_device(j, &d, &err) == -1);
}

static void batches(const struct journal_case *c, struct xf_journal *j)
{
    struct xf_err err;
    struct xf_journal *other = case_open(c);

    CHECK(xf_journal_commit(j, &err) == -1 && !xf_journal_in_batch(j));
    CHECK(xf_journal_begin(j, &err) == 0 && xf_journal_in_batch(j));
    CHECK(xf_journal_begin(j, &err) == -1); /* does not nest, and does not end it */
    CHECK(xf_journal_tidy(j, &err) == -1 && xf_journal_accept_move(j, "person:a", 3000, &err) == -1);
    CHECK(case_place(j, "T1", "t1", 1) == XF_PLACED_NEW);
    CHECK(case_place(j, "T2", "t1", 2) == XF_PLACED_BLOCKED);
    CHECK(case_go(j, "T1", XF_ORDER_APPLIED) == XF_ADVANCED_REFUSED);
    CHECK(case_go(j, "T1", XF_ORDER_SENT) == XF_ADVANCED);
    CHECK(case_place(j, "T3", "t3", 1) == XF_PLACED_NEW);
    CHECK(case_state(other, "T1") == XF_ORDER_STATES); /* not before the commit */
    CHECK(xf_journal_commit(j, &err) == 0 && !xf_journal_in_batch(j));
    CHECK(case_state(other, "T1") == XF_ORDER_SENT && case_state(other, "T3") == XF_ORDER_INTENT);
    CHECK(case_state(other, "T2") == XF_ORDER_STATES);

    CHECK(xf_journal_begin(j, &err) == 0 && case_place(j, "T4", "t4", 1) == XF_PLACED_NEW);
    xf_journal_rollback(j);
    xf_journal_rollback(j);
    CHECK(case_state(j, "T4") == XF_ORDER_STATES && !xf_journal_in_batch(j));
    CHECK(xf_journal_tidy(j, &err) == 0);
    CHECK(xf_journal_begin(other, &err) == 0 && case_place(other, "T5", "t5", 1) == XF_PLACED_NEW);
    xf_journal_close(other); /* undoes it */
    CHECK(case_state(j, "T5") == XF_ORDER_STATES);
}

static void fingerprints(struct xf_journal *j)
{
    struct xf_err err;
    char out[XF_FINGERPRINT_SIZE];

    CHECK(xf_journal_fingerprint(j, "abc", 3, out, &err) == 0);
    CHECK_TEXT(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;

    j = case_open(&c);
    placing(j);
    frozen(j);
    bill_numbers(j);
    transitions(&c, j);
    schema_refuses(&c, j);
    steps_that_lack(j);
    sending_again(&c, j);
    history(j);
    finding(j);
    devices(j);
    batches(&c, j);
    fingerprints(j);
    xf_journal_close(j);
    case_end(&c);
    listing();
    return check_end();
}
