/* The schema: one migration for each version, one statement a text. A migration
 * that was released is never edited. Money's rules stand here once more, for
 * whoever writes to the file without asking journal_order.c. */
#include <stdio.h>

#include "journal_inside.h"

/* An order in one of these is at its end: its meter is free for the next one. */
#define CLOSED(state)                                                                                        \
    "(" state " = 'applied' OR " state " = 'rejected' OR " state " = 'cancelled' OR " state                  \
    " = 'not_applied')"

/* The ways an order may go; the same once more in order_state.c. */
#define MAY_GO                                                                                               \
    "CASE OLD.state WHEN 'intent' THEN NEW.state = 'sent'"                                                   \
    " WHEN 'sent' THEN NEW.state = 'accepted' OR NEW.state = 'rejected' OR NEW.state = 'unknown'"            \
    " WHEN 'accepted' THEN NEW.state = 'applied' OR NEW.state = 'suspect' OR NEW.state = 'cancelled'"        \
    " WHEN 'suspect' THEN NEW.state = 'applied' OR NEW.state = 'not_applied'"                                \
    " WHEN 'unknown' THEN NEW.state = 'accepted' OR NEW.state = 'applied' OR NEW.state = 'not_applied'"      \
    " ELSE 0 END"

/* What a line of history changes in its order's standing. */
#define CARRY                                                                                                \
    "entries = NEW.seq, state = NEW.to_state, updated_at = NEW.at,"                                          \
    " code = CASE WHEN NEW.from_state = NEW.to_state THEN coalesce(NEW.code, code) ELSE NEW.code END,"       \
    " owner = coalesce(NEW.owner, owner), deadline = coalesce(NEW.deadline, deadline),"                      \
    " proposal = CASE WHEN NEW.proposal IS NOT NULL THEN nullif(NEW.proposal, '')"                           \
    "  WHEN NEW.from_state = NEW.to_state THEN proposal END"
#define CARRIED "row = NEW.order_row AND entries = NEW.seq - 1 AND state = NEW.from_state"

/* What was asked for (orders) never changes. Where an order stands (standings) is
 * small, and changes by a line in order_history only: its trigger checks the line
 * and carries it over. Nothing is ever taken out; the EXISTS conditions of INSERT
 * triggers are against INSERT OR REPLACE, which deletes without asking a DELETE
 * trigger. Indexes of open orders hang on `holds`, so that only the first and the
 * last line touch them. There is no IN with a list, for which SQLite would build a
 * table each time, and no RAISE(ABORT), for which it would keep a copy of every
 * page: who gets that far loses the transaction. */
static const char *const version_1[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    /* commits so far; see journal_place.c */
    "CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), commits INTEGER NOT NULL) STRICT;",
    "INSERT INTO position (one, commits) VALUES (1, 0);",
    /* names of handles, see journal_owner.c */
    "CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;",

    "CREATE TABLE orders ("
    " row INTEGER PRIMARY KEY,"
    " order_id TEXT NOT NULL UNIQUE,"
    " fingerprint TEXT NOT NULL,"
    " company_code TEXT NOT NULL,"
    " merchant_id TEXT,"
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
    " placer INTEGER NOT NULL," /* of owners */
    " created_at INTEGER NOT NULL"
    ") STRICT;",
    "CREATE UNIQUE INDEX orders_bill ON orders (device_no, company_code, bill_no);",

    "CREATE TABLE standings ("
    " row INTEGER PRIMARY KEY," /* of orders */
    " entries INTEGER NOT NULL," /* lines of history; the first is the order's own row */
    " state TEXT NOT NULL,"
    " command_id TEXT,"
    " code INTEGER,"
    " proposal TEXT,"
    " owner INTEGER NOT NULL,"
    " deadline INTEGER,"
    " updated_at INTEGER NOT NULL,"
    " holds TEXT," /* the meter's device_no as long as the order is open */
    " holds_id TEXT" /* and its device_id */
    ") STRICT;",
    "CREATE UNIQUE INDEX standings_one_open ON standings (holds) WHERE holds IS NOT NULL;",
    "CREATE INDEX standings_open ON standings (row) WHERE holds IS NOT NULL;",
    "CREATE INDEX standings_device ON standings (holds_id) WHERE holds_id IS NOT NULL;",
    "CREATE UNIQUE INDEX standings_command ON standings (command_id) WHERE command_id IS NOT NULL;",

    "CREATE TABLE order_history ("
    " order_row INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " from_state TEXT NOT NULL,"
    " to_state TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " evidence TEXT,"
    " command_id TEXT,"
    " code INTEGER,"
    " proposal TEXT,"
    " owner INTEGER,"
    " deadline INTEGER,"
    " PRIMARY KEY (order_row, seq)"
    ") STRICT, WITHOUT ROWID;",

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
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE row = NEW.row)"
    "   OR EXISTS (SELECT 1 FROM orders WHERE order_id = NEW.order_id)"
    "   THEN RAISE(ROLLBACK, 'this order exists')"
    "  WHEN EXISTS (SELECT 1 FROM orders WHERE device_no = NEW.device_no AND bill_no = NEW.bill_no"
    "    AND company_code = NEW.company_code)"
    "   THEN RAISE(ROLLBACK, 'the meter had this bill number')"
    " END;"
    "END;",
    "CREATE TRIGGER orders_stand AFTER INSERT ON orders BEGIN"
    " INSERT INTO standings (row, entries, state, owner, updated_at, holds, holds_id)"
    "  VALUES (NEW.row, 1, 'intent', NEW.placer, NEW.created_at, NEW.device_no, NEW.device_id);"
    "END;",
    "CREATE TRIGGER orders_fixed BEFORE UPDATE ON orders BEGIN"
    " SELECT RAISE(ROLLBACK, 'an order is frozen');"
    "END;",
    "CREATE TRIGGER orders_stay BEFORE DELETE ON orders BEGIN"
    " SELECT RAISE(ROLLBACK, 'an order is never taken out');"
    "END;",

    "CREATE TRIGGER standings_begin BEFORE INSERT ON standings BEGIN"
    " SELECT CASE"
    "  WHEN NEW.state <> 'intent' OR NEW.entries <> 1 OR NEW.command_id IS NOT NULL"
    "   OR NOT EXISTS (SELECT 1 FROM orders WHERE row = NEW.row AND device_no = NEW.holds"
    "    AND device_id = NEW.holds_id)"
    "   OR EXISTS (SELECT 1 FROM standings WHERE row = NEW.row)"
    "   THEN RAISE(ROLLBACK, 'an order begins as an intent')"
    "  WHEN EXISTS (SELECT 1 FROM standings WHERE holds = NEW.holds)"
    "   THEN RAISE(ROLLBACK, 'the meter has an open order')"
    " END;"
    "END;",
    "CREATE TRIGGER standings_change BEFORE UPDATE ON standings BEGIN"
    " SELECT CASE"
    "  WHEN NEW.row <> OLD.row OR NEW.entries <> OLD.entries + 1 OR NOT EXISTS (SELECT 1 FROM order_history"
    "    WHERE order_row = OLD.row AND seq = NEW.entries AND from_state = OLD.state"
    "    AND to_state = NEW.state)"
    "   THEN RAISE(ROLLBACK, 'an order changes by its history only')"
    "  WHEN OLD.state <> NEW.state AND NOT " MAY_GO "   THEN RAISE(ROLLBACK, 'an order cannot go this way')"
    "  WHEN OLD.command_id IS NOT NULL AND OLD.command_id IS NOT NEW.command_id"
    "   THEN RAISE(ROLLBACK, 'a command id never changes')"
    "  WHEN NEW.holds IS NOT iif(" CLOSED(
        "NEW.state") ", NULL, OLD.holds)"
                     "   OR NEW.holds_id IS NOT iif(NEW.holds IS NULL, NULL, OLD.holds_id)"
                     "   THEN RAISE(ROLLBACK, 'a meter is held as long as its order is open')"
                     " END;"
                     "END;",
    "CREATE TRIGGER standings_stay BEFORE DELETE ON standings BEGIN"
    " SELECT RAISE(ROLLBACK, 'an order is never taken out');"
    "END;",

    "CREATE TRIGGER order_history_carry AFTER INSERT ON order_history BEGIN"
    " SELECT CASE"
    "  WHEN NEW.from_state = 'intent' AND NEW.to_state = 'sent' AND NEW.deadline IS NULL"
    "   THEN RAISE(ROLLBACK, 'sent needs a deadline')"
    "  WHEN NEW.to_state = 'accepted' AND NEW.from_state <> 'accepted' AND NEW.command_id IS NULL"
    "   THEN RAISE(ROLLBACK, 'accepted needs a command id')"
    "  WHEN NEW.to_state = 'rejected' AND NEW.from_state <> 'rejected' AND NEW.code IS NULL"
    "   THEN RAISE(ROLLBACK, 'rejected needs a code')"
    "  WHEN NEW.command_id IS NOT NULL AND NEW.to_state <> 'accepted'"
    "   THEN RAISE(ROLLBACK, 'a command id belongs to accepted')"
    "  WHEN NEW.command_id IS NOT NULL AND EXISTS (SELECT 1 FROM standings"
    "    WHERE command_id = NEW.command_id AND row <> NEW.order_row)"
    "   THEN RAISE(ROLLBACK, 'the command id belongs to another order')"
    " END;"
    " UPDATE standings SET " CARRY ", command_id = coalesce(NEW.command_id, command_id)"
    "  WHERE " CARRIED " AND NOT " CLOSED(
        "NEW.to_state") ";"
                        " UPDATE standings SET " CARRY ", holds = NULL, holds_id = NULL"
                        "  WHERE " CARRIED " AND " CLOSED(
                            "NEW.to_state") ";"
                                            /* Not a line that was replaced, nor one of another state. */
                                            " SELECT RAISE(ROLLBACK, 'a history grows at its end only')"
                                            "  WHERE NOT EXISTS (SELECT 1 FROM standings WHERE row = NEW.order_row AND entries = NEW.seq);"
                                            "END;",
    "CREATE TRIGGER order_history_fixed BEFORE UPDATE ON order_history BEGIN"
    " SELECT RAISE(ROLLBACK, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER order_history_stays BEFORE DELETE ON order_history BEGIN"
    " SELECT RAISE(ROLLBACK, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER owners_fixed BEFORE UPDATE ON owners BEGIN"
    " SELECT RAISE(ROLLBACK, 'an owner keeps its name');"
    "END;",
    "CREATE TRIGGER owners_stay BEFORE DELETE ON owners BEGIN"
    " SELECT RAISE(ROLLBACK, 'an owner keeps its name');"
    "END;",
    "CREATE TRIGGER owners_begin BEFORE INSERT ON owners WHEN EXISTS (SELECT 1 FROM owners WHERE id = NEW.id)"
    " OR EXISTS (SELECT 1 FROM owners WHERE name = NEW.name) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    "CREATE TRIGGER position_rises BEFORE UPDATE ON position WHEN NEW.commits <= OLD.commits BEGIN"
    " SELECT RAISE(ROLLBACK, 'commits only grow in number');"
    "END;",
    "CREATE TRIGGER position_begins BEFORE INSERT ON position BEGIN"
    " SELECT RAISE(ROLLBACK, 'commits only grow in number');"
    "END;",
    "CREATE TRIGGER position_stays BEFORE DELETE ON position BEGIN"
    " SELECT RAISE(ROLLBACK, 'commits only grow in number');"
    "END;",
    "CREATE TRIGGER bill_marks_rise BEFORE UPDATE ON bill_marks"
    " WHEN NEW.mark < OLD.mark OR NEW.device_no <> OLD.device_no OR NEW.company_code <> OLD.company_code BEGIN"
    " SELECT RAISE(ROLLBACK, 'a bill number mark only rises');"
    "END;",
    "CREATE TRIGGER bill_marks_begin BEFORE INSERT ON bill_marks WHEN EXISTS (SELECT 1 FROM bill_marks"
    "  WHERE device_no = NEW.device_no AND company_code = NEW.company_code AND mark > NEW.mark) BEGIN"
    " SELECT RAISE(IGNORE);"
    "END;",
    "CREATE TRIGGER bill_marks_stay BEFORE DELETE ON bill_marks BEGIN"
    " SELECT RAISE(ROLLBACK, 'a bill number mark only rises');"
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
    if (version < 1 && (run_all(j, xf_schema_push, err) != 0 || run_all(j, xf_schema_run, err) != 0))
        goto fail;
    if (version < 1 && run_all(j, xf_schema_ledger, err) != 0)
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
