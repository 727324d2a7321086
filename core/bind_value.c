/* Decimals, timestamps, text lengths and clocks for Lua. */
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "bind.h"
#include "decimal.h"
#include "describe.h"
#include "text.h"
#include "timestamp.h"

/* [-0, +2, m] */
static int push_reason(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

static const char *decimal_reason(enum xf_decimal_fault fault)
{
    switch (fault) {
    case XF_DECIMAL_OK:
        break;
    case XF_DECIMAL_MALFORMED:
        return "is no plain decimal";
    case XF_DECIMAL_TOO_FINE:
        return "has too many digits after the point";
    case XF_DECIMAL_TOO_BIG:
        return "is too large";
    }
    return "";
}

/***
Reads a decimal exactly.
@function decimal
@tparam string|number value text, an integer, or a float that is exactly such a decimal
@tparam integer decimals most digits after the point, 0 to 3
@treturn integer|nil thousandths
@treturn[opt] string what is wrong with it
*/
static int decimal(lua_State *L)
{
    lua_Integer decimals = luaL_checkinteger(L, 2);
    enum xf_decimal_fault fault = XF_DECIMAL_MALFORMED;
    int64_t value = 0;
    size_t size;

    luaL_argcheck(L, decimals >= 0 && decimals <= 3, 2, "0 to 3 expected");
    if (lua_type(L, 1) == LUA_TSTRING) {
        const char *s = lua_tolstring(L, 1, &size);

        fault = xf_decimal_parse(s, size, (int)decimals, &value);
    } else if (lua_isinteger(L, 1)) {
        lua_Integer n = lua_tointeger(L, 1);

        fault = n > INT64_MAX / 1000 || n < INT64_MIN / 1000 ? XF_DECIMAL_TOO_BIG : XF_DECIMAL_OK;
        if (fault == XF_DECIMAL_OK)
            value = n * 1000;
    } else if (lua_type(L, 1) == LUA_TNUMBER) {
        fault = xf_decimal_from_double(lua_tonumber(L, 1), (int)decimals, &value);
    }
    if (fault != XF_DECIMAL_OK)
        return push_reason(L, decimal_reason(fault));
    lua_pushinteger(L, value);
    return 1;
}

/***
Writes thousandths as a decimal.
@function decimal_text
@tparam integer thousandths
@tparam[opt=0] integer decimals at least so many digits after the point
@treturn string
*/
static int decimal_text(lua_State *L)
{
    lua_Integer decimals = luaL_optinteger(L, 2, 0);
    char text[XF_DECIMAL_SIZE];
    size_t size;

    luaL_argcheck(L, decimals >= 0 && decimals <= 3, 2, "0 to 3 expected");
    size = xf_decimal_format(text, luaL_checkinteger(L, 1), (int)decimals);
    lua_pushlstring(L, text, size);
    return 1;
}

/***
Time as 14 digits, yyyyMMddHHmmss.
@function timestamp
@tparam[opt] integer seconds since 1970 UTC; default now
@tparam[opt=28800] integer offset seconds east of UTC
@treturn string|nil
*/
static int timestamp(lua_State *L)
{
    int64_t seconds = luaL_optinteger(L, 1, (lua_Integer)time(NULL));
    lua_Integer offset = luaL_optinteger(L, 2, XF_UTC_OFFSET);
    char text[XF_TIMESTAMP_LENGTH + 1];

    if (offset < -86400 || offset > 86400 || !xf_timestamp_format(text, seconds, (int)offset))
        return push_reason(L, "no time of the years 1 to 9999");
    lua_pushlstring(L, text, XF_TIMESTAMP_LENGTH);
    return 1;
}

/***
14 digits to seconds since 1970 UTC.
@function parse_timestamp
@tparam string text
@tparam[opt=28800] integer offset seconds east of UTC
@treturn integer|nil
*/
static int parse_timestamp(lua_State *L)
{
    size_t size;
    const char *s = luaL_checklstring(L, 1, &size);
    lua_Integer offset = luaL_optinteger(L, 2, XF_UTC_OFFSET);
    int64_t seconds;

    if (offset < -86400 || offset > 86400 || !xf_timestamp_parse(s, size, (int)offset, &seconds))
        return push_reason(L, "no time of the form yyyyMMddHHmmss");
    lua_pushinteger(L, seconds);
    return 1;
}

/***
Length of UTF-8 text.
@function measure
@tparam string text
@treturn integer|nil code points
@treturn[opt] integer UTF-16 units, as the platform counts (A1)
*/
static int measure(lua_State *L)
{
    size_t size, points, units;
    const char *s = luaL_checklstring(L, 1, &size);

    if (!xf_text_measure(s, size, &points, &units))
        return push_reason(L, "no UTF-8");
    lua_pushinteger(L, (lua_Integer)points);
    lua_pushinteger(L, (lua_Integer)units);
    return 2;
}

/***
Seconds since 1970 UTC.
@function now
@treturn integer
*/
static int now(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)time(NULL));
    return 1;
}

/***
Seconds on a clock that never steps.
@function clock
@treturn number
*/
static int clock_now(lua_State *L)
{
    lua_pushnumber(L, xf_loop_clock());
    return 1;
}

/***
Bytes of OpenSSL's generator.
@function random
@tparam integer n 1 to 1024
@treturn string
*/
static int random_bytes(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    unsigned char bytes[1024];

    luaL_argcheck(L, n >= 1 && n <= (lua_Integer)sizeof bytes, 1, "1 to 1024 expected");
    if (RAND_bytes(bytes, (int)n) != 1)
        return luaL_error(L, "no randomness from the system");
    lua_pushlstring(L, (const char *)bytes, (size_t)n);
    return 1;
}

/***
What a parameter asks for, in words.
@function describe
@tparam string shape structure, or command variant
@tparam string field
@tparam[opt="en"] string language zh or en
@treturn string|nil
*/
static int describe(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct xf_command *c = xf_find_command_id(name);
    const struct xf_endpoint *e = xf_find_endpoint(name);
    const struct xf_shape *shape = c != NULL ? c->params : xf_find_shape(name);
    const struct xf_field *f = shape != NULL ? xf_find_field(shape->fields, luaL_checkstring(L, 2)) : NULL;
    enum xf_language language = strcmp(luaL_optstring(L, 3, "en"), "zh") == 0 ? XF_ZH : XF_EN;
    char text[XF_DESCRIPTION_SIZE];

    if (e != NULL) {
        f = xf_find_field(e->query->fields, luaL_checkstring(L, 2));
        if (f == NULL && e->body == XF_BODY_OBJECT)
            f = xf_find_field(e->fields->fields, lua_tostring(L, 2));
        else if (f == NULL && e->body == XF_BODY_LIST && strcmp(e->list->name, lua_tostring(L, 2)) == 0)
            f = e->list;
    }
    if (f == NULL) {
        lua_pushnil(L);
        return 1;
    }
    xf_describe_field(f, XF_CLIENT, language, text);
    lua_pushstring(L, text);
    return 1;
}

void xf_add_values(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {{"decimal", decimal},     {"decimal_text", decimal_text},
                                         {"timestamp", timestamp}, {"parse_timestamp", parse_timestamp},
                                         {"measure", measure},     {"now", now},
                                         {"clock", clock_now},     {"random", random_bytes},
                                         {"describe", describe},   {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
