/* SQL of ledgers. */
#include "journal_inside.h"

/* In the order of the texts in journal_ledger.c, then the numbers. */
#define LEDGERS                                                                                              \
    "SELECT company_code, device_no, (SELECT device_id FROM ledger_devices d WHERE d.account = l.account"    \
    " ORDER BY at DESC LIMIT 1), account, opened_at FROM ledgers l"
#define ENTRIES                                                                                              \
    "SELECT kind, time, segment, evidence, detail, state, mark, seq, fen, balance, at, provisional"          \
    " FROM ledger_entries WHERE account = ?1"

const char *const xf_sql_ledger_texts[XF_SQL_CAMPAIGN_FIND - XF_SQL_LEDGER_OPEN] = {
#define AT(id) [(id)-XF_SQL_LEDGER_OPEN]
    AT(XF_SQL_LEDGER_OPEN) = "INSERT INTO ledgers (company_code, device_no, opened_at) VALUES (?1, ?2, ?3)",
    AT(XF_SQL_LEDGER_DEVICE) = "INSERT INTO ledger_devices (device_id, account, at) VALUES (?1, ?2, ?3)",
    AT(XF_SQL_LEDGER_FIND) = LEDGERS " WHERE company_code = ?1 AND device_no = ?2",
    /* as it was opened with, else as the meter is known otherwise */
    AT(XF_SQL_LEDGER_FIND_ID) = LEDGERS
    " WHERE account = coalesce((SELECT account FROM ledger_devices WHERE device_id = ?1),"
    " (SELECT m.account FROM devices d CROSS JOIN ledgers m ON m.device_no = d.device_no"
    "  AND m.company_code = d.company_code WHERE d.device_id = ?1 ORDER BY d.updated_at DESC LIMIT 1))",
    AT(XF_SQL_LEDGER_LIST) = LEDGERS " WHERE account > ?1 ORDER BY account LIMIT ?2",
    AT(XF_SQL_READING_HAS) = "SELECT 1 FROM ledger_readings"
                             " WHERE account = ?1 AND time = ?2 AND source = ?3 AND litres = ?4",
    AT(XF_SQL_READING_PUT) = "INSERT INTO ledger_readings (account, time, source, litres, evidence, at)"
                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    AT(XF_SQL_READING_LIST) =
        "SELECT time, source, evidence, litres, at FROM ledger_readings"
        " WHERE account = ?1 AND (time, source, litres) > (?2, ?3, ?4) ORDER BY time, source, litres LIMIT ?5",
    AT(XF_SQL_ENTRY_PUT) =
        "INSERT INTO ledger_entries (account, seq, kind, fen, balance, at, provisional, time, segment,"
        " evidence, detail, state, mark) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    AT(XF_SQL_ENTRY_LIST) = ENTRIES " AND seq > ?2 ORDER BY seq LIMIT ?3",
    AT(XF_SQL_ENTRY_LAST) = ENTRIES " ORDER BY seq DESC LIMIT 1",
    AT(XF_SQL_ENTRY_MARKED) = ENTRIES " AND mark = ?2",
};
