/* The hostile server for Lua specs:
 *
 *     local peer <close> = require "luapeer".start("half_reply")
 *     peer:url()  peer:port()  peer:requests()  peer:connections()  peer:request(1)  peer:stop()
 */
#include <lauxlib.h>
#include <lua.h>

#include "peer.c"

static const char TYPE[] = "peer";

__attribute__((visibility("default"))) int luaopen_luapeer(lua_State *L);

static struct peer *check_peer(lua_State *L)
{
    struct peer **box = luaL_checkudata(L, 1, TYPE);

    luaL_argcheck(L, *box != NULL, 1, "stopped");
    return *box;
}

/* start(behaviour [, argument]) -> peer */
static int start(lua_State *L)
{
    const char *behaviour = luaL_checkstring(L, 1), *argument = luaL_optstring(L, 2, NULL);
    struct peer **box = lua_newuserdatauv(L, sizeof(struct peer *), 0);

    *box = NULL;
    luaL_setmetatable(L, TYPE);
    *box = peer_start(behaviour, argument);
    if (*box == NULL)
        return luaL_error(L, "no peer that does %s", behaviour);
    return 1;
}

static int stop(lua_State *L)
{
    struct peer **box = luaL_checkudata(L, 1, TYPE);

    peer_stop(*box);
    *box = NULL;
    return 0;
}

static int port(lua_State *L)
{
    lua_pushinteger(L, peer_port(check_peer(L)));
    return 1;
}

static int url(lua_State *L)
{
    lua_pushstring(L, peer_url(check_peer(L)));
    return 1;
}

static int requests(lua_State *L)
{
    lua_pushinteger(L, peer_requests(check_peer(L)));
    return 1;
}

static int connections(lua_State *L)
{
    lua_pushinteger(L, peer_connections(check_peer(L)));
    return 1;
}

/* request(i) -> text of the i-th whole request, from 1, or nil */
static int request(lua_State *L)
{
    lua_pushstring(L, peer_request(check_peer(L), (int)luaL_checkinteger(L, 2) - 1));
    return 1;
}

int luaopen_luapeer(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"port", port},       {"url", url},   {"requests", requests}, {"connections", connections},
        {"request", request}, {"stop", stop}, {"__gc", stop},         {"__close", stop},
        {NULL, NULL}};
    static const luaL_Reg functions[] = {{"start", start}, {NULL, NULL}};

    luaL_newmetatable(L, TYPE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
