/*
 * An HTTP listener on libmicrohttpd, run by the loop. A request is handed over
 * only when it is whole; it may be answered at once or later.
 *
 * Refused before that, and the connection closed: 400 for a NUL in the address
 * (escaped or bare) or in a header, for a header that goes on in the next line
 * (obsolete folding), for a name or value that RFC 9110 does not allow, for more
 * than one header that tells the body's length or a coding other than chunked,
 * 413 for a body over the cap, 431 for headers over 16 KiB, 503 for a body that
 * would make all that are kept exceed 64 MiB (or two of the greatest).
 */
#ifndef XF_LISTENER_H
#define XF_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

struct xf_incoming;

struct xf_listener_options {
    int fd; /* a listening socket to take over, in place of host and port; 0: none */
    const char *host; /* numeric address; default 127.0.0.1; "localhost" is 127.0.0.1 */
    uint16_t port; /* 0: any free one */
    size_t body_cap; /* bytes; longer bodies are answered 413; 0: 4 MiB */
    /* Most at once, in all (0: 1024: more wait to be let in) and of one address (0: any
     * number: more are closed at once). In both cases a connection that has brought no
     * whole request for half a second makes way for a new one. */
    unsigned connections;
    unsigned per_address;
    unsigned idle_s; /* closes a connection that brings no whole request, or takes nothing
                             of its reply, for so long; 0: 60 */
    const char *certificate, *private_key; /* PEM texts, not needed afterwards: TLS 1.2 or
                             later; NULL: none */
    /* Asked when the headers of a request are there. With 0 its body is kept; else it
     * is read over, and the status is what xf_incoming_screened tells. May be NULL. */
    unsigned (*screen)(void *payload, const struct xf_incoming *in);
    void *payload;
};

struct xf_listener;

struct xf_listener *xf_listener_new(struct xf_loop *loop, const struct xf_listener_options *o,
                                    struct xf_err *err);
/* Answers given are sent as far as the sockets take them at once; requests not
 * answered are dropped, and pointers to them are dead. NULL is fine. */
void xf_listener_free(struct xf_listener *l);
uint16_t xf_listener_port(const struct xf_listener *l);

/* Shows another certificate and key (PEM texts, not needed afterwards) to who comes from
 * now on; who is in keeps what he was shown. 0, or -1 with err: then the old ones stay,
 * as they do when the new certificate has expired. */
int xf_listener_renew(struct xf_listener *l, const char *certificate, const char *private_key, int64_t now,
                      struct xf_err *err);
/* The last second in which the certificate is good, since 1970 UTC; 0: no TLS. */
int64_t xf_listener_expires(const struct xf_listener *l);

/* Lets nobody in any more; who is in may finish. */
void xf_listener_quiesce(struct xf_listener *l);
/* How many requests have begun and are not yet answered to their end. */
size_t xf_listener_requests(const struct xf_listener *l);

/* The next whole request, or NULL. The listener owns it; the pointer is good
 * until it is answered or dropped, even if the client is long gone. */
struct xf_incoming *xf_listener_take(struct xf_listener *l);
/* What these return lives as long as the request. */
const char *xf_incoming_method(const struct xf_incoming *in);
const char *xf_incoming_path(const struct xf_incoming *in); /* unescaped, no query */
unsigned xf_incoming_screened(const struct xf_incoming *in);
/* Never NULL; a NUL follows the last byte. */
const char *xf_incoming_body(const struct xf_incoming *in, size_t *size);
/* Calls each(payload, name, value) for every query argument (unescaped) or
 * header, in order, repeated names too. A value may be NULL. */
void xf_incoming_each_argument(const struct xf_incoming *in,
                               void (*each)(void *payload, const char *name, const char *value),
                               void *payload);
void xf_incoming_each_header(const struct xf_incoming *in,
                             void (*each)(void *payload, const char *name, const char *value), void *payload);

struct xf_answer {
    unsigned status; /* 200 to 599 */
    const char *type; /* Content-Type, or NULL */
    const char *body; /* copied; may be NULL if size is 0 */
    size_t size;
    const char *const *headers; /* name, value, name, value ... NULL; or NULL */
    size_t cut; /* > 0: announce the whole, send so many bytes, then close (a fault to rehearse) */
};
/* Answers and lets go of `in`; the bytes leave in the loop's next step. Returns
 * 0, or -1 with err (the connection is closed then): the answer cannot be sent
 * as it is, or the client has reset the connection. A client that only closed
 * its sending side may still be reading, so it counts as there. */
int xf_incoming_answer(struct xf_incoming *in, const struct xf_answer *a, struct xf_err *err);
/* The same for an answer without body and headers, which costs little and does
 * not look whether the client is there; with `close`, the connection ends. */
void xf_incoming_finish(struct xf_incoming *in, unsigned status, bool close);
/* Closes its connection without a reply; with `reset`, by a TCP reset. Lets go of `in`. */
void xf_incoming_drop(struct xf_incoming *in, bool reset);

#endif
