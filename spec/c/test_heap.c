/* The host's Lua memory: blocks keep their bytes through every change of size, and
 * never overlap. */
#include "heap.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

enum { BLOCKS = 300, STEPS = 20000, SIZE_MOST = 1500 };

struct block {
    unsigned char *at;
    size_t size;
    unsigned char mark; /* every byte of it */
};

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static size_t count_wrong(const struct block *b, size_t size)
{
    size_t wrong = 0;

    for (size_t i = 0; i < size; i++)
        wrong += b->at[i] != b->mark;
    return wrong;
}

/* Random blocks of all sizes, each filled with a mark of its own. */
static void check_contents(void)
{
    static struct block blocks[BLOCKS];
    struct xf_heap *h = xf_heap_new();
    uint32_t state = 1;
    size_t wrong = 0, unaligned = 0;

    for (int step = 0; step < STEPS; step++) {
        struct block *b = &blocks[next_number(&state) % BLOCKS];
        size_t size = next_number(&state) % (next_number(&state) % 4 == 0 ? SIZE_MOST : 130);

        if (b->at != NULL)
            wrong += count_wrong(b, b->size);
        b->at = xf_heap_resize(h, b->at, b->at != NULL ? b->size : 5, size);
        if (b->at != NULL) {
            wrong += count_wrong(b, size < b->size ? size : b->size);
            unaligned += (uintptr_t)b->at % 16 != 0;
            b->mark = (unsigned char)step;
            memset(b->at, b->mark, size);
        }
        b->size = size;
    }
    CHECK(wrong == 0);
    CHECK(unaligned == 0);
    for (size_t i = 0; i < BLOCKS; i++) /* what is malloc's is to be freed one by one */
        (void)xf_heap_resize(h, blocks[i].at, blocks[i].size, 0);
    xf_heap_free(h);
}

static void check_reuse(void)
{
    static const size_t sizes[][2] = {{1, 16}, {17, 32}, {100, 112}, {1009, 1024}};
    struct xf_heap *h = xf_heap_new();

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *first = xf_heap_resize(h, NULL, 0, sizes[i][0]);

        CHECK(xf_heap_resize(h, first, sizes[i][0], sizes[i][1]) == first);
        CHECK(xf_heap_resize(h, first, sizes[i][1], 0) == NULL);
        CHECK(xf_heap_resize(h, NULL, 0, sizes[i][0]) == first);
    }
    CHECK(xf_heap_resize(h, NULL, 0, 0) == NULL);
    xf_heap_free(h);
    xf_heap_free(NULL);
}

/* What is held counts, what was given back does not, and making smaller never fails. */
static void check_limit(void)
{
    struct xf_heap *h = xf_heap_new();
    char *small = xf_heap_resize(h, NULL, 0, 600), *large;

    xf_heap_limit(h, 10000);
    CHECK(xf_heap_resize(h, NULL, 0, 9401) == NULL);
    large = xf_heap_resize(h, NULL, 0, 9400);
    CHECK(large != NULL && xf_heap_resize(h, NULL, 0, 1) == NULL);
    CHECK(xf_heap_resize(h, small, 600, 601) == NULL);
    small = xf_heap_resize(h, small, 600, 500);
    CHECK(small != NULL && (small = xf_heap_resize(h, small, 500, 600)) != NULL);
    CHECK(xf_heap_resize(h, large, 9400, 0) == NULL);
    large = xf_heap_resize(h, NULL, 0, 9400);
    CHECK(large != NULL);
    xf_heap_limit(h, 0);
    large = xf_heap_resize(h, large, 9400, 20000);
    CHECK(large != NULL);
    (void)xf_heap_resize(h, large, 20000, 0);
    (void)xf_heap_resize(h, small, 600, 0);
    xf_heap_free(h);
}

int main(void)
{
    check_contents();
    check_reuse();
    check_limit();
    return check_end();
}
