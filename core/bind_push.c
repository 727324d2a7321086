/* Pushes for Lua, as methods of the journal. Bodies are text with any bytes. */
#include <string.h>

#include "bind_journal.h"
#include "journal_push.h"

/* A failure as nil and why; what was read and is not Lua's is freed. */
static int give_up(lua_State *L, struct xf_found *found, const struct xf_err *err)
{
    xf_found_empty(found);
    return xf_push_fail(L, err);
}

/* [-0, +1|+2, m] whether it was done; or nil and why */
static int push_changed(lua_State *L, int changed, const struct xf_err *err)
{
    if (changed < 0)
        return xf_push_fail(L, err);
    lua_pushboolean(L, changed);
    return 1;
}

/***
Writes a push as the receiver does (for the platform inside, and tests).
@function journal:push_admit
@tparam table arrival {kind="report"|"response"|"unknown", trans_id=, headers=, body=, reason=, at=}; reason: why it is
quarantined
@treturn string|nil new, quarantined, repeated, full
@treturn integer|string its id; or why not
*/
static int admit(lua_State *L)
{
    static const char *const names[] = {[XF_ADMITTED_NEW] = "new",
                                        [XF_ADMITTED_QUARANTINED] = "quarantined",
                                        [XF_ADMITTED_REPEATED] = "repeated",
                                        [XF_ADMITTED_FULL] = "full"};
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_arrival a = {0};
    const char *kind;
    enum xf_admitted admitted;
    struct xf_err err;
    int64_t id;

    luaL_checktype(L, 2, LUA_TTABLE);
    kind = xf_text_member(L, 2, "kind");
    a.trans_id = xf_text_member(L, 2, "trans_id");
    a.headers = xf_text_member(L, 2, "headers");
    a.reason = xf_text_member(L, 2, "reason");
    a.at = xf_integer_member(L, 2, "at", 0);
    a.body = xf_text_member(L, 2, "body");
    luaL_argcheck(L, kind != NULL && xf_push_kind_find(kind, &a.kind), 2, "no such kind");
    luaL_argcheck(L, a.trans_id != NULL && a.body != NULL, 2, "trans_id and body expected");
    lua_getfield(L, 2, "body");
    (void)lua_tolstring(L, -1, &a.body_size);
    admitted = xf_journal_admit_push(j, &a, &id, &err);
    if (admitted == XF_ADMITTED_FAILED)
        return xf_push_fail(L, &err);
    lua_pushstring(L, names[admitted]);
    lua_pushinteger(L, id);
    return 2;
}

/* [-0, +1, m] */
static void push_row(lua_State *L, const struct xf_push_row *p)
{
    lua_createtable(L, 0, 16);
    xf_set_integer(L, "id", p->id);
    xf_set_text(L, "kind", xf_push_kind_name(p->kind));
    xf_set_text(L, "state", xf_push_state_name(p->state));
    xf_set_text(L, "trans_id", p->trans_id);
    xf_set_text(L, "reason", p->reason);
    xf_set_text(L, "traceback", p->traceback);
    xf_set_text(L, "note", p->note);
    xf_set_text(L, "device_ids", p->device_ids);
    xf_set_text(L, "headers", p->headers);
    xf_set_integer(L, "size", (lua_Integer)p->body_size);
    if (p->body != NULL) {
        lua_pushlstring(L, p->body, p->body_size);
        lua_setfield(L, -2, "body");
    }
    xf_set_integer(L, "received_at", p->received_at);
    xf_set_integer(L, "attempts", p->attempts);
    if (p->next_at != 0)
        xf_set_integer(L, "next_at", p->next_at);
    if (p->done_at != 0)
        xf_set_integer(L, "done_at", p->done_at);
}

/* [-0, +1, m] the pushes that were found, which are freed */
static int push_rows(lua_State *L, struct xf_found *found)
{
    lua_createtable(L, (int)found->pushes.count, 0);
    for (size_t i = 0; i < found->pushes.count; i++) {
        push_row(L, &found->pushes.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

static int find_state(const char *name)
{
    enum xf_push_state state;

    return xf_push_state_find(name, &state) ? (int)state : -1;
}

/***
A page of pushes, oldest first, without headers and bodies.
@function journal:push_list
@tparam[opt] table filter {states={"new"}, device_id=, trans_id=, since=, after=, limit=}; after: the `id` of the last
one seen
@treturn table|nil list of {id=, kind=, state=, trans_id=, reason=, traceback=, note=, device_ids= (JSON text), size=,
received_at=, attempts=, next_at=, done_at=}; what there is not is nil
@treturn[opt] string why it could not be read
*/
static int list(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_push_filter f = {0};
    struct xf_found *found;
    struct xf_err err;

    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        f.device_id = xf_text_member(L, 2, "device_id");
        f.trans_id = xf_text_member(L, 2, "trans_id");
        f.since = xf_integer_member(L, 2, "since", 0);
        f.after = xf_integer_member(L, 2, "after", 0);
        f.limit = (size_t)xf_integer_member(L, 2, "limit", 0);
        f.states = xf_states_member(L, 2, find_state);
    }
    found = xf_push_found(L);
    if (xf_journal_list_pushes(j, &f, &found->pushes, &err) != 0)
        return give_up(L, found, &err);
    return push_rows(L, found);
}

/***
Pushes that there is something to do for: new ones, failed attempts whose time has come, and quarantined ones whose
handler has not been told. The earliest first, without headers and bodies.
@function journal:push_due
@tparam integer now seconds since 1970 UTC
@tparam[opt] integer limit
@tparam[opt] integer after_at next_at and id of the last one of the page before
@tparam[opt] integer after_id
@tparam[opt] integer attempts only those that were tried so often at least
@treturn table|nil list, see push_list
@treturn[opt] string why it could not be read
*/
static int due(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t now = luaL_checkinteger(L, 2);
    size_t limit = (size_t)luaL_optinteger(L, 3, 0);
    const int64_t at = luaL_optinteger(L, 4, 0), id = luaL_optinteger(L, 5, 0);
    const int64_t attempts = luaL_optinteger(L, 6, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_due_pushes_after(j, now, at, id, attempts, limit, &found->pushes, &err) != 0)
        return give_up(L, found, &err);
    return push_rows(L, found);
}

/***
One push, with `headers` and `body`.
@function journal:push_find
@tparam integer id
@treturn table|nil see push_list
@treturn[opt] string why it could not be read
*/
static int find(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t id = luaL_checkinteger(L, 2);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_find_push(j, id, &found->pushes, &err);

    if (count < 0)
        return give_up(L, found, &err);
    if (count > 0)
        push_row(L, &found->pushes.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

/***
Counts an attempt, before it is made. If the attempt ends the process, the push is due again at `again_at`.
@function journal:push_begin
@tparam integer id
@tparam integer again_at seconds since 1970 UTC
@treturn boolean|nil false: there is nothing to do for it any more
@treturn[opt] string why it could not be written
*/
static int begin(lua_State *L)
{
    struct xf_err err;

    return push_changed(
        L,
        xf_journal_begin_push(xf_check_journal(L, 1), luaL_checkinteger(L, 2), luaL_checkinteger(L, 3), &err),
        &err);
}

/***
Says how an attempt ended.
@function journal:push_finish
@tparam table step {id=, to="done"|"failed"|"quarantined"|"new", at=, next_at=, reason=, traceback=, note=,
device_ids=}; new: to be tried again at next_at; quarantined with next_at: its handler is to be told then; without: it
has been told. device_ids is a JSON list of texts; note and device_ids stay as they were if nil
@treturn boolean|nil false: there was nothing to do for it any more
@treturn[opt] string why it could not be written
*/
static int finish(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_push_step s = {0};
    const char *to;
    struct xf_err err;

    luaL_checktype(L, 2, LUA_TTABLE);
    s.id = xf_integer_member(L, 2, "id", 0);
    to = xf_text_member(L, 2, "to");
    s.at = xf_integer_member(L, 2, "at", 0);
    s.next_at = xf_integer_member(L, 2, "next_at", 0);
    s.reason = xf_text_member(L, 2, "reason");
    s.traceback = xf_text_member(L, 2, "traceback");
    s.note = xf_text_member(L, 2, "note");
    s.device_ids = xf_text_member(L, 2, "device_ids");
    luaL_argcheck(L, to != NULL && xf_push_state_find(to, &s.to), 2, "no such state");
    return push_changed(L, xf_journal_finish_push(j, &s, &err), &err);
}

typedef int decision(struct xf_journal *j, int64_t id, const char *by, int64_t at, struct xf_err *err);

static int decide(lua_State *L, decision *d)
{
    struct xf_err err;

    return push_changed(L,
                        d(xf_check_journal(L, 1), luaL_checkinteger(L, 2), luaL_optstring(L, 3, NULL),
                          luaL_checkinteger(L, 4), &err),
                        &err);
}

/***
Makes a push new again, whatever it was; with a line in its history.
@function journal:push_replay
@tparam integer id
@tparam[opt] string by who; nil: xfiot
@tparam integer at seconds since 1970 UTC
@treturn boolean|nil false: no such push
@treturn[opt] string why it could not be written
*/
static int replay(lua_State *L)
{
    return decide(L, xf_journal_replay_push);
}

/***
Makes a push done without effect; with a line in its history.
@function journal:push_discard
@tparam integer id
@tparam[opt] string by who; nil: xfiot
@tparam integer at seconds since 1970 UTC
@treturn boolean|nil false: no such push, or it is done
@treturn[opt] string why it could not be written
*/
static int discard(lua_State *L)
{
    return decide(L, xf_journal_discard_push);
}

/***
Takes out, of the next few pushes, those that came and were done so long ago, unless something open rests on them; see
core/journal_push.h.
@function journal:push_clear
@tparam integer now seconds since 1970 UTC
@tparam integer keep seconds, a day at least
@tparam integer after `last` of the time before; 0: from the first on
@treturn table|nil {count= (taken out), last=, over= (nothing old follows)}
@treturn[opt] string why it could not be done
*/
static int clear(lua_State *L)
{
    const struct xf_clearing c = {
        .now = luaL_checkinteger(L, 2), .keep = luaL_checkinteger(L, 3), .after = luaL_checkinteger(L, 4)};
    struct xf_cleared cleared;
    struct xf_err err;

    if (xf_journal_clear_pushes(xf_check_journal(L, 1), &c, &cleared, &err) != 0)
        return xf_push_fail(L, &err);
    lua_createtable(L, 0, 3);
    xf_set_integer(L, "count", cleared.count);
    xf_set_integer(L, "last", cleared.last);
    lua_pushboolean(L, cleared.over);
    lua_setfield(L, -2, "over");
    return 1;
}

/***
How much waits.
@function journal:push_counts
@treturn table|nil {waiting= (new ones), oldest= (when the oldest of these came, or nil), next= (when there is next
something to do for any push, or nil)}
@treturn[opt] string why it could not be read
*/
static int counts(lua_State *L)
{
    struct xf_push_counts c;
    struct xf_err err;

    if (xf_journal_count_pushes(xf_check_journal(L, 1), &c, &err) != 0)
        return xf_push_fail(L, &err);
    lua_createtable(L, 0, 3);
    xf_set_integer(L, "waiting", c.waiting);
    if (c.oldest != 0)
        xf_set_integer(L, "oldest", c.oldest);
    if (c.next != 0)
        xf_set_integer(L, "next", c.next);
    return 1;
}

/***
What persons have decided about a push, oldest first.
@function journal:push_history
@tparam integer id
@treturn table|nil list of {what="replayed"|"discarded", by=, from= (its state then), reason= (its reason then), at=}
@treturn[opt] string why it could not be read
*/
static int history(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t id = luaL_checkinteger(L, 2);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_push_history(j, id, &found->decisions, &err) != 0)
        return give_up(L, found, &err);
    lua_createtable(L, (int)found->decisions.count, 0);
    for (size_t i = 0; i < found->decisions.count; i++) {
        const struct xf_push_event *e = &found->decisions.rows[i];

        lua_createtable(L, 0, 5);
        xf_set_text(L, "what", e->what);
        xf_set_text(L, "by", e->by);
        xf_set_text(L, "from", e->from);
        xf_set_text(L, "reason", e->reason);
        xf_set_integer(L, "at", e->at);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

const luaL_Reg xf_inbox_methods[] = {
    {"push_admit", admit}, {"push_list", list},     {"push_due", due},         {"push_find", find},
    {"push_begin", begin}, {"push_finish", finish}, {"push_replay", replay},   {"push_discard", discard},
    {"push_clear", clear}, {"push_counts", counts}, {"push_history", history}, {NULL, NULL}};
