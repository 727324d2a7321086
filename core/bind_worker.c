/* What the worker of `xfiot serve` needs besides: the channel to the receiver, the
 * key out of a pipe, and the list of transIds that were sent. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind.h"
#include "own_ids.h"
#include "secret.h"
#include "supervisor.h"

#define CHANNEL_TYPE "xfiot.channel"

struct channel {
    struct xf_watcher watcher; /* its fd is the channel; -1: closed */
    struct xf_loop *loop;
};

static struct channel *check_channel(lua_State *L)
{
    struct channel *c = luaL_checkudata(L, 1, CHANNEL_TYPE);

    if (c->watcher.fd < 0)
        luaL_argerror(L, 1, "the channel is closed");
    return c;
}

static int channel_close(lua_State *L)
{
    struct channel *c = luaL_checkudata(L, 1, CHANNEL_TYPE);

    if (c->watcher.fd >= 0) {
        xf_loop_unwatch(c->loop, &c->watcher);
        (void)close(c->watcher.fd);
        c->watcher.fd = -1;
    }
    return 0;
}

/***
Sends a message to the receiver; does not wait.
@function channel:send
@tparam string text at most 1,024 bytes
@treturn boolean false: it was not taken
*/
static int channel_send(lua_State *L)
{
    const struct channel *c = check_channel(L);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);

    luaL_argcheck(L, size > 0 && size <= XF_CHANNEL_MOST, 2, "a text of 1 to 1,024 bytes expected");
    lua_pushboolean(L, send(c->watcher.fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
    return 1;
}

/***
The next message of the receiver; does not wait.
@function channel:receive
@treturn string|nil|boolean nil: there is none now; false: the receiver is gone
*/
static int channel_receive(lua_State *L)
{
    const struct channel *c = check_channel(L);
    char text[XF_CHANNEL_MOST];
    const ssize_t n = recv(c->watcher.fd, text, sizeof text, MSG_DONTWAIT);

    if (n > 0)
        lua_pushlstring(L, text, (size_t)n);
    else if (n < 0 && (errno == EAGAIN || errno == EINTR))
        lua_pushnil(L);
    else
        lua_pushboolean(L, 0);
    return 1;
}

static void nothing(void *payload)
{
    (void)payload; /* a step that returns is all that is wanted */
}

/***
The channel of a worker. The loop's steps end when there is something to receive.
@function channel
@tparam integer number of its descriptor, as --channel told
@treturn channel|nil
@treturn[opt] string why not
*/
static int channel(lua_State *L)
{
    const int fd = (int)luaL_checkinteger(L, 1);
    struct xf_core *core = xf_core_self(L);
    struct channel *c;
    struct xf_err err;
    int type = 0;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        (void)xf_fail(&err, "descriptor %d is no channel: this command is for xfiot serve to start", fd);
        return xf_push_fail(L, &err);
    }
    c = lua_newuserdatauv(L, sizeof *c, 1);
    *c = (struct channel){.watcher = {.fd = fd, .work = nothing}, .loop = core->loop};
    luaL_setmetatable(L, CHANNEL_TYPE);
    lua_pushvalue(L, lua_upvalueindex(1)); /* the loop must outlive it */
    lua_setiuservalue(L, -2, 1);
    xf_loop_watch(core->loop, &c->watcher);
    return 1;
}

/***
Takes the key out of a pipe, as if XFIOT_KEY had held it, and closes the pipe.
@function take_key
@tparam integer number of its descriptor, as --key told
@treturn boolean|nil
@treturn[opt] string why not
*/
static int take_key(lua_State *L)
{
    const int fd = (int)luaL_checkinteger(L, 1);
    struct xf_core *core = xf_core_self(L);
    struct xf_err err;
    const int size = xf_secret_read_pipe(fd, core->env_key, &err);

    if (size < 0)
        return xf_push_fail(L, &err);
    core->env_key_size = size;
    lua_pushboolean(L, 1);
    return 1;
}

/***
From now on every transId made here is noted beside the journal, so that a push that carries it is known as an echo
(core/own_ids.h). Without a journal there is nobody to know, and nothing is made.
@function note_trans_ids
@tparam string journal its path
@treturn boolean|nil false: there is no journal
@treturn[opt] string why not
*/
static int note_trans_ids(lua_State *L)
{
    struct xf_core *core = xf_core_self(L);
    struct xf_err err;
    const char *journal = luaL_checkstring(L, 1);
    const bool there = access(journal, F_OK) == 0;
    struct xf_own_ids *own = core->ids.own;

    if (there && (own == NULL || !xf_own_ids_of(own, journal))) {
        own = xf_own_ids_new(journal, &err);
        if (own == NULL)
            return xf_push_fail(L, &err);
        xf_own_ids_free(core->ids.own);
        core->ids.own = own;
    }
    lua_pushboolean(L, there);
    return 1;
}

void xf_add_worker(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"send", channel_send},     {"receive", channel_receive},
                                       {"close", channel_close},   {"__gc", channel_close},
                                       {"__close", channel_close}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"channel", channel}, {"take_key", take_key}, {"note_trans_ids", note_trans_ids}, {NULL, NULL}};

    xf_new_type(L, core, CHANNEL_TYPE, methods);
    xf_set_functions(L, core, functions);
}
