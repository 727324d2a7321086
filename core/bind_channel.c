/* The worker's line to the receiver, for Lua: polled with everything else. */
#include <unistd.h>

#include "bind.h"
#include "channel.h"

#define XF_CHANNEL_TYPE "xfiot.channel"

struct channel {
    struct xf_watcher watcher; /* its fd is -1 when the line is closed */
    struct xf_loop *loop;
};

static struct channel *check(lua_State *L)
{
    return luaL_checkudata(L, 1, XF_CHANNEL_TYPE);
}

static int channel_close(lua_State *L)
{
    struct channel *c = check(L);

    if (c->watcher.fd >= 0) {
        xf_loop_unwatch(c->loop, &c->watcher);
        (void)close(c->watcher.fd);
        c->watcher.fd = -1;
    }
    return 0;
}

/* A step of the loop ends when the line is readable; taking is the caller's. */
static void ignore(void *payload)
{
    (void)payload;
}

/***
Takes over one end of a line to a receiver.
@function channel
@tparam integer fd
@treturn channel|nil
@treturn[opt] string why not
*/
static int channel(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    struct channel *c = lua_newuserdatauv(L, sizeof *c, 1);
    struct xf_err err;

    *c = (struct channel){.watcher = {.fd = -1, .work = ignore}, .loop = xf_core_self(L)->loop};
    luaL_setmetatable(L, XF_CHANNEL_TYPE);
    lua_pushvalue(L, lua_upvalueindex(1)); /* the loop must outlive it */
    lua_setiuservalue(L, -2, 1);
    if (xf_channel_adopt(fd, &err) != 0)
        return xf_push_fail(L, &err);
    c->watcher.fd = fd;
    xf_loop_watch(c->loop, &c->watcher);
    return 1;
}

/***
The next text that has come.
@function channel:take
@treturn string|nil nil: none has; or the line is closed
@treturn[opt] boolean true: the other side has gone
*/
static int channel_take(lua_State *L)
{
    char text[XF_CHANNEL_MOST + 1];
    struct channel *c = check(L);
    enum xf_channel_read got = c->watcher.fd < 0 ? XF_CHANNEL_CLOSED : xf_channel_take(c->watcher.fd, text);

    if (got == XF_CHANNEL_TEXT) {
        lua_pushstring(L, text);
        return 1;
    }
    lua_pushnil(L);
    if (got == XF_CHANNEL_EMPTY)
        return 1;
    lua_settop(L, 1);
    (void)channel_close(L);
    lua_pushnil(L);
    lua_pushboolean(L, 1);
    return 2;
}

/***
Sends a text, unless the line is full or closed.
@function channel:send
@tparam string text
@treturn boolean whether it was let go
*/
static int channel_send(lua_State *L)
{
    struct channel *c = check(L);
    const char *text = luaL_checkstring(L, 2);

    lua_pushboolean(L, c->watcher.fd >= 0 && xf_channel_send(c->watcher.fd, text));
    return 1;
}

void xf_add_channel(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"take", channel_take},     {"send", channel_send},
                                       {"close", channel_close},   {"__gc", channel_close},
                                       {"__close", channel_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"channel", channel}, {NULL, NULL}};

    xf_new_type(L, core, XF_CHANNEL_TYPE, methods);
    xf_set_functions(L, core, functions);
}
