/*
 * Who is connected to a listener: for how long each has owed a whole request,
 * and how many are of one address. For listener.c.
 *
 * Whoever comes when there are too many of his address is let in all the same if
 * there is one of them to close in his place: the connection that has owed its
 * request for the longest, and for XF_EVICT_AFTER at least. When there are too
 * many in all, he waits in the backlog until there is one. So slow clients make
 * way for honest ones, and a burst of honest ones does not make its own leave.
 */
#ifndef XF_CLIENTS_H
#define XF_CLIENTS_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "link.h"

struct xf_certificate;

/* Seconds. */
#define XF_EVICT_AFTER 0.5

enum { XF_CLIENT_BUCKETS = 1024, XF_CLIENT_ADDRESS = 16 };

struct xf_client {
    struct xf_link owing; /* first; in xf_clients.owing while it owes a request */
    struct xf_link near; /* in the bucket of its address */
    struct MHD_Connection *connection;
    struct xf_certificate *certificate; /* that it is shown; or NULL */
    double since; /* xf_loop_clock when it began to owe */
    bool evicted; /* its socket is shut down, its end is on the way */
    unsigned char address[XF_CLIENT_ADDRESS]; /* IPv6, or IPv4 in its last four */
};

struct xf_clients {
    struct xf_link owing; /* oldest debt first */
    struct xf_link buckets[XF_CLIENT_BUCKETS];
    size_t count; /* without the evicted */
    size_t most, per_address; /* per_address 0: any number */
};

/* Nobody is there yet. */
void xf_clients_init(struct xf_clients *c, size_t most, size_t per_address);

/* Whether one more may come from this address; evicts another for it if need be. */
bool xf_clients_admit(struct xf_clients *c, const struct sockaddr *address);
/* As many as may be in all. Then, if more wait: evicts some of those that owe for too long. */
bool xf_clients_full(const struct xf_clients *c);
void xf_clients_make_way(struct xf_clients *c);
/* One has come, who is shown the certificate (NULL: none) and keeps it. NULL when out of
 * memory: then nobody hurries him, and he is shown none. */
struct xf_client *xf_client_new(struct xf_clients *c, struct MHD_Connection *connection,
                                struct xf_certificate *certificate);
void xf_client_free(struct xf_clients *c, struct xf_client *client);

/* From now on it owes a request; it owes none, for one is whole. */
void xf_client_owe(struct xf_clients *c, struct xf_client *client);
void xf_client_pay(struct xf_client *client);

/* Seconds until the oldest debt is `limit` old; -1: nobody owes. */
double xf_clients_left(const struct xf_clients *c, double limit);
/* Shuts down those that have owed for longer; libmicrohttpd closes them when it runs next. */
void xf_clients_hurry(struct xf_clients *c, double limit);

#endif
