/* What the journal's own files share. Not for others. */
#ifndef XF_JOURNAL_INSIDE_H
#define XF_JOURNAL_INSIDE_H

#include <openssl/types.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "journal.h"

/* Every statement, prepared on first use and kept in the handle; texts in journal_sql.c. */
enum xf_sql {
    XF_SQL_BEGIN,
    XF_SQL_COMMIT,
    XF_SQL_ROLLBACK,
    XF_SQL_VERSION,
    XF_SQL_POSITION,
    XF_SQL_POSITION_NEXT,
    XF_SQL_OWNER_PUT,
    XF_SQL_META_GET,
    XF_SQL_META_PUT,
    XF_SQL_ORDER_CONTENT,
    XF_SQL_ORDER_BLOCKING,
    XF_SQL_ORDER_WITH_BILL,
    XF_SQL_ORDER_PLACE,
    XF_SQL_ORDER_STANDING,
    XF_SQL_ORDER_OF_COMMAND,
    XF_SQL_HISTORY_ADD,
    XF_SQL_HISTORY_LIST,
    XF_SQL_ORDER_LIST,
    XF_SQL_ORDER_LIST_OPEN,
    XF_SQL_ORDER_LIST_DEVICE,
    XF_SQL_ORDER_STATES,
    XF_SQL_FIND_ID,
    XF_SQL_FIND_COMMAND,
    XF_SQL_FIND_OPEN,
    XF_SQL_FIND_BILL,
    XF_SQL_BILL_MARK,
    XF_SQL_BILL_LIFT,
    XF_SQL_DEVICE_PUT,
    XF_SQL_DEVICE_GET,
    XF_SQL_DEVICE_GET_ID,
    /* pushes, from here on: texts in journal_sql_push.c */
    XF_SQL_PUSH_SAME_ID,
    XF_SQL_PUSH_SAME_BODY,
    XF_SQL_PUSH_ADMIT,
    XF_SQL_PUSH_SPARE,
    XF_SQL_PUSH_DROP,
    XF_SQL_PUSH_BEGIN,
    XF_SQL_PUSH_FINISH,
    XF_SQL_PUSH_DEVICES,
    XF_SQL_PUSH_DECIDED,
    XF_SQL_PUSH_REPLAY,
    XF_SQL_PUSH_DISCARD,
    XF_SQL_PUSH_OLD,
    XF_SQL_PUSH_CLEAR,
    XF_SQL_PUSH_LIST,
    XF_SQL_PUSH_LIST_ID,
    XF_SQL_PUSH_LIST_DEVICE,
    XF_SQL_PUSH_DUE,
    XF_SQL_PUSH_FIND,
    XF_SQL_PUSH_COUNT,
    XF_SQL_PUSH_HISTORY,
    XF_SQL_SIGHTING_PUT,
    XF_SQL_SIGHTING_ASKED,
    XF_SQL_SIGHTING_GET,
    XF_SQL_SIGHTING_SILENT,
    /* ledgers, from here on: texts in journal_sql_ledger.c */
    XF_SQL_LEDGER_OPEN,
    XF_SQL_LEDGER_DEVICE,
    XF_SQL_LEDGER_FIND,
    XF_SQL_LEDGER_FIND_ID,
    XF_SQL_LEDGER_LIST,
    XF_SQL_READING_HAS,
    XF_SQL_READING_PUT,
    XF_SQL_READING_LIST,
    XF_SQL_ENTRY_PUT,
    XF_SQL_ENTRY_LIST,
    XF_SQL_ENTRY_LAST,
    XF_SQL_ENTRY_MARKED,
    /* runs, from here on: texts in journal_sql_run.c */
    XF_SQL_CAMPAIGN_FIND,
    XF_SQL_CAMPAIGN_ADD,
    XF_SQL_SCRIPT_FIND,
    XF_SQL_SCRIPT_ADD,
    XF_SQL_RUN_START,
    XF_SQL_RUN_OPEN_ROW,
    XF_SQL_RUN_OPEN_SAME,
    XF_SQL_RUN_STANDING,
    XF_SQL_RUN_CLAIM,
    XF_SQL_STEP_ADD,
    XF_SQL_STEP_CHANGE,
    XF_SQL_RUN_REST,
    XF_SQL_RUN_MISSED,
    XF_SQL_RUN_CANCEL,
    XF_SQL_RUN_LIST,
    XF_SQL_RUN_LIST_CAMPAIGN,
    XF_SQL_RUN_DUE,
    XF_SQL_RUN_FIND,
    XF_SQL_RUN_FIND_ROW,
    XF_SQL_RUN_FIND_SAME,
    XF_SQL_RUN_RESTRICTED,
    XF_SQL_RUN_COUNT,
    XF_SQL_STEP_LIST,
    XF_SQL_COUNT,
};

enum { XF_OWNER_SIZE = 192 }; /* the five parts at their longest */

enum xf_witness { XF_WITNESS_BESIDE, XF_WITNESS_OUTSIDE, XF_WITNESSES };

struct xf_journal {
    sqlite3 *db;
    char *path; /* absolute, links resolved */
    pid_t pid; /* who opened it */
    int busy_ms;
    int64_t busy_end; /* of an eager wait, ms on a clock that never steps */
    int witnesses[XF_WITNESSES]; /* descriptors, see journal_witness.c; -1: none */
    int64_t position; /* of the last commit that was seen */
    struct {
        uint64_t device, inode; /* inode 0: not looked at yet */
    } log; /* the -wal file that this handle writes to */
    bool read_only;
    bool batch; /* between begin and commit */
    bool broken;
    bool moved; /* why: held, misplaced; neither: replaced in use */
    const char *misplaced; /* a sentence, or NULL */
    char held[XF_JOURNAL_ID_SIZE + 160]; /* an id and a sentence, or empty */
    bool owner_known; /* its name is in the table of owners */
    sqlite3_int64 changes; /* of the connection when the batch began */
    char id[XF_JOURNAL_ID_SIZE];
    char owner[XF_OWNER_SIZE]; /* boot/namespace/pid/start/random */
    EVP_MD *sha256; /* fetched once, when needed first */
    sqlite3_stmt *statements[XF_SQL_COUNT];
};

/* ---- journal_sql.c */

/* Binds one argument for each letter of `types`: t text (NULL: null), i int64_t,
 * z int64_t with 0 as null, s text and its size_t, b bytes and their size_t. Texts must live until
 * xf_sql_end. NULL with err. */
sqlite3_stmt *xf_sql_start(struct xf_journal *j, enum xf_sql id, struct xf_err *err, const char *types, ...);
/* 1: a row; 0: no more; -1 with err. */
int xf_sql_row(struct xf_journal *j, sqlite3_stmt *statement, struct xf_err *err);
/* NULL is fine. */
void xf_sql_end(sqlite3_stmt *statement);
/* For a statement without arguments and rows. */
int xf_sql_run(struct xf_journal *j, enum xf_sql id, struct xf_err *err);
/* Any SQL text; waits while others are in the way, also where SQLite itself would not. */
int xf_sql_exec(struct xf_journal *j, const char *text, struct xf_err *err);
/* A busy handler: see xf_journal_options.eager. */
int xf_sql_wait_eagerly(void *journal, int tries);
/* SQLite's result as a sentence; marks the handle broken if it is. Returns -1. */
int xf_sql_fail(struct xf_journal *j, int rc, struct xf_err *err);
void xf_sql_finalize(struct xf_journal *j);

/* ---- journal_sql_push.c and journal_schema_push.c */

/* Texts from XF_SQL_PUSH_SAME_ID on. */
extern const char *const xf_sql_push_texts[];
/* Statements of version 1 that follow journal_schema.c's own; NULL-ended. */
extern const char *const xf_schema_push[];

/* ---- journal_sql_ledger.c and journal_schema_ledger.c, likewise */

extern const char *const xf_sql_ledger_texts[];
extern const char *const xf_schema_ledger[];
/* ---- journal_sql_run.c and journal_schema_run.c */

/* Texts from XF_SQL_CAMPAIGN_FIND on. */
extern const char *const xf_sql_run_texts[];
/* Statements of version 1 that follow journal_schema_push.c's; NULL-ended. */
extern const char *const xf_schema_run[];

/* ---- journal_schema.c */

enum { XF_JOURNAL_APPLICATION = 0x58464a4c }; /* "XFJL" */
enum { XF_JOURNAL_VERSION = 1 };
/* Looks at what the file is, before anything is changed in it. Returns its
 * schema version (0: new), or -1 with err. */
int xf_schema_identify(struct xf_journal *j, struct xf_err *err);
/* Brings it to XF_JOURNAL_VERSION. */
int xf_schema_migrate(struct xf_journal *j, struct xf_err *err);
/* In a transaction: nobody has brought it to a newer version meanwhile. */
int xf_schema_confirm(struct xf_journal *j, struct xf_err *err);

/* ---- journal_place.c */

/* Sets id, and moved with its reasons. */
int xf_place_check(struct xf_journal *j, struct xf_err *err);
/* How many commits there were: what the witnesses are about. -1 with err. */
int64_t xf_place_position(struct xf_journal *j, struct xf_err *err);
/* In a batch: counts the commit that is to come. -1 with err, also when there were
 * more than that already. */
int64_t xf_place_count(struct xf_journal *j, struct xf_err *err);
/* After a commit. */
void xf_place_mark(struct xf_journal *j, int64_t position);

/* ---- journal_witness.c */

struct xf_testimony {
    char id[XF_JOURNAL_ID_SIZE];
    int64_t commits;
};
/* Makes the one beside the journal unless it is open already, durably. */
int xf_witness_make(struct xf_journal *j, struct xf_err *err);
/* Opens those there are, and makes the one outside if it can be. False when there
 * is none beside the journal. */
bool xf_witness_call(struct xf_journal *j);
/* False when it is not there, or has nothing to say (yet). */
bool xf_witness_hear(const struct xf_journal *j, enum xf_witness which, struct xf_testimony *out);
/* Tells all of them; one that cannot be told is let go. */
void xf_witness_tell(struct xf_journal *j, int64_t position);
void xf_witness_dismiss(struct xf_journal *j);

/* ---- journal_file.c */

/* Makes the file and its folders where they are missing, durably. */
int xf_file_make(const char *path, struct xf_err *err);
/* It is an ordinary file. */
int xf_file_regular(const char *path, struct xf_err *err);
/* What was made in a folder is only there after a power loss if the folder is synced. */
int xf_file_sync_folder(const char *path, struct xf_err *err);

/* ---- journal_owner.c */

/* This handle's name, unique among all handles of all processes. */
int xf_owner_name(char out[XF_OWNER_SIZE], struct xf_err *err);
/* In a batch: sees to it that the handle's name is in the table of owners. 0, or -1 with err. */
int xf_owner_write(struct xf_journal *j, struct xf_err *err);
enum xf_owner xf_owner_judge(const char *self, const char *owner);

/* ---- journal.c */

/* The handle may be read by this process. */
int xf_journal_ready(const struct xf_journal *j, struct xf_err *err);
/* Joins the batch, or starts a transaction (*own) that xf_journal_leave ends:
 * committed if `keep`, undone if not. */
int xf_journal_enter(struct xf_journal *j, bool *own, struct xf_err *err);
int xf_journal_leave(struct xf_journal *j, bool own, bool keep, struct xf_err *err);

/* ---- journal_row.c */

/* How a result row becomes a struct: its first columns are texts, the rest numbers. */
struct xf_row_shape {
    size_t size; /* of the struct */
    const size_t *texts; /* offsets of its text members, in the order of the columns */
    int count;
    void (*numbers)(sqlite3_stmt *statement, int column, void *row);
};
struct xf_rows {
    size_t count;
    void *rows;
    void *texts;
};
/* Steps and ends the statement; at most `limit` rows are kept. Freed with
 * xf_rows_free by who gets them; on -1 there is nothing to free. */
int xf_rows_read(struct xf_journal *j, sqlite3_stmt *statement, const struct xf_row_shape *shape,
                 size_t limit, struct xf_rows *out, struct xf_err *err);
void xf_rows_free(void *rows, void *texts);

#endif
