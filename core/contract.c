#include "contract.h"

#include <ctype.h>
#include <string.h>

/* The longest list has some fifty rows: looking along them is fast enough. */
#define FIND_IN(list, member, wanted)                                                                        \
    do {                                                                                                     \
        for (size_t i = 0; (list)[i].member != NULL; i++) {                                                  \
            if (strcmp((list)[i].member, (wanted)) == 0)                                                     \
                return &(list)[i];                                                                           \
        }                                                                                                    \
        return NULL;                                                                                         \
    } while (0)

const struct xf_endpoint *xf_find_endpoint(const char *name)
{
    FIND_IN(xf_endpoints, name, name);
}

const struct xf_push *xf_find_push(const char *name)
{
    FIND_IN(xf_pushes, name, name);
}

static const struct xf_shape *find_in_shapes(const struct xf_shape *shapes, const char *name)
{
    FIND_IN(shapes, name, name);
}

const struct xf_shape *xf_find_shape(const char *name)
{
    const struct xf_shape *found = find_in_shapes(xf_shapes, name);

    if (found == NULL)
        found = find_in_shapes(xf_services, name);
    if (found == NULL)
        found = find_in_shapes(xf_statuses, name);
    return found;
}

const struct xf_shape *xf_find_service(const char *name)
{
    return find_in_shapes(xf_services, name);
}

const struct xf_enum *xf_find_enum(const char *name)
{
    FIND_IN(xf_enums, name, name);
}

const struct xf_enum_value *xf_find_value(const struct xf_enum *e, const char *text)
{
    FIND_IN(e->values, text, text);
}

const struct xf_field *xf_find_field(const struct xf_field *fields, const char *name)
{
    FIND_IN(fields, name, name);
}

const struct xf_command *xf_find_command_id(const char *id)
{
    FIND_IN(xf_commands, id, id);
}

const struct xf_code *xf_find_code(int code)
{
    for (const struct xf_code *c = xf_codes; c->code != 0; c++) {
        if (c->code == code)
            return c;
    }
    return NULL;
}

const struct xf_class_row *xf_find_class(enum xf_class id)
{
    for (const struct xf_class_row *c = xf_classes; c->name != NULL; c++) {
        if (c->id == id)
            return c;
    }
    return NULL;
}

const struct xf_command *xf_find_command(const char *method, bool (*has)(void *payload, const char *key),
                                         void *payload)
{
    const struct xf_command *otherwise = NULL;

    for (const struct xf_command *c = xf_commands; c->id != NULL; c++) {
        if (strcmp(c->method, method) != 0)
            continue;
        if (c->told_by == NULL)
            otherwise = c;
        else if (has != NULL && has(payload, c->told_by))
            return c;
    }
    return otherwise;
}

enum { ALARM_DIGITS = 4, ALARM_SIZE = ALARM_DIGITS + 2 };

/* The form of the table, "000AH", of any form that may arrive: "000AH", "0xA", "a" (A3). */
static bool normalise_alarm(const char *code, char out[ALARM_SIZE])
{
    size_t digits = 0;

    if (code[0] == '0' && (code[1] == 'x' || code[1] == 'X'))
        code += 2;
    while (isxdigit((unsigned char)code[digits]))
        digits++;
    if (digits == 0 || digits > ALARM_DIGITS)
        return false;
    if (code[digits] != '\0' && strcmp(code + digits, "H") != 0 && strcmp(code + digits, "h") != 0)
        return false;
    memset(out, '0', ALARM_DIGITS - digits);
    for (size_t i = 0; i < digits; i++)
        out[ALARM_DIGITS - digits + i] = (char)toupper((unsigned char)code[i]);
    memcpy(out + ALARM_DIGITS, "H", 2);
    return true;
}

const struct xf_alarm *xf_find_alarm(const char *code)
{
    char normal[ALARM_SIZE];

    if (!normalise_alarm(code, normal))
        return NULL;
    FIND_IN(xf_alarms, code, normal);
}

struct xf_reading xf_read_field(const struct xf_field *f, enum xf_side side)
{
    const struct xf_override *o = side == XF_CLIENT ? f->client : f->server;
    struct xf_reading r = {
        .required = (f->flags & XF_REQUIRED) != 0,
        .conditional = f->when_field != NULL,
        .min = f->min,
        .max = f->max,
        .decimals = f->decimals,
    };

    if (o == NULL)
        return r;
    if (o->set & XF_SET_REQUIRED) {
        r.required = o->required;
        r.conditional = false;
    }
    if (o->set & XF_SET_MIN)
        r.min = o->min;
    if (o->set & XF_SET_MAX)
        r.max = o->max;
    if (o->set & XF_SET_DECIMALS)
        r.decimals = o->decimals;
    return r;
}
