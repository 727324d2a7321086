/* Writing orders. Every operation is one writing statement after all its
 * checks, and its triggers do the rest: so it happens whole or not at all, and
 * a refusal leaves the batch around it as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_inside.h"

static const char default_actor[] = "xfiot";

/* The first column of the row that `id` finds for these arguments, as text of
 * the caller's in *out. 1, 0 or -1. */
static int look_up(struct xf_journal *j, sqlite3_stmt *statement, char **out, struct xf_err *err)
{
    int row = statement == NULL ? -1 : xf_sql_row(j, statement, err);

    *out = NULL;
    if (row == 1) {
        *out = strdup((const char *)sqlite3_column_text(statement, 0));
        if (*out == NULL)
            row = xf_fail(err, "out of memory");
    }
    xf_sql_end(statement);
    return row;
}

static int check_intent(const struct xf_intent *i, struct xf_err *err)
{
    const char *const required[] = {i->order,     i->fingerprint, i->company_code, i->device_no,
                                    i->device_id, i->method,      i->variant,      i->body};

    for (size_t n = 0; n < sizeof required / sizeof required[0]; n++)
        if (required[n] == NULL || required[n][0] == '\0')
            return xf_fail(err,
                           "an order needs an id, a fingerprint, a company, a meter, a method and a body");
    if (strlen(i->body) != i->body_size)
        return xf_fail(err, "the body of order %.120s holds a NUL or is not as long as it says", i->order);
    if (i->bill_no < 0 || i->bill_no > XF_BILL_MOST)
        return xf_fail(err, "bill number %d is not from 1 to %d", i->bill_no, (int)XF_BILL_MOST);
    return 0;
}

static enum xf_placed check_bill(struct xf_journal *j, const struct xf_intent *i, struct xf_err *err)
{
    char *holder = NULL;
    int row;

    if (i->bill_no == 0)
        return XF_PLACED_NEW;
    row = look_up(j,
                  xf_sql_start(j, XF_SQL_ORDER_WITH_BILL, err, "tti", i->device_no, i->company_code,
                               (int64_t)i->bill_no),
                  &holder, err);
    if (row == 1)
        (void)xf_fail(err, "meter %.40s had bill number %d with order %.80s: use another", i->device_no,
                      i->bill_no, holder);
    free(holder);
    return row < 0 ? XF_PLACED_FAILED : row == 1 ? XF_PLACED_BILL_REPEATED : XF_PLACED_NEW;
}

/* What stands in the way of the intent, if anything. */
static enum xf_placed check_place(struct xf_journal *j, const struct xf_intent *i, char **blocking,
                                  struct xf_err *err)
{
    char *found = NULL;
    enum xf_placed placed;
    int row = look_up(j, xf_sql_start(j, XF_SQL_ORDER_CONTENT, err, "t", i->order), &found, err);

    if (row < 0)
        return XF_PLACED_FAILED;
    if (row == 1) {
        placed = strcmp(found, i->fingerprint) == 0 ? XF_PLACED_SAME : XF_PLACED_CONFLICT;
        free(found);
        if (placed == XF_PLACED_CONFLICT)
            (void)xf_fail(err, "order %.120s exists with other content: a new order needs a new id",
                          i->order);
        return placed;
    }
    row = look_up(j, xf_sql_start(j, XF_SQL_ORDER_BLOCKING, err, "t", i->device_no), blocking, err);
    if (row < 0)
        return XF_PLACED_FAILED;
    if (row == 1) {
        (void)xf_fail(err, "meter %.40s has an open order, %.120s: it must end first", i->device_no,
                      *blocking);
        return XF_PLACED_BLOCKED;
    }
    return check_bill(j, i, err);
}

static enum xf_placed write_intent(struct xf_journal *j, const struct xf_intent *i, struct xf_err *err)
{
    sqlite3_stmt *s;
    int row;

    if (xf_owner_write(j, err) != 0)
        return XF_PLACED_FAILED;
    s = xf_sql_start(j, XF_SQL_ORDER_PLACE, err, "tttttttztisitttit", i->order, i->fingerprint,
                     i->company_code, i->device_no, i->device_id, i->method, i->variant, (int64_t)i->bill_no,
                     i->amount, i->amount_thousandths, i->body, i->body_size, i->expire_time, i->last_report,
                     i->by != NULL ? i->by : default_actor, j->owner, i->at, i->merchant_id);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    return row < 0 ? XF_PLACED_FAILED : XF_PLACED_NEW;
}

enum xf_placed xf_journal_place(struct xf_journal *j, const struct xf_intent *intent, char **blocking,
                                struct xf_err *err)
{
    char *holder = NULL;
    enum xf_placed placed;
    bool own;

    if (blocking != NULL)
        *blocking = NULL;
    if (check_intent(intent, err) != 0 || xf_journal_enter(j, &own, err) != 0)
        return XF_PLACED_FAILED;
    placed = check_place(j, intent, &holder, err);
    if (placed == XF_PLACED_NEW)
        placed = write_intent(j, intent, err);
    if (xf_journal_leave(j, own, placed == XF_PLACED_NEW, err) != 0)
        placed = XF_PLACED_FAILED;
    if (blocking != NULL && placed == XF_PLACED_BLOCKED)
        *blocking = holder;
    else
        free(holder);
    return placed;
}

/* Where an order stands now, on disk. */
struct standing {
    int64_t row, entries;
    enum xf_order_state state;
    bool ours; /* owned by this handle */
    char command_id[128]; /* "" if none; the platform's have 32 characters */
};

/* 1, 0 when there is no such order, -1. */
static int stand(struct xf_journal *j, const char *order, struct standing *out, struct xf_err *err)
{
    sqlite3_stmt *s = xf_sql_start(j, XF_SQL_ORDER_STANDING, err, "t", order);
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    if (row == 1) {
        const char *state = (const char *)sqlite3_column_text(s, 1);
        const char *command = (const char *)sqlite3_column_text(s, 3);
        const char *owner = (const char *)sqlite3_column_text(s, 4);

        out->ours = owner != NULL && strcmp(owner, j->owner) == 0;
        out->row = sqlite3_column_int64(s, 0);
        out->entries = sqlite3_column_int64(s, 2);
        (void)snprintf(out->command_id, sizeof out->command_id, "%s", command != NULL ? command : "");
        if (state == NULL || !xf_order_state_find(state, &out->state))
            row = xf_fail(err, "order %.120s is in no known state", order);
    }
    xf_sql_end(s);
    return row;
}

static enum xf_advanced check_command(struct xf_journal *j, const struct xf_step *step,
                                      const struct standing *o, struct xf_err *err)
{
    char *holder = NULL;
    int row;

    if (step->command_id == NULL)
        return XF_ADVANCED;
    if (strlen(step->command_id) >= sizeof o->command_id)
        return (enum xf_advanced)xf_fail(err, "a command id of more than %zu characters",
                                         sizeof o->command_id - 1);
    if (o->command_id[0] != '\0' && strcmp(o->command_id, step->command_id) != 0) {
        (void)xf_fail(err, "order %.80s has command %.40s, not %.40s", step->order, o->command_id,
                      step->command_id);
        return XF_ADVANCED_COMMAND_TAKEN;
    }
    row = look_up(j, xf_sql_start(j, XF_SQL_ORDER_OF_COMMAND, err, "tt", step->command_id, step->order),
                  &holder, err);
    if (row == 1)
        (void)xf_fail(err, "command %.40s belongs to order %.80s already", step->command_id, holder);
    free(holder);
    return row < 0 ? XF_ADVANCED_FAILED : row == 1 ? XF_ADVANCED_COMMAND_TAKEN : XF_ADVANCED;
}

/* What a transition cannot do without, if it is missing; NULL if nothing is. */
static const char *missing(const struct xf_step *step, const struct standing *o, enum xf_order_state to)
{
    if (to == o->state)
        return NULL;
    if (to == XF_ORDER_SENT && step->deadline == 0)
        return "a deadline";
    if (to == XF_ORDER_ACCEPTED && (step->command_id == NULL || step->command_id[0] == '\0'))
        return "a command id";
    return to == XF_ORDER_REJECTED && step->code == 0 ? "a code" : NULL;
}

static enum xf_advanced check_step(struct xf_journal *j, const struct xf_step *step, const struct standing *o,
                                   enum xf_order_state to, struct xf_err *err)
{
    const char *name = xf_order_state_name(to);
    const char *lacks = missing(step, o, to);

    if (to != o->state && !xf_order_may(o->state, to)) {
        (void)xf_fail(err, "order %.120s is %s and cannot become %s", step->order,
                      xf_order_state_name(o->state), name != NULL ? name : "that");
        return XF_ADVANCED_REFUSED;
    }
    if (lacks != NULL) {
        (void)xf_fail(err, "order %.120s cannot become %s without %s", step->order, name, lacks);
        return XF_ADVANCED_INCOMPLETE;
    }
    if (step->command_id != NULL && o->command_id[0] == '\0' && to != XF_ORDER_ACCEPTED) {
        (void)xf_fail(err, "order %.120s is %s: a command id comes with accepted", step->order, name);
        return XF_ADVANCED_REFUSED;
    }
    return check_command(j, step, o, err);
}

static enum xf_advanced write_step(struct xf_journal *j, const struct xf_step *step, const struct standing *o,
                                   enum xf_order_state to, struct xf_err *err)
{
    bool sending = to == XF_ORDER_SENT && o->state != XF_ORDER_SENT;
    const char *command = o->command_id[0] == '\0' ? step->command_id : NULL; /* else it is there already */
    sqlite3_stmt *s;
    int row;

    if (sending && xf_owner_write(j, err) != 0)
        return XF_ADVANCED_FAILED;
    s = xf_sql_start(j, XF_SQL_HISTORY_ADD, err, "iiitttttzttz", o->row, o->entries + 1, step->at,
                     xf_order_state_name(o->state), xf_order_state_name(to),
                     step->by != NULL ? step->by : default_actor, step->evidence, command,
                     (int64_t)step->code, step->proposal, sending ? j->owner : NULL, step->deadline);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    xf_sql_end(s);
    return row < 0 ? XF_ADVANCED_FAILED : XF_ADVANCED;
}

enum line { TRANSITION, NOTE, AGAIN };

/* Whether this kind of line may follow where the order stands. */
static enum xf_advanced check_line(enum line line, const struct xf_step *step, const struct standing *o,
                                   struct xf_err *err)
{
    if (line == TRANSITION && step->to == o->state) {
        (void)xf_fail(err, "order %.120s is %s already", step->order, xf_order_state_name(o->state));
        return XF_ADVANCED_REFUSED;
    }
    if (line == AGAIN && (o->state != XF_ORDER_SENT || !o->ours)) {
        (void)xf_fail(err, "order %.120s is %s%s: it is not sent again", step->order,
                      xf_order_state_name(o->state), o->ours ? "" : " by another process");
        return XF_ADVANCED_REFUSED;
    }
    return XF_ADVANCED;
}

static enum xf_advanced add_line(struct xf_journal *j, const struct xf_step *step, enum line line,
                                 enum xf_order_state *now, struct xf_err *err)
{
    struct standing o;
    enum xf_advanced done = XF_ADVANCED_FAILED;
    enum xf_order_state to = step->to;
    bool own;
    int row;

    if (step->order == NULL)
        return (enum xf_advanced)xf_fail(err, "which order?");
    if (xf_journal_enter(j, &own, err) != 0)
        return XF_ADVANCED_FAILED;
    row = stand(j, step->order, &o, err);
    if (row == 0) {
        (void)xf_fail(err, "there is no order %.160s", step->order);
        done = XF_ADVANCED_ABSENT;
    } else if (row == 1) {
        to = line == TRANSITION ? to : o.state;
        done = check_line(line, step, &o, err);
        if (done == XF_ADVANCED)
            done = check_step(j, step, &o, to, err);
    }
    if (done == XF_ADVANCED)
        done = write_step(j, step, &o, to, err);
    if (xf_journal_leave(j, own, done == XF_ADVANCED, err) != 0)
        done = XF_ADVANCED_FAILED;
    if (now != NULL && row == 1)
        *now = done == XF_ADVANCED ? to : o.state;
    return done;
}

enum xf_advanced xf_journal_advance(struct xf_journal *j, const struct xf_step *step,
                                    enum xf_order_state *now, struct xf_err *err)
{
    return add_line(j, step, TRANSITION, now, err);
}

enum xf_advanced xf_journal_note(struct xf_journal *j, const struct xf_step *step, enum xf_order_state *now,
                                 struct xf_err *err)
{
    return add_line(j, step, NOTE, now, err);
}

enum xf_advanced xf_journal_send_again(struct xf_journal *j, const struct xf_step *step, struct xf_err *err)
{
    return add_line(j, step, AGAIN, NULL, err);
}
