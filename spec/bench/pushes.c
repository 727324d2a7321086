/*
 * Sends pushes over many kept connections, one at a time on each, every one with
 * a transId and token of its own, and times them.
 *   pushes PORT PATH CONNECTIONS SECONDS KEY MERCHANT COMPANY BODYFILE [ACKS]
 * Prints: pushes a second, median and 99th percentile of the answer time in ms,
 * answers other than 200, connections lost. With ACKS, the transId of every push
 * that was answered 200 is written there, one a line; then it ends, without a
 * failure, when the server does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MOST = 64 * 1024, REQUEST_MOST = BODY_MOST + 1024, ID = 22, STEPS = 100000 };

struct connection {
    int fd; /* -1: lost */
    double sent_at;
    char id[ID + 1];
    char answer[1024];
    size_t size;
};

struct load {
    const char *path, *company;
    char secret[512]; /* key and merchantId */
    char body[BODY_MOST];
    size_t body_size;
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    unsigned tail;
    FILE *acks;
    uint64_t good, bad, lost;
    uint64_t times[STEPS + 1]; /* answer times in steps of 10 us */
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void make_id(struct load *l, char id[ID + 1])
{
    const time_t east = time(NULL) + 8 * 3600;
    struct tm t;

    (void)gmtime_r(&east, &t);
    (void)strftime(id, ID + 1, "%Y%m%d%H%M%S", &t);
    (void)snprintf(id + 14, 9, "%08u", 80000000 + l->tail++ % 9999999);
}

static void make_token(struct load *l, const char *id, char token[65])
{
    unsigned char digest[32];

    (void)EVP_DigestInit_ex2(l->context, l->sha256, NULL);
    (void)EVP_DigestUpdate(l->context, l->secret, strlen(l->secret));
    (void)EVP_DigestUpdate(l->context, id, ID);
    (void)EVP_DigestFinal_ex(l->context, digest, NULL);
    for (int i = 0; i < 32; i++) {
        token[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        token[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    token[64] = '\0';
}

static void lose(struct load *l, struct connection *c)
{
    l->lost++;
    (void)close(c->fd);
    c->fd = -1;
}

/* Loopback takes it whole. */
static void push(struct load *l, struct connection *c)
{
    char request[REQUEST_MOST], token[65];
    int head;

    make_id(l, c->id);
    make_token(l, c->id, token);
    head = snprintf(
        request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAPI_ORG_NUM: %s\r\n"
        "API_TRANS_ID: %s\r\nAPI_TOKEN: %s\r\nContent-Length: %zu\r\n\r\n",
        l->path, l->company, c->id, token, l->body_size);
    memcpy(request + head, l->body, l->body_size);
    c->size = 0;
    c->sent_at = now();
    if (send(c->fd, request, (size_t)head + l->body_size, MSG_NOSIGNAL) !=
        (ssize_t)((size_t)head + l->body_size))
        lose(l, c);
}

static void note(struct load *l, struct connection *c)
{
    const double took = (now() - c->sent_at) * 100000;

    l->times[took < STEPS ? (int)took : STEPS]++;
    if (strncmp(c->answer, "HTTP/1.1 200", 12) == 0)
        l->good++;
    else
        l->bad++;
    if (l->acks != NULL && strncmp(c->answer, "HTTP/1.1 200", 12) == 0) {
        (void)fprintf(l->acks, "%s\n", c->id);
        (void)fflush(l->acks);
    }
}

/* All answers here are without a body. */
static void hear(struct load *l, struct connection *c)
{
    const ssize_t n = recv(c->fd, c->answer + c->size, sizeof c->answer - 1 - c->size, MSG_DONTWAIT);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            lose(l, c);
        return;
    }
    c->size += (size_t)n;
    c->answer[c->size] = '\0';
    if (strstr(c->answer, "\r\n\r\n") != NULL) {
        note(l, c);
        push(l, c);
    }
}

static int open_connection(int port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static double percentile(const struct load *l, double part)
{
    const uint64_t wanted = (uint64_t)((double)(l->good + l->bad) * part);
    uint64_t sum = 0;

    for (int i = 0; i <= STEPS; i++)
        if ((sum += l->times[i]) > wanted)
            return (i + 0.5) / 100;
    return 0;
}

static double run(struct load *l, struct connection *all, int count, double seconds, int epoll)
{
    struct epoll_event events[64];
    const double begin = now();

    for (int i = 0; i < count; i++)
        push(l, &all[i]);
    while (now() - begin < seconds && l->lost < (uint64_t)count) {
        const int n = epoll_wait(epoll, events, 64, 100);

        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;

            if (c->fd >= 0)
                hear(l, c);
        }
    }
    return now() - begin;
}

static void read_body(struct load *l, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        die(path);
    l->body_size = fread(l->body, 1, sizeof l->body, f);
    (void)fclose(f);
}

int main(int argc, char **argv)
{
    static struct load l;
    struct connection *all;
    int count, epoll;
    double took;

    if (argc < 9) {
        (void)fputs("usage: pushes PORT PATH CONNECTIONS SECONDS KEY MERCHANT COMPANY BODYFILE [ACKS]\n",
                    stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    count = (int)strtol(argv[3], NULL, 10);
    all = calloc((size_t)count, sizeof *all);
    epoll = epoll_create1(0);
    l.path = argv[2];
    (void)snprintf(l.secret, sizeof l.secret, "%s%s", argv[5], argv[6]);
    l.company = argv[7];
    read_body(&l, argv[8]);
    l.acks = argc > 9 ? fopen(argv[9], "w") : NULL;
    l.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    l.context = EVP_MD_CTX_new();
    l.tail = (unsigned)getpid() * 7919U % 9999999;
    if (all == NULL || epoll < 0 || l.sha256 == NULL || l.context == NULL)
        die("pushes");
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};

        all[i].fd = open_connection((int)strtol(argv[1], NULL, 10));
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    took = run(&l, all, count, strtod(argv[4], NULL), epoll);
    printf("%.0f %.3f %.3f %llu %llu\n", (double)l.good / took, percentile(&l, 0.5), percentile(&l, 0.99),
           (unsigned long long)l.bad, (unsigned long long)l.lost);
    if (l.acks != NULL)
        (void)fclose(l.acks);
    EVP_MD_CTX_free(l.context);
    EVP_MD_free(l.sha256);
    free(all);
    return 0;
}
