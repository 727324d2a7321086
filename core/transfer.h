/*
 * HTTP calls. A transport is a set of options (TLS, deadlines, caps) with a pool
 * of easy handles; a transfer is one request on it and its reply. Many
 * transfers run at once on one loop. Redirects are never followed, proxies and
 * .netrc of the environment are ignored.
 */
#ifndef XF_TRANSFER_H
#define XF_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "keep.h"
#include "loop.h"

enum {
    XF_TRANSFERS_MOST = 256, /* in curl at once; more wait in a queue of ours */
    XF_REPLY_CAP = 4 * 1024 * 1024, /* bytes of a reply, default */
    XF_HEADER_MOST = 8, /* headers of a request */
    XF_HEADER_LINE_MOST = 2048, /* bytes of one of them */
    XF_TARGET_MOST = 8192, /* bytes of path and query */
    XF_BODY_MOST = 1024 * 1024, /* bytes of a request; beyond it libcurl would ask with Expect first */
    XF_CONNECT_TIMEOUT_MS = 10000,
    XF_TIMEOUT_MS = 30000,
    XF_BASE_SIZE = 640,
};

struct xf_transport_options {
    const char *base_url; /* scheme, host, port; no path */
    const char *ca_file; /* or NULL: the system's */
    const char *proxy; /* or NULL: none, whatever the environment says */
    const char *user_agent;
    long connect_timeout_ms; /* 0: XF_CONNECT_TIMEOUT_MS */
    long timeout_ms; /* the whole call, waiting for its turn included; 0: XF_TIMEOUT_MS */
    size_t reply_cap; /* 0: XF_REPLY_CAP */
    bool allow_http; /* http:// to other hosts than loopback */
};

/* Checks a base_url and writes its normal form, scheme://host:port. Refuses
 * http:// to anything but loopback unless allowed, other schemes, a path, a
 * query or credentials. Returns 0, or -1 with err, which does not repeat it. */
int xf_base_url(const char *url, bool allow_http, char out[XF_BASE_SIZE], struct xf_err *err);

struct xf_transport;

/* Copies the options. NULL with err if base_url is refused (see xf_base_url) or
 * ca_file cannot be read. */
struct xf_transport *xf_transport_new(struct xf_loop *loop, const struct xf_transport_options *o,
                                      struct xf_err *err);
/* Frees its transfers too, whatever they are doing: their pointers are dead
 * afterwards. NULL is fine. */
void xf_transport_free(struct xf_transport *t);

struct xf_request {
    const char *method; /* GET, POST, PUT */
    const char *target; /* path and query, already escaped; copied */
    size_t target_size;
    const char *body; /* copied; NULL: none (a PUT without body sends Content-Length: 0) */
    size_t body_size;
    const char *headers[XF_HEADER_MOST]; /* "Name: value", copied; NULL-ended */
    bool no_repeat; /* libcurl may not send it again by itself on a dead connection: a signed
                                request is for one use (A13), the caller makes another */
    bool once; /* no_repeat, and changes something: never sent twice, not even by curl on a dead
                                connection; an idle connection is reused only if it was used
                                a second ago, and by a lone request (nothing else open on the
                                loop when it starts) never */
    enum xf_keep keep; /* after which reply its connection may serve another call */
    long timeout_ms; /* 0: the transport's */
    /* Called once, when the connection is up and before the first byte goes:
     * false keeps the request unsent. NULL: always go. For writing `sent` to disk.
     * It runs inside libcurl: nothing of this header but xf_transfer_may_go, and
     * nothing of loop.h, may be called. */
    bool (*release)(void *payload);
    void *payload; /* for release; and given back with the reply */
};

/* The reply, or what there is instead. Owned by the transfer; valid until it is
 * freed. Read it only when the transfer is done. */
struct xf_reply {
    int curl; /* CURLcode */
    const char *why; /* curl's sentence about it, "" if none */
    bool released; /* see xf_evidence */
    bool over_cap; /* the reply was longer than the cap, or its headers than 64 KiB */
    long status;
    const char *type; /* Content-Type or "" */
    const char *date; /* Date header or "" */
    const char *body; /* not NUL-ended by contract, though a NUL follows it */
    size_t size;
    double name_s, connect_s, tls_s, first_byte_s, total_s; /* phases, seconds since the start */
    const char *address; /* peer address or "" */
};

struct xf_transfer;

/* Queues a request; the next step of the loop starts it. NULL with err only for
 * lack of memory, a request beyond the limits or with control characters in
 * target or headers; everything else is told by the reply. */
struct xf_transfer *xf_transfer_start(struct xf_transport *t, const struct xf_request *r, struct xf_err *err);
/* The next transfer that has ended since the last call, or NULL; of any
 * transport of the loop. */
struct xf_transfer *xf_transfer_take_done(struct xf_loop *loop);
void *xf_transfer_payload(const struct xf_transfer *x);
/* It is with libcurl, and neither over nor waiting for a connection of its own: as
 * far as can be told it goes out in this turn of the loop. */
bool xf_transfer_may_go(const struct xf_transfer *x);
const struct xf_reply *xf_transfer_reply(const struct xf_transfer *x);
/* Cancels it if it runs, and gives its handle back to the pool. */
void xf_transfer_free(struct xf_transfer *x);
/* How many are running or queued on the loop. */
int xf_transfers_open(const struct xf_loop *loop);

#endif
