/* What is due when: many items, each due at one time at most, and the first of
 * them. Of items due at the same time the one that was set first comes first,
 * so that a run repeats. Twenty-eight bytes an item. */
#ifndef XF_AGENDA_H
#define XF_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum { XF_AGENDA_MOST = 1 << 24 }; /* items */

struct xf_due {
    int64_t time;
    uint64_t order; /* of being set */
    uint32_t item;
};

/* A binary heap of what is due, and where in it each item lies. */
struct xf_agenda {
    struct xf_due *heap;
    uint32_t *places; /* by item: its place in the heap from 1, 0: not due */
    uint32_t count, room; /* of the heap */
    uint32_t items; /* room of places */
    uint64_t order;
};

/* An empty one is all zeroes; free leaves it so. */
void xf_agenda_free(struct xf_agenda *a);

/* The item, from 0, is due at the time and no longer at an earlier one. Returns 0, or -1 with err. */
int xf_agenda_set(struct xf_agenda *a, uint32_t item, int64_t time, struct xf_err *err);
/* The item is not due any more, if it was. */
void xf_agenda_drop(struct xf_agenda *a, uint32_t item);
/* What is due first, still in it; NULL: nothing is. Valid until the next change. */
const struct xf_due *xf_agenda_first(const struct xf_agenda *a);
/* When an item is due; false: it is not. */
bool xf_agenda_time(const struct xf_agenda *a, uint32_t item, int64_t *time);

#endif
