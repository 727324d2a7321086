/*
 * `xfiot serve`: the receiver and its worker, run until a signal ends it. No Lua
 * runs in this process meanwhile.
 *
 * SIGTERM and SIGINT: no new connection is let in, what has been received is
 * committed and answered, the worker is told to stop and waited for, then it
 * returns; a second one does not wait. SIGHUP: certificate and key are read again and
 * shown to who comes from then on, or, when they cannot be used, kept as they are;
 * the worker is told to reload.
 *
 * The worker is started as
 *   PROGRAM worker[0] worker[1] ... --channel=N [--key=M]
 * N is its end of a SOCK_SEQPACKET pair, one text message a packet (supervisor.h);
 * M is a pipe that holds the key, if that came from the environment. It dies with
 * this process, and its memory is capped.
 */
#ifndef XF_SERVE_H
#define XF_SERVE_H

#include "listener.h"
#include "receiver.h"
#include "supervisor.h"

struct xf_serve_options {
    struct xf_receiver_options receiver;
    struct xf_listener_options listener; /* its fd is the service manager's, if that has one */
    const char *certificate_file, *private_key_file; /* NULL: no TLS */
    struct xf_signer *signer;
    struct xf_supervisor_options worker; /* arguments NULL: no worker */
    unsigned stop_s; /* how long the worker may take to stop; 0: 35 */
    /* Called once when the port is open; may be NULL. */
    void (*ready)(void *payload, uint16_t port);
    void *payload;
};

/* Returns 0 when it was stopped by a signal, or -1 with err when it could not begin or go on. */
int xf_serve(const struct xf_serve_options *o, struct xf_err *err);

#endif
