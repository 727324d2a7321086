/*
 * An HTTP listener on libmicrohttpd, run by the loop. A request is handed over
 * only when it is whole; it may be answered at once or later.
 */
#ifndef XF_LISTENER_H
#define XF_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

struct xf_listener_options {
    const char *host;     /* numeric address; default 127.0.0.1; "localhost" is 127.0.0.1 */
    uint16_t port;        /* 0: any free one */
    size_t body_cap;      /* bytes; longer bodies are answered 413; 0: 4 MiB */
    unsigned connections; /* most at once; 0: 1024 */
    unsigned idle_s;      /* closes a connection idle so long; 0: 60 */
};

struct xf_listener;
struct xf_incoming;

struct xf_listener *xf_listener_new(struct xf_loop *loop, const struct xf_listener_options *o,
                                    struct xf_err *err);
/* Unanswered requests are dropped. NULL is fine. */
void xf_listener_free(struct xf_listener *l);
uint16_t xf_listener_port(const struct xf_listener *l);

/* The next whole request, or NULL. The listener owns it until it is answered. */
struct xf_incoming *xf_listener_take(struct xf_listener *l);
const char *xf_incoming_method(const struct xf_incoming *in);
const char *xf_incoming_path(const struct xf_incoming *in);
const char *xf_incoming_body(const struct xf_incoming *in, size_t *size);
/* Calls each(payload, name, value) for every query argument (unescaped) or header. A value may be NULL. */
void xf_incoming_each_argument(const struct xf_incoming *in,
                               void (*each)(void *payload, const char *name, const char *value), void *payload);
void xf_incoming_each_header(const struct xf_incoming *in,
                             void (*each)(void *payload, const char *name, const char *value), void *payload);

struct xf_answer {
    unsigned status;
    const char *type;          /* Content-Type, or NULL */
    const char *body;          /* copied */
    size_t size;
    const char *const *headers; /* name, value, name, value ... NULL; or NULL */
    size_t cut;                /* > 0: announce the whole, send so many bytes, then close (a fault to rehearse) */
};
/* Answers and lets go of `in`. Returns 0, or -1 with err (the connection is closed then). */
int xf_incoming_answer(struct xf_incoming *in, const struct xf_answer *a, struct xf_err *err);
/* Closes its connection without a reply; with `reset`, by a TCP reset. */
void xf_incoming_drop(struct xf_incoming *in, bool reset);

#endif
