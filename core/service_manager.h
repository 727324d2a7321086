/* What systemd and its like ask of a service: to take over a socket that was
 * opened for it (LISTEN_FDS) and to say how it is (NOTIFY_SOCKET, WATCHDOG_USEC).
 * Without one, nothing happens. */
#ifndef XF_SERVICE_MANAGER_H
#define XF_SERVICE_MANAGER_H

#include <stdbool.h>

enum { XF_NOTIFY_PATH = 108 };

struct xf_service_manager {
    char notify[XF_NOTIFY_PATH]; /* "" if nobody listens */
    int socket; /* the first that was handed over; 0: none */
    double watchdog_s; /* how often it wants to hear; 0: never */
};

/* Reads the variables and takes them out of the environment, for they are not for children. */
void xf_service_manager_find(struct xf_service_manager *m);
/* "READY=1", "STOPPING=1", "WATCHDOG=1" */
void xf_service_manager_tell(const struct xf_service_manager *m, const char *state);

#endif
