/* Reading pushes. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "journal_inside.h"
#include "journal_push.h"

/* In the order of COLUMNS in journal_sql_push.c. */
static const size_t push_texts[] = {
    offsetof(struct xf_push_row, trans_id),   offsetof(struct xf_push_row, reason),
    offsetof(struct xf_push_row, traceback),  offsetof(struct xf_push_row, note),
    offsetof(struct xf_push_row, device_ids), offsetof(struct xf_push_row, headers),
    offsetof(struct xf_push_row, body),
};

static void push_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_push_row *p = row;
    const char *kind = (const char *)sqlite3_column_text(s, column);
    const char *state = (const char *)sqlite3_column_text(s, column + 1);

    if (kind == NULL || !xf_push_kind_find(kind, &p->kind))
        p->kind = XF_PUSH_UNKNOWN; /* the schema's CHECK lets no other in */
    if (state == NULL || !xf_push_state_find(state, &p->state))
        p->state = XF_PUSH_STATES;
    p->id = sqlite3_column_int64(s, column + 2);
    p->body_size = (size_t)sqlite3_column_int64(s, column + 3);
    p->received_at = sqlite3_column_int64(s, column + 4);
    p->attempts = sqlite3_column_int64(s, column + 5);
    p->next_at = sqlite3_column_int64(s, column + 6);
    p->done_at = sqlite3_column_int64(s, column + 7);
}

static const struct xf_row_shape push_shape = {
    .size = sizeof(struct xf_push_row),
    .texts = push_texts,
    .count = sizeof push_texts / sizeof push_texts[0],
    .numbers = push_numbers,
};

static int read_pushes(struct xf_journal *j, sqlite3_stmt *statement, size_t limit, struct xf_pushes *out,
                       struct xf_err *err)
{
    struct xf_rows rows;

    if (statement == NULL || xf_rows_read(j, statement, &push_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_pushes){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_pushes_free(struct xf_pushes *pushes)
{
    xf_rows_free(pushes->rows, pushes->texts);
    *pushes = (struct xf_pushes){0};
}

static size_t page(size_t limit)
{
    return limit == 0 || limit > XF_JOURNAL_PAGE ? XF_JOURNAL_PAGE : limit;
}

int xf_journal_list_pushes(struct xf_journal *j, const struct xf_push_filter *f, struct xf_pushes *out,
                           struct xf_err *err)
{
    const size_t limit = page(f->limit);
    const char *key = f->device_id != NULL ? f->device_id : f->trans_id;
    enum xf_sql sql = f->device_id != NULL  ? XF_SQL_PUSH_LIST_DEVICE
                      : f->trans_id != NULL ? XF_SQL_PUSH_LIST_ID
                                            : XF_SQL_PUSH_LIST;
    char names[64] = ",";
    const char *wanted = f->states != 0 ? names : NULL;

    *out = (struct xf_pushes){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    for (int state = 0; state < XF_PUSH_STATES; state++) {
        const size_t used = strlen(names);

        if ((f->states & XF_PUSH_BIT(state)) != 0)
            (void)snprintf(names + used, sizeof names - used, "%s,",
                           xf_push_state_name((enum xf_push_state)state));
    }
    return read_pushes(j,
                       xf_sql_start(j, sql, err, key != NULL ? "tiiit" : "tiii", wanted, f->since, f->after,
                                    (int64_t)limit, key),
                       limit, out, err);
}

int xf_journal_due_pushes(struct xf_journal *j, int64_t now, size_t limit, struct xf_pushes *out,
                          struct xf_err *err)
{
    return xf_journal_due_pushes_after(j, now, 0, 0, 0, limit, out, err);
}

int xf_journal_due_pushes_after(struct xf_journal *j, int64_t now, int64_t after_at, int64_t after_id,
                                int64_t attempts, size_t limit, struct xf_pushes *out, struct xf_err *err)
{
    *out = (struct xf_pushes){0};
    limit = page(limit);
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_pushes(
        j, xf_sql_start(j, XF_SQL_PUSH_DUE, err, "iiiii", now, (int64_t)limit, after_at, after_id, attempts),
        limit, out, err);
}

int xf_journal_find_push(struct xf_journal *j, int64_t id, struct xf_pushes *out, struct xf_err *err)
{
    *out = (struct xf_pushes){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    if (read_pushes(j, xf_sql_start(j, XF_SQL_PUSH_FIND, err, "i", id), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

int xf_journal_count_pushes(struct xf_journal *j, struct xf_push_counts *out, struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    *out = (struct xf_push_counts){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_PUSH_COUNT, err, "i", (int64_t)XF_PUSH_COUNTED);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    if (row == 1) {
        out->waiting = sqlite3_column_int64(s, 0);
        out->oldest = sqlite3_column_int64(s, 1);
        out->next = sqlite3_column_int64(s, 2);
    }
    xf_sql_end(s);
    return row < 0 ? -1 : 0;
}

static const size_t event_texts[] = {
    offsetof(struct xf_push_event, what),
    offsetof(struct xf_push_event, by),
    offsetof(struct xf_push_event, from),
    offsetof(struct xf_push_event, reason),
};

static void event_numbers(sqlite3_stmt *s, int column, void *row)
{
    ((struct xf_push_event *)row)->at = sqlite3_column_int64(s, column);
}

static const struct xf_row_shape event_shape = {
    .size = sizeof(struct xf_push_event),
    .texts = event_texts,
    .count = sizeof event_texts / sizeof event_texts[0],
    .numbers = event_numbers,
};

int xf_journal_list_push_history(struct xf_journal *j, int64_t id, struct xf_push_history *out,
                                 struct xf_err *err)
{
    struct xf_rows rows;
    sqlite3_stmt *s;

    *out = (struct xf_push_history){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_PUSH_HISTORY, err, "ii", id, (int64_t)XF_JOURNAL_PAGE);
    if (s == NULL || xf_rows_read(j, s, &event_shape, XF_JOURNAL_PAGE, &rows, err) != 0)
        return -1;
    *out = (struct xf_push_history){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_push_history_free(struct xf_push_history *history)
{
    xf_rows_free(history->rows, history->texts);
    *history = (struct xf_push_history){0};
}
