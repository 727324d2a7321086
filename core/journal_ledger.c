#include "journal_ledger.h"

#include <stddef.h>

#include "journal_inside.h"

/* Runs a writing statement to its end. 0 or -1. */
static int run(struct xf_journal *j, sqlite3_stmt *s, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return row < 0 ? -1 : 0;
}

static size_t page(size_t limit)
{
    return limit == 0 || limit > XF_JOURNAL_PAGE ? XF_JOURNAL_PAGE : limit;
}

/* ---- ledgers */

static const size_t ledger_texts[] = {
    offsetof(struct xf_ledger, company_code),
    offsetof(struct xf_ledger, device_no),
    offsetof(struct xf_ledger, device_id),
};

static void ledger_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_ledger *l = row;

    l->account = sqlite3_column_int64(s, column);
    l->opened_at = sqlite3_column_int64(s, column + 1);
}

static const struct xf_row_shape ledger_shape = {
    .size = sizeof(struct xf_ledger),
    .texts = ledger_texts,
    .count = sizeof ledger_texts / sizeof ledger_texts[0],
    .numbers = ledger_numbers,
};

static int read_ledgers(struct xf_journal *j, sqlite3_stmt *s, size_t limit, struct xf_ledgers *out,
                        struct xf_err *err)
{
    struct xf_rows rows;

    if (s == NULL || xf_rows_read(j, s, &ledger_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_ledgers){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_ledgers_free(struct xf_ledgers *ledgers)
{
    xf_rows_free(ledgers->rows, ledgers->texts);
    *ledgers = (struct xf_ledgers){0};
}

int xf_journal_find_ledger(struct xf_journal *j, const char *company_code, const char *device_no,
                           struct xf_ledgers *out, struct xf_err *err)
{
    *out = (struct xf_ledgers){0};
    if (xf_journal_ready(j, err) != 0 ||
        read_ledgers(j, xf_sql_start(j, XF_SQL_LEDGER_FIND, err, "tt", company_code, device_no), 1, out,
                     err) != 0)
        return -1;
    return (int)out->count;
}

int xf_journal_find_ledger_id(struct xf_journal *j, const char *device_id, struct xf_ledgers *out,
                              struct xf_err *err)
{
    *out = (struct xf_ledgers){0};
    if (xf_journal_ready(j, err) != 0 ||
        read_ledgers(j, xf_sql_start(j, XF_SQL_LEDGER_FIND_ID, err, "t", device_id), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

int xf_journal_list_ledgers(struct xf_journal *j, int64_t after, size_t limit, struct xf_ledgers *out,
                            struct xf_err *err)
{
    limit = page(limit);
    *out = (struct xf_ledgers){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_ledgers(j, xf_sql_start(j, XF_SQL_LEDGER_LIST, err, "ii", after, (int64_t)limit), limit, out,
                        err);
}

static int open_in_batch(struct xf_journal *j, const char *company_code, const char *device_no,
                         const char *device_id, int64_t at, int64_t *account, struct xf_err *err)
{
    struct xf_ledgers found;
    int made;

    if (run(j, xf_sql_start(j, XF_SQL_LEDGER_OPEN, err, "tti", company_code, device_no, at), err) != 0)
        return -1;
    made = sqlite3_changes(j->db) > 0;
    if (xf_journal_find_ledger(j, company_code, device_no, &found, err) != 1)
        made = -1;
    else
        *account = found.rows[0].account;
    xf_ledgers_free(&found);
    if (made >= 0 && device_id != NULL &&
        run(j, xf_sql_start(j, XF_SQL_LEDGER_DEVICE, err, "tii", device_id, *account, at), err) != 0)
        return -1;
    return made;
}

int xf_journal_open_ledger(struct xf_journal *j, const char *company_code, const char *device_no,
                           const char *device_id, int64_t at, int64_t *account, struct xf_err *err)
{
    bool own;
    int made;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    made = open_in_batch(j, company_code, device_no, device_id, at, account, err);
    return xf_journal_leave(j, own, made >= 0, err) != 0 ? -1 : made;
}

/* ---- readings */

static const size_t reading_texts[] = {
    offsetof(struct xf_reading_row, time),
    offsetof(struct xf_reading_row, source),
    offsetof(struct xf_reading_row, evidence),
};

static void reading_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_reading_row *r = row;

    r->litres = sqlite3_column_int64(s, column);
    r->at = sqlite3_column_int64(s, column + 1);
}

static const struct xf_row_shape reading_shape = {
    .size = sizeof(struct xf_reading_row),
    .texts = reading_texts,
    .count = sizeof reading_texts / sizeof reading_texts[0],
    .numbers = reading_numbers,
};

void xf_readings_free(struct xf_readings *readings)
{
    xf_rows_free(readings->rows, readings->texts);
    *readings = (struct xf_readings){0};
}

int xf_journal_has_reading(struct xf_journal *j, int64_t account, const struct xf_reading_row *r,
                           struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_READING_HAS, err, "itti", account, r->time, r->source, r->litres);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    return row;
}

int xf_journal_list_readings(struct xf_journal *j, int64_t account, const struct xf_reading_row *after,
                             size_t limit, struct xf_readings *out, struct xf_err *err)
{
    static const struct xf_reading_row first = {.time = "", .source = ""};
    struct xf_rows rows;
    sqlite3_stmt *s;

    limit = page(limit);
    *out = (struct xf_readings){0};
    if (after == NULL)
        after = &first;
    if (xf_journal_ready(j, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_READING_LIST, err, "ittii", account, after->time, after->source, after->litres,
                     (int64_t)limit);
    if (s == NULL || xf_rows_read(j, s, &reading_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_readings){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

/* ---- entries */

static const size_t entry_texts[] = {
    offsetof(struct xf_ledger_entry, kind),    offsetof(struct xf_ledger_entry, time),
    offsetof(struct xf_ledger_entry, segment), offsetof(struct xf_ledger_entry, evidence),
    offsetof(struct xf_ledger_entry, detail),  offsetof(struct xf_ledger_entry, state),
    offsetof(struct xf_ledger_entry, mark),
};

static void entry_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_ledger_entry *e = row;

    e->seq = sqlite3_column_int64(s, column);
    e->fen = sqlite3_column_int64(s, column + 1);
    e->balance = sqlite3_column_int64(s, column + 2);
    e->at = sqlite3_column_int64(s, column + 3);
    e->provisional = sqlite3_column_int(s, column + 4) != 0;
}

static const struct xf_row_shape entry_shape = {
    .size = sizeof(struct xf_ledger_entry),
    .texts = entry_texts,
    .count = sizeof entry_texts / sizeof entry_texts[0],
    .numbers = entry_numbers,
};

static int read_entries(struct xf_journal *j, sqlite3_stmt *s, size_t limit, struct xf_ledger_entries *out,
                        struct xf_err *err)
{
    struct xf_rows rows;

    if (s == NULL || xf_rows_read(j, s, &entry_shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_ledger_entries){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_ledger_entries_free(struct xf_ledger_entries *entries)
{
    xf_rows_free(entries->rows, entries->texts);
    *entries = (struct xf_ledger_entries){0};
}

int xf_journal_list_entries(struct xf_journal *j, int64_t account, int64_t after, size_t limit,
                            struct xf_ledger_entries *out, struct xf_err *err)
{
    limit = page(limit);
    *out = (struct xf_ledger_entries){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_entries(j, xf_sql_start(j, XF_SQL_ENTRY_LIST, err, "iii", account, after, (int64_t)limit),
                        limit, out, err);
}

int xf_journal_last_entry(struct xf_journal *j, int64_t account, struct xf_ledger_entries *out,
                          struct xf_err *err)
{
    *out = (struct xf_ledger_entries){0};
    if (xf_journal_ready(j, err) != 0 ||
        read_entries(j, xf_sql_start(j, XF_SQL_ENTRY_LAST, err, "i", account), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

int xf_journal_marked_entry(struct xf_journal *j, int64_t account, const char *mark,
                            struct xf_ledger_entries *out, struct xf_err *err)
{
    *out = (struct xf_ledger_entries){0};
    if (xf_journal_ready(j, err) != 0 ||
        read_entries(j, xf_sql_start(j, XF_SQL_ENTRY_MARKED, err, "it", account, mark), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

/* ---- settling */

static int put_reading(struct xf_journal *j, int64_t account, const struct xf_reading_row *r,
                       struct xf_err *err)
{
    return run(j,
               xf_sql_start(j, XF_SQL_READING_PUT, err, "ittiti", account, r->time, r->source, r->litres,
                            r->evidence, r->at),
               err);
}

static int put_entry(struct xf_journal *j, int64_t account, const struct xf_ledger_entry *e, int64_t seq,
                     int64_t balance, struct xf_err *err)
{
    return run(j,
               xf_sql_start(j, XF_SQL_ENTRY_PUT, err, "iitiiiitttttt", account, seq, e->kind, e->fen, balance,
                            e->at, (int64_t)e->provisional, e->time, e->segment, e->evidence, e->detail,
                            e->state, e->mark),
               err);
}

/* 1 with where the ledger ends, 0 if that is not after `after`, -1 with err. */
static int check_end(struct xf_journal *j, int64_t account, int64_t after, int64_t *balance,
                     struct xf_err *err)
{
    struct xf_ledger_entries last;
    int count = xf_journal_last_entry(j, account, &last, err);
    int64_t seq = count == 1 ? last.rows[0].seq : 0;

    *balance = count == 1 ? last.rows[0].balance : 0;
    xf_ledger_entries_free(&last);
    return count < 0 ? -1 : seq == after;
}

static int write_all(struct xf_journal *j, const struct xf_settlement *s, int64_t balance, struct xf_err *err)
{
    for (size_t i = 0; i < s->reading_count; i++)
        if (put_reading(j, s->account, &s->readings[i], err) != 0)
            return -1;
    for (size_t i = 0; i < s->entry_count; i++) {
        if (__builtin_add_overflow(balance, s->entries[i].fen, &balance))
            return xf_fail(err, "no balance is as large as this");
        if (put_entry(j, s->account, &s->entries[i], s->after + 1 + (int64_t)i, balance, err) != 0)
            return -1;
    }
    return 0;
}

int xf_journal_settle(struct xf_journal *j, const struct xf_settlement *s, struct xf_err *err)
{
    struct xf_err ignored;
    int64_t balance = 0;
    bool own;
    int done;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    done = check_end(j, s->account, s->after, &balance, err);
    if (done == 1 && write_all(j, s, balance, err) != 0) {
        done = -1;
        if (sqlite3_get_autocommit(j->db) == 0) /* SQLite has not undone it by itself */
            (void)xf_sql_run(j, XF_SQL_ROLLBACK, &ignored);
    }
    return xf_journal_leave(j, own, done == 1, err) != 0 ? -1 : done;
}
