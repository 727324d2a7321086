/* Names of objects, each once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "names.h"

static const struct {
    const char *json;
    bool once;
} rows[] = {
    {"{}", true},
    {"[]", true},
    {"1", true},
    {"\"a\"", true},
    {"{\"a\":1}", true},
    {"{\"a\":1,\"b\":2}", true},
    {"{\"a\":1,\"a\":1}", false},
    {" { \"a\" : 1 , \"b\" : { \"a\" : 2 } , \"c\" : [ { \"a\" : 3 } , { \"a\" : 4 } ] } ", true},
    {"{\"b\":{\"a\":1,\"a\":2}}", false},
    {"{\"b\":{\"a\":1},\"b\":2}", false},
    {"{\"c\":[{\"a\":1},{\"a\":1,\"x\":[],\"a\":2}]}", false},
    {"{\"a\":[\"a\",\"a\"]}", true},
    {"{\"a\":\"a\",\"b\":\"a\"}", true},
    {"{\"a\":\"\\\"a\\\":1,\\\\\",\"b\":1}", true},
    {"{\"a\":\"\\\\\",\"a\":1}", false},
    {"{\"\":1,\"\":2}", false},
    {"{\"a\":1,\"\\u0061\":2}", false},
    {"{\"\\u0062\":2}", false},
    {"{\"ab\":1,\"a\":2,\"abc\":3}", true},
    {"[{\"a\":1},{\"a\":1}]", true},
    {"{\"responseCode\":\"100000\",\"result\":null,\"responseCode\":\"500013\"}", false},
};

/* An object with so many names, or with the last one twice. */
static bool many(int count, bool twice)
{
    char *text = malloc((size_t)count * 16 + 32);
    size_t size = 0;
    bool once;

    text[size++] = '{';
    for (int i = 0; i < count; i++)
        size +=
            (size_t)sprintf(text + size, "%s\"n%d\":0", i > 0 ? "," : "", twice && i == count - 1 ? 0 : i);
    text[size++] = '}';
    once = xf_names_once(text, size);
    free(text);
    return once;
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* of its exact size, so that a sanitizer sees one byte too many */
        size_t size = strlen(rows[i].json);
        char *copy = malloc(size);

        memcpy(copy, rows[i].json, size);
        CHECK_ROW(xf_names_once(copy, size) == rows[i].once, rows[i].json);
        free(copy);
    }
    CHECK(many(XF_NAMES_MOST, false));
    CHECK(!many(XF_NAMES_MOST, true));
    CHECK(!many(XF_NAMES_MOST + 1, false));
    return check_end();
}
