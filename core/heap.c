#include "heap.h"

#include <stdlib.h>
#include <string.h>

enum {
    GRAIN = 16, /* bytes: sizes are multiples of it */
    SMALL_MOST = 1024, /* bytes; what is larger is malloc's */
    CLASSES = SMALL_MOST / GRAIN,
    SLAB = 64 * 1024 - 64, /* bytes */
};

/* A free block, or the head of a slab, after which blocks are to be aligned. */
struct link {
    _Alignas(GRAIN) struct link *next;
};

struct xf_heap {
    struct link *free[CLASSES]; /* of (i + 1) * GRAIN bytes */
    struct link *slabs;
    char *rest, *end; /* of the newest slab: not cut yet */
    size_t used, limit; /* bytes that Lua has asked for, and may ask for; 0: no limit */
};

static size_t class_of(size_t size)
{
    return (size - 1) / GRAIN;
}

struct xf_heap *xf_heap_new(void)
{
    return calloc(1, sizeof(struct xf_heap));
}

void xf_heap_free(struct xf_heap *h)
{
    while (h != NULL && h->slabs != NULL) {
        struct link *slab = h->slabs;

        h->slabs = slab->next;
        free(slab);
    }
    free(h);
}

/* The end of the slab before is lost: less than a block. */
static void *cut(struct xf_heap *h, size_t size)
{
    void *block;

    if ((size_t)(h->end - h->rest) < size) {
        struct link *slab = malloc(SLAB);

        if (slab == NULL)
            return NULL;
        slab->next = h->slabs;
        h->slabs = slab;
        h->rest = (char *)(slab + 1);
        h->end = (char *)slab + SLAB;
    }
    block = h->rest;
    h->rest += size;
    return block;
}

static void *take(struct xf_heap *h, size_t size)
{
    size_t class = class_of(size);
    struct link *block;

    if (size > SMALL_MOST)
        return malloc(size);
    block = h->free[class];
    if (block == NULL)
        return cut(h, (class + 1) * GRAIN);
    h->free[class] = block->next;
    return block;
}

static void give(struct xf_heap *h, void *block, size_t size)
{
    struct link *l = block;

    if (size > SMALL_MOST) {
        free(block);
        return;
    }
    l->next = h->free[class_of(size)];
    h->free[class_of(size)] = l;
}

static void *resize(struct xf_heap *h, void *block, size_t old, size_t size)
{
    void *moved;

    if (block == NULL)
        return size == 0 ? NULL : take(h, size);
    if (size == 0) {
        give(h, block, old);
        return NULL;
    }
    if (old > SMALL_MOST && size > SMALL_MOST)
        return realloc(block, size);
    if (old <= SMALL_MOST && size <= SMALL_MOST && class_of(old) == class_of(size))
        return block;
    moved = take(h, size);
    if (moved == NULL)
        return size < old ? block : NULL; /* too large for its new class does no harm */
    memcpy(moved, block, old < size ? old : size);
    give(h, block, old);
    return moved;
}

void *xf_heap_resize(void *heap, void *block, size_t old, size_t size)
{
    struct xf_heap *h = heap;
    size_t before = block != NULL ? old : 0;
    void *result;

    if (h->limit != 0 && size > before && h->used + (size - before) > h->limit)
        return NULL; /* Lua collects its garbage and asks once more */
    result = resize(h, block, old, size);
    if (result != NULL || size == 0)
        h->used += size - before;
    return result;
}

void xf_heap_limit(struct xf_heap *h, size_t bytes)
{
    h->limit = bytes;
}
