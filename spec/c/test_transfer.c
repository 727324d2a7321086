#include <stdlib.h>

#include "check.h"
#include "fate.h"
#include "peer.c"
#include "transfer.h"

#define COUNT(a)  (sizeof(a) / sizeof *(a))
#define TARGET(s) .target = (s), .target_size = sizeof(s) - 1
#define BODY(s)   .body = (s), .body_size = sizeof(s) - 1
#define ENVELOPE  "{\"responseCode\":\"100000\",\"result\":\"c397429e5b79131673ae176a7124ffba\"}"
#define SHORT_MS  300 /* where the deadline must end the call */
#define JSON_TYPE "Content-Type: application/json"

static struct xf_transport *transport(struct xf_loop *loop, const char *url)
{
    const struct xf_transport_options o = {.base_url = url, .user_agent = "xfiot-test"};
    struct xf_err err = {""};
    struct xf_transport *t = xf_transport_new(loop, &o, &err);

    CHECK_ROW(t != NULL, err.message);
    return t;
}

static const struct xf_request order = {.method = "POST",
                                        TARGET("/iotcloud/app/cmd/v1.0.0/creatCmd?deviceId=1"),
                                        BODY("{\"billNo\":1}"),
                                        .headers = {JSON_TYPE},
                                        .once = true};

static struct xf_transfer *start(struct xf_transport *t, const struct xf_request *r)
{
    struct xf_err err = {""};
    struct xf_transfer *x = xf_transfer_start(t, r, &err);

    CHECK_ROW(x != NULL, err.message);
    return x;
}

/* The next one that is done. */
static struct xf_transfer *await(struct xf_loop *loop)
{
    struct xf_err err;
    struct xf_transfer *x;

    while ((x = xf_transfer_take_done(loop)) == NULL)
        if (xf_loop_step(loop, 1000, &err) != 0)
            return NULL;
    return x;
}

/* ---- What a hostile server can do to an order */

enum { NO, YES, EITHER };

struct row {
    const char *behaviour, *argument;
    int released;
    int curl; /* -1: any failure */
    long status;
    int requests; /* that the server may have read, at most */
    bool clean; /* the body is the envelope: what admission and checks would say */
    bool over_cap;
    long timeout_ms; /* 0: the default */
};

static const struct row rows[] = {
    {"refuse", NULL, NO, CURLE_COULDNT_CONNECT, 0, 0, false, false, 0},
    {"reset_on_accept", NULL, EITHER, -1, 0, 0, false, false, 0},
    {"half_request_reset", NULL, YES, -1, 0, 0, false, false, 0},
    {"reset_before_reply", NULL, YES, -1, 0, 1, false, false, 0},
    {"close_before_reply", NULL, YES, CURLE_GOT_NOTHING, 0, 1, false, false, 0},
    {"no_reply", NULL, YES, CURLE_OPERATION_TIMEDOUT, 0, 1, false, false, SHORT_MS},
    {"half_headers", NULL, YES, CURLE_PARTIAL_FILE, 200, 1, false, false, 0},
    {"half_reply", NULL, YES, CURLE_PARTIAL_FILE, 200, 1, false, false, 0},
    {"bad_chunk", NULL, YES, CURLE_RECV_ERROR, 200, 1, false, false, 0},
    {"half_chunks", NULL, YES, CURLE_PARTIAL_FILE, 200, 1, false, false, 0},
    {"two_content_lengths", NULL, YES, CURLE_WRITE_ERROR, 200, 1, false, false, 0},
    {"http09", NULL, YES, -1, 0, 1, false, false, 0},
    {"drip", NULL, YES, CURLE_OPERATION_TIMEDOUT, 200, 1, false, false, SHORT_MS},
    {"drip_headers", NULL, YES, CURLE_OPERATION_TIMEDOUT, 200, 1, false, false, SHORT_MS},
    {"endless", NULL, YES, CURLE_WRITE_ERROR, 200, 1, false, true, 0},
    {"endless_headers", NULL, YES, CURLE_WRITE_ERROR, 200, 1, false, true, 0},
    {"big", NULL, YES, CURLE_FILESIZE_EXCEEDED, 200, 1, false, true, 0},
    {"redirect_302", NULL, YES, 0, 302, 1, false, false, 0},
    {"status_500", NULL, YES, 0, 500, 1, false, false, 0},
    {"status:404", "no", YES, 0, 404, 1, false, false, 0},
    {"status:401", "no", YES, 0, 401, 1, false, false, 0},
    {"status:201", ENVELOPE, YES, 0, 201, 1, true, false, 0},
    {"html_200", NULL, YES, 0, 200, 1, false, false, 0},
    {"empty_200", NULL, YES, 0, 200, 1, false, false, 0},
    {"invalid_utf8", NULL, YES, 0, 200, 1, false, false, 0},
    {"nan", NULL, YES, 0, 200, 1, false, false, 0},
    {"deep", NULL, YES, 0, 200, 1, false, false, 0},
    {"json", ENVELOPE, YES, 0, 200, 1, true, false, 0},
    {"chunked", ENVELOPE, YES, 0, 200, 1, true, false, 0},
    {"interim", ENVELOPE, YES, 0, 200, 1, true, false, 0},
    {"reuse_then_die", ENVELOPE, YES, 0, 200, 1, true, false, 0},
};

static bool is_envelope(const struct xf_reply *r)
{
    return r->size == sizeof ENVELOPE - 1 && memcmp(r->body, ENVELOPE, r->size) == 0;
}

static enum xf_fate fate_of(const struct xf_reply *r)
{
    bool envelope = is_envelope(r);
    const struct xf_evidence e = {r->released, r->curl, r->status, envelope, envelope};

    return xf_decide_fate(&e);
}

static enum xf_fate expected_fate(const struct row *row, const struct xf_reply *r)
{
    if (row->released == NO || (row->released == EITHER && !r->released))
        return XF_FATE_NOT_SENT;
    return row->clean && row->curl == 0 && row->status == 200 ? XF_FATE_ANSWERED : XF_FATE_UNKNOWN;
}

static void check_row(struct xf_loop *loop, const struct row *row)
{
    struct peer *p = peer_start(row->behaviour, row->argument);
    struct xf_transport *t = transport(loop, peer_url(p));
    struct xf_request r = order;
    const struct xf_reply *reply;
    struct xf_transfer *x;

    r.timeout_ms = row->timeout_ms;
    (void)start(t, &r);
    CHECK(xf_transfers_open(loop) == 1);
    x = await(loop);
    reply = xf_transfer_reply(x);
    CHECK_ROW(row->released == EITHER || reply->released == (row->released == YES), row->behaviour);
    if (!CHECK_ROW(row->curl < 0 ? reply->curl != 0 : reply->curl == row->curl, row->behaviour))
        printf("# curl %d: %s\n", reply->curl, reply->why);
    CHECK_ROW((reply->curl == 0) == (reply->why[0] == '\0'), row->behaviour);
    if (!CHECK_ROW(reply->status == row->status, row->behaviour))
        printf("# status %ld\n", reply->status);
    CHECK_ROW(reply->over_cap == row->over_cap, row->behaviour);
    CHECK_ROW(reply->size <= XF_REPLY_CAP, row->behaviour);
    CHECK_ROW(is_envelope(reply) == row->clean, row->behaviour);
    CHECK_ROW(fate_of(reply) == expected_fate(row, reply), row->behaviour);
    CHECK_ROW(peer_requests(p) <= row->requests, row->behaviour);
    CHECK(xf_transfers_open(loop) == 0);
    xf_transfer_free(x);
    xf_transport_free(t);
    peer_stop(p);
}

/* ---- The silent second sending */

/* A first call leaves a connection behind; the second one takes it, and it dies.
 * Something else is open all the while, or the order would get a connection of its own. */
enum repeats { REPEATED, NO_REPEAT, ONCE };

static void check_reuse(struct xf_loop *loop, enum repeats repeats)
{
    struct peer *silent = peer_start("no_reply", NULL), *p = peer_start("reuse_then_die", ENVELOPE);
    struct xf_transport *elsewhere = transport(loop, peer_url(silent)), *t = transport(loop, peer_url(p));
    struct xf_request r = order;
    struct xf_transfer *x;

    (void)start(elsewhere, &order);
    r.once = repeats == ONCE;
    r.no_repeat = repeats == NO_REPEAT;
    (void)start(t, &r);
    x = await(loop);
    CHECK(fate_of(xf_transfer_reply(x)) == XF_FATE_ANSWERED);
    xf_transfer_free(x);

    r.target = "/second";
    r.target_size = strlen(r.target);
    (void)start(t, &r);
    x = await(loop);
    CHECK(xf_transfer_reply(x)->released);
    if (repeats != REPEATED) {
        CHECK(xf_transfer_reply(x)->curl == CURLE_ABORTED_BY_CALLBACK);
        CHECK(fate_of(xf_transfer_reply(x)) == XF_FATE_UNKNOWN);
        CHECK(peer_requests(p) == 2); /* one each */
    } else {
        CHECK(fate_of(xf_transfer_reply(x)) == XF_FATE_ANSWERED);
        CHECK(peer_requests(p) == 3); /* the trap is there */
        CHECK_TEXT(peer_request(p, 2), peer_request(p, 1));
        CHECK(strncmp(peer_request(p, 2), "POST /second ", 13) == 0);
    }
    xf_transfer_free(x);
    xf_transport_free(t);
    xf_transport_free(elsewhere);
    CHECK(xf_transfers_open(loop) == 0);
    peer_stop(p);
    peer_stop(silent);
}

static void check_lone(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", ENVELOPE);
    struct xf_transport *t = transport(loop, peer_url(p));
    struct xf_request query = {.method = "GET", TARGET("/q")};

    for (int i = 0; i < 3; i++) {
        (void)start(t, &order);
        xf_transfer_free(await(loop));
    }
    CHECK(peer_connections(p) == 3);
    for (int i = 0; i < 3; i++) {
        (void)start(t, &query);
        xf_transfer_free(await(loop));
    }
    CHECK(peer_connections(p) == 3);
    xf_transport_free(t);
    peer_stop(p);
}

/* ---- What arrives at the server */

struct wire {
    struct xf_request request;
    const char *line; /* how it begins */
    const char *rest; /* how it ends */
    const char *with, *without;
};

static const struct wire wires[] = {
    {{.method = "GET", TARGET("/a/../b?x=%20%5Fy&z=?/")},
     "GET /a/../b?x=%20%5Fy&z=?/ HTTP/1.1\r\n",
     "\r\n\r\n",
     "User-Agent: xfiot-test\r\n",
     "Content-"},
    {{.method = "POST",
      TARGET("/p"),
      BODY("{}"),
      .headers = {JSON_TYPE, "RandomCode: 1", "Authorization: 2"}},
     "POST /p HTTP/1.1\r\n",
     "\r\n\r\n{}",
     "\r\nContent-Type: application/json\r\nRandomCode: 1\r\n",
     "form"},
    {{.method = "PUT", TARGET("/p"), BODY("{\"a\":1}"), .headers = {JSON_TYPE}},
     "PUT /p HTTP/1.1\r\n",
     "\r\n\r\n{\"a\":1}",
     "\r\nContent-Length: 7\r\n",
     "form"},
    {{.method = "PUT", TARGET("/p")},
     "PUT /p HTTP/1.1\r\n",
     "\r\n\r\n",
     "\r\nContent-Length: 0\r\n",
     "Content-Type"},
    {{.method = "POST", TARGET("/p")},
     "POST /p HTTP/1.1\r\n",
     "\r\n\r\n",
     "\r\nContent-Length: 0\r\n",
     "Expect"},
    {{.method = "GET", TARGET("/c/../d?x=y&z=?/")},
     "GET /c/../d?x=y&z=?/ HTTP/1.1\r\n",
     "\r\n\r\n",
     "User-Agent: xfiot-test\r\n",
     "Content-"},
    {{.method = "GET", TARGET("/")},
     "GET / HTTP/1.1\r\n",
     "\r\n\r\n",
     "\r\nHost: 127.0.0.1:",
     "Accept-Encoding"},
};

/* One after the other over one handle: nothing of the last may show in the next. */
static void check_wire(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", "{}");
    struct xf_transport *t = transport(loop, peer_url(p));

    for (int i = 0; i < (int)(COUNT(wires) * COUNT(wires)); i++) {
        const struct wire *w = &wires[(i % 2 == 0 ? i / 2 : i * 5) % (int)COUNT(wires)];
        const char *got;

        (void)start(t, &w->request);
        xf_transfer_free(await(loop));
        got = peer_request(p, i);
        if (!CHECK(got != NULL))
            break;
        CHECK_ROW(strncmp(got, w->line, strlen(w->line)) == 0, w->line);
        CHECK_ROW(strlen(got) > strlen(w->rest), w->line);
        CHECK_TEXT(got + strlen(got) - strlen(w->rest), w->rest);
        CHECK_ROW(strstr(got, w->with) != NULL, w->with);
        CHECK_ROW(strstr(got, w->without) == NULL, w->without);
        CHECK_ROW(strstr(got, "Expect") == NULL, w->line);
    }
    xf_transport_free(t);
    peer_stop(p);
}

static void check_reply(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", ENVELOPE);
    struct xf_transport *t = transport(loop, peer_url(p));
    struct xf_request r = order;
    const struct xf_reply *reply;
    struct xf_transfer *x;
    int mark;

    r.payload = &mark;
    (void)start(t, &r);
    x = await(loop);
    reply = xf_transfer_reply(x);
    CHECK(xf_transfer_payload(x) == &mark);
    CHECK_TEXT(reply->type, "application/json");
    CHECK_TEXT(reply->date, "Tue, 01 Jan 2030 00:00:00 GMT");
    CHECK_TEXT(reply->address, "127.0.0.1");
    CHECK_TEXT(reply->body, ENVELOPE);
    CHECK(reply->connect_s >= reply->name_s && reply->first_byte_s >= reply->connect_s);
    CHECK(reply->total_s >= reply->first_byte_s && reply->tls_s == 0);
    xf_transfer_free(x);
    xf_transport_free(t);
    peer_stop(p);
}

/* The largest request goes out without asking first. */
static void check_big_request(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", "{}");
    struct xf_transport *t = transport(loop, peer_url(p));
    struct xf_request r = order;
    struct xf_err err = {""};
    char *body = malloc(XF_BODY_MOST + 1);

    memset(body, 'x', XF_BODY_MOST + 1);
    r.body = body;
    r.body_size = XF_BODY_MOST;
    (void)start(t, &r);
    xf_transfer_free(await(loop));
    CHECK(peer_requests(p) == 1);
    CHECK(strstr(peer_request(p, 0), "Expect") == NULL);
    r.body_size++;
    CHECK(xf_transfer_start(t, &r, &err) == NULL);
    CHECK_TEXT(err.message, "the body of a request has more than 1048576 bytes");
    free(body);
    xf_transport_free(t);
    peer_stop(p);
}

/* ---- Release */

struct gate {
    struct peer *peer;
    bool open;
    int asked, requests_then;
};

static bool ask(void *payload)
{
    struct gate *g = payload;

    g->asked++;
    g->requests_then = peer_requests(g->peer);
    return g->open;
}

static void check_release(struct xf_loop *loop, bool open)
{
    struct gate g = {peer_start("json", ENVELOPE), open, 0, -1};
    struct xf_transport *t = transport(loop, peer_url(g.peer));
    struct xf_request r = order;
    struct xf_transfer *x;

    r.release = ask;
    r.payload = &g;
    (void)start(t, &r);
    x = await(loop);
    CHECK(g.asked == 1 && g.requests_then == 0);
    CHECK(xf_transfer_reply(x)->released == open);
    CHECK((xf_transfer_reply(x)->curl == 0) == open);
    CHECK(fate_of(xf_transfer_reply(x)) == (open ? XF_FATE_ANSWERED : XF_FATE_NOT_SENT));
    xf_transfer_free(x);
    xf_transport_free(t);
    CHECK(peer_requests(g.peer) == (open ? 1 : 0));
    peer_stop(g.peer);
}

/* ---- Never connected */

static void check_unsent(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", ENVELOPE), *asked = peer_start("refuse", NULL);
    struct gate g = {p, true, 0, -1};
    struct xf_request r = order;
    char tls[64], busy[64];
    const char *const urls[] = {tls, "https://xfiot.invalid", "https://[::1]:1", busy};

    (void)snprintf(tls, sizeof tls, "https://127.0.0.1:%d", peer_port(p));
    (void)snprintf(busy, sizeof busy, "http://localhost:%d", peer_port(asked));
    r.release = ask;
    r.payload = &g;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct xf_transport *t = transport(loop, urls[i]);
        struct xf_transfer *x;

        (void)start(t, &r);
        x = await(loop);
        CHECK_ROW(xf_transfer_reply(x)->curl != 0, urls[i]);
        CHECK_ROW(!xf_transfer_reply(x)->released, urls[i]);
        CHECK_ROW(fate_of(xf_transfer_reply(x)) == XF_FATE_NOT_SENT, urls[i]);
        xf_transport_free(t); /* and the transfer with it */
    }
    CHECK(g.asked == 0);
    CHECK(peer_requests(p) == 0);
    peer_stop(asked);
    peer_stop(p);
}

/* ---- Many */

static void check_many(struct xf_loop *loop)
{
    enum { MANY = 1000 };
    struct peer *p = peer_start("json", ENVELOPE);
    struct xf_transport *t = transport(loop, peer_url(p));
    int ended = 0, good = 0;
    static char seen[MANY];

    memset(seen, 0, sizeof seen);
    for (int i = 0; i < MANY; i++) {
        struct xf_request r = order;

        r.payload = &seen[i];
        (void)start(t, &r);
    }
    CHECK(xf_transfers_open(loop) == MANY);
    for (struct xf_transfer *x; ended < MANY && (x = await(loop)) != NULL; ended++) {
        (*(char *)xf_transfer_payload(x))++;
        good += fate_of(xf_transfer_reply(x)) == XF_FATE_ANSWERED;
        xf_transfer_free(x);
    }
    CHECK(good == MANY);
    for (int i = 0; i < MANY; i++)
        CHECK(seen[i] == 1);
    CHECK(xf_transfers_open(loop) == 0);
    CHECK(peer_requests(p) == MANY);
    CHECK(peer_connections(p) <= XF_TRANSFERS_MOST);
    xf_transport_free(t);
    peer_stop(p);
}

/* Silent calls fill every place; what waits behind them is ended by its own
 * deadline, the shorter one first, and never leaves. */
static void check_queue(struct xf_loop *loop)
{
    struct peer *silent = peer_start("no_reply", NULL), *p = peer_start("json", ENVELOPE);
    struct xf_transport *t = transport(loop, peer_url(silent)), *good = transport(loop, peer_url(p));
    struct xf_request r = order;
    struct xf_transfer *first = start(t, &r), *slow, *quick, *last, *x;

    for (int i = 1; i < XF_TRANSFERS_MOST; i++)
        (void)start(t, &r);
    r.timeout_ms = 60000;
    last = start(good, &r);
    r.timeout_ms = 1;
    quick = start(good, &r);
    r.timeout_ms = SHORT_MS;
    slow = start(t, &r);
    x = await(loop);
    CHECK(x == quick);
    x = await(loop);
    CHECK(x == slow);
    CHECK(xf_transfer_reply(x)->curl == CURLE_OPERATION_TIMEDOUT);
    CHECK(fate_of(xf_transfer_reply(x)) == XF_FATE_NOT_SENT);
    CHECK_TEXT(xf_transfer_reply(x)->body, "");
    xf_transfer_free(quick);
    xf_transfer_free(slow);
    CHECK(xf_transfers_open(loop) == XF_TRANSFERS_MOST + 1);
    xf_transfer_free(first); /* makes room */
    x = await(loop);
    CHECK(x == last);
    CHECK(fate_of(xf_transfer_reply(x)) == XF_FATE_ANSWERED);
    xf_transport_free(t);
    CHECK(xf_transfers_open(loop) == 0);
    xf_transport_free(good);
    peer_stop(silent);
    peer_stop(p);
}

/* A handle that comes back from a call with much time gives the next no more than its own. */
static void check_deadline(struct xf_loop *loop)
{
    struct peer *p = peer_start("no_reply", NULL);
    struct xf_transport *t = transport(loop, peer_url(p));
    struct xf_request r = order;
    struct xf_err err;
    struct xf_transfer *x;

    r.timeout_ms = 3600 * 1000;
    x = start(t, &r);
    CHECK(xf_loop_step(loop, 0, &err) == 0);
    xf_transfer_free(x);
    r.timeout_ms = SHORT_MS;
    (void)start(t, &r);
    x = await(loop);
    CHECK(xf_transfer_reply(x)->curl == CURLE_OPERATION_TIMEDOUT);
    xf_transport_free(t);
    peer_stop(p);
}

/* In every stage a transfer can be cancelled, by itself or with its transport. */
static void check_cancel(struct xf_loop *loop, bool with_transport)
{
    struct peer *p = peer_start("json", ENVELOPE), *silent = peer_start("no_reply", NULL);
    struct xf_transport *t = transport(loop, peer_url(p)), *s = transport(loop, peer_url(silent));
    struct xf_transfer *taken, *running = start(s, &order), *done, *queued, *x[4];
    struct xf_err err;

    (void)start(t, &order);
    taken = await(loop);
    done = start(t, &order);
    while (xf_transfers_open(loop) > 1 && xf_loop_step(loop, 1000, &err) == 0)
        continue;
    queued = start(s, &order);
    x[0] = queued, x[1] = running, x[2] = done, x[3] = taken;
    for (int i = 0; i < 4 && !with_transport; i++)
        xf_transfer_free(x[i]);
    if (with_transport)
        xf_transport_free(t), xf_transport_free(s);
    CHECK(xf_transfers_open(loop) == 0);
    CHECK(xf_transfer_take_done(loop) == NULL);
    CHECK(xf_loop_step(loop, 0, &err) == 0);
    if (!with_transport)
        xf_transport_free(t), xf_transport_free(s);
    peer_stop(p);
    peer_stop(silent);
}

/* ---- Caps, proxies, refusals */

static void check_cap(struct xf_loop *loop)
{
    static const struct {
        const char *behaviour, *argument;
        bool over;
    } caps[] = {{"json", "12345678", false},
                {"json", "123456789", true},
                {"chunked", "12345678", false},
                {"chunked", "123456789", true}};

    for (size_t i = 0; i < COUNT(caps); i++) {
        struct peer *p = peer_start(caps[i].behaviour, caps[i].argument);
        const struct xf_transport_options o = {.base_url = peer_url(p), .reply_cap = 8};
        struct xf_err err;
        struct xf_transport *t = xf_transport_new(loop, &o, &err);
        struct xf_transfer *x;

        (void)start(t, &order);
        x = await(loop);
        CHECK_ROW(xf_transfer_reply(x)->over_cap == caps[i].over, caps[i].argument);
        CHECK_ROW((xf_transfer_reply(x)->curl != 0) == caps[i].over, caps[i].argument);
        CHECK_ROW(xf_transfer_reply(x)->size <= 8, caps[i].argument);
        xf_transport_free(t);
        peer_stop(p);
    }
}

static int asked_whole_url(struct peer *proxy, const char *base)
{
    const char *got = peer_request(proxy, 0);
    char line[256];

    (void)snprintf(line, sizeof line, "POST %s%s HTTP/1.1\r\n", base, order.target);
    return got != NULL && strncmp(got, line, strlen(line)) == 0;
}

/* The environment's proxy is not asked; the one of the options is. */
static void check_proxy(struct xf_loop *loop)
{
    struct peer *p = peer_start("json", ENVELOPE), *proxy = peer_start("json", "{}");
    struct xf_transport *t;
    struct xf_transport_options o = {.base_url = peer_url(p)};
    struct xf_err err;

    (void)setenv("http_proxy", peer_url(proxy), 1);
    (void)setenv("all_proxy", peer_url(proxy), 1);
    (void)setenv("no_proxy", "*", 1);
    t = xf_transport_new(loop, &o, &err);
    (void)start(t, &order);
    (void)await(loop);
    xf_transport_free(t);
    CHECK(peer_requests(p) == 1 && peer_connections(proxy) == 0);
    o.proxy = peer_url(proxy);
    t = xf_transport_new(loop, &o, &err);
    (void)start(t, &order);
    (void)await(loop);
    xf_transport_free(t);
    CHECK(peer_requests(p) == 1 && peer_requests(proxy) == 1);
    CHECK(asked_whole_url(proxy, peer_url(p)));
    (void)unsetenv("http_proxy");
    (void)unsetenv("all_proxy");
    (void)unsetenv("no_proxy");
    peer_stop(p);
    peer_stop(proxy);
}

static void check_base_url(void)
{
    static const struct {
        const char *url, *normal; /* NULL: refused */
        bool allow_http;
    } urls[] = {
        {"https://iot.example.com", "https://iot.example.com:443", false},
        {"HTTPS://iot.example.com:8443/", "https://iot.example.com:8443", false},
        {"https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", false},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080", false},
        {"http://127.9.9.9", "http://127.9.9.9:80", false},
        {"http://localhost/", "http://localhost:80", false},
        {"http://[::1]:80", "http://[::1]:80", false},
        {"http://iot.example.com", "http://iot.example.com:80", true},
        {"http://10.0.0.1:80", "http://10.0.0.1:80", true},
        {"http://iot.example.com", NULL, false},
        {"http://10.0.0.1:80", NULL, false},
        {"http://128.0.0.1", NULL, false},
        {"http://[::2]", NULL, false},
        {"http://[::ffff:127.0.0.1]", NULL, false},
        {"http://127.0.0.1.example.com", NULL, false},
        {"http://localhost.example.com", NULL, false},
        {"http://127.0.0.1@example.com", NULL, true},
        {"https://user:secret@example.com", NULL, true},
        {"https://@example.com", NULL, true},
        {"https://example.com/iotcloud/app", NULL, true},
        {"https://example.com//", NULL, true},
        {"https://example.com/?", NULL, true},
        {"https://example.com?a=1", NULL, true},
        {"https://example.com/#a", NULL, true},
        {"https://example.com:0", NULL, true},
        {"https://example.com:65536", NULL, true},
        {"https://example.com:80x", NULL, true},
        {"https:///example.com", NULL, true},
        {"https:/example.com", NULL, true},
        {"https://", NULL, true},
        {"https://:443", NULL, true},
        {"https://example.com\\@127.0.0.1", NULL, true},
        {"https://example .com", NULL, true},
        {"https://example.com\r\nX: y", NULL, true},
        {"https://ex\xc3\xa4mple.com", NULL, true},
        {"example.com", NULL, true},
        {"", NULL, true},
        {"ftp://example.com", NULL, true},
        {"file:///etc/passwd", NULL, true},
        {"unix:///run/x", NULL, true},
    };
    char out[XF_BASE_SIZE], big[1024];
    struct xf_err err;

    for (size_t i = 0; i < COUNT(urls); i++) {
        int result = xf_base_url(urls[i].url, urls[i].allow_http, out, &err);

        if (!CHECK_ROW((result == 0) == (urls[i].normal != NULL), urls[i].url))
            continue;
        if (result == 0)
            CHECK_TEXT(out, urls[i].normal);
        else
            CHECK_ROW(strstr(err.message, "base_url") != NULL && strstr(err.message, "secret") == NULL,
                      urls[i].url);
    }
    memset(big, 'a', sizeof big);
    memcpy(big, "https://", 8);
    big[sizeof big - 1] = '\0';
    CHECK(xf_base_url(big, true, out, &err) != 0);
}

static void check_refusals(struct xf_loop *loop)
{
    static const struct xf_request bad[] = {
        {.method = "DELETE", TARGET("/")},
        {.method = "get", TARGET("/")},
        {.method = "GET", TARGET("/"), BODY("x")},
        {.method = "GET", TARGET("")},
        {.method = "GET", TARGET("x")},
        {.method = "GET", TARGET("@example.com/")},
        {.method = "GET", TARGET("/a b")},
        {.method = "GET", TARGET("/a\r\nX: y")},
        {.method = "GET", TARGET("/a\0b")},
        {.method = "GET", TARGET("/a#b")},
        {.method = "GET", TARGET("/\xe5\xaf\x86")},
        {.method = "GET", TARGET("/"), .headers = {"A: b\r\nX: y"}},
        {.method = "GET", TARGET("/"), .headers = {"A: b", "A:"}},
        {.method = "GET", TARGET("/"), .headers = {"A: b", ": b"}},
        {.method = "GET", TARGET("/"), .headers = {"A;"}},
    };
    static const char *const files[] = {"/no/such/file", "/", "/dev/null"};
    struct xf_transport *t = transport(loop, "http://127.0.0.1:1");
    struct xf_transport_options o = {.base_url = NULL};
    struct xf_err err;

    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(xf_transfer_start(t, &bad[i], &err) == NULL, bad[i].target);
    CHECK(xf_transfers_open(loop) == 0);
    CHECK(xf_transport_new(loop, &o, &err) == NULL);
    o.base_url = "http://example.com";
    CHECK(xf_transport_new(loop, &o, &err) == NULL);
    o.base_url = "https://example.com";
    for (size_t i = 0; i < COUNT(files); i++) {
        o.ca_file = files[i];
        CHECK_ROW(xf_transport_new(loop, &o, &err) == NULL, files[i]);
        CHECK_ROW(strstr(err.message, files[i]) != NULL, files[i]);
    }
    xf_transport_free(t);
    xf_transport_free(NULL);
    xf_transfer_free(NULL);
}

int main(void)
{
    struct xf_err err;
    struct xf_loop *loop = xf_loop_new(&err);

    if (!CHECK(loop != NULL))
        return check_end();
    check_base_url();
    check_refusals(loop);
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(loop, &rows[i]);
    check_reuse(loop, ONCE);
    check_reuse(loop, NO_REPEAT);
    check_reuse(loop, REPEATED);
    check_lone(loop);
    check_wire(loop);
    check_reply(loop);
    check_big_request(loop);
    check_release(loop, true);
    check_release(loop, false);
    check_unsent(loop);
    check_many(loop);
    check_queue(loop);
    check_deadline(loop);
    check_cancel(loop, false);
    check_cancel(loop, true);
    check_cap(loop);
    check_proxy(loop);
    xf_loop_free(loop);
    return check_end();
}
