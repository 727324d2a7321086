#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "incoming.h"

enum {
    HEADER_MEMORY = 16 * 1024, /* bytes a connection; longer headers are answered 431 */
    DEFAULT_BODY_CAP = 4 * 1024 * 1024,
    DEFAULT_CONNECTIONS = 1024,
    DEFAULT_IDLE_S = 60,
    LONGEST_WAIT_MS = 60 * 1000,
};

struct xf_listener {
    struct MHD_Daemon *daemon;
    struct xf_loop *loop;
    struct xf_watcher watcher;
    struct xf_link waiting, taken; /* whole requests, oldest first */
    struct xf_link clients; /* connections that owe a whole request, oldest debt first */
    bool resumed; /* connections, of which libmicrohttpd 0.9.75 wakes nobody */
    size_t body_cap;
    double idle_s;
    uint16_t port;
};

/* libmicrohttpd's own time-out starts anew at every byte, so that a client
 * sending one now and then would stay for ever. */
struct client {
    struct xf_link link; /* first */
    struct MHD_Connection *connection;
    double since; /* xf_loop_clock when it began to owe */
};

/* ---- called by libmicrohttpd, from MHD_run */

static void owe(struct xf_listener *l, struct client *client)
{
    client->since = xf_loop_clock();
    xf_link_remove(&client->link);
    xf_link_append(&l->clients, &client->link);
}

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info->socket_context;
}

static void on_connection(void *payload, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct xf_listener *l = payload;
    struct client *client = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        client = calloc(1, sizeof *client);
        if (client != NULL) {
            xf_link_alone(&client->link);
            client->connection = connection;
            owe(l, client);
        }
        *context = client; /* without memory it is one that nobody hurries */
    } else if (client != NULL) {
        xf_link_remove(&client->link);
        free(client);
        *context = NULL;
    }
}

/* The first that is heard of a request; what it returns is on_request's context. */
static void *on_address(void *payload, const char *address, struct MHD_Connection *connection)
{
    struct xf_listener *l = payload;
    struct xf_incoming *in = xf_incoming_new(connection, l->body_cap, &l->resumed);

    if (in != NULL)
        in->nul = strstr(address, "%00") != NULL;
    return in;
}

static enum MHD_Result receive(struct xf_listener *l, struct xf_incoming *in, const char *piece,
                               size_t *piece_size)
{
    in->received += *piece_size;
    /* A body that turns out too long is read to its end, and refused then: in
     * the midst of it libmicrohttpd takes no answer. */
    if (in->received > l->body_cap)
        xf_bytes_free(&in->body);
    else
        xf_bytes_add(&in->body, piece, *piece_size);
    *piece_size = 0;
    return MHD_YES;
}

static enum MHD_Result finish(struct xf_listener *l, struct xf_incoming *in)
{
    struct client *client = client_of(in->connection);

    if (client != NULL)
        xf_link_remove(&client->link);
    if (in->received > l->body_cap)
        return xf_incoming_refuse(in, MHD_HTTP_CONTENT_TOO_LARGE);
    if (in->body.failed)
        return xf_incoming_refuse(in, MHD_HTTP_SERVICE_UNAVAILABLE);
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
    (void)version;
    if (in == NULL)
        return MHD_NO;
    switch (in->state) {
    case XF_INCOMING_NEW:
        in->state = XF_INCOMING_RECEIVING;
        in->path = url;
        in->method = method;
        status = xf_incoming_check(in, l->body_cap);
        return status == 0 ? MHD_YES : xf_incoming_refuse(in, status);
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
    struct client *client = client_of(connection);

    (void)code;
    xf_incoming_free(*context);
    *context = NULL;
    if (client != NULL)
        owe(payload, client);
}

/* ---- called by the loop */

static int timeout_ms(void *payload)
{
    const struct xf_listener *l = payload;
    MHD_UNSIGNED_LONG_LONG ms = LONGEST_WAIT_MS;
    double left;

    if (l->resumed)
        return 0;
    if (MHD_get_timeout(l->daemon, &ms) != MHD_YES || ms > LONGEST_WAIT_MS)
        ms = LONGEST_WAIT_MS;
    if (l->clients.next != &l->clients) {
        left = ((const struct client *)l->clients.next)->since + l->idle_s - xf_loop_clock();
        if (left * 1000 < (double)ms)
            ms = left > 0 ? (MHD_UNSIGNED_LONG_LONG)(left * 1000) + 1 : 0;
    }
    return (int)ms;
}

static void work(void *payload)
{
    struct xf_listener *l = payload;
    double now = xf_loop_clock();

    l->resumed = false;
    (void)MHD_run(l->daemon);
    while (l->clients.next != &l->clients) {
        struct client *client = (struct client *)l->clients.next;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        if (client->since + l->idle_s > now)
            break;
        xf_link_remove(&client->link);
        (void)shutdown(info->connect_fd, SHUT_RDWR); /* the next MHD_run closes it */
    }
}

/* ---- opening and closing */

static struct MHD_Daemon *start(struct xf_listener *l, const struct xf_listener_options *o, int fd)
{
    unsigned idle_s = o->idle_s > 0 ? o->idle_s : DEFAULT_IDLE_S;

    l->idle_s = idle_s;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, l,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)HEADER_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
                            o->connections > 0 ? o->connections : (unsigned)DEFAULT_CONNECTIONS,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address, MHD_OPTION_CONNECTION_TIMEOUT,
                            idle_s, MHD_OPTION_URI_LOG_CALLBACK, on_address, l, MHD_OPTION_NOTIFY_CONNECTION,
                            on_connection, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_END);
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
    xf_link_alone(&l->clients);
    l->loop = loop;
    l->body_cap = o->body_cap > 0 ? o->body_cap : (size_t)DEFAULT_BODY_CAP;
    l->port = o->port;
    fd = xf_address_listen(host, &l->port, err);
    if (fd < 0)
        goto fail;
    l->daemon = start(l, o, fd);
    if (l->daemon == NULL) {
        (void)xf_fail(err, "cannot start to listen on port %u of %s: %s", l->port, host, strerror(errno));
        goto fail;
    }
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
    free(l);
    return NULL;
}

void xf_listener_free(struct xf_listener *l)
{
    if (l == NULL)
        return;
    xf_loop_unwatch(l->loop, &l->watcher);
    while (l->waiting.next != &l->waiting)
        xf_incoming_drop((struct xf_incoming *)l->waiting.next, false);
    while (l->taken.next != &l->taken)
        xf_incoming_drop((struct xf_incoming *)l->taken.next, false);
    (void)MHD_run(l->daemon);
    MHD_stop_daemon(l->daemon);
    free(l);
}

uint16_t xf_listener_port(const struct xf_listener *l)
{
    return l->port;
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
