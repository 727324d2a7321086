/* Requests of those who mean ill: smuggling, hostile bodies, slow clients, floods. */
#include <dirent.h>
#include <sys/resource.h>

#include "receiver_case.h"

enum { REQUEST_MOST = 256 * 1024 };

/* A request of a fresh transId: \a stands for its signing headers, \f for the
 * transId alone, \v for its token. */
static size_t sign_request(struct receiver_case *c, unsigned tail, const char *bytes, size_t size, char *out)
{
    char trans_id[32], token[XF_TOKEN_LENGTH + 1];
    size_t used = 0;

    case_token(c, case_trans_id(c, 0, tail, trans_id), token);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\a')
            used += (size_t)snprintf(out + used, REQUEST_MOST - used,
                                     "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: %s\r\nAPI_TOKEN: %s\r\n", trans_id,
                                     token);
        else if (bytes[i] == '\v')
            used += (size_t)snprintf(out + used, REQUEST_MOST - used, "%s", token);
        else if (bytes[i] == '\f')
            used += (size_t)snprintf(out + used, REQUEST_MOST - used, "%s", trans_id);
        else
            out[used++] = bytes[i];
    }
    return used;
}

#define LINE        "POST /deviceReportData HTTP/1.1\r\nHost: h\r\n"
#define BYTES(text) text, sizeof(text) - 1

static void smuggling(void)
{
    static const struct {
        const char *row, *bytes;
        size_t size;
        int status; /* 0: any refusal, or an end without words */
    } rows[] = {
        {"both lengths", BYTES(LINE "\aContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
         400},
        {"both, the other way",
         BYTES(LINE "\aTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 400},
        {"a length twice", BYTES(LINE "\aContent-Length: 2\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"two lengths", BYTES(LINE "\aContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]"), 400},
        {"a list of lengths", BYTES(LINE "\aContent-Length: 2, 2\r\n\r\n[]"), 400},
        {"a sign", BYTES(LINE "\aContent-Length: +2\r\n\r\n[]"), 400},
        {"less than nothing", BYTES(LINE "\aContent-Length: -2\r\n\r\n[]"), 400},
        {"hexadecimal", BYTES(LINE "\aContent-Length: 0x2\r\n\r\n[]"), 400},
        {"no number", BYTES(LINE "\aContent-Length: \r\n\r\n[]"), 400},
        {"beyond all numbers", BYTES(LINE "\aContent-Length: 99999999999999999999999\r\n\r\n[]"), 0},
        {"another coding", BYTES(LINE "\aTransfer-Encoding: gzip\r\n\r\n[]"), 400},
        {"two codings", BYTES(LINE "\aTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 400},
        {"a coding twice",
         BYTES(LINE "\aTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"),
         400},
        {"a coding with an odd blank",
         BYTES(LINE "\aTransfer-Encoding: \x01chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 400},
        {"a blank before the colon", BYTES(LINE "\aContent-Length : 2\r\n\r\n[]"), 400},
        {"a name with a blank", BYTES(LINE "\aContent Length: 2\r\n\r\n[]"), 400},
        {"a header without a colon", BYTES(LINE "\aContent-Length\r\n\r\n[]"), 400},
        {"a header without a name", BYTES(LINE "\a: 2\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"a blank line's blank", BYTES(LINE " X: y\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"a folded value", BYTES(LINE "\aX: a\r\n b\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"a folded last value", BYTES(LINE "\aContent-Length: 2\r\nX: a\r\n\tb\r\n\r\n[]"), 400},
        {"a folded token",
         BYTES(LINE
               "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: \f\r\nAPI_TOKEN:\r\n \v\r\nContent-Length: 2\r\n\r\n[]"),
         400},
        {"a NUL behind a token",
         BYTES(LINE
               "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: \f\r\nAPI_TOKEN: \v\0x\r\nContent-Length: 2\r\n\r\n[]"),
         400},
        {"a NUL behind the last",
         BYTES(LINE
               "API_ORG_NUM: 100001\r\nContent-Length: 2\r\nAPI_TRANS_ID: \f\r\nAPI_TOKEN: \v\0x\r\n\r\n[]"),
         400},
        {"a NUL behind the last length", BYTES(LINE "\aContent-Length: 2\0\r\n\r\n[]"), 400},
        {"two NULs behind the last length", BYTES(LINE "\aContent-Length: 2\0\0\r\n\r\n[]"), 400},
        {"a NUL behind the last coding",
         BYTES(LINE "\aTransfer-Encoding: chunked\0\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 400},
        {"a NUL behind a length", BYTES(LINE "Content-Length: 2\0\r\n\a\r\n[]"), 400},
        {"a NUL behind the version",
         BYTES("POST /deviceReportData HTTP/1.1\0\r\nHost: h\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"a NUL behind the method",
         BYTES("POST\0 /deviceReportData HTTP/1.1\r\nHost: h\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"a NUL before the path",
         BYTES("POST \0/deviceReportData HTTP/1.1\r\nHost: h\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"a NUL in a name", BYTES(LINE "\aX\0: y\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"a NUL in the path",
         BYTES("POST /deviceReportData\0x HTTP/1.1\r\nHost: h\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"an escaped NUL in the path",
         BYTES("POST /deviceReportData%00x HTTP/1.1\r\nHost: h\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"a bare CR", BYTES(LINE "\aX: a\rY: b\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"a DEL", BYTES(LINE "\aX: a\x7f\r\nContent-Length: 2\r\n\r\n[]"), 400},
        {"no host", BYTES("POST /deviceReportData HTTP/1.1\r\n\aContent-Length: 2\r\n\r\n[]"), 200},
        {"two hosts", BYTES(LINE "Host: i\r\n\aContent-Length: 2\r\n\r\n[]"), 400},
        {"no length", BYTES(LINE "\a\r\n"), 411},
        {"too long", BYTES(LINE "\aContent-Length: 5000000\r\n\r\n"), 413},
        {"a chunk of no size", BYTES(LINE "\aTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"), 0},
        {"a chunk of too much", BYTES(LINE "\aTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n[]"),
         0},
        {"no HTTP", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 0},
        {"chunks", BYTES(LINE "\aTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1;x=y\r\n]\r\n0\r\n\r\n"), 200},
        {"chunks, in capitals", BYTES(LINE "\aTransfer-Encoding: CHUNKED\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 200},
        {"lines that end by LF alone",
         BYTES("POST /deviceReportData HTTP/1.1\nHost: h\nContent-Length: 2\n\a\n[]"), 200},
        {"lines that end both ways",
         BYTES("POST /deviceReportData HTTP/1.1\nHost: h\r\nContent-Length: 2\n\a\n[]"), 200},
        {"blanks behind values", BYTES(LINE "\aX: y  \r\nContent-Length: 2\r\n\r\n[]"), 200},
        {"values of nothing", BYTES(LINE "X:\r\nY: \r\n\aContent-Length: 2\r\nZ:\r\n\r\n[]"), 200},
    };
    static char request[REQUEST_MOST];
    struct receiver_case c;
    size_t stored = 0;

    receiver_start(&c, (struct xf_listener_options){.idle_s = 1});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int fd = client_open(&c, NULL);
        struct reply r;

        r = client_ask(&c, fd, request, sign_request(&c, (unsigned)i, rows[i].bytes, rows[i].size, request));
        if (rows[i].status == 0)
            CHECK_ROW(r.status == 0 ? r.end : r.status >= 400, rows[i].row);
        else
            CHECK_ROW(r.status == rows[i].status, rows[i].row);
        CHECK_ROW(rows[i].status == 200 || client_ends(&c, fd), rows[i].row);
        (void)close(fd);
        stored += rows[i].status == 200;
        CHECK_ROW(c.written == stored, rows[i].row);
    }
    receiver_end(&c);
}

/* Byte by byte, and two in one piece. */
static void pieces(void)
{
    static const char one[] = LINE "\aContent-Length: 4\r\n\r\n[ 1]";
    static char request[REQUEST_MOST];
    struct receiver_case c;
    struct reply r;
    size_t size;
    int fd;

    receiver_start(&c, (struct xf_listener_options){0});
    fd = client_open(&c, NULL);
    size = sign_request(&c, 1, one, sizeof one - 1, request);
    for (size_t i = 0; i < size; i++) {
        CHECK(send(fd, request + i, 1, MSG_NOSIGNAL) == 1);
        receiver_step(&c);
    }
    r = client_ask(&c, fd, "", 0);
    CHECK(r.status == 200 && c.written == 1);
    size = sign_request(&c, 2, one, sizeof one - 1, request);
    size += sign_request(&c, 3, one, sizeof one - 1, request + size);
    r = client_ask(&c, fd, request, size);
    for (int i = 0; i < 20; i++)
        receiver_step(&c);
    CHECK(r.status == 200 && c.written == 3);
    (void)close(fd);
    receiver_end(&c);
}

static size_t read_file(const char *path, char *out, size_t room)
{
    FILE *f = fopen(path, "rb");
    size_t size = 0;

    if (CHECK_ROW(f != NULL, path)) {
        size = fread(out, 1, room, f);
        (void)fclose(f);
    }
    return size;
}

/* Every body of spec/json: those that must be refused, and those that must not be. */
static void bodies(void)
{
    static char body[REQUEST_MOST], request[REQUEST_MOST], head[512];
    struct receiver_case c;
    const struct dirent *entry;
    unsigned count = 0;
    DIR *folder = opendir("spec/json");
    int fd;

    if (!CHECK(folder != NULL))
        return;
    receiver_start(&c, (struct xf_listener_options){0});
    fd = client_open(&c, NULL);
    while ((entry = readdir(folder)) != NULL) {
        char path[512];
        size_t size, used;
        struct reply r;

        if (strncmp(entry->d_name, "n_", 2) != 0 && strncmp(entry->d_name, "y_", 2) != 0)
            continue;
        (void)snprintf(path, sizeof path, "spec/json/%s", entry->d_name);
        size = read_file(path, body, sizeof body / 2);
        (void)snprintf(head, sizeof head, LINE "\aContent-Length: %zu\r\n\r\n", size);
        used = sign_request(&c, count++, head, strlen(head), request);
        memcpy(request + used, body, size);
        r = client_ask(&c, fd, request, used + size);
        CHECK_ROW(r.status == (entry->d_name[0] == 'n' ? 400 : 200), entry->d_name);
    }
    CHECK(count > 380);
    (void)close(fd);
    (void)closedir(folder);
    receiver_end(&c);
}

/* A signed header is overheard: neither memory nor disk is at the mercy of who has it. */
static void unsigned_bodies_are_not_kept(void)
{
    static char big[REQUEST_MOST];
    static const char head[] = LINE "API_ORG_NUM: 100001\r\nContent-Length: 200000\r\n\r\n";
    struct receiver_case c;
    struct reply r;
    int fd;

    receiver_start(&c, (struct xf_listener_options){0});
    fd = client_open(&c, NULL);
    memset(big, ' ', sizeof big);
    memcpy(big, head, sizeof head - 1);
    r = client_ask(&c, fd, big, sizeof head - 1 + 200000);
    CHECK(r.status == 401); /* read to its end, so that the answer arrives */
    r = client_ask(&c, fd, big, sizeof head - 1 + 200000);
    CHECK(r.status == 401);
    (void)close(fd);
    receiver_end(&c);
}

static bool send_all(struct receiver_case *c, int fd, const char *bytes, size_t size)
{
    for (int i = 0; i < CASE_STEPS && size > 0; i++) {
        const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
        receiver_step(c);
    }
    return size == 0;
}

/* Great bodies that hang about unfinished fill no more than their share of memory. */
static void great_bodies(void)
{
    enum { MANY = 20, GREAT = 4 * 1024 * 1024 };
    static char request[REQUEST_MOST], body[GREAT], head[256];
    struct receiver_case c;
    int fds[MANY], good = 0, sorry = 0;

    receiver_start(&c, (struct xf_listener_options){.idle_s = 60});
    memset(body, ' ', sizeof body);
    body[0] = '[';
    (void)snprintf(head, sizeof head, LINE "\aContent-Length: %d\r\n\r\n", GREAT);
    for (unsigned i = 0; i < MANY; i++) {
        fds[i] = client_open(&c, NULL);
        CHECK(send_all(&c, fds[i], request, sign_request(&c, i, head, strlen(head), request)));
        CHECK(send_all(&c, fds[i], body, GREAT - 1));
    }
    for (int i = 0; i < MANY; i++) {
        const int status = client_ask(&c, fds[i], "]", 1).status;

        good += status == 200;
        sorry += status == 503;
        (void)close(fds[i]);
    }
    CHECK(good >= 12 && sorry >= 1 && good + sorry == MANY && c.written == (size_t)good);
    for (unsigned i = 0; i < MANY; i++) { /* and none of it stays behind */
        const int fd = client_open(&c, NULL);

        CHECK(send_all(&c, fd, request, sign_request(&c, MANY + i, head, strlen(head), request)));
        CHECK(send_all(&c, fd, body, GREAT - 1));
        CHECK(client_ask(&c, fd, "]", 1).status == 200);
        (void)close(fd);
    }
    receiver_end(&c);
}

/* A thousand connections that never bring a request; an honest push comes all the
 * same, from elsewhere and from where they come from. */
static void slow_clients(void)
{
    enum { SLOW = 1000 };
    static const char part[] = "POST /deviceReportData HTTP/1.1\r\nHost: h\r\nX-a: ";
    static const char honest[] = LINE "\aContent-Length: 2\r\n\r\n[]";
    static char request[REQUEST_MOST];
    static int fds[SLOW];
    struct rlimit files = {0};
    struct receiver_case c;
    double began;
    int fd;

    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    receiver_start(&c, (struct xf_listener_options){.per_address = 512, .connections = 600, .idle_s = 30});
    for (int i = 0; i < SLOW; i++) {
        fds[i] = client_open(&c, i % 2 == 0 ? "127.0.0.2" : "127.0.0.3");
        for (int n = 0; n < 2; n++)
            receiver_step(&c);
        (void)send(fds[i], part, sizeof part - 1, MSG_NOSIGNAL);
    }
    began = xf_loop_clock();
    while (xf_loop_clock() < began + 0.6) { /* until they may be closed for others */
        for (int i = 0; i < SLOW; i += 100)
            (void)send(fds[i], "a", 1, MSG_NOSIGNAL);
        receiver_step(&c);
    }
    for (unsigned i = 0; i < 6; i++) {
        fd = client_open(&c, i % 2 == 0 ? "127.0.0.2" : NULL);
        CHECK(client_ask(&c, fd, request, sign_request(&c, i, honest, sizeof honest - 1, request)).status ==
              200);
        (void)close(fd);
    }
    CHECK(c.written == 6);
    for (int i = 0; i < SLOW; i++)
        (void)close(fds[i]);
    receiver_end(&c);
}

/* Whether the one beyond the limit of its address was closed, and no other is slow yet. */
static bool fill_an_address(struct receiver_case *c, bool *closed)
{
    enum { MOST = 8 };
    const double began = xf_loop_clock();
    int fds[MOST + 1], extra;

    receiver_start(c, (struct xf_listener_options){.per_address = MOST});
    for (int i = 0; i <= MOST; i++) {
        fds[i] = client_open(c, NULL);
        for (int n = 0; n < 3; n++)
            receiver_step(c);
    }
    const bool quick = xf_loop_clock() < began + 0.5; /* XF_EVICT_AFTER */

    *closed = client_ends(c, fds[MOST]);
    extra = client_open(c, "127.0.0.9");
    CHECK(client_ask(c, extra, BYTES("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")).status == 200);
    (void)close(extra);
    for (int i = 0; i <= MOST; i++)
        (void)close(fds[i]);
    receiver_end(c);
    return quick;
}

/* Those beyond the limit are closed at once. A machine that was too slow to tell is asked again. */
static void too_many_of_one(void)
{
    struct receiver_case c;
    bool closed = false, told = false;

    for (int i = 0; i < 20 && !told; i++)
        told = fill_an_address(&c, &closed);
    CHECK(told && closed);
}

/* A request must be whole in time, however busily its bytes drip. */
static void deadline(void)
{
    static const char part[] = LINE "X-a: ";
    struct receiver_case c;
    struct reply r = {0};
    const double began = xf_loop_clock();
    double dripped = began;
    int fd;

    receiver_start(&c, (struct xf_listener_options){.idle_s = 1});
    fd = client_open(&c, NULL);
    (void)send(fd, part, sizeof part - 1, MSG_NOSIGNAL);
    while (!r.end && xf_loop_clock() < began + 20) {
        if (xf_loop_clock() > dripped + 0.01) {
            (void)send(fd, "a", 1, MSG_NOSIGNAL);
            dripped = xf_loop_clock();
        }
        receiver_step(&c);
        reply_pump(fd, &r);
    }
    CHECK(r.end && r.status == 0);
    (void)close(fd);
    receiver_end(&c);
}

int main(void)
{
    smuggling();
    pieces();
    bodies();
    unsigned_bodies_are_not_kept();
    great_bodies();
    slow_clients();
    too_many_of_one();
    deadline();
    return check_end();
}
