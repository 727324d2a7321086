/* The schema of pushes and sightings: further statements of version 1. */
#include "journal_inside.h"

/* The body comes last, so that listings do not read it. Rows that were never
 * acknowledged (refused, for not_json) are the only ones that may go. The index of
 * transIds tells alone what has come under one, however much that is: an overheard
 * header signs any number of bodies. */
const char *const xf_schema_push[] = {
    "CREATE TABLE pushes ("
    " id INTEGER PRIMARY KEY,"
    " kind TEXT NOT NULL CHECK (kind IN ('report','response','unknown')),"
    " trans_id TEXT NOT NULL,"
    " received_at INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " body_hash INTEGER NOT NULL," /* the first eight bytes of its SHA-256 */
    " refused INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('new','done','failed','quarantined')),"
    " reason TEXT CHECK (state <> 'quarantined' OR reason IS NOT NULL),"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " next_at INTEGER CHECK (CASE state WHEN 'new' THEN next_at IS NOT NULL"
    "  WHEN 'quarantined' THEN 1 ELSE next_at IS NULL END),"
    " done_at INTEGER,"
    " traceback TEXT,"
    " note TEXT,"
    " device_ids TEXT,"
    " headers TEXT NOT NULL,"
    " body BLOB NOT NULL"
    ") STRICT;",
    "CREATE INDEX pushes_trans_id ON pushes (trans_id, body_hash, size, refused);",
    "CREATE INDEX pushes_due ON pushes (next_at, state, received_at) WHERE next_at IS NOT NULL;",
    "CREATE INDEX pushes_not_json ON pushes (id, size) WHERE reason = 'not_json';",

    /* no foreign keys in these two: pushes that may go are in neither */
    "CREATE TABLE push_devices ("
    " device_id TEXT NOT NULL,"
    " push_id INTEGER NOT NULL,"
    " PRIMARY KEY (device_id, push_id)"
    ") STRICT, WITHOUT ROWID;",
    /* what a person has decided */
    "CREATE TABLE push_history ("
    " row INTEGER PRIMARY KEY,"
    " push_id INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " what TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " from_state TEXT NOT NULL,"
    " reason TEXT"
    ") STRICT;",
    "CREATE INDEX push_history_push ON push_history (push_id);",

    "CREATE TABLE sightings ("
    " device_id TEXT PRIMARY KEY,"
    " device_no TEXT,"
    " report TEXT,"
    " report_time TEXT,"
    " alarm TEXT,"
    " alarm_time TEXT,"
    " seen_at INTEGER,"
    " reported_at INTEGER,"
    " rhythm INTEGER,"
    " asked_at INTEGER"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TRIGGER pushes_fixed BEFORE UPDATE ON pushes"
    " WHEN OLD.id <> NEW.id OR OLD.kind <> NEW.kind OR OLD.trans_id <> NEW.trans_id"
    "  OR OLD.received_at <> NEW.received_at OR OLD.body_hash <> NEW.body_hash OR OLD.refused <> NEW.refused"
    "  OR OLD.size <> NEW.size OR OLD.headers <> NEW.headers"
    "  OR OLD.body <> NEW.body BEGIN"
    " SELECT RAISE(ABORT, 'a push stays as it came');"
    "END;",
    "CREATE TRIGGER pushes_stay BEFORE DELETE ON pushes WHEN OLD.refused = 0"
    "  OR EXISTS (SELECT 1 FROM push_history WHERE push_id = OLD.id) BEGIN"
    " SELECT RAISE(ABORT, 'a push that was acknowledged is never taken out');"
    "END;",
    "CREATE TRIGGER push_history_fixed BEFORE UPDATE ON push_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER push_history_stays BEFORE DELETE ON push_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    NULL,
};
