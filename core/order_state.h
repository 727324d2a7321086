/*
 * Where an order stands and where it may go from there. Pure: no journal, no
 * clock. The journal refuses what this table does not allow, and its schema
 * says the same once more in SQL.
 */
#ifndef XF_ORDER_STATE_H
#define XF_ORDER_STATE_H

#include <stdbool.h>

enum xf_order_state {
    XF_ORDER_INTENT, /* frozen and on disk; not one byte of it was sent */
    XF_ORDER_SENT, /* on disk before the first byte leaves; no clean answer yet */
    XF_ORDER_ACCEPTED, /* the platform has queued it under a commandId */
    XF_ORDER_SUSPECT, /* failed or expired by the platform's word; the meter may still have done it */
    XF_ORDER_UNKNOWN, /* nobody knows whether the platform has it */
    XF_ORDER_APPLIED, /* the meter has done it */
    XF_ORDER_CANCELLED, /* taken back before the meter got it */
    XF_ORDER_REJECTED, /* the platform said no: it was not queued */
    XF_ORDER_NOT_APPLIED, /* by evidence or by a person: the meter has not done it */
    XF_ORDER_STATES, /* how many there are */
};

/* A set of states, as a mask. */
#define XF_ORDER_BIT(state) (1u << (unsigned)(state))
#define XF_ORDER_ALL        (XF_ORDER_BIT(XF_ORDER_STATES) - 1u)
/* A meter with an order in one of these takes no other. */
#define XF_ORDER_OPEN                                                                                        \
    (XF_ORDER_BIT(XF_ORDER_INTENT) | XF_ORDER_BIT(XF_ORDER_SENT) | XF_ORDER_BIT(XF_ORDER_ACCEPTED) |         \
     XF_ORDER_BIT(XF_ORDER_SUSPECT) | XF_ORDER_BIT(XF_ORDER_UNKNOWN))

/* False also for a state and itself: what is learned without a transition is a note. */
bool xf_order_may(enum xf_order_state from, enum xf_order_state to);
bool xf_order_is_open(enum xf_order_state state);
/* As shown to users and kept in the journal: "not_applied". NULL for no state. */
const char *xf_order_state_name(enum xf_order_state state);
bool xf_order_state_find(const char *name, enum xf_order_state *state);

#endif
