/*
 * What loop.c, transport.c, handle.c, request.c and transfer.c share. Everybody else uses
 * transfer.h.
 */
#ifndef XF_TRANSPORT_H
#define XF_TRANSPORT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "transfer.h"

enum {
    XF_REPLY_HEADERS_MOST = 64 * 1024, /* bytes of a reply's status lines and headers */
    XF_BODY_KEPT = 64 * 1024, /* a reply buffer larger than this is not kept for the next */
    XF_TEXT_KEPT = 16 * 1024, /* the same for the text of a request */
    XF_DATE_SIZE = 48,
};

/* ---- Rings: a link to itself is empty. */
struct xf_link {
    struct xf_link *next, *prev;
};

static inline void xf_link_init(struct xf_link *l)
{
    l->next = l->prev = l;
}

static inline bool xf_link_alone(const struct xf_link *l)
{
    return l->next == l;
}

static inline void xf_link_before(struct xf_link *place, struct xf_link *l)
{
    l->next = place;
    l->prev = place->prev;
    place->prev->next = l;
    place->prev = l;
}

static inline void xf_link_cut(struct xf_link *l)
{
    l->next->prev = l->prev;
    l->prev->next = l->next;
    xf_link_init(l);
}

/* The struct that a link is the member of. */
#define XF_LINKED(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* ---- An easy handle, and what is kept with it from call to call: its constant
 * options, the last value of those that seldom change, the reply's buffer. */
enum xf_method { XF_GET, XF_POST, XF_PUT };

struct xf_handle {
    CURL *easy;
    struct xf_transport *transport;
    struct xf_handle *next; /* in the pool */
    struct xf_transfer *transfer; /* whom it serves */

    /* what is set on it */
    CURLU *parts; /* of the transport's base */
    char *target;
    size_t target_room;
    enum xf_method method;
    long timeout_ms;
    bool fresh; /* CURLOPT_FRESH_CONNECT */
    bool closes; /* CURLOPT_FORBID_REUSE */
    long max_age; /* CURLOPT_MAXAGE_CONN, seconds */

    /* what one call leaves here */
    bool connecting; /* waits for a connection of its own */
    int lettings; /* how often libcurl was about to send the request */
    bool released;
    bool over_cap;
    bool head_ended; /* the empty line after the headers was there */
    bool judged; /* whether the connection may be kept: see keep.h */
    char *body;
    size_t size, room;
    size_t header_size;
    curl_off_t length; /* Content-Length of this header block, -1 before one is seen */
    char date[XF_DATE_SIZE];
    char error[CURL_ERROR_SIZE];
};

struct xf_handle *xf_handle_new(struct xf_transport *t);
void xf_handle_free(struct xf_handle *h);
/* Forgets the last call. */
void xf_handle_clear(struct xf_handle *h);
/* Sets what the transfer needs; the handle keeps pointing at the transfer's texts.
 * If that fails, the handle must be freed. */
CURLcode xf_handle_aim(struct xf_handle *h, struct xf_transfer *x, long timeout_ms, bool fresh);

/* ---- A set of options with its pools, both lists of what is idle. */
struct xf_transport {
    struct xf_loop *loop;
    char *base; /* scheme://host:port, normal form */
    size_t base_size;
    size_t target_at; /* where a request's target begins in its URL */
    char *ca_file, *proxy; /* or NULL */
    char *agent; /* a header line, or NULL */
    long connect_timeout_ms, timeout_ms;
    size_t reply_cap;
    struct xf_handle *handles;
    int handles_idle;
    struct xf_transfer *spare;
    int spare_idle;
    struct xf_link transfers; /* all that are alive */
};

/* From the pool, or new. NULL: no memory. */
struct xf_handle *xf_transport_take_handle(struct xf_transport *t);
void xf_transport_give_handle(struct xf_transport *t, struct xf_handle *h);

/* ---- One request and its reply. */
enum xf_stage { XF_QUEUED, XF_RUNNING, XF_DONE, XF_TAKEN };

struct xf_transfer {
    struct xf_transport *transport;
    struct xf_handle *handle; /* NULL while queued, and if it never ran */
    enum xf_stage stage;
    struct xf_link turn; /* in the queue or among the done */
    struct xf_link mine; /* among its transport's */
    struct xf_transfer *next; /* among its transport's spare ones */

    enum xf_method method;
    bool once, no_repeat;
    enum xf_keep keep;
    bool (*release)(void *payload);
    void *payload;
    double started, due; /* xf_loop_clock() */

    char *text; /* URL, header lines and body, a NUL after each */
    size_t room;
    const char *body;
    size_t body_size;
    struct curl_slist headers[XF_HEADER_MOST + 2]; /* two more for our own */
    struct curl_slist *header_list;

    struct xf_reply reply;
};

/* Checks the request and copies what it holds. Returns 0, or -1 with err. */
int xf_transfer_write(struct xf_transfer *x, const struct xf_transport *t, const struct xf_request *r,
                      struct xf_err *err);

/* ---- All transfers of a loop. */
struct xf_transfers;
struct xf_transfers *xf_transfers_new(CURLM *multi);
void xf_transfers_free(struct xf_transfers *all);
/* Of all connections of the loop. */
struct xf_keeper *xf_transfers_keeper(const struct xf_transfers *all);
/* Hands queued transfers to curl as far as there is room, and ends those whose
 * time is up. Returns how many it handed over. */
int xf_transfers_launch(struct xf_transfers *all);
/* Moves what curl has finished to the done list. */
void xf_transfers_collect(struct xf_transfers *all);
/* Milliseconds until something must be looked at: 0 if some are done and not
 * taken, -1 if nothing of ours has a time. */
int xf_transfers_timeout(const struct xf_transfers *all);

#endif
