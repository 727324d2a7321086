/* Locks for Lua. */
#include <stdbool.h>
#include <unistd.h>

#include "bind.h"
#include "lock.h"

#define LOCK_TYPE "xfiot.lock"

static int lock_close(lua_State *L)
{
    int *fd = luaL_checkudata(L, 1, LOCK_TYPE);

    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return 0;
}

/***
Takes hold of a file that one process at a time may hold; does not wait.
@function lock
@tparam string path made if it is missing
@treturn lock|boolean|nil false: another holds it; the lock is let go when it is closed
@treturn[opt] string why it cannot be used
*/
static int lock(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
    struct xf_err err;

    *fd = -1;
    luaL_setmetatable(L, LOCK_TYPE);
    *fd = xf_lock_take(path, &err);
    if (*fd == XF_LOCK_FAILED)
        return xf_push_fail(L, &err);
    if (*fd == XF_LOCK_TAKEN)
        lua_pushboolean(L, false);
    return 1;
}

void xf_add_lock(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {
        {"close", lock_close}, {"__gc", lock_close}, {"__close", lock_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"lock", lock}, {NULL, NULL}};

    xf_new_type(L, core, LOCK_TYPE, methods);
    xf_set_functions(L, core, functions);
}
