/*
 * An HTTP listener on libmicrohttpd, run by the loop. A request is handed over
 * only when it is whole; it may be answered at once or later.
 *
 * Refused before that, and the connection closed: 400 for an escaped NUL (%00)
 * in the address or more than one header that tells the body's length, 413 for
 * a body over the cap, 431 for headers over 16 KiB. A bare NUL cannot be seen:
 * libmicrohttpd ends the path, name or value there.
 */
#ifndef XF_LISTENER_H
#define XF_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

struct xf_listener_options {
    const char *host; /* numeric address; default 127.0.0.1; "localhost" is 127.0.0.1 */
    uint16_t port; /* 0: any free one */
    size_t body_cap; /* bytes; longer bodies are answered 413; 0: 4 MiB */
    unsigned connections; /* most at once, more wait to be let in; 0: 1024 */
    unsigned per_address; /* most at once of one address, more are closed; 0: any number */
    unsigned idle_s; /* closes a connection that brings no whole request, or takes nothing
                             of its reply, for so long; 0: 60 */
};

struct xf_listener;
struct xf_incoming;

struct xf_listener *xf_listener_new(struct xf_loop *loop, const struct xf_listener_options *o,
                                    struct xf_err *err);
/* Answers given are sent as far as the sockets take them at once; requests not
 * answered are dropped, and pointers to them are dead. NULL is fine. */
void xf_listener_free(struct xf_listener *l);
uint16_t xf_listener_port(const struct xf_listener *l);

/* The next whole request, or NULL. The listener owns it; the pointer is good
 * until it is answered or dropped, even if the client is long gone. */
struct xf_incoming *xf_listener_take(struct xf_listener *l);
/* What these return lives as long as the request. */
const char *xf_incoming_method(const struct xf_incoming *in);
const char *xf_incoming_path(const struct xf_incoming *in); /* unescaped, no query */
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
/* Closes its connection without a reply; with `reset`, by a TCP reset. Lets go of `in`. */
void xf_incoming_drop(struct xf_incoming *in, bool reset);

#endif
