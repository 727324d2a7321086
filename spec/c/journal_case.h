/* What the journal's test programs share: a folder of their own, an order to
 * begin with, and SQL behind the journal's back. */
#ifndef JOURNAL_CASE_H
#define JOURNAL_CASE_H

#include <ftw.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "journal.h"

enum { CASE_PATH = 256 };

struct journal_case {
    char folder[64];
    char path[CASE_PATH];
};

static inline int case_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline struct journal_case case_start(void)
{
    struct journal_case c = {.folder = "/tmp/xfiot-journal-XXXXXX"};

    if (mkdtemp(c.folder) == NULL)
        abort();
    (void)snprintf(c.path, sizeof c.path, "%s/journal.db", c.folder);
    return c;
}

static inline void case_end(const struct journal_case *c)
{
    (void)nftw(c->folder, case_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void case_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        abort();
}

static inline struct xf_journal *case_open(const struct journal_case *c)
{
    struct xf_err err = {""};
    struct xf_journal *j = xf_journal_open(c->path, NULL, &err);

    if (j == NULL) {
        (void)fprintf(stderr, "# %s\n", err.message); /* stdout would be lost */
        abort();
    }
    return j;
}

static const char case_body[] = "{\"command\":{\"method\":\"RECHARGE_REMOTE\"}}";

static inline struct xf_intent case_intent(const char *order, const char *device_no, int bill_no)
{
    return (struct xf_intent){.order = order,
                              .fingerprint = "f00d",
                              .company_code = "C1",
                              .device_no = device_no,
                              .device_id = device_no,
                              .method = "RECHARGE_REMOTE",
                              .variant = "RECHARGE_REMOTE",
                              .bill_no = bill_no,
                              .amount = "100.00",
                              .amount_thousandths = 100000,
                              .body = case_body,
                              .body_size = sizeof case_body - 1,
                              .expire_time = 86400,
                              .at = 1000};
}

static inline enum xf_placed case_place(struct xf_journal *j, const char *order, const char *device_no,
                                        int bill_no)
{
    struct xf_err err;
    struct xf_intent intent = case_intent(order, device_no, bill_no);

    return xf_journal_place(j, &intent, NULL, &err);
}

/* With all that any state requires: the command's id is the order's. */
static inline enum xf_advanced case_go(struct xf_journal *j, const char *order, enum xf_order_state to)
{
    struct xf_err err;
    struct xf_step step = {.order = order, .to = to, .at = 2000, .code = 500014, .deadline = 2060};

    if (to == XF_ORDER_ACCEPTED)
        step.command_id = order;
    return xf_journal_advance(j, &step, NULL, &err);
}

/* XF_ORDER_STATES when there is no such order. */
static inline enum xf_order_state case_state(struct xf_journal *j, const char *order)
{
    struct xf_err err;
    struct xf_orders found;
    enum xf_order_state state = XF_ORDER_STATES;

    if (xf_journal_find_order(j, XF_ORDER_BY_ID, order, 0, &found, &err) == 1)
        state = found.rows[0].state;
    xf_orders_free(&found);
    return state;
}

/* As another program would: an own connection, only for this text. SQLite's result. */
static inline int case_sql(const struct journal_case *c, const char *text)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open(c->path, &db);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    (void)sqlite3_close(db);
    return rc;
}

#endif
