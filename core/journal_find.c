/* Reading orders and their history. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "journal_inside.h"

/* In the order of ORDER_COLUMNS in journal_sql.c. */
static const size_t order_texts[] = {
    offsetof(struct xf_order, order),        offsetof(struct xf_order, fingerprint),
    offsetof(struct xf_order, company_code), offsetof(struct xf_order, merchant_id),
    offsetof(struct xf_order, device_no),    offsetof(struct xf_order, device_id),
    offsetof(struct xf_order, method),       offsetof(struct xf_order, variant),
    offsetof(struct xf_order, amount),       offsetof(struct xf_order, body),
    offsetof(struct xf_order, last_report),  offsetof(struct xf_order, command_id),
    offsetof(struct xf_order, proposal),     offsetof(struct xf_order, owner),
    offsetof(struct xf_order, by),
};

static void order_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_order *o = row;
    const char *state = (const char *)sqlite3_column_text(s, column);

    if (state == NULL || !xf_order_state_find(state, &o->state))
        o->state = XF_ORDER_STATES; /* the schema's CHECK lets no other in */
    o->row = sqlite3_column_int64(s, column + 1);
    o->bill_no = sqlite3_column_int(s, column + 2);
    o->code = sqlite3_column_int(s, column + 3);
    o->amount_thousandths = sqlite3_column_int64(s, column + 4);
    o->expire_time = sqlite3_column_int64(s, column + 5);
    o->deadline = sqlite3_column_int64(s, column + 6);
    o->created_at = sqlite3_column_int64(s, column + 7);
    o->updated_at = sqlite3_column_int64(s, column + 8);
    o->body_size = strlen(o->body);
}

static const struct xf_row_shape order_shape = {
    .size = sizeof(struct xf_order),
    .texts = order_texts,
    .count = sizeof order_texts / sizeof order_texts[0],
    .numbers = order_numbers,
};

static int read_orders(struct xf_journal *j, sqlite3_stmt *statement, size_t limit, struct xf_orders *out,
                       struct xf_err *err)
{
    struct xf_rows rows;

    if (statement == NULL || xf_rows_read(j, statement, &order_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_orders){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_orders_free(struct xf_orders *orders)
{
    xf_rows_free(orders->rows, orders->texts);
    *orders = (struct xf_orders){0};
}

static size_t page(size_t limit)
{
    return limit == 0 || limit > XF_JOURNAL_PAGE ? XF_JOURNAL_PAGE : limit;
}

int xf_journal_list_orders(struct xf_journal *j, const struct xf_order_filter *filter, struct xf_orders *out,
                           struct xf_err *err)
{
    char names[128] = ",";
    const char *wanted = filter->states != 0 ? names : NULL;
    size_t length = 1, limit = page(filter->limit);
    enum xf_sql id = XF_SQL_ORDER_LIST;
    const char *types = "tiii";

    *out = (struct xf_orders){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    for (int i = 0; i < XF_ORDER_STATES; i++)
        if ((filter->states & XF_ORDER_BIT(i)) != 0)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s,",
                                       xf_order_state_name((enum xf_order_state)i));
    if (filter->device_no != NULL) {
        id = XF_SQL_ORDER_LIST_DEVICE;
        types = "tiiit";
    } else if (filter->states != 0 && (filter->states & ~XF_ORDER_OPEN) == 0) {
        id = XF_SQL_ORDER_LIST_OPEN;
    }
    return read_orders(j,
                       xf_sql_start(j, id, err, types, wanted, filter->since, filter->after, (int64_t)limit,
                                    filter->device_no),
                       limit, out, err);
}

int xf_journal_find_order(struct xf_journal *j, enum xf_order_key key, const char *value, int bill_no,
                          struct xf_orders *out, struct xf_err *err)
{
    static const enum xf_sql finds[] = {
        [XF_ORDER_BY_ID] = XF_SQL_FIND_ID,
        [XF_ORDER_BY_COMMAND] = XF_SQL_FIND_COMMAND,
        [XF_ORDER_OPEN_OF_DEVICE] = XF_SQL_FIND_OPEN,
        [XF_ORDER_BY_BILL] = XF_SQL_FIND_BILL,
    };
    const char *types = key == XF_ORDER_BY_BILL ? "ti" : "t";

    *out = (struct xf_orders){0};
    if (xf_journal_ready(j, err) != 0 ||
        read_orders(j, xf_sql_start(j, finds[key], err, types, value, (int64_t)bill_no), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

static const size_t event_texts[] = {
    offsetof(struct xf_order_event, from),       offsetof(struct xf_order_event, to),
    offsetof(struct xf_order_event, by),         offsetof(struct xf_order_event, evidence),
    offsetof(struct xf_order_event, command_id), offsetof(struct xf_order_event, proposal),
};

static void event_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_order_event *e = row;

    e->seq = sqlite3_column_int(s, column);
    e->at = sqlite3_column_int64(s, column + 1);
    e->code = sqlite3_column_int(s, column + 2);
}

static const struct xf_row_shape event_shape = {
    .size = sizeof(struct xf_order_event),
    .texts = event_texts,
    .count = sizeof event_texts / sizeof event_texts[0],
    .numbers = event_numbers,
};

int xf_journal_list_history(struct xf_journal *j, const char *order, int after, struct xf_history *out,
                            struct xf_err *err)
{
    struct xf_rows rows;
    sqlite3_stmt *s;

    *out = (struct xf_history){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_HISTORY_LIST, err, "tii", order, (int64_t)after, (int64_t)XF_JOURNAL_PAGE);
    if (s == NULL || xf_rows_read(j, s, &event_shape, XF_JOURNAL_PAGE, &rows, err) != 0)
        return -1;
    *out = (struct xf_history){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_history_free(struct xf_history *history)
{
    xf_rows_free(history->rows, history->texts);
    *history = (struct xf_history){0};
}

int xf_journal_count_orders(struct xf_journal *j, int64_t after, size_t many, struct xf_order_counts *out,
                            struct xf_err *err)
{
    sqlite3_stmt *s;
    int row = -1;

    *out = (struct xf_order_counts){.last = after};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_ORDER_STATES, err, "ii", after, (int64_t)many);
    while (s != NULL && (row = xf_sql_row(j, s, err)) == 1) {
        const char *name = (const char *)sqlite3_column_text(s, 1);
        enum xf_order_state state;

        out->last = sqlite3_column_int64(s, 0);
        out->rows++;
        if (name != NULL && xf_order_state_find(name, &state)) {
            out->in[state]++;
            out->open += xf_order_is_open(state);
        }
    }
    xf_sql_end(s);
    return row;
}
