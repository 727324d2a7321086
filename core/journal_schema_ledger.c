/* The schema of ledgers: further statements of version 1. */
#include "journal_inside.h"

#define NEVER(table, operation, name, why)                                                                   \
    "CREATE TRIGGER " name " BEFORE " operation " ON " table " BEGIN"                                        \
    " SELECT RAISE(ROLLBACK, '" why "');"                                                                    \
    "END;"
#define GROWS_ONLY(table)                                                                                    \
    NEVER(table, "UPDATE", table "_fixed", "a ledger is never changed"),                                     \
        NEVER(table, "DELETE", table "_stay", "a ledger is never changed")

const char *const xf_schema_ledger[] = {
    "CREATE TABLE ledgers ("
    " account INTEGER PRIMARY KEY,"
    " company_code TEXT NOT NULL,"
    " device_no TEXT NOT NULL,"
    " opened_at INTEGER NOT NULL,"
    " UNIQUE (device_no, company_code)"
    ") STRICT;",
    /* a meter that is registered anew has another id */
    "CREATE TABLE ledger_devices ("
    " device_id TEXT PRIMARY KEY,"
    " account INTEGER NOT NULL,"
    " at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    "CREATE INDEX ledger_devices_account ON ledger_devices (account, at);",
    "CREATE TABLE ledger_readings ("
    " account INTEGER NOT NULL,"
    " time TEXT NOT NULL CHECK (length(time) = 14),"
    " source TEXT NOT NULL CHECK (source IN ('report','frozen')),"
    " litres INTEGER NOT NULL CHECK (litres >= 0),"
    " evidence TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " PRIMARY KEY (account, time, source, litres)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE ledger_entries ("
    " account INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " fen INTEGER NOT NULL,"
    " balance INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " provisional INTEGER NOT NULL CHECK (provisional IN (0, 1)),"
    " time TEXT CHECK (length(time) = 14),"
    " segment TEXT,"
    " evidence TEXT NOT NULL CHECK (evidence <> ''),"
    " detail TEXT,"
    " state TEXT,"
    " mark TEXT,"
    " PRIMARY KEY (account, seq)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE UNIQUE INDEX ledger_entries_mark ON ledger_entries (account, mark) WHERE mark IS NOT NULL;",
    /* the few that wait, or waited, for a person's word: their pushes stay */
    "CREATE INDEX ledger_entries_held ON ledger_entries (account)"
    " WHERE kind = 'held' OR kind = 'contradicted';",

    /* Each entry follows the one before it, in number and in balance; INSERT OR REPLACE
     * would take rows out without asking, so what exists is refused before. */
    "CREATE TRIGGER ledger_entries_follow BEFORE INSERT ON ledger_entries BEGIN"
    " SELECT CASE"
    "  WHEN NOT EXISTS (SELECT 1 FROM ledgers WHERE account = NEW.account)"
    "   THEN RAISE(ROLLBACK, 'there is no such ledger')"
    "  WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM ledger_entries WHERE account = NEW.account), 0)"
    "   THEN RAISE(ROLLBACK, 'a ledger grows at its end only')"
    "  WHEN NEW.balance <> NEW.fen + coalesce((SELECT balance FROM ledger_entries"
    "    WHERE account = NEW.account AND seq = NEW.seq - 1), 0)"
    "   THEN RAISE(ROLLBACK, 'the balance does not add up')"
    "  WHEN NEW.mark IS NOT NULL AND EXISTS (SELECT 1 FROM ledger_entries"
    "    WHERE account = NEW.account AND mark = NEW.mark)"
    "   THEN RAISE(ROLLBACK, 'this was booked before')"
    " END;"
    "END;",
    "CREATE TRIGGER ledger_readings_once BEFORE INSERT ON ledger_readings"
    " WHEN EXISTS (SELECT 1 FROM ledger_readings WHERE account = NEW.account AND time = NEW.time"
    "  AND source = NEW.source AND litres = NEW.litres) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    "CREATE TRIGGER ledgers_once BEFORE INSERT ON ledgers"
    " WHEN EXISTS (SELECT 1 FROM ledgers WHERE account = NEW.account"
    "  OR (device_no = NEW.device_no AND company_code = NEW.company_code)) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    "CREATE TRIGGER ledger_devices_once BEFORE INSERT ON ledger_devices"
    " WHEN EXISTS (SELECT 1 FROM ledger_devices WHERE device_id = NEW.device_id) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    GROWS_ONLY("ledgers"),
    GROWS_ONLY("ledger_devices"),
    GROWS_ONLY("ledger_readings"),
    GROWS_ONLY("ledger_entries"),
    NULL,
};
