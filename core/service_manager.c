#include "service_manager.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_SOCKET = 3 }; /* sd_listen_fds(3) */

static long number(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? strtol(text, NULL, 10) : 0;
}

void xf_service_manager_find(struct xf_service_manager *m)
{
    static const char *const names[] = {"NOTIFY_SOCKET",  "LISTEN_PID",    "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};
    const char *notify = getenv("NOTIFY_SOCKET");

    *m = (struct xf_service_manager){0};
    if (notify != NULL && (notify[0] == '/' || notify[0] == '@') && strlen(notify) < sizeof m->notify)
        (void)snprintf(m->notify, sizeof m->notify, "%s", notify);
    if (number("LISTEN_PID") == (long)getpid() && number("LISTEN_FDS") >= 1 &&
        fcntl(FIRST_SOCKET, F_SETFD, FD_CLOEXEC) == 0)
        m->socket = FIRST_SOCKET;
    if (number("WATCHDOG_USEC") > 0 &&
        (number("WATCHDOG_PID") == 0 || number("WATCHDOG_PID") == (long)getpid()))
        m->watchdog_s = (double)number("WATCHDOG_USEC") / 2e6;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unsetenv(names[i]);
}

void xf_service_manager_tell(const struct xf_service_manager *m, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const size_t size = strlen(m->notify);
    int fd;

    if (size == 0)
        return;
    memcpy(to.sun_path, m->notify, size);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract one */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
    (void)close(fd);
}
