/* SQL as enum and text, prepared once, one runner. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "journal_inside.h"

#define UNANSWERED "(state = 'sent' OR state = 'unknown')"
/* The highest bill number a meter has used: here, or elsewhere. */
#define MARK(device_no, company_code)                                                                        \
    "max(coalesce((SELECT max(bill_no) FROM orders o WHERE o.device_no = " device_no                         \
    " AND o.company_code = " company_code "), 0), coalesce((SELECT mark FROM bill_marks b"                   \
    " WHERE b.device_no = " device_no " AND b.company_code = " company_code "), 0))"
/* In the order of order_texts in journal_find.c, then its numbers. */
#define ORDER_COLUMNS                                                                                               \
    "SELECT order_id, fingerprint, company_code, merchant_id, device_no, device_id, method, variant, amount, body," \
    " last_report, command_id, proposal, w.name, placed_by, state, o.row, bill_no, code, thousandths,"              \
    " expire_time, deadline, created_at, updated_at "
/* Joined in this order: the planner has no figures of these tables to choose by. */
#define FROM_ORDERS                                                                                          \
    "FROM orders o CROSS JOIN standings s ON s.row = o.row CROSS JOIN owners w ON w.id = s.owner"
#define FROM_STANDINGS                                                                                       \
    "FROM standings s CROSS JOIN orders o ON o.row = s.row CROSS JOIN owners w ON w.id = s.owner"
/* ?1 names of states between commas, ?2 since, ?3 after, ?4 limit */
#define ORDER_FILTER(row)                                                                                    \
    " AND (?1 IS NULL OR instr(?1, ',' || state || ',') > 0) AND created_at >= ?2 AND " row " > ?3"          \
    " ORDER BY " row " LIMIT ?4"
/* The newest report that tells what was bought: the one asked for, or one that was pushed. */
#define PUSHED "s.report_time > coalesce(d.report_time, '') AND instr(s.report, '\"buyCount\"') > 0"
#define DEVICE_COLUMNS                                                                                       \
    "SELECT company_code, d.device_no, d.device_id, charge_type, iif(" PUSHED ", s.report, d.report),"       \
    " iif(" PUSHED ", s.report_time, d.report_time), " MARK(                                                 \
        "d.device_no",                                                                                       \
        "d.company_code") ", updated_at FROM devices d LEFT JOIN sightings s ON s.device_id = d.device_id"

static const char *const texts[XF_SQL_PUSH_SAME_ID] = {
    [XF_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [XF_SQL_COMMIT] = "COMMIT",
    [XF_SQL_ROLLBACK] = "ROLLBACK",
    [XF_SQL_VERSION] = "PRAGMA user_version",
    [XF_SQL_POSITION] = "SELECT commits FROM position",
    [XF_SQL_POSITION_NEXT] = "UPDATE position SET commits = commits + 1 RETURNING commits",
    [XF_SQL_OWNER_PUT] = "INSERT INTO owners (name) VALUES (?1)",
    [XF_SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [XF_SQL_META_PUT] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
                        " ON CONFLICT DO UPDATE SET value = excluded.value",
    [XF_SQL_ORDER_CONTENT] = "SELECT fingerprint FROM orders WHERE order_id = ?1",
    [XF_SQL_ORDER_BLOCKING] = "SELECT order_id FROM standings s CROSS JOIN orders o ON o.row = s.row"
                              " WHERE holds = ?1",
    [XF_SQL_ORDER_WITH_BILL] = "SELECT order_id FROM orders"
                               " WHERE device_no = ?1 AND company_code = ?2 AND bill_no = ?3",
    [XF_SQL_ORDER_PLACE] =
        "INSERT OR ROLLBACK INTO orders (order_id, fingerprint, company_code, device_no, device_id, method, variant,"
        " bill_no, amount, thousandths, body, expire_time, last_report, placed_by, placer, created_at,"
        " merchant_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?9 IS NULL, NULL, ?10), ?11, ?12, ?13, ?14,"
        " (SELECT id FROM owners WHERE name = ?15), ?16, ?17)",
    [XF_SQL_ORDER_STANDING] =
        "SELECT o.row, state, entries, command_id, w.name " FROM_ORDERS " WHERE order_id = ?1",
    [XF_SQL_ORDER_OF_COMMAND] = "SELECT order_id FROM standings s CROSS JOIN orders o ON o.row = s.row"
                                " WHERE command_id = ?1 AND order_id <> ?2",
    [XF_SQL_HISTORY_ADD] =
        "INSERT OR ROLLBACK INTO order_history (order_row, seq, at, from_state, to_state, actor, evidence,"
        " command_id, code, proposal, owner, deadline)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, (SELECT id FROM owners WHERE name = ?11), ?12)",
    /* The first line is the order's own row. */
    [XF_SQL_HISTORY_LIST] =
        "SELECT NULL, 'intent', placed_by, NULL, NULL, NULL, 1 AS seq, created_at, NULL FROM orders"
        " WHERE order_id = ?1 AND ?2 < 1 UNION ALL"
        " SELECT from_state, to_state, actor, evidence, command_id, proposal, seq, at, code FROM order_history"
        " WHERE order_row = (SELECT row FROM orders WHERE order_id = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3",
    /* Three plans for one listing: by age, by age among the open ones, by meter. */
    [XF_SQL_ORDER_LIST] = ORDER_COLUMNS FROM_ORDERS " WHERE 1" ORDER_FILTER("o.row"),
    [XF_SQL_ORDER_LIST_OPEN] = ORDER_COLUMNS FROM_STANDINGS " WHERE holds IS NOT NULL" ORDER_FILTER("s.row"),
    [XF_SQL_ORDER_LIST_DEVICE] = ORDER_COLUMNS FROM_ORDERS " WHERE device_no = ?5" ORDER_FILTER("o.row"),
    [XF_SQL_ORDER_STATES] = "SELECT row, state FROM standings WHERE row > ?1 ORDER BY row LIMIT ?2",
    [XF_SQL_FIND_ID] = ORDER_COLUMNS FROM_ORDERS " WHERE order_id = ?1",
    [XF_SQL_FIND_COMMAND] = ORDER_COLUMNS FROM_STANDINGS " WHERE command_id = ?1",
    [XF_SQL_FIND_OPEN] = ORDER_COLUMNS FROM_STANDINGS " WHERE holds = ?1",
    [XF_SQL_FIND_BILL] = ORDER_COLUMNS FROM_STANDINGS " WHERE holds_id = ?1 AND bill_no = ?2 AND " UNANSWERED
                                                      " ORDER BY s.row DESC LIMIT 1",
    [XF_SQL_BILL_MARK] = "SELECT " MARK("?1", "?2"),
    [XF_SQL_BILL_LIFT] = "INSERT INTO bill_marks (device_no, company_code, mark) VALUES (?1, ?2, ?3)"
                         " ON CONFLICT DO UPDATE SET mark = max(mark, excluded.mark)",
    [XF_SQL_DEVICE_PUT] =
        "INSERT INTO devices (device_no, company_code, device_id, charge_type, report, report_time, updated_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
        " device_id = coalesce(excluded.device_id, device_id),"
        " charge_type = coalesce(excluded.charge_type, charge_type),"
        " report = iif(excluded.report_time >= coalesce(report_time, ''), excluded.report, report),"
        " report_time = iif(excluded.report_time >= coalesce(report_time, ''), excluded.report_time, report_time),"
        " updated_at = excluded.updated_at",
    [XF_SQL_DEVICE_GET] = DEVICE_COLUMNS " WHERE d.device_no = ?1 AND company_code = ?2",
    [XF_SQL_DEVICE_GET_ID] = DEVICE_COLUMNS " WHERE d.device_id = ?1 ORDER BY updated_at DESC LIMIT 1",
};

/* What a person can do about it. Results that are not here get SQLite's own words. */
static const struct {
    int rc; /* primary */
    bool breaks;
    const char *sentence;
} failures[] = {
    {SQLITE_FULL, false, "the disk is full, nothing was written: free some space and try again"},
    {SQLITE_READONLY, false, "the journal cannot be written: check its permissions and its file system"},
    {SQLITE_PERM, false, "the journal cannot be used: check its permissions"},
    {SQLITE_CANTOPEN, false, "the journal or its -wal and -shm files cannot be opened: check the folder"},
    {SQLITE_BUSY, false, "another process keeps the journal busy: try again when it has finished"},
    {SQLITE_NOTADB, true, "the file is not a journal (not even a database): choose another path"},
    {SQLITE_CORRUPT, true, "the journal is damaged: restore it, then reconcile every meter"},
    {SQLITE_IOERR, true,
     "the disk reports an error, nothing more is written: see to the disk, then start again"},
    {SQLITE_NOMEM, false, "out of memory"},
};

int xf_sql_fail(struct xf_journal *j, int rc, struct xf_err *err)
{
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (failures[i].rc == (rc & 0xff)) {
            j->broken |= failures[i].breaks;
            return xf_fail(err, "%s (%.100s)", failures[i].sentence, j->path);
        }
    return xf_fail(err, "the journal refuses: %.120s (%.100s)",
                   j->db != NULL ? sqlite3_errmsg(j->db) : sqlite3_errstr(rc), j->path);
}

static const char *text_of(enum xf_sql id)
{
    return id < XF_SQL_PUSH_SAME_ID    ? texts[id]
           : id < XF_SQL_LEDGER_OPEN   ? xf_sql_push_texts[id - XF_SQL_PUSH_SAME_ID]
           : id < XF_SQL_CAMPAIGN_FIND ? xf_sql_ledger_texts[id - XF_SQL_LEDGER_OPEN]
                                       : xf_sql_run_texts[id - XF_SQL_CAMPAIGN_FIND];
}

sqlite3_stmt *xf_sql_start(struct xf_journal *j, enum xf_sql id, struct xf_err *err, const char *types, ...)
{
    sqlite3_stmt *s;
    const char *text;
    int64_t number;
    va_list args;
    int rc = SQLITE_OK;

    if (j->statements[id] == NULL)
        rc = sqlite3_prepare_v3(j->db, text_of(id), -1, SQLITE_PREPARE_PERSISTENT, &j->statements[id], NULL);
    s = j->statements[id];
    va_start(args, types);
    for (int i = 0; types[i] != '\0' && rc == SQLITE_OK; i++)
        switch (types[i]) {
        case 't':
            rc = sqlite3_bind_text(s, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
            break;
        case 's':
            text = va_arg(args, const char *);
            rc = sqlite3_bind_text64(s, i + 1, text, va_arg(args, size_t), SQLITE_STATIC, SQLITE_UTF8);
            break;
        case 'b':
            text = va_arg(args, const char *);
            rc = sqlite3_bind_blob64(s, i + 1, text, va_arg(args, size_t), SQLITE_STATIC);
            break;
        case 'i':
            rc = sqlite3_bind_int64(s, i + 1, va_arg(args, int64_t));
            break;
        case 'z':
            number = va_arg(args, int64_t);
            rc = number != 0 ? sqlite3_bind_int64(s, i + 1, number) : sqlite3_bind_null(s, i + 1);
            break;
        default:
            rc = SQLITE_MISUSE;
        }
    va_end(args);
    if (rc == SQLITE_OK)
        return s;
    (void)xf_sql_fail(j, rc, err);
    xf_sql_end(s);
    return NULL;
}

int xf_sql_row(struct xf_journal *j, sqlite3_stmt *statement, struct xf_err *err)
{
    int rc = sqlite3_step(statement);

    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : xf_sql_fail(j, rc, err);
}

void xf_sql_end(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return;
    (void)sqlite3_reset(statement); /* repeats the result of the step, which was looked at */
    (void)sqlite3_clear_bindings(statement);
}

int xf_sql_run(struct xf_journal *j, enum xf_sql id, struct xf_err *err)
{
    sqlite3_stmt *statement = xf_sql_start(j, id, err, "");
    int row = statement == NULL ? -1 : xf_sql_row(j, statement, err);

    xf_sql_end(statement);
    return row < 0 ? -1 : 0;
}

static int64_t clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int xf_sql_wait_eagerly(void *journal, int tries)
{
    const struct timespec pause = {.tv_nsec = 100000};
    struct xf_journal *j = journal;

    if (tries == 0)
        j->busy_end = clock_ms() + j->busy_ms;
    (void)nanosleep(&pause, NULL);
    return clock_ms() < j->busy_end;
}

int xf_sql_exec(struct xf_journal *j, const char *text, struct xf_err *err)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int64_t end = clock_ms() + j->busy_ms;
    int rc;

    /* Changing to write-ahead logging answers "busy" at once, whatever the timeout. */
    while (((rc = sqlite3_exec(j->db, text, NULL, NULL, NULL)) & 0xff) == SQLITE_BUSY && clock_ms() < end)
        (void)nanosleep(&pause, NULL);
    return rc == SQLITE_OK ? 0 : xf_sql_fail(j, rc, err);
}

void xf_sql_finalize(struct xf_journal *j)
{
    for (int i = 0; i < XF_SQL_COUNT; i++) {
        (void)sqlite3_finalize(j->statements[i]);
        j->statements[i] = NULL;
    }
}
