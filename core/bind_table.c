/* What reading large tables needs besides Lua: encodings, repeated keys, paths. */
#include <errno.h>
#include <iconv.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind.h"
#include "key_set.h"

#define CHARSET_TYPE "xfiot.charset"
#define KEY_SET_TYPE "xfiot.key_set"

enum { UNFINISHED_MOST = 8 }; /* bytes of a character that has not come in whole */

struct charset {
    iconv_t converter; /* (iconv_t)-1: closed */
    char rest[UNFINISHED_MOST];
    size_t rest_size;
};

static int charset_gc(lua_State *L)
{
    struct charset *c = luaL_checkudata(L, 1, CHARSET_TYPE);

    if (c->converter != (iconv_t)-1)
        (void)iconv_close(c->converter);
    c->converter = (iconv_t)-1;
    return 0;
}

/* Converts into the buffer as far as possible. 0, or the errno of what is left. */
static int convert(lua_State *L, struct charset *c, luaL_Buffer *out, char **in, size_t *left)
{
    (void)L;
    while (*left > 0) {
        char *to = luaL_prepbuffer(out), *at = to;
        size_t room = LUAL_BUFFERSIZE;
        size_t result = iconv(c->converter, in, left, &at, &room);
        int why = errno;

        luaL_addsize(out, (size_t)(at - to));
        if (result == (size_t)-1 && why != E2BIG)
            return why;
    }
    return 0;
}

/***
Converts the next bytes.
@function charset:feed
@tparam string bytes "" at the end of the text
@treturn string|nil what is complete of it
@treturn[opt] string why it cannot be converted
*/
static int charset_feed(lua_State *L)
{
    struct charset *c = luaL_checkudata(L, 1, CHARSET_TYPE);
    size_t size, left;
    const char *bytes = luaL_checklstring(L, 2, &size);
    luaL_Buffer joined, out;
    char *in;
    int why;

    luaL_argcheck(L, c->converter != (iconv_t)-1, 1, "it is closed");
    luaL_buffinit(L, &joined);
    luaL_addlstring(&joined, c->rest, c->rest_size);
    luaL_addlstring(&joined, bytes, size);
    luaL_pushresult(&joined);
    /* iconv takes its input as char ** and leaves it alone */
    memcpy(&in, &(const char *){lua_tolstring(L, -1, &left)}, sizeof in);
    luaL_buffinit(L, &out);
    why = convert(L, c, &out, &in, &left);
    if ((why == EINVAL && (left >= sizeof c->rest || size == 0)) || (why != 0 && why != EINVAL)) {
        lua_pushnil(L);
        lua_pushliteral(L, "the text is not in the encoding that was given");
        return 2;
    }
    memcpy(c->rest, in, left);
    c->rest_size = left;
    luaL_pushresult(&out);
    return 1;
}

/***
A converter from an encoding to another.
@function charset
@tparam string from GB18030
@tparam[opt] string to default UTF-8
@treturn charset|nil
@treturn[opt] string why not
*/
static int charset(lua_State *L)
{
    const char *from = luaL_checkstring(L, 1), *to = luaL_optstring(L, 2, "UTF-8");
    struct charset *c = lua_newuserdatauv(L, sizeof *c, 0);

    *c = (struct charset){.converter = (iconv_t)-1};
    luaL_setmetatable(L, CHARSET_TYPE);
    c->converter = iconv_open(to, from);
    if (c->converter != (iconv_t)-1)
        return 1;
    lua_pushnil(L);
    lua_pushliteral(L, "this system cannot read that encoding");
    return 2;
}

static int key_set_gc(lua_State *L)
{
    struct xf_key_set **box = luaL_checkudata(L, 1, KEY_SET_TYPE);

    xf_key_set_free(*box);
    *box = NULL;
    return 0;
}

/***
Adds a key.
@function key_set:add
@tparam string key
@tparam integer line where it stands
@treturn integer|nil the line where it stood before
*/
static int key_set_add(lua_State *L)
{
    struct xf_key_set **box = luaL_checkudata(L, 1, KEY_SET_TYPE);
    size_t size;
    const char *key = luaL_checklstring(L, 2, &size);
    lua_Integer line = luaL_checkinteger(L, 3);
    uint32_t before;

    luaL_argcheck(L, *box != NULL, 1, "it is closed");
    luaL_argcheck(L, line > 0 && line < UINT32_MAX, 3, "a line is a number from 1");
    before = xf_key_set_add(*box, key, size, (uint32_t)line);
    if (before == UINT32_MAX)
        return luaL_error(L, "not enough memory");
    if (before == 0)
        return 0;
    lua_pushinteger(L, before);
    return 1;
}

/***
A set of keys.
@function key_set
@treturn key_set
*/
static int key_set(lua_State *L)
{
    struct xf_key_set **box = lua_newuserdatauv(L, sizeof(struct xf_key_set *), 0);

    *box = NULL;
    luaL_setmetatable(L, KEY_SET_TYPE);
    *box = xf_key_set_new();
    return *box != NULL ? 1 : luaL_error(L, "not enough memory");
}

/***
The path of a file without links and dots, by which it is known everywhere on this machine.
@function real_path
@tparam string path
@treturn string|nil
@treturn[opt] string why there is none
*/
static int real_path(lua_State *L)
{
    char resolved[PATH_MAX];

    if (realpath(luaL_checkstring(L, 1), resolved) != NULL) {
        lua_pushstring(L, resolved);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, strerror(errno));
    return 2;
}

/***
What a path leads to, and by what its file is the same under any name and link.
@function file_kind
@tparam string path
@treturn string|nil file, folder or other: a pipe, a socket, a device
@treturn[opt] string the file's identity; or why nothing is there
*/
static int file_kind(lua_State *L)
{
    struct stat st;

    if (stat(luaL_checkstring(L, 1), &st) != 0) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(errno));
        return 2;
    }
    lua_pushstring(L, S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "folder" : "other");
    lua_pushfstring(L, "%I:%I", (lua_Integer)st.st_dev, (lua_Integer)st.st_ino);
    return 2;
}

void xf_add_table(lua_State *L, int core)
{
    static const luaL_Reg charset_methods[] = {{"feed", charset_feed}, {"__gc", charset_gc}, {NULL, NULL}};
    static const luaL_Reg set_methods[] = {
        {"add", key_set_add}, {"__gc", key_set_gc}, {"__close", key_set_gc}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"charset", charset},
                                         {"key_set", key_set},
                                         {"real_path", real_path},
                                         {"file_kind", file_kind},
                                         {NULL, NULL}};

    xf_new_type(L, core, CHARSET_TYPE, charset_methods);
    xf_new_type(L, core, KEY_SET_TYPE, set_methods);
    xf_set_functions(L, core, functions);
}
