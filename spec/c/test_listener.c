/* The listener against plain sockets. One thread: the client's side is moved
 * between the loop's steps, always until something is so or a bound is reached. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { STEPS = 3000, CAP = 10000, MANY = 200 };

/* ---- both sides */

struct scene {
    struct xf_loop *loop;
    struct xf_listener *listener;
};

struct client {
    int fd;
    char text[64 * 1024];
    size_t size;
    int end; /* 0: still open; -1: closed in good order; else errno */
};

static void step(struct scene *s)
{
    struct xf_err err;

    if (xf_loop_step(s->loop, 5, &err) != 0)
        CHECK_ROW(0, err.message);
}

static struct scene open_scene(struct xf_listener_options o)
{
    struct xf_err err = {""};
    struct scene s = {xf_loop_new(&err), NULL};

    s.listener = s.loop == NULL ? NULL : xf_listener_new(s.loop, &o, &err);
    if (!CHECK(s.listener != NULL)) {
        printf("# %s\n", err.message);
        exit(1);
    }
    return s;
}

static void close_scene(struct scene *s)
{
    xf_listener_free(s->listener);
    xf_loop_free(s->loop);
}

static void open_client(struct client *c, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(c->fd >= 0);
    CHECK(connect(c->fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
}

static void close_client(struct client *c)
{
    (void)close(c->fd);
    c->fd = -1;
}

static void reset_client(struct client *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    CHECK(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    close_client(c);
}

/* What the client has got so far, as text. */
static void pump(struct client *c)
{
    while (c->end == 0 && c->size < sizeof c->text - 1) {
        ssize_t n = recv(c->fd, c->text + c->size, sizeof c->text - 1 - c->size, 0);

        if (n > 0)
            c->size += (size_t)n;
        else if (n == 0)
            c->end = -1;
        else if (errno == EAGAIN)
            break;
        else
            c->end = errno;
    }
    c->text[c->size] = '\0';
}

static void forget(struct client *c)
{
    c->size = 0;
    c->text[0] = '\0';
}

/* False once the other side takes no more. */
static int give_bytes(struct scene *s, struct client *c, const char *data, size_t size)
{
    int i = 0;

    while (size > 0 && i++ < STEPS) {
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);

        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            step(s);
        } else {
            return 0;
        }
    }
    return size == 0;
}

static int give(struct scene *s, struct client *c, const char *text)
{
    return give_bytes(s, c, text, strlen(text));
}

/* Until the client has got `text`; NULL: until the connection has ended. */
static int await(struct scene *s, struct client *c, const char *text)
{
    for (int i = 0; i < STEPS; i++) {
        pump(c);
        if (text != NULL && strstr(c->text, text) != NULL)
            return 1;
        if (c->end != 0)
            return text == NULL;
        step(s);
    }
    return 0;
}

static struct xf_incoming *await_request(struct scene *s)
{
    struct xf_incoming *in = NULL;

    for (int i = 0; i < STEPS && in == NULL; i++) {
        in = xf_listener_take(s->listener);
        if (in == NULL)
            step(s);
    }
    CHECK(in != NULL);
    if (in == NULL)
        exit(check_end());
    return in;
}

static int answer_text(struct xf_incoming *in, const char *text)
{
    struct xf_err err = {""};
    struct xf_answer a = {.status = 200, .type = "text/plain", .body = text, .size = strlen(text)};
    int rc = xf_incoming_answer(in, &a, &err);

    CHECK((rc != 0) == (err.message[0] != '\0'));
    return rc;
}

/* name=value;name; in one text */
struct list {
    char text[2048];
};

static void add_pair(void *payload, const char *name, const char *value)
{
    struct list *list = payload;
    size_t used = strlen(list->text);

    if (value != NULL)
        (void)snprintf(list->text + used, sizeof list->text - used, "%s=%s;", name, value);
    else
        (void)snprintf(list->text + used, sizeof list->text - used, "%s;", name);
}

static const char *list_arguments(const struct xf_incoming *in, struct list *list)
{
    list->text[0] = '\0';
    xf_incoming_each_argument(in, add_pair, list);
    return list->text;
}

static const char *list_headers(const struct xf_incoming *in, struct list *list)
{
    list->text[0] = '\0';
    xf_incoming_each_header(in, add_pair, list);
    return list->text;
}

/* ---- whole requests */

static void test_lines(void)
{
    static const struct {
        const char *line, *method, *path, *arguments;
    } rows[] = {
        {"GET / HTTP/1.1", "GET", "/", ""},
        {"GET /a/b?x=1&y=2 HTTP/1.1", "GET", "/a/b", "x=1;y=2;"},
        {"GET /q?a=1&a=2&b=&c HTTP/1.1", "GET", "/q", "a=1;a=2;b=;c;"},
        {"GET /q?n=a%20b+c%2Bd%26e&%E6%B0%94=%e8%a1%a8 HTTP/1.1", "GET", "/q", "n=a b c+d&e;气=表;"},
        {"GET /a%20b%2fc+d HTTP/1.1", "GET", "/a b/c+d", ""},
        {"DELETE /device/7?companyCode=12 HTTP/1.1", "DELETE", "/device/7", "companyCode=12;"},
        {"PUT /p HTTP/1.1", "PUT", "/p", ""},
        {"POST /p HTTP/1.1", "POST", "/p", ""},
        {"HEAD /h HTTP/1.1", "HEAD", "/h", ""},
        {"GET /bad%zz%4 HTTP/1.1", "GET", "/bad%zz%4", ""},
        {"GET /\x01\xff\xfe\x80 HTTP/1.1", "GET", "/\x01\xff\xfe\x80", ""},
        {"GET /old HTTP/1.0", "GET", "/old", ""},
    };
    struct scene s = open_scene((struct xf_listener_options){0});

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c;
        struct list list;
        struct xf_incoming *in = NULL;
        size_t size = 1;

        open_client(&c, xf_listener_port(s.listener));
        CHECK(give(&s, &c, rows[i].line) && give(&s, &c, "\r\nHost: h\r\n\r\n"));
        in = await_request(&s);
        CHECK_TEXT(xf_incoming_method(in), rows[i].method);
        CHECK_TEXT(xf_incoming_path(in), rows[i].path);
        CHECK_TEXT(list_arguments(in, &list), rows[i].arguments);
        CHECK_TEXT(xf_incoming_body(in, &size), "");
        CHECK(size == 0);
        CHECK(answer_text(in, "yes, whole") == 0);
        CHECK_ROW(await(&s, &c, "\r\n\r\n"), rows[i].line);
        CHECK(strncmp(c.text, "HTTP/1.", 7) == 0 && strncmp(c.text + 8, " 200 OK\r\n", 9) == 0);
        CHECK(strstr(c.text, "Content-Type: text/plain\r\n") != NULL);
        CHECK(strstr(c.text, "Content-Length: 10\r\n") != NULL);
        if (strcmp(rows[i].method, "HEAD") != 0)
            CHECK_ROW(await(&s, &c, "\r\n\r\nyes, whole"), rows[i].line);
        close_client(&c);
    }
    close_scene(&s);
}

static void test_headers(void)
{
    struct scene s = open_scene((struct xf_listener_options){.host = "localhost"});
    const char *const extra[] = {"X-One", "1", "X-Two", "two words", NULL};
    const char *const bad[] = {"X-One", "1\r\nX-Two: 2", NULL};
    struct xf_answer a = {
        .status = 404, .body = "{}", .size = 2, .type = "application/json", .headers = extra};
    struct xf_err err = {""};
    struct client c;
    struct list list;
    struct xf_incoming *in = NULL;

    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\nAPI_TOKEN: t\r\nDup: 1\r\ndup: 2\r\nEmpty:\r\n\r\n"));
    in = await_request(&s);
    CHECK_TEXT(list_headers(in, &list), "Host=h;API_TOKEN=t;Dup=1;dup=2;Empty=;");
    CHECK(xf_incoming_answer(in, &a, &err) == 0);
    CHECK(await(&s, &c, "\r\n\r\n{}"));
    CHECK(strncmp(c.text, "HTTP/1.1 404 Not Found\r\n", 24) == 0);
    CHECK(strstr(c.text, "Content-Type: application/json\r\n") != NULL);
    CHECK(strstr(c.text, "X-One: 1\r\n") != NULL && strstr(c.text, "X-Two: two words\r\n") != NULL);

    forget(&c);
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    a.headers = bad;
    CHECK(xf_incoming_answer(await_request(&s), &a, &err) == -1);
    CHECK(strstr(err.message, "X-One") != NULL);
    CHECK(await(&s, &c, NULL) && c.size == 0);
    close_client(&c);

    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    a.headers = NULL;
    a.status = 100;
    CHECK(xf_incoming_answer(await_request(&s), &a, &err) == -1);
    CHECK(strstr(err.message, "100") != NULL);
    CHECK(await(&s, &c, NULL) && c.size == 0);
    close_client(&c);
    close_scene(&s);
}

/* 9000 bytes, none of them alike for long, a NUL now and then. */
static void fill(char *body, size_t size)
{
    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 31 + i / 251);
}

static void check_body(struct xf_incoming *in, const char *body, size_t expected)
{
    size_t size = 0;
    const char *got = xf_incoming_body(in, &size);

    CHECK(size == expected && memcmp(got, body, expected) == 0);
    CHECK(got[size] == '\0');
    CHECK_TEXT(xf_incoming_path(in), "/device");
    CHECK_TEXT(xf_incoming_method(in), "POST");
}

static void test_body_in_pieces(void)
{
    struct scene s = open_scene((struct xf_listener_options){.body_cap = CAP});
    static char body[9000];
    struct client c;
    struct xf_incoming *in = NULL;

    fill(body, sizeof body);
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "POST /dev"));
    step(&s);
    CHECK(give(&s, &c, "ice HTTP/1.1\r\nHost: h\r\nContent-Le"));
    step(&s);
    CHECK(give(&s, &c, "ngth: 9000\r\n\r\n"));
    for (size_t i = 0; i < sizeof body; i += 45) {
        CHECK(give_bytes(&s, &c, body + i, 45));
        CHECK(xf_listener_take(s.listener) == NULL);
        step(&s);
    }
    in = await_request(&s);
    check_body(in, body, sizeof body);
    CHECK(answer_text(in, "got it") == 0);
    CHECK(await(&s, &c, "\r\n\r\ngot it"));
    close_client(&c);
    close_scene(&s);
}

static void test_body_in_chunks(void)
{
    struct scene s = open_scene((struct xf_listener_options){.body_cap = CAP});
    static char body[CAP];
    char line[32];
    struct client c;
    struct xf_incoming *in = NULL;
    size_t n = 1;

    fill(body, sizeof body);
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "POST /device HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t i = 0; i<sizeof body; i += n, n = n * 2> sizeof body - i ? sizeof body - i : n * 2) {
        (void)snprintf(line, sizeof line, "%zx\r\n", n);
        CHECK(give(&s, &c, line) && give_bytes(&s, &c, body + i, n) && give(&s, &c, "\r\n"));
        step(&s);
    }
    CHECK(give(&s, &c, "0\r\n\r\n"));
    in = await_request(&s);
    check_body(in, body, sizeof body);
    CHECK(answer_text(in, "got it") == 0);
    CHECK(await(&s, &c, "\r\n\r\ngot it"));
    close_client(&c);
    close_scene(&s);
}

static void test_expect_continue(void)
{
    struct scene s = open_scene((struct xf_listener_options){.body_cap = CAP});
    struct client c;
    struct xf_incoming *in = NULL;

    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c,
               "POST /device HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(await(&s, &c, "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(give(&s, &c, "abc"));
    in = await_request(&s);
    check_body(in, "abc", 3);
    CHECK(answer_text(in, "got it") == 0);
    CHECK(await(&s, &c, "\r\n\r\ngot it"));
    close_client(&c);
    close_scene(&s);
}

/* ---- refusals */

struct refusal {
    const char *name, *head;
    size_t chunk; /* bytes of a chunk that follows */
    const char *status;
};

static void test_refusals(void)
{
    static char long_header[40 * 1024];
    static char filler[CAP * 4];
    const struct refusal rows[] = {
        {"length over the cap", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10001\r\n\r\n", 0, " 413 "},
        {"length over any cap", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n",
         0, " 413 "},
        {"no 100 before 413",
         "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10001\r\nExpect: 100-continue\r\n\r\n", 0, " 413 "},
        {"chunks over the cap", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", CAP + 1,
         " 413 "},
        {"chunks far over the cap", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
         CAP * 4, " 413 "},
        {"both lengths",
         "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0, " 400 "},
        {"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0,
         " 400 "},
        {"length is no number", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 0, " 400 "},
        {"escaped NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 0, " 400 "},
        {"escaped NUL in an argument", "GET /a?b=c%00d HTTP/1.1\r\nHost: h\r\n\r\n", 0, " 400 "},
        {"headers too long", long_header, 0, " 431 "},
    };
    struct scene s = open_scene((struct xf_listener_options){.body_cap = CAP});

    memset(filler, 'x', sizeof filler);
    (void)strcpy(long_header, "GET / HTTP/1.1\r\nHost: h\r\nLong: ");
    memset(long_header + strlen(long_header), 'x', sizeof long_header - strlen(long_header) - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct refusal *r = &rows[i];
        struct client c;
        char line[32];

        open_client(&c, xf_listener_port(s.listener));
        (void)give(&s, &c, r->head);
        if (r->chunk > 0) {
            (void)snprintf(line, sizeof line, "%zx\r\n", r->chunk);
            CHECK(give(&s, &c, line) && give_bytes(&s, &c, filler, r->chunk) &&
                  give(&s, &c, "\r\n0\r\n\r\n"));
        }
        CHECK_ROW(await(&s, &c, NULL), r->name);
        CHECK_ROW(strncmp(c.text, "HTTP/1.", 7) == 0 && strncmp(c.text + 8, r->status, 5) == 0, r->name);
        if (strncmp(c.text + 8, r->status, 5) != 0)
            printf("#   got %.60s\n", c.text);
        CHECK_ROW(xf_listener_take(s.listener) == NULL, r->name);
        close_client(&c);
    }
    close_scene(&s);
}

/* Whatever becomes of them, they end (some only by the idle limit) and the next client is served. */
static void test_garbage(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
#define BYTES(text) {text, sizeof(text) - 1}
        BYTES("\0\0\0\0\r\n\r\n"),
        BYTES("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"),
        BYTES("GET /a?b\0=c\0d&e HTTP/1.1\r\nHost: h\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nHost: h\r\nAPI_TOKEN: a\0b\r\n\r\n"),
        BYTES("GET\0 / HTTP/1.1\r\nHost: h\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nNo colon\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\n\0: \0\r\n\0\r\n\r\n"),
        BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        BYTES("GET\r\n\r\n"),
        BYTES(" \r\n\r\n"),
        BYTES("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        BYTES("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
#undef BYTES
    };
    struct scene s = open_scene((struct xf_listener_options){.body_cap = CAP, .idle_s = 1});

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c;
        struct xf_incoming *in = NULL;

        open_client(&c, xf_listener_port(s.listener));
        (void)give_bytes(&s, &c, rows[i].bytes, rows[i].size);
        CHECK(shutdown(c.fd, SHUT_WR) == 0);
        for (int n = 0; n < STEPS && c.end == 0; n++) {
            struct list list;

            step(&s);
            in = xf_listener_take(s.listener);
            if (in != NULL) {
                (void)list_arguments(in, &list);
                (void)list_headers(in, &list);
                (void)answer_text(in, xf_incoming_path(in));
            }
            pump(&c);
        }
        CHECK(c.end != 0);
        close_client(&c);
        open_client(&c, xf_listener_port(s.listener));
        CHECK(give(&s, &c, "GET /fine HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(answer_text(await_request(&s), "fine") == 0);
        CHECK(await(&s, &c, "\r\n\r\nfine"));
        close_client(&c);
    }
    close_scene(&s);
}

/* ---- one connection, several requests */

static void test_keep_alive(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c;

    open_client(&c, xf_listener_port(s.listener));
    for (int i = 0; i < 3; i++) {
        forget(&c);
        CHECK(give(&s, &c, "POST /device HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
        CHECK(answer_text(await_request(&s), "again") == 0);
        CHECK(await(&s, &c, "\r\n\r\nagain"));
        CHECK(c.end == 0);
    }
    /* One after the other, although they came together. */
    forget(&c);
    CHECK(give(&s, &c,
               "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
               "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    for (char path[] = "/1"; path[1] <= '3'; path[1]++) {
        struct xf_incoming *in = await_request(&s);

        CHECK_TEXT(xf_incoming_path(in), path);
        step(&s);
        CHECK(xf_listener_take(s.listener) == NULL);
        CHECK(answer_text(in, path) == 0);
        CHECK(await(&s, &c, path));
    }
    CHECK(await(&s, &c, NULL) && c.end == -1);
    close_client(&c);
    close_scene(&s);
}

static void test_answers_in_any_order(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c[3];
    struct xf_incoming *in[3];

    for (int i = 0; i < 3; i++) {
        open_client(&c[i], xf_listener_port(s.listener));
        CHECK(give(&s, &c[i], "GET /late HTTP/1.1\r\nHost: h\r\n\r\n"));
        in[i] = await_request(&s);
    }
    for (int i = 0; i < 20; i++)
        step(&s);
    for (int i = 2; i >= 0; i--) {
        char text[2] = {(char)('a' + i), '\0'};

        pump(&c[i]);
        CHECK(c[i].size == 0 && c[i].end == 0);
        CHECK_TEXT(xf_incoming_path(in[i]), "/late");
        CHECK(answer_text(in[i], text) == 0);
        CHECK(await(&s, &c[i], "\r\n\r\n"));
        CHECK(c[i].text[c[i].size - 1] == text[0]);
    }
    for (int i = 0; i < 3; i++)
        close_client(&c[i]);
    close_scene(&s);
}

/* One step is enough to send an answer, however long it may wait: it would
 * last until the silent client is closed, if the answer did not wake it. */
static void test_answer_wakes_the_loop(void)
{
    struct scene s = open_scene((struct xf_listener_options){.idle_s = 5});
    struct client c, silent;
    struct xf_err err = {""};
    struct xf_incoming *in = NULL;

    open_client(&silent, xf_listener_port(s.listener));
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    in = await_request(&s);
    for (int i = 0; i < 5; i++)
        step(&s);
    CHECK(answer_text(in, "awake") == 0);
    CHECK(xf_loop_step(s.loop, 60 * 1000, &err) == 0);
    pump(&c);
    CHECK(strstr(c.text, "\r\n\r\nawake") != NULL);
    pump(&silent);
    CHECK(silent.end == 0);
    close_client(&c);
    close_client(&silent);
    close_scene(&s);
}

/* ---- faults to rehearse */

static void test_cut(void)
{
    static const struct {
        size_t cut, sent;
    } rows[] = {{1, 1}, {4, 4}, {9, 9}, {10, 10}, {11, 10}};
    struct scene s = open_scene((struct xf_listener_options){0});

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct xf_answer a = {.status = 200, .body = "0123456789", .size = 10, .cut = rows[i].cut};
        struct xf_err err = {""};
        struct client c;
        const char *end = NULL;

        open_client(&c, xf_listener_port(s.listener));
        CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(xf_incoming_answer(await_request(&s), &a, &err) == 0);
        CHECK(await(&s, &c, NULL));
        CHECK(c.end == -1);
        CHECK(strstr(c.text, "Content-Length: 10\r\n") != NULL);
        end = strstr(c.text, "\r\n\r\n");
        CHECK(end != NULL && strlen(end + 4) == rows[i].sent &&
              strncmp(end + 4, "0123456789", rows[i].sent) == 0);
        close_client(&c);
    }
    close_scene(&s);
}

static void test_drop(void)
{
    static const struct {
        bool reset;
        int end;
        const char *request;
    } rows[] = {
        {false, -1, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
        {true, ECONNRESET, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
        {false, -1, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
        {true, ECONNRESET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"},
    };
    struct scene s = open_scene((struct xf_listener_options){0});

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c;

        open_client(&c, xf_listener_port(s.listener));
        CHECK(give(&s, &c, rows[i].request));
        xf_incoming_drop(await_request(&s), rows[i].reset);
        CHECK(await(&s, &c, NULL));
        CHECK(c.end == rows[i].end);
        CHECK(c.size == 0);
        close_client(&c);
    }
    close_scene(&s);
}

/* ---- clients that leave */

static void test_vanished_clients(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c;
    struct xf_incoming *in = NULL;
    struct list list;

    /* By a reset, while the request is held. */
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "POST /device?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
    in = await_request(&s);
    reset_client(&c);
    for (int i = 0; i < 5; i++)
        step(&s);
    check_body(in, "abc", 3);
    CHECK_TEXT(list_arguments(in, &list), "a=b;");
    CHECK(answer_text(in, "nobody reads this") == -1);
    step(&s);

    /* By a reset, and then it is dropped. */
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    in = await_request(&s);
    reset_client(&c);
    step(&s);
    xf_incoming_drop(in, true);
    step(&s);

    /* In good order, which looks like a client that only has no more to say. */
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    in = await_request(&s);
    close_client(&c);
    step(&s);
    (void)answer_text(in, "nobody reads this");
    step(&s);

    /* Which is answered. */
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(shutdown(c.fd, SHUT_WR) == 0);
    in = await_request(&s);
    step(&s);
    CHECK(answer_text(in, "still here") == 0);
    CHECK(await(&s, &c, "\r\n\r\nstill here"));
    close_client(&c);

    /* In the midst of headers, and of a body. */
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET /half HTTP/1.1\r\nHo"));
    step(&s);
    reset_client(&c);
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na"));
    step(&s);
    close_client(&c);
    for (int i = 0; i < 5; i++)
        step(&s);
    CHECK(xf_listener_take(s.listener) == NULL);
    close_scene(&s);
}

static void test_idle(void)
{
    struct scene s = open_scene((struct xf_listener_options){.idle_s = 1});
    struct client idle, held, slow;
    struct xf_incoming *in = NULL;
    int taken = 1;

    open_client(&held, xf_listener_port(s.listener));
    CHECK(give(&s, &held, "GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
    in = await_request(&s);
    open_client(&idle, xf_listener_port(s.listener));
    open_client(&slow, xf_listener_port(s.listener));
    /* Never silent, never done. */
    for (int i = 0; i < STEPS && slow.end == 0 && taken; i++) {
        struct pollfd p = {.fd = slow.fd, .events = POLLOUT};

        if (poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) == 0)
            taken = give(&s, &slow, i == 0 ? "GET /" : "a");
        step(&s);
        step(&s);
        pump(&slow);
    }
    CHECK(slow.end != 0 || !taken);
    CHECK(slow.size == 0);
    CHECK(await(&s, &idle, NULL) && idle.size == 0);
    /* The one that waits for us is not idle. */
    pump(&held);
    CHECK(held.end == 0);
    CHECK(answer_text(in, "at last") == 0);
    CHECK(await(&s, &held, "\r\n\r\nat last"));
    CHECK(await(&s, &held, NULL) && held.end == -1);
    close_client(&held);
    close_client(&idle);
    close_client(&slow);
    close_scene(&s);
}

/* ---- listeners */

static void test_free_with_open_requests(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c[6];

    for (int i = 0; i < 6; i++)
        open_client(&c[i], xf_listener_port(s.listener));
    CHECK(give(&s, &c[0], "POST /taken HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
    (void)await_request(&s);
    CHECK(give(&s, &c[1], "GET /answered HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(answer_text(await_request(&s), "answered") == 0);
    CHECK(give(&s, &c[2], "POST /waiting HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
    CHECK(give(&s, &c[3], "POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab"));
    CHECK(give(&s, &c[4], "GET /dropped HTTP/1.1\r\nHost: h\r\n\r\n"));
    xf_incoming_drop(await_request(&s), false);
    for (int i = 0; i < 5; i++)
        step(&s);
    xf_listener_free(s.listener);
    s.listener = NULL;
    for (int i = 0; i < 6; i++) {
        CHECK(await(&s, &c[i], NULL));
        CHECK(i == 1 ? strstr(c[i].text, "\r\n\r\nanswered") != NULL : c[i].size == 0);
        close_client(&c[i]);
    }
    xf_listener_free(NULL);
    close_scene(&s);
}

/* An answer given just before is not lost. */
static void test_free_after_answer(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c;

    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(answer_text(await_request(&s), "goodbye") == 0);
    xf_listener_free(s.listener);
    s.listener = NULL;
    CHECK(await(&s, &c, "\r\n\r\ngoodbye"));
    close_client(&c);
    close_scene(&s);
}

/* Requests that come in whole while the listener is being freed. */
static void test_free_as_requests_come(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client c[2];

    open_client(&c[0], xf_listener_port(s.listener));
    open_client(&c[1], xf_listener_port(s.listener));
    CHECK(give(&s, &c[1], "POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab"));
    CHECK(give(&s, &c[0], "GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(answer_text(await_request(&s), "goodbye") == 0);
    CHECK(send(c[1].fd, "c", 1, MSG_NOSIGNAL) == 1);
    xf_listener_free(s.listener);
    s.listener = NULL;
    CHECK(await(&s, &c[0], "\r\n\r\ngoodbye") && await(&s, &c[0], NULL));
    CHECK(await(&s, &c[1], NULL) && c[1].size == 0);
    close_client(&c[0]);
    close_client(&c[1]);
    close_scene(&s);
}

static void test_two_listeners(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct scene other = {s.loop, NULL};
    struct xf_listener_options o = {.host = "127.0.0.1"};
    struct xf_err err = {""};
    struct client c[2];

    other.listener = xf_listener_new(s.loop, &o, &err);
    CHECK(other.listener != NULL);
    CHECK(xf_listener_port(other.listener) != xf_listener_port(s.listener));
    open_client(&c[0], xf_listener_port(s.listener));
    open_client(&c[1], xf_listener_port(other.listener));
    CHECK(give(&s, &c[0], "GET /first HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(give(&s, &c[1], "GET /second HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(answer_text(await_request(&other), "two") == 0);
    CHECK(answer_text(await_request(&s), "one") == 0);
    CHECK(await(&s, &c[0], "\r\n\r\none") && await(&s, &c[1], "\r\n\r\ntwo"));
    xf_listener_free(other.listener);
    CHECK(await(&s, &c[1], NULL));
    CHECK(give(&s, &c[0], "GET /first HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(answer_text(await_request(&s), "still") == 0);
    CHECK(await(&s, &c[0], "\r\n\r\nstill"));
    close_client(&c[0]);
    close_client(&c[1]);
    close_scene(&s);
}

static void test_bad_addresses(void)
{
    static const struct {
        const char *host, *says;
    } rows[] = {
        {"meter.example", "\"meter.example\": it is no numeric address"},
        {"", "\"\": it is no numeric address"},
        {"127.0.0", "it is no numeric address"},
        {"127.0.0.1:8088", "it is no numeric address"},
        {"192.0.2.1", "does not have the address 192.0.2.1"},
    };
    struct scene s = open_scene((struct xf_listener_options){0});
    struct xf_listener_options o = {.port = xf_listener_port(s.listener)};
    struct xf_err err = {""};
    char expected[64];
    uint16_t port = xf_listener_port(s.listener);
    struct client c;

    CHECK(xf_listener_new(s.loop, &o, &err) == NULL);
    (void)snprintf(expected, sizeof expected, "port %u of 127.0.0.1 is in use", port);
    CHECK_ROW(strstr(err.message, expected) != NULL, err.message);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        o = (struct xf_listener_options){.host = rows[i].host};
        CHECK_ROW(xf_listener_new(s.loop, &o, &err) == NULL, rows[i].host);
        CHECK_ROW(strstr(err.message, rows[i].says) != NULL, err.message);
    }

    /* A port is free again at once, though connections of it linger. */
    open_client(&c, port);
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(answer_text(await_request(&s), "bye") == 0);
    CHECK(await(&s, &c, NULL));
    close_client(&c);
    xf_listener_free(s.listener);
    o = (struct xf_listener_options){.port = port};
    s.listener = xf_listener_new(s.loop, &o, &err);
    CHECK_ROW(s.listener != NULL && xf_listener_port(s.listener) == port, err.message);
    close_scene(&s);
}

static void test_ipv6(void)
{
    struct xf_listener_options o = {.host = "::1"};
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct xf_err err = {""};
    struct scene s = {xf_loop_new(&err), NULL};
    struct client c = {.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    if (c.fd < 0 || bind(c.fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        printf("# no IPv6 on this machine, its test is left out\n");
    } else {
        s.listener = xf_listener_new(s.loop, &o, &err);
        CHECK_ROW(s.listener != NULL, err.message);
        to.sin6_port = htons(xf_listener_port(s.listener));
        CHECK(connect(c.fd, (const struct sockaddr *)&to, sizeof to) == 0);
        CHECK(give(&s, &c, "GET / HTTP/1.0\r\n\r\n"));
        CHECK(answer_text(await_request(&s), "six") == 0);
        for (int i = 0; i < 5; i++)
            step(&s);
        CHECK(await(&s, &c, "\r\n\r\nsix"));
    }
    if (c.fd >= 0)
        close_client(&c);
    close_scene(&s);
}

static void test_limits(void)
{
    struct scene s = open_scene((struct xf_listener_options){.per_address = 2});
    struct client c[3];

    for (int i = 0; i < 3; i++) {
        open_client(&c[i], xf_listener_port(s.listener));
        step(&s);
    }
    CHECK(await(&s, &c[2], NULL) && c[2].size == 0);
    close_client(&c[2]);
    for (int i = 0; i < 2; i++) {
        CHECK(give(&s, &c[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK(answer_text(await_request(&s), "in") == 0);
        CHECK(await(&s, &c[i], "\r\n\r\nin"));
        close_client(&c[i]);
    }
    close_scene(&s);

    /* More than may be in at once wait for their turn. */
    s = open_scene((struct xf_listener_options){.connections = 2});
    for (int i = 0; i < 3; i++) {
        open_client(&c[i], xf_listener_port(s.listener));
        CHECK(give(&s, &c[i], "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    }
    for (int i = 0; i < 3; i++)
        CHECK(answer_text(await_request(&s), "in") == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(await(&s, &c[i], "\r\n\r\nin"));
        close_client(&c[i]);
    }
    close_scene(&s);
}

static void test_many(void)
{
    struct scene s = open_scene((struct xf_listener_options){0});
    struct client *c = calloc(MANY, sizeof *c);
    static struct xf_incoming *in[MANY];
    char text[40];

    if (!CHECK(c != NULL)) {
        close_scene(&s);
        return;
    }
    for (int i = 0; i < MANY; i++) {
        open_client(&c[i], xf_listener_port(s.listener));
        (void)snprintf(text, sizeof text, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
        CHECK(give(&s, &c[i], text));
    }
    for (int i = 0; i < MANY; i++)
        in[i] = await_request(&s);
    for (int i = MANY - 1; i >= 0; i--) {
        (void)snprintf(text, sizeof text, "[%s]", xf_incoming_path(in[i]));
        CHECK(answer_text(in[i], text) == 0);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof text, "\r\n\r\n[/%d]", i);
        CHECK(await(&s, &c[i], text));
        close_client(&c[i]);
    }
    free(c);
    close_scene(&s);
}

/* Bigger than any socket's buffer. */
static void test_big_answer(void)
{
    enum { BIG = 16 * 1024 * 1024 };
    struct scene s = open_scene((struct xf_listener_options){0});
    char *body = malloc(BIG);
    struct xf_answer a = {.status = 200, .body = body, .size = BIG};
    struct xf_err err = {""};
    struct client c;
    size_t got = 0;

    if (!CHECK(body != NULL)) {
        close_scene(&s);
        return;
    }
    memset(body, 'b', BIG);
    open_client(&c, xf_listener_port(s.listener));
    CHECK(give(&s, &c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(xf_incoming_answer(await_request(&s), &a, &err) == 0);
    free(body);
    for (int i = 0; i < STEPS * 10 && c.end == 0; i++) {
        step(&s);
        do {
            got += c.size;
            c.size = 0;
            pump(&c);
        } while (c.size > 0);
    }
    CHECK(c.end == -1 && got > BIG && got < BIG + 1024);
    close_client(&c);
    close_scene(&s);
}

int main(void)
{
    test_lines();
    test_headers();
    test_body_in_pieces();
    test_body_in_chunks();
    test_expect_continue();
    test_refusals();
    test_garbage();
    test_keep_alive();
    test_answers_in_any_order();
    test_answer_wakes_the_loop();
    test_cut();
    test_drop();
    test_vanished_clients();
    test_idle();
    test_free_with_open_requests();
    test_free_after_answer();
    test_free_as_requests_come();
    test_two_listeners();
    test_bad_addresses();
    test_ipv6();
    test_limits();
    test_many();
    test_big_answer();
    return check_end();
}
