/* The module xfiot.core: one core object with the loop, and all functions on it. */
#include "module.h"

#include "bind.h"
#include "bind_contract.h"
#include "own_ids.h"
#include "secret.h"
#include "version.h"

int xf_push_fail(lua_State *L, const struct xf_err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    return 2;
}

void xf_push_core_value(lua_State *L, int n)
{
    (void)lua_getiuservalue(L, lua_upvalueindex(1), n);
}

void xf_set_functions(lua_State *L, int core, const luaL_Reg *functions)
{
    lua_pushvalue(L, core);
    luaL_setfuncs(L, functions, 1);
}

void xf_new_type(lua_State *L, int core, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    xf_set_functions(L, core, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static int core_gc(lua_State *L)
{
    struct xf_core *c = luaL_checkudata(L, 1, XF_CORE_TYPE);

    xf_loop_free(c->loop);
    c->loop = NULL;
    xf_own_ids_free(c->ids.own);
    c->ids.own = NULL;
    xf_bytes_free(&c->target);
    xf_bytes_free(&c->text);
    xf_wipe(c->env_key, sizeof c->env_key);
    return 0;
}

/* [-0, +0, e] a private lua-cjson of this state, as strict as it can be */
static void keep_cjson(lua_State *L, int core)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cjson");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "new");
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "decode_invalid_numbers");
    lua_pushboolean(L, 0);
    lua_call(L, 1, 0);
    lua_getfield(L, -1, "decode_max_depth");
    lua_pushinteger(L, 32);
    lua_call(L, 1, 0);
    lua_getfield(L, -1, "decode");
    lua_setiuservalue(L, core, XF_UV_DECODE);
    lua_pop(L, 2);
}

static void keep_values(lua_State *L, int core)
{
    keep_cjson(L, core);
    lua_newtable(L);
    lua_pushliteral(L, "xfiot.array");
    lua_setfield(L, -2, "__name");
    lua_setiuservalue(L, core, XF_UV_ARRAY);
}

int luaopen_xfiot_core(lua_State *L)
{
    struct xf_core *c;
    struct xf_err err;
    int core;

    lua_settop(L, 0);
    c = lua_newuserdatauv(L, sizeof *c, XF_UV_MOST);
    core = lua_gettop(L);
    *c = (struct xf_core){0};
    xf_bytes_init(&c->target, XF_TARGET_MOST);
    xf_bytes_init(&c->text, XF_TEXT_MOST);
    luaL_newmetatable(L, XF_CORE_TYPE);
    lua_pushcfunction(L, core_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, core);
    c->loop = xf_loop_new(&err);
    if (c->loop == NULL)
        return luaL_error(L, "%s", err.message);
    c->env_key_size = xf_secret_take_env("XFIOT_KEY", c->env_key, &err);
    xf_trans_id_init(&c->ids, &xf_source_system, 8 * 3600);
    keep_values(L, core);
    lua_createtable(L, 0, 48);
    lua_pushliteral(L, XF_VERSION);
    lua_setfield(L, -2, "version");
    xf_add_agenda(L, core);
    xf_add_json(L, core);
    xf_add_values(L, core);
    xf_add_sign(L, core);
    xf_add_loop(L, core);
    xf_add_request(L, core);
    xf_add_reply(L, core);
    xf_add_message(L, core);
    xf_add_platform(L, core);
    xf_add_listener(L, core);
    xf_add_journal(L, core);
    xf_add_order(L, core);
    xf_add_serve(L, core);
    xf_add_worker(L, core);
    xf_add_table(L, core);
    xf_add_lock(L, core);
    (void)xf_open_contract(L);
    lua_setfield(L, -2, "contract");
    return 1;
}
