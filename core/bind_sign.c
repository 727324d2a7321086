/* Signers for Lua. A signer is a handle: the key goes from its file or the
 * environment into it without ever being a Lua value. */
#include <string.h>

#include "bind.h"
#include "secret.h"

/* The public key and merchantId of appendix 8, for sandboxes. */
static const char example_key[] = "0a155959379dc684bfa11f199734b01d";
static const char example_merchant[] = "43516709";

struct xf_signer *xf_check_signer(lua_State *L, int index)
{
    struct xf_signer **box = luaL_checkudata(L, index, XF_SIGNER_TYPE);

    if (*box == NULL)
        luaL_argerror(L, index, "the signer is closed");
    return *box;
}

static int signer_close(lua_State *L)
{
    struct xf_signer **box = luaL_checkudata(L, 1, XF_SIGNER_TYPE);

    xf_signer_free(*box);
    *box = NULL;
    return 0;
}

/***
Signs a transId, a new one unless given.
@function signer:sign
@tparam[opt] string trans_id
@treturn string|nil transId
@treturn string token, or why not
*/
static int signer_sign(lua_State *L)
{
    struct xf_signer *s = xf_check_signer(L, 1);
    char id[XF_TRANS_ID_LENGTH + 1], token[XF_TOKEN_LENGTH + 1];
    const char *text;
    struct xf_err err;
    size_t size;

    if (lua_isnoneornil(L, 2)) {
        if (xf_trans_id_next(&xf_core_self(L)->ids, id, &err) != 0)
            return xf_push_fail(L, &err);
        lua_settop(L, 1);
        lua_pushlstring(L, id, XF_TRANS_ID_LENGTH);
    }
    text = luaL_checklstring(L, 2, &size);
    if (xf_sign(s, text, size, token, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushvalue(L, 2);
    lua_pushlstring(L, token, XF_TOKEN_LENGTH);
    return 2;
}

/***
Whether a token belongs to a transId; in constant time.
@function signer:verify
@tparam string trans_id
@tparam string token letters in either case
@treturn boolean
*/
static int signer_verify(lua_State *L)
{
    struct xf_signer *s = xf_check_signer(L, 1);
    size_t id_size, token_size;
    const char *id = luaL_checklstring(L, 2, &id_size);
    const char *token = luaL_checklstring(L, 3, &token_size);

    lua_pushboolean(L, xf_verify(s, id, id_size, token, token_size));
    return 1;
}

static int signer_tostring(lua_State *L)
{
    struct xf_signer **box = luaL_checkudata(L, 1, XF_SIGNER_TYPE);

    lua_pushstring(L, *box != NULL ? "xfiot.signer" : "xfiot.signer (closed)");
    return 1;
}

/* [-0, +1, e] text member of the table at 1, or nil */
static const char *member(lua_State *L, const char *name, size_t *size)
{
    if (lua_getfield(L, 1, name) == LUA_TNIL)
        return NULL;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s must be text", name);
    return lua_tolstring(L, -1, size);
}

/* The key of the file or of the environment into a new signer, or NULL with err. */
static struct xf_signer *read_signer(lua_State *L, struct xf_err *err)
{
    const struct xf_core *core = xf_core_self(L);
    size_t merchant_size = 0, size = 0;
    const char *merchant = member(L, "merchant_id", &merchant_size);
    const char *file = member(L, "key_file", &size);
    struct xf_signer *made = NULL;
    char key[XF_KEY_MOST];
    int key_size;

    luaL_argcheck(L, merchant != NULL, 1, "merchant_id expected");
    if (file == NULL) {
        if (core->env_key_size > 0)
            return xf_signer_new(core->env_key, (size_t)core->env_key_size, merchant, merchant_size, err);
        (void)xf_fail(err, core->env_key_size < 0 ? "the key in XFIOT_KEY is too long or not plain text"
                                                  : "XFIOT_KEY is not set, and no key_file is");
        return NULL;
    }
    key_size = xf_secret_read_file(file, key, err);
    if (key_size > 0)
        made = xf_signer_new(key, (size_t)key_size, merchant, merchant_size, err);
    xf_wipe(key, sizeof key);
    return made;
}

/***
Makes a signer.
@function signer
@tparam table from {merchant_id=, key_file=}; without key_file the key that XFIOT_KEY held;
or {example=true}, the public key of the document's appendix 8, for sandboxes
@treturn signer|nil
@treturn[opt] string why not
*/
static int signer(lua_State *L)
{
    struct xf_signer **box;
    struct xf_err err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, XF_SIGNER_TYPE);
    lua_getfield(L, 1, "example");
    if (lua_toboolean(L, -1))
        *box = xf_signer_new(example_key, sizeof example_key - 1, example_merchant,
                             sizeof example_merchant - 1, &err);
    else
        *box = read_signer(L, &err);
    if (*box == NULL)
        return xf_push_fail(L, &err);
    lua_pushvalue(L, 2);
    return 1;
}

/***
Whether XFIOT_KEY was set when the module was opened.
@function has_env_key
@treturn boolean
*/
static int has_env_key(lua_State *L)
{
    lua_pushboolean(L, xf_core_self(L)->env_key_size != 0);
    return 1;
}

void xf_add_sign(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"sign", signer_sign},
                                       {"verify", signer_verify},
                                       {"close", signer_close},
                                       {"__gc", signer_close},
                                       {"__close", signer_close},
                                       {"__tostring", signer_tostring},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"signer", signer}, {"has_env_key", has_env_key}, {NULL, NULL}};

    xf_new_type(L, core, XF_SIGNER_TYPE, methods);
    xf_set_functions(L, core, functions);
}
