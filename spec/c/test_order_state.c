#include "check.h"
#include "order_state.h"

/* money.md's diagram once more, written out: every pair that is not here is refused. */
static const struct {
    const char *from, *to;
} legal[] = {
    {"intent", "sent"},        {"sent", "accepted"},    {"sent", "rejected"},
    {"sent", "unknown"},       {"accepted", "applied"}, {"accepted", "suspect"},
    {"accepted", "cancelled"}, {"suspect", "applied"},  {"suspect", "not_applied"},
    {"unknown", "accepted"},   {"unknown", "applied"},  {"unknown", "not_applied"},
};
enum { LEGAL = sizeof legal / sizeof legal[0] };

static bool in_diagram(const char *from, const char *to)
{
    for (int i = 0; i < LEGAL; i++)
        if (strcmp(legal[i].from, from) == 0 && strcmp(legal[i].to, to) == 0)
            return true;
    return false;
}

static void every_pair(void)
{
    char row[64];
    int found = 0;

    for (int from = 0; from < XF_ORDER_STATES; from++)
        for (int to = 0; to < XF_ORDER_STATES; to++) {
            const char *a = xf_order_state_name((enum xf_order_state)from);
            const char *b = xf_order_state_name((enum xf_order_state)to);

            snprintf(row, sizeof row, "%s -> %s", a, b);
            CHECK_ROW(xf_order_may((enum xf_order_state)from, (enum xf_order_state)to) == in_diagram(a, b),
                      row);
            found += in_diagram(a, b);
        }
    CHECK(found == LEGAL);
}

static void names(void)
{
    static const char *const open[] = {"intent", "sent", "accepted", "suspect", "unknown"};
    static const char *const closed[] = {"applied", "cancelled", "rejected", "not_applied"};
    static const char *const none[] = {"", "Sent", "sent ", "open", "not-applied"};
    enum xf_order_state s;

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        CHECK_ROW(xf_order_state_find(open[i], &s) && xf_order_is_open(s), open[i]);
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        CHECK_ROW(xf_order_state_find(closed[i], &s) && !xf_order_is_open(s), closed[i]);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CHECK_ROW(!xf_order_state_find(none[i], &s), none[i]);
    for (int i = 0; i < XF_ORDER_STATES; i++) {
        CHECK(xf_order_state_find(xf_order_state_name((enum xf_order_state)i), &s) && (int)s == i);
        CHECK((XF_ORDER_ALL & XF_ORDER_BIT(i)) != 0);
    }
}

static void no_state(void)
{
    CHECK(xf_order_state_name(XF_ORDER_STATES) == NULL);
    CHECK(!xf_order_is_open(XF_ORDER_STATES));
    CHECK(!xf_order_may(XF_ORDER_STATES, XF_ORDER_SENT));
    CHECK(!xf_order_may(XF_ORDER_INTENT, XF_ORDER_STATES));
}

int main(void)
{
    every_pair();
    names();
    no_state();
    return check_end();
}
