/*
 * The memory of the host program's Lua state. Lua says how large what it frees is,
 * so that small blocks need no header: each size has a list of free ones, cut from
 * slabs. An order leaves some hundred small objects behind, and they are taken up
 * again at once instead of being joined and split between libcurl's large buffers.
 */
#ifndef XF_HEAP_H
#define XF_HEAP_H

#include <stddef.h>

struct xf_heap;

/* NULL: no memory. */
struct xf_heap *xf_heap_new(void);
/* Frees every slab; nothing of it may be used any more. Takes NULL. */
void xf_heap_free(struct xf_heap *h);

/* What lua_Alloc asks for: size 0 frees, NULL with a size makes, and making smaller never
 * fails. old is the size that the block has; it means nothing when block is NULL. */
void *xf_heap_resize(void *heap, void *block, size_t old, size_t size);

/* From now on what Lua holds may not grow beyond so many bytes; 0: as it likes.
 * What it holds already is counted, and stays. */
void xf_heap_limit(struct xf_heap *h, size_t bytes);

#endif
