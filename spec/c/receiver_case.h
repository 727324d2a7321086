/* What the receiver's test programs share: a receiver on a free port, a clock that
 * stands, and a client, all in one thread: both sides are moved in turns. */
#ifndef RECEIVER_CASE_H
#define RECEIVER_CASE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "journal_case.h"
#include "journal_push.h"
#include "loop.h"
#include "receiver.h"
#include "timestamp.h"

enum { CASE_STEPS = 5000, CASE_NOW = 1767225600 /* 2026-01-01 08:00:00 UTC+8 */, CASE_REPLY = 16 * 1024 };

static const char case_key[] = "0123456789abcdef-canary";
static const char case_company[] = "100001";

static int64_t case_clock(void *payload)
{
    return *(int64_t *)payload;
}

struct receiver_case {
    struct journal_case files;
    struct xf_loop *loop;
    struct xf_listener *listener;
    struct xf_receiver *receiver;
    struct xf_signer *signer;
    struct xf_source clock;
    int64_t now;
    size_t written; /* pushes, so far */
};

/* In place: the receiver points into it. */
static inline void receiver_start(struct receiver_case *c, struct xf_listener_options o)
{
    struct xf_receiver_options r = {.company_code = case_company, .offset = XF_UTC_OFFSET, .quiet = true};
    struct xf_err err = {""};

    *c = (struct receiver_case){.files = case_start(), .now = CASE_NOW};
    c->clock = (struct xf_source){.now = case_clock, .payload = &c->now};
    r.clock = &c->clock;
    r.journal = c->files.path;
    c->loop = xf_loop_new(&err);
    c->signer = xf_signer_new(case_key, sizeof case_key - 1, "merchant", 8, &err);
    c->receiver = c->signer != NULL ? xf_receiver_new(&r, c->signer, &err) : NULL;
    o.screen = xf_receiver_screen;
    o.payload = c->receiver;
    c->listener = c->receiver != NULL ? xf_listener_new(c->loop, &o, &err) : NULL;
    if (c->listener == NULL) {
        (void)fprintf(stderr, "# %s\n", err.message);
        abort();
    }
}

static inline void receiver_end(struct receiver_case *c)
{
    xf_listener_free(c->listener);
    xf_receiver_free(c->receiver);
    xf_signer_free(c->signer);
    xf_loop_free(c->loop);
    case_end(&c->files);
}

static inline void receiver_step(struct receiver_case *c)
{
    struct xf_err err;

    CHECK(xf_loop_step(c->loop, 2, &err) == 0);
    c->written += xf_receiver_turn(c->receiver, c->listener);
}

static inline int client_open(const struct receiver_case *c, const char *from)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(xf_listener_port(c->listener))};
    struct sockaddr_in own = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (from != NULL && (inet_pton(AF_INET, from, &own.sin_addr) != 1 ||
                         bind(fd, (const struct sockaddr *)&own, sizeof own) != 0))
        abort();
    if (fd < 0 || (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
        abort();
    return fd;
}

/* What came back; `end` tells whether the connection has ended. */
struct reply {
    int status; /* 0: none */
    bool end;
    size_t size;
    char text[CASE_REPLY];
};

static inline void reply_pump(int fd, struct reply *r)
{
    while (!r->end && r->size < sizeof r->text - 1) {
        const ssize_t n = recv(fd, r->text + r->size, sizeof r->text - 1 - r->size, 0);

        if (n < 0 && errno == EAGAIN)
            break;
        if (n > 0)
            r->size += (size_t)n;
        else
            r->end = true;
    }
    r->text[r->size] = '\0';
    if (r->size >= 12 && strstr(r->text, "\r\n\r\n") != NULL)
        r->status = (int)strtol(r->text + 9, NULL, 10);
}

/* Sends all bytes, then waits for a status line or an end. */
static inline struct reply client_ask(struct receiver_case *c, int fd, const char *bytes, size_t size)
{
    struct reply r = {0};

    for (int i = 0; i < CASE_STEPS && size > 0; i++) {
        const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (errno != EAGAIN) {
            break;
        }
        receiver_step(c);
    }
    for (int i = 0; i < CASE_STEPS && r.status == 0 && !r.end; i++) {
        receiver_step(c);
        reply_pump(fd, &r);
    }
    return r;
}

/* Whether the connection ends by itself soon. */
static inline bool client_ends(struct receiver_case *c, int fd)
{
    struct reply r = {0};

    for (int i = 0; i < 200 && !r.end; i++) {
        receiver_step(c);
        reply_pump(fd, &r);
        r.size = 0;
    }
    return r.end;
}

/* yyyyMMddHHmmss of the case's time and `seconds` more, and eight digits. */
static inline const char *case_trans_id(const struct receiver_case *c, int64_t seconds, unsigned tail,
                                        char out[32])
{
    (void)xf_timestamp_format(out, c->now + seconds, XF_UTC_OFFSET);
    (void)snprintf(out + XF_TIMESTAMP_LENGTH, 18, "%08u", tail % 100000000);
    return out;
}

static inline void case_token(struct receiver_case *c, const char *trans_id, char out[XF_TOKEN_LENGTH + 1])
{
    struct xf_err err;

    if (xf_sign(c->signer, trans_id, strlen(trans_id), out, &err) != 0)
        (void)snprintf(out, XF_TOKEN_LENGTH + 1, "%064d", 0); /* nothing signs this */
}

#endif
