#include "clients.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "certificate.h"
#include "loop.h"

void xf_clients_init(struct xf_clients *c, size_t most, size_t per_address)
{
    xf_link_alone(&c->owing);
    for (int i = 0; i < XF_CLIENT_BUCKETS; i++)
        xf_link_alone(&c->buckets[i]);
    c->count = 0;
    c->most = most;
    c->per_address = per_address;
}

static void read_address(unsigned char out[XF_CLIENT_ADDRESS], const struct sockaddr *address)
{
    static const unsigned char v4[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memset(out, 0, XF_CLIENT_ADDRESS);
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, XF_CLIENT_ADDRESS);
    } else if (address->sa_family == AF_INET) {
        memcpy(out, v4, sizeof v4);
        memcpy(out + sizeof v4, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
}

static struct xf_link *bucket_of(struct xf_clients *c, const unsigned char address[XF_CLIENT_ADDRESS])
{
    unsigned hash = 2166136261U; /* FNV-1a */

    for (int i = 0; i < XF_CLIENT_ADDRESS; i++)
        hash = (hash ^ address[i]) * 16777619U;
    return &c->buckets[hash % XF_CLIENT_BUCKETS];
}

static struct xf_client *of_near(struct xf_link *link)
{
    return (struct xf_client *)(void *)((char *)link - offsetof(struct xf_client, near));
}

static bool owes(const struct xf_client *client)
{
    return client->owing.next != &client->owing;
}

static void close_socket(struct xf_client *client)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    (void)shutdown(info->connect_fd, SHUT_RDWR);
}

static bool evict(struct xf_clients *c, struct xf_client *client)
{
    if (client == NULL || client->since + XF_EVICT_AFTER > xf_loop_clock())
        return false;
    xf_link_remove(&client->owing);
    client->evicted = true;
    c->count--;
    close_socket(client);
    return true;
}

bool xf_clients_admit(struct xf_clients *c, const struct sockaddr *address)
{
    unsigned char wanted[XF_CLIENT_ADDRESS];
    struct xf_client *slowest = NULL;
    struct xf_link *bucket;
    size_t near = 0;

    read_address(wanted, address);
    bucket = bucket_of(c, wanted);
    for (struct xf_link *link = bucket->next; c->per_address > 0 && link != bucket; link = link->next) {
        struct xf_client *client = of_near(link);

        if (client->evicted || memcmp(client->address, wanted, sizeof wanted) != 0)
            continue;
        near++;
        if (owes(client) && (slowest == NULL || client->since < slowest->since))
            slowest = client;
    }
    if (c->per_address > 0 && near >= c->per_address && !evict(c, slowest))
        return false;
    return true;
}

bool xf_clients_full(const struct xf_clients *c)
{
    return c->count >= c->most;
}

void xf_clients_make_way(struct xf_clients *c)
{
    for (size_t i = 0; i <= c->most / 4 && c->owing.next != &c->owing; i++)
        if (!evict(c, (struct xf_client *)c->owing.next))
            break;
}

/* Before the handshake. Without one it fails. */
static void show(struct xf_client *client, struct xf_certificate *certificate)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    if (info != NULL && xf_certificate_show(certificate, info->tls_session) == 0)
        client->certificate = xf_certificate_keep(certificate);
}

struct xf_client *xf_client_new(struct xf_clients *c, struct MHD_Connection *connection,
                                struct xf_certificate *certificate)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct xf_client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return NULL;
    xf_link_alone(&client->owing);
    client->connection = connection;
    read_address(client->address, info != NULL ? info->client_addr : NULL);
    xf_link_append(bucket_of(c, client->address), &client->near);
    c->count++;
    if (certificate != NULL)
        show(client, certificate);
    xf_client_owe(c, client);
    return client;
}

void xf_client_free(struct xf_clients *c, struct xf_client *client)
{
    if (client == NULL)
        return;
    xf_link_remove(&client->owing);
    xf_link_remove(&client->near);
    c->count -= client->evicted ? 0 : 1;
    xf_certificate_let_go(client->certificate);
    free(client);
}

void xf_client_owe(struct xf_clients *c, struct xf_client *client)
{
    if (client == NULL || client->evicted)
        return;
    client->since = xf_loop_clock();
    xf_link_remove(&client->owing);
    xf_link_append(&c->owing, &client->owing);
}

void xf_client_pay(struct xf_client *client)
{
    if (client != NULL)
        xf_link_remove(&client->owing);
}

double xf_clients_left(const struct xf_clients *c, double limit)
{
    double left;

    if (c->owing.next == &c->owing)
        return -1;
    left = ((const struct xf_client *)c->owing.next)->since + limit - xf_loop_clock();
    return left > 0 ? left : 0;
}

void xf_clients_hurry(struct xf_clients *c, double limit)
{
    const double now = xf_loop_clock();

    while (c->owing.next != &c->owing) {
        struct xf_client *client = (struct xf_client *)c->owing.next;

        if (client->since + limit > now)
            break;
        xf_link_remove(&client->owing);
        close_socket(client);
    }
}
