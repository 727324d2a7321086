/* What listener.c and incoming.c share; everybody else includes listener.h. */
#ifndef XF_INCOMING_H
#define XF_INCOMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "listener.h"

/* A ring with a head that is no member; a link alone points to itself. */
struct xf_link {
    struct xf_link *prev, *next;
};

static inline void xf_link_alone(struct xf_link *link)
{
    link->prev = link->next = link;
}

static inline void xf_link_remove(struct xf_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    xf_link_alone(link);
}

static inline void xf_link_append(struct xf_link *head, struct xf_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

enum xf_incoming_state {
    XF_INCOMING_NEW, /* the request line is here */
    XF_INCOMING_RECEIVING, /* the body is on its way */
    XF_INCOMING_WHOLE, /* suspended, waiting or taken */
    XF_INCOMING_LET_GO, /* answered, refused or dropped */
};

/* Made at the request line, freed by libmicrohttpd's word that the request is
 * over, which cannot come while the connection is suspended. */
struct xf_incoming {
    struct xf_link link; /* first; in `waiting` or `taken` of the listener, or alone */
    struct MHD_Connection *connection;
    bool *resumed; /* the listener's */
    enum xf_incoming_state state;
    bool nul; /* the address has an escaped one */
    uint64_t received; /* bytes of the body, kept or not */
    struct xf_bytes body;
    const char *method, *path; /* libmicrohttpd's */
};

/* *resumed becomes true when the connection is resumed. NULL when out of memory. */
struct xf_incoming *xf_incoming_new(struct MHD_Connection *connection, size_t body_cap, bool *resumed);
void xf_incoming_free(struct xf_incoming *in);

/* The status to refuse it with after its headers, or 0. */
unsigned xf_incoming_check(const struct xf_incoming *in, size_t body_cap);
/* Answers a request that was not handed out, from within libmicrohttpd's call. */
enum MHD_Result xf_incoming_refuse(struct xf_incoming *in, unsigned status);

#endif
