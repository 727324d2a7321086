/*
 * Orders for Lua: placed, moved on and listed in the journal; and sent, with
 * `sent` on disk before the first byte of the request leaves.
 */
#include <string.h>
#include <time.h>

#include "bind_journal.h"
#include "contract.h"
#include "transfer.h"

static const char *const PLACED[] = {[XF_PLACED_NEW] = "new",
                                     [XF_PLACED_SAME] = "same",
                                     [XF_PLACED_CONFLICT] = "conflict",
                                     [XF_PLACED_BLOCKED] = "blocked",
                                     [XF_PLACED_BILL_REPEATED] = "bill_repeated"};
static const char *const ADVANCED[] = {[XF_ADVANCED] = "done",
                                       [XF_ADVANCED_REFUSED] = "refused",
                                       [XF_ADVANCED_ABSENT] = "absent",
                                       [XF_ADVANCED_COMMAND_TAKEN] = "command_taken",
                                       [XF_ADVANCED_INCOMPLETE] = "incomplete"};
static const char *const OWNERS[] = {[XF_OWNER_SELF] = "self",
                                     [XF_OWNER_NEAR] = "near",
                                     [XF_OWNER_ALIVE] = "alive",
                                     [XF_OWNER_GONE] = "gone",
                                     [XF_OWNER_UNSEEN] = "unseen"};

/***
What journal orders are compared by: SHA-256 of the text, in hex.
@function journal:fingerprint
@tparam string content
@treturn string|nil
@treturn[opt] string why not
*/
static int fingerprint(lua_State *L)
{
    char text[XF_FINGERPRINT_SIZE];
    struct xf_err err;
    size_t size;
    const char *s = luaL_checklstring(L, 2, &size);

    if (xf_journal_fingerprint(xf_check_journal(L, 1), s, size, text, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushstring(L, text);
    return 1;
}

/***
The next bill number of a meter; only in a batch.
@function journal:next_bill
@tparam string company_code
@tparam string device_no
@treturn integer|nil
@treturn[opt] string why not; used up: the meter is held for a person
*/
static int next_bill(lua_State *L)
{
    struct xf_err err;
    int n =
        xf_journal_next_bill(xf_check_journal(L, 1), luaL_checkstring(L, 2), luaL_checkstring(L, 3), &err);

    if (n <= 0)
        return xf_push_fail(L, &err);
    lua_pushinteger(L, n);
    return 1;
}

/***
Places an order as intent.
@function journal:place
@tparam table intent {order=, company_code=, merchant_id=, device_no=, device_id=, method=, variant=, bill_no=,
amount=, amount_thousandths=, body=, expire_time=, last_report=, created_at=}
@tparam string content what the order is compared by, see fingerprint
@treturn string|nil new, same, conflict, blocked, bill_repeated
@treturn[opt] string the sentence about it
@treturn[opt] string blocked: the order in the way
*/
static int place(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    char fingerprint[XF_FINGERPRINT_SIZE];
    struct xf_intent o = {0};
    size_t size;
    const char *content = luaL_checklstring(L, 3, &size);
    struct xf_found *found;
    enum xf_placed placed;
    struct xf_err err = {""};

    luaL_checktype(L, 2, LUA_TTABLE);
    o.order = xf_text_member(L, 2, "order");
    o.company_code = xf_text_member(L, 2, "company_code");
    o.merchant_id = xf_text_member(L, 2, "merchant_id");
    o.device_no = xf_text_member(L, 2, "device_no");
    o.device_id = xf_text_member(L, 2, "device_id");
    o.method = xf_text_member(L, 2, "method");
    o.variant = xf_text_member(L, 2, "variant");
    o.bill_no = (int)xf_integer_member(L, 2, "bill_no", 0);
    o.amount = xf_text_member(L, 2, "amount");
    o.amount_thousandths = xf_integer_member(L, 2, "amount_thousandths", 0);
    o.body = xf_text_member(L, 2, "body");
    o.expire_time = xf_integer_member(L, 2, "expire_time", 0);
    o.last_report = xf_text_member(L, 2, "last_report");
    o.at = xf_integer_member(L, 2, "created_at", 0);
    luaL_argcheck(L, o.order != NULL && o.body != NULL && o.device_no != NULL, 2, "incomplete");
    o.body_size = strlen(o.body);
    if (xf_journal_fingerprint(j, content, size, fingerprint, &err) != 0)
        return xf_push_fail(L, &err);
    o.fingerprint = fingerprint;
    found = xf_push_found(L);
    placed = xf_journal_place(j, &o, &found->text, &err);
    if (placed == XF_PLACED_FAILED) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    lua_pushstring(L, PLACED[placed]);
    lua_pushstring(L, err.message);
    lua_pushstring(L, found->text);
    xf_found_empty(found);
    return 3;
}

static void read_step(lua_State *L, struct xf_step *s)
{
    const char *to;

    luaL_checktype(L, 2, LUA_TTABLE);
    s->order = xf_text_member(L, 2, "order");
    to = xf_text_member(L, 2, "to");
    s->at = xf_integer_member(L, 2, "at", 0);
    s->by = xf_text_member(L, 2, "by");
    s->evidence = xf_text_member(L, 2, "evidence");
    s->command_id = xf_text_member(L, 2, "command_id");
    s->code = (int)xf_integer_member(L, 2, "code", 0);
    s->deadline = xf_integer_member(L, 2, "deadline", 0);
    s->proposal = xf_text_member(L, 2, "proposal");
    luaL_argcheck(L, s->order != NULL, 2, "order expected");
    luaL_argcheck(L, to == NULL || xf_order_state_find(to, &s->to), 2, "no such state");
}

/* [-0, +2, m] how it went and where the order stands, or nil and why */
static int push_advanced(lua_State *L, enum xf_advanced result, enum xf_order_state now,
                         const struct xf_err *err)
{
    if (result == XF_ADVANCED_FAILED)
        return xf_push_fail(L, err);
    lua_pushstring(L, ADVANCED[result]);
    lua_pushstring(L, result == XF_ADVANCED_ABSENT ? NULL : xf_order_state_name(now));
    return 2;
}

typedef enum xf_advanced step_function(struct xf_journal *j, const struct xf_step *step,
                                       enum xf_order_state *now, struct xf_err *err);

/* [-0, +2, m] the step at 2 taken by one of the journal's two ways */
static int take_step(lua_State *L, step_function *take)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    enum xf_order_state now = XF_ORDER_INTENT;
    struct xf_step s = {0};
    struct xf_err err;
    enum xf_advanced result;

    read_step(L, &s);
    result = take(j, &s, &now, &err);
    return push_advanced(L, result, now, &err);
}

/***
Moves an order on.
@function journal:advance
@tparam table step {order=, to=, at=, by=, evidence=, command_id=, code=, deadline=, proposal=}
@treturn string|nil done, refused, absent, command_taken, incomplete
@treturn string the state it is in now; or why the journal failed
*/
static int advance(lua_State *L)
{
    return take_step(L, xf_journal_advance);
}

/***
Adds a line to an order's history without moving it.
@function journal:note
@tparam table step see advance
@treturn string|nil
@treturn string
*/
static int note(lua_State *L)
{
    return take_step(L, xf_journal_note);
}

/***
Makes orders `unknown` that were sent by processes that are gone.
@function journal:recover
@tparam integer now seconds since 1970 UTC
@treturn integer|nil how many
@treturn[opt] string why not
*/
static int recover(lua_State *L)
{
    struct xf_err err;
    int64_t count = xf_journal_recover(xf_check_journal(L, 1), luaL_checkinteger(L, 2), &err);

    if (count < 0)
        return xf_push_fail(L, &err);
    lua_pushinteger(L, count);
    return 1;
}

/* [-0, +1, m] */
static void push_order(lua_State *L, const struct xf_journal *j, const struct xf_order *o)
{
    lua_createtable(L, 0, 24);
    xf_set_text(L, "order", o->order);
    xf_set_text(L, "fingerprint", o->fingerprint);
    xf_set_text(L, "company_code", o->company_code);
    xf_set_text(L, "merchant_id", o->merchant_id);
    xf_set_text(L, "device_no", o->device_no);
    xf_set_text(L, "device_id", o->device_id);
    xf_set_text(L, "method", o->method);
    xf_set_text(L, "variant", o->variant);
    xf_set_text(L, "amount", o->amount);
    if (o->amount != NULL)
        xf_set_integer(L, "amount_thousandths", o->amount_thousandths);
    lua_pushlstring(L, o->body, o->body_size);
    lua_setfield(L, -2, "body");
    xf_set_text(L, "last_report", o->last_report);
    xf_set_text(L, "command_id", o->command_id);
    xf_set_text(L, "proposal", o->proposal);
    xf_set_text(L, "by", o->by);
    xf_set_text(L, "state", xf_order_state_name(o->state));
    xf_set_text(L, "owner", OWNERS[xf_journal_owner(j, o)]);
    if (o->bill_no != 0)
        xf_set_integer(L, "bill_no", o->bill_no);
    if (o->code != 0) {
        lua_pushfstring(L, "%d", o->code);
        lua_setfield(L, -2, "code");
    }
    xf_set_integer(L, "row", o->row);
    xf_set_integer(L, "expire_time", o->expire_time);
    if (o->deadline != 0)
        xf_set_integer(L, "deadline", o->deadline);
    xf_set_integer(L, "created_at", o->created_at);
    xf_set_integer(L, "updated_at", o->updated_at);
}

static int find_state(const char *name)
{
    enum xf_order_state state;

    return xf_order_state_find(name, &state) ? (int)state : -1;
}

/***
A page of orders, oldest first.
@function journal:list
@tparam[opt] table filter {states={"unknown"}, device_no=, since=, after=, limit=}; after: the `row` of the last one seen
@treturn table|nil
@treturn[opt] string why it could not be read
*/
static int list(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_order_filter f = {0};
    struct xf_found *found;
    struct xf_err err;

    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        f.device_no = xf_text_member(L, 2, "device_no");
        f.since = xf_integer_member(L, 2, "since", 0);
        f.after = xf_integer_member(L, 2, "after", 0);
        f.limit = (size_t)xf_integer_member(L, 2, "limit", 0);
        f.states = xf_states_member(L, 2, find_state);
    }
    found = xf_push_found(L);
    if (xf_journal_list_orders(j, &f, &found->orders, &err) != 0) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    lua_createtable(L, (int)found->orders.count, 0);
    for (size_t i = 0; i < found->orders.count; i++) {
        push_order(L, j, &found->orders.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

/***
One order.
@function journal:find
@tparam string key id, command (commandId), device (deviceNo: its open order), bill (deviceId and bill number)
@tparam string value
@tparam[opt] integer bill_no
@treturn table|nil
@treturn[opt] string why it could not be read
*/
static int find(lua_State *L)
{
    static const char *const keys[] = {"id", "command", "device", "bill", NULL};
    static const enum xf_order_key ids[] = {XF_ORDER_BY_ID, XF_ORDER_BY_COMMAND, XF_ORDER_OPEN_OF_DEVICE,
                                            XF_ORDER_BY_BILL};
    struct xf_journal *j = xf_check_journal(L, 1);
    int key = luaL_checkoption(L, 2, NULL, keys);
    const char *value = luaL_checkstring(L, 3);
    int bill = (int)luaL_optinteger(L, 4, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_find_order(j, ids[key], value, bill, &found->orders, &err);

    if (count < 0) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    if (count > 0)
        push_order(L, j, &found->orders.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

/***
A page of an order's history, oldest first.
@function journal:history
@tparam string order
@tparam[opt=0] integer after lines after this number
@treturn table|nil list of {at=, seq=, from=, to=, by=, evidence=, command_id=, proposal=, code=}
@treturn[opt] string why it could not be read
*/
static int history(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *order = luaL_checkstring(L, 2);
    int after = (int)luaL_optinteger(L, 3, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_history(j, order, after, &found->history, &err) != 0) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    lua_createtable(L, (int)found->history.count, 0);
    for (size_t i = 0; i < found->history.count; i++) {
        const struct xf_order_event *e = &found->history.rows[i];

        lua_createtable(L, 0, 9);
        xf_set_integer(L, "at", e->at);
        xf_set_integer(L, "seq", e->seq);
        xf_set_text(L, "from", e->from);
        xf_set_text(L, "to", e->to);
        xf_set_text(L, "by", e->by);
        xf_set_text(L, "evidence", e->evidence);
        xf_set_text(L, "command_id", e->command_id);
        xf_set_text(L, "proposal", e->proposal);
        if (e->code != 0)
            xf_set_integer(L, "code", e->code);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

const luaL_Reg xf_order_methods[] = {{"fingerprint", fingerprint},
                                     {"next_bill", next_bill},
                                     {"place", place},
                                     {"advance", advance},
                                     {"note", note},
                                     {"recover", recover},
                                     {"list", list},
                                     {"find", find},
                                     {"history", history},
                                     {NULL, NULL}};
