/* Which replies leave a connection to the next call. */
#include "keep.h"

#include <string.h>

#include "check.h"

#define ID "673ae176a7124ffbac397429e5b79131"
#define REPLY(code, result)                                                                                  \
    "{\"responseCode\":\"" code "\",\"message\":\"\",\"result\":" result ",\"args\":\"\"}"

static void replies(void)
{
    static const struct {
        const char *row, *body;
        bool clean, fresh;
    } rows[] = {
        {"accepted", REPLY("100000", "\"" ID "\""), true, true},
        {"white space", "{ \"responseCode\" :\r\n\t\"100000\", \"result\": \"" ID "\" }", true, true},
        {"an object", REPLY("100000", "{\"deviceId\":\"" ID "\"}"), true, false},
        {"null", REPLY("100000", "null"), true, false},
        {"a short result", REPLY("100000", "\"673ae176\""), true, false},
        {"refused", REPLY("500033", "\"" ID "\""), false, false},
        {"a longer code", REPLY("1000000", "\"" ID "\""), false, false},
        {"a number", "{\"responseCode\":100000,\"result\":\"" ID "\"}", false, false},
        {"cut", "{\"responseCode\":\"100000", false, false},
        {"cut after the name", "{\"responseCode\"", false, false},
        {"a page", "<html></html>", false, false},
        {"nothing", "", false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xf_keeper *k = xf_keeper_new();
        size_t size = strlen(rows[i].body);

        CHECK_ROW(xf_keeper_allows(k, XF_KEEP_CLEAN, rows[i].body, size) == rows[i].clean, rows[i].row);
        CHECK_ROW(xf_keeper_allows(k, XF_KEEP_NEW, rows[i].body, size) == rows[i].fresh, rows[i].row);
        CHECK_ROW(!xf_keeper_allows(k, XF_KEEP_NEW, rows[i].body, size), rows[i].row); /* a second time */
        CHECK_ROW(xf_keeper_allows(k, XF_KEEP_ALWAYS, rows[i].body, size), rows[i].row);
        xf_keeper_free(k);
    }
    xf_keeper_free(NULL);
}

/* Some thousand results later a copy may pass; the last few hundred never do. */
static void many(void)
{
    enum { RESULTS = 20000, LATELY = 100 };
    struct xf_keeper *k = xf_keeper_new();
    char body[128];
    int refused = 0, passed = 0;

    for (int i = 0; i < RESULTS; i++) {
        int n = snprintf(body, sizeof body, REPLY("100000", "\"%032d\""), i);

        refused += !xf_keeper_allows(k, XF_KEEP_NEW, body, (size_t)n);
        passed += xf_keeper_allows(k, XF_KEEP_NEW, body, (size_t)n);
    }
    CHECK(refused == 0 && passed == 0);
    for (int i = RESULTS - LATELY; i < RESULTS; i++) {
        int n = snprintf(body, sizeof body, REPLY("100000", "\"%032d\""), i);

        passed += xf_keeper_allows(k, XF_KEEP_NEW, body, (size_t)n);
    }
    CHECK(passed < LATELY / 10);
    xf_keeper_free(k);
}

int main(void)
{
    replies();
    many();
    return check_end();
}
