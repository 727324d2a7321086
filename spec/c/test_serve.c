/* `serve` as a process of its own, this program once more: killed under load, told
 * to stop, handed a socket. */
#include "serve.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "journal_push.h"
#include "timestamp.h"
#include "tls_case.h"

enum { CONNECTIONS = 16, ROUNDS = 12, PUSHES_MOST = 20000, WAIT_MS = 20000, TEXT_MOST = 16384 };

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
    char self[CASE_PATH], pid[32], log[CASE_PATH];
    int ends[2], lines;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    case_pipe(ends);
    self[n > 0 ? n : 0] = '\0';
    s.pid = fork();
    if (s.pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)snprintf(log, sizeof log, "%s/log", c->folder);
        lines = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        (void)dup2(lines, STDERR_FILENO);
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

static size_t ignore(char *bytes, size_t size, size_t count, void *payload)
{
    (void)bytes, (void)payload;
    return size * count;
}

static size_t keep_text(char *bytes, size_t size, size_t count, void *payload)
{
    char *text = payload;
    const size_t used = strlen(text);

    (void)snprintf(text + used, TEXT_MOST - used, "%.*s", (int)(size * count), bytes);
    return size * count;
}

/* The number that a line of /metrics begins with, or -1. */
static long long get_metric(uint16_t port, const char *trusted, const char *name)
{
    CURL *curl = curl_easy_init();
    char url[64], text[TEXT_MOST] = "";
    const char *line;

    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/metrics", port);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_text);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
    CHECK(curl_easy_perform(curl) == CURLE_OK);
    curl_easy_cleanup(curl);
    line = strstr(text, name);
    return line != NULL ? strtoll(line + strlen(name), NULL, 10) : -1;
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
    const struct tls_case t = tls_make(c.folder, "certificate");
    struct server s = start_with(&c, -1, t.certificate, t.private_key);
    long long expires;

    CHECK(s.port != 0);
    CHECK(get_health(s.port, "https", t.certificate, CURL_SSLVERSION_MAX_TLSv1_3) == 200);
    CHECK(get_health(s.port, "https", t.certificate, CURL_SSLVERSION_MAX_TLSv1_2) == 200);
    CHECK(get_health(s.port, "https", t.certificate, CURL_SSLVERSION_MAX_TLSv1_1) ==
          -CURLE_SSL_CONNECT_ERROR);
    CHECK(get_health(s.port, "http", t.certificate, CURL_SSLVERSION_MAX_DEFAULT) < 0);
    expires = get_metric(s.port, t.certificate, "\nxfiot_certificate_expires_seconds ") - time(NULL);
    CHECK(expires > 86400 && expires <= 2 * 86400);
    CHECK(end_server(&s, SIGTERM) == 0);

    s = start_with(&c, -1, t.certificate, t.certificate); /* no pair */
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    s = start_with(&c, -1, c.folder, t.private_key);
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    s = start_with(&c, -1, "/nonexistent.pem", t.private_key);
    CHECK(s.port == 0 && end_server(&s, 0) == 1);
    case_end(&c);
}

/* ---- another certificate while it runs */

/* How many lines of the server's log hold the text. */
static int count_lines(const struct journal_case *c, const char *text)
{
    char path[CASE_PATH], line[1024];
    FILE *log;
    int count = 0;

    (void)snprintf(path, sizeof path, "%s/log", c->folder);
    log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        count += strstr(line, text) != NULL;
    if (log != NULL)
        (void)fclose(log);
    return count;
}

/* SIGHUP, and until it was heeded; the new line of the log is to hold the text. */
static void hang_up(const struct journal_case *c, const struct server *s, const char *text)
{
    const int before = count_lines(c, "event=certificate"), alike = count_lines(c, text);

    CHECK(kill(s->pid, SIGHUP) == 0);
    for (int waited = 0; waited < WAIT_MS && count_lines(c, "event=certificate") == before; waited += 5)
        (void)poll(NULL, 0, 5);
    CHECK_ROW(count_lines(c, text) == alike + 1, text);
}

static void put_pair(const struct tls_case *at, const struct tls_case *pair)
{
    char *chain = tls_read(pair->certificate), *private_key = tls_read(pair->private_key);

    tls_put(at->certificate, chain);
    tls_put(at->private_key, private_key);
    free(chain);
    free(private_key);
}

struct half_way {
    const struct journal_case *c;
    const struct server *s;
    size_t sent;
};

/* The second half of the body goes when the server has the other certificate. */
static size_t give_body(char *out, size_t size, size_t count, void *payload)
{
    struct half_way *h = payload;

    if (h->sent == 12 || size * count < 6)
        return 0;
    if (h->sent == 6)
        hang_up(h->c, h->s, "state=renewed");
    memcpy(out, h->sent == 0 ? "[     " : "     ]", 6);
    h->sent += 6;
    return 6;
}

/* Sends a push over the handle's own connection; the status. With `h`: half of it before. */
static long push_over(CURL *curl, struct load *l, struct half_way *h)
{
    const size_t push = make_push(l);
    char text[128], token[XF_TOKEN_LENGTH + 1], body[16];
    struct curl_slist *headers = NULL;
    struct xf_err err;
    long status = 0;

    CHECK(xf_sign(l->signer, l->made[push], XF_TRANS_ID_LENGTH, token, &err) == 0);
    (void)snprintf(text, sizeof text, "API_ORG_NUM: %s", company);
    headers = curl_slist_append(headers, text);
    (void)snprintf(text, sizeof text, "API_TRANS_ID: %s", l->made[push]);
    headers = curl_slist_append(headers, text);
    (void)snprintf(text, sizeof text, "API_TOKEN: %s", token);
    headers = curl_slist_append(headers, text);
    headers = curl_slist_append(headers, "Expect:");
    (void)snprintf(body, sizeof body, "[%10zu]", push);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 12L);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, h == NULL ? body : NULL);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, h == NULL ? NULL : give_body);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, h);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    l->good[push] = status == 200;
    curl_slist_free_all(headers);
    return status;
}

/* Shakes hands over a connection that is there; whether who answers is trusted and well. */
static bool is_well_over(int fd, const struct tls_case *t)
{
    static const char get[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    gnutls_certificate_credentials_t trust;
    gnutls_session_t session;
    char answer[16] = "";
    bool well;

    CHECK(gnutls_certificate_allocate_credentials(&trust) == 0 &&
          gnutls_certificate_set_x509_trust_file(trust, t->certificate, GNUTLS_X509_FMT_PEM) == 1);
    CHECK(gnutls_init(&session, GNUTLS_CLIENT) == 0 && gnutls_set_default_priority(session) == 0 &&
          gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, trust) == 0);
    gnutls_session_set_verify_cert(session, "127.0.0.1", 0);
    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, WAIT_MS);
    well = gnutls_handshake(session) == 0 && gnutls_record_send(session, get, sizeof get - 1) > 0 &&
           gnutls_record_recv(session, answer, 12) == 12 && strcmp(answer, "HTTP/1.1 200") == 0;
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(trust);
    return well;
}

/* A client that trusts one certificate. */
static CURL *trusting(const struct server *s, const struct tls_case *t)
{
    CURL *curl = curl_easy_init();
    char url[64];

    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/deviceReportData", s->port);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, t->certificate);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    return curl;
}

static long connects_of(CURL *curl)
{
    long count = -1;

    (void)curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &count);
    return count;
}

/* Who was in before, in the midst of a push or without a handshake yet, stays in. */
static void certificate_renewed(void)
{
    struct journal_case c = case_start();
    const struct tls_case a = tls_make(c.folder, "a"), b = tls_make(c.folder, "b");
    const struct tls_case at = tls_make(c.folder, "certificate");
    struct half_way half = {.c = &c};
    struct server s;
    struct load l;
    CURL *before, *midst, *after, *stale;
    int silent;

    load_open(&l);
    put_pair(&at, &a);
    s = start_with(&c, -1, at.certificate, at.private_key);
    half.s = &s;
    silent = open_lane(s.port); /* is let in before those who come after it are answered */
    before = trusting(&s, &a);
    midst = trusting(&s, &a);
    after = trusting(&s, &b);
    stale = trusting(&s, &a);
    CHECK(push_over(before, &l, NULL) == 200 && connects_of(before) == 1);
    CHECK(push_over(after, &l, NULL) == 0);
    put_pair(&at, &b);
    CHECK(push_over(midst, &l, &half) == 200 && half.sent == 12);
    CHECK(push_over(before, &l, NULL) == 200 && connects_of(before) == 0);
    CHECK(push_over(midst, &l, NULL) == 200 && connects_of(midst) == 0);
    CHECK(is_well_over(silent, &a));
    (void)close(silent);
    CHECK(push_over(after, &l, NULL) == 200 && connects_of(after) == 1);
    CHECK(push_over(stale, &l, NULL) == 0);
    CHECK(end_server(&s, SIGTERM) == 0);
    check_journal(&c, &l);
    for (size_t i = 0; i < 4; i++)
        curl_easy_cleanup(((CURL *[]){before, midst, after, stale})[i]);
    load_close(&l);
    case_end(&c);
}

/* What cannot be used changes nothing; the log says why, and no secret. */
static void certificate_broken(void)
{
    struct journal_case c = case_start();
    const struct tls_case a = tls_make(c.folder, "a"), b = tls_make(c.folder, "b");
    const struct tls_case at = tls_make(c.folder, "certificate");
    char *key_b = tls_read(b.private_key);
    struct server s;

    put_pair(&at, &a);
    s = start_with(&c, -1, at.certificate, at.private_key);
    tls_put(at.private_key, key_b);
    hang_up(&c, &s, "state=kept why=\"the certificate and its key cannot be used");
    CHECK(get_health(s.port, "https", a.certificate, CURL_SSLVERSION_MAX_DEFAULT) == 200);
    tls_put(at.certificate, "-----BEGIN CERTIFICATE-----\n");
    hang_up(&c, &s, "state=kept why=\"the certificate and its key cannot be used");
    tls_put(at.certificate, "");
    hang_up(&c, &s, "state=kept why=\"the certificate is empty or too long");
    CHECK(unlink(at.certificate) == 0);
    hang_up(&c, &s, "state=kept why=\"the certificate cannot be read");
    CHECK(get_health(s.port, "https", a.certificate, CURL_SSLVERSION_MAX_DEFAULT) == 200);
    put_pair(&at, &b);
    hang_up(&c, &s, "state=renewed expires=2");
    CHECK(get_health(s.port, "https", a.certificate, CURL_SSLVERSION_MAX_DEFAULT) < 0);
    CHECK(get_health(s.port, "https", b.certificate, CURL_SSLVERSION_MAX_DEFAULT) == 200);
    CHECK(count_lines(&c, "PRIVATE") == 0);
    CHECK(end_server(&s, SIGTERM) == 0);
    free(key_b);
    case_end(&c);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        be_server(argv[2], argc > 4 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setenv("HOME", "/nonexistent", 1);
    killed_under_load();
    stopped_under_load();
    handed_over();
    over_tls();
    certificate_renewed();
    certificate_broken();
    return check_end();
}
