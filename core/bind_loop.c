/* Transports, the loop's step, and plain HTTP requests for Lua. */
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "transfer.h"
#include "version.h"

struct xf_transport *xf_check_transport(lua_State *L, int index)
{
    struct xf_transport **box = luaL_checkudata(L, index, XF_TRANSPORT_TYPE);

    if (*box == NULL)
        luaL_argerror(L, index, "the transport is closed");
    return *box;
}

static int transport_gc(lua_State *L)
{
    struct xf_transport **box = luaL_checkudata(L, 1, XF_TRANSPORT_TYPE);

    xf_transport_free(*box);
    *box = NULL;
    return 0;
}

static int transport_tostring(lua_State *L)
{
    lua_pushliteral(L, XF_TRANSPORT_TYPE);
    return 1;
}

/* Text member of the table at 1, kept alive by the table; NULL if absent. */
static const char *text_member(lua_State *L, const char *name)
{
    const char *s = NULL;

    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        s = luaL_checkstring(L, -1);
        if (strlen(s) != lua_rawlen(L, -1))
            luaL_error(L, "%s has a NUL in it", name);
    }
    lua_pop(L, 1);
    return s;
}

/* Seconds to milliseconds; 0 if absent. */
static long seconds_member(lua_State *L, const char *name)
{
    double seconds = 0;

    if (lua_getfield(L, 1, name) != LUA_TNIL)
        seconds = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 1, "seconds from 0 to 86400 expected");
    return seconds > 0 && seconds < 0.001 ? 1 : (long)(seconds * 1000);
}

/***
Makes a transport: where calls go and how.
@function transport
@tparam table options {base_url=, ca_file=, proxy=, connect_timeout=, timeout=, reply_cap=, allow_http=}, times in seconds
@treturn transport|nil
@treturn[opt] string why not
*/
static int transport(lua_State *L)
{
    struct xf_transport_options o = {.user_agent = "xfiot/" XF_VERSION};
    struct xf_transport **box;
    struct xf_err err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    o.base_url = text_member(L, "base_url");
    o.ca_file = text_member(L, "ca_file");
    o.proxy = text_member(L, "proxy");
    o.connect_timeout_ms = seconds_member(L, "connect_timeout");
    o.timeout_ms = seconds_member(L, "timeout");
    lua_getfield(L, 1, "reply_cap");
    o.reply_cap = (size_t)luaL_optinteger(L, -1, 0);
    lua_getfield(L, 1, "allow_http");
    o.allow_http = lua_toboolean(L, -1);
    luaL_argcheck(L, o.base_url != NULL, 1, "base_url expected");
    box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = NULL;
    luaL_setmetatable(L, XF_TRANSPORT_TYPE);
    lua_pushvalue(L, lua_upvalueindex(1)); /* the loop must outlive it */
    lua_setiuservalue(L, -2, 1);
    *box = xf_transport_new(xf_core_self(L)->loop, &o, &err);
    if (*box == NULL)
        return xf_push_fail(L, &err);
    return 1;
}

/***
Moves everything forward and tells which calls have ended.
@function step
@tparam number timeout seconds to wait at most for something to do
@tparam table ended filled from 1 with the calls that ended
@treturn integer how many
*/
static int step(lua_State *L)
{
    double timeout = luaL_checknumber(L, 1);
    struct xf_loop *loop = xf_core_self(L)->loop;
    lua_Integer count = 0;
    struct xf_transfer *x;
    struct xf_err err;
    int ms = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    if (timeout >= 60)
        ms = 60000;
    else if (timeout > 0)
        ms = (int)(timeout * 1000) + 1;
    if (xf_loop_step(loop, ms, &err) != 0)
        return luaL_error(L, "%s", err.message);
    while ((x = xf_transfer_take_done(loop)) != NULL) {
        lua_pushlightuserdata(L, x);
        lua_rawseti(L, 2, ++count);
    }
    lua_pushinteger(L, count);
    return 1;
}

/***
How many calls are under way.
@function open_calls
@treturn integer
*/
static int open_calls(lua_State *L)
{
    lua_pushinteger(L, xf_transfers_open(xf_core_self(L)->loop));
    return 1;
}

/***
Starts a plain HTTP request.
@function fetch
@param transport
@tparam table request {method=, target=, body=, headers={"Name: value"}, once=, timeout=}
@treturn userdata|nil the call, for fetched()
@treturn[opt] string why not
*/
static int fetch(lua_State *L)
{
    struct xf_transport *t = xf_check_transport(L, 1);
    struct xf_request r = {0};
    struct xf_transfer *x;
    struct xf_err err;
    lua_Integer count;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_getfield(L, 2, "method");
    r.method = luaL_optstring(L, -1, "GET");
    lua_getfield(L, 2, "target");
    r.target = luaL_checklstring(L, -1, &r.target_size);
    if (lua_getfield(L, 2, "body") != LUA_TNIL)
        r.body = luaL_checklstring(L, -1, &r.body_size);
    lua_getfield(L, 2, "once");
    r.once = lua_toboolean(L, -1);
    lua_getfield(L, 2, "timeout");
    r.timeout_ms = (long)(luaL_optnumber(L, -1, 0) * 1000);
    if (lua_getfield(L, 2, "headers") == LUA_TTABLE) {
        int list = lua_gettop(L);

        count = (lua_Integer)lua_rawlen(L, list);
        luaL_argcheck(L, count < XF_HEADER_MOST, 2, "too many headers");
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, list, i);
            r.headers[i - 1] = luaL_checkstring(L, -1);
        }
    }
    x = xf_transfer_start(t, &r, &err);
    if (x == NULL)
        return xf_push_fail(L, &err);
    lua_pushlightuserdata(L, x);
    return 1;
}

/***
Ends a fetch that is done.
@function fetched
@param call
@treturn table {curl=, why=, released=, status=, type=, date=, body=, address=}; curl 0: a whole reply is there
*/
static int fetched(lua_State *L)
{
    struct xf_transfer *x = lua_touserdata(L, 1);
    const struct xf_reply *r;

    luaL_argcheck(L, lua_islightuserdata(L, 1), 1, "a call expected");
    r = xf_transfer_reply(x);
    lua_createtable(L, 0, 8);
    lua_pushinteger(L, r->curl);
    lua_setfield(L, -2, "curl");
    lua_pushstring(L, r->why);
    lua_setfield(L, -2, "why");
    lua_pushboolean(L, r->released);
    lua_setfield(L, -2, "released");
    lua_pushinteger(L, r->status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, r->type);
    lua_setfield(L, -2, "type");
    lua_pushstring(L, r->date);
    lua_setfield(L, -2, "date");
    lua_pushlstring(L, r->size > 0 ? r->body : "", r->size);
    lua_setfield(L, -2, "body");
    lua_pushstring(L, r->address);
    lua_setfield(L, -2, "address");
    xf_transfer_free(x);
    return 1;
}

void xf_add_loop(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {
        {"__gc", transport_gc}, {"__tostring", transport_tostring}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"transport", transport},   {"step", step},
                                         {"open_calls", open_calls}, {"fetch", fetch},
                                         {"fetched", fetched},       {NULL, NULL}};

    xf_new_type(L, core, XF_TRANSPORT_TYPE, methods);
    xf_set_functions(L, core, functions);
}
