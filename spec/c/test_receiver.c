/* The receiver's answers, one row a case, and what is in the journal afterwards. */
#include "receiver_case.h"

#include "own_ids.h"

enum { REQUEST_MOST = 64 * 1024 };

/* A push under construction: headers by name, NULL ends. */
struct push {
    const char *method, *path, *headers, *body;
};

static size_t write_request(char *out, const struct push *p)
{
    return (size_t)snprintf(out, REQUEST_MOST, "%s %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
                            p->method, p->path, p->headers, strlen(p->body), p->body);
}

/* A pattern of headers: $I transId, $T its token, $U the token in capitals, $W a wrong one. */
static void expand(struct receiver_case *c, char *out, size_t size, const char *pattern, const char *trans_id)
{
    char token[XF_TOKEN_LENGTH + 1];
    size_t used = 0;

    case_token(c, trans_id, token);
    for (; *pattern != '\0' && used < size - XF_TOKEN_LENGTH - 1; pattern++) {
        const char *value = token;

        if (*pattern != '$') {
            out[used++] = *pattern;
            continue;
        }
        pattern++;
        if (*pattern == 'I')
            value = trans_id;
        if (*pattern == 'W')
            token[5] = token[5] == '0' ? '1' : '0';
        for (size_t i = 0; value[i] != '\0'; i++)
            out[used++] = (char)(*pattern == 'U' && value[i] >= 'a' ? value[i] - 32 : value[i]);
        if (*pattern == 'W')
            case_token(c, trans_id, token);
    }
    out[used] = '\0';
}

#define GOOD    "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $T\r\n"
#define REPORTS "POST", "/deviceReportData"

static int ask(struct receiver_case *c, const struct push *p, const char *trans_id, bool *closed)
{
    static char request[REQUEST_MOST];
    static char headers[8192];
    struct push whole = *p;
    const int fd = client_open(c, NULL);
    struct reply r;

    expand(c, headers, sizeof headers, p->headers, trans_id);
    whole.headers = headers;
    r = client_ask(c, fd, request, write_request(request, &whole));
    if (closed != NULL)
        *closed = client_ends(c, fd);
    (void)close(fd);
    CHECK(strstr(r.text, case_key) == NULL);
    return r.status;
}

/* The newest push, as kind/state/reason; "" if there is none after `after`. */
static const char *newest(struct receiver_case *c, int64_t *after, char out[96])
{
    struct xf_journal *j = case_open(&c->files);
    struct xf_push_filter filter = {.after = *after};
    struct xf_pushes found;
    struct xf_err err;

    out[0] = '\0';
    CHECK(xf_journal_list_pushes(j, &filter, &found, &err) == 0);
    if (found.count > 0) {
        const struct xf_push_row *p = &found.rows[found.count - 1];

        CHECK(found.count == 1);
        *after = p->id;
        (void)snprintf(out, 96, "%s/%s/%s", xf_push_kind_name(p->kind), xf_push_state_name(p->state),
                       p->reason != NULL ? p->reason : "");
    }
    xf_pushes_free(&found);
    xf_journal_close(j);
    return out;
}

static void answers(void)
{
    static const struct {
        const char *row;
        struct push push;
        int64_t seconds; /* of the transId, from now */
        unsigned tail; /* the same one: the same transId */
        int status;
        bool closes;
        const char *kept; /* kind/state/reason of what was written, or "" */
    } rows[] = {
        {"a report", {REPORTS, GOOD, "[]"}, 0, 1, 200, false, "report/new/"},
        {"the same again", {REPORTS, GOOD, "[]"}, 0, 1, 200, false, ""},
        {"another body", {REPORTS, GOOD, "[1]"}, 0, 1, 200, false, "report/quarantined/conflict"},
        {"the same on the other path",
         {"POST", "/deviceResponseData", GOOD, "[]"},
         0,
         1,
         200,
         false,
         "response/quarantined/conflict"},
        {"and again", {"POST", "/deviceResponseData", GOOD, "[]"}, 0, 1, 200, false, ""},
        {"a response", {"POST", "/deviceResponseData", GOOD, "[{}]"}, 0, 2, 200, false, "response/new/"},
        {"names in other letters",
         {REPORTS, "api_org_num: 100001\r\nApi_Trans_Id: $I\r\nAPI_token: $T\r\n", "[]"},
         0,
         3,
         200,
         false,
         "report/new/"},
        {"token in capitals",
         {REPORTS, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $U\r\n", "[]"},
         0,
         4,
         200,
         false,
         "report/new/"},
        {"the other names",
         {REPORTS, "API_ORG_NUM: 100001\r\nRandomCode: $I\r\nAuthorization: $T\r\n", "[]"},
         0,
         5,
         200,
         false,
         "report/new/"},
        {"the other names alone",
         {REPORTS, "RandomCode: $I\r\nAuthorization: $T\r\n", "[]"},
         0,
         6,
         200,
         false,
         "report/new/"},
        {"both, API_ right",
         {REPORTS, GOOD "RandomCode: 1\r\nAuthorization: 2\r\n", "[]"},
         0,
         7,
         200,
         false,
         "report/new/"},
        {"both, API_ wrong",
         {REPORTS,
          "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $W\r\nRandomCode: $I\r\nAuthorization: $T\r\n",
          "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"token missing, other one there",
         {REPORTS, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAuthorization: $T\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"token wrong",
         {REPORTS, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $W\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"token cut",
         {REPORTS, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: 12\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"token empty",
         {REPORTS, "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN:\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"token with more behind it", {REPORTS, GOOD "API_X: 1\r\n", "[]"}, 0, 9, 200, false, "report/new/"},
        {"no headers", {REPORTS, "", "[]"}, 0, 8, 401, false, ""},
        {"company missing", {REPORTS, "API_TRANS_ID: $I\r\nAPI_TOKEN: $T\r\n", "[]"}, 0, 8, 401, false, ""},
        {"company empty",
         {REPORTS, "API_ORG_NUM:\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $T\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"company not ours",
         {REPORTS, "API_ORG_NUM: 100002\r\nAPI_TRANS_ID: $I\r\nAPI_TOKEN: $T\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"company not ours, other names",
         {REPORTS, "API_ORG_NUM: 100002\r\nRandomCode: $I\r\nAuthorization: $T\r\n", "[]"},
         0,
         8,
         401,
         false,
         ""},
        {"transId twice", {REPORTS, GOOD "API_TRANS_ID: $I\r\n", "[]"}, 0, 8, 400, true, ""},
        {"token twice", {REPORTS, GOOD "api_token: $T\r\n", "[]"}, 0, 8, 400, true, ""},
        {"company twice", {REPORTS, GOOD "API_ORG_NUM: 100001\r\n", "[]"}, 0, 8, 400, true, ""},
        {"RandomCode twice", {REPORTS, GOOD "RandomCode: 1\r\nRandomCode: 1\r\n", "[]"}, 0, 8, 400, true, ""},
        {"Authorization twice",
         {REPORTS, GOOD "Authorization: 1\r\nAuthorization: 1\r\n", "[]"},
         0,
         8,
         400,
         true,
         ""},
        {"stale", {REPORTS, GOOD, "[]"}, -301, 10, 200, false, "report/quarantined/stale"},
        {"stale again", {REPORTS, GOOD, "[]"}, -301, 10, 200, false, ""},
        {"from the future", {REPORTS, GOOD, "[]"}, 301, 11, 200, false, "report/quarantined/stale"},
        {"just in time", {REPORTS, GOOD, "[]"}, -300, 12, 200, false, "report/new/"},
        {"just early enough", {REPORTS, GOOD, "[]"}, 300, 13, 200, false, "report/new/"},
        {"not JSON", {REPORTS, GOOD, "[}"}, 0, 14, 400, false, "unknown/quarantined/not_json"},
        {"not JSON again", {REPORTS, GOOD, "[}"}, 0, 14, 400, false, ""},
        {"what was meant", {REPORTS, GOOD, "[]"}, 0, 14, 200, false, "report/new/"},
        {"nothing", {REPORTS, GOOD, ""}, 0, 15, 400, false, "unknown/quarantined/not_json"},
        {"no list", {REPORTS, GOOD, " {}"}, 0, 16, 200, false, "report/quarantined/not_a_list"},
        {"a list of what it will",
         {REPORTS, GOOD, "\n[1,\"\xe4\xbd\x99\",{\"new\":null}]"},
         0,
         17,
         200,
         false,
         "report/new/"},
        {"our own transId",
         {REPORTS, GOOD, "[]"},
         0,
         80000077,
         200,
         false,
         "report/quarantined/own_trans_id"},
        {"next to our own", {REPORTS, GOOD, "[]"}, 0, 80000078, 200, false, "report/new/"},
        {"elsewhere", {"POST", "/", GOOD, "[]"}, 0, 18, 404, false, ""},
        {"a slash too many", {"POST", "/deviceReportData/", GOOD, "[]"}, 0, 18, 404, false, ""},
        {"a query is no matter",
         {"POST", "/deviceReportData?a=b", GOOD, "[]"},
         0,
         18,
         200,
         false,
         "report/new/"},
        {"another method", {"PUT", "/deviceReportData", GOOD, "[]"}, 0, 19, 405, false, ""},
        {"another method for health", {"POST", "/healthz", GOOD, "[]"}, 0, 19, 405, false, ""},
        {"health", {"GET", "/healthz", "", ""}, 0, 19, 200, false, ""},
        {"metrics", {"GET", "/metrics", "", ""}, 0, 19, 200, false, ""},
    };
    struct receiver_case c;
    struct xf_own_ids *own;
    struct xf_err err;
    char trans_id[32], kept[96];
    int64_t last = 0;
    bool closed;

    receiver_start(&c, (struct xf_listener_options){0});
    own = xf_own_ids_new(c.files.path, &err);
    CHECK(own != NULL);
    xf_own_ids_note(own, c.now, 77);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)case_trans_id(&c, rows[i].seconds, rows[i].tail, trans_id);
        CHECK_ROW(ask(&c, &rows[i].push, trans_id, rows[i].closes ? &closed : NULL) == rows[i].status,
                  rows[i].row);
        CHECK_ROW(!rows[i].closes || closed, rows[i].row);
        CHECK_ROW(strcmp(newest(&c, &last, kept), rows[i].kept) == 0, rows[i].row);
    }
    xf_own_ids_free(own);
    receiver_end(&c);
}

static void trans_ids(void)
{
    static const char *const malformed[] = {
        "2026010108000080000001 1", "202601010800008000000",  "20260101080000800000011",
        "2026010108000a80000001",   "2026130108000080000001", "2026022908000080000001",
        "2026010124000080000001",   "0000000000000000000000", "",
    };
    struct receiver_case c;
    char headers[512];

    receiver_start(&c, (struct xf_listener_options){0});
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const struct push p = {REPORTS, headers, "[]"};
        char token[XF_TOKEN_LENGTH + 1];

        case_token(&c, malformed[i][0] != '\0' ? malformed[i] : "x", token);
        (void)snprintf(headers, sizeof headers,
                       "API_ORG_NUM: 100001\r\nAPI_TRANS_ID: %s\r\nAPI_TOKEN: %s\r\n", malformed[i], token);
        CHECK_ROW(ask(&c, &p, "x", NULL) == 401, malformed[i]);
    }
    CHECK(c.written == 0);
    receiver_end(&c);
}

/* What is kept of a push: its bytes, its headers, nothing secret. */
static void evidence(void)
{
    static const struct push p = {
        REPORTS, GOOD "Cookie: canary-1\r\nProxy-Authorization: canary-2\r\nX-Y: z\r\n", "[ 1 ]"};
    struct receiver_case c;
    struct xf_journal *j;
    struct xf_pushes found;
    struct xf_err err;
    char trans_id[32], token[XF_TOKEN_LENGTH + 1];

    receiver_start(&c, (struct xf_listener_options){0});
    CHECK(ask(&c, &p, case_trans_id(&c, 0, 1, trans_id), NULL) == 200);
    case_token(&c, trans_id, token);
    j = case_open(&c.files);
    CHECK(xf_journal_find_push(j, 1, &found, &err) == 1);
    CHECK_TEXT(found.rows[0].trans_id, trans_id);
    CHECK_TEXT(found.rows[0].body, "[ 1 ]");
    CHECK(found.rows[0].received_at == CASE_NOW);
    CHECK(strstr(found.rows[0].headers, "X-Y: z\n") != NULL &&
          strstr(found.rows[0].headers, trans_id) != NULL);
    CHECK(strstr(found.rows[0].headers, token) == NULL && strstr(found.rows[0].headers, "canary") == NULL);
    xf_pushes_free(&found);
    xf_journal_close(j);
    receiver_end(&c);
}

/* Everything that came in one turn is one commit; each gets its answer only then. */
static void turns(void)
{
    enum { MANY = 40 };
    static char request[REQUEST_MOST], headers[1024];
    struct receiver_case c;
    struct xf_journal *j;
    struct xf_push_counts counts;
    struct xf_err err;
    int fds[MANY], good = 0;
    char trans_id[32], why[] = "";

    receiver_start(&c, (struct xf_listener_options){0});
    for (unsigned i = 0; i < MANY; i++) {
        struct push p = {REPORTS, headers, "[]"};

        expand(&c, headers, sizeof headers, GOOD, case_trans_id(&c, 0, i, trans_id));
        fds[i] = client_open(&c, NULL);
        for (int n = 0; n < 3; n++)
            CHECK_ROW(xf_loop_step(c.loop, 1, &err) == 0, why);
        CHECK(send(fds[i], request, write_request(request, &p), MSG_NOSIGNAL) > 0);
    }
    for (int n = 0; n < 20; n++)
        CHECK(xf_loop_step(c.loop, 1, &err) == 0); /* all are in, and none is answered */
    j = case_open(&c.files);
    CHECK(xf_journal_count_pushes(j, &counts, &err) == 0 && counts.waiting == 0);
    CHECK(xf_receiver_turn(c.receiver, c.listener) == MANY);
    CHECK(xf_journal_count_pushes(j, &counts, &err) == 0 && counts.waiting == MANY);
    for (int i = 0; i < MANY; i++) {
        const struct reply r = client_ask(&c, fds[i], "", 0);

        good += r.status == 200;
        (void)close(fds[i]);
    }
    CHECK(good == MANY);
    xf_journal_close(j);
    receiver_end(&c);
}

/* While the journal cannot be written nothing is acknowledged; afterwards all is well again. */
static void journal_fails(void)
{
    static const struct push p = {REPORTS, GOOD, "[]"}, health = {"GET", "/healthz", "", ""},
                             broken = {REPORTS, GOOD, "["};
    struct receiver_case c;
    char trans_id[32], kept[96];
    int64_t last = 0;

    receiver_start(&c, (struct xf_listener_options){0});
    (void)case_trans_id(&c, 0, 1, trans_id);
    CHECK(case_sql(&c.files,
                   "CREATE TRIGGER no BEFORE INSERT ON pushes BEGIN SELECT RAISE(ROLLBACK, 'no'); END") ==
          SQLITE_OK);
    CHECK(ask(&c, &p, trans_id, NULL) == 503);
    CHECK(!xf_receiver_healthy(c.receiver));
    CHECK(ask(&c, &broken, trans_id, NULL) == 400);
    CHECK_TEXT(newest(&c, &last, kept), "");
    CHECK(c.written == 0);
    CHECK(case_sql(&c.files, "DROP TRIGGER no") == SQLITE_OK);
    CHECK(ask(&c, &health, trans_id, NULL) == 200);
    CHECK(ask(&c, &p, trans_id, NULL) == 200);
    CHECK(xf_receiver_healthy(c.receiver) && c.written == 1);
    CHECK_TEXT(newest(&c, &last, kept), "report/new/");
    receiver_end(&c);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t n;

    while (in != NULL && out != NULL && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        CHECK(fwrite(bytes, 1, n, out) == n);
    CHECK(in != NULL && fclose(in) == 0);
    CHECK(out != NULL && fclose(out) == 0);
}

/* While the journal is away nothing is acknowledged and no other is made; one that
 * is put in its place is taken up. */
static void journal_is_replaced(void)
{
    static const struct push p = {REPORTS, GOOD, "[]"};
    struct receiver_case c;
    char away[CASE_PATH + 8], copy[CASE_PATH + 8], trans_id[32];
    int status = 503;

    receiver_start(&c, (struct xf_listener_options){0});
    (void)snprintf(away, sizeof away, "%s.away", c.files.path);
    (void)snprintf(copy, sizeof copy, "%s.copy", c.files.path);
    CHECK(ask(&c, &p, case_trans_id(&c, 0, 1, trans_id), NULL) == 200);
    CHECK(rename(c.files.path, away) == 0);
    CHECK(ask(&c, &p, case_trans_id(&c, 0, 2, trans_id), NULL) == 503);
    CHECK(ask(&c, &p, case_trans_id(&c, 0, 2, trans_id), NULL) == 503);
    CHECK(access(c.files.path, F_OK) != 0);
    copy_file(away, copy);
    CHECK(rename(copy, c.files.path) == 0);
    for (int i = 0; i < CASE_STEPS && status == 503; i++)
        status = ask(&c, &p, case_trans_id(&c, 0, 2, trans_id), NULL);
    CHECK(status == 200);
    receiver_end(&c);
}

static void metrics(void)
{
    static const struct {
        struct push push;
        unsigned tail;
    } pushes[] = {
        {{REPORTS, GOOD, "[]"}, 1}, {{REPORTS, GOOD, "[]"}, 1}, {{REPORTS, GOOD, "[1]"}, 1},
        {{REPORTS, GOOD, "["}, 2},  {{REPORTS, "", "[]"}, 3},   {{"PUT", "/", "", ""}, 4},
    };
    static const char *const lines[] = {
        "xfiot_pushes_total{outcome=\"new\"} 1\n",
        "xfiot_pushes_total{outcome=\"repeated\"} 1\n",
        "xfiot_pushes_total{outcome=\"conflict\"} 1\n",
        "xfiot_pushes_total{outcome=\"not_json\"} 1\n",
        "xfiot_pushes_total{outcome=\"unauthorized\"} 1\n",
        "xfiot_pushes_total{outcome=\"refused\"} 1\n",
        "xfiot_pushes_total{outcome=\"failed\"} 0\n",
        "xfiot_commit_seconds_bucket{le=\"+Inf\"} 4\n",
        "xfiot_commit_seconds_count 4\n",
        "xfiot_push_queue_depth 1\n",
        "xfiot_push_oldest_seconds 7\n",
        "xfiot_orders{state=\"intent\"} 0\n",
        "xfiot_orders{state=\"not_applied\"} 12\n",
        "xfiot_worker_starts_total 3\n",
    };
    static const char get[] = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
    struct receiver_case c;
    struct reply r;
    char trans_id[32];
    int fd;

    receiver_start(&c, (struct xf_listener_options){0});
    for (size_t i = 0; i < sizeof pushes / sizeof pushes[0]; i++)
        CHECK(ask(&c, &pushes[i].push, case_trans_id(&c, 0, pushes[i].tail, trans_id), NULL) > 0);
    xf_receiver_tell_orders(c.receiver, "intent=0 not_applied=12");
    xf_receiver_tell_orders(c.receiver, "intent=\"1\"\nevil 1");
    xf_receiver_tell_orders(c.receiver, "intent=1x");
    xf_receiver_tell_starts(c.receiver, 3);
    c.now += 7;
    fd = client_open(&c, NULL);
    r = client_ask(&c, fd, get, sizeof get - 1);
    CHECK(r.status == 200);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        CHECK_ROW(strstr(r.text, lines[i]) != NULL, lines[i]);
    CHECK(strstr(r.text, "xfiot_certificate") == NULL); /* it listens without TLS */
    (void)close(fd);
    receiver_end(&c);
}

int main(void)
{
    answers();
    trans_ids();
    evidence();
    turns();
    journal_fails();
    journal_is_replaced();
    metrics();
    return check_end();
}
