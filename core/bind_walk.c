#include "bind_walk.h"

#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "text.h"

void xf_walk_begin(struct xf_walk *w, lua_State *L, enum xf_side side, struct xf_bytes *out)
{
    lua_pushnil(L); /* most walks find no fault and need no list */
    w->L = L;
    w->side = side;
    w->faults = lua_gettop(L);
    w->count = 0;
    w->notes = 0;
    w->noted = 0;
    w->out = out;
    w->depth = 0;
}

/* [-0, +1, m] "command.paras.billNo", "commandIds[2]" */
static void push_path(struct xf_walk *w)
{
    int depth = w->depth < XF_PATH_DEPTH ? w->depth : XF_PATH_DEPTH;
    luaL_Buffer b;

    luaL_buffinit(w->L, &b);
    for (int i = 0; i < depth; i++) {
        char text[32];

        if (w->path[i].name == NULL) {
            (void)snprintf(text, sizeof text, "[%lld]", w->path[i].index);
            luaL_addstring(&b, text);
            continue;
        }
        if (i > 0)
            luaL_addchar(&b, '.');
        luaL_addstring(&b, w->path[i].name);
    }
    luaL_pushresult(&b);
}

void xf_walk_fault(struct xf_walk *w, int code, const char *en, const char *zh)
{
    lua_State *L = w->L;

    if (w->count >= XF_FAULTS_MOST)
        return;
    luaL_checkstack(L, 8, "too many nested values");
    if (w->count == 0) {
        lua_newtable(L);
        lua_replace(L, w->faults);
    }
    lua_createtable(L, 0, 4);
    push_path(w);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, en);
    lua_setfield(L, -2, "rule");
    lua_pushstring(L, zh);
    lua_setfield(L, -2, "rule_zh");
    if (code != 0) {
        lua_pushfstring(L, "%d", code);
        lua_setfield(L, -2, "code");
    }
    lua_rawseti(L, w->faults, ++w->count);
}

void xf_walk_missing(struct xf_walk *w, const struct xf_field *f)
{
    char row[XF_DESCRIPTION_SIZE], en[XF_DESCRIPTION_SIZE + 64], zh[XF_DESCRIPTION_SIZE + 64];

    xf_describe_field(f, w->side, XF_EN, row);
    (void)snprintf(en, sizeof en, "is missing; must be %s", row);
    xf_describe_field(f, w->side, XF_ZH, row);
    (void)snprintf(zh, sizeof zh, "缺少；应为%s", row);
    xf_walk_fault(w, f->code, en, zh);
}

/* A short picture of what was given. Balanced. */
static void show_value(lua_State *L, int index, char out[96])
{
    out[0] = '\0';
    if (index == 0)
        return;
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        size_t size;
        const char *s = lua_tolstring(L, index, &size);
        size_t shown = size > 40 ? 40 : size;

        if (!xf_text_measure(s, size, NULL, NULL)) {
            (void)snprintf(out, 96, "text that is no UTF-8");
            break;
        }

        /* cut at a character, and leave out what a terminal would act upon */
        while (shown > 0 && shown < size && ((unsigned char)s[shown] & 0xC0) == 0x80)
            shown--;
        for (size_t i = 0; i < shown; i++) {
            if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f ||
                ((unsigned char)s[i] == 0xC2 && (unsigned char)s[i + 1] < 0xA0))
                shown = i;
        }
        (void)snprintf(out, 96, "\"%.*s\"%s", (int)shown, s, shown < size ? "..." : "");
        break;
    }
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            (void)snprintf(out, 96, "%lld", (long long)lua_tointeger(L, index));
        else
            (void)snprintf(out, 96, "%.17g", (double)lua_tonumber(L, index));
        break;
    case LUA_TBOOLEAN:
        (void)snprintf(out, 96, "%s", lua_toboolean(L, index) ? "true" : "false");
        break;
    case LUA_TLIGHTUSERDATA:
        (void)snprintf(out, 96, "%s", lua_touserdata(L, index) == NULL ? "null" : "a userdata");
        break;
    default:
        (void)snprintf(out, 96, "a %s", luaL_typename(L, index));
        break;
    }
}

void xf_walk_wrong(struct xf_walk *w, const struct xf_field *f, int index)
{
    char row[XF_DESCRIPTION_SIZE], en[XF_DESCRIPTION_SIZE + 128], zh[XF_DESCRIPTION_SIZE + 128], got[96];

    show_value(w->L, index, got);
    xf_describe_field(f, w->side, XF_EN, row);
    (void)snprintf(en, sizeof en, "must be %s%s%s", row, got[0] ? ", got " : "", got);
    xf_describe_field(f, w->side, XF_ZH, row);
    (void)snprintf(zh, sizeof zh, "应为%s%s%s", row, got[0] ? "，实际为 " : "", got);
    xf_walk_fault(w, f->code, en, zh);
}

static bool is_plain(const char *s)
{
    for (const char *c = s; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f ||
            ((unsigned char)*c == 0xC2 && (unsigned char)c[1] < 0xA0))
            return false;
    }
    return xf_text_measure(s, strlen(s), NULL, NULL);
}

/* A key as a path may show it. */
static const char *plain_key(const char *key)
{
    return is_plain(key) ? key : "(key that is no plain text)";
}

void xf_walk_note(struct xf_walk *w, const char *words)
{
    lua_State *L = w->L;

    if (w->notes == 0 || w->noted >= XF_NOTES_MOST)
        return;
    luaL_checkstack(L, 8, "too many nested values");
    push_path(w);
    lua_pushfstring(L, "%s %s", lua_tostring(L, -1), words);
    lua_rawseti(L, w->notes, ++w->noted);
    lua_pop(L, 1);
}

void xf_walk_note_keys(struct xf_walk *w, const struct xf_field *fields, int index)
{
    lua_State *L = w->L;

    if (w->notes == 0)
        return;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || xf_is_key(L, lua_gettop(L) - 1, fields))
            continue;
        xf_walk_enter(w, plain_key(lua_tostring(L, -2)));
        xf_walk_note(w, "is not in the document");
        xf_walk_leave(w);
    }
}

void xf_walk_unknown(struct xf_walk *w, const char *key, const char *owner)
{
    char en[160], zh[160];

    xf_walk_enter(w, plain_key(key));
    (void)snprintf(en, sizeof en, "is not a parameter of %s", owner);
    (void)snprintf(zh, sizeof zh, "不是 %s 的参数", owner);
    xf_walk_fault(w, 101001, en, zh);
    xf_walk_leave(w);
}
