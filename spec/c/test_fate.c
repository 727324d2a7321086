/* Every combination of the evidence, against the rules of money: unsent only if
 * it was never let go, answered only if everything is right. */
#include "check.h"
#include "fate.h"

static const int curls[] = {0, 1, 6, 7, 18, 28, 35, 42, 52, 55, 56, 60};
static const long statuses[] = {0, 100, 199, 200, 201, 204, 206, 301, 302, 400, 401, 404, 500, 502, 503};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void check_one(int released, int curl, long status, int json, int envelope, int *answered)
{
    const struct xf_evidence e = {released != 0, curl, status, json != 0, envelope != 0};
    enum xf_fate fate = xf_decide_fate(&e);
    char row[96];

    (void)snprintf(row, sizeof row, "released %d curl %d status %ld json %d envelope %d", released, curl,
                   status, json, envelope);
    if (!released)
        CHECK_ROW(fate == XF_FATE_NOT_SENT, row);
    else if (curl == 0 && status == 200 && json && envelope)
        CHECK_ROW(fate == XF_FATE_ANSWERED, row);
    else
        CHECK_ROW(fate == XF_FATE_UNKNOWN, row);
    *answered += fate == XF_FATE_ANSWERED;
}

int main(void)
{
    int answered = 0;

    for (size_t c = 0; c < COUNT(curls); c++)
        for (size_t s = 0; s < COUNT(statuses); s++)
            for (int bits = 0; bits < 8; bits++)
                check_one(bits & 1, curls[c], statuses[s], bits & 2, bits & 4, &answered);
    CHECK(answered == 1);
    CHECK_TEXT(xf_fate_name(XF_FATE_NOT_SENT), "not sent");
    CHECK_TEXT(xf_fate_name(XF_FATE_ANSWERED), "answered");
    CHECK_TEXT(xf_fate_name(XF_FATE_UNKNOWN), "unknown");
    return check_end();
}
