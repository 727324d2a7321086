/* The schema of runs: further statements of version 1. */
#include "journal_inside.h"

#define ENDED(state) "(" state " = 'succeeded' OR " state " = 'cancelled')"

/* Who writes to a run shows the token of its last claim: a claim raises it by one,
 * everything else leaves it. The step's rows carry the token they were written
 * with. RAISE(ROLLBACK) as in journal_schema.c: who gets that far loses the batch;
 * journal_run.c asks first. */
const char *const xf_schema_run[] = {
    "CREATE TABLE campaigns ("
    " id INTEGER PRIMARY KEY,"
    " workflow TEXT NOT NULL,"
    " file TEXT NOT NULL,"
    " constants TEXT NOT NULL,"
    " created_at INTEGER NOT NULL"
    ") STRICT;",
    "CREATE INDEX campaigns_file ON campaigns (file);",
    "CREATE TABLE scripts (id INTEGER PRIMARY KEY, path TEXT NOT NULL, hash TEXT NOT NULL) STRICT;",
    "CREATE UNIQUE INDEX scripts_once ON scripts (hash, path);",

    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY,"
    " workflow TEXT NOT NULL,"
    " company_code TEXT NOT NULL,"
    " campaign INTEGER," /* of campaigns */
    " key TEXT CHECK (campaign IS NULL OR key IS NOT NULL),"
    " script INTEGER NOT NULL," /* of scripts */
    " restricted INTEGER NOT NULL CHECK (restricted IN (0, 1)),"
    " args TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('running','waiting','succeeded','failed','diverged',"
    "  'needs_decision','cancelled')),"
    " token INTEGER NOT NULL,"
    " owner INTEGER CHECK ((owner IS NULL) = (state <> 'running'))," /* of owners */
    " step TEXT,"
    " waiting_for TEXT,"
    " wait_order TEXT,"
    " wait_device TEXT,"
    " wake_at INTEGER,"
    " result TEXT,"
    " result_step INTEGER,"
    " error TEXT,"
    " created_at INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL"
    ") STRICT;",
    "CREATE INDEX runs_row ON runs (campaign, key) WHERE campaign IS NOT NULL;",
    "CREATE INDEX runs_open ON runs (workflow) WHERE campaign IS NULL AND NOT " ENDED("state") ";",
    "CREATE INDEX runs_restricted ON runs (script) WHERE restricted = 1 AND NOT " ENDED("state") ";",
    "CREATE INDEX runs_wake ON runs (wake_at) WHERE wake_at IS NOT NULL;",
    "CREATE INDEX runs_owned ON runs (owner) WHERE owner IS NOT NULL;",
    "CREATE INDEX runs_order ON runs (wait_order) WHERE wait_order IS NOT NULL;",
    "CREATE INDEX runs_device ON runs (wait_device) WHERE wait_device IS NOT NULL;",

    "CREATE TABLE run_steps ("
    " run INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " token INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " line TEXT,"
    " state TEXT NOT NULL CHECK (state IN ('begun','done','failed')),"
    " handle TEXT,"
    " value TEXT,"
    " began_at INTEGER NOT NULL,"
    " ended_at INTEGER CHECK ((ended_at IS NULL) = (state = 'begun')),"
    " PRIMARY KEY (run, seq)"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TRIGGER runs_begin BEFORE INSERT ON runs BEGIN"
    " SELECT RAISE(ROLLBACK, 'a run begins running, under token 1')"
    "  WHERE NEW.state <> 'running' OR NEW.token <> 1 OR EXISTS (SELECT 1 FROM runs WHERE id = NEW.id);"
    " SELECT RAISE(ROLLBACK, 'the row has a run that has not ended')"
    "  WHERE NEW.campaign IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE campaign = NEW.campaign"
    "   AND key = NEW.key AND (state = 'running' OR state = 'waiting' OR state = 'diverged'"
    "    OR state = 'needs_decision'));"
    "END;",
    "CREATE TRIGGER runs_change BEFORE UPDATE ON runs BEGIN"
    " SELECT RAISE(ROLLBACK, 'a run stays what was asked for')"
    "  WHERE NEW.id <> OLD.id OR NEW.workflow <> OLD.workflow OR NEW.company_code <> OLD.company_code"
    "   OR NEW.campaign IS NOT OLD.campaign OR NEW.key IS NOT OLD.key OR NEW.args <> OLD.args"
    "   OR NEW.created_at <> OLD.created_at OR NEW.restricted < OLD.restricted;"
    " SELECT RAISE(ROLLBACK, 'the run has ended') WHERE " ENDED(
        "OLD.state") ";"
                     " SELECT RAISE(ROLLBACK, 'a claim raises the token of a run by one')"
                     "  WHERE NOT (NEW.token = OLD.token AND (NEW.owner IS NULL OR NEW.owner IS OLD.owner)"
                     "   OR NEW.token = OLD.token + 1 AND (NEW.owner IS NOT NULL OR NEW.state = 'cancelled'));"
                     "END;",
    "CREATE TRIGGER runs_stay BEFORE DELETE ON runs BEGIN"
    " SELECT RAISE(ROLLBACK, 'a run is never taken out');"
    "END;",

    "CREATE TRIGGER run_steps_begin BEFORE INSERT ON run_steps BEGIN"
    " SELECT RAISE(ROLLBACK, 'the run belongs to another')"
    "  WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND token = NEW.token AND owner IS NOT NULL);"
    " SELECT RAISE(ROLLBACK, 'steps come one after the other')"
    "  WHERE EXISTS (SELECT 1 FROM run_steps WHERE run = NEW.run AND seq >= NEW.seq)"
    "   OR NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM run_steps WHERE run = NEW.run AND seq = NEW.seq - 1"
    "    AND state <> 'begun') OR NEW.seq < 1;"
    "END;",
    "CREATE TRIGGER run_steps_change BEFORE UPDATE ON run_steps BEGIN"
    " SELECT RAISE(ROLLBACK, 'the run belongs to another')"
    "  WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND token = NEW.token AND owner IS NOT NULL);"
    " SELECT RAISE(ROLLBACK, 'a step that has ended stays as it is')"
    "  WHERE NEW.run <> OLD.run OR NEW.seq <> OLD.seq OR NEW.name <> OLD.name"
    "   OR NEW.began_at <> OLD.began_at OR OLD.state = 'done' OR OLD.state = 'failed' AND NEW.state <> 'begun'"
    "   OR EXISTS (SELECT 1 FROM run_steps WHERE run = OLD.run AND seq > OLD.seq);"
    "END;",
    "CREATE TRIGGER run_steps_stay BEFORE DELETE ON run_steps BEGIN"
    " SELECT RAISE(ROLLBACK, 'a step is never taken out');"
    "END;",

    /* What runs wait for: an order at its end or in doubt, a report. */
    "CREATE TRIGGER runs_wake_order AFTER UPDATE OF state ON standings"
    " WHEN NEW.state <> OLD.state AND NEW.state <> 'sent' AND NEW.state <> 'accepted' BEGIN"
    " UPDATE runs SET wake_at = NEW.updated_at WHERE owner IS NULL"
    "  AND wait_order = (SELECT order_id FROM orders WHERE row = NEW.row);"
    "END;",
    "CREATE TRIGGER runs_wake_report AFTER UPDATE OF reported_at ON sightings"
    " WHEN NEW.reported_at IS NOT OLD.reported_at BEGIN"
    " UPDATE runs SET wake_at = NEW.reported_at WHERE wait_device = NEW.device_id AND owner IS NULL;"
    "END;",
    "CREATE TRIGGER runs_wake_first_report AFTER INSERT ON sightings WHEN NEW.reported_at IS NOT NULL BEGIN"
    " UPDATE runs SET wake_at = NEW.reported_at WHERE wait_device = NEW.device_id AND owner IS NULL;"
    "END;",
    NULL,
};
