/* The schema of pushes and sightings: further statements of version 1. */
#include "journal_inside.h"

/* The accounts of the ledgers of a push's devices: by the id they were opened with, or
 * as the meter is known otherwise. */
#define ACCOUNTS(device)                                                                                     \
    "(SELECT account FROM ledger_devices WHERE device_id = " device                                          \
    " UNION ALL SELECT m.account FROM devices v CROSS JOIN ledgers m ON m.device_no = v.device_no"           \
    "  AND m.company_code = v.company_code WHERE v.device_id = " device ")"
/* A reading that waits for a person's word. */
#define HELD(entry)                                                                                          \
    "(" entry ".kind = 'held' OR " entry ".kind = 'contradicted') AND NOT EXISTS (SELECT 1"                  \
    " FROM ledger_entries l WHERE l.account = " entry ".account AND l.seq > " entry                          \
    ".seq AND l.time = " entry ".time"                                                                       \
    "  AND l.detail = " entry                                                                                \
    ".detail AND (l.kind = 'released' OR l.kind = 'ignored' OR l.kind = 'restored'))"

/* The body comes last, so that listings do not read it. Rows that were never
 * acknowledged (refused, for not_json) may go, and what pushes_spare has. The index of
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

    /* no foreign keys in these two: lines of the history outlive their push */
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
    /* What may be cleared when it is old enough for whoever asks: what is done for a day,
     * for until then its transId may come again; not the last one, whose number would be
     * given again; and nothing of a meter with an order or a reading that is not decided. */
    "CREATE VIEW pushes_spare AS SELECT id, received_at, done_at FROM pushes p"
    " WHERE state = 'done' AND max(received_at, done_at) <= unixepoch() - 86400"
    " AND id <> (SELECT max(id) FROM pushes)" /* with < it would be where a search ends */
    " AND NOT EXISTS (SELECT 1 FROM json_each(p.device_ids) d CROSS JOIN standings s"
    "  ON s.holds_id = d.value)"
    " AND NOT EXISTS (SELECT 1 FROM json_each(p.device_ids) d CROSS JOIN ledger_entries e"
    "  INDEXED BY ledger_entries_held"
    "  ON e.account IN " ACCOUNTS("d.value") " AND " HELD("e") ");",
    "CREATE TRIGGER pushes_stay BEFORE DELETE ON pushes WHEN (OLD.refused = 0"
    "  OR EXISTS (SELECT 1 FROM push_history WHERE push_id = OLD.id))"
    "  AND NOT EXISTS (SELECT 1 FROM pushes_spare WHERE id = OLD.id) BEGIN"
    " SELECT RAISE(ABORT, 'a push is taken out only when it is done and nothing open rests on it');"
    "END;",
    "CREATE TRIGGER pushes_gone AFTER DELETE ON pushes BEGIN"
    " DELETE FROM push_devices WHERE push_id = OLD.id"
    "  AND device_id IN (SELECT value FROM json_each(OLD.device_ids));"
    "END;",
    "CREATE TRIGGER push_history_fixed BEFORE UPDATE ON push_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    "CREATE TRIGGER push_history_stays BEFORE DELETE ON push_history BEGIN"
    " SELECT RAISE(ABORT, 'a history is never changed');"
    "END;",
    NULL,
};
