/* The HTTP listener for Lua. A request is known by a handle that is good until
 * it is answered; the listener remembers which are. */
#include <string.h>

#include "bind.h"
#include "listener.h"

enum { UV_CORE = 1, UV_OPEN, UV_COUNT = UV_OPEN, HEADERS_MOST = 16 };

static struct xf_listener *check_listener(lua_State *L)
{
    struct xf_listener **box = luaL_checkudata(L, 1, XF_LISTENER_TYPE);

    if (*box == NULL)
        luaL_argerror(L, 1, "the listener is closed");
    return *box;
}

static int listener_close(lua_State *L)
{
    struct xf_listener **box = luaL_checkudata(L, 1, XF_LISTENER_TYPE);

    xf_listener_free(*box);
    *box = NULL;
    return 0;
}

static int listener_tostring(lua_State *L)
{
    lua_pushliteral(L, XF_LISTENER_TYPE);
    return 1;
}

/***
The port it listens on.
@function listener:port
@treturn integer
*/
static int listener_port(lua_State *L)
{
    lua_pushinteger(L, xf_listener_port(check_listener(L)));
    return 1;
}

/* A state and where its table lies; strings are short, so pushing them hardly fails. */
struct collector {
    lua_State *L;
    bool lower;
};

/* Adds name = value to the table on top; the first of repeated names counts. */
static void collect(void *payload, const char *name, const char *value)
{
    const struct collector *c = payload;
    lua_State *L = c->L;
    luaL_Buffer b;

    if (!c->lower) {
        lua_pushstring(L, name);
    } else {
        luaL_buffinit(L, &b);
        for (const char *s = name; *s != '\0'; s++)
            luaL_addchar(&b, (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s));
        luaL_pushresult(&b);
    }
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushstring(L, value != NULL ? value : "");
        lua_rawset(L, -3);
    } else {
        lua_pop(L, 2);
    }
}

/***
The next whole request, or nil.
@function listener:take
@treturn table|nil {id=, method=, path=, query={}, headers={}, body=}; header names in lower case
*/
static int listener_take(lua_State *L)
{
    struct xf_incoming *in = xf_listener_take(check_listener(L));
    struct collector c = {L, false};
    const char *body;
    size_t size;

    if (in == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_getiuservalue(L, 1, UV_OPEN);
    lua_pushlightuserdata(L, in);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_createtable(L, 0, 6);
    lua_pushlightuserdata(L, in);
    lua_setfield(L, -2, "id");
    lua_pushstring(L, xf_incoming_method(in));
    lua_setfield(L, -2, "method");
    lua_pushstring(L, xf_incoming_path(in));
    lua_setfield(L, -2, "path");
    body = xf_incoming_body(in, &size);
    lua_pushlstring(L, body, size);
    lua_setfield(L, -2, "body");
    lua_newtable(L);
    xf_incoming_each_argument(in, collect, &c);
    lua_setfield(L, -2, "query");
    lua_newtable(L);
    c.lower = true;
    xf_incoming_each_header(in, collect, &c);
    lua_setfield(L, -2, "headers");
    return 1;
}

/* The open request at 2; it is open no more. */
static struct xf_incoming *take_open(lua_State *L)
{
    bool open;

    luaL_argcheck(L, lua_islightuserdata(L, 2), 2, "a request's id expected");
    lua_getiuservalue(L, 1, UV_OPEN);
    lua_pushvalue(L, 2);
    open = lua_rawget(L, -2) == LUA_TBOOLEAN;
    lua_pop(L, 1);
    luaL_argcheck(L, open, 2, "the request has been answered");
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return lua_touserdata(L, 2);
}

/***
Answers a request.
@function listener:answer
@param id the request's
@tparam table answer {status=, type=, body=, headers={}, cut=}; cut: announce all, send so many bytes, close
@treturn boolean|nil
@treturn[opt] string why it could not be sent
*/
static int listener_answer(lua_State *L)
{
    const char *headers[2 * HEADERS_MOST + 1] = {NULL};
    struct xf_answer a = {0};
    struct xf_err err;
    int n = 0;

    (void)check_listener(L);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    lua_getfield(L, 3, "status");
    a.status = (unsigned)luaL_optinteger(L, -1, 200);
    if (lua_getfield(L, 3, "type") != LUA_TNIL)
        a.type = luaL_checkstring(L, -1);
    if (lua_getfield(L, 3, "body") != LUA_TNIL)
        a.body = luaL_checklstring(L, -1, &a.size);
    lua_getfield(L, 3, "cut");
    a.cut = (size_t)luaL_optinteger(L, -1, 0);
    if (lua_getfield(L, 3, "headers") == LUA_TTABLE) {
        int table = lua_gettop(L);

        for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
            luaL_argcheck(
                L, n < 2 * HEADERS_MOST && lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING,
                3, "at most 16 headers, name = text");
            headers[n++] = lua_tostring(L, -2);
            headers[n++] = lua_tostring(L, -1);
        }
        a.headers = headers;
    }
    if (xf_incoming_answer(take_open(L), &a, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/***
Closes a request's connection without a reply.
@function listener:drop
@param id the request's
@tparam[opt] boolean reset by a TCP reset
*/
static int listener_drop(lua_State *L)
{
    bool reset = lua_toboolean(L, 3);

    (void)check_listener(L);
    xf_incoming_drop(take_open(L), reset);
    return 0;
}

/***
Listens.
@function listener
@tparam[opt] table options {host="127.0.0.1", port=0, body_cap=, connections=}
@treturn listener|nil
@treturn[opt] string why not
*/
static int listener(lua_State *L)
{
    struct xf_listener_options o = {0};
    struct xf_listener **box;
    lua_Integer port = 0;
    struct xf_err err;

    lua_settop(L, 1);
    if (lua_istable(L, 1)) {
        if (lua_getfield(L, 1, "host") != LUA_TNIL)
            o.host = luaL_checkstring(L, -1);
        lua_getfield(L, 1, "port");
        port = luaL_optinteger(L, -1, 0);
        lua_getfield(L, 1, "body_cap");
        o.body_cap = (size_t)luaL_optinteger(L, -1, 0);
        lua_getfield(L, 1, "connections");
        o.connections = (unsigned)luaL_optinteger(L, -1, 0);
    }
    luaL_argcheck(L, port >= 0 && port <= 65535, 1, "a port from 0 to 65535 expected");
    o.port = (uint16_t)port;
    box = lua_newuserdatauv(L, sizeof *box, UV_COUNT);
    *box = NULL;
    luaL_setmetatable(L, XF_LISTENER_TYPE);
    lua_pushvalue(L, lua_upvalueindex(1)); /* the loop must outlive it */
    lua_setiuservalue(L, -2, UV_CORE);
    lua_newtable(L);
    lua_setiuservalue(L, -2, UV_OPEN);
    *box = xf_listener_new(xf_core_self(L)->loop, &o, &err);
    if (*box == NULL)
        return xf_push_fail(L, &err);
    return 1;
}

void xf_add_listener(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {
        {"port", listener_port},     {"take", listener_take},           {"answer", listener_answer},
        {"drop", listener_drop},     {"close", listener_close},         {"__gc", listener_close},
        {"__close", listener_close}, {"__tostring", listener_tostring}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"listener", listener}, {NULL, NULL}};

    xf_new_type(L, core, XF_LISTENER_TYPE, methods);
    xf_set_functions(L, core, functions);
}
