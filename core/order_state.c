#include "order_state.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned next; /* the states it may go to */
} states[XF_ORDER_STATES] = {
    [XF_ORDER_INTENT] = {"intent", XF_ORDER_BIT(XF_ORDER_SENT)},
    [XF_ORDER_SENT] = {"sent", XF_ORDER_BIT(XF_ORDER_ACCEPTED) | XF_ORDER_BIT(XF_ORDER_REJECTED) |
                                   XF_ORDER_BIT(XF_ORDER_UNKNOWN)},
    [XF_ORDER_ACCEPTED] = {"accepted", XF_ORDER_BIT(XF_ORDER_APPLIED) | XF_ORDER_BIT(XF_ORDER_SUSPECT) |
                                           XF_ORDER_BIT(XF_ORDER_CANCELLED)},
    /* applied: also the success that arrives after "expired" */
    [XF_ORDER_SUSPECT] = {"suspect", XF_ORDER_BIT(XF_ORDER_APPLIED) | XF_ORDER_BIT(XF_ORDER_NOT_APPLIED)},
    /* accepted: a push has brought the commandId back */
    [XF_ORDER_UNKNOWN] = {"unknown", XF_ORDER_BIT(XF_ORDER_ACCEPTED) | XF_ORDER_BIT(XF_ORDER_APPLIED) |
                                         XF_ORDER_BIT(XF_ORDER_NOT_APPLIED)},
    [XF_ORDER_APPLIED] = {"applied", 0},
    [XF_ORDER_CANCELLED] = {"cancelled", 0},
    [XF_ORDER_REJECTED] = {"rejected", 0},
    [XF_ORDER_NOT_APPLIED] = {"not_applied", 0},
};

static bool is_state(enum xf_order_state state)
{
    return (unsigned)state < XF_ORDER_STATES;
}

bool xf_order_may(enum xf_order_state from, enum xf_order_state to)
{
    return is_state(from) && is_state(to) && (states[from].next & XF_ORDER_BIT(to)) != 0;
}

bool xf_order_is_open(enum xf_order_state state)
{
    return is_state(state) && (XF_ORDER_OPEN & XF_ORDER_BIT(state)) != 0;
}

const char *xf_order_state_name(enum xf_order_state state)
{
    return is_state(state) ? states[state].name : NULL;
}

bool xf_order_state_find(const char *name, enum xf_order_state *state)
{
    for (int i = 0; i < XF_ORDER_STATES; i++)
        if (strcmp(states[i].name, name) == 0) {
            *state = (enum xf_order_state)i;
            return true;
        }
    return false;
}
