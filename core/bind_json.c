/* JSON for Lua: strict admission, then lua-cjson; and a writer with sorted keys
 * and exact numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit.h"
#include "bind.h"
#include "decimal.h"
#include "text.h"

enum { WRITE_DEPTH = 64, KEYS_MOST = 100000 };

int xf_push_admitted(lua_State *L, const char *s, size_t size)
{
    xf_push_core_value(L, XF_UV_DECODE);
    lua_pushlstring(L, s, size);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        return 1;
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_pushliteral(L, "too large to decode");
    lua_pushinteger(L, 0);
    return 3;
}

int xf_push_decoded(lua_State *L, const char *s, size_t size, size_t cap)
{
    size_t where = 0;
    enum xf_admit verdict = xf_admit_json(s, size, cap, XF_ADMIT_DEPTH, &where);

    if (verdict == XF_ADMIT_OK)
        return xf_push_admitted(L, s, size);
    lua_pushnil(L);
    lua_pushstring(L, xf_admit_reason(verdict));
    lua_pushinteger(L, (lua_Integer)where);
    return 3;
}

static const char *write_value(lua_State *L, int index, struct xf_bytes *b, int depth);

static const char *write_number(lua_State *L, int index, struct xf_bytes *b)
{
    char text[40];

    if (lua_isinteger(L, index)) {
        (void)snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(L, index));
    } else {
        double n = lua_tonumber(L, index);

        if (!isfinite(n))
            return "a number that is not finite";
        for (int digits = 15; digits <= 17; digits++) {
            (void)snprintf(text, sizeof text, "%.*g", digits, n);
            if (strtod(text, NULL) == n)
                break;
        }
    }
    xf_bytes_add_text(b, text);
    return NULL;
}

static const char *write_list(lua_State *L, int index, struct xf_bytes *b, int depth)
{
    lua_Integer size = (lua_Integer)lua_rawlen(L, index), keys = 0;
    const char *why = NULL;

    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        keys++;
    if (keys != size)
        return "a table that is neither a list nor has only names";
    xf_bytes_add_char(b, '[');
    for (lua_Integer i = 1; i <= size && why == NULL; i++) {
        if (i > 1)
            xf_bytes_add_char(b, ',');
        lua_rawgeti(L, index, i);
        why = write_value(L, lua_gettop(L), b, depth);
        lua_pop(L, 1);
    }
    xf_bytes_add_char(b, ']');
    return why;
}

struct key {
    const char *s;
    size_t size;
    int place; /* on the stack, which keeps it */
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = memcmp(x->s, y->s, x->size < y->size ? x->size : y->size);

    if (order != 0)
        return order;
    return (x->size > y->size) - (x->size < y->size);
}

/* [-0, +?, m] the keys of the table at index and, on top, a box with them in the
 * order of their bytes; NULL if one is no text */
static const struct key *push_sorted_keys(lua_State *L, int index, int *count)
{
    int first = lua_gettop(L) + 1;
    struct key *keys;

    for (lua_pushnil(L); lua_next(L, index) != 0; lua_replace(L, -2)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_gettop(L) - first > KEYS_MOST)
            return NULL;
        luaL_checkstack(L, 8, "too many names in a table");
        lua_pushvalue(L, -2);
    }
    *count = lua_gettop(L) + 1 - first;
    keys = lua_newuserdatauv(L, (size_t)*count * sizeof *keys, 0);
    for (int i = 0; i < *count; i++) {
        keys[i].place = first + i;
        keys[i].s = lua_tolstring(L, first + i, &keys[i].size);
    }
    qsort(keys, (size_t)*count, sizeof *keys, compare_keys);
    return keys;
}

static const char *write_text(const char *s, size_t size, struct xf_bytes *b)
{
    if (!xf_text_measure(s, size, NULL, NULL))
        return "text that is no UTF-8";
    xf_bytes_add_json(b, s, size);
    return NULL;
}

static const char *write_object(lua_State *L, int index, struct xf_bytes *b, int depth)
{
    int top = lua_gettop(L), count = 0;
    const struct key *keys = push_sorted_keys(L, index, &count);
    const char *why = keys == NULL ? "a table with keys that are no text" : NULL;

    xf_bytes_add_char(b, '{');
    for (int i = 0; i < count && why == NULL; i++) {
        if (i > 0)
            xf_bytes_add_char(b, ',');
        why = write_text(keys[i].s, keys[i].size, b);
        xf_bytes_add_char(b, ':');
        lua_pushvalue(L, keys[i].place);
        lua_rawget(L, index);
        if (why == NULL)
            why = write_value(L, lua_gettop(L), b, depth);
        lua_pop(L, 1);
    }
    xf_bytes_add_char(b, '}');
    lua_settop(L, top);
    return why;
}

static bool is_array(lua_State *L, int index)
{
    bool marked = false;

    if (lua_rawlen(L, index) > 0)
        return true;
    if (lua_getmetatable(L, index)) {
        xf_push_core_value(L, XF_UV_ARRAY);
        marked = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    return marked;
}

static const char *write_value(lua_State *L, int index, struct xf_bytes *b, int depth)
{
    size_t size;
    const char *s;

    if (depth <= 0)
        return "tables within each other too deep, or a loop";
    luaL_checkstack(L, 8, "too many nested values");
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        xf_bytes_add_text(b, "null");
        return NULL;
    case LUA_TBOOLEAN:
        xf_bytes_add_text(b, lua_toboolean(L, index) ? "true" : "false");
        return NULL;
    case LUA_TNUMBER:
        return write_number(L, index, b);
    case LUA_TSTRING:
        s = lua_tolstring(L, index, &size);
        return write_text(s, size, b);
    case LUA_TTABLE:
        return is_array(L, index) ? write_list(L, index, b, depth - 1) : write_object(L, index, b, depth - 1);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index) == NULL) {
            xf_bytes_add_text(b, "null");
            return NULL;
        }
        return "a light userdata";
    default:
        return "a function, thread or userdata";
    }
}

const char *xf_write_json(lua_State *L, int index, struct xf_bytes *b)
{
    const char *why = write_value(L, lua_absindex(L, index), b, WRITE_DEPTH);

    if (why == NULL && b->failed)
        why = "more than fits";
    return why;
}

/***
Writes a value as JSON: keys sorted, numbers exact, one line.
@function encode
@param value null for JSON's null; array() marks a table that may be empty
@treturn string
@raise on what JSON cannot hold
*/
static int encode(lua_State *L)
{
    struct xf_core *core = xf_core_self(L);
    const char *why;

    luaL_checkany(L, 1);
    xf_bytes_reset(&core->text);
    why = xf_write_json(L, 1, &core->text);
    if (why != NULL)
        return luaL_error(L, "cannot write as JSON: %s", why);
    lua_pushlstring(L, core->text.data, core->text.size);
    return 1;
}

/***
Admits and decodes JSON text (RFC 8259, UTF-8, 32 levels at most).
@function decode
@tparam string text
@tparam[opt] integer cap bytes at most
@treturn any the value, or nil
@treturn[opt] string why it was refused
@treturn[opt] integer the offset of the offending byte
*/
static int decode(lua_State *L)
{
    size_t size;
    const char *s = luaL_checklstring(L, 1, &size);
    lua_Integer cap = luaL_optinteger(L, 2, XF_TEXT_MOST);

    return xf_push_decoded(L, s, size, cap < 0 ? 0 : (size_t)cap);
}

/***
Marks a table as a list, so that an empty one is written as [].
@function array
@tparam table t
@treturn table t
*/
static int array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    xf_push_core_value(L, XF_UV_ARRAY);
    lua_setmetatable(L, 1);
    return 1;
}

void xf_add_json(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {
        {"encode", encode}, {"decode", decode}, {"array", array}, {NULL, NULL}};

    xf_set_functions(L, core, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
