#include "bind_contract.h"

#include <lauxlib.h>
#include <string.h>

#include "contract.h"

/* Each set_ function sets one key of the table on top, or leaves it nil: [-0, +0, m]. */

static void set_string(lua_State *L, const char *key, const char *value)
{
    if (value == NULL)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_bool(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

static void set_code(lua_State *L, const char *key, int code)
{
    if (code == 0)
        return;
    lua_pushfstring(L, "%d", code);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const struct xf_text *t)
{
    lua_createtable(L, 0, 2);
    set_string(L, "zh", t->zh);
    set_string(L, "en", t->en);
    lua_setfield(L, -2, key);
}

static void set_names(lua_State *L, const char *key, const char *const names[XF_RULE_MOST])
{
    if (names[0] == NULL)
        return;
    lua_newtable(L);
    for (int i = 0; i < XF_RULE_MOST && names[i] != NULL; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static const char *type_name(enum xf_type type)
{
    static const char *const names[] = {
        [XF_STRING] = "string", [XF_INTEGER] = "integer", [XF_DECIMAL] = "decimal",
        [XF_OBJECT] = "object", [XF_LIST] = "list",
    };

    return names[type];
}

static const char *format_name(enum xf_format format)
{
    static const char *const names[] = {
        [XF_TEXT] = "text",
        [XF_DIGITS] = "digits",
        [XF_TIMESTAMP] = "timestamp",
        [XF_DATETIME] = "datetime",
        [XF_HOLDS_INTEGER] = "holds_integer",
        [XF_HOLDS_DECIMAL] = "holds_decimal",
        [XF_HOLDS_TEXT] = "holds_text",
        [XF_HOLDS_TIMESTAMP] = "holds_timestamp",
    };

    return names[format];
}

static void set_flags(lua_State *L, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *key;
    } names[] = {
        {XF_REQUIRED, "required"},       {XF_EMIT_STRING, "emit_string"}, {XF_ACCEPT_STRING, "accept_string"},
        {XF_ACCEPT_NULL, "accept_null"}, {XF_ALSO_BODY, "also_body"},     {XF_CODE_OURS, "code_ours"},
        {XF_UNIT_OURS, "unit_ours"},     {XF_ALARM_CODE, "alarm_code"},   {XF_RETURN_CODE, "return_code"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (flags & names[i].flag)
            set_bool(L, names[i].key, true);
    }
}

static void set_override(lua_State *L, const char *key, const struct xf_override *o)
{
    if (o == NULL)
        return;
    lua_newtable(L);
    if (o->set & XF_SET_REQUIRED)
        set_bool(L, "required", o->required);
    if (o->set & XF_SET_MIN)
        set_integer(L, "min", o->min);
    if (o->set & XF_SET_MAX)
        set_integer(L, "max", o->max);
    if (o->set & XF_SET_DECIMALS)
        set_integer(L, "decimals", o->decimals);
    lua_setfield(L, -2, key);
}

static void set_range(lua_State *L, const struct xf_field *f)
{
    if (f->type == XF_OBJECT)
        return;
    if (f->min != XF_NO_LEAST)
        set_integer(L, "min", f->min);
    if (f->max != XF_NO_LIMIT)
        set_integer(L, "max", f->max);
    if (f->type == XF_DECIMAL)
        set_integer(L, "decimals", f->decimals);
}

/* The push_ functions push one table: [-0, +1, m]. */

static void push_field(lua_State *L, const struct xf_field *f)
{
    luaL_checkstack(L, 8, "contract");
    lua_newtable(L);
    set_string(L, "name", f->name);
    set_string(L, "type", type_name(f->type));
    set_flags(L, f->flags);
    set_range(L, f);
    if (f->type == XF_STRING)
        set_string(L, "format", format_name(f->format));
    set_string(L, "fixed", f->fixed);
    set_string(L, "values", f->values == NULL ? NULL : f->values->name);
    set_string(L, "shape", f->shape == NULL ? NULL : f->shape->name);
    if (f->item != NULL) {
        push_field(L, f->item);
        lua_setfield(L, -2, "item");
    }
    set_string(L, "when_field", f->when_field);
    if (f->when_field != NULL)
        set_integer(L, "when_equals", f->when_equals);
    if (f->flags & XF_HAS_DEFAULT)
        set_integer(L, "fallback", f->fallback);
    set_string(L, "also", f->also);
    set_code(L, "code", f->code);
    set_string(L, "unit", f->unit);
    set_string(L, "doc_type", f->doc_type);
    set_text(L, "label", &f->label);
    set_text(L, "about", &f->about);
    set_string(L, "ids", f->ids);
    set_override(L, "client", f->client);
    set_override(L, "server", f->server);
}

static void set_fields(lua_State *L, const char *key, const struct xf_field *fields)
{
    lua_newtable(L);
    for (int i = 0; fields[i].name != NULL; i++) {
        push_field(L, &fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static const char *rule_name(enum xf_rule_kind kind)
{
    static const char *const names[] = {
        [XF_RULE_NON_DECREASING] = "non_decreasing",
        [XF_RULE_CANONICAL_TIERS] = "canonical_tiers",
        [XF_RULE_NON_ZERO] = "non_zero",
    };

    return names[kind];
}

static void set_rules(lua_State *L, const struct xf_rule *rules)
{
    if (rules == NULL)
        return;
    lua_newtable(L);
    for (int i = 0; rules[i].kind != XF_RULE_NONE; i++) {
        const struct xf_rule *r = &rules[i];

        lua_newtable(L);
        set_string(L, "kind", rule_name(r->kind));
        set_names(L, "fields", r->fields);
        set_names(L, "prices", r->prices);
        set_string(L, "when_field", r->when_field);
        if (r->when_field != NULL)
            set_integer(L, "when_equals", r->when_equals);
        set_bool(L, "client", r->client);
        set_bool(L, "server", r->server);
        set_code(L, "code", r->code);
        set_text(L, "about", &r->about);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "rules");
}

static void push_shape(lua_State *L, const struct xf_shape *s)
{
    lua_newtable(L);
    set_string(L, "name", s->name);
    set_string(L, "section", s->section);
    set_text(L, "label", &s->label);
    set_fields(L, "fields", s->fields);
    set_rules(L, s->rules);
    set_string(L, "note", s->note);
    set_string(L, "also", s->also == NULL ? NULL : s->also->name);
}

static void set_shape(lua_State *L, const char *key, const struct xf_shape *s)
{
    if (s == NULL)
        return;
    push_shape(L, s);
    lua_setfield(L, -2, key);
}

static void push_endpoint(lua_State *L, const struct xf_endpoint *e)
{
    static const char *const bodies[] = {
        [XF_BODY_NONE] = "none", [XF_BODY_OBJECT] = "object", [XF_BODY_LIST] = "list"};

    lua_newtable(L);
    set_string(L, "name", e->name);
    set_string(L, "section", e->section);
    set_text(L, "label", &e->label);
    set_text(L, "about", &e->about);
    set_string(L, "method", e->method);
    set_string(L, "path", e->path);
    set_string(L, "also_method", e->also_method);
    set_string(L, "also_path", e->also_path);
    set_bool(L, "content_type", e->content_type);
    set_bool(L, "writes", e->writes);
    set_shape(L, "query", e->query);
    set_string(L, "body", bodies[e->body]);
    set_shape(L, "fields", e->fields);
    if (e->list != NULL) {
        push_field(L, e->list);
        lua_setfield(L, -2, "list");
    }
    push_field(L, e->result);
    lua_setfield(L, -2, "result");
    lua_newtable(L);
    for (int i = 0; e->codes[i] != 0; i++) {
        lua_pushfstring(L, "%d", e->codes[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "codes");
    set_string(L, "ids", e->ids);
}

static void push_command(lua_State *L, const struct xf_command *c)
{
    lua_newtable(L);
    set_string(L, "id", c->id);
    set_string(L, "method", c->method);
    set_string(L, "section", c->section);
    set_text(L, "label", &c->label);
    set_text(L, "about", &c->about);
    set_string(L, "told_by", c->told_by);
    set_string(L, "charge_types", c->charge_types);
    set_code(L, "encode_code", c->encode_code);
    set_bool(L, "money", c->money);
    set_shape(L, "params", c->params);
    set_shape(L, "result", c->result);
    set_string(L, "ids", c->ids);
}

static void push_push(lua_State *L, const struct xf_push *p)
{
    lua_newtable(L);
    set_string(L, "name", p->name);
    set_string(L, "section", p->section);
    set_text(L, "label", &p->label);
    set_text(L, "about", &p->about);
    set_fields(L, "headers", p->headers);
    set_string(L, "message", p->message->name);
    set_string(L, "ids", p->ids);
}

static void push_enum(lua_State *L, const struct xf_enum *e)
{
    lua_newtable(L);
    set_string(L, "name", e->name);
    set_bool(L, "integer", e->integer);
    set_string(L, "section", e->section);
    set_text(L, "label", &e->label);
    lua_newtable(L);
    for (int i = 0; e->values[i].text != NULL; i++) {
        lua_newtable(L);
        set_string(L, "text", e->values[i].text);
        set_text(L, "label", &e->values[i].label);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "values");
}

static void push_alarm(lua_State *L, const struct xf_alarm *a)
{
    lua_newtable(L);
    set_string(L, "code", a->code);
    set_text(L, "label", &a->label);
    set_text(L, "about", &a->about);
    set_string(L, "device", a->device);
    set_bool(L, "shuts", a->shuts);
    set_string(L, "status_flag", a->status_flag);
}

static void push_class(lua_State *L, const struct xf_class_row *c)
{
    lua_newtable(L);
    set_string(L, "id", c->name);
    set_string(L, "name", c->name);
    set_text(L, "label", &c->label);
    set_bool(L, "retry", c->retry);
}

static void push_code(lua_State *L, const struct xf_code *c)
{
    lua_newtable(L);
    set_code(L, "code", c->code);
    set_text(L, "message", &c->message);
    set_string(L, "class_id", xf_find_class(c->class_id)->name);
    set_text(L, "remedy", &c->remedy);
    set_string(L, "fields", c->fields);
    set_string(L, "note", c->note);
}

static bool is_asked_for(lua_State *L, const char *list)
{
    return lua_isnil(L, 1) || strcmp(lua_tostring(L, 1), list) == 0;
}

/* A list of rows whose member `ends` is NULL (or 0) in the last one. */
#define SET_LIST(L, key, rows, ends, push)                                                                   \
    do {                                                                                                     \
        if (!is_asked_for(L, key))                                                                           \
            break;                                                                                           \
        lua_newtable(L);                                                                                     \
        for (int i_ = 0; (rows)[i_].ends; i_++) {                                                            \
            push(L, &(rows)[i_]);                                                                            \
            lua_rawseti(L, -2, i_ + 1);                                                                      \
        }                                                                                                    \
        lua_setfield(L, -2, key);                                                                            \
    } while (0)

static int contract(lua_State *L)
{
    (void)luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    luaL_checkstack(L, 16, "contract");
    lua_newtable(L);
    set_string(L, "api_version", XF_API_VERSION);
    set_string(L, "base_path", XF_BASE_PATH);
    SET_LIST(L, "endpoints", xf_endpoints, name, push_endpoint);
    SET_LIST(L, "commands", xf_commands, id, push_command);
    SET_LIST(L, "pushes", xf_pushes, name, push_push);
    SET_LIST(L, "shapes", xf_shapes, name, push_shape);
    SET_LIST(L, "services", xf_services, name, push_shape);
    SET_LIST(L, "statuses", xf_statuses, name, push_shape);
    SET_LIST(L, "enums", xf_enums, name, push_enum);
    SET_LIST(L, "alarms", xf_alarms, code, push_alarm);
    SET_LIST(L, "classes", xf_classes, name, push_class);
    SET_LIST(L, "codes", xf_codes, code, push_code);
    SET_LIST(L, "call_headers", xf_call_headers, name, push_field);
    SET_LIST(L, "envelope", xf_envelope_fields, name, push_field);
    if (lua_isnil(L, 1))
        return 1;
    lua_pushvalue(L, 1);
    luaL_argcheck(L, lua_rawget(L, -2) != LUA_TNIL, 1, "no such list");
    return 1;
}

int xf_open_contract(lua_State *L)
{
    lua_pushcfunction(L, contract);
    return 1;
}
