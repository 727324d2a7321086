/* The platform's reading of a request, for the sandbox: every parameter checked
 * as leniently as the document allows, each fault with the code it earns. */
#include <string.h>

#include "bind_walk.h"

/* [-0, +1, m] the body as a table, or nil with a fault noted */
static void push_body(struct xf_walk *w, const struct xf_endpoint *e, const char *body, size_t size)
{
    lua_State *L = w->L;
    int code = e->body == XF_BODY_LIST ? e->list->code : 101001;
    char opening = e->body == XF_BODY_LIST ? '[' : '{';
    size_t start = 0;

    if (xf_push_decoded(L, body, size, XF_TEXT_MOST) != 1) {
        lua_pop(L, 3);
        lua_pushnil(L);
        xf_walk_fault(w, code, "the body must be JSON", "请求体应为 JSON");
        return;
    }
    while (start < size && strchr(" \t\r\n", body[start]) != NULL)
        start++;
    if (body[start] != opening) {
        lua_pop(L, 1);
        lua_pushnil(L);
        xf_walk_fault(w, code,
                      e->body == XF_BODY_LIST ? "the body must be a JSON array"
                                              : "the body must be a JSON object",
                      e->body == XF_BODY_LIST ? "请求体应为 JSON 数组" : "请求体应为 JSON 对象");
    }
}

/* A query parameter that may also stand in a JSON body (C10). [-0, +1, m] */
static void push_from_body(lua_State *L, const struct xf_field *f, const char *body, size_t size)
{
    if ((f->flags & XF_ALSO_BODY) == 0 || size == 0) {
        lua_pushnil(L);
        return;
    }
    if (xf_push_decoded(L, body, size, XF_TEXT_MOST) != 1) {
        lua_pop(L, 3);
        lua_pushnil(L);
        return;
    }
    if (lua_istable(L, -1))
        lua_getfield(L, -1, f->name);
    else
        lua_pushnil(L);
    lua_remove(L, -2);
}

static void read_query(struct xf_walk *w, const struct xf_endpoint *e, int query, int args, const char *body,
                       size_t size)
{
    lua_State *L = w->L;

    for (const struct xf_field *f = e->query->fields; f->name != NULL; f++) {
        xf_walk_enter(w, f->name);

        lua_getfield(L, query, f->name);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            push_from_body(L, f, body, size);
        }
        if (lua_isnil(L, -1) || (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0)) {
            if (xf_read_field(f, w->side).required)
                xf_walk_missing(w, f);
            lua_pop(L, 1);
            lua_pushnil(L);
        } else {
            xf_decode_field(w, f);
        }
        lua_setfield(L, args, f->name);
        xf_walk_leave(w);
    }
}

/* The typed members of the body table on top join the arguments. */
static void merge(lua_State *L, const struct xf_shape *shape, int args)
{
    for (const struct xf_field *f = shape->fields; f->name != NULL; f++) {
        lua_getfield(L, -1, f->name);
        lua_setfield(L, args, f->name);
    }
}

static void read_body(struct xf_walk *w, const struct xf_endpoint *e, int args, const char *body, size_t size)
{
    lua_State *L = w->L;

    push_body(w, e, body, size);
    if (!lua_isnil(L, -1) && e->body == XF_BODY_LIST) {
        xf_walk_enter(w, e->list->name);

        xf_decode_field(w, e->list);
        lua_pushvalue(L, -1);
        lua_setfield(L, args, e->list->name);
        xf_walk_leave(w);
    } else if (!lua_isnil(L, -1)) {
        xf_decode_shape(w, e->fields, lua_gettop(L));
        merge(L, e->fields, args);
    }
    lua_pop(L, 1);
}

/***
Reads a request as the platform does.
@function read_request
@tparam string name the operation
@tparam table query name to text
@tparam string body "" if there is none
@treturn table|nil args one flat typed table; decimals are integer thousandths, a command has its variant's `id`
@treturn[opt] string the return code the request earns
@treturn[opt] table faults, a list of {path, rule, rule_zh, code}
*/
static int read_request(lua_State *L)
{
    const struct xf_endpoint *e = xf_find_endpoint(luaL_checkstring(L, 1));
    const char *body;
    struct xf_walk w;
    size_t size;

    if (e == NULL)
        return luaL_argerror(L, 1, "no such operation");
    luaL_checktype(L, 2, LUA_TTABLE);
    body = luaL_optlstring(L, 3, "", &size);
    lua_settop(L, 3);
    lua_newtable(L);
    xf_walk_begin(&w, L, XF_SERVER, NULL);
    read_query(&w, e, 2, 4, body, size);
    if (e->body != XF_BODY_NONE)
        read_body(&w, e, 4, body, size);
    if (w.count == 0) {
        lua_settop(L, 4);
        return 1;
    }
    lua_pushnil(L);
    lua_rawgeti(L, w.faults, 1);
    if (lua_getfield(L, -1, "code") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushliteral(L, "101001");
    }
    lua_remove(L, -2);
    lua_pushvalue(L, w.faults);
    return 3;
}

void xf_add_platform(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {{"read_request", read_request}, {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
