/* A caller's request, checked and copied into a transfer. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport.h"

static bool fit_for_target(const char *s, size_t size)
{
    if (size == 0 || size > XF_TARGET_MOST || s[0] != '/')
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f || s[i] == '#')
            return false;
    return true;
}

/* Without a line break nobody can smuggle in a header; without a value libcurl
 * would take the line for an order to leave the header out. */
static bool fit_for_header(const char *line, size_t size)
{
    const char *colon = strchr(line, ':');

    if (size > XF_HEADER_LINE_MOST || colon == NULL || colon == line || colon[1] != ' ' || colon[2] == '\0')
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            return false;
    return true;
}

/* Keeps libcurl from calling the body a filled-in form. */
static const char NO_TYPE[] = "Content-Type:";

struct sizes {
    size_t header[XF_HEADER_MOST];
    size_t headers; /* how many */
    size_t text; /* all together, with their NULs */
};

static int measure(const struct xf_transport *t, const struct xf_request *r, struct sizes *s,
                   struct xf_err *err)
{
    if (!fit_for_target(r->target, r->target_size))
        return xf_fail(err, "the path of a request must begin with /, be escaped and have at most %d bytes",
                       XF_TARGET_MOST);
    if (r->body_size > XF_BODY_MOST)
        return xf_fail(err, "the body of a request has more than %d bytes", XF_BODY_MOST);
    s->text = t->base_size + r->target_size + 1 + r->body_size + 1 + sizeof NO_TYPE;
    for (s->headers = 0; s->headers < XF_HEADER_MOST && r->headers[s->headers] != NULL; s->headers++) {
        size_t size = strlen(r->headers[s->headers]);

        if (!fit_for_header(r->headers[s->headers], size))
            return xf_fail(err, "header %zu of a request is not a clean \"Name: value\"", s->headers + 1);
        s->header[s->headers] = size;
        s->text += size + 1;
    }
    return 0;
}

static int read_method(const struct xf_request *r, enum xf_method *method, struct xf_err *err)
{
    static const char *const names[] = {[XF_GET] = "GET", [XF_POST] = "POST", [XF_PUT] = "PUT"};

    for (int i = XF_GET; i <= XF_PUT; i++) {
        if (strcmp(r->method, names[i]) != 0)
            continue;
        if (i == XF_GET && r->body != NULL)
            return xf_fail(err, "a GET has no body");
        *method = (enum xf_method)i;
        return 0;
    }
    return xf_fail(err, "a request is GET, POST or PUT");
}

static bool make_room(struct xf_transfer *x, size_t size)
{
    char *text;

    if (size <= x->room)
        return true;
    text = realloc(x->text, size);
    if (text == NULL)
        return false;
    x->text = text;
    x->room = size;
    return true;
}

static char *append(char *to, const char *from, size_t size)
{
    if (size > 0)
        memcpy(to, from, size);
    return to + size;
}

/* Hangs a line in where the list ends; returns where it ends then. */
static struct curl_slist **add_header(struct curl_slist **end, struct curl_slist *node, char *line)
{
    *node = (struct curl_slist){line, NULL};
    *end = node;
    return &node->next;
}

static bool is_named(const char *line, const char *name, size_t size)
{
    return strncasecmp(line, name, size) == 0;
}

static void write_text(struct xf_transfer *x, const struct xf_transport *t, const struct xf_request *r,
                       const struct sizes *s)
{
    bool typed = x->method == XF_GET, named = t->agent == NULL;
    struct curl_slist **end = &x->header_list, *own = x->headers + XF_HEADER_MOST;
    char *p = append(x->text, t->base, t->base_size);

    p = append(p, r->target, r->target_size);
    *p++ = '\0';
    x->header_list = NULL;
    for (size_t i = 0; i < s->headers; i++) {
        typed = typed || is_named(r->headers[i], "Content-Type:", 13);
        named = named || is_named(r->headers[i], "User-Agent:", 11);
        end = add_header(end, &x->headers[i], p);
        p = append(p, r->headers[i], s->header[i] + 1);
    }
    if (!typed) {
        end = add_header(end, &own[0], p);
        p = append(p, NO_TYPE, sizeof NO_TYPE);
    }
    if (!named)
        (void)add_header(end, &own[1], t->agent);
    x->body = p;
    x->body_size = r->body != NULL ? r->body_size : 0;
    p = append(p, r->body, x->body_size);
    *p = '\0';
}

int xf_transfer_write(struct xf_transfer *x, const struct xf_transport *t, const struct xf_request *r,
                      struct xf_err *err)
{
    struct sizes sizes = {.headers = 0};

    if (read_method(r, &x->method, err) != 0 || measure(t, r, &sizes, err) != 0)
        return -1;
    if (!make_room(x, sizes.text))
        return xf_fail(err, "no memory for a request");
    write_text(x, t, r, &sizes);
    return 0;
}
