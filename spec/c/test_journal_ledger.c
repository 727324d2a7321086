/* Ledgers grow at their end, add up, and are written whole or not at all. */
#include "journal_ledger.h"

#include <sqlite3.h>

#include "journal_case.h"

static struct xf_ledger_entry entry(const char *kind, int64_t fen, const char *mark)
{
    return (struct xf_ledger_entry){.kind = kind, .evidence = "test", .fen = fen, .at = 5, .mark = mark};
}

static int64_t open_one(struct xf_journal *j, const char *device_no)
{
    struct xf_err err;
    int64_t account = 0;

    CHECK(xf_journal_open_ledger(j, "C", device_no, NULL, 1, &account, &err) >= 0);
    return account;
}

static void opening(struct xf_journal *j)
{
    const struct xf_device known = {
        .company_code = "C", .device_no = "8", .device_id = "id-3", .updated_at = 5};
    int64_t first = 0, again = 0, other = 0;
    struct xf_ledgers found;
    struct xf_err err;

    CHECK(xf_journal_open_ledger(j, "C", "7", "id-1", 100, &first, &err) == 1);
    CHECK(xf_journal_open_ledger(j, "C", "7", "id-2", 200, &again, &err) == 0 && again == first);
    CHECK(xf_journal_open_ledger(j, "C", "8", NULL, 300, &other, &err) == 1 && other > first);

    CHECK(xf_journal_find_ledger(j, "C", "7", &found, &err) == 1);
    CHECK_TEXT(found.rows[0].device_id, "id-2");
    CHECK(found.rows[0].opened_at == 100);
    xf_ledgers_free(&found);
    CHECK(xf_journal_find_ledger_id(j, "id-1", &found, &err) == 1 && found.rows[0].account == first);
    xf_ledgers_free(&found);
    CHECK(xf_journal_find_ledger_id(j, "id-3", &found, &err) == 0);
    xf_ledgers_free(&found);
    CHECK(xf_journal_remember_device(j, &known, &err) == 0);
    CHECK(xf_journal_find_ledger_id(j, "id-3", &found, &err) == 1 && found.rows[0].account == other);
    xf_ledgers_free(&found);
    CHECK(xf_journal_find_ledger(j, "D", "7", &found, &err) == 0);
    xf_ledgers_free(&found);
    CHECK(xf_journal_list_ledgers(j, first, 0, &found, &err) == 0 && found.count == 1);
    xf_ledgers_free(&found);
}

static void settling(struct xf_journal *j)
{
    const int64_t account = open_one(j, "7");
    const struct xf_reading_row reading = {
        .time = "20260101000000", .source = "report", .evidence = "push 1", .litres = 1000, .at = 5};
    const struct xf_ledger_entry lines[] = {entry("payment", 1000, "order R-1"), entry("charge", -328, NULL)};
    struct xf_settlement s = {
        .account = account, .readings = &reading, .reading_count = 1, .entries = lines, .entry_count = 2};
    struct xf_ledger_entries found;
    struct xf_readings readings;
    struct xf_err err;

    CHECK(xf_journal_has_reading(j, account, &reading, &err) == 0);
    CHECK(xf_journal_settle(j, &s, &err) == 1);
    CHECK(xf_journal_has_reading(j, account, &reading, &err) == 1);
    CHECK(xf_journal_settle(j, &s, &err) == 0); /* it has grown since */
    CHECK(xf_journal_list_entries(j, account, 0, 0, &found, &err) == 0);
    if (CHECK(found.count == 2)) {
        CHECK(found.rows[0].seq == 1 && found.rows[0].balance == 1000);
        CHECK(found.rows[1].seq == 2 && found.rows[1].balance == 672 && !found.rows[1].provisional);
    }
    xf_ledger_entries_free(&found);
    CHECK(xf_journal_last_entry(j, account, &found, &err) == 1 && found.rows[0].seq == 2);
    xf_ledger_entries_free(&found);
    CHECK(xf_journal_marked_entry(j, account, "order R-1", &found, &err) == 1 && found.rows[0].seq == 1);
    xf_ledger_entries_free(&found);
    CHECK(xf_journal_marked_entry(j, account, "order R-2", &found, &err) == 0);
    xf_ledger_entries_free(&found);
    CHECK(xf_journal_list_readings(j, account, NULL, 0, &readings, &err) == 0 && readings.count == 1);
    CHECK_TEXT(readings.rows[0].evidence, "push 1");
    xf_readings_free(&readings);
    CHECK(xf_journal_list_readings(j, account, &reading, 0, &readings, &err) == 0 && readings.count == 0);
    xf_readings_free(&readings);
}

/* What is refused half-way takes all of its batch along. */
static void whole_or_nothing(struct xf_journal *j)
{
    const int64_t account = open_one(j, "7");
    const struct xf_ledger_entry once[] = {entry("payment", 1, "order R-1")};
    const struct xf_ledger_entry twice[] = {entry("charge", -1, NULL), entry("payment", 1, "order R-1")};
    const struct xf_ledger_entry huge[] = {entry("payment", INT64_MAX, NULL), entry("payment", 1, NULL)};
    struct xf_settlement s = {.account = account, .entries = once, .entry_count = 1};
    struct xf_ledger_entries found;
    struct xf_err err;

    CHECK(xf_journal_settle(j, &s, &err) == 1);
    s.after = 1;
    s.entry_count = 2;
    s.entries = twice;
    CHECK(xf_journal_settle(j, &s, &err) == -1);
    s.entries = huge;
    CHECK(xf_journal_settle(j, &s, &err) == -1);
    CHECK(xf_journal_begin(j, &err) == 0);
    CHECK(xf_journal_settle(j, &s, &err) == -1);
    CHECK(xf_journal_settle(j, &s, &err) == -1); /* the batch is over */
    CHECK(xf_journal_commit(j, &err) == -1);
    s.account = 99;
    s.after = 0;
    CHECK(xf_journal_settle(j, &s, &err) == -1);
    CHECK(xf_journal_list_entries(j, account, 0, 0, &found, &err) == 0 && found.count == 1);
    xf_ledger_entries_free(&found);
}

/* The file itself refuses what the operations would never do. */
static void guarded(struct journal_case *c)
{
    static const char *const statements[] = {
        "UPDATE ledger_entries SET fen = 0",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_readings SET litres = 0",
        "DELETE FROM ledger_readings",
        "UPDATE ledgers SET device_no = '8'",
        "DELETE FROM ledgers",
        "DELETE FROM ledger_devices",
        "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries",
        "INSERT INTO ledger_entries VALUES (1, 3, 'p', 1, 2, 1, 0, NULL, NULL, 'x', NULL, NULL, NULL)",
        "INSERT INTO ledger_entries VALUES (1, 2, 'p', 1, 3, 1, 0, NULL, NULL, 'x', NULL, NULL, NULL)",
    };
    struct xf_journal *j = case_open(c);
    const int64_t account = open_one(j, "7");
    const struct xf_ledger_entry line = entry("payment", 1, NULL);
    const struct xf_reading_row reading = {
        .time = "20260101000000", .source = "frozen", .evidence = "x", .litres = 1};
    const struct xf_settlement s = {
        .account = account, .readings = &reading, .reading_count = 1, .entries = &line, .entry_count = 1};
    struct xf_err err;
    sqlite3 *db = NULL;

    CHECK(xf_journal_settle(j, &s, &err) == 1 && account == 1);
    CHECK(xf_journal_open_ledger(j, "C", "7", "id", 1, &(int64_t){0}, &err) == 0);
    xf_journal_close(j);
    CHECK(sqlite3_open(c->path, &db) == SQLITE_OK);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        CHECK(sqlite3_exec(db, statements[i], NULL, NULL, NULL) != SQLITE_OK);
    CHECK(sqlite3_exec(db, "INSERT OR REPLACE INTO ledger_readings SELECT * FROM ledger_readings", NULL, NULL,
                       NULL) == SQLITE_OK &&
          sqlite3_changes(db) == 0);
    (void)sqlite3_close(db);
}

static void each(void (*test)(struct xf_journal *j))
{
    struct journal_case c = case_start();
    struct xf_journal *j = case_open(&c);

    test(j);
    xf_journal_close(j);
    case_end(&c);
}

int main(void)
{
    struct journal_case c;

    each(opening);
    each(settling);
    each(whole_or_nothing);
    c = case_start();
    guarded(&c);
    case_end(&c);
    return check_end();
}
