/* The messages of a push's body, each judged by itself: one that is not as
 * documented takes nothing from the others. */
#include <string.h>

#include "bind_walk.h"

/* A message says itself what it is; one that does not is what its path is for. */
static const struct xf_push *push_of(lua_State *L, int index, const struct xf_push *meant)
{
    const char *type;
    const struct xf_push *p = meant;

    if (!lua_istable(L, index))
        return meant;
    lua_getfield(L, index, "callbackType");
    type = lua_tostring(L, -1); /* a number counts as its text, here as in the message */
    if (type != NULL && strcmp(type, "0") == 0)
        p = xf_find_push("push.reportData");
    else if (type != NULL && strcmp(type, "1") == 0)
        p = xf_find_push("push.commandResponse");
    lua_pop(L, 1);
    return p;
}

/* [-0, +1, m] one entry, from the message on top, which goes */
static void push_entry(lua_State *L, const struct xf_push *meant)
{
    int message = lua_gettop(L);
    const struct xf_push *p = push_of(L, message, meant);
    const struct xf_field row = {.name = "message", .type = XF_OBJECT, .max = INT64_MAX, .shape = p->message};
    struct xf_walk w;

    lua_createtable(L, 0, 4);
    lua_newtable(L);
    xf_walk_begin(&w, L, XF_CLIENT, NULL);
    w.notes = w.faults - 1;
    lua_pushvalue(L, message);
    xf_decode_field(&w, &row);
    lua_setfield(L, message + 1, "message");
    if (w.count > 0)
        lua_setfield(L, message + 1, "faults");
    else
        lua_pop(L, 1);
    if (w.noted > 0)
        lua_setfield(L, message + 1, "notes");
    else
        lua_pop(L, 1);
    lua_pushstring(L, strcmp(p->name, "push.reportData") == 0 ? "report" : "response");
    lua_setfield(L, message + 1, "kind");
    lua_replace(L, message);
}

/***
Reads the messages of a push.
@function read_messages
@tparam string kind report or response, by the path it came on; a message that says itself what it is wins
@tparam string body
@treturn table|nil a list of {kind=, message=, faults=, notes=}; message is typed in place, with faults (a list of
{path, rule, rule_zh}) only as far as it goes; notes are texts about what the document does not have
@treturn[opt] string why it is no list of messages
*/
static int read_messages(lua_State *L)
{
    static const char *const kinds[] = {"report", "response", NULL};
    const struct xf_push *meant =
        xf_find_push(luaL_checkoption(L, 1, NULL, kinds) == 0 ? "push.reportData" : "push.commandResponse");
    struct xf_err err;
    lua_Integer count;
    const char *body;
    size_t size;

    body = luaL_checklstring(L, 2, &size);
    lua_settop(L, 2);
    if (xf_push_decoded(L, body, size, XF_TEXT_MOST) != 1) {
        lua_pop(L, 1); /* where */
        return 2;
    }
    if (body[strspn(body, " \t\r\n")] != '[') {
        (void)xf_fail(&err, "the body is no list of messages");
        return xf_push_fail(L, &err);
    }
    count = (lua_Integer)lua_rawlen(L, 3);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 3, i);
        push_entry(L, meant);
        lua_rawseti(L, 3, i);
    }
    return 1;
}

void xf_add_message(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {{"read_messages", read_messages}, {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
