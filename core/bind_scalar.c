/* Text, integers and decimals of a Lua value against their rows. */
#include <math.h>
#include <string.h>

#include "bind_walk.h"
#include "decimal.h"
#include "text.h"
#include "timestamp.h"

enum { ID_LENGTH = 32 }; /* of every id that the platform gives */

static bool fits_format(const struct xf_field *f, const char *s, size_t size)
{
    switch (f->format) {
    case XF_DIGITS:
        for (size_t i = 0; i < size; i++) {
            if (s[i] < '0' || s[i] > '9')
                return false;
        }
        return true;
    case XF_TIMESTAMP:
        return xf_timestamp_valid(s, size);
    case XF_DATETIME:
        return xf_datetime_valid(s, size);
    case XF_TEXT:
    case XF_HOLDS_INTEGER:
    case XF_HOLDS_DECIMAL:
    case XF_HOLDS_TEXT:
    case XF_HOLDS_TIMESTAMP:
        break;
    }
    return true;
}

static bool is_clean(const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
            return false;
    }
    return true;
}

static bool read_string(lua_State *L, int index, const struct xf_field *f, enum xf_side side,
                        const struct xf_reading *r, struct xf_scalar *out)
{
    size_t points, units, length;

    if (lua_type(L, index) != LUA_TSTRING)
        return false;
    out->s = lua_tolstring(L, index, &out->size);
    if (memchr(out->s, '\0', out->size) != NULL || !xf_text_measure(out->s, out->size, &points, &units))
        return false;
    length = side == XF_CLIENT ? units : points; /* A1 */
    if ((int64_t)length < r->min || (int64_t)length > r->max)
        return false;
    if (f->fixed != NULL && strcmp(out->s, f->fixed) != 0)
        return false;
    if (f->values != NULL && xf_find_value(f->values, out->s) == NULL)
        return false;
    if (r->min == ID_LENGTH && r->max == ID_LENGTH && !is_clean(out->s, out->size))
        return false;
    return fits_format(f, out->s, out->size);
}

/* A Lua integer or an integral float; text too where the reader takes it. */
static bool read_whole(lua_State *L, int index, bool text_too, int64_t *value)
{
    int64_t thousandths;
    size_t size;
    const char *s;

    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            *value = lua_tointeger(L, index);
            return true;
        } else {
            double n = lua_tonumber(L, index);

            /* beyond 2^53 a float no longer says which integer was meant */
            if (!(fabs(n) <= 9007199254740992.0) || n != floor(n))
                return false;
            *value = (int64_t)n;
            return true;
        }
    case LUA_TSTRING:
        s = lua_tolstring(L, index, &size);
        if (!text_too || xf_decimal_parse(s, size, 0, &thousandths) != XF_DECIMAL_OK)
            return false;
        *value = thousandths / 1000;
        return true;
    default:
        return false;
    }
}

static bool read_integer(lua_State *L, int index, const struct xf_field *f, enum xf_side side,
                         const struct xf_reading *r, struct xf_scalar *out)
{
    /* a platform takes numeric strings for numbers; a client only where a row says so */
    if (!read_whole(L, index, side == XF_SERVER || (f->flags & XF_ACCEPT_STRING) != 0, &out->value))
        return false;
    if (out->value < r->min || out->value > r->max)
        return false;
    if (f->values != NULL) {
        char text[XF_DECIMAL_SIZE];

        if (out->value < -1000000 || out->value > 1000000)
            return false;
        (void)xf_decimal_format(text, out->value * 1000, 0);
        return xf_find_value(f->values, text) != NULL;
    }
    return true;
}

static bool read_decimal(lua_State *L, int index, const struct xf_reading *r, struct xf_scalar *out)
{
    size_t size;
    const char *s;

    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        s = lua_tolstring(L, index, &size);
        if (xf_decimal_parse(s, size, r->decimals, &out->value) != XF_DECIMAL_OK)
            return false;
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            lua_Integer n = lua_tointeger(L, index);

            if (n > INT64_MAX / 1000 || n < INT64_MIN / 1000)
                return false;
            out->value = n * 1000;
        } else if (xf_decimal_from_double(lua_tonumber(L, index), r->decimals, &out->value) !=
                   XF_DECIMAL_OK) {
            return false;
        }
        break;
    default:
        return false;
    }
    return out->value >= r->min && out->value <= r->max;
}

bool xf_read_scalar(lua_State *L, int index, const struct xf_field *f, enum xf_side side,
                    struct xf_scalar *out)
{
    struct xf_reading r = xf_read_field(f, side);

    *out = (struct xf_scalar){0};
    switch (f->type) {
    case XF_STRING:
        return read_string(L, index, f, side, &r, out);
    case XF_INTEGER:
        return read_integer(L, index, f, side, &r, out);
    case XF_DECIMAL:
        return read_decimal(L, index, &r, out);
    case XF_OBJECT:
    case XF_LIST:
        break;
    }
    return false;
}

bool xf_has_meaning(lua_State *L, int index, const struct xf_field *f, enum xf_side side)
{
    int64_t value = 0;
    bool known;

    if (f->when_field == NULL)
        return true;
    lua_pushstring(L, f->when_field);
    lua_rawget(L, index);
    known = read_whole(L, -1, side == XF_SERVER, &value);
    lua_pop(L, 1);
    return known && value == f->when_equals;
}

bool xf_is_required(lua_State *L, int index, const struct xf_field *f, enum xf_side side)
{
    const struct xf_reading r = xf_read_field(f, side);

    if (r.required || f->when_field == NULL || !r.conditional)
        return r.required;
    return xf_has_meaning(L, index, f, side);
}

struct has_context {
    lua_State *L;
    int index;
};

static bool has_key(void *payload, const char *key)
{
    struct has_context *c = payload;
    bool has;

    if (!lua_istable(c->L, c->index))
        return false;
    lua_pushstring(c->L, key);
    has = lua_rawget(c->L, c->index) != LUA_TNIL;
    lua_pop(c->L, 1);
    return has;
}

const struct xf_command *xf_pick_command(lua_State *L, const char *method, int index)
{
    struct has_context c = {L, index};

    return xf_find_command(method, has_key, &c);
}

/* The values a rule speaks of, in thousandths; false if one is not there. */
static bool read_rule_values(struct xf_walk *w, const struct xf_shape *shape, int index,
                             const char *const *names, int64_t *values, int *count)
{
    lua_State *L = w->L;
    bool ok = true;

    for (*count = 0; names[*count] != NULL && ok; (*count)++) {
        const struct xf_field *f = xf_find_field(shape->fields, names[*count]);
        struct xf_scalar scalar;

        lua_pushstring(L, names[*count]);
        lua_rawget(L, index);
        ok = f != NULL && xf_read_scalar(L, lua_gettop(L), f, w->side, &scalar);
        if (ok)
            values[*count] = f->type == XF_INTEGER ? scalar.value * 1000 : scalar.value;
        lua_pop(L, 1);
    }
    return ok;
}

static void rule_fault(struct xf_walk *w, const struct xf_rule *rule, const char *field)
{
    xf_walk_enter(w, field);

    xf_walk_fault(w, rule->code, rule->about.en, rule->about.zh);
    xf_walk_leave(w);
}

static void check_rising(struct xf_walk *w, const struct xf_rule *rule, const int64_t *v, int n)
{
    for (int i = 1; i < n; i++) {
        if (v[i] < v[i - 1])
            rule_fault(w, rule, rule->fields[i]);
    }
}

/* With n the first tier from which all prices are equal, limits max(n-1, 1) on are equal. */
static void check_tiers(struct xf_walk *w, const struct xf_rule *rule, const int64_t *limits, int count,
                        const int64_t *prices, int price_count)
{
    int n = price_count;

    while (n > 1 && prices[n - 2] == prices[price_count - 1])
        n--;
    for (int i = n > 1 ? n - 1 : 1; i < count; i++) {
        if (limits[i] != limits[i - 1]) {
            rule_fault(w, rule, rule->fields[i]);
            return;
        }
    }
}

void xf_walk_rules(struct xf_walk *w, const struct xf_shape *shape, int index)
{
    int64_t values[XF_RULE_MOST], prices[XF_RULE_MOST];
    int count, price_count;

    for (const struct xf_rule *rule = shape->rules; rule != NULL && rule->kind != XF_RULE_NONE; rule++) {
        const struct xf_field when = {
            .name = "", .when_field = rule->when_field, .when_equals = rule->when_equals};

        if (!(w->side == XF_CLIENT ? rule->client : rule->server))
            continue;
        if (!xf_has_meaning(w->L, index, &when, w->side))
            continue;
        if (!read_rule_values(w, shape, index, rule->fields, values, &count))
            continue;
        switch (rule->kind) {
        case XF_RULE_NON_DECREASING:
            check_rising(w, rule, values, count);
            break;
        case XF_RULE_CANONICAL_TIERS:
            if (read_rule_values(w, shape, index, rule->prices, prices, &price_count))
                check_tiers(w, rule, values, count, prices, price_count);
            break;
        case XF_RULE_NON_ZERO:
            if (count > 0 && values[0] == 0)
                rule_fault(w, rule, rule->fields[0]);
            break;
        case XF_RULE_NONE:
            break;
        }
    }
}
