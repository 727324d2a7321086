#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include "address.h"
#include "certificate.h"
#include "clients.h"
#include "incoming.h"

enum {
    FULL_WAIT_MS = 100,
    HEADER_MEMORY = 16 * 1024, /* bytes a connection; longer headers are answered 431 */
    DEFAULT_BODY_CAP = 4 * 1024 * 1024,
    BODIES_MOST = 64 * 1024 * 1024, /* of all requests together; two may always be at their cap */
    DEFAULT_CONNECTIONS = 1024,
    DEFAULT_IDLE_S = 60,
    LONGEST_WAIT_MS = 60 * 1000,
};

struct xf_listener {
    struct MHD_Daemon *daemon;
    struct xf_loop *loop;
    struct xf_watcher watcher;
    struct xf_link waiting, taken; /* whole requests, oldest first */
    struct xf_clients clients;
    struct xf_incoming_ways ways;
    struct xf_certificate *certificate; /* for those who come now; NULL: no TLS */
    size_t requests; /* begun and not over */
    size_t kept_most; /* bytes of all bodies together */
    unsigned (*screen)(void *payload, const struct xf_incoming *in);
    void *payload;
    size_t body_cap;
    int fd; /* libmicrohttpd's; -1: quiesced */
    bool closing; /* what comes in whole now is let go at once */
    double idle_s;
    uint16_t port;
};

/* ---- called by libmicrohttpd, from MHD_run */

static struct xf_client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info->socket_context;
}

static enum MHD_Result on_arrival(void *payload, const struct sockaddr *address, socklen_t size)
{
    struct xf_listener *l = payload;

    (void)size;
    return xf_clients_admit(&l->clients, address) ? MHD_YES : MHD_NO;
}

static void on_connection(void *payload, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct xf_listener *l = payload;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = xf_client_new(&l->clients, connection, l->certificate);
    } else {
        xf_client_free(&l->clients, *context);
        *context = NULL;
    }
}

/* The first that is heard of a request; what it returns is on_request's context. */
static void *on_address(void *payload, const char *address, struct MHD_Connection *connection)
{
    struct xf_listener *l = payload;
    struct xf_incoming *in = xf_incoming_new(connection, l->body_cap, &l->ways);

    if (in != NULL) {
        in->nul = strstr(address, "%00") != NULL;
        in->address = address;
        in->address_size = strlen(address);
        l->requests++;
    }
    return in;
}

/* A body that is not wanted is read to its end, and refused then: in the midst
 * of it libmicrohttpd takes no answer. */
static enum MHD_Result receive(struct xf_listener *l, struct xf_incoming *in, const char *piece,
                               size_t *piece_size)
{
    if (in->received == 0 && !xf_incoming_begins(in, piece))
        in->unkept = MHD_HTTP_BAD_REQUEST;
    in->received += *piece_size;
    if (in->received > l->body_cap && in->unkept == 0)
        in->unkept = MHD_HTTP_CONTENT_TOO_LARGE;
    if (in->screened == 0 && in->unkept == 0) {
        xf_incoming_keep(in, piece, *piece_size);
        if (in->body.failed || l->ways.kept > l->kept_most)
            in->unkept = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    if (in->unkept != 0)
        xf_incoming_forget(in);
    *piece_size = 0;
    return MHD_YES;
}

static enum MHD_Result finish(struct xf_listener *l, struct xf_incoming *in)
{
    xf_client_pay(client_of(in->connection));
    if (l->closing)
        return MHD_NO;
    if (in->unkept != 0)
        return xf_incoming_refuse(in, in->unkept);
    in->state = XF_INCOMING_WHOLE;
    xf_link_append(&l->waiting, &in->link);
    MHD_suspend_connection(in->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *payload, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_size, void **context)
{
    struct xf_listener *l = payload;
    struct xf_incoming *in = *context;
    unsigned status;

    (void)connection;
    if (in == NULL)
        return MHD_NO;
    switch (in->state) {
    case XF_INCOMING_NEW:
        in->state = XF_INCOMING_RECEIVING;
        in->path = url;
        in->method = method;
        status = xf_incoming_check(in, version, l->body_cap);
        if (status != 0)
            return xf_incoming_refuse(in, status);
        in->screened = l->screen != NULL ? l->screen(l->payload, in) : 0;
        return MHD_YES;
    case XF_INCOMING_RECEIVING:
        return *piece_size > 0 ? receive(l, in, piece, piece_size) : finish(l, in);
    case XF_INCOMING_WHOLE:
    case XF_INCOMING_LET_GO:
        break;
    }
    return MHD_NO;
}

static void on_completed(void *payload, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct xf_listener *l = payload;

    (void)code;
    if (*context != NULL)
        l->requests--;
    xf_incoming_free(*context);
    *context = NULL;
    xf_client_owe(&l->clients, client_of(connection));
}

/* ---- called by the loop */

static int timeout_ms(void *payload)
{
    const struct xf_listener *l = payload;
    MHD_UNSIGNED_LONG_LONG ms = LONGEST_WAIT_MS;
    double left;

    if (l->ways.resumed)
        return 0;
    if (MHD_get_timeout(l->daemon, &ms) != MHD_YES || ms > LONGEST_WAIT_MS)
        ms = LONGEST_WAIT_MS;
    left = xf_clients_left(&l->clients, l->idle_s);
    if (left >= 0 && left * 1000 < (double)ms)
        ms = left > 0 ? (MHD_UNSIGNED_LONG_LONG)(left * 1000) + 1 : 0;
    return xf_clients_full(&l->clients) && ms > FULL_WAIT_MS ? FULL_WAIT_MS : (int)ms;
}

static bool some_wait(const struct xf_listener *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static void work(void *payload)
{
    struct xf_listener *l = payload;

    l->ways.resumed = false;
    (void)MHD_run(l->daemon);
    xf_clients_hurry(&l->clients, l->idle_s);
    if (xf_clients_full(&l->clients) && some_wait(l))
        xf_clients_make_way(&l->clients);
}

/* ---- opening and closing */

/* libmicrohttpd wants a certificate or somebody to ask for one. It is each session that
 * has one here, so nobody is asked; what it was told at its start it would keep for ever. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                          gnutls_pcert_st **chain, unsigned int *length, gnutls_privkey_t *key)
{
    (void)session, (void)authorities, (void)count, (void)algorithms, (void)algorithm_count;
    (void)chain, (void)length, (void)key;
    return -1;
}

static struct MHD_Daemon *start(struct xf_listener *l, const struct xf_listener_options *o, int fd)
{
    const unsigned idle_s = o->idle_s > 0 ? o->idle_s : DEFAULT_IDLE_S;
    const unsigned most = o->connections > 0 ? o->connections : (unsigned)DEFAULT_CONNECTIONS;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)no_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    const bool secure = l->certificate != NULL;

    l->idle_s = idle_s;
    xf_clients_init(&l->clients, most, o->per_address);
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (secure ? (unsigned)MHD_USE_TLS : 0),
                            0, on_arrival, l, on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY,
                            MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
                            MHD_OPTION_URI_LOG_CALLBACK, on_address, l, MHD_OPTION_NOTIFY_CONNECTION,
                            on_connection, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_ARRAY,
                            secure ? tls : tls + 2, MHD_OPTION_END);
}

static int make_ways(struct xf_incoming_ways *ways)
{
    ways->empty = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    ways->last = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    return ways->empty != NULL && ways->last != NULL &&
                   MHD_add_response_header(ways->last, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES
               ? 0
               : -1;
}

static void free_ways(struct xf_incoming_ways *ways)
{
    if (ways->empty != NULL)
        MHD_destroy_response(ways->empty);
    if (ways->last != NULL)
        MHD_destroy_response(ways->last);
}

/* The port of a socket that was handed over. */
static int take_over(struct xf_listener *l, int fd, struct xf_err *err)
{
    struct sockaddr_in6 address = {0};
    socklen_t size = sizeof address;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return xf_fail(err, "descriptor %d is no listening socket: %s", fd, strerror(errno));
    /* the port is at the same place in both families */
    l->port =
        address.sin6_family == AF_INET || address.sin6_family == AF_INET6 ? ntohs(address.sin6_port) : 0;
    return fd;
}

struct xf_listener *xf_listener_new(struct xf_loop *loop, const struct xf_listener_options *o,
                                    struct xf_err *err)
{
    const char *host = o->host != NULL ? o->host : "127.0.0.1";
    struct xf_listener *l = calloc(1, sizeof *l);
    const union MHD_DaemonInfo *info = NULL;
    int fd = -1;

    if (l == NULL) {
        (void)xf_fail(err, "out of memory for a listener");
        return NULL;
    }
    xf_link_alone(&l->waiting);
    xf_link_alone(&l->taken);
    l->loop = loop;
    l->body_cap = o->body_cap > 0 ? o->body_cap : (size_t)DEFAULT_BODY_CAP;
    l->kept_most = l->body_cap > BODIES_MOST / 2 ? 2 * l->body_cap : (size_t)BODIES_MOST;
    l->port = o->port;
    l->screen = o->screen;
    l->payload = o->payload;
    if (o->certificate != NULL &&
        (l->certificate = xf_certificate_new(o->certificate, o->private_key, err)) == NULL)
        goto fail;
    fd = o->fd > 0 ? take_over(l, o->fd, err) : xf_address_listen(host, &l->port, err);
    if (fd < 0)
        goto fail;
    if (make_ways(&l->ways) != 0) {
        (void)xf_fail(err, "out of memory for a listener");
        goto fail;
    }
    l->daemon = start(l, o, fd);
    if (l->daemon == NULL) {
        (void)xf_fail(err, "cannot start to listen on port %u of %s: %s", l->port, host, strerror(errno));
        goto fail;
    }
    l->fd = fd;
    info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    l->watcher.fd = info->epoll_fd;
    l->watcher.timeout_ms = timeout_ms;
    l->watcher.work = work;
    l->watcher.payload = l;
    xf_loop_watch(loop, &l->watcher);
    return l;
fail:
    if (fd >= 0)
        (void)close(fd);
    free_ways(&l->ways);
    xf_certificate_let_go(l->certificate);
    free(l);
    return NULL;
}

void xf_listener_free(struct xf_listener *l)
{
    if (l == NULL)
        return;
    xf_loop_unwatch(l->loop, &l->watcher);
    l->closing = true; /* libmicrohttpd cannot stop with a request that still waits */
    while (l->waiting.next != &l->waiting)
        xf_incoming_drop((struct xf_incoming *)l->waiting.next, false);
    while (l->taken.next != &l->taken)
        xf_incoming_drop((struct xf_incoming *)l->taken.next, false);
    (void)MHD_run(l->daemon);
    MHD_stop_daemon(l->daemon);
    xf_certificate_let_go(l->certificate);
    free_ways(&l->ways);
    free(l);
}

uint16_t xf_listener_port(const struct xf_listener *l)
{
    return l->port;
}

int xf_listener_renew(struct xf_listener *l, const char *certificate, const char *private_key, int64_t now,
                      struct xf_err *err)
{
    struct xf_certificate *renewed;

    if (l->certificate == NULL)
        return xf_fail(err, "what listens without TLS shows no certificate");
    renewed = xf_certificate_new(certificate, private_key, err);
    if (renewed == NULL)
        return -1;
    if (xf_certificate_expires(renewed) < now) {
        xf_certificate_let_go(renewed);
        return xf_fail(err, "the certificate has expired");
    }
    xf_certificate_let_go(l->certificate);
    l->certificate = renewed;
    return 0;
}

int64_t xf_listener_expires(const struct xf_listener *l)
{
    return l->certificate != NULL ? xf_certificate_expires(l->certificate) : 0;
}

void xf_listener_quiesce(struct xf_listener *l)
{
    const int fd = MHD_quiesce_daemon(l->daemon);

    l->fd = -1;
    if (fd >= 0)
        (void)close(fd);
}

size_t xf_listener_requests(const struct xf_listener *l)
{
    return l->requests;
}

struct xf_incoming *xf_listener_take(struct xf_listener *l)
{
    struct xf_link *link = l->waiting.next;

    if (link == &l->waiting)
        return NULL;
    xf_link_remove(link);
    xf_link_append(&l->taken, link);
    return (struct xf_incoming *)link;
}
