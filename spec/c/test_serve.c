/* `serve` as a process of its own, this program once more: killed under load, told
 * to stop, handed a socket. */
#include "serve.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "journal_case.h"
#include "journal_push.h"
#include "timestamp.h"

enum { CONNECTIONS = 16, ROUNDS = 12, PUSHES_MOST = 20000, WAIT_MS = 20000 };

static const char key[] = "canary-key-0123456789";
static const char company[] = "100001";

/* ---- the server's side */

static void tell_port(void *payload, uint16_t port)
{
    (void)payload;
    if (write(STDOUT_FILENO, &port, sizeof port) != (ssize_t)sizeof port)
        _exit(7);
}

static void be_server(const char *journal, const char *certificate, const char *private_key)
{
    struct xf_err err = {""};
    struct xf_serve_options o = {
        .receiver = {.company_code = company, .journal = journal, .offset = XF_UTC_OFFSET, .quiet = true},
        .certificate_file = certificate,
        .private_key_file = private_key,
        .ready = tell_port,
    };
    int status;

    o.signer = xf_signer_new(key, sizeof key - 1, "merchant", 8, &err);
    status = o.signer == NULL || xf_serve(&o, &err) != 0 ? 1 : 0;
    if (status != 0)
        (void)fprintf(stderr, "# %s\n", err.message);
    xf_signer_free(o.signer);
    exit(status);
}

/* ---- starting and ending it */

struct server {
    pid_t pid;
    uint16_t port;
};

/* `socket` becomes descriptor 3, if it is not -1. Certificate and key may be NULL. Port
 * 0: it has ended without one. */
static struct server start_with(const struct journal_case *c, int socket, const char *certificate,
                                const char *private_key)
{
    struct server s = {0};
    char self[CASE_PATH], pid[32];
    int ends[2];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    case_pipe(ends);
    self[n > 0 ? n : 0] = '\0';
    s.pid = fork();
    if (s.pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        if (socket >= 0) {
            (void)dup2(socket, 3);
            (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
            (void)setenv("LISTEN_PID", pid, 1);
            (void)setenv("LISTEN_FDS", "1", 1);
        }
        (void)execl(self, self, "serve", c->path, certificate, private_key, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    if (read(ends[0], &s.port, sizeof s.port) != (ssize_t)sizeof s.port)
        s.port = 0;
    (void)close(ends[0]);
    return s;
}

static struct server start_server(const struct journal_case *c, int socket)
{
    const struct server s = start_with(c, socket, NULL, NULL);

    if (s.port == 0)
        abort();
    return s;
}

/* Its exit status, or minus the signal that ended it. */
static int end_server(const struct server *s, int number)
{
    int status = 0;

    (void)kill(s->pid, number);
    if (waitpid(s->pid, &status, 0) != s->pid)
        return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- pushing */

struct load {
    struct xf_signer *signer;
    struct xf_trans_id_maker ids;
    size_t count; /* of the pushes made */
    char (*made)[XF_TRANS_ID_LENGTH + 1];
    bool *good; /* answered 200 */
};

struct lane {
    int fd;
    size_t push; /* under way */
    char answer[512];
    size_t size;
};

static void send_push(struct load *l, struct lane *lane, size_t push)
{
    char request[512], token[XF_TOKEN_LENGTH + 1];
    struct xf_err err;
    int size;

    CHECK(xf_sign(l->signer, l->made[push], XF_TRANS_ID_LENGTH, token, &err) == 0);
    size = snprintf(request, sizeof request,
                    "POST /deviceReportData HTTP/1.1\r\nHost: h\r\nAPI_ORG_NUM: %s\r\nAPI_TRANS_ID: %s\r\n"
                    "API_TOKEN: %s\r\nContent-Length: 12\r\n\r\n[%10zu]",
                    company, l->made[push], token, push);
    lane->push = push;
    lane->size = 0;
    (void)!send(lane->fd, request, (size_t)size, MSG_NOSIGNAL);
}

static size_t make_push(struct load *l)
{
    struct xf_err err;

    if (l->count == PUSHES_MOST)
        abort();
    CHECK(xf_trans_id_next(&l->ids, l->made[l->count], &err) == 0);
    return l->count++;
}

static int open_lane(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        abort();
    return fd;
}

/* 1: answered 200; 0: not yet; -1: the connection is lost, or another answer. */
static int hear(struct lane *lane)
{
    const ssize_t n =
        recv(lane->fd, lane->answer + lane->size, sizeof lane->answer - 1 - lane->size, MSG_DONTWAIT);

    if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : -1;
    lane->size += (size_t)n;
    lane->answer[lane->size] = '\0';
    if (strstr(lane->answer, "\r\n\r\n") == NULL)
        return 0;
    return strncmp(lane->answer, "HTTP/1.1 200", 12) == 0 ? 1 : -1;
}

/* Pushes over all lanes until so many were answered, then ends the server so. */
static void push_and_end(struct load *l, const struct server *s, size_t answers, int number)
{
    struct lane lanes[CONNECTIONS];
    struct pollfd polls[CONNECTIONS];
    size_t good = 0, open = CONNECTIONS;

    for (int i = 0; i < CONNECTIONS; i++) {
        lanes[i].fd = open_lane(s->port);
        polls[i] = (struct pollfd){.fd = lanes[i].fd, .events = POLLIN};
        send_push(l, &lanes[i], make_push(l));
    }
    while (open > 0 && poll(polls, CONNECTIONS, WAIT_MS) > 0)
        for (int i = 0; i < CONNECTIONS; i++) {
            const int heard = polls[i].fd < 0 || polls[i].revents == 0 ? 0 : hear(&lanes[i]);

            if (heard > 0) {
                l->good[lanes[i].push] = true;
                if (++good == answers)
                    CHECK(kill(s->pid, number) == 0);
                if (good < answers || number == SIGKILL)
                    send_push(l, &lanes[i], make_push(l));
            }
            if (heard < 0 || (heard > 0 && good >= answers && number != SIGKILL)) {
                polls[i].fd = -1;
                open--;
            }
        }
    CHECK(good >= answers && open == 0);
    for (int i = 0; i < CONNECTIONS; i++)
        (void)close(lanes[i].fd);
}

/* What the platform would do if it did: those without an answer once more. */
static void push_again(struct load *l, const struct server *s)
{
    struct lane lane = {.fd = open_lane(s->port)};
    struct pollfd p = {.fd = lane.fd, .events = POLLIN};

    for (size_t i = 0; i < l->count; i++) {
        int heard = 0;

        if (l->good[i])
            continue;
        send_push(l, &lane, i);
        while (heard == 0 && poll(&p, 1, WAIT_MS) == 1)
            heard = hear(&lane);
        l->good[i] = heard == 1;
    }
    (void)close(lane.fd);
}

static int64_t rows_of(struct xf_journal *j, const char *trans_id)
{
    struct xf_push_filter filter = {.trans_id = trans_id, .states = XF_PUSH_BIT(XF_PUSH_NEW)};
    struct xf_pushes found;
    struct xf_err err;
    int64_t count = -1;

    if (xf_journal_list_pushes(j, &filter, &found, &err) == 0)
        count = (int64_t)found.count;
    xf_pushes_free(&found);
    return count;
}

/* Every push that was acknowledged is there, once. */
static void check_journal(const struct journal_case *c, const struct load *l)
{
    struct xf_journal *j = case_open(c);
    size_t good = 0, there = 0;

    for (size_t i = 0; i < l->count; i++)
        if (l->good[i]) {
            good++;
            there += rows_of(j, l->made[i]) == 1;
        }
    CHECK(good > 0 && there == good);
    if (there != good)
        printf("# %zu acknowledged, %zu in the journal\n", good, there);
    xf_journal_close(j);
}

static void load_open(struct load *l)
{
    struct xf_err err;

    *l = (struct load){.made = calloc(PUSHES_MOST, sizeof *l->made),
                       .good = calloc(PUSHES_MOST, sizeof *l->good)};
    l->signer = xf_signer_new(key, sizeof key - 1, "merchant", 8, &err);
    xf_trans_id_init(&l->ids, &xf_source_system, XF_UTC_OFFSET);
    if (l->made == NULL || l->good == NULL || l->signer == NULL)
        abort();
}

static void load_close(struct load *l)
{
    xf_signer_free(l->signer);
    free(l->made);
    free(l->good);
}

static void killed_under_load(void)
{
    struct journal_case c = case_start();
    struct server s;
    struct load l;

    load_open(&l);
    for (size_t round = 0; round < ROUNDS; round++) {
        s = start_server(&c, -1);
        push_and_end(&l, &s, 1 + round * 37, SIGKILL);
        CHECK(end_server(&s, SIGKILL) == -SIGKILL);
        check_journal(&c, &l);
    }
    s = start_server(&c, -1);
    push_again(&l, &s);
    CHECK(end_server(&s, SIGTERM) == 0);
    check_journal(&c, &l);
    load_close(&l);
    case_end(&c);
}

/* What has begun when it is told to stop is finished; nothing is lost. */
static void stopped_under_load(void)
{
    struct journal_case c = case_start();
    struct server s = start_server(&c, -1);
    struct load l;

    load_open(&l);
    push_and_end(&l, &s, 200, SIGTERM);
    CHECK(end_server(&s, 0) == 0);
    check_journal(&c, &l);
    load_close(&l);
    case_end(&c);
}

/* The socket is another's, as a service manager opens it; with READY=1 to that. */
static void handed_over(void)
{
    struct journal_case c = case_start();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof any;
    char text[64] = "";
    struct server s;
    struct load l;

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", c.folder);
    CHECK(bind(notify, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(bind(listening, (const struct sockaddr *)&any, sizeof any) == 0 && listen(listening, 8) == 0 &&
          getsockname(listening, (struct sockaddr *)&any, &size) == 0);
    CHECK(setenv("NOTIFY_SOCKET", at.sun_path, 1) == 0);
    s = start_server(&c, listening);
    CHECK(unsetenv("NOTIFY_SOCKET") == 0);
    CHECK(s.port == ntohs(any.sin_port));
    CHECK(recv(notify, text, sizeof text - 1, MSG_DONTWAIT) > 0);
    CHECK_TEXT(text, "READY=1");
    load_open(&l);
    push_and_end(&l, &s, 5, SIGTERM);
    CHECK(end_server(&s, 0) == 0);
    memset(text, 0, sizeof text);
    CHECK(recv(notify, text, sizeof text - 1, MSG_DONTWAIT) > 0);
    CHECK_TEXT(text, "STOPPING=1");
    check_journal(&c, &l);
    load_close(&l);
    (void)close(notify);
    (void)close(listening);
    case_end(&c);
}

/* ---- TLS */

static void run_openssl(const char *const *arguments)
{
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        (void)execvp("openssl", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static size_t ignore(char *bytes, size_t size, size_t count, void *payload)
{
    (void)bytes, (void)payload;
    return size * count;
}

/* The status of GET /healthz, or minus curl's result. `newest`: the last version of TLS to offer. */
static long get_health(uint16_t port, const char *scheme, const char *trusted, long newest)
{
    CURL *curl = curl_easy_init();
    char url[64];
    CURLcode result;
    long status = 0;

    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u/healthz", scheme, port);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0 | newest);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST,
                           "ALL:@SECLEVEL=0"); /* it is the server that must refuse */
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    result = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return result == CURLE_OK ? status : -(long)result;
}

static void over_tls(void)
{
    struct journal_case c = case_start();
    char certificate[CASE_PATH], private_key[CASE_PATH];
    const char *const make[] = {
        "openssl", "req",       "-x509", "-newkey",   "ec",        "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes",  "-days",     "2",     "-subj",     "/CN=xfiot", "-addext",  "subjectAltName=IP:127.0.0.1",
        "-keyout", private_key, "-out",  certificate, NULL};
    struct server s;

    (void)snprintf(certificate, sizeof certificate, "%s/certificate.pem", c.folder);
    (void)snprintf(private_key, sizeof private_key, "%s/key.pem", c.folder);
    run_openssl(make);
    s = start_with(&c, -1, certificate, private_key);
    CHECK(s.port != 0);
    CHECK(get_health(s.port, "https", certificate, CURL_SSLVERSION_MAX_TLSv1_3) == 200);
    CHECK(get_health(s.port, "https", certificate, CURL_SSLVERSION_MAX_TLSv1_2) == 200);
    CHECK(get_health(s.port, "https", certificate, CURL_SSLVERSION_MAX_TLSv1_1) == -CURLE_SSL_CONNECT_ERROR);
    CHECK(get_health(s.port, "http", certificate, CURL_SSLVERSION_MAX_DEFAULT) < 0);
    CHECK(end_server(&s, SIGTERM) == 0);

    s = start_with(&c, -1, certificate, certificate); /* no pair */
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    s = start_with(&c, -1, c.folder, private_key);
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    s = start_with(&c, -1, "/nonexistent.pem", private_key);
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    case_end(&c);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        be_server(argv[2], argc > 4 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setenv("HOME", "/nonexistent", 1);
    (void)!freopen("/dev/null", "w", stderr); /* the servers' lines */
    killed_under_load();
    stopped_under_load();
    handed_over();
    over_tls();
    return check_end();
}
