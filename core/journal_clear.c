/* Clearing away pushes that are done. What may go is for the schema to say. */
#include "journal_inside.h"
#include "journal_push.h"

/* What the next few are. */
struct stretch {
    int64_t count, last, old, recent;
};

static int look(struct xf_journal *j, const struct xf_clearing *c, struct stretch *out, struct xf_err *err)
{
    sqlite3_stmt *s = xf_sql_start(j, XF_SQL_PUSH_OLD, err, "iiii", c->after, c->now - c->keep, c->now,
                                   (int64_t)XF_PUSH_CLEARED_MOST);
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    if (row == 1) {
        out->count = sqlite3_column_int64(s, 0);
        out->last = sqlite3_column_int64(s, 1);
        out->old = sqlite3_column_int64(s, 2);
        out->recent = sqlite3_column_int64(s, 3);
    }
    xf_sql_end(s);
    return row == 1 ? 0 : -1;
}

static int clear(struct xf_journal *j, const struct xf_clearing *c, int64_t last, int64_t *count,
                 struct xf_err *err)
{
    sqlite3_stmt *s;
    bool own;
    int row;

    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    s = xf_sql_start(j, XF_SQL_PUSH_CLEAR, err, "iii", c->after, c->now - c->keep, last);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    if (row == 0)
        *count = sqlite3_changes64(j->db);
    return xf_journal_leave(j, own, row == 0 && *count > 0, err) != 0 ? -1 : row;
}

int xf_journal_clear_pushes(struct xf_journal *j, const struct xf_clearing *c, struct xf_cleared *out,
                            struct xf_err *err)
{
    struct stretch next = {0};

    *out = (struct xf_cleared){.last = c->after};
    if (c->keep < XF_PUSH_KEEP_LEAST)
        return xf_fail(err, "pushes are kept for a day at least");
    if (xf_journal_ready(j, err) != 0 || look(j, c, &next, err) != 0)
        return -1;
    if (next.count > 0)
        out->last = next.last;
    /* One from the future, of a clock that was wrong, is no sign that only younger ones follow. */
    out->over = next.count < XF_PUSH_CLEARED_MOST || (next.old == 0 && next.recent > 0);
    return next.old > 0 ? clear(j, c, next.last, &out->count, err) : 0;
}
