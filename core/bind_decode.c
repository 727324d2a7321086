/*
 * What was received: typed in place along the rows. The client reads what the
 * platform sends leniently (an unknown enumeration or an odd length is kept, a
 * wrong type is a fault); the sandbox reads requests strictly, each fault with
 * the code it earns.
 */
#include <stdio.h>
#include <string.h>

#include "bind_walk.h"

enum { ID_LENGTH = 32 };

/* Every id of the platform has 32 characters; one that has not is of no use. */
static bool is_id(const struct xf_field *f)
{
    return f->min == ID_LENGTH && f->max == ID_LENGTH && f->format == XF_TEXT;
}

static bool is_bad_id(struct xf_walk *w, const struct xf_field *f)
{
    struct xf_scalar value;

    return is_id(f) && !xf_read_scalar(w->L, lua_gettop(w->L), f, w->side, &value);
}

/* [-1, +1, m] a number becomes the text a person would write */
static void number_to_text(lua_State *L)
{
    lua_Integer whole;
    char text[40];

    if (lua_isinteger(L, -1) || (lua_tointegerx(L, -1, NULL) != 0)) {
        whole = lua_tointeger(L, -1);
        (void)snprintf(text, sizeof text, "%lld", (long long)whole);
    } else {
        (void)snprintf(text, sizeof text, "%.14g", (double)lua_tonumber(L, -1));
    }
    lua_pop(L, 1);
    lua_pushstring(L, text);
}

/* An enumeration's value that the document does not have is kept. */
static void note_text(struct xf_walk *w, const struct xf_field *f)
{
    const char *s = lua_tostring(w->L, -1);

    if ((f->values != NULL && xf_find_value(f->values, s) == NULL) ||
        (f->fixed != NULL && strcmp(f->fixed, s) != 0))
        xf_walk_note(w, "has a value that the document does not have");
}

static void note_number(struct xf_walk *w, const struct xf_field *f, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    if (f->values != NULL && xf_find_value(f->values, text) == NULL)
        xf_walk_note(w, "has a value that the document does not have");
}

/* [-1, +1, m] */
static void decode_reply_scalar(struct xf_walk *w, const struct xf_field *f)
{
    struct xf_field loose = *f;
    struct xf_scalar value;
    lua_State *L = w->L;

    if (f->type == XF_STRING) {
        if (lua_type(L, -1) == LUA_TNUMBER)
            number_to_text(L);
        if (lua_type(L, -1) != LUA_TSTRING || is_bad_id(w, f))
            xf_walk_wrong(w, f, lua_gettop(L));
        else
            note_text(w, f);
        return;
    }
    loose.values = NULL;
    loose.client = NULL;
    loose.min = INT64_MIN;
    loose.max = INT64_MAX;
    if (xf_read_scalar(L, lua_gettop(L), &loose, w->side, &value)) {
        lua_pop(L, 1);
        lua_pushinteger(L, value.value);
        note_number(w, f, value.value);
    } else if ((f->flags & XF_ACCEPT_STRING) == 0) {
        xf_walk_wrong(w, f, lua_gettop(L));
    } else { /* kept as it came, neither success nor failure (C22) */
        xf_walk_note(w, "has a value that the document does not have");
    }
}

/* [-1, +1, m] */
static void decode_request_scalar(struct xf_walk *w, const struct xf_field *f)
{
    struct xf_scalar value;
    lua_State *L = w->L;

    if (!xf_read_scalar(L, lua_gettop(L), f, w->side, &value)) {
        xf_walk_wrong(w, f, lua_gettop(L));
        return;
    }
    if (f->type != XF_STRING) {
        lua_pop(L, 1);
        lua_pushinteger(L, value.value);
    }
}

/* [-1, +1, m] JSON text in a string becomes its value (C20) */
static void unwrap_text(lua_State *L)
{
    size_t size;
    const char *s = lua_tolstring(L, -1, &size);

    if (xf_push_decoded(L, s, size, XF_TEXT_MOST) == 1)
        lua_remove(L, -2);
    else
        lua_pop(L, 3);
}

static bool is_null(lua_State *L, int index)
{
    return lua_isnil(L, index) || (lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL);
}

static bool is_empty_text(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) == 0;
}

static bool is_empty_table(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_istable(L, index))
        return false;
    lua_pushnil(L);
    if (lua_next(L, index) == 0)
        return true;
    lua_pop(L, 2);
    return false;
}

static void decode_command(struct xf_walk *w, int index);

/* [-1, +1, m] */
static void decode_object(struct xf_walk *w, const struct xf_field *f)
{
    lua_State *L = w->L;

    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0) {
        xf_walk_wrong(w, f, lua_gettop(L));
        return;
    }
    if (f->shape == NULL)
        return;
    if (w->side == XF_SERVER && strcmp(f->shape->name, "CommandDTO") == 0)
        decode_command(w, lua_gettop(L));
    else
        xf_decode_shape(w, f->shape, lua_gettop(L));
}

/* [-1, +1, m] */
static void decode_list(struct xf_walk *w, const struct xf_field *f)
{
    const struct xf_field element = {
        .name = f->name, .type = XF_OBJECT, .max = INT64_MAX, .shape = f->shape, .code = f->code};
    struct xf_reading r = xf_read_field(f, w->side);
    struct xf_field item = f->item != NULL ? *f->item : element;
    lua_State *L = w->L;
    lua_Integer size;

    if (item.code == 0)
        item.code = f->code;
    /* one record where a list belongs (C28) */
    size = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : -1;
    if (size == 0 && !is_empty_table(L, -1))
        size = -1; /* an object */
    if (size < 0 || (w->side == XF_SERVER && (size < r.min || size > r.max))) {
        xf_walk_wrong(w, f, lua_gettop(L));
        return;
    }
    if (size == 0) { /* an empty list stays one when it is written again */
        xf_push_core_value(L, XF_UV_ARRAY);
        lua_setmetatable(L, -2);
    }
    for (lua_Integer i = 1; i <= size; i++) {
        xf_walk_enter_index(w, i);

        lua_rawgeti(L, -1, i);
        xf_decode_field(w, &item);
        lua_rawseti(L, -2, i);
        xf_walk_leave(w);
    }
}

void xf_decode_field(struct xf_walk *w, const struct xf_field *f)
{
    luaL_checkstack(w->L, 8, "too many nested values");
    switch (f->type) {
    case XF_OBJECT:
        decode_object(w, f);
        break;
    case XF_LIST:
        decode_list(w, f);
        break;
    case XF_STRING:
    case XF_INTEGER:
    case XF_DECIMAL:
        if (w->side == XF_SERVER)
            decode_request_scalar(w, f);
        else
            decode_reply_scalar(w, f);
        break;
    }
}

/* [-0, +1, m] the member that f names, by its other name if need be (C16) */
static void push_member(lua_State *L, int index, const struct xf_field *f)
{
    lua_pushstring(L, f->name);
    if (lua_rawget(L, index) == LUA_TNIL && f->also != NULL) {
        lua_pop(L, 1);
        lua_pushstring(L, f->also);
        lua_rawget(L, index);
    }
}

/* Whether the member on top counts as not given. */
static bool is_absent(lua_State *L, const struct xf_field *f, bool required)
{
    if (is_null(L, -1))
        return true;
    if ((f->flags & XF_ACCEPT_NULL) != 0 && f->type == XF_OBJECT && is_empty_table(L, -1))
        return true; /* no result yet (C21) */
    if (!is_empty_text(L, -1))
        return false;
    return (f->type == XF_STRING && !required) || (f->flags & XF_ACCEPT_NULL) != 0;
}

/* A concentrator's report may lack what only meters have (A26). */
static bool is_excused(struct xf_walk *w, const struct xf_field *f, int index)
{
    lua_State *L = w->L;
    bool excused = false;

    if (w->side == XF_SERVER || (strcmp(f->name, "commType") != 0 && strcmp(f->name, "chargeType") != 0))
        return false;
    lua_getfield(L, index, "meterType");
    if (lua_type(L, -1) == LUA_TNUMBER)
        excused = lua_tonumber(L, -1) == 2;
    else if (lua_type(L, -1) == LUA_TSTRING)
        excused = strcmp(lua_tostring(L, -1), "2") == 0;
    lua_pop(L, 1);
    return excused;
}

static void decode_member(struct xf_walk *w, const struct xf_field *f, int index)
{
    bool required = xf_is_required(w->L, index, f, w->side) && !is_excused(w, f, index);
    /* the platform ignores what has no meaning in the variant */
    bool matters = w->side == XF_CLIENT || xf_has_meaning(w->L, index, f, w->side);
    lua_State *L = w->L;

    xf_walk_enter(w, f->name);
    push_member(L, index, f);
    if ((f->flags & XF_ACCEPT_STRING) != 0 && f->type == XF_OBJECT && lua_type(L, -1) == LUA_TSTRING &&
        !is_empty_text(L, -1))
        unwrap_text(L);
    if (is_absent(L, f, required) || !matters) {
        bool falls_back = w->side == XF_SERVER && matters && (f->flags & XF_HAS_DEFAULT) != 0;

        if (required && !falls_back)
            xf_walk_missing(w, f);
        lua_pop(L, 1);
        if (falls_back)
            lua_pushinteger(L, f->fallback);
        else
            lua_pushnil(L);
    } else {
        xf_decode_field(w, f);
    }
    lua_setfield(L, index, f->name);
    xf_walk_leave(w);
}

/* The structure of serviceData is told by serviceId; an unknown one stays as it came (C27). */
static void decode_service(struct xf_walk *w, int index)
{
    lua_State *L = w->L;
    const struct xf_shape *service = NULL;

    lua_getfield(L, index, "serviceId");
    if (lua_type(L, -1) == LUA_TSTRING)
        service = xf_find_service(lua_tostring(L, -1));
    lua_getfield(L, index, "serviceData");
    if (service != NULL && lua_istable(L, -1)) {
        xf_walk_enter(w, "serviceData");
        if (strcmp(service->name, "FrozenValueInfo") == 0 &&
            lua_getfield(L, -1, "frozenRecords") == LUA_TNIL) {
            lua_pop(L, 1); /* one flat record instead of the list (C28) */
            lua_createtable(L, 1, 0);
            lua_insert(L, -2);
            lua_rawseti(L, -2, 1);
            lua_createtable(L, 0, 1);
            lua_insert(L, -2);
            lua_setfield(L, -2, "frozenRecords");
            lua_pushvalue(L, -1);
            lua_setfield(L, index, "serviceData");
        } else if (strcmp(service->name, "FrozenValueInfo") == 0) {
            lua_pop(L, 1);
        }
        xf_decode_shape(w, service, lua_gettop(L));
        xf_walk_leave(w);
    }
    lua_pop(L, 2);
}

/* Results of commands hold texts besides commandResult; a number counts as its
 * text, whichever command it was (A19). */
static void spell_numbers(lua_State *L, int index)
{
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1))
            continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        number_to_text(L);
        lua_rawset(L, index); /* a member that is there may change while it is walked */
    }
}

void xf_decode_shape(struct xf_walk *w, const struct xf_shape *shape, int index)
{
    lua_State *L = w->L;
    int faults = w->count;

    for (const struct xf_field *f = shape->fields; f->name != NULL; f++)
        decode_member(w, f, index);
    if (strcmp(shape->name, "dataDTO") == 0 && w->count == faults)
        decode_service(w, index);
    if (w->side == XF_CLIENT && strcmp(shape->name, "CommandResult") == 0)
        spell_numbers(L, index); /* its members depend on the command */
    else
        xf_walk_note_keys(w, shape->fields, index);
    if (w->side == XF_SERVER)
        xf_walk_rules(w, shape, index);
}

/* Server: paras may be an object, a string holding one, null, "" or absent (C20). */
static void decode_paras(struct xf_walk *w, const struct xf_field *f, int index)
{
    lua_State *L = w->L;

    lua_getfield(L, index, "paras");
    if (is_null(L, -1) || is_empty_text(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        unwrap_text(L);
    }
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > 0)
        xf_walk_wrong(w, f, lua_gettop(L));
    lua_setfield(L, index, "paras");
}

static void decode_command(struct xf_walk *w, int index)
{
    lua_State *L = w->L;
    const struct xf_shape *shape = xf_find_shape("CommandDTO");
    const struct xf_field *method = xf_find_field(shape->fields, "method");
    int faults = w->count;
    const struct xf_command *c;

    decode_member(w, method, index);
    xf_walk_enter(w, "paras");
    decode_paras(w, xf_find_field(shape->fields, "paras"), index);
    lua_getfield(L, index, "paras");
    lua_getfield(L, index, "method");
    if (w->count == faults) {
        c = xf_pick_command(L, lua_tostring(L, -1), lua_gettop(L) - 1);
        if (c != NULL) {
            lua_pushstring(L, c->id);
            lua_setfield(L, index, "id");
            xf_decode_shape(w, c->params, lua_gettop(L) - 1);
        }
    }
    lua_pop(L, 2);
    xf_walk_leave(w);
}
