/* What listener.c and incoming.c share; everybody else includes listener.h. */
#ifndef XF_INCOMING_H
#define XF_INCOMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "link.h"
#include "listener.h"

enum xf_incoming_state {
    XF_INCOMING_NEW, /* the request line is here */
    XF_INCOMING_RECEIVING, /* the body is on its way */
    XF_INCOMING_WHOLE, /* suspended, waiting or taken */
    XF_INCOMING_LET_GO, /* answered, refused or dropped */
};

/* How requests of one listener are let go. */
struct xf_incoming_ways {
    bool resumed; /* some were, of which libmicrohttpd 0.9.75 wakes nobody */
    size_t kept; /* bytes of all bodies */
    struct MHD_Response *empty, *last; /* without a body; last: and the connection closes */
};

/* Made at the request line, freed by libmicrohttpd's word that the request is
 * over, which cannot come while the connection is suspended. */
struct xf_incoming {
    struct xf_link link; /* first; in `waiting` or `taken` of the listener, or alone */
    struct MHD_Connection *connection;
    struct xf_incoming_ways *ways; /* the listener's */
    enum xf_incoming_state state;
    bool nul; /* the address has an escaped one */
    unsigned screened; /* the status it is to be answered with, its body not kept; 0: none */
    unsigned unkept; /* the status it is refused with at its end, for its body's sake; 0: none */
    const char *address; /* libmicrohttpd's, as it came */
    size_t address_size;
    const char *headers_end; /* the NUL behind the last value, where libmicrohttpd has it in place; or NULL */
    uint64_t received; /* bytes of the body, kept or not */
    struct xf_bytes body;
    const char *method, *path; /* libmicrohttpd's */
};

/* NULL when out of memory. */
struct xf_incoming *xf_incoming_new(struct MHD_Connection *connection, size_t body_cap,
                                    struct xf_incoming_ways *ways);
void xf_incoming_free(struct xf_incoming *in);

/* A piece of its body; nothing of it is wanted any more. */
void xf_incoming_keep(struct xf_incoming *in, const char *piece, size_t size);
void xf_incoming_forget(struct xf_incoming *in);

/* The status to refuse it with after its headers, or 0. */
unsigned xf_incoming_check(struct xf_incoming *in, const char *version, size_t body_cap);
/* Whether the first piece of the body lies where it must, with no NUL before it. */
bool xf_incoming_begins(const struct xf_incoming *in, const char *piece);
/* Answers a request that was not handed out, from within libmicrohttpd's call. */
enum MHD_Result xf_incoming_refuse(struct xf_incoming *in, unsigned status);

#endif
