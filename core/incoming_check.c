/*
 * What libmicrohttpd lets through and HTTP does not allow.
 *
 * Up to 0.9.77 it ends names and values at a bare NUL, joins folded lines and
 * shows neither. But it parses in place: the request line and the headers lie in
 * its buffer one behind the other, each line's CR LF or LF overwritten by NULs, so
 * that a gap shows a NUL and a header elsewhere shows a fold (whose joined value
 * is a copy). What the gap cannot show: a NUL that makes an LF alone look like a CR LF,
 * and one before the last line's end where no body follows. Later ones refuse all by themselves.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incoming.h"

struct check {
    unsigned lengths, hosts;
    uint64_t announced;
    bool in_place, bad;
    const char *end; /* of the value before: its NUL; NULL: there is none */
};

/* Any byte of a field name (RFC 9110, 5.6.2). */
static bool is_token(const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)s[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
            return false;
    }
    return size > 0;
}

/* No control characters but the tab (RFC 9110, 5.5). */
static bool is_value(const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
            return false;
    return true;
}

/* One or two NULs are between the end of a line and what follows. */
static bool follows(const char *end, const char *next)
{
    return next == end + 1 || (next == end + 2 && end[1] == '\0');
}

static void check_known(struct check *c, const char *name, const char *value)
{
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        c->lengths++;
        c->bad = c->bad || value[0] == '\0' || value[strspn(value, "0123456789")] != '\0';
        c->announced = strtoull(value, NULL, 10); /* the largest of one too long */
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        c->lengths++;
        c->bad = c->bad || strcasecmp(value, "chunked") != 0;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        c->hosts++;
    }
}

static enum MHD_Result check_header(void *payload, enum MHD_ValueKind kind, const char *name,
                                    size_t name_size, const char *value, size_t value_size)
{
    struct check *c = payload;

    (void)kind;
    if (value == NULL) {
        c->bad = true;
        return MHD_NO;
    }
    if (!is_token(name, name_size) || !is_value(value, value_size) ||
        (c->in_place && c->end != NULL && !follows(c->end, name)))
        c->bad = true;
    c->end = value + value_size;
    check_known(c, name, value);
    return c->bad ? MHD_NO : MHD_YES;
}

/* Behind the last header lies the empty line, overwritten too: as long as the end
 * of the request line. A header without a name makes it look like one. */
static bool ends_there(const char *end, const char *version)
{
    const char *line_end = version + strlen(version);

    return end[1] == '\0' && (line_end[1] != '\0' || (end[2] == '\0' && end[3] == '\0'));
}

static bool parses_in_place(void)
{
    const char *version = MHD_get_version();

    return strlen(version) == 6 && strncmp(version, "0.9.7", 5) == 0 && version[5] >= '3' &&
           version[5] <= '7';
}

/* One blank each, and no NUL, is between the method, the address and the version. */
static bool is_line(const struct xf_incoming *in, const char *version)
{
    return in->address == in->method + strlen(in->method) + 1 &&
           version == in->address + in->address_size + 1;
}

unsigned xf_incoming_check(struct xf_incoming *in, const char *version, size_t body_cap)
{
    struct check c = {.in_place = parses_in_place()};

    if (c.in_place && in->address != NULL && !is_line(in, version))
        return MHD_HTTP_BAD_REQUEST;
    (void)MHD_get_connection_values_n(in->connection, MHD_HEADER_KIND, check_header, &c);
    if (c.in_place && c.end != NULL && !ends_there(c.end, version))
        c.bad = true;
    in->headers_end = c.in_place ? c.end : NULL;
    if (c.hosts > 1) /* RFC 9112, 3.2; one that is missing misleads nobody, and a push comes once */
        c.bad = true;
    /* Two lengths are how one request is smuggled inside another (RFC 9112, 6.3). */
    if (in->nul || c.bad || c.lengths > 1)
        return MHD_HTTP_BAD_REQUEST;
    return c.announced > body_cap ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

bool xf_incoming_begins(const struct xf_incoming *in, const char *piece)
{
    enum { ENDS = 4 }; /* CR LF of the last header and of the empty line */
    const char *end = in->headers_end;
    size_t nuls = 0;

    /* Where the body came in chunks, the first one's size may lie before it. */
    while (end != NULL && end + nuls < piece && end[nuls] == '\0' && nuls <= ENDS)
        nuls++;
    return nuls <= ENDS;
}
