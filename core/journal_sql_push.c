/* SQL of pushes and sightings. */
#include "journal_inside.h"

/* In the order of push_texts in journal_push_find.c, then its numbers. */
#define COLUMNS(headers, body)                                                                               \
    "SELECT trans_id, reason, traceback, note, device_ids, " headers ", " body                               \
    ", kind, state, id, size, received_at, attempts, next_at, done_at FROM pushes"
#define LISTED COLUMNS("NULL", "NULL")
/* ?1 names of states between commas, ?2 since, ?3 after, ?4 limit */
#define FILTER                                                                                               \
    " AND (?1 IS NULL OR instr(?1, ',' || state || ',') > 0) AND received_at >= ?2 AND id > ?3"              \
    " ORDER BY id LIMIT ?4"

#define SIGHTED                                                                                              \
    "SELECT device_id, device_no, report, report_time, alarm, alarm_time, seen_at, reported_at, rhythm,"     \
    " asked_at FROM sightings"
/* Takes the newer of what is known and what has come. */
#define NEWER(what, time)                                                                                    \
    what " = iif(excluded." time " >= coalesce(" time ", ''), excluded." what ", " what ")"

const char *const xf_sql_push_texts[XF_SQL_LEDGER_OPEN - XF_SQL_PUSH_SAME_ID] = {
#define AT(id) [(id)-XF_SQL_PUSH_SAME_ID]
    AT(XF_SQL_PUSH_SAME_ID) = /* the index has all but the kind, which is read last */
    "SELECT id, size, refused, iif(body_hash = ?2, kind = ?3, 0) FROM pushes WHERE trans_id = ?1",
    AT(XF_SQL_PUSH_SAME_BODY) = "SELECT 1 FROM pushes WHERE id = ?1 AND body = ?2",
    AT(XF_SQL_PUSH_ADMIT) =
        "INSERT INTO pushes (kind, trans_id, received_at, size, state, reason, next_at, headers, body, body_hash,"
        " refused) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?3, ?7, ?8, ?9, ?6 IS 'not_json')",
    AT(XF_SQL_PUSH_SPARE) = "SELECT count(*), coalesce(sum(size), 0) FROM pushes WHERE reason = 'not_json'",
    AT(XF_SQL_PUSH_DROP) = "DELETE FROM pushes WHERE id = (SELECT min(id) FROM pushes p"
                           " WHERE reason = 'not_json' AND NOT EXISTS (SELECT 1 FROM push_history"
                           "  WHERE push_id = p.id))",
    AT(XF_SQL_PUSH_BEGIN) = "UPDATE pushes SET attempts = attempts + 1, next_at = ?2"
                            " WHERE id = ?1 AND next_at IS NOT NULL",
    AT(XF_SQL_PUSH_FINISH) =
        "UPDATE pushes SET state = ?2, next_at = ?3, reason = iif(?2 = 'quarantined', coalesce(?4, reason), ?4),"
        " traceback = ?5, note = coalesce(?6, note), device_ids = coalesce(?7, device_ids), done_at = ?8"
        " WHERE id = ?1 AND next_at IS NOT NULL",
    AT(XF_SQL_PUSH_DEVICES) = "INSERT OR IGNORE INTO push_devices (device_id, push_id)"
                              " SELECT value, ?1 FROM json_each(?2) WHERE type = 'text'",
    AT(XF_SQL_PUSH_DECIDED) = "INSERT INTO push_history (push_id, at, what, actor, from_state, reason)"
                              " SELECT id, ?2, ?3, ?4, state, reason FROM pushes"
                              " WHERE id = ?1 AND (state <> 'done' OR ?3 = 'replayed')",
    AT(XF_SQL_PUSH_REPLAY) = "UPDATE pushes SET state = 'new', next_at = ?2, reason = NULL, attempts = 0,"
                             " traceback = NULL, done_at = NULL WHERE id = ?1",
    AT(XF_SQL_PUSH_DISCARD) =
        "UPDATE pushes SET state = 'done', next_at = NULL, reason = 'discarded by ' || ?3,"
        " done_at = ?2 WHERE id = ?1",
    /* ?1 after, ?2 until when old, ?3 now, ?4 limit */
    AT(XF_SQL_PUSH_OLD) =
        "SELECT count(*), max(id), sum(received_at <= ?2), sum(received_at > ?2 AND received_at <= ?3)"
        " FROM (SELECT id, received_at FROM pushes WHERE id > ?1 ORDER BY id LIMIT ?4)",
    AT(XF_SQL_PUSH_CLEAR) = "DELETE FROM pushes WHERE id IN (SELECT id FROM pushes_spare"
                            " WHERE id > ?1 AND id <= ?3 AND received_at <= ?2 AND done_at <= ?2)",
    AT(XF_SQL_PUSH_LIST) = LISTED " WHERE 1" FILTER,
    AT(XF_SQL_PUSH_LIST_ID) = LISTED " WHERE trans_id = ?5" FILTER,
    AT(XF_SQL_PUSH_LIST_DEVICE) =
        LISTED " WHERE id IN (SELECT push_id FROM push_devices WHERE device_id = ?5)" FILTER,
    AT(XF_SQL_PUSH_DUE) = LISTED
    " WHERE next_at <= ?1 AND (next_at, id) > (?3, ?4) AND attempts >= ?5 ORDER BY next_at, id LIMIT ?2",
    AT(XF_SQL_PUSH_FIND) = COLUMNS("headers", "body") " WHERE id = ?1",
    AT(XF_SQL_PUSH_COUNT) =
        "SELECT sum(state = 'new'), min(iif(state = 'new', received_at, NULL)), min(next_at) FROM"
        " (SELECT state, received_at, next_at FROM pushes WHERE next_at IS NOT NULL ORDER BY next_at LIMIT ?1)",
    AT(XF_SQL_PUSH_HISTORY) =
        "SELECT what, actor, from_state, reason, at FROM push_history WHERE push_id = ?1"
        " ORDER BY row LIMIT ?2",
    /* ?8: the shortest interval that counts; a long silence counts as no more than four. */
    AT(XF_SQL_SIGHTING_PUT) =
        "INSERT INTO sightings (device_id, device_no, report, report_time, alarm, alarm_time, seen_at,"
        " reported_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, iif(?3 IS NULL, NULL, ?7)) ON CONFLICT DO UPDATE SET"
        " device_no = coalesce(excluded.device_no, device_no)," NEWER("report", "report_time") "," NEWER(
            "report_time",
            "report_time") "," NEWER("alarm",
                                     "alarm_time") "," NEWER("alarm_time",
                                                             "alarm_time") ","
                                                                           " seen_at = max(coalesce(seen_at, 0), excluded.seen_at),"
                                                                           " reported_at = iif(?3 IS NULL, reported_at, max(coalesce(reported_at, 0), ?7)),"
                                                                           " rhythm = CASE WHEN ?3 IS NULL OR reported_at IS NULL OR ?7 - reported_at < ?8 THEN rhythm"
                                                                           "  WHEN rhythm IS NULL THEN ?7 - reported_at"
                                                                           "  ELSE (3 * rhythm + min(?7 - reported_at, 4 * rhythm)) / 4 END,"
                                                                           " asked_at = iif(?3 IS NULL, asked_at, NULL)",
    AT(XF_SQL_SIGHTING_ASKED) = "INSERT INTO sightings (device_id, asked_at) VALUES (?1, ?2)"
                                " ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at",
    AT(XF_SQL_SIGHTING_GET) = SIGHTED " WHERE device_id = ?1",
    /* ?1 now, ?2 every, ?3 after, ?4 limit */
    AT(XF_SQL_SIGHTING_SILENT) =
        "SELECT * FROM (" SIGHTED
        " WHERE device_id > ?3 AND reported_at + coalesce(?2, 2 * rhythm + 3600) < ?1"
        " UNION ALL SELECT d.device_id, d.device_no, NULL, NULL, s.alarm, s.alarm_time, s.seen_at, NULL, NULL,"
        "  s.asked_at FROM devices d LEFT JOIN sightings s ON s.device_id = d.device_id"
        "  WHERE d.device_id > ?3 AND s.reported_at IS NULL AND d.updated_at + ?2 < ?1)"
        " ORDER BY device_id LIMIT ?4",
};
