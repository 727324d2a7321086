#include "sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "check.h"
#include "timestamp.h"

#define KEY      "0a155959379dc684bfa11f199734b01d"
#define MERCHANT "43516709"
#define TRANS_ID "2017072514484582299619"
#define TOKEN    "70235129e6240134c5c15f2c7420eead971372e67a7f99f5e4c19203361411a1"

enum { TAILS = 9999999 };

/* ---- allocations that fail: OpenSSL's own go through here */

static struct {
    long until_failure; /* -1: none fails */
    long failed;
} memory = {.until_failure = -1};

static int runs_out(void)
{
    if (memory.until_failure < 0 || memory.until_failure-- > 0)
        return 0;
    memory.until_failure = 0; /* and all after it */
    memory.failed++;
    return 1;
}

static void *get(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return runs_out() ? NULL : malloc(size);
}

static void *resize(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return runs_out() ? NULL : realloc(p, size);
}

static void release(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* ---- signing */

static struct xf_signer *new_signer(const char *key, const char *merchant)
{
    struct xf_err err = {""};
    struct xf_signer *s = xf_signer_new(key, strlen(key), merchant, strlen(merchant), &err);

    CHECK((s == NULL) == (err.message[0] != '\0'));
    CHECK(strlen(key) < 8 || strstr(err.message, key) == NULL);
    return s;
}

static void check_vector(void)
{
    struct xf_signer *s = new_signer(KEY, MERCHANT);
    struct xf_err err = {""};
    char token[XF_TOKEN_LENGTH + 1] = "", upper[XF_TOKEN_LENGTH + 1] = "";

    if (!CHECK(s != NULL))
        return;
    for (int i = 0; i < 3; i++) { /* the signer is used again */
        CHECK(xf_sign(s, TRANS_ID, strlen(TRANS_ID), token, &err) == 0);
        CHECK_TEXT(token, TOKEN);
        CHECK(xf_sign(s, "2017072514484582299618", 22, token, &err) == 0);
        CHECK(strcmp(token, TOKEN) != 0);
    }
    for (size_t i = 0; i < XF_TOKEN_LENGTH; i++)
        upper[i] = (char)(TOKEN[i] >= 'a' ? TOKEN[i] - 32 : TOKEN[i]);
    CHECK(xf_verify(s, TRANS_ID, 22, TOKEN, 64));
    CHECK(xf_verify(s, TRANS_ID, 22, upper, 64));
    memcpy(upper, TOKEN, 32);
    CHECK(xf_verify(s, TRANS_ID, 22, upper, 64));
    xf_signer_free(s);
}

static void check_wrong_tokens(void)
{
    struct xf_signer *s = new_signer(KEY, MERCHANT);
    char token[XF_TOKEN_LENGTH + 2] = TOKEN;

    if (!CHECK(s != NULL))
        return;
    for (size_t size = 0; size < XF_TOKEN_LENGTH + 2; size++)
        CHECK(xf_verify(s, TRANS_ID, 22, token, size) == (size == XF_TOKEN_LENGTH));
    CHECK(!xf_verify(s, TRANS_ID, 22, NULL, 0));
    CHECK(!xf_verify(s, TRANS_ID, 21, TOKEN, 64));
    CHECK(!xf_verify(s, TRANS_ID, 0, TOKEN, 64));
    CHECK(!xf_verify(s, NULL, 0, TOKEN, 64));
    CHECK(!xf_verify(s, "2017072514484582299618", 22, TOKEN, 64));
    for (size_t at = 0; at < XF_TOKEN_LENGTH; at++) { /* no other byte will do, anywhere */
        char other[XF_TOKEN_LENGTH + 1] = TOKEN;
        unsigned taken = 0;

        for (unsigned byte = 0; byte < 256; byte++) {
            other[at] = (char)byte;
            taken += xf_verify(s, TRANS_ID, 22, other, 64);
        }
        CHECK(taken == (TOKEN[at] >= 'a' ? 2 : 1));
    }
    xf_signer_free(s);
}

static void check_limits(void)
{
    char many[XF_KEY_MOST + 2];
    struct xf_err err = {""};
    struct xf_signer *s;
    char token[XF_TOKEN_LENGTH + 1];

    memset(many, 'k', sizeof many);
    CHECK(xf_signer_new(many, XF_KEY_MOST + 1, "1", 1, &err) == NULL);
    CHECK(strstr(err.message, "key") != NULL);
    CHECK(xf_signer_new("", 0, "1", 1, &err) == NULL);
    CHECK(xf_signer_new("a\0b", 3, "1", 1, &err) == NULL);
    CHECK(xf_signer_new("k", 1, "", 0, &err) == NULL);
    CHECK(strstr(err.message, "merchant_id") != NULL);
    CHECK(xf_signer_new("k", 1, "1\0002", 3, &err) == NULL);
    CHECK(xf_signer_new("k", 1, many, XF_MERCHANT_MOST + 1, &err) == NULL);
    xf_signer_free(NULL);

    s = xf_signer_new(many, XF_KEY_MOST, many, XF_MERCHANT_MOST, &err);
    if (!CHECK(s != NULL))
        return;
    CHECK(xf_sign(s, "1", 1, token, &err) == 0 && strlen(token) == XF_TOKEN_LENGTH);
    CHECK(xf_sign(s, many, 256, token, &err) == 0);
    CHECK(xf_sign(s, many, 257, token, &err) == -1 && token[0] == '\0');
    CHECK(xf_sign(s, "", 0, token, &err) == -1);
    CHECK(xf_sign(s, "1 2", 3, token, &err) == -1);
    CHECK(xf_sign(s, "1\0002", 3, token, &err) == -1);
    CHECK(xf_sign(s, "1\x80", 2, token, &err) == -1);
    CHECK(xf_sign(s, "1\x7f", 2, token, &err) == -1);
    xf_signer_free(s);
}

/* Keys of every length up to some blocks, against OpenSSL's one-shot digest. */
static void check_against_openssl(void)
{
    char text[512] = "";
    struct xf_err err;

    for (size_t size = 1; size < 300; size++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        char expected[XF_TOKEN_LENGTH + 1] = "", token[XF_TOKEN_LENGTH + 1] = "";
        struct xf_signer *s;

        text[size - 1] = (char)('!' + size % 90);
        memcpy(text + size, "77" TRANS_ID, 24);
        CHECK(EVP_Q_digest(NULL, "SHA256", NULL, text, size + 24, digest, NULL) == 1);
        for (size_t i = 0; i < 32; i++)
            (void)snprintf(expected + 2 * i, 3, "%02x", digest[i]);
        s = xf_signer_new(text, size, "77", 2, &err);
        if (CHECK(s != NULL && xf_sign(s, TRANS_ID, 22, token, &err) == 0))
            CHECK_TEXT(token, expected);
        xf_signer_free(s);
    }
}

/* Whichever allocation fails, there is an error and nothing is left behind
 * (the leak sanitizer sees to the latter). */
static void check_no_memory(void)
{
    struct xf_signer *s = new_signer(KEY, MERCHANT); /* OpenSSL sets itself up */
    long n = 0;

    xf_signer_free(s);
    for (s = NULL; s == NULL && n < 100; n++) {
        struct xf_err err = {""};

        memory.until_failure = n;
        s = xf_signer_new(KEY, strlen(KEY), MERCHANT, strlen(MERCHANT), &err);
        memory.until_failure = -1;
        CHECK((s == NULL) == (err.message[0] != '\0'));
    }
    CHECK(s != NULL && memory.failed > 0 && n > 2);
    if (s != NULL)
        CHECK(xf_verify(s, TRANS_ID, 22, TOKEN, 64));
    xf_signer_free(s);
}

/* ---- transIds */

struct fake {
    int64_t now;
    uint32_t next; /* what the random source gives, then `then` */
    uint32_t then;
    int draws, draws_most;
};

static int64_t fake_now(void *payload)
{
    const struct fake *f = payload;

    return f->now;
}

static bool fake_random(void *payload, unsigned char *out, size_t size)
{
    struct fake *f = payload;

    if (size != sizeof f->next || f->draws >= f->draws_most)
        return false;
    memcpy(out, &f->next, size);
    f->next = f->then;
    f->draws++;
    return true;
}

struct bench {
    struct fake fake;
    struct xf_source source;
    struct xf_trans_id_maker maker;
    struct xf_err err;
    char id[XF_TRANS_ID_LENGTH + 1];
};

static void prepare(struct bench *b, int64_t now, uint32_t random)
{
    *b = (struct bench){.fake = {.now = now, .next = random, .then = random, .draws_most = 1000}};
    b->source = (struct xf_source){.now = fake_now, .random = fake_random, .payload = &b->fake};
    xf_trans_id_init(&b->maker, &b->source, XF_UTC_OFFSET);
}

static const char *next_id(struct bench *b)
{
    b->err.message[0] = '\0';
    if (xf_trans_id_next(&b->maker, b->id, &b->err) != 0)
        return NULL;
    CHECK(xf_trans_id_valid(b->id, strlen(b->id)));
    return b->id;
}

static void check_counting(void)
{
    struct bench b;

    prepare(&b, 1500965325, 2299619);
    CHECK_TEXT(next_id(&b), TRANS_ID);
    CHECK_TEXT(next_id(&b), "2017072514484582299620");
    b.fake.now++; /* each second draws anew */
    b.fake.next = TAILS - 1;
    CHECK_TEXT(next_id(&b), "2017072514484689999998");
    CHECK_TEXT(next_id(&b), "2017072514484680000000");
    CHECK(b.fake.draws == 2);
    b.fake.now -= 3600; /* the clock is put back: the time in the id stays */
    CHECK_TEXT(next_id(&b), "2017072514484680000001");
    b.fake.now += 3601;
    CHECK_TEXT(next_id(&b), "2017072514484782299619");
    CHECK(b.fake.draws == 3);
}

static void check_failures(void)
{
    struct bench b;

    prepare(&b, 1500965325, 0);
    b.fake.draws_most = 0;
    CHECK(next_id(&b) == NULL && strstr(b.err.message, "random") != NULL);
    b.fake.draws_most = 1; /* and later it works */
    CHECK_TEXT(next_id(&b), "2017072514484580000000");
    b.fake.now++;
    CHECK(next_id(&b) == NULL && strstr(b.err.message, "random") != NULL);
    b.fake.now--; /* the second that failed is not begun */
    CHECK_TEXT(next_id(&b), "2017072514484580000001");

    prepare(&b, -1, 0);
    CHECK(next_id(&b) == NULL && strstr(b.err.message, "clock") != NULL);
    prepare(&b, INT64_C(1) << 50, 0);
    CHECK(next_id(&b) == NULL && strstr(b.err.message, "9999") != NULL);
    prepare(&b, 0, 0);
    CHECK_TEXT(next_id(&b), "1970010108000080000000");
}

/* 2^32 draws would fall unevenly on the tails: those above the last whole
 * multiple are thrown away. */
static void check_draws(void)
{
    const uint32_t fair = UINT32_MAX - UINT32_MAX % TAILS;
    struct bench b;

    CHECK(fair % TAILS == 0 && UINT32_MAX - fair < TAILS);
    prepare(&b, 1500965325, fair - 1);
    CHECK_TEXT(next_id(&b), "2017072514484589999998");
    CHECK(b.fake.draws == 1);
    prepare(&b, 1500965325, fair);
    b.fake.then = 7;
    CHECK_TEXT(next_id(&b), "2017072514484580000007");
    CHECK(b.fake.draws == 2);
    prepare(&b, 1500965325, UINT32_MAX); /* a source that is stuck does not hang us */
    CHECK(next_id(&b) == NULL && strstr(b.err.message, "random") != NULL);
}

static unsigned long tail_of(const char *id)
{
    unsigned long tail = 0;

    for (int i = XF_TIMESTAMP_LENGTH + 1; i < XF_TRANS_ID_LENGTH; i++)
        tail = tail * 10 + (unsigned long)(id[i] - '0');
    return tail;
}

/* A second's whole supply differs; then the id's time runs ahead of the clock,
 * and waits for it. */
static void check_ten_million(void)
{
    unsigned char *seen = calloc(1, TAILS);
    unsigned long wrong = 0;
    struct bench b;

    if (!CHECK(seen != NULL))
        return;
    prepare(&b, 1500965325, 9876543);
    for (unsigned long i = 0; i < TAILS; i++) {
        if (xf_trans_id_next(&b.maker, b.id, &b.err) != 0 || memcmp(b.id, "201707251448458", 15) != 0 ||
            tail_of(b.id) >= TAILS || seen[tail_of(b.id)]++ != 0)
            wrong++;
    }
    CHECK(wrong == 0);
    CHECK(b.fake.draws == 1);
    for (int i = 0; i < 1000; i++)
        wrong += xf_trans_id_next(&b.maker, b.id, &b.err) != 0 || memcmp(b.id, "201707251448468", 15) != 0;
    CHECK(wrong == 0);
    CHECK_TEXT(b.id, "2017072514484689877542");
    b.fake.now++; /* the clock arrives where the ids are: they go on */
    CHECK_TEXT(next_id(&b), "2017072514484689877543");
    CHECK(b.fake.draws == 2);
    b.fake.now++;
    CHECK_TEXT(next_id(&b), "2017072514484789876543");
    CHECK(b.fake.draws == 3);
    free(seen);
}

static void check_system_source(void)
{
    struct xf_trans_id_maker one, two;
    struct xf_err err;
    char a[XF_TRANS_ID_LENGTH + 1], b[XF_TRANS_ID_LENGTH + 1];
    int64_t seconds = 0;

    xf_trans_id_init(&one, &xf_source_system, XF_UTC_OFFSET);
    xf_trans_id_init(&two, &xf_source_system, 0);
    CHECK(xf_trans_id_next(&one, a, &err) == 0 && xf_trans_id_valid(a, XF_TRANS_ID_LENGTH));
    CHECK(xf_trans_id_next(&two, b, &err) == 0 && xf_trans_id_valid(b, XF_TRANS_ID_LENGTH));
    CHECK(strcmp(a, b) != 0);
    CHECK(xf_timestamp_parse(a, XF_TIMESTAMP_LENGTH, XF_UTC_OFFSET, &seconds) && seconds == one.second);
}

static const struct {
    const char *s;
    bool valid;
} TRANS_IDS[] = {
    {TRANS_ID, true},
    {"2017072514484580000000", true},
    {"2017072514484589999999", true},
    {"2017072514484579999999", false},
    {"2017072514484590000000", false},
    {"2017133214484582299619", false},
    {"2017072524484582299619", false},
    {"201707251448458229961", false},
    {"20170725144845822996190", false},
    {"201707251448458229961x", false},
    {"2017072514484582 99619", false},
    {"", false},
};

int main(void)
{
    if (!CHECK(CRYPTO_set_mem_functions(get, resize, release) == 1))
        return check_end();
    check_vector();
    check_wrong_tokens();
    check_limits();
    check_against_openssl();
    check_no_memory();
    for (size_t i = 0; i < sizeof TRANS_IDS / sizeof *TRANS_IDS; i++)
        CHECK_ROW(xf_trans_id_valid(TRANS_IDS[i].s, strlen(TRANS_IDS[i].s)) == TRANS_IDS[i].valid,
                  TRANS_IDS[i].s);
    check_counting();
    check_failures();
    check_draws();
    check_ten_million();
    check_system_source();
    return check_end();
}
