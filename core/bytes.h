/* A byte buffer with a ceiling. Running out of memory or over the ceiling
 * empties it and is remembered, so that callers check once, at the end. */
#ifndef XF_BYTES_H
#define XF_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct xf_bytes {
    char *data; /* a NUL follows the last byte whenever data is not NULL */
    size_t size, room, most;
    bool failed;
};

/* `most`: the ceiling, in bytes. Allocates nothing yet. */
void xf_bytes_init(struct xf_bytes *b, size_t most);
void xf_bytes_free(struct xf_bytes *b);
/* Empties it and forgets a failure; keeps the memory. */
void xf_bytes_reset(struct xf_bytes *b);

void xf_bytes_add(struct xf_bytes *b, const char *s, size_t size);
void xf_bytes_add_text(struct xf_bytes *b, const char *s);
static inline void xf_bytes_add_char(struct xf_bytes *b, char c)
{
    if (b->size + 1 < b->room && b->size < b->most) {
        b->data[b->size++] = c;
        b->data[b->size] = '\0';
    } else {
        xf_bytes_add(b, &c, 1);
    }
}
/* As a JSON string, with its quotes; s must be UTF-8. */
void xf_bytes_add_json(struct xf_bytes *b, const char *s, size_t size);
/* Percent-encodes all but the unreserved characters of RFC 3986. */
void xf_bytes_add_escaped(struct xf_bytes *b, const char *s, size_t size);

#endif
