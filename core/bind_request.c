/*
 * A call of the client: arguments checked, request written, signed and started.
 * Nothing leaves this machine unless every check passed.
 */
#include <string.h>

#include "bind_walk.h"
#include "transfer.h"

/* [-0, +1, m] one argument of the call; companyCode falls back on the settings'
 * at index company. Returns how many were given: 0 or 1. */
static int push_argument(lua_State *L, int args, int company, const char *name)
{
    lua_pushstring(L, name);
    if (lua_rawget(L, args) != LUA_TNIL)
        return 1;
    if (strcmp(name, "companyCode") == 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, company);
    }
    return 0;
}

/* Returns how many of the arguments it has used. */
static int write_query(struct xf_walk *w, const struct xf_endpoint *e, int args, int company,
                       struct xf_bytes *target)
{
    lua_State *L = w->L;
    char mark = '?';
    int used = 0;

    xf_bytes_add_text(target, e->path);
    for (const struct xf_field *f = e->query->fields; f->name != NULL; f++) {
        xf_walk_enter(w, f->name);
        struct xf_scalar value;

        used += push_argument(L, args, company, f->name);
        if (lua_isnil(L, -1)) {
            if (xf_read_field(f, w->side).required)
                xf_walk_missing(w, f);
        } else if (!xf_read_scalar(L, lua_gettop(L), f, w->side, &value)) {
            xf_walk_wrong(w, f, lua_gettop(L));
        } else {
            xf_bytes_add_char(target, mark);
            mark = '&';
            xf_bytes_add_text(target, f->name);
            xf_bytes_add_char(target, '=');
            xf_bytes_add_escaped(target, value.s, value.size);
        }
        lua_pop(L, 1);
        xf_walk_leave(w);
    }
    return used;
}

/* Whether the key at index is one of the operation's. */
static bool is_argument(lua_State *L, int index, const struct xf_endpoint *e)
{
    if (xf_is_key(L, index, e->query->fields))
        return true;
    if (e->body == XF_BODY_LIST)
        return lua_rawlen(L, index) == strlen(e->list->name) &&
               strcmp(lua_tostring(L, index), e->list->name) == 0;
    return e->body == XF_BODY_OBJECT && xf_is_key(L, index, e->fields->fields);
}

/* Names what no row knows, unless the rows have used all there is. */
static void check_names(struct xf_walk *w, const struct xf_endpoint *e, int args, int used)
{
    lua_State *L = w->L;

    for (lua_pushnil(L); lua_next(L, args) != 0; lua_pop(L, 1))
        used--;
    if (used == 0)
        return;
    for (lua_pushnil(L); lua_next(L, args) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            xf_walk_unknown(w, "(key that is no text)", e->name);
        else if (!is_argument(L, -2, e))
            xf_walk_unknown(w, lua_tostring(L, -2), e->name);
    }
}

/* Checks and writes the whole request into the core's scratch buffers. The
 * walk's list of faults is left on the stack. */
static void write_request(struct xf_walk *w, lua_State *L, const struct xf_endpoint *e, int args, int company)
{
    struct xf_core *core = xf_core_self(L);
    int used;

    xf_bytes_reset(&core->target);
    xf_bytes_reset(&core->text);
    xf_walk_begin(w, L, XF_CLIENT, &core->text);
    used = write_query(w, e, args, company, &core->target);
    if (e->body == XF_BODY_OBJECT) {
        used += xf_encode_members(w, e->fields, args);
    } else if (e->body == XF_BODY_LIST) {
        xf_walk_enter(w, e->list->name);

        lua_pushstring(L, e->list->name);
        if (lua_rawget(L, args) == LUA_TNIL)
            xf_walk_missing(w, e->list);
        else
            xf_encode_field(w, e->list, lua_gettop(L));
        used += !lua_isnil(L, -1);
        lua_pop(L, 1);
        xf_walk_leave(w);
    }
    check_names(w, e, args, used);
    if (core->text.failed || core->target.failed)
        luaL_error(L, "not enough memory for the request");
}

static const struct xf_endpoint *check_endpoint(lua_State *L, int index)
{
    const struct xf_endpoint *e = lua_islightuserdata(L, index)
                                      ? lua_touserdata(L, index)
                                      : xf_find_endpoint(luaL_checkstring(L, index));

    if (e == NULL)
        luaL_argerror(L, index, "no such operation");
    return e;
}

/***
All operations of the contract.
@function operations
@treturn table name to { operation=, writes= }: the handle for start() and finish(), and whether
it changes something, so that a call without an answer may have been carried out
*/
static int operations(lua_State *L)
{
    lua_newtable(L);
    for (const struct xf_endpoint *e = xf_endpoints; e->name != NULL; e++) {
        lua_createtable(L, 0, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)e);
        lua_setfield(L, -2, "operation");
        lua_pushboolean(L, e->writes);
        lua_setfield(L, -2, "writes");
        lua_setfield(L, -2, e->name);
    }
    return 1;
}

/***
Checks the arguments of a call without sending anything.
@function check
@param operation its handle from operations(), or its name
@tparam table args one flat table
@tparam[opt] string company company code of the settings
@treturn table|nil faults, a list of {path, rule, rule_zh, code}; nil if there are none
@treturn[opt] string the target (path and query) that would be asked for
@treturn[opt] string the body that would be sent
*/
static int check(lua_State *L)
{
    const struct xf_endpoint *e = check_endpoint(L, 1);
    struct xf_core *core = xf_core_self(L);
    struct xf_walk w;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    write_request(&w, L, e, 2, 3);
    if (w.count > 0)
        return 1;
    lua_pushnil(L);
    lua_pushlstring(L, core->target.data, core->target.size);
    lua_pushlstring(L, core->text.data ? core->text.data : "", core->text.size);
    return 3;
}

/***
Checks the parameters of one command.
@function check_command
@tparam string method
@tparam table paras
@treturn table|nil faults, paths as seen from paras; nil if there are none
@treturn string the variant's id, ACCOUNT_OPEN.backendPrepaid; nil for an unknown method
*/
static int check_command(lua_State *L)
{
    const char *method = luaL_checkstring(L, 1);
    struct xf_core *core = xf_core_self(L);
    const struct xf_command *c;
    struct xf_walk w;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    c = xf_pick_command(L, method, 2);
    if (c == NULL)
        return luaL_argerror(L, 1, "no such command");
    xf_bytes_reset(&core->text);
    xf_walk_begin(&w, L, XF_CLIENT, &core->text);
    xf_encode_shape(&w, c->params, 2, method);
    if (w.count == 0) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_pushstring(L, c->id);
    return 2;
}

/***
The variant of a command that its parameters tell.
@function variant
@tparam string method
@tparam table paras
@treturn string|nil ACCOUNT_OPEN.backendPrepaid; nil for an unknown method
*/
static int variant(lua_State *L)
{
    const char *method = luaL_checkstring(L, 1);
    const struct xf_command *c;

    luaL_checktype(L, 2, LUA_TTABLE);
    c = xf_pick_command(L, method, 2);
    lua_pushstring(L, c != NULL ? c->id : NULL);
    return 1;
}

int xf_sign_headers(struct xf_core *core, struct xf_signer *signer, struct xf_signed_headers *h,
                    struct xf_err *err)
{
    char *id = h->code + sizeof "RandomCode: " - 1;

    memcpy(h->code, "RandomCode: ", sizeof "RandomCode: ");
    memcpy(h->token, "Authorization: ", sizeof "Authorization: ");
    if (xf_trans_id_next(&core->ids, id, err) != 0)
        return -1;
    return xf_sign(signer, id, XF_TRANS_ID_LENGTH, h->token + sizeof "Authorization: " - 1, err);
}

/***
Starts a call. The transport and the signer must stay alive until finish().
@function start
@param transport
@param signer
@param operation
@tparam table args
@tparam[opt] string company
@tparam[opt] number timeout seconds, instead of the transport's
@treturn userdata|nil the call, for finish()
@treturn[opt] table|string faults (a list, see check), or why it could not start
*/
static int start(lua_State *L)
{
    struct xf_transport *t = xf_check_transport(L, 1);
    struct xf_signer *signer = xf_check_signer(L, 2);
    const struct xf_endpoint *e = check_endpoint(L, 3);
    double timeout = luaL_optnumber(L, 6, 0);
    struct xf_core *core = xf_core_self(L);
    struct xf_request r = {0};
    struct xf_signed_headers headers;
    struct xf_transfer *x;
    struct xf_walk w;
    struct xf_err err;
    int n = 0;

    luaL_checktype(L, 4, LUA_TTABLE);
    lua_settop(L, 6);
    write_request(&w, L, e, 4, 5);
    if (w.count > 0) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (xf_sign_headers(core, signer, &headers, &err) != 0)
        return xf_push_fail(L, &err);
    r.method = e->method;
    r.target = core->target.data;
    r.target_size = core->target.size;
    r.body = e->body == XF_BODY_NONE ? NULL : core->text.data;
    r.body_size = core->text.size;
    r.once = e->writes;
    r.no_repeat = true;
    r.keep = XF_KEEP_CLEAN;
    r.timeout_ms = timeout > 0 && timeout < 1e6 ? (long)(timeout * 1000) : 0;
    if (e->content_type)
        r.headers[n++] = "Content-Type: application/json";
    r.headers[n++] = headers.code;
    r.headers[n++] = headers.token;
    x = xf_transfer_start(t, &r, &err);
    if (x == NULL)
        return xf_push_fail(L, &err);
    lua_pushlightuserdata(L, x);
    return 1;
}

void xf_add_request(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {
        {"operations", operations}, {"check", check}, {"check_command", check_command},
        {"variant", variant},       {"start", start}, {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
