#include "bytes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void xf_bytes_init(struct xf_bytes *b, size_t most)
{
    *b = (struct xf_bytes){.most = most};
}

void xf_bytes_free(struct xf_bytes *b)
{
    free(b->data);
    *b = (struct xf_bytes){.most = b->most};
}

void xf_bytes_reset(struct xf_bytes *b)
{
    b->size = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

static void fail(struct xf_bytes *b)
{
    b->size = 0;
    b->failed = true;
    if (b->data != NULL)
        b->data[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool reserve(struct xf_bytes *b, size_t more)
{
    size_t room = b->room ? b->room : 256;
    char *data;

    if (b->failed)
        return false;
    if (more < b->room && b->size < b->room - more)
        return true; /* the room never exceeds what may be */
    if (more > b->most - b->size) {
        fail(b);
        return false;
    }
    while (room <= b->size + more)
        room *= 2;
    if (room > b->most)
        room = b->most + 1;
    data = realloc(b->data, room);
    if (data == NULL) {
        fail(b);
        return false;
    }
    b->data = data;
    b->room = room;
    return true;
}

void xf_bytes_add(struct xf_bytes *b, const char *s, size_t size)
{
    if (!reserve(b, size))
        return;
    memcpy(b->data + b->size, s, size);
    b->size += size;
    b->data[b->size] = '\0';
}

void xf_bytes_add_text(struct xf_bytes *b, const char *s)
{
    xf_bytes_add(b, s, strlen(s));
}

static const char hex[] = "0123456789abcdef";

static void add_json_char(struct xf_bytes *b, unsigned char c)
{
    switch (c) {
    case '"':
        xf_bytes_add(b, "\\\"", 2);
        break;
    case '\\':
        xf_bytes_add(b, "\\\\", 2);
        break;
    case '\n':
        xf_bytes_add(b, "\\n", 2);
        break;
    case '\r':
        xf_bytes_add(b, "\\r", 2);
        break;
    case '\t':
        xf_bytes_add(b, "\\t", 2);
        break;
    default:
        xf_bytes_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        break;
    }
}

void xf_bytes_add_json(struct xf_bytes *b, const char *s, size_t size)
{
    size_t start = 0;

    xf_bytes_add_char(b, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        xf_bytes_add(b, s + start, i - start);
        add_json_char(b, c);
        start = i + 1;
    }
    xf_bytes_add(b, s + start, size - start);
    xf_bytes_add_char(b, '"');
}

static bool unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void xf_bytes_add_escaped(struct xf_bytes *b, const char *s, size_t size)
{
    static const char upper[] = "0123456789ABCDEF";

    size_t start = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)s[i];

        if (unreserved(c))
            continue;
        xf_bytes_add(b, s + start, i - start);
        xf_bytes_add(b, (char[]){'%', upper[c >> 4], upper[c & 15]}, 3);
        start = i + 1;
    }
    xf_bytes_add(b, s + start, size - start);
}
