/* SQL of runs. */
#include "journal_inside.h"

/* In the order of run_texts in journal_run_find.c, then its numbers. */
#define COLUMNS                                                                                              \
    "SELECT r.workflow, r.company_code, r.key, s.path, s.hash, r.args, r.step, r.waiting_for, r.wait_order," \
    " iif(r.result_step IS NULL, r.result, (SELECT value FROM run_steps t WHERE t.run = r.id"                \
    "  AND t.seq = r.result_step)), r.error, (SELECT name FROM owners o WHERE o.id = r.owner), r.state,"     \
    " r.id, r.campaign, r.token, r.wake_at, r.created_at, r.updated_at, r.restricted"                        \
    " FROM runs r CROSS JOIN scripts s ON s.id = r.script"
/* An update by the owner, who knows it by its token. */
#define HELD(run, token)                                                                                     \
    "EXISTS (SELECT 1 FROM runs WHERE id = " run " AND token = " token " AND owner IS NOT NULL)"

/* Of no campaign, not ended, and asked for the same. */
#define SAME                                                                                                 \
    " FROM runs WHERE workflow = ?1 AND campaign IS NULL"                                                    \
    " AND NOT (state = 'succeeded' OR state = 'cancelled') AND state <> 'failed'"                            \
    " AND company_code = ?2 AND args = ?3"

const char *const xf_sql_run_texts[XF_SQL_COUNT - XF_SQL_CAMPAIGN_FIND] = {
#define AT(id) [(id)-XF_SQL_CAMPAIGN_FIND]
    AT(XF_SQL_CAMPAIGN_FIND) =
        "SELECT id FROM campaigns WHERE file = ?2 AND workflow = ?1 AND constants = ?3",
    AT(XF_SQL_CAMPAIGN_ADD) = "INSERT INTO campaigns (workflow, file, constants, created_at)"
                              " VALUES (?1, ?2, ?3, ?4)",
    AT(XF_SQL_SCRIPT_FIND) = "SELECT id FROM scripts WHERE hash = ?2 AND path = ?1",
    AT(XF_SQL_SCRIPT_ADD) = "INSERT INTO scripts (path, hash) VALUES (?1, ?2)",
    AT(XF_SQL_RUN_START) =
        "INSERT OR ROLLBACK INTO runs (workflow, company_code, campaign, key, script, args, state, token, owner,"
        " created_at, updated_at, restricted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', 1,"
        " (SELECT id FROM owners WHERE name = ?7), ?8, ?8, ?9)",
    AT(XF_SQL_RUN_OPEN_ROW) =
        "SELECT id FROM runs WHERE campaign = ?1 AND key = ?2 AND (id > ?3"
        " OR state = 'running' OR state = 'waiting' OR state = 'diverged' OR state = 'needs_decision')",
    AT(XF_SQL_RUN_OPEN_SAME) = "SELECT id" SAME " ORDER BY id DESC LIMIT 1",
    AT(XF_SQL_RUN_STANDING) = "SELECT state, token, (SELECT name FROM owners o WHERE o.id = r.owner), script"
                              " FROM runs r WHERE id = ?1",
    AT(XF_SQL_RUN_CLAIM) =
        "UPDATE runs SET state = 'running', token = token + 1, owner = (SELECT id FROM owners WHERE name = ?2),"
        " script = ?3, updated_at = ?4, restricted = max(restricted, ?5), wake_at = NULL, wait_order = NULL, wait_device = NULL,"
        " waiting_for = NULL, error = NULL WHERE id = ?1",
    AT(XF_SQL_STEP_ADD) =
        "INSERT OR ROLLBACK INTO run_steps (run, seq, token, name, line, state, handle, value,"
        " began_at, ended_at) SELECT ?1, ?3, ?2, ?4, ?5, ?6, ?7, ?8, ?9,"
        " iif(?6 = 'begun', NULL, ?9) WHERE " HELD("?1", "?2"),
    AT(XF_SQL_STEP_CHANGE) =
        "UPDATE run_steps SET token = ?2, state = ?4, handle = coalesce(?5, handle), value = ?6,"
        " ended_at = iif(?4 = 'begun', NULL, ?7) WHERE run = ?1 AND seq = ?3 AND " HELD("?1", "?2"),
    AT(XF_SQL_RUN_REST) =
        "UPDATE runs SET state = ?3, owner = NULL, step = coalesce(?4, step), waiting_for = ?5, wait_order = ?6,"
        " wait_device = ?7, wake_at = ?8, result = ?9, error = ?10, result_step = ?11, updated_at = ?12"
        " WHERE id = ?1 AND token = ?2 AND owner IS NOT NULL",
    AT(XF_SQL_RUN_MISSED) =
        "UPDATE runs SET wake_at = ?2 WHERE id = ?1 AND wait_order IS NOT NULL AND owner IS NULL"
        " AND EXISTS (SELECT 1 FROM orders o CROSS JOIN standings s ON s.row = o.row"
        "  WHERE o.order_id = runs.wait_order AND (runs.state = 'waiting' AND s.state <> 'intent'"
        "   AND s.state <> 'sent' AND s.state <> 'accepted' OR s.holds IS NULL))",
    AT(XF_SQL_RUN_CANCEL) =
        "UPDATE runs SET state = 'cancelled', token = token + 1, owner = NULL, wake_at = NULL,"
        " wait_order = NULL, wait_device = NULL, waiting_for = NULL, error = ?2, updated_at = ?3 WHERE id = ?1",
    AT(XF_SQL_RUN_LIST) = COLUMNS " WHERE r.id > ?4 AND (?1 IS NULL OR instr(?1, ',' || r.state || ',') > 0)"
                                  " AND (?2 IS NULL OR r.workflow = ?2) AND r.created_at >= ?3"
                                  " ORDER BY r.id LIMIT ?5",
    AT(XF_SQL_RUN_LIST_CAMPAIGN) = COLUMNS
    " WHERE r.campaign = ?6 AND r.id > ?4 AND (?1 IS NULL OR instr(?1, ',' || r.state || ',') > 0)"
    " AND (?2 IS NULL OR r.workflow = ?2) AND r.created_at >= ?3 ORDER BY r.id LIMIT ?5",
    AT(XF_SQL_RUN_DUE) =
        COLUMNS " WHERE r.id IN (SELECT id FROM runs WHERE wake_at <= ?1 UNION"
                " SELECT id FROM runs WHERE owner IN (SELECT id FROM owners WHERE name <> ?5)) AND r.id > ?3"
                " AND (?2 IS NULL OR r.campaign = ?2) ORDER BY r.id LIMIT ?4",
    AT(XF_SQL_RUN_FIND) = COLUMNS " WHERE r.id = ?1",
    AT(XF_SQL_RUN_FIND_ROW) =
        COLUMNS " WHERE r.id = (SELECT max(id) FROM runs WHERE campaign = ?1 AND key = ?2)",
    AT(XF_SQL_RUN_FIND_SAME) = COLUMNS " WHERE r.id = (SELECT max(id)" SAME ")",
    AT(XF_SQL_RUN_RESTRICTED) =
        "SELECT 1 FROM scripts s CROSS JOIN runs r ON r.script = s.id WHERE s.path = ?1 AND r.restricted = 1"
        " AND NOT (r.state = 'succeeded' OR r.state = 'cancelled') LIMIT 1",
    AT(XF_SQL_RUN_COUNT) =
        "SELECT state, count(*) FROM runs r WHERE campaign = ?1 AND NOT EXISTS (SELECT 1 FROM runs n"
        " WHERE n.campaign = ?1 AND n.key = r.key AND n.id > r.id) GROUP BY state",
    AT(XF_SQL_STEP_LIST) = "SELECT name, line, state, handle, value, seq, token, began_at, ended_at"
                           " FROM run_steps WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
};
