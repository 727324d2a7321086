/* The schema: one migration for each version, one statement a text. A migration
 * that was released is never edited. Money's rules stand here once more, for
 * whoever writes to the file without asking journal_order.c. */
#include <stdio.h>

#include "journal_inside.h"

#define OPEN       "('intent','sent','accepted','suspect','unknown')"
#define UNANSWERED "('sent','unknown')"

/* Whatever changes in an order changes by a line in order_history: its triggers
 * check the line and carry it over. Orders and lines are never taken out; the
 * EXISTS conditions of INSERT triggers are against INSERT OR REPLACE, which
 * deletes without asking a DELETE trigger. */
static const char *const version_1[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",

    "CREATE TABLE orders ("
    " row INTEGER PRIMARY KEY,"
    " order_id TEXT NOT NULL UNIQUE,"
    " fingerprint TEXT NOT NULL,"
    " company_code TEXT NOT NULL,"
    " device_no TEXT NOT NULL,"
    " device_id TEXT NOT NULL,"
    " method TEXT NOT NULL,"
    " variant TEXT NOT NULL,"
    " bill_no INTEGER CHECK (bill_no BETWEEN 1 AND 65535),"
    " amount TEXT,"
    " thousandths INTEGER CHECK ((amount IS NULL) = (thousandths IS NULL)),"
    " body TEXT NOT NULL,"
    " expire_time INTEGER NOT NULL,"
    " last_report TEXT,"
    " placed_by TEXT NOT NULL,"
    " created_at INTEGER NOT NULL,"
    /* from here on: what the history has changed */
    " entries INTEGER NOT NULL DEFAULT 1," /* lines of history; the first is this row itself */
    " state TEXT NOT NULL DEFAULT 'intent' CHECK (state IN ('intent','sent','accepted','applied','suspect',"
    "  'cancelled','rejected','unknown','not_applied')),"
    " command_id TEXT,"
    " code INTEGER,"
    " proposal TEXT,"
    " owner TEXT NOT NULL,"
    " deadline INTEGER,"
    " updated_at INTEGER NOT NULL"
    ") STRICT;",
    "CREATE UNIQUE INDEX orders_one_open ON orders (device_no) WHERE state IN " OPEN ";",
    "CREATE UNIQUE INDEX orders_bill ON orders (device_no, company_code, bill_no);",
    "CREATE UNIQUE INDEX orders_command ON orders (command_id) WHERE command_id IS NOT NULL;",
    "CREATE INDEX orders_open ON orders (row) WHERE state IN " OPEN ";",
    "CREATE INDEX orders_unanswered ON orders (device_id, bill_no) WHERE state IN " UNANSWERED ";",

    "CREATE TABLE order_history ("
    " row INTEGER PRIMARY KEY,"
    " order_row INTEGER NOT NULL REFERENCES orders (row),"
    " seq INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " from_state TEXT NOT NULL,"
    " to_state TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " evidence TEXT,"
    " command_id TEXT,"
    " code INTEGER,"
    " proposal TEXT,"
    " owner TEXT,"
    " deadline INTEGER,"
    " UNIQUE (order_row, seq)"
    ") STRICT;",

    /* used up to here elsewhere; what orders have used is in the orders */
    "CREATE TABLE bill_marks ("
    " device_no TEXT NOT NULL,"
    " company_code TEXT NOT NULL,"
    " mark INTEGER NOT NULL CHECK (mark BETWEEN 1 AND 65535),"
    " PRIMARY KEY (device_no, company_code)"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TABLE devices ("
    " device_no TEXT NOT NULL,"
    " company_code TEXT NOT NULL,"
    " device_id TEXT,"
    " charge_type TEXT,"
    " report TEXT,"
    " report_time TEXT,"
    " updated_at INTEGER NOT NULL,"
    " PRIMARY KEY (device_no, company_code)"
    ") STRICT;",
    "CREATE INDEX devices_id ON devices (device_id) WHERE device_id IS NOT NULL;",

    "CREATE TRIGGER orders_begin BEFORE INSERT ON orders BEGIN"
    " SELECT CASE"
    "  WHEN NEW.state <> 'intent' OR NEW.entries <> 1 OR NEW.command_id IS NOT NULL"
    "   THEN RAISE(ABORT, 'an order begins as an intent')"
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE row = NEW.row OR order_id = NEW.order_id)"
    "   THEN RAISE(ABORT, 'this order exists')"
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE device_no = NEW.device_no AND state IN " OPEN ")"
    "   THEN RAISE(ABORT, 'the meter has an open order')"
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE device_no = NEW.device_no AND bill_no = NEW.bill_no"
    "    AND company_code = NEW.company_code)"
    "   THEN RAISE(ABORT, 'the meter had this bill number')"
    " END;"
    "END;",
    "CREATE TRIGGER orders_change BEFORE UPDATE ON orders BEGIN"
    " SELECT CASE"
    "  WHEN OLD.row <> NEW.row OR OLD.order_id <> NEW.order_id OR OLD.fingerprint <> NEW.fingerprint"
    "   OR OLD.company_code <> NEW.company_code OR OLD.device_no <> NEW.device_no"
    "   OR OLD.device_id <> NEW.device_id OR OLD.method <> NEW.method OR OLD.variant <> NEW.variant"
    "   OR OLD.bill_no IS NOT NEW.bill_no OR OLD.amount IS NOT NEW.amount"
    "   OR OLD.thousandths IS NOT NEW.thousandths OR OLD.body <> NEW.body"
    "   OR OLD.expire_time <> NEW.expire_time OR OLD.last_report IS NOT NEW.last_report"
    "   OR OLD.placed_by <> NEW.placed_by OR OLD.created_at <> NEW.created_at"
    "   OR (OLD.command_id IS NOT NULL AND OLD.command_id IS NOT NEW.command_id)"
    "   THEN RAISE(ABORT, 'an order is frozen')"
    "  WHEN NEW.entries <> OLD.entries + 1 OR NOT EXISTS (SELECT 1 FROM order_history"
    "    WHERE order_row = OLD.row AND seq = NEW.entries AND from_state = OLD.state"
    "    AND to_state = NEW.state)"
    "   THEN RAISE(ABORT, 'an order changes by its history only')"
    " END;"
    "END;",
    "CREATE TRIGGER orders_stay BEFORE DELETE ON orders BEGIN"
    " SELECT RAISE(ABORT, 'an order is never taken out');"
    "END;",

    "CREATE TRIGGER order_history_check BEFORE INSERT ON order_history BEGIN"
    " SELECT CASE"
    "  WHEN EXISTS (SELECT 1 FROM order_history WHERE row = NEW.row)"
    "   OR NOT EXISTS (SELECT 1 FROM orders WHERE row = NEW.order_row AND entries = NEW.seq - 1"
    "    AND state = NEW.from_state)"
    "   THEN RAISE(ABORT, 'a history grows at its end only')"
    "  WHEN NEW.from_state <> NEW.to_state AND NEW.from_state || '>' || NEW.to_state NOT IN ("
    "   'intent>sent', 'sent>accepted', 'sent>rejected', 'sent>unknown',"
    "   'accepted>applied', 'accepted>suspect', 'accepted>cancelled',"
    "   'suspect>applied', 'suspect>not_applied',"
    "   'unknown>accepted', 'unknown>applied', 'unknown>not_applied')"
    "   THEN RAISE(ABORT, 'an order cannot go this way')"
    "  WHEN NEW.from_state = 'intent' AND NEW.to_state = 'sent' AND NEW.deadline IS NULL"
    "   THEN RAISE(ABORT, 'sent needs a deadline')"
    "  WHEN NEW.to_state = 'accepted' AND NEW.from_state <> 'accepted' AND NEW.command_id IS NULL"
    "   THEN RAISE(ABORT, 'accepted needs a command id')"
    "  WHEN NEW.to_state = 'rejected' AND NEW.from_state <> 'rejected' AND NEW.code IS NULL"
    "   THEN RAISE(ABORT, 'rejected needs a code')"
    "  WHEN NEW.command_id IS NOT NULL AND NEW.to_state <> 'accepted'"
    "   THEN RAISE(ABORT, 'a command id belongs to accepted')"
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE command_id = NEW.command_id AND row <> NEW.order_row)"
    "   THEN RAISE(ABORT, 'the command id belongs to another order')"
    " END;"
    "END;",
    "CREATE TRIGGER order_history_carry AFTER INSERT ON order_history BEGIN"
    " UPDATE orders SET entries = NEW.seq, state = NEW.to_state, updated_at = NEW.at,"
    "  command_id = coalesce(NEW.command_id, command_id),"
    "  code = CASE WHEN NEW.from_state = NEW.to_state THEN coalesce(NEW.code, code) ELSE NEW.code END,"
    "  owner = coalesce(NEW.owner, owner), deadline = coalesce(NEW.deadline, deadline),"
    "  proposal = CASE WHEN NEW.proposal IS NOT NULL THEN nullif(NEW.proposal, '')"
    "   WHEN NEW.from_state = NEW.to_state THEN proposal END"
    "  WHERE row = NEW.order_row;"
    "END;",
    "CREATE TRIGGER order_history_fixed BEFORE UPDATE ON order_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER order_history_stays BEFORE DELETE ON order_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER bill_marks_rise BEFORE UPDATE ON bill_marks"
    " WHEN NEW.mark < OLD.mark OR NEW.device_no <> OLD.device_no OR NEW.company_code <> OLD.company_code BEGIN"
    " SELECT RAISE(ABORT, 'a bill number mark only rises');"
    "END;",
    "CREATE TRIGGER bill_marks_begin BEFORE INSERT ON bill_marks WHEN EXISTS (SELECT 1 FROM bill_marks"
    "  WHERE device_no = NEW.device_no AND company_code = NEW.company_code AND mark > NEW.mark) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    "CREATE TRIGGER bill_marks_stay BEFORE DELETE ON bill_marks BEGIN"
    " SELECT RAISE(ABORT, 'a bill number mark only rises');"
    "END;",
    NULL,
};

/* migrations[v] leads from version v to v + 1. */
static const char *const *const migrations[XF_JOURNAL_VERSION] = {version_1};

static int newer(const struct xf_journal *j, int64_t version, struct xf_err *err)
{
    return xf_fail(err,
                   "the journal was written by a newer xfiot (its schema is %lld, this program knows %d): "
                   "use that program (%.120s)",
                   (long long)version, (int)XF_JOURNAL_VERSION, j->path);
}

int xf_schema_identify(struct xf_journal *j, struct xf_err *err)
{
    /* One statement, one snapshot: another process may be making it just now. */
    static const char question[] = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)"
                                   " FROM pragma_user_version, pragma_application_id";
    sqlite3_stmt *s = NULL;
    int64_t version = 0, application = 0, tables = 0;
    int rc = sqlite3_prepare_v2(j->db, question, -1, &s, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        version = sqlite3_column_int64(s, 0);
        application = sqlite3_column_int64(s, 1);
        tables = sqlite3_column_int64(s, 2);
    }
    (void)sqlite3_finalize(s);
    if (rc != SQLITE_ROW)
        return xf_sql_fail(j, rc, err);
    if (version == 0 && application == 0 && tables == 0)
        return 0;
    if (application != XF_JOURNAL_APPLICATION || version < 1)
        return xf_fail(err,
                       "the file is another program's database, not a journal: choose another path (%.160s)",
                       j->path);
    return version > XF_JOURNAL_VERSION ? newer(j, version, err) : (int)version;
}

static int run_all(struct xf_journal *j, const char *const *texts, struct xf_err *err)
{
    for (; *texts != NULL; texts++)
        if (xf_sql_exec(j, *texts, err) != 0)
            return -1;
    return 0;
}

int xf_schema_migrate(struct xf_journal *j, struct xf_err *err)
{
    char seal[96];
    int version;

    if (xf_sql_exec(j, "BEGIN IMMEDIATE", err) != 0)
        return -1;
    /* once more, now that nobody else can migrate it */
    version = xf_schema_identify(j, err);
    if (version < 0)
        goto fail;
    for (int v = version; v < XF_JOURNAL_VERSION; v++)
        if (run_all(j, migrations[v], err) != 0)
            goto fail;
    if (version < 1 && run_all(j, xf_schema_push, err) != 0)
        goto fail;
    (void)snprintf(seal, sizeof seal, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   (int)XF_JOURNAL_APPLICATION, (int)XF_JOURNAL_VERSION);
    if (xf_sql_exec(j, version < XF_JOURNAL_VERSION ? seal : "COMMIT", err) == 0)
        return 0;
fail:
    (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

int xf_schema_confirm(struct xf_journal *j, struct xf_err *err)
{
    sqlite3_stmt *statement = xf_sql_start(j, XF_SQL_VERSION, err, "");
    int row = statement == NULL ? -1 : xf_sql_row(j, statement, err);
    int version = row == 1 ? sqlite3_column_int(statement, 0) : 0;

    xf_sql_end(statement);
    if (row != 1)
        return -1;
    return version > XF_JOURNAL_VERSION ? newer(j, version, err) : 0;
}
