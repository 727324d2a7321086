/* The self-test of one list of fields and of the rules over it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contract_check.h"

enum { WHERE_SIZE = 128 };

int xf_check_fault(const struct xf_check *c, const char *where, const char *what, const char *what_text)
{
    (void)snprintf(c->why, c->size, "%s: %s%s", where, what, what_text);
    return -1;
}

int xf_check_text(const struct xf_check *c, const char *where, const char *what, const struct xf_text *t)
{
    if (t->zh == NULL || t->zh[0] == '\0' || t->en == NULL || t->en[0] == '\0')
        return xf_check_fault(c, where, what, " is not there in both languages");
    return 0;
}

int xf_check_code(const struct xf_check *c, const char *where, int code)
{
    char text[16];

    for (const struct xf_code *row = c->rows->codes; row->code != 0; row++) {
        if (row->code == code)
            return 0;
    }
    (void)snprintf(text, sizeof text, "%d", code);
    return xf_check_fault(c, where, "no such return code: ", text);
}

static bool is_listed(const struct xf_shape *list, const struct xf_shape *shape)
{
    for (; list->name != NULL; list++) {
        if (list == shape)
            return true;
    }
    return false;
}

static bool is_listed_enum(const struct xf_enum *list, const struct xf_enum *e)
{
    for (; list->name != NULL; list++) {
        if (list == e)
            return true;
    }
    return false;
}

static bool is_integer_value(const struct xf_enum *e, int64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    return xf_find_value(e, text) != NULL;
}

/* Whether a value passes what the row says of numbers. */
static bool takes(const struct xf_field *f, const struct xf_reading *r, int64_t value)
{
    if (value < r->min || value > r->max)
        return false;
    return f->type != XF_INTEGER || f->values == NULL || is_integer_value(f->values, value);
}

/* A range as one side reads it. */
static int check_range(const struct xf_check *c, const char *where, const struct xf_field *f,
                       const struct xf_reading *r)
{
    int64_t step = 1000;

    if (r->min > r->max)
        return xf_check_fault(c, where, "the least is above the most", "");
    if (f->type == XF_OBJECT && (r->min != 0 || r->max != 0))
        return xf_check_fault(c, where, "an object has a range", "");
    if ((f->type == XF_STRING || f->type == XF_LIST) && (r->min < 0 || r->max == 0))
        return xf_check_fault(c, where, "no length is possible", "");
    if (f->type != XF_DECIMAL)
        return r->decimals == 0 ? 0 : xf_check_fault(c, where, "decimals, but not a decimal", "");
    if (r->decimals < 1 || r->decimals > 3)
        return xf_check_fault(c, where, "decimals are not 1 to 3", "");
    for (int i = 0; i < r->decimals; i++)
        step /= 10;
    if (r->min % step != 0 || r->max % step != 0)
        return xf_check_fault(c, where, "an end of the range has more decimals than are allowed", "");
    return 0;
}

static int check_override(const struct xf_check *c, const char *where, const struct xf_field *f,
                          const struct xf_override *o)
{
    bool required = (f->flags & XF_REQUIRED) != 0;

    if (o == NULL)
        return 0;
    if (o->set == 0)
        return xf_check_fault(c, where, "an override changes nothing", "");
    if ((o->set & XF_SET_REQUIRED) && o->required == required && f->when_field == NULL)
        return xf_check_fault(c, where, "an override changes nothing: required", "");
    if ((o->set & XF_SET_MIN) && o->min == f->min)
        return xf_check_fault(c, where, "an override changes nothing: min", "");
    if ((o->set & XF_SET_MAX) && o->max == f->max)
        return xf_check_fault(c, where, "an override changes nothing: max", "");
    if ((o->set & XF_SET_DECIMALS) && o->decimals == f->decimals)
        return xf_check_fault(c, where, "an override changes nothing: decimals", "");
    return 0;
}

static int check_default(const struct xf_check *c, const char *where, const struct xf_field *f,
                         const struct xf_reading *r)
{
    if (!(f->flags & XF_HAS_DEFAULT))
        return f->fallback == 0 ? 0 : xf_check_fault(c, where, "a default without XF_HAS_DEFAULT", "");
    if (f->type != XF_INTEGER && f->type != XF_DECIMAL)
        return xf_check_fault(c, where, "a default, but not a number", "");
    return takes(f, r, f->fallback) ? 0 : xf_check_fault(c, where, "the default is out of range", "");
}

static int check_when(const struct xf_check *c, const char *where, const char *name, const char *when_field,
                      int64_t when_equals, const struct xf_field *siblings)
{
    const struct xf_field *when = NULL;
    struct xf_reading r;

    if (when_field == NULL)
        return 0;
    when = xf_find_field(siblings, when_field);
    if (when == NULL || strcmp(when_field, name) == 0)
        return xf_check_fault(c, where, "when_field names no sibling: ", when_field);
    r = xf_read_field(when, XF_SERVER);
    if (when->type != XF_INTEGER || !takes(when, &r, when_equals))
        return xf_check_fault(c, where, "when_equals is no value of ", when_field);
    return 0;
}

/* Members that only some types have, and names of other rows. */
static int check_kind(const struct xf_check *c, const char *where, const struct xf_field *f)
{
    bool whole = f->type == XF_OBJECT || f->type == XF_LIST;

    if (f->format != XF_TEXT && f->type != XF_STRING)
        return xf_check_fault(c, where, "a format, but not a string", "");
    if (f->values != NULL && !is_listed_enum(c->rows->enums, f->values))
        return xf_check_fault(c, where, "values are no listed enumeration", "");
    if (f->values != NULL && f->type != (f->values->integer ? XF_INTEGER : XF_STRING))
        return xf_check_fault(c, where, "values of another type: ", f->values->name);
    if (f->fixed != NULL && (f->values == NULL || xf_find_value(f->values, f->fixed) == NULL))
        return xf_check_fault(c, where, "the only value is not among the values: ", f->fixed);
    if (f->shape != NULL && !whole)
        return xf_check_fault(c, where, "a shape, but no object or list", "");
    if (f->shape != NULL && !is_listed(c->rows->shapes, f->shape) &&
        !is_listed(c->rows->services, f->shape) && !is_listed(c->rows->statuses, f->shape))
        return xf_check_fault(c, where, "the shape is not in the lists", "");
    if (f->type == XF_LIST && f->item == NULL && f->shape == NULL)
        return xf_check_fault(c, where, "a list without item and shape", "");
    if (f->item != NULL && f->type != XF_LIST)
        return xf_check_fault(c, where, "an item, but no list", "");
    if (f->item != NULL && f->shape != NULL)
        return xf_check_fault(c, where, "both an item and a shape", "");
    return 0;
}

static int check_flags(const struct xf_check *c, const char *where, const struct xf_field *f)
{
    if ((f->flags & XF_REQUIRED) && f->when_field != NULL)
        return xf_check_fault(c, where, "required always, and on a condition", "");
    if ((f->flags & XF_CODE_OURS) && f->code == 0)
        return xf_check_fault(c, where, "XF_CODE_OURS without a code", "");
    if ((f->flags & XF_UNIT_OURS) && f->unit == NULL)
        return xf_check_fault(c, where, "XF_UNIT_OURS without a unit", "");
    if ((f->flags & XF_EMIT_STRING) && f->type != XF_INTEGER)
        return xf_check_fault(c, where, "XF_EMIT_STRING, but not an integer", "");
    if ((f->flags & XF_ACCEPT_STRING) && f->type != XF_INTEGER && f->type != XF_OBJECT)
        return xf_check_fault(c, where, "XF_ACCEPT_STRING, but no integer or object", "");
    if ((f->flags & (XF_ALARM_CODE | XF_RETURN_CODE)) && f->type != XF_STRING)
        return xf_check_fault(c, where, "a code of a table, but not a string", "");
    return 0;
}

int xf_check_field(const struct xf_check *c, const char *owner, const struct xf_field *f,
                   const struct xf_field *siblings)
{
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "%s.%s", owner, f->name);
    if (xf_check_text(c, where, "label", &f->label) != 0 || xf_check_text(c, where, "about", &f->about) != 0)
        return -1;
    if (f->code != 0 && xf_check_code(c, where, f->code) != 0)
        return -1;
    if (check_kind(c, where, f) != 0 || check_flags(c, where, f) != 0)
        return -1;
    for (enum xf_side side = XF_CLIENT; side <= XF_SERVER; side++) {
        struct xf_reading r = xf_read_field(f, side);

        if (check_override(c, where, f, side == XF_CLIENT ? f->client : f->server) != 0 ||
            check_range(c, where, f, &r) != 0 || check_default(c, where, f, &r) != 0)
            return -1;
    }
    if (check_when(c, where, f->name, f->when_field, f->when_equals, siblings) != 0)
        return -1;
    return f->item == NULL ? 0 : xf_check_field(c, where, f->item, f->item);
}

int xf_check_fields(const struct xf_check *c, const char *where, const struct xf_field *fields)
{
    for (const struct xf_field *f = fields; f->name != NULL; f++) {
        const struct xf_field *first = xf_find_field(fields, f->name);

        if (first != f)
            return xf_check_fault(c, where, "the same name twice: ", f->name);
        if (f->also != NULL && xf_find_field(fields, f->also) != NULL)
            return xf_check_fault(c, where, "the other name is a field of its own: ", f->also);
        if (xf_check_field(c, where, f, fields) != 0)
            return -1;
    }
    return 0;
}

static int check_names(const struct xf_check *c, const char *where, const char *const names[XF_RULE_MOST],
                       const struct xf_field *fields, size_t *count)
{
    for (*count = 0; *count < XF_RULE_MOST && names[*count] != NULL; (*count)++) {
        const struct xf_field *f = xf_find_field(fields, names[*count]);

        if (f == NULL)
            return xf_check_fault(c, where, "a rule names no field: ", names[*count]);
        if (f->type != XF_INTEGER && f->type != XF_DECIMAL)
            return xf_check_fault(c, where, "a rule over something that is no number: ", names[*count]);
    }
    return *count < XF_RULE_MOST ? 0 : xf_check_fault(c, where, "a rule has no end of names", "");
}

static int check_rule(const struct xf_check *c, const char *where, const struct xf_rule *r,
                      const struct xf_field *fields)
{
    size_t names = 0, prices = 0;

    if (xf_check_text(c, where, "about of a rule", &r->about) != 0 || xf_check_code(c, where, r->code) != 0 ||
        check_names(c, where, r->fields, fields, &names) != 0 ||
        check_names(c, where, r->prices, fields, &prices) != 0 ||
        check_when(c, where, "", r->when_field, r->when_equals, fields) != 0)
        return -1;
    if (!r->client && !r->server)
        return xf_check_fault(c, where, "a rule that nobody enforces", "");
    switch (r->kind) {
    case XF_RULE_NON_DECREASING:
        return names >= 2 && prices == 0 ? 0 : xf_check_fault(c, where, "a rule needs fields to compare", "");
    case XF_RULE_CANONICAL_TIERS:
        return names >= 1 && prices == names + 1
                   ? 0
                   : xf_check_fault(c, where, "a rule needs one price more than limits", "");
    case XF_RULE_NON_ZERO:
        return names == 1 && prices == 0 ? 0 : xf_check_fault(c, where, "a rule is about one field", "");
    case XF_RULE_NONE:
    default:
        return xf_check_fault(c, where, "unknown rule", "");
    }
}

int xf_check_shape(const struct xf_check *c, const struct xf_shape *s)
{
    if (s->section == NULL || s->fields == NULL)
        return xf_check_fault(c, s->name, "no section or no fields", "");
    if (xf_check_text(c, s->name, "label", &s->label) != 0 || xf_check_fields(c, s->name, s->fields) != 0)
        return -1;
    if (s->also != NULL && !is_listed(c->rows->shapes, s->also))
        return xf_check_fault(c, s->name, "the other shape is not in the list", "");
    for (const struct xf_rule *r = s->rules; r != NULL && r->kind != XF_RULE_NONE; r++) {
        if (check_rule(c, s->name, r, s->fields) != 0)
            return -1;
    }
    return 0;
}
