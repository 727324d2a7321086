/*
 * What `make bench` compares with: the least a C program on libcurl's multi
 * interface can do for the same calls. It signs, sends and reads the answer,
 * and checks nothing more.
 *
 *     baseline URL TOTAL IN_FLIGHT        prints: requests_per_second peak_rss_kib
 */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* The key and merchantId of the example in the document. */
static const char KEY[] = "0a155959379dc684bfa11f199734b01d43516709";

enum { IN_FLIGHT_MOST = 1024, REPLY_MOST = 4096 };

struct call {
    CURL *easy;
    struct curl_slist *headers;
    char body[256];
    char reply[REPLY_MOST];
    size_t size;
};

struct signer {
    EVP_MD *digest;
    EVP_MD_CTX *context;
    char second[15]; /* yyyyMMddHHmmss */
    unsigned long next;
};

static size_t take(char *data, size_t one, size_t size, void *user)
{
    struct call *c = user;

    (void)one;
    if (size >= REPLY_MOST - c->size)
        return 0;
    memcpy(c->reply + c->size, data, size);
    c->size += size;
    c->reply[c->size] = '\0';
    return size;
}

static int sign(struct signer *s, char trans_id[23], char token[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];

    (void)snprintf(trans_id, 23, "%s%08lu", s->second, 80000000 + s->next++ % 9999999);
    if (EVP_DigestInit_ex2(s->context, s->digest, NULL) != 1 ||
        EVP_DigestUpdate(s->context, KEY, sizeof KEY - 1) != 1 ||
        EVP_DigestUpdate(s->context, trans_id, 22) != 1 || EVP_DigestFinal_ex(s->context, sum, NULL) != 1)
        return -1;
    for (size_t i = 0; i < 32; i++) {
        token[2 * i] = "0123456789abcdef"[sum[i] >> 4];
        token[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
    }
    token[64] = '\0';
    return 0;
}

static int set_up(struct call *c, const char *url)
{
    c->easy = curl_easy_init();
    if (c->easy == NULL)
        return -1;
    curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body);
    return 0;
}

static int start(CURLM *multi, struct call *c, struct signer *s, long bill)
{
    char trans_id[23], token[65], line[128];
    int size;

    if (sign(s, trans_id, token) != 0)
        return -1;
    size =
        snprintf(c->body, sizeof c->body,
                 "{\"command\":{\"method\":\"RECHARGE_REMOTE\",\"paras\":{\"prepaidType\":0,\"billNo\":%ld,"
                 "\"rechargeValue\":100}},\"expireTime\":86400,\"expireCount\":1}",
                 bill);
    curl_slist_free_all(c->headers);
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    (void)snprintf(line, sizeof line, "RandomCode: %s", trans_id);
    c->headers = curl_slist_append(c->headers, line);
    (void)snprintf(line, sizeof line, "Authorization: %s", token);
    c->headers = curl_slist_append(c->headers, line);
    c->size = 0;
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)size);
    return curl_multi_add_handle(multi, c->easy) == CURLM_OK ? 0 : -1;
}

/* 100000 and an id of 32 characters. */
static int accepted(const struct call *c)
{
    static const char ok[] = "\"responseCode\":\"100000\"", result[] = "\"result\":\"";
    const char *id;
    long status = 0;

    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || strstr(c->reply, ok) == NULL)
        return 0;
    id = strstr(c->reply, result);
    return id != NULL && strcspn(id + sizeof result - 1, "\"") == 32;
}

static long run(CURLM *multi, struct call *calls, long in_flight, long total, struct signer *s)
{
    long started = 0, ended = 0, good = 0;

    for (; started < in_flight; started++)
        if (start(multi, &calls[started], s, started % 65535 + 1) != 0)
            return -1;
    while (ended < total) {
        int running, left;
        CURLMsg *m;

        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return -1;
        while ((m = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *easy = m->easy_handle;
            CURLcode code = m->data.result;
            char *private = NULL;
            struct call *c;

            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
            c = (struct call *)(void *)private;
            curl_multi_remove_handle(multi, easy);
            ended++;
            good += code == CURLE_OK && accepted(c);
            if (started < total && start(multi, c, s, started++ % 65535 + 1) != 0)
                return -1;
        }
        if (ended < total && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK)
            return -1;
    }
    return good;
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    long total = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long in_flight = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    struct signer s = {.next = 0};
    struct call *calls = NULL;
    struct rusage usage;
    CURLM *multi;
    double begun, took;
    long good = 0;
    int status = 1;
    time_t clock = time(NULL);
    struct tm date;

    if (total < 1 || in_flight < 1 || in_flight > IN_FLIGHT_MOST) {
        fprintf(stderr, "usage: baseline URL TOTAL IN_FLIGHT (at most %d)\n", IN_FLIGHT_MOST);
        return 2;
    }
    if (in_flight > total)
        in_flight = total;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    calls = calloc((size_t)in_flight, sizeof *calls);
    s.digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    s.context = EVP_MD_CTX_new();
    if (multi == NULL || calls == NULL || s.digest == NULL || s.context == NULL)
        goto end;
    (void)strftime(s.second, sizeof s.second, "%Y%m%d%H%M%S", gmtime_r(&clock, &date));
    for (long i = 0; i < in_flight; i++)
        if (set_up(&calls[i], argv[1]) != 0)
            goto end;

    begun = now();
    good = run(multi, calls, in_flight, total, &s);
    took = now() - begun;
    if (good != total) {
        fprintf(stderr, "baseline: %ld of %ld calls were accepted\n", good, total);
        goto end;
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("%.0f %ld\n", (double)total / took, usage.ru_maxrss);
    status = 0;
end:
    for (long i = 0; calls != NULL && i < in_flight; i++) {
        curl_multi_remove_handle(multi, calls[i].easy);
        curl_easy_cleanup(calls[i].easy);
        curl_slist_free_all(calls[i].headers);
    }
    curl_multi_cleanup(multi);
    EVP_MD_CTX_free(s.context);
    EVP_MD_free(s.digest);
    free(calls);
    curl_global_cleanup();
    return status;
}
