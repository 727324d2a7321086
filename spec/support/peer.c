#include "peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_REQUEST_MOST = 2 * 1024 * 1024, PEER_DRIP_MS = 50 };

struct connection {
    struct peer *peer;
    struct connection *next;
    pthread_t thread;
    int fd; /* -1 once closed; changed only under the peer's lock */
    int served; /* requests of this connection */
    int number, before; /* of this request and the one before, among all of the peer's */
    char *buffer;
    size_t size, room;
};

/* What is done with a whole request; false ends the connection. */
typedef bool (*peer_answer)(struct connection *c);

struct behaviour {
    const char *name;
    peer_answer answer; /* to a whole request; NULL: the fixed reply */
    bool (*meet)(struct connection *c); /* instead of reading one */
    const char *status, *type, *body; /* the fixed reply; body NULL: the argument */
};

struct peer {
    const struct behaviour *behaviour;
    char *argument;
    char status[32]; /* of status:NNN */
    char url[48];
    int port, fd;
    bool accepting; /* the thread runs */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    bool stopping;
    struct connection *connections;
    int connected;
    char **requests;
    int count, room;
};

/* ---- Bytes */

static bool put(struct connection *c, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

static bool put_text(struct connection *c, const char *text)
{
    return put(c, text, strlen(text));
}

static bool put_reply(struct connection *c, const char *status, const char *type, const char *body)
{
    char head[256];
    size_t size = strlen(body);
    char *all;
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: %s\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     status, type, size);
    bool ok;

    if (n < 0 || (size_t)n >= sizeof head || (all = malloc((size_t)n + size)) == NULL)
        return false;
    memcpy(all, head, (size_t)n);
    memcpy(all + n, body, size);
    ok = put(c, all, (size_t)n + size);
    free(all);
    return ok;
}

/* Until the client closes, or peer_stop does. */
static bool wait_for_close(struct connection *c)
{
    char byte[512];

    while (recv(c->fd, byte, sizeof byte, 0) > 0)
        continue;
    return false;
}

/* So that close() sends RST instead of FIN. */
static bool reset(struct connection *c)
{
    const struct linger hard = {1, 0};

    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    return false;
}

static bool drip(struct connection *c, const char *before)
{
    struct pollfd p = {c->fd, POLLIN | POLLRDHUP, 0};

    if (!put_text(c, before))
        return false;
    while (poll(&p, 1, PEER_DRIP_MS) == 0)
        if (!put_text(c, "1"))
            break;
    return false;
}

static bool pour(struct connection *c, const char *before, const char *again)
{
    if (!put_text(c, before))
        return false;
    while (put_text(c, again))
        continue;
    return false;
}

/* ---- Behaviours */

static bool meet_with_reset(struct connection *c)
{
    return reset(c);
}

static bool meet_with_half_reset(struct connection *c)
{
    char bytes[10];

    (void)recv(c->fd, bytes, sizeof bytes, 0);
    return reset(c);
}

static bool hang_up(struct connection *c)
{
    (void)c;
    return false;
}

static bool answer_half_headers(struct connection *c)
{
    (void)put_text(c, "HTTP/1.1 200 OK\r\nContent-Type: applic");
    return false;
}

static bool answer_half(struct connection *c)
{
    (void)put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"responseCode\":\"1000");
    return false;
}

static bool answer_bad_chunk(struct connection *c)
{
    (void)put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
    return false;
}

static bool answer_half_chunks(struct connection *c)
{
    (void)put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n");
    return false;
}

static bool answer_two_lengths(struct connection *c)
{
    (void)put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 2\r\n\r\n{}{}");
    return false;
}

static bool answer_http09(struct connection *c)
{
    (void)put_text(c, "{\"responseCode\":\"100000\"}");
    return false;
}

static bool answer_drip(struct connection *c)
{
    return drip(c, "HTTP/1.1 200 OK\r\n\r\n[");
}

static bool answer_drip_headers(struct connection *c)
{
    return drip(c, "HTTP/1.1 200 OK\r\nX-Long: ");
}

static bool answer_endless(struct connection *c)
{
    return pour(c, "HTTP/1.1 200 OK\r\n\r\n[",
                "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,");
}

static bool answer_endless_headers(struct connection *c)
{
    return pour(c, "HTTP/1.1 200 OK\r\n", "X-More: 0123456789012345678901234567890123456789\r\n");
}

static bool answer_big(struct connection *c)
{
    return pour(c, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
                "0123456789012345678901234567890123456789");
}

static bool answer_deep(struct connection *c)
{
    char body[2001];

    memset(body, '[', 1000);
    memset(body + 1000, ']', 1000);
    body[2000] = '\0';
    return put_reply(c, "200 OK", "application/json", body);
}

static bool answer_redirect(struct connection *c)
{
    char text[256];
    int n = snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n",
                     c->peer->url);

    return put(c, text, (size_t)n);
}

static bool answer_first_only(struct connection *c)
{
    return c->served == 1 && put_reply(c, "200 OK", "application/json", c->peer->argument);
}

static bool answer_interim(struct connection *c)
{
    return put_text(c, "HTTP/1.1 103 Early Hints\r\nDate: x\r\nContent-Length: 9\r\n\r\n") &&
           put_reply(c, "200 OK", "application/json", c->peer->argument);
}

static bool answer_chunked(struct connection *c)
{
    char size[32];
    const char *body = c->peer->argument;

    (void)snprintf(size, sizeof size, "%zx\r\n", strlen(body));
    return put_text(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n") &&
           put_text(c, size) && put_text(c, body) && put_text(c, "\r\n0\r\n\r\n");
}

static bool put_numbered(struct connection *c, int number)
{
    char *text = strdup(c->peer->argument);
    char *at;
    bool ok;

    if (text == NULL)
        return false;
    at = strchr(text, '#');
    for (size_t left = at != NULL ? strspn(at, "#") : 0; left > 0; number /= 10)
        at[--left] = (char)('0' + number % 10);
    ok = put_reply(c, "200 OK", "application/json", text);
    free(text);
    return ok;
}

static bool answer_numbered(struct connection *c)
{
    return put_numbered(c, c->number);
}

static bool answer_one_behind(struct connection *c)
{
    return put_numbered(c, c->served == 1 ? c->number : c->before);
}

static const char JSON[] = "application/json";
static const char PLAIN[] = "200 OK";

static const struct behaviour behaviours[] = {
    {"reset_on_accept", NULL, meet_with_reset, NULL, NULL, NULL},
    {"half_request_reset", NULL, meet_with_half_reset, NULL, NULL, NULL},
    {"reset_before_reply", reset, NULL, NULL, NULL, NULL},
    {"close_before_reply", hang_up, NULL, NULL, NULL, NULL},
    {"no_reply", wait_for_close, NULL, NULL, NULL, NULL},
    {"half_headers", answer_half_headers, NULL, NULL, NULL, NULL},
    {"half_reply", answer_half, NULL, NULL, NULL, NULL},
    {"bad_chunk", answer_bad_chunk, NULL, NULL, NULL, NULL},
    {"half_chunks", answer_half_chunks, NULL, NULL, NULL, NULL},
    {"two_content_lengths", answer_two_lengths, NULL, NULL, NULL, NULL},
    {"http09", answer_http09, NULL, NULL, NULL, NULL},
    {"drip", answer_drip, NULL, NULL, NULL, NULL},
    {"drip_headers", answer_drip_headers, NULL, NULL, NULL, NULL},
    {"endless", answer_endless, NULL, NULL, NULL, NULL},
    {"endless_headers", answer_endless_headers, NULL, NULL, NULL, NULL},
    {"big", answer_big, NULL, NULL, NULL, NULL},
    {"deep", answer_deep, NULL, NULL, NULL, NULL},
    {"redirect_302", answer_redirect, NULL, NULL, NULL, NULL},
    {"reuse_then_die", answer_first_only, NULL, NULL, NULL, NULL},
    {"interim", answer_interim, NULL, NULL, NULL, NULL},
    {"chunked", answer_chunked, NULL, NULL, NULL, NULL},
    {"numbered", answer_numbered, NULL, NULL, NULL, NULL},
    {"one_behind", answer_one_behind, NULL, NULL, NULL, NULL},
    {"json", NULL, NULL, PLAIN, JSON, NULL},
    {"html_200", NULL, NULL, PLAIN, "text/html", "<html><body>Welcome</body></html>"},
    {"empty_200", NULL, NULL, PLAIN, JSON, ""},
    {"invalid_utf8", NULL, NULL, PLAIN, JSON, "{\"responseCode\":\"\xc0\xaf\"}"},
    {"nan", NULL, NULL, PLAIN, JSON, "{\"responseCode\":NaN}"},
    {"status_500", NULL, NULL, "500 Internal Server Error", JSON, "{\"responseCode\":\"100000\"}"},
    {"status:", NULL, NULL, NULL, JSON, NULL},
    {"refuse", NULL, NULL, NULL, NULL, NULL},
};

static bool answer_fixed(struct connection *c)
{
    const struct behaviour *b = c->peer->behaviour;

    return put_reply(c, b->status != NULL ? b->status : c->peer->status, b->type,
                     b->body != NULL ? b->body : c->peer->argument);
}

/* ---- Requests */

/* The size of the whole request at the start of the buffer, 0 if it is not all there yet. */
static size_t whole(struct connection *c)
{
    const char *end, *line;
    size_t head, body = 0;

    c->buffer[c->size] = '\0';
    end = strstr(c->buffer, "\r\n\r\n");
    if (end == NULL)
        return 0;
    head = (size_t)(end - c->buffer) + 4;
    line = strcasestr(c->buffer, "\r\nContent-Length:");
    if (line != NULL && line < end)
        body = strtoul(line + 17, NULL, 10);
    return c->size >= head + body ? head + body : 0;
}

static bool keep_request(struct connection *c, size_t size)
{
    struct peer *p = c->peer;
    char *copy = strndup(c->buffer, size);
    bool ok = copy != NULL;

    (void)pthread_mutex_lock(&p->lock);
    if (ok && p->count == p->room) {
        int room = p->room * 2 + 16;
        char **more = realloc(p->requests, (size_t)room * sizeof *more);

        ok = more != NULL;
        if (ok) {
            p->requests = more;
            p->room = room;
        }
    }
    if (ok)
        p->requests[p->count++] = copy;
    else
        free(copy);
    c->before = c->number;
    c->number = p->count;
    (void)pthread_mutex_unlock(&p->lock);
    return ok;
}

static bool more(struct connection *c)
{
    ssize_t n;

    if (c->room - c->size < 4096) {
        size_t room = c->room * 2 + 8192;
        char *bigger = room <= PEER_REQUEST_MOST * 2 ? realloc(c->buffer, room) : NULL;

        if (bigger == NULL)
            return false;
        c->buffer = bigger;
        c->room = room;
    }
    n = recv(c->fd, c->buffer + c->size, c->room - c->size - 1, 0);
    if (n <= 0)
        return false;
    c->size += (size_t)n;
    return true;
}

/* False when the connection is over. */
static bool serve_one(struct connection *c)
{
    const struct behaviour *b = c->peer->behaviour;
    size_t size;

    if (b->meet != NULL)
        return b->meet(c);
    while (c->size == 0 || (size = whole(c)) == 0) {
        if (!more(c))
            return false;
        if (c->buffer[0] < 'A' || c->buffer[0] > 'Z') { /* TLS, for one */
            (void)put_text(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return false;
        }
    }
    if (!keep_request(c, size))
        return false;
    memmove(c->buffer, c->buffer + size, c->size - size);
    c->size -= size;
    c->served++;
    return b->answer != NULL ? b->answer(c) : answer_fixed(c);
}

/* ---- Threads */

static void *serve(void *data)
{
    struct connection *c = data;

    while (serve_one(c))
        continue;
    (void)pthread_mutex_lock(&c->peer->lock);
    (void)close(c->fd); /* under the lock: peer_stop must not shut down another's descriptor */
    c->fd = -1;
    (void)pthread_mutex_unlock(&c->peer->lock);
    return NULL;
}

/* False ends the accepting. */
static bool admit(struct peer *p, int fd)
{
    struct connection *c = calloc(1, sizeof *c);
    bool ok = false;

    (void)pthread_mutex_lock(&p->lock);
    if (c != NULL && !p->stopping) {
        c->peer = p;
        c->fd = fd;
        ok = pthread_create(&c->thread, NULL, serve, c) == 0;
        if (ok) {
            c->next = p->connections;
            p->connections = c;
            p->connected++;
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (!ok) {
        (void)close(fd);
        free(c);
    }
    return ok;
}

static void *accept_all(void *data)
{
    struct peer *p = data;
    int fd;

    while ((fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        if (!admit(p, fd))
            break;
    return NULL;
}

static const struct behaviour *find(struct peer *p, const char *name)
{
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        const struct behaviour *b = &behaviours[i];
        size_t size = strlen(b->name);

        if (b->name[size - 1] == ':' && strncmp(name, b->name, size) == 0) {
            (void)snprintf(p->status, sizeof p->status, "%s Scripted", name + size);
            return b;
        }
        if (strcmp(name, b->name) == 0)
            return b;
    }
    return NULL;
}

static int open_port(struct peer *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;

    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&a, size) != 0 ||
        getsockname(p->fd, (struct sockaddr *)&a, &size) != 0)
        return -1;
    p->port = ntohs(a.sin_port);
    (void)snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d", p->port);
    if (strcmp(p->behaviour->name, "refuse") == 0)
        return 0; /* bound, so that nobody else gets it, and not listening */
    if (listen(p->fd, 1024) != 0 || pthread_create(&p->thread, NULL, accept_all, p) != 0)
        return -1;
    p->accepting = true;
    return 0;
}

struct peer *peer_start(const char *behaviour, const char *argument)
{
    struct peer *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->fd = -1;
    (void)pthread_mutex_init(&p->lock, NULL);
    p->argument = strdup(argument != NULL ? argument : "{}");
    p->behaviour = find(p, behaviour);
    if (p->argument == NULL || p->behaviour == NULL || open_port(p) != 0) {
        peer_stop(p);
        return NULL;
    }
    return p;
}

void peer_stop(struct peer *p)
{
    if (p == NULL)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->stopping = true;
    for (struct connection *c = p->connections; c != NULL; c = c->next)
        if (c->fd >= 0)
            (void)shutdown(c->fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&p->lock);
    if (p->accepting) {
        (void)shutdown(p->fd, SHUT_RDWR); /* wakes accept */
        (void)pthread_join(p->thread, NULL);
    }
    while (p->connections != NULL) {
        struct connection *c = p->connections;

        p->connections = c->next;
        (void)pthread_join(c->thread, NULL);
        free(c->buffer);
        free(c);
    }
    if (p->fd >= 0)
        (void)close(p->fd);
    for (int i = 0; i < p->count; i++)
        free(p->requests[i]);
    free(p->requests);
    free(p->argument);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

/* ---- What was seen */

int peer_port(const struct peer *p)
{
    return p->port;
}

const char *peer_url(const struct peer *p)
{
    return p->url;
}

int peer_requests(struct peer *p)
{
    int n;

    (void)pthread_mutex_lock(&p->lock);
    n = p->count;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}

int peer_connections(struct peer *p)
{
    int n;

    (void)pthread_mutex_lock(&p->lock);
    n = p->connected;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}

const char *peer_request(struct peer *p, int i)
{
    const char *text = NULL;

    (void)pthread_mutex_lock(&p->lock);
    if (i >= 0 && i < p->count)
        text = p->requests[i];
    (void)pthread_mutex_unlock(&p->lock);
    return text;
}
