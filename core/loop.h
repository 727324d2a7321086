/*
 * The event loop: one curl multi handle that also polls the descriptors of
 * listeners. Nothing is called back from inside curl; a step returns, and then
 * what is done is taken.
 */
#ifndef XF_LOOP_H
#define XF_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>

#include "err.h"

struct xf_loop;

/* NULL with err. Refuses a libcurl older than 7.88, on whose behaviour the
 * fate of money calls rests. */
struct xf_loop *xf_loop_new(struct xf_err *err);
/* All transports and watchers must be gone before. NULL is fine. */
void xf_loop_free(struct xf_loop *loop);

/* Something that wants to be polled besides curl's own sockets. */
struct xf_watcher {
    int fd; /* becomes readable when there is work; -1: none */
    int (*timeout_ms)(void *payload); /* longest wait it allows, -1: any; may be NULL */
    void (*work)(void *payload); /* called after each poll, ready or not; may unwatch */
    void *payload;
    struct xf_watcher *next; /* the loop's */
};
/* The watcher stays the caller's and must outlive its stay in the loop. */
void xf_loop_watch(struct xf_loop *loop, struct xf_watcher *w);
/* Does nothing if it is not watched. */
void xf_loop_unwatch(struct xf_loop *loop, struct xf_watcher *w);

/* Moves everything forward, waiting at most timeout_ms (-1: any time) for
 * something to do. Returns early when a signal arrives. Returns 0, or -1 with err. */
int xf_loop_step(struct xf_loop *loop, int timeout_ms, struct xf_err *err);

/* For transfer.c. */
CURLM *xf_loop_multi(struct xf_loop *loop);
struct xf_transfers;
struct xf_transfers *xf_loop_transfers(const struct xf_loop *loop);

/* Seconds on a clock that never steps. */
double xf_loop_clock(void);

#endif
