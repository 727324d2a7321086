#include "key_set.h"

#include <stdlib.h>

enum { FIRST_SIZE = 1024 }; /* a power of two, as all sizes are */

struct xf_key_set {
    uint64_t *hashes;
    uint32_t *lines; /* 0: the place is free */
    size_t size, count;
};

/* FNV-1a, its bits then spread (MurmurHash3's finalizer). */
static uint64_t hash(const char *key, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* The place of a hash, or the free one where it belongs. */
static size_t place(const struct xf_key_set *s, uint64_t h)
{
    size_t at = (size_t)h & (s->size - 1);

    while (s->lines[at] != 0 && s->hashes[at] != h)
        at = (at + 1) & (s->size - 1);
    return at;
}

static int resize(struct xf_key_set *s, size_t size)
{
    uint64_t *hashes = s->hashes;
    uint32_t *lines = s->lines;
    const size_t before = s->size;
    uint64_t *more_hashes = malloc(size * sizeof *more_hashes);
    uint32_t *more_lines = calloc(size, sizeof *more_lines);

    if (more_hashes == NULL || more_lines == NULL) {
        free(more_hashes);
        free(more_lines);
        return -1;
    }
    s->hashes = more_hashes;
    s->lines = more_lines;
    s->size = size;
    for (size_t i = 0; i < before; i++)
        if (lines[i] != 0) {
            size_t at = place(s, hashes[i]);

            s->hashes[at] = hashes[i];
            s->lines[at] = lines[i];
        }
    free(hashes);
    free(lines);
    return 0;
}

struct xf_key_set *xf_key_set_new(void)
{
    struct xf_key_set *s = calloc(1, sizeof *s);

    if (s == NULL || resize(s, FIRST_SIZE) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

void xf_key_set_free(struct xf_key_set *set)
{
    if (set == NULL)
        return;
    free(set->hashes);
    free(set->lines);
    free(set);
}

uint32_t xf_key_set_add(struct xf_key_set *set, const char *key, size_t size, uint32_t line)
{
    uint64_t h = hash(key, size);
    size_t at = place(set, h);

    if (set->lines[at] != 0)
        return set->lines[at];
    if (set->count + set->count / 2 >= set->size) { /* two thirds */
        if (resize(set, 2 * set->size) != 0)
            return UINT32_MAX;
        at = place(set, h);
    }
    set->hashes[at] = h;
    set->lines[at] = line;
    set->count++;
    return 0;
}
