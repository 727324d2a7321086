/* Ledgers for Lua, as methods of the journal. */
#include <stdlib.h>

#include "bind_journal.h"
#include "journal_ledger.h"

/* A failure as nil and why; what was read and is not Lua's is freed. */
static int give_up(lua_State *L, struct xf_found *found, const struct xf_err *err)
{
    xf_found_empty(found);
    return xf_push_fail(L, err);
}

/* ---- ledgers */

/***
Makes a meter's ledger if it has none.
@function journal:ledger_open
@tparam string company_code
@tparam string device_no
@tparam[opt] string device_id the platform's id of the meter
@tparam integer at seconds since 1970 UTC
@treturn integer|nil its account
@treturn boolean|string whether it is new; or why it could not be written
*/
static int open(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t account = 0;
    struct xf_err err;
    int made = xf_journal_open_ledger(j, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                                      luaL_optstring(L, 4, NULL), luaL_checkinteger(L, 5), &account, &err);

    if (made < 0)
        return xf_push_fail(L, &err);
    lua_pushinteger(L, account);
    lua_pushboolean(L, made);
    return 2;
}

/* [-0, +1, m] */
static void push_ledger(lua_State *L, const struct xf_ledger *l)
{
    lua_createtable(L, 0, 5);
    xf_set_text(L, "company_code", l->company_code);
    xf_set_text(L, "device_no", l->device_no);
    xf_set_text(L, "device_id", l->device_id);
    xf_set_integer(L, "account", l->account);
    xf_set_integer(L, "opened_at", l->opened_at);
}

/* [-0, +1|+2, m] the one that was found, or nil; or nil and why */
static int push_found_ledger(lua_State *L, struct xf_found *found, int count, const struct xf_err *err)
{
    if (count < 0)
        return give_up(L, found, err);
    if (count > 0)
        push_ledger(L, &found->ledgers.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

/***
A meter's ledger.
@function journal:ledger_find
@tparam string company_code
@tparam string device_no
@treturn table|nil {account=, company_code=, device_no=, device_id=, opened_at=}
@treturn[opt] string why it could not be read
*/
static int find(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *company = luaL_checkstring(L, 2), *number = luaL_checkstring(L, 3);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    return push_found_ledger(L, found, xf_journal_find_ledger(j, company, number, &found->ledgers, &err),
                             &err);
}

/***
The ledger of a meter by the platform's id of it.
@function journal:ledger_of
@tparam string device_id
@treturn table|nil see ledger_find
@treturn[opt] string why it could not be read
*/
static int of(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *device_id = luaL_checkstring(L, 2);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    return push_found_ledger(L, found, xf_journal_find_ledger_id(j, device_id, &found->ledgers, &err), &err);
}

/***
A page of all ledgers.
@function journal:ledgers
@tparam[opt] integer after the account of the last one seen
@tparam[opt] integer limit
@treturn table|nil list, see ledger_find
@treturn[opt] string why it could not be read
*/
static int list(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t after = luaL_optinteger(L, 2, 0);
    size_t limit = (size_t)luaL_optinteger(L, 3, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_ledgers(j, after, limit, &found->ledgers, &err) != 0)
        return give_up(L, found, &err);
    lua_createtable(L, (int)found->ledgers.count, 0);
    for (size_t i = 0; i < found->ledgers.count; i++) {
        push_ledger(L, &found->ledgers.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

/* ---- readings */

static struct xf_reading_row read_reading(lua_State *L, int index)
{
    struct xf_reading_row r = {.time = xf_text_member(L, index, "time"),
                               .source = xf_text_member(L, index, "source"),
                               .evidence = xf_text_member(L, index, "evidence"),
                               .litres = xf_integer_member(L, index, "litres", -1),
                               .at = xf_integer_member(L, index, "at", 0)};

    if (r.time == NULL || r.source == NULL || r.litres < 0)
        luaL_error(L, "a reading has time, source and litres");
    return r;
}

/***
Whether a reading was taken before.
@function journal:ledger_has
@tparam integer account
@tparam table reading {time=, source="report"|"frozen", litres=}
@treturn boolean|nil
@treturn[opt] string why it could not be read
*/
static int has(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_reading_row r = read_reading(L, 3);
    struct xf_err err;
    int row = xf_journal_has_reading(j, luaL_checkinteger(L, 2), &r, &err);

    if (row < 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, row);
    return 1;
}

/***
A page of a meter's readings, by time.
@function journal:ledger_readings
@tparam integer account
@tparam[opt] table after the last one seen
@tparam[opt] integer limit
@treturn table|nil list of {time=, source=, litres=, evidence=, at=}
@treturn[opt] string why it could not be read
*/
static int readings(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t account = luaL_checkinteger(L, 2);
    size_t limit = (size_t)luaL_optinteger(L, 4, 0);
    struct xf_reading_row after = {0};
    struct xf_found *found;
    struct xf_err err;

    if (!lua_isnoneornil(L, 3))
        after = read_reading(L, 3);
    found = xf_push_found(L);
    if (xf_journal_list_readings(j, account, after.time != NULL ? &after : NULL, limit, &found->readings,
                                 &err) != 0)
        return give_up(L, found, &err);
    lua_createtable(L, (int)found->readings.count, 0);
    for (size_t i = 0; i < found->readings.count; i++) {
        const struct xf_reading_row *r = &found->readings.rows[i];

        lua_createtable(L, 0, 5);
        xf_set_text(L, "time", r->time);
        xf_set_text(L, "source", r->source);
        xf_set_text(L, "evidence", r->evidence);
        xf_set_integer(L, "litres", r->litres);
        xf_set_integer(L, "at", r->at);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

/* ---- entries */

/* [-0, +1, m] */
static void push_entry(lua_State *L, const struct xf_ledger_entry *e)
{
    lua_createtable(L, 0, 12);
    xf_set_text(L, "kind", e->kind);
    xf_set_text(L, "time", e->time);
    xf_set_text(L, "segment", e->segment);
    xf_set_text(L, "evidence", e->evidence);
    xf_set_text(L, "detail", e->detail);
    xf_set_text(L, "state", e->state);
    xf_set_text(L, "mark", e->mark);
    xf_set_integer(L, "seq", e->seq);
    xf_set_integer(L, "fen", e->fen);
    xf_set_integer(L, "balance", e->balance);
    xf_set_integer(L, "at", e->at);
    lua_pushboolean(L, e->provisional);
    lua_setfield(L, -2, "provisional");
}

/***
A page of a ledger, oldest first.
@function journal:ledger_entries
@tparam integer account
@tparam[opt] integer after the seq of the last one seen
@tparam[opt] integer limit
@treturn table|nil list of {seq=, kind=, fen=, balance=, at=, time=, segment=, provisional=, evidence=, detail=,
state=, mark=}; what there is not is nil
@treturn[opt] string why it could not be read
*/
static int entries(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t account = luaL_checkinteger(L, 2), after = luaL_optinteger(L, 3, 0);
    size_t limit = (size_t)luaL_optinteger(L, 4, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_entries(j, account, after, limit, &found->entries, &err) != 0)
        return give_up(L, found, &err);
    lua_createtable(L, (int)found->entries.count, 0);
    for (size_t i = 0; i < found->entries.count; i++) {
        push_entry(L, &found->entries.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

/***
The last entry of a ledger, or the one with a mark.
@function journal:ledger_entry
@tparam integer account
@tparam[opt] string mark nil: the last
@treturn table|nil see ledger_entries
@treturn[opt] string why it could not be read
*/
static int entry(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t account = luaL_checkinteger(L, 2);
    const char *mark = luaL_optstring(L, 3, NULL);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = mark == NULL ? xf_journal_last_entry(j, account, &found->entries, &err)
                             : xf_journal_marked_entry(j, account, mark, &found->entries, &err);

    if (count < 0)
        return give_up(L, found, &err);
    if (count > 0)
        push_entry(L, &found->entries.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

static struct xf_ledger_entry read_entry(lua_State *L, int index)
{
    struct xf_ledger_entry e = {.kind = xf_text_member(L, index, "kind"),
                                .time = xf_text_member(L, index, "time"),
                                .segment = xf_text_member(L, index, "segment"),
                                .evidence = xf_text_member(L, index, "evidence"),
                                .detail = xf_text_member(L, index, "detail"),
                                .state = xf_text_member(L, index, "state"),
                                .mark = xf_text_member(L, index, "mark"),
                                .fen = xf_integer_member(L, index, "fen", 0),
                                .at = xf_integer_member(L, index, "at", 0)};

    lua_getfield(L, index, "provisional");
    e.provisional = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (e.kind == NULL || e.evidence == NULL)
        luaL_error(L, "an entry has kind and evidence");
    return e;
}

/* [-0, +1, m] the list `name` of the table at index, as rows in a userdata; *count of them */
static void *push_rows(lua_State *L, int index, const char *name, size_t size, size_t *count)
{
    void *rows;

    if (lua_getfield(L, index, name) != LUA_TNIL)
        luaL_checktype(L, -1, LUA_TTABLE);
    *count = lua_isnil(L, -1) ? 0 : (size_t)lua_rawlen(L, -1);
    rows = lua_newuserdatauv(L, size * *count, 0);
    lua_insert(L, -2); /* the list on top, for the caller to read */
    return rows;
}

/***
Writes what one report, payment or decision does, all of it or nothing.
@function journal:ledger_settle
@tparam table settlement {account=, after= (the last seq that was read, 0: none), readings=, entries=}
@treturn boolean|nil false: the ledger has grown since it was read
@treturn[opt] string why it could not be written; the batch it stood in is undone
*/
static int settle(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_settlement s = {0};
    struct xf_reading_row *reading;
    struct xf_ledger_entry *line;
    struct xf_err err;
    int done;

    luaL_checktype(L, 2, LUA_TTABLE);
    s.account = xf_integer_member(L, 2, "account", 0);
    s.after = xf_integer_member(L, 2, "after", 0);
    reading = push_rows(L, 2, "readings", sizeof *reading, &s.reading_count);
    for (size_t i = 0; i < s.reading_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        reading[i] = read_reading(L, lua_gettop(L));
        if (reading[i].evidence == NULL)
            luaL_error(L, "a reading has evidence");
        lua_pop(L, 1);
    }
    line = push_rows(L, 2, "entries", sizeof *line, &s.entry_count);
    for (size_t i = 0; i < s.entry_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        line[i] = read_entry(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    s.readings = reading;
    s.entries = line;
    done = xf_journal_settle(j, &s, &err);
    if (done < 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, done);
    return 1;
}

const luaL_Reg xf_ledger_methods[] = {{"ledger_open", open},       {"ledger_find", find},
                                      {"ledger_of", of},           {"ledgers", list},
                                      {"ledger_has", has},         {"ledger_readings", readings},
                                      {"ledger_entries", entries}, {"ledger_entry", entry},
                                      {"ledger_settle", settle},   {NULL, NULL}};
