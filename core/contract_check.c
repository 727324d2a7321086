/* The self-test of the contract's lists. */
#include "contract_check.h"

#include <stdlib.h>
#include <string.h>

const struct xf_contract xf_own_contract = {
    .endpoints = xf_endpoints,
    .call_headers = xf_call_headers,
    .envelope = xf_envelope_fields,
    .pushes = xf_pushes,
    .commands = xf_commands,
    .shapes = xf_shapes,
    .services = xf_services,
    .statuses = xf_statuses,
    .enums = xf_enums,
    .alarms = xf_alarms,
    .classes = xf_classes,
    .codes = xf_codes,
};

/* The first row of this name must be the row itself. */
#define CHECK_FIRST(c, list, member, row)                                                                    \
    do {                                                                                                     \
        for (size_t i_ = 0; &(list)[i_] != (row); i_++) {                                                    \
            if (strcmp((list)[i_].member, (row)->member) == 0)                                               \
                return xf_check_fault(c, (row)->member, "is there twice", "");                               \
        }                                                                                                    \
    } while (0)

static int check_enums(const struct xf_check *c)
{
    for (const struct xf_enum *e = c->rows->enums; e->name != NULL; e++) {
        CHECK_FIRST(c, c->rows->enums, name, e);
        if (xf_check_text(c, e->name, "label", &e->label) != 0)
            return -1;
        if (e->values == NULL || e->values[0].text == NULL)
            return xf_check_fault(c, e->name, "no values", "");
        for (const struct xf_enum_value *v = e->values; v->text != NULL; v++) {
            char *end = NULL;

            if (xf_find_value(e, v->text) != v)
                return xf_check_fault(c, e->name, "the same value twice: ", v->text);
            if (xf_check_text(c, e->name, v->text, &v->label) != 0)
                return -1;
            (void)strtoll(v->text, &end, 10);
            if (e->integer && (*end != '\0' || end == v->text))
                return xf_check_fault(c, e->name, "not an integer: ", v->text);
        }
    }
    return 0;
}

static bool has_field(const struct xf_shape *shapes, const char *name)
{
    for (; shapes->name != NULL; shapes++) {
        if (xf_find_field(shapes->fields, name) != NULL)
            return true;
    }
    return false;
}

static int check_alarms(const struct xf_check *c)
{
    for (const struct xf_alarm *a = c->rows->alarms; a->code != NULL; a++) {
        CHECK_FIRST(c, c->rows->alarms, code, a);
        if (strlen(a->code) != 5 || strspn(a->code, "0123456789ABCDEF") != 4 || a->code[4] != 'H')
            return xf_check_fault(c, a->code, "not four upper-case hexadecimal digits and H", "");
        if (xf_check_text(c, a->code, "label", &a->label) != 0 ||
            xf_check_text(c, a->code, "about", &a->about) != 0)
            return -1;
        if (a->device == NULL || (strcmp(a->device, "meter") != 0 && strcmp(a->device, "concentrator") != 0 &&
                                  strcmp(a->device, "any") != 0))
            return xf_check_fault(c, a->code, "unknown device", "");
        if (a->status_flag != NULL && !has_field(c->rows->statuses, a->status_flag))
            return xf_check_fault(c, a->code, "status_flag names no flag: ", a->status_flag);
    }
    return 0;
}

static bool is_class(const struct xf_contract *rows, enum xf_class id)
{
    for (const struct xf_class_row *r = rows->classes; r->name != NULL; r++) {
        if (r->id == id)
            return true;
    }
    return false;
}

static bool word_is_field(const struct xf_contract *rows, const char *name)
{
    for (const struct xf_command *cmd = rows->commands; cmd->id != NULL; cmd++) {
        if (xf_find_field(cmd->params->fields, name) != NULL)
            return true;
    }
    for (const struct xf_endpoint *e = rows->endpoints; e->name != NULL; e++) {
        if (e->list != NULL && strcmp(e->list->name, name) == 0)
            return true;
        if ((e->query != NULL && xf_find_field(e->query->fields, name) != NULL) ||
            (e->fields != NULL && xf_find_field(e->fields->fields, name) != NULL))
            return true;
    }
    return false;
}

/* The parameters that a code speaks of, word by word. */
static int check_code_fields(const struct xf_check *c, const struct xf_code *row)
{
    char word[64];
    size_t size;

    for (const char *p = row->fields; p != NULL && *p != '\0'; p += size + strspn(p + size, " ")) {
        size = strcspn(p, " ");
        if (size == 0 || size >= sizeof word)
            return xf_check_fault(c, row->message.en, "fields are not words with single spaces between", "");
        memcpy(word, p, size);
        word[size] = '\0';
        if (!word_is_field(c->rows, word))
            return xf_check_fault(c, row->message.en, "speaks of no parameter: ", word);
    }
    return 0;
}

static int check_codes(const struct xf_check *c)
{
    for (const struct xf_class_row *r = c->rows->classes; r->name != NULL; r++) {
        CHECK_FIRST(c, c->rows->classes, name, r);
        if (xf_check_text(c, r->name, "label", &r->label) != 0)
            return -1;
    }
    for (const struct xf_code *row = c->rows->codes; row->code != 0; row++) {
        if (xf_check_text(c, "a return code", "message", &row->message) != 0 ||
            xf_check_text(c, row->message.en, "remedy", &row->remedy) != 0)
            return -1;
        for (const struct xf_code *before = c->rows->codes; before != row; before++) {
            if (before->code == row->code)
                return xf_check_fault(c, row->message.en, "the same return code twice", "");
        }
        if (!is_class(c->rows, row->class_id))
            return xf_check_fault(c, row->message.en, "a class that is not in the list", "");
        if (check_code_fields(c, row) != 0)
            return -1;
    }
    return 0;
}

/* Shapes, services and statuses share one space of names. */
static int check_shapes(const struct xf_check *c)
{
    const struct xf_shape *lists[] = {c->rows->shapes, c->rows->services, c->rows->statuses};

    for (size_t i = 0; i < 3; i++) {
        for (const struct xf_shape *s = lists[i]; s->name != NULL; s++) {
            if (xf_check_shape(c, s) != 0)
                return -1;
            for (size_t k = 0; k <= i; k++) {
                for (const struct xf_shape *t = lists[k]; t->name != NULL && t != s; t++) {
                    if (strcmp(s->name, t->name) == 0)
                        return xf_check_fault(c, s->name, "is there twice", "");
                }
            }
        }
    }
    return 0;
}

/* Query and body are one flat table of arguments for the caller. */
static int check_arguments(const struct xf_check *c, const struct xf_endpoint *e)
{
    if (e->query == NULL)
        return xf_check_fault(c, e->name, "no query", "");
    if ((e->body == XF_BODY_OBJECT) != (e->fields != NULL) || (e->body == XF_BODY_LIST) != (e->list != NULL))
        return xf_check_fault(c, e->name, "body, fields and list do not agree", "");
    if (xf_check_shape(c, e->query) != 0 || (e->fields != NULL && xf_check_shape(c, e->fields) != 0) ||
        (e->list != NULL && xf_check_field(c, e->name, e->list, e->query->fields) != 0))
        return -1;
    for (const struct xf_field *f = e->query->fields; f->name != NULL; f++) {
        if ((e->fields != NULL && xf_find_field(e->fields->fields, f->name) != NULL) ||
            (e->list != NULL && strcmp(e->list->name, f->name) == 0))
            return xf_check_fault(c, e->name, "the same argument in query and body: ", f->name);
    }
    return 0;
}

static int check_endpoints(const struct xf_check *c)
{
    if (xf_check_fields(c, "headers", c->rows->call_headers) != 0 ||
        xf_check_fields(c, "envelope", c->rows->envelope) != 0)
        return -1;
    for (const struct xf_endpoint *e = c->rows->endpoints; e->name != NULL; e++) {
        CHECK_FIRST(c, c->rows->endpoints, name, e);
        CHECK_FIRST(c, c->rows->endpoints, path, e);
        if (xf_check_text(c, e->name, "label", &e->label) != 0 ||
            xf_check_text(c, e->name, "about", &e->about) != 0)
            return -1;
        if (strncmp(e->path, XF_BASE_PATH "/", sizeof XF_BASE_PATH) != 0)
            return xf_check_fault(c, e->name, "not under the base path: ", e->path);
        if (check_arguments(c, e) != 0)
            return -1;
        if (e->result == NULL || e->codes == NULL)
            return xf_check_fault(c, e->name, "no result or no return codes", "");
        if (xf_check_field(c, e->name, e->result, c->rows->envelope) != 0)
            return -1;
        for (const int *code = e->codes; *code != 0; code++) {
            if (xf_check_code(c, e->name, *code) != 0)
                return -1;
        }
    }
    return 0;
}

static int check_pushes(const struct xf_check *c)
{
    for (const struct xf_push *p = c->rows->pushes; p->name != NULL; p++) {
        CHECK_FIRST(c, c->rows->pushes, name, p);
        if (xf_check_text(c, p->name, "label", &p->label) != 0 ||
            xf_check_text(c, p->name, "about", &p->about) != 0 ||
            xf_check_fields(c, p->name, p->headers) != 0)
            return -1;
        if (p->message == NULL)
            return xf_check_fault(c, p->name, "no message", "");
    }
    return 0;
}

/* Variants of one method: exactly one that is told by nothing. */
static int check_variants(const struct xf_check *c, const struct xf_command *cmd)
{
    int plain = 0;

    for (const struct xf_command *other = c->rows->commands; other->id != NULL; other++) {
        if (strcmp(other->method, cmd->method) != 0)
            continue;
        plain += other->told_by == NULL;
        if (cmd->told_by != NULL && other != cmd &&
            xf_find_field(other->params->fields, cmd->told_by) != NULL)
            return xf_check_fault(c, cmd->id, "another variant has the telling parameter: ", cmd->told_by);
    }
    if (plain != 1)
        return xf_check_fault(c, cmd->id, "the method needs one variant that nothing tells", "");
    if (cmd->told_by != NULL && xf_find_field(cmd->params->fields, cmd->told_by) == NULL)
        return xf_check_fault(c, cmd->id, "told_by names no parameter: ", cmd->told_by);
    return 0;
}

static int check_commands(const struct xf_check *c)
{
    for (const struct xf_command *cmd = c->rows->commands; cmd->id != NULL; cmd++) {
        CHECK_FIRST(c, c->rows->commands, id, cmd);
        if (xf_check_text(c, cmd->id, "label", &cmd->label) != 0 ||
            xf_check_text(c, cmd->id, "about", &cmd->about) != 0 ||
            xf_check_code(c, cmd->id, cmd->encode_code) != 0)
            return -1;
        if (cmd->charge_types == NULL || cmd->charge_types[0] == '\0' ||
            cmd->charge_types[strspn(cmd->charge_types, "012")] != '\0')
            return xf_check_fault(c, cmd->id, "charge_types are not of 0, 1 and 2", "");
        if (cmd->params == NULL || cmd->result == NULL)
            return xf_check_fault(c, cmd->id, "no parameters or no result", "");
        if (xf_check_shape(c, cmd->params) != 0 || xf_check_shape(c, cmd->result) != 0 ||
            check_variants(c, cmd) != 0)
            return -1;
    }
    return 0;
}

int xf_check_rows(const struct xf_contract *rows, char *why, size_t size)
{
    struct xf_check c = {.rows = rows, .why = why, .size = size};

    if (size > 0)
        why[0] = '\0';
    if (check_enums(&c) != 0 || check_shapes(&c) != 0 || check_endpoints(&c) != 0 || check_pushes(&c) != 0 ||
        check_commands(&c) != 0)
        return -1;
    return check_alarms(&c) != 0 || check_codes(&c) != 0 ? -1 : 0;
}

int xf_check_contract(char *why, size_t size)
{
    return xf_check_rows(&xf_own_contract, why, size);
}
