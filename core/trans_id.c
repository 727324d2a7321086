/* TransIds: the maker of sign.h. */
#include <sys/random.h>
#include <time.h>

#include "own_ids.h"
#include "sign.h"
#include "timestamp.h"

enum { TAILS = 9999999 }; /* 80000000 to 89999998 (C1) */
enum { DRAWS = 64 }; /* one draw fails about once in 860: a sound source never needs them all */

static int64_t system_now(void *payload)
{
    struct timespec t;

    (void)payload;
    return clock_gettime(CLOCK_REALTIME, &t) == 0 ? (int64_t)t.tv_sec : -1;
}

static bool system_random(void *payload, unsigned char *out, size_t size)
{
    (void)payload;
    return getrandom(out, size, 0) == (ssize_t)size;
}

const struct xf_source xf_source_system = {.now = system_now, .random = system_random, .payload = NULL};

/* A uniform tail: draws beyond the last whole multiple of TAILS are thrown away. */
static bool draw_tail(const struct xf_source *source, uint32_t *tail)
{
    const uint32_t fair = UINT32_MAX - UINT32_MAX % TAILS;

    for (int i = 0; i < DRAWS; i++) {
        uint32_t draw;

        if (!source->random(source->payload, (unsigned char *)&draw, sizeof draw))
            return false;
        if (draw < fair) {
            *tail = draw % TAILS;
            return true;
        }
    }
    return false;
}

void xf_trans_id_init(struct xf_trans_id_maker *m, const struct xf_source *source, int offset)
{
    *m = (struct xf_trans_id_maker){.source = source, .offset = offset, .second = -1};
}

int xf_trans_id_next(struct xf_trans_id_maker *m, char out[XF_TRANS_ID_LENGTH + 1], struct xf_err *err)
{
    const int64_t now = m->source->now(m->source->payload);
    struct xf_trans_id_maker then = *m; /* kept only if all goes well */
    uint32_t tail;

    if (now < 0)
        return xf_fail(err, "no transId can be made: the system clock gives no time");
    if (now > then.second || then.left == 0) {
        then.second = now > then.second ? now : then.second + 1;
        then.left = TAILS;
        if (!draw_tail(m->source, &then.next))
            return xf_fail(err, "no transId can be made: the random generator gives nothing");
    }
    if (!xf_timestamp_format(out, then.second, then.offset))
        return xf_fail(err, "no transId can be made: the system clock is beyond the year 9999");

    if (then.own != NULL)
        xf_own_ids_note(then.own, then.second, then.next);
    tail = then.next;
    out[XF_TIMESTAMP_LENGTH] = '8';
    for (int i = XF_TRANS_ID_LENGTH - 1; i > XF_TIMESTAMP_LENGTH; i--, tail /= 10)
        out[i] = (char)('0' + tail % 10);
    out[XF_TRANS_ID_LENGTH] = '\0';
    then.next = then.next + 1 < TAILS ? then.next + 1 : 0;
    then.left--;
    *m = then;
    return 0;
}

bool xf_trans_id_valid(const char *s, size_t size)
{
    if (size != XF_TRANS_ID_LENGTH || !xf_timestamp_valid(s, XF_TIMESTAMP_LENGTH) ||
        s[XF_TIMESTAMP_LENGTH] != '8')
        return false;
    for (int i = XF_TIMESTAMP_LENGTH; i < XF_TRANS_ID_LENGTH; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}
