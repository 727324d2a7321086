/*
 * The fate of a call, decided in one place: was it surely not sent, was it
 * answered, or can nobody know? Money depends on this table; read it beside
 * the README's "What can happen to a call".
 */
#ifndef XF_FATE_H
#define XF_FATE_H

#include <stdbool.h>

enum xf_fate {
    XF_FATE_NOT_SENT, /* no byte of the request left this machine */
    XF_FATE_ANSWERED, /* the documented envelope came back, whole */
    XF_FATE_UNKNOWN, /* some of it may have been sent, and there is no clean answer */
};

/* What one transfer left behind. */
struct xf_evidence {
    bool released; /* the connection was up and the request was let go (libcurl's prereq) */
    int curl; /* CURLcode; 0 = a whole HTTP reply was read */
    long status; /* HTTP status, 0 if none */
    bool json; /* the body passed strict admission */
    bool envelope; /* it is the documented envelope and its result checks out */
};

enum xf_fate xf_decide_fate(const struct xf_evidence *e);
/* "not sent", "answered", "unknown" */
const char *xf_fate_name(enum xf_fate fate);

#endif
