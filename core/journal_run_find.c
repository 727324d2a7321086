/* Reading runs. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "journal_inside.h"
#include "journal_run.h"

/* In the order of COLUMNS in journal_sql_run.c. */
static const size_t run_texts[] = {
    offsetof(struct xf_run, workflow), offsetof(struct xf_run, company_code), offsetof(struct xf_run, key),
    offsetof(struct xf_run, script),   offsetof(struct xf_run, hash),         offsetof(struct xf_run, args),
    offsetof(struct xf_run, step),     offsetof(struct xf_run, waiting_for),  offsetof(struct xf_run, order),
    offsetof(struct xf_run, result),   offsetof(struct xf_run, error),        offsetof(struct xf_run, owner),
};

static void run_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_run *r = row;
    const char *state = (const char *)sqlite3_column_text(s, column);

    if (state == NULL || !xf_run_state_find(state, &r->state))
        r->state = XF_RUN_STATES; /* the schema's CHECK lets no other in */
    r->id = sqlite3_column_int64(s, column + 1);
    r->campaign = sqlite3_column_int64(s, column + 2);
    r->token = sqlite3_column_int64(s, column + 3);
    r->wake_at = sqlite3_column_int64(s, column + 4);
    r->created_at = sqlite3_column_int64(s, column + 5);
    r->updated_at = sqlite3_column_int64(s, column + 6);
    r->restricted = sqlite3_column_int(s, column + 7) != 0;
}

static const struct xf_row_shape run_shape = {
    .size = sizeof(struct xf_run),
    .texts = run_texts,
    .count = sizeof run_texts / sizeof run_texts[0],
    .numbers = run_numbers,
};

static int read_runs(struct xf_journal *j, sqlite3_stmt *statement, size_t limit, struct xf_runs *out,
                     struct xf_err *err)
{
    struct xf_rows rows;

    if (statement == NULL || xf_rows_read(j, statement, &run_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_runs){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_runs_free(struct xf_runs *runs)
{
    xf_rows_free(runs->rows, runs->texts);
    *runs = (struct xf_runs){0};
}

static size_t page(size_t limit)
{
    return limit == 0 || limit > XF_JOURNAL_PAGE ? XF_JOURNAL_PAGE : limit;
}

int xf_journal_list_runs(struct xf_journal *j, const struct xf_run_filter *f, struct xf_runs *out,
                         struct xf_err *err)
{
    const size_t limit = page(f->limit);
    char names[96] = ",";
    const char *wanted = f->states != 0 ? names : NULL;

    *out = (struct xf_runs){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    for (int state = 0; state < XF_RUN_STATES; state++) {
        const size_t used = strlen(names);

        if ((f->states & XF_RUN_BIT(state)) != 0)
            (void)snprintf(names + used, sizeof names - used, "%s,",
                           xf_run_state_name((enum xf_run_state)state));
    }
    return read_runs(j,
                     xf_sql_start(j, f->campaign != 0 ? XF_SQL_RUN_LIST_CAMPAIGN : XF_SQL_RUN_LIST, err,
                                  f->campaign != 0 ? "ttiiii" : "ttiii", wanted, f->workflow, f->since,
                                  f->after, (int64_t)limit, f->campaign),
                     limit, out, err);
}

int xf_journal_due_runs(struct xf_journal *j, int64_t now, int64_t campaign, int64_t after, size_t limit,
                        struct xf_runs *out, struct xf_err *err)
{
    *out = (struct xf_runs){0};
    limit = page(limit);
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_runs(
        j, xf_sql_start(j, XF_SQL_RUN_DUE, err, "iziit", now, campaign, after, (int64_t)limit, j->owner),
        limit, out, err);
}

static int find(struct xf_journal *j, sqlite3_stmt *s, struct xf_runs *out, struct xf_err *err)
{
    return read_runs(j, s, 1, out, err) != 0 ? -1 : (int)out->count;
}

int xf_journal_find_run(struct xf_journal *j, int64_t id, struct xf_runs *out, struct xf_err *err)
{
    *out = (struct xf_runs){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return find(j, xf_sql_start(j, XF_SQL_RUN_FIND, err, "i", id), out, err);
}

int xf_journal_find_row(struct xf_journal *j, int64_t campaign, const char *key, struct xf_runs *out,
                        struct xf_err *err)
{
    *out = (struct xf_runs){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return find(j, xf_sql_start(j, XF_SQL_RUN_FIND_ROW, err, "it", campaign, key), out, err);
}

int xf_journal_find_same(struct xf_journal *j, const char *workflow, const char *company_code,
                         const char *args, struct xf_runs *out, struct xf_err *err)
{
    *out = (struct xf_runs){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return find(j, xf_sql_start(j, XF_SQL_RUN_FIND_SAME, err, "ttt", workflow, company_code, args), out, err);
}

int xf_journal_is_restricted(struct xf_journal *j, const char *script, struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_RUN_RESTRICTED, err, "t", script);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    return row;
}

enum xf_owner xf_journal_run_owner(const struct xf_journal *j, const struct xf_run *run)
{
    return run->owner == NULL ? XF_OWNER_GONE : xf_owner_judge(j->owner, run->owner);
}

int xf_journal_count_runs(struct xf_journal *j, int64_t campaign, int64_t counts[XF_RUN_STATES],
                          struct xf_err *err)
{
    sqlite3_stmt *s;
    enum xf_run_state state;
    int row = -1;

    for (int i = 0; i < XF_RUN_STATES; i++)
        counts[i] = 0;
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_RUN_COUNT, err, "i", campaign);
    while (s != NULL && (row = xf_sql_row(j, s, err)) == 1)
        if (xf_run_state_find((const char *)sqlite3_column_text(s, 0), &state))
            counts[state] = sqlite3_column_int64(s, 1);
    xf_sql_end(s);
    return row;
}

static const size_t step_texts[] = {
    offsetof(struct xf_run_event, name),  offsetof(struct xf_run_event, line),
    offsetof(struct xf_run_event, state), offsetof(struct xf_run_event, handle),
    offsetof(struct xf_run_event, value),
};

static void step_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_run_event *e = row;

    e->seq = sqlite3_column_int64(s, column);
    e->token = sqlite3_column_int64(s, column + 1);
    e->began_at = sqlite3_column_int64(s, column + 2);
    e->ended_at = sqlite3_column_int64(s, column + 3);
}

static const struct xf_row_shape step_shape = {
    .size = sizeof(struct xf_run_event),
    .texts = step_texts,
    .count = sizeof step_texts / sizeof step_texts[0],
    .numbers = step_numbers,
};

void xf_run_steps_free(struct xf_run_steps *steps)
{
    xf_rows_free(steps->rows, steps->texts);
    *steps = (struct xf_run_steps){0};
}

int xf_journal_list_steps(struct xf_journal *j, int64_t run, int64_t after, struct xf_run_steps *out,
                          struct xf_err *err)
{
    struct xf_rows rows;
    sqlite3_stmt *s;

    *out = (struct xf_run_steps){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_STEP_LIST, err, "iii", run, after, (int64_t)XF_JOURNAL_PAGE);
    if (s == NULL || xf_rows_read(j, s, &step_shape, XF_JOURNAL_PAGE, &rows, err) != 0)
        return -1;
    *out = (struct xf_run_steps){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}
