/*
 * `xfiot serve`: the receiver and its worker, run until a signal ends it. No Lua
 * runs in this process meanwhile.
 *
 * SIGTERM and SIGINT: no new connection is let in, what has been received is
 * committed and answered, the worker is told to stop and waited for, then it
 * returns. SIGHUP: the worker is told to reload.
 *
 * The worker is started as
 *   PROGRAM worker[0] worker[1] ... --channel=N [--key=M]
 * N is its end of a SOCK_SEQPACKET pair, one text message a packet (supervisor.h);
 * M is a pipe that holds the key, if that came from the environment. It dies with
 * this process, and its memory is capped.
 */
#ifndef XF_SERVE_H
#define XF_SERVE_H

#include "receiver.h"

struct xf_serve_options {
    struct xf_receiver_options receiver; /* its journal and signer are serve's */
    struct xf_listener_options listener;
    const char *journal; /* path; NULL: the default one */
    const char *key; /* the key, key_size bytes; borrowed for the call */
    size_t key_size;
    const char *merchant_id;
    bool key_to_worker; /* hand the key over by a pipe */
    const char *program; /* NULL: /proc/self/exe */
    const char *const *worker; /* its arguments, NULL-ended; NULL: no worker */
    unsigned worker_memory; /* MiB of address space; 0: no cap */
    unsigned stop_s; /* how long the worker may take to stop; 0: 35 */
    /* Called once the port is open, and told it; may be NULL. */
    void (*ready)(void *payload, uint16_t port);
    void *payload;
};

/* Returns 0 when it was stopped by a signal, or -1 with err when it could not begin. */
int xf_serve(const struct xf_serve_options *o, struct xf_err *err);

#endif
