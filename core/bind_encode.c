/* What the client sends: checked against the rows and written as JSON in one
 * walk. The amounts leave as the digits that were given, never through a float. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bind_walk.h"
#include "decimal.h"

static void write_scalar(struct xf_bytes *out, const struct xf_field *f, const struct xf_scalar *v)
{
    char text[XF_DECIMAL_SIZE];

    if (f->type == XF_STRING) {
        xf_bytes_add_json(out, v->s, v->size);
    } else if (f->type == XF_INTEGER && v->value < INT64_MAX / 1000 && v->value > INT64_MIN / 1000) {
        xf_bytes_add(out, text, xf_decimal_format(text, v->value * 1000, 0));
    } else if (f->type == XF_INTEGER) {
        (void)snprintf(text, sizeof text, "%" PRId64, v->value);
        xf_bytes_add_text(out, text);
    } else {
        xf_bytes_add(out, text, xf_decimal_format(text, v->value, 0));
    }
}

static void encode_command(struct xf_walk *w, const struct xf_field *f, int index);

/* Names of rows are plain ASCII. */
static void write_name(struct xf_bytes *out, const char *name)
{
    xf_bytes_add_char(out, '"');
    xf_bytes_add_text(out, name);
    xf_bytes_add(out, "\":", 2);
}

bool xf_is_key(lua_State *L, int index, const struct xf_field *fields)
{
    const char *key = lua_tostring(L, index);

    return strlen(key) == lua_rawlen(L, index) && xf_find_field(fields, key) != NULL;
}

/* Number of keys; a key that is no text is a fault by itself. */
static int count_keys(struct xf_walk *w, int index, const char *owner)
{
    lua_State *L = w->L;
    int count = 0;

    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            count++;
        } else if (lua_isinteger(L, -2)) {
            xf_walk_enter_index(w, lua_tointeger(L, -2));

            xf_walk_fault(w, 101001, "must be given by name", "应按名称给出");
            xf_walk_leave(w);
        } else {
            xf_walk_unknown(w, "(key that is no text)", owner);
        }
    }
    return count;
}

/* Names every key that no row knows. */
static void find_unknown(struct xf_walk *w, const struct xf_field *fields, int index, const char *owner)
{
    lua_State *L = w->L;

    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && !xf_is_key(L, -2, fields))
            xf_walk_unknown(w, lua_tostring(L, -2), owner);
    }
}

static void encode_list(struct xf_walk *w, const struct xf_field *f, int index)
{
    struct xf_reading r = xf_read_field(f, w->side);
    struct xf_field item = *f->item;
    lua_State *L = w->L;
    lua_Integer size;
    int keys = 0;

    if (item.code == 0)
        item.code = f->code;

    if (!lua_istable(L, index)) {
        xf_walk_wrong(w, f, index);
        return;
    }
    size = (lua_Integer)lua_rawlen(L, index);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        keys++;
    if (keys != size || size < r.min || size > r.max) {
        xf_walk_wrong(w, f, keys == size ? 0 : index);
        return;
    }
    xf_bytes_add_char(w->out, '[');
    for (lua_Integer i = 1; i <= size; i++) {
        xf_walk_enter_index(w, i);

        if (i > 1)
            xf_bytes_add_char(w->out, ',');
        lua_rawgeti(L, index, i);
        xf_encode_field(w, &item, lua_gettop(L));
        lua_pop(L, 1);
        xf_walk_leave(w);
    }
    xf_bytes_add_char(w->out, ']');
}

void xf_encode_field(struct xf_walk *w, const struct xf_field *f, int index)
{
    struct xf_scalar value;

    luaL_checkstack(w->L, 8, "too many nested values");
    switch (f->type) {
    case XF_LIST:
        encode_list(w, f, index);
        break;
    case XF_OBJECT:
        if (!lua_istable(w->L, index))
            xf_walk_wrong(w, f, index);
        else if (f->shape != NULL && strcmp(f->shape->name, "CommandDTO") == 0)
            encode_command(w, f, index);
        else if (f->shape != NULL)
            xf_encode_shape(w, f->shape, index, f->name);
        break;
    case XF_STRING:
    case XF_INTEGER:
    case XF_DECIMAL:
        if (xf_read_scalar(w->L, index, f, w->side, &value))
            write_scalar(w->out, f, &value);
        else
            xf_walk_wrong(w, f, index);
        break;
    }
}

/* An optional text that is empty is left out (A1). */
static bool is_left_out(lua_State *L, const struct xf_field *f, bool required)
{
    if (lua_isnil(L, -1))
        return true;
    return !required && f->type == XF_STRING && lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0;
}

int xf_encode_members(struct xf_walk *w, const struct xf_shape *shape, int index)
{
    lua_State *L = w->L;
    bool first = true;
    int known = 0;

    xf_bytes_add_char(w->out, '{');
    for (const struct xf_field *f = shape->fields; f->name != NULL; f++) {
        bool required = xf_is_required(L, index, f, w->side);
        xf_walk_enter(w, f->name);

        lua_pushstring(L, f->name);
        if (lua_rawget(L, index) != LUA_TNIL)
            known++;
        if (!is_left_out(L, f, required)) {
            if (!first)
                xf_bytes_add_char(w->out, ',');
            first = false;
            write_name(w->out, f->name);
            xf_encode_field(w, f, lua_gettop(L));
        } else if (required) {
            xf_walk_missing(w, f);
        }
        lua_pop(L, 1);
        xf_walk_leave(w);
    }
    xf_bytes_add_char(w->out, '}');
    return known;
}

void xf_encode_shape(struct xf_walk *w, const struct xf_shape *shape, int index, const char *owner)
{
    if (xf_encode_members(w, shape, index) != count_keys(w, index, owner))
        find_unknown(w, shape->fields, index, owner);
    xf_walk_rules(w, shape, index);
}

/* The command of creatCmd: which rows hold for paras is told by method and by
 * what paras holds. The table lies at index. */
static void encode_command(struct xf_walk *w, const struct xf_field *f, int index)
{
    lua_State *L = w->L;
    const struct xf_field *method = xf_find_field(f->shape->fields, "method");
    const struct xf_command *c = NULL;
    int paras;

    if (!lua_istable(L, index)) {
        xf_walk_wrong(w, f, index);
        return;
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "(key that is no text)";

        if (lua_type(L, -2) != LUA_TSTRING || !xf_is_key(L, -2, f->shape->fields))
            xf_walk_unknown(w, key, "command");
    }
    lua_pushliteral(L, "paras");
    if (lua_rawget(L, index) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
    paras = lua_gettop(L);
    lua_pushliteral(L, "method");
    if (lua_rawget(L, index) == LUA_TSTRING && lua_rawlen(L, -1) == strlen(lua_tostring(L, -1)))
        c = xf_pick_command(L, lua_tostring(L, -1), paras);
    if (c == NULL) {
        xf_walk_enter(w, "method");
        if (lua_isnil(L, -1))
            xf_walk_missing(w, method);
        else
            xf_walk_wrong(w, method, lua_gettop(L));
        xf_walk_leave(w);
    }
    xf_walk_enter(w, "paras");
    if (!lua_istable(L, paras)) {
        struct xf_field row = *xf_find_field(f->shape->fields, "paras");

        row.code = f->code;
        xf_walk_wrong(w, &row, paras);
    } else if (c != NULL) {
        xf_bytes_add_text(w->out, "{\"method\":\"");
        xf_bytes_add_text(w->out, c->method);
        xf_bytes_add_text(w->out, "\",\"paras\":");
        xf_encode_shape(w, c->params, paras, c->method);
        xf_bytes_add_char(w->out, '}');
    }
    xf_walk_leave(w);
    lua_pop(L, 2);
}
