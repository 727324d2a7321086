/* `xfiot serve` for Lua: one call that returns when it was stopped. No Lua runs
 * meanwhile but the function `ready`, once. */
#include <stdint.h>
#include <string.h>

#include "bind_journal.h"
#include "serve.h"
#include "timestamp.h"

enum { ARGUMENTS_MOST = 48, OPTIONS = 1 };

struct call {
    lua_State *L;
    const char *arguments[ARGUMENTS_MOST + 1];
};

static void on_ready(void *payload, uint16_t port)
{
    lua_State *L = ((struct call *)payload)->L;

    if (lua_getfield(L, OPTIONS, "ready") == LUA_TFUNCTION) {
        lua_pushinteger(L, port);
        (void)lua_pcall(L, 1, 0, 0); /* what it raises stays on top */
    }
    lua_settop(L, OPTIONS);
}

static unsigned count_member(lua_State *L, const char *name, lua_Integer most)
{
    const lua_Integer n = xf_integer_member(L, OPTIONS, name, 0);

    if (n < 0 || n > most)
        luaL_error(L, "%s must be from 0 to %I", name, (LUAI_UACINT)most);
    return (unsigned)n;
}

/* [-0, +0, e] the texts stay the table's */
static void read_worker(lua_State *L, struct call *call, struct xf_serve_options *o)
{
    const struct xf_core *core = xf_core_self(L);

    if (lua_getfield(L, OPTIONS, "worker") == LUA_TTABLE) {
        const lua_Integer count = (lua_Integer)lua_rawlen(L, -1);

        luaL_argcheck(L, count <= ARGUMENTS_MOST, OPTIONS, "too many arguments for the worker");
        for (lua_Integer i = 1; i <= count; i++) {
            luaL_argcheck(L, lua_rawgeti(L, -1, i) == LUA_TSTRING, OPTIONS, "worker must be a list of texts");
            call->arguments[i - 1] = lua_tostring(L, -1);
            lua_pop(L, 1);
        }
        o->worker.arguments = call->arguments;
        if (core->env_key_size > 0) {
            o->worker.key = core->env_key;
            o->worker.key_size = (size_t)core->env_key_size;
        }
    }
    lua_pop(L, 1);
    o->worker.program = xf_text_member(L, OPTIONS, "program");
    o->worker.memory = count_member(L, "worker_memory", 1024 * 1024);
    o->stop_s = count_member(L, "stop_timeout", 3600);
}

/* [-0, +0, e] */
static void read_listener(lua_State *L, struct xf_serve_options *o)
{
    o->listener.host = xf_text_member(L, OPTIONS, "host");
    o->listener.port = (uint16_t)count_member(L, "port", UINT16_MAX);
    o->listener.body_cap = count_member(L, "body_cap", 1024 * 1024 * 1024);
    o->listener.connections = count_member(L, "connections", 1000000);
    o->listener.per_address = count_member(L, "per_address", 1000000);
    o->listener.idle_s = count_member(L, "request_timeout", 3600);
    o->certificate_file = xf_text_member(L, OPTIONS, "tls_certificate");
    o->private_key_file = xf_text_member(L, OPTIONS, "tls_key");
    luaL_argcheck(L, (o->certificate_file == NULL) == (o->private_key_file == NULL), OPTIONS,
                  "tls_certificate and tls_key go together");
}

/***
Receives pushes until a signal ends it (SIGTERM, SIGINT; SIGHUP: certificate and handlers are loaded anew), and
keeps a worker process alive: PROGRAM worker[1] worker[2] ... --channel=N [--key=M]. The worker gets the key through
M if it came from the environment, else it reads the key file again. What passes through N is told in
core/supervisor.h.
@function serve
@tparam table options {
signer= (required, a signer), company_code= (required), journal= (required, path),
host="127.0.0.1", port=0, body_cap=4 MiB, connections=1024, per_address=512, request_timeout=60 (s, of a whole
request), tls_certificate=, tls_key= (PEM files),
reports_path="/deviceReportData", responses_path="/deviceResponseData", freshness=300 (s), utc_offset=28800 (s),
worker= (list of arguments; nil: no worker), program="/proc/self/exe", worker_memory= (MiB; nil: no cap),
stop_timeout=35 (s, that the worker may take to stop),
ready= (function, called once with the port)}
@treturn boolean|nil true when it was stopped
@treturn[opt] string why it could not begin or go on
*/
static int serve(lua_State *L)
{
    struct call call = {.L = L};
    struct xf_serve_options o = {.receiver = {.offset = XF_UTC_OFFSET}, .payload = &call};
    struct xf_err err;

    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    o.receiver.company_code = xf_text_member(L, OPTIONS, "company_code");
    o.receiver.journal = xf_text_member(L, OPTIONS, "journal");
    luaL_argcheck(L, o.receiver.company_code != NULL && o.receiver.journal != NULL, OPTIONS,
                  "company_code and journal expected");
    o.receiver.reports_path = xf_text_member(L, OPTIONS, "reports_path");
    o.receiver.responses_path = xf_text_member(L, OPTIONS, "responses_path");
    o.receiver.freshness = count_member(L, "freshness", INT32_MAX);
    o.receiver.offset = (int)xf_integer_member(L, OPTIONS, "utc_offset", XF_UTC_OFFSET);
    read_listener(L, &o);
    if (o.listener.per_address == 0)
        o.listener.per_address = 512;
    read_worker(L, &call, &o);
    lua_getfield(L, OPTIONS, "signer");
    o.signer = xf_check_signer(L, -1);
    lua_pop(L, 1);
    o.ready = on_ready;
    if (xf_serve(&o, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

void xf_add_serve(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {{"serve", serve}, {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
