/*
 * Keeps one worker process alive: starts it, hears it, kills it when it hangs,
 * starts it again with back-off (0.1 s doubling to 10 s, forgotten after a minute
 * of life). Run by the loop.
 *
 * Messages, texts of at most XF_CHANNEL_MOST bytes, one a packet:
 *   to the worker: wake (there are new pushes), reload, stop
 *   from it:       ready
 *                  busy ID SECONDS  what runs for push ID may take so long; it is
 *                                   killed when by then there is no other busy and no idle
 *                  idle
 *                  orders intent=0 sent=1 ...
 */
#ifndef XF_SUPERVISOR_H
#define XF_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "loop.h"

enum { XF_CHANNEL_MOST = 1024 };

struct xf_supervisor_options {
    const char *program; /* executed */
    const char *const *arguments; /* NULL-ended; --channel=N and --key=M are added */
    unsigned memory; /* MiB of address space; 0: no cap */
    const char *key; /* for the worker, or NULL */
    size_t key_size;
    void (*tell_orders)(void *payload, const char *text); /* what follows "orders "; or NULL */
    void *payload;
};

struct xf_supervisor;

/* Borrows the options' texts. The worker is started by the loop's next step. NULL with err. */
struct xf_supervisor *xf_supervisor_new(struct xf_loop *loop, const struct xf_supervisor_options *o,
                                        struct xf_err *err);
/* Kills what still lives. NULL is fine. */
void xf_supervisor_free(struct xf_supervisor *s);

/* There are new pushes; reload the handlers. Lost when no worker lives, which
 * looks for work and loads them when it starts. */
void xf_supervisor_wake(struct xf_supervisor *s);
void xf_supervisor_reload(struct xf_supervisor *s);
/* Ends it: told now, killed after grace_s. It is not started again. */
void xf_supervisor_stop(struct xf_supervisor *s, unsigned grace_s);
bool xf_supervisor_stopped(const struct xf_supervisor *s);

/* How often a worker was started. */
uint64_t xf_supervisor_starts(const struct xf_supervisor *s);

#endif
