/* The agenda against a plain list that is searched from end to end. */
#include "agenda.h"

#include "check.h"

enum { ITEMS = 200, STEPS = 20000, NEVER = -1 };

struct model {
    int64_t time; /* NEVER: not due */
    uint64_t order;
};

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static int first_of(const struct model *rows)
{
    int best = -1;

    for (int i = 0; i < ITEMS; i++) {
        if (rows[i].time == NEVER)
            continue;
        if (best < 0 || rows[i].time < rows[best].time ||
            (rows[i].time == rows[best].time && rows[i].order < rows[best].order))
            best = i;
    }
    return best;
}

static int is_same(const struct xf_agenda *a, const struct model *rows)
{
    const struct xf_due *due = xf_agenda_first(a);
    const int best = first_of(rows);

    if (due == NULL || best < 0)
        return due == NULL && best < 0;
    return due->item == (uint32_t)best && due->time == rows[best].time;
}

static void check_order(void)
{
    static struct model rows[ITEMS];
    struct xf_agenda a = {0};
    struct xf_err err;
    uint32_t state = 7;
    uint64_t order = 0;
    int wrong = 0;

    for (int i = 0; i < ITEMS; i++)
        rows[i].time = NEVER;
    for (int step = 0; step < STEPS; step++) {
        const uint32_t item = next_number(&state) % ITEMS;
        int64_t time;

        if (next_number(&state) % 3 == 0) {
            xf_agenda_drop(&a, item);
            rows[item].time = NEVER;
        } else {
            rows[item].time = next_number(&state) % 50;
            rows[item].order = order++;
            wrong += xf_agenda_set(&a, item, rows[item].time, &err) != 0;
        }
        wrong += !is_same(&a, rows);
        wrong += xf_agenda_time(&a, item, &time) ? time != rows[item].time : rows[item].time != NEVER;
    }
    CHECK(wrong == 0);
    for (int best = first_of(rows); best >= 0; best = first_of(rows)) {
        wrong += !is_same(&a, rows);
        xf_agenda_drop(&a, (uint32_t)best);
        rows[best].time = NEVER;
    }
    CHECK(wrong == 0);
    CHECK(xf_agenda_first(&a) == NULL);
    xf_agenda_free(&a);
}

static void check_limits(void)
{
    struct xf_agenda a = {0};
    struct xf_err err;
    int64_t time;

    CHECK(xf_agenda_first(&a) == NULL);
    CHECK(!xf_agenda_time(&a, 5, &time));
    xf_agenda_drop(&a, 5);
    CHECK(xf_agenda_set(&a, XF_AGENDA_MOST, 1, &err) == -1);
    CHECK(xf_agenda_set(&a, UINT32_MAX, 1, &err) == -1);
    CHECK(xf_agenda_set(&a, 100000, INT64_MIN, &err) == 0);
    CHECK(xf_agenda_first(&a)->item == 100000);
    xf_agenda_free(&a);
    CHECK(a.heap == NULL && a.places == NULL);
}

int main(void)
{
    check_order();
    check_limits();
    return check_end();
}
