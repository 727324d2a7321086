#include "incoming.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- making and refusing */

struct xf_incoming *xf_incoming_new(struct MHD_Connection *connection, size_t body_cap,
                                    struct xf_incoming_ways *ways)
{
    struct xf_incoming *in = calloc(1, sizeof *in);

    if (in == NULL)
        return NULL;
    xf_link_alone(&in->link);
    in->connection = connection;
    in->ways = ways;
    in->state = XF_INCOMING_NEW;
    xf_bytes_init(&in->body, body_cap);
    return in;
}

void xf_incoming_keep(struct xf_incoming *in, const char *piece, size_t size)
{
    const size_t before = in->body.size;

    xf_bytes_add(&in->body, piece, size);
    in->ways->kept += in->body.size - before; /* out of memory it is empty: then this takes away */
}

void xf_incoming_forget(struct xf_incoming *in)
{
    in->ways->kept -= in->body.size;
    xf_bytes_free(&in->body);
}

void xf_incoming_free(struct xf_incoming *in)
{
    if (in == NULL)
        return;
    xf_link_remove(&in->link);
    xf_incoming_forget(in);
    free(in);
}

enum MHD_Result xf_incoming_refuse(struct xf_incoming *in, unsigned status)
{
    in->state = XF_INCOMING_LET_GO;
    xf_incoming_forget(in);
    return MHD_queue_response(in->connection, status, in->ways->last);
}

/* ---- reading */

const char *xf_incoming_method(const struct xf_incoming *in)
{
    return in->method;
}

const char *xf_incoming_path(const struct xf_incoming *in)
{
    return in->path;
}

unsigned xf_incoming_screened(const struct xf_incoming *in)
{
    return in->screened;
}

const char *xf_incoming_body(const struct xf_incoming *in, size_t *size)
{
    *size = in->body.size;
    return in->body.data != NULL ? in->body.data : "";
}

struct each {
    void (*call)(void *payload, const char *name, const char *value);
    void *payload;
};

static enum MHD_Result pass_on(void *payload, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct each *each = payload;

    (void)kind;
    each->call(each->payload, name, value);
    return MHD_YES;
}

void xf_incoming_each_argument(const struct xf_incoming *in,
                               void (*each)(void *payload, const char *name, const char *value),
                               void *payload)
{
    struct each e = {each, payload};

    (void)MHD_get_connection_values(in->connection, MHD_GET_ARGUMENT_KIND, pass_on, &e);
}

void xf_incoming_each_header(const struct xf_incoming *in,
                             void (*each)(void *payload, const char *name, const char *value), void *payload)
{
    struct each e = {each, payload};

    (void)MHD_get_connection_values(in->connection, MHD_HEADER_KIND, pass_on, &e);
}

/* ---- answering */

struct fragment {
    size_t size;
    char bytes[];
};

static ssize_t read_fragment(void *payload, uint64_t position, char *to, size_t most)
{
    const struct fragment *f = payload;
    size_t n;

    if (position >= f->size)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = f->size - (size_t)position;
    if (n > most)
        n = most;
    memcpy(to, f->bytes + position, n);
    return (ssize_t)n;
}

static struct MHD_Response *make_cut_response(const struct xf_answer *a)
{
    struct fragment *f = malloc(sizeof *f + a->cut);
    struct MHD_Response *response = NULL;

    if (f == NULL)
        return NULL;
    f->size = a->cut;
    memcpy(f->bytes, a->body, a->cut);
    response = MHD_create_response_from_callback(a->size, (size_t)16 * 1024, read_fragment, f, free);
    if (response == NULL)
        free(f);
    return response;
}

static struct MHD_Response *make_whole_response(const struct xf_answer *a)
{
    char *copy = malloc(a->size + 1);
    struct MHD_Response *response = NULL;

    if (copy == NULL)
        return NULL;
    if (a->size > 0)
        memcpy(copy, a->body, a->size);
    response = MHD_create_response_from_buffer(a->size, copy, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(copy);
    return response;
}

static int add_header(struct MHD_Response *response, const char *name, const char *value, struct xf_err *err)
{
    if (MHD_add_response_header(response, name, value) != MHD_YES)
        return xf_fail(err, "header \"%s\" of the answer has a name or value that HTTP does not allow", name);
    return 0;
}

static int add_headers(struct MHD_Response *response, const struct xf_answer *a, struct xf_err *err)
{
    const char *const *h;

    if (a->type != NULL && add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type, err) != 0)
        return -1;
    /* Nothing is left out then, and all there is to rehearse is the closing. */
    if (a->cut >= a->size && a->cut > 0 &&
        add_header(response, MHD_HTTP_HEADER_CONNECTION, "close", err) != 0)
        return -1;
    for (h = a->headers; h != NULL && h[0] != NULL; h += 2)
        if (add_header(response, h[0], h[1], err) != 0)
            return -1;
    return 0;
}

/* Nothing tells of a client that left while its connection was suspended. */
static bool client_is_gone(const struct xf_incoming *in)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd p = {.fd = info->connect_fd};

    return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* Without an answer queued, libmicrohttpd asks once more and is told to close. */
static void let_go(struct xf_incoming *in)
{
    xf_link_remove(&in->link);
    in->state = XF_INCOMING_LET_GO;
    xf_incoming_forget(in);
    MHD_resume_connection(in->connection);
    in->ways->resumed = true;
}

int xf_incoming_answer(struct xf_incoming *in, const struct xf_answer *a, struct xf_err *err)
{
    struct MHD_Response *response = NULL;
    int rc = -1;

    if (a->status < 200 || a->status > 599) {
        (void)xf_fail(err, "status %u cannot be answered; use one from 200 to 599", a->status);
        goto done;
    }
    if (client_is_gone(in)) {
        (void)xf_fail(err, "the client broke its connection before it was answered");
        goto done;
    }
    response = a->cut > 0 && a->cut < a->size ? make_cut_response(a) : make_whole_response(a);
    if (response == NULL) {
        (void)xf_fail(err, "out of memory for an answer of %zu bytes", a->size);
        goto done;
    }
    if (add_headers(response, a, err) != 0)
        goto done;
    if (MHD_queue_response(in->connection, a->status, response) != MHD_YES) {
        (void)xf_fail(err, "the HTTP library did not take the answer");
        goto done;
    }
    rc = 0;
done:
    if (response != NULL)
        MHD_destroy_response(response);
    let_go(in);
    return rc;
}

void xf_incoming_finish(struct xf_incoming *in, unsigned status, bool close)
{
    (void)MHD_queue_response(in->connection, status, close ? in->ways->last : in->ways->empty);
    let_go(in);
}

void xf_incoming_drop(struct xf_incoming *in, bool reset)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (reset) {
        /* libmicrohttpd shuts a socket down before it closes it, and the client
         * would see an orderly end; on Linux, connecting to nobody resets now. */
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        (void)connect(info->connect_fd, &nobody, sizeof nobody);
    }
    let_go(in);
}
