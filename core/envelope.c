#include "envelope.h"

#include <string.h>

struct cursor {
    const char *at, *end;
};

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

static bool take(struct cursor *c, char what)
{
    skip_space(c);
    if (c->at >= c->end || *c->at != what)
        return false;
    c->at++;
    return true;
}

/* A string; false if it is none or holds an escape that would need decoding. */
static bool take_string(struct cursor *c, const char **s, size_t *size)
{
    const char *end;

    if (!take(c, '"'))
        return false;
    *s = c->at;
    end = memchr(c->at, '"', (size_t)(c->end - c->at));
    if (end == NULL || memchr(c->at, '\\', (size_t)(end - c->at)) != NULL)
        return false;
    *size = (size_t)(end - *s);
    c->at = end + 1;
    return true;
}

/* A string that nobody looks at; it may hold escapes. */
static bool skip_string(struct cursor *c)
{
    for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == '\\')
            c->at++;
    }
    return c->at < c->end && *c->at++ == '"';
}

/* null, a number, true or false. */
static bool skip_word(struct cursor *c)
{
    const char *start;

    skip_space(c);
    start = c->at;
    while (c->at < c->end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *c->at) != NULL &&
           *c->at != '\0')
        c->at++;
    return c->at > start;
}

static bool is_name(const char *s, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(s, name, size) == 0;
}

static bool take_member(struct cursor *c, struct xf_envelope *out)
{
    const char *name, *value = NULL;
    size_t name_size, value_size = 0;
    const char **place = NULL;
    size_t *place_size = NULL;

    if (!take_string(c, &name, &name_size) || !take(c, ':'))
        return false;
    if (is_name(name, name_size, "responseCode")) {
        place = &out->code;
        place_size = &out->code_size;
    } else if (is_name(name, name_size, "result")) {
        place = &out->result;
        place_size = &out->result_size;
    }
    skip_space(c);
    if (c->at < c->end && *c->at == '"') {
        if (place != NULL ? !take_string(c, &value, &value_size) : !skip_string(c))
            return false;
    } else if (place != NULL || !skip_word(c)) {
        return false;
    }
    if (place == NULL)
        return true;
    if (*place != NULL)
        return false;
    *place = value;
    *place_size = value_size;
    return true;
}

bool xf_envelope_read(const char *json, size_t size, struct xf_envelope *out)
{
    struct cursor c = {json, json + size};

    *out = (struct xf_envelope){0};
    if (!take(&c, '{'))
        return false;
    do {
        if (!take_member(&c, out))
            return false;
    } while (take(&c, ','));
    return take(&c, '}') && out->code != NULL && out->result != NULL;
}
