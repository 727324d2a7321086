/* The agenda of the sandbox's clock, for Lua. Items count from 1 there. */
#include "agenda.h"
#include "bind.h"

#define AGENDA_TYPE "xfiot.agenda"

static struct xf_agenda *check_agenda(lua_State *L)
{
    return luaL_checkudata(L, 1, AGENDA_TYPE);
}

static uint32_t check_item(lua_State *L)
{
    lua_Integer item = luaL_checkinteger(L, 2);

    luaL_argcheck(L, item >= 1 && item <= XF_AGENDA_MOST, 2, "no such item");
    return (uint32_t)(item - 1);
}

/***
Lets an item be due at a time, and at no other; nil: at none.
@function agenda:set
@tparam integer item from 1
@tparam integer|nil time
*/
static int agenda_set(lua_State *L)
{
    struct xf_agenda *a = check_agenda(L);
    const uint32_t item = check_item(L);
    struct xf_err err;

    if (lua_isnoneornil(L, 3))
        xf_agenda_drop(a, item);
    else if (xf_agenda_set(a, item, luaL_checkinteger(L, 3), &err) != 0)
        return luaL_error(L, "%s", err.message);
    return 0;
}

/***
When an item is due.
@function agenda:time
@tparam integer item
@treturn integer|nil
*/
static int agenda_time(lua_State *L)
{
    int64_t time;

    if (xf_agenda_time(check_agenda(L), check_item(L), &time))
        lua_pushinteger(L, time);
    else
        lua_pushnil(L);
    return 1;
}

/***
What is due first; it stays where it is.
@function agenda:first
@treturn integer|nil time
@treturn[opt] integer item
*/
static int agenda_first(lua_State *L)
{
    const struct xf_due *due = xf_agenda_first(check_agenda(L));

    if (due == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, due->time);
    lua_pushinteger(L, (lua_Integer)due->item + 1);
    return 2;
}

/***
Takes out what is due first, unless that is later than the limit.
@function agenda:take
@tparam integer limit
@treturn integer|nil time
@treturn[opt] integer item
*/
static int agenda_take(lua_State *L)
{
    struct xf_agenda *a = check_agenda(L);
    const struct xf_due *due = xf_agenda_first(a);

    if (due == NULL || due->time > luaL_checkinteger(L, 2)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, due->time);
    lua_pushinteger(L, (lua_Integer)due->item + 1);
    xf_agenda_drop(a, due->item);
    return 2;
}

static int agenda_gc(lua_State *L)
{
    xf_agenda_free(check_agenda(L));
    return 0;
}

/***
Makes an empty agenda.
@function agenda
@treturn agenda
*/
static int agenda(lua_State *L)
{
    struct xf_agenda *a = lua_newuserdatauv(L, sizeof *a, 0);

    *a = (struct xf_agenda){0};
    luaL_setmetatable(L, AGENDA_TYPE);
    return 1;
}

void xf_add_agenda(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"set", agenda_set},   {"time", agenda_time}, {"first", agenda_first},
                                       {"take", agenda_take}, {"__gc", agenda_gc},   {NULL, NULL}};
    static const luaL_Reg functions[] = {{"agenda", agenda}, {NULL, NULL}};

    xf_new_type(L, core, AGENDA_TYPE, methods);
    xf_set_functions(L, core, functions);
}
