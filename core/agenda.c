#include "agenda.h"

#include <stdlib.h>
#include <string.h>

void xf_agenda_free(struct xf_agenda *a)
{
    free(a->heap);
    free(a->places);
    *a = (struct xf_agenda){0};
}

static bool is_before(const struct xf_due *a, const struct xf_due *b)
{
    return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static void put(struct xf_agenda *a, uint32_t place, struct xf_due due)
{
    a->heap[place] = due;
    a->places[due.item] = place + 1;
}

static void sift_up(struct xf_agenda *a, uint32_t place, struct xf_due due)
{
    while (place > 0) {
        const uint32_t parent = (place - 1) / 2;

        if (!is_before(&due, &a->heap[parent]))
            break;
        put(a, place, a->heap[parent]);
        place = parent;
    }
    put(a, place, due);
}

static void sift_down(struct xf_agenda *a, uint32_t place, struct xf_due due)
{
    for (;;) {
        uint32_t child = 2 * place + 1;

        if (child >= a->count)
            break;
        if (child + 1 < a->count && is_before(&a->heap[child + 1], &a->heap[child]))
            child++;
        if (!is_before(&a->heap[child], &due))
            break;
        put(a, place, a->heap[child]);
        place = child;
    }
    put(a, place, due);
}

/* A room that holds `needed`, or 0: too many. */
static uint32_t room_for(uint32_t needed, uint32_t room)
{
    if (needed > XF_AGENDA_MOST)
        return 0;
    if (room == 0)
        room = 64;
    while (room < needed)
        room *= 2;
    return room;
}

static int grow_places(struct xf_agenda *a, uint32_t item, struct xf_err *err)
{
    const uint32_t items = item < XF_AGENDA_MOST ? room_for(item + 1, a->items) : 0;
    uint32_t *places;

    if (items == 0)
        return xf_fail(err, "too many things are to happen");
    if (items == a->items)
        return 0;
    places = realloc(a->places, items * sizeof *places);
    if (places == NULL)
        return xf_fail(err, "out of memory");
    memset(places + a->items, 0, (items - a->items) * sizeof *places);
    a->places = places;
    a->items = items;
    return 0;
}

static int grow_heap(struct xf_agenda *a, struct xf_err *err)
{
    const uint32_t room = room_for(a->count + 1, a->room);
    struct xf_due *heap;

    if (room == 0)
        return xf_fail(err, "too many things are to happen");
    if (room == a->room)
        return 0;
    heap = realloc(a->heap, room * sizeof *heap);
    if (heap == NULL)
        return xf_fail(err, "out of memory");
    a->heap = heap;
    a->room = room;
    return 0;
}

int xf_agenda_set(struct xf_agenda *a, uint32_t item, int64_t time, struct xf_err *err)
{
    const struct xf_due due = {time, a->order, item};
    uint32_t place;

    if (grow_places(a, item, err) != 0)
        return -1;
    if (a->places[item] == 0) {
        if (grow_heap(a, err) != 0)
            return -1;
        a->order++;
        sift_up(a, a->count++, due);
        return 0;
    }
    place = a->places[item] - 1;
    a->order++;
    if (is_before(&due, &a->heap[place]))
        sift_up(a, place, due);
    else
        sift_down(a, place, due);
    return 0;
}

void xf_agenda_drop(struct xf_agenda *a, uint32_t item)
{
    struct xf_due last;
    uint32_t place;

    if (item >= a->items || a->places[item] == 0)
        return;
    place = a->places[item] - 1;
    a->places[item] = 0;
    last = a->heap[--a->count];
    if (last.item == item)
        return;
    if (place > 0 && is_before(&last, &a->heap[(place - 1) / 2]))
        sift_up(a, place, last);
    else
        sift_down(a, place, last);
}

const struct xf_due *xf_agenda_first(const struct xf_agenda *a)
{
    return a->count > 0 ? &a->heap[0] : NULL;
}

bool xf_agenda_time(const struct xf_agenda *a, uint32_t item, int64_t *time)
{
    if (item >= a->items || a->places[item] == 0)
        return false;
    *time = a->heap[a->places[item] - 1].time;
    return true;
}
