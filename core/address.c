#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int parse_address(union address *address, const char *host, uint16_t port, struct xf_err *err)
{
    const char *literal = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, literal, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return 0;
    }
    if (inet_pton(AF_INET6, literal, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        return 0;
    }
    return xf_fail(err,
                   "cannot listen on \"%s\": it is no numeric address; use 127.0.0.1 or ::1 for this machine "
                   "only, 0.0.0.0 or :: for all, or one of its own addresses",
                   host);
}

static int explain(int error, const char *host, uint16_t port, struct xf_err *err)
{
    switch (error) {
    case EADDRINUSE:
        return xf_fail(err,
                       "port %u of %s is in use by another program; stop that one or choose another port",
                       port, host);
    case EACCES:
        return xf_fail(err,
                       "port %u of %s is not allowed to this user; choose a port from 1024 up, or give the "
                       "program CAP_NET_BIND_SERVICE",
                       port, host);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return xf_fail(err, "this machine does not have the address %s; listen on one it has, or on 0.0.0.0",
                       host);
    case EMFILE:
    case ENFILE:
        return xf_fail(err, "cannot listen on port %u of %s: too many open files; raise ulimit -n", port,
                       host);
    default:
        return xf_fail(err, "cannot listen on port %u of %s: %s", port, host, strerror(error));
    }
}

int xf_address_listen(const char *host, uint16_t *port, struct xf_err *err)
{
    union address address;
    socklen_t size = sizeof address;
    int fd, error, on = 1, off = 0;

    if (parse_address(&address, host, *port, err) != 0)
        return -1;
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain(errno, host, *port, err);
    /* Linux then still refuses a port somebody listens on, but not one whose last connections linger. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        goto fail;
    if (address.any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        goto fail;
    if (bind(fd, &address.any, address.any.sa_family == AF_INET ? sizeof address.v4 : sizeof address.v6) != 0)
        goto fail;
    if (listen(fd, SOMAXCONN) != 0 || getsockname(fd, &address.any, &size) != 0)
        goto fail;
    *port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return fd;
fail:
    error = errno;
    (void)close(fd);
    return explain(error, host, *port, err);
}
