#include "text.h"

#include <stdlib.h>

#include "check.h"

static const struct {
    const char *name, *s;
    size_t size, points, units;
    bool valid;
} CASES[] = {
    {"empty", "", 0, 0, 0, true},
    {"ASCII", "gas", 3, 3, 3, true},
    {"longer than a word", "07602190100007116", 17, 17, 17, true},
    {"a NUL counts", "a\0b", 3, 3, 3, true},
    {"Chinese", "先锋物联网", 15, 5, 5, true},
    {"ASCII and Chinese", "meter 07602190 气表", 21, 17, 17, true},
    {"a pair in UTF-16", "\xF0\x9F\x98\x80", 4, 1, 2, true},
    {"a rare Chinese name", "\xF0\xA0\xAE\xB7", 4, 1, 2, true},
    {"U+0080", "\xC2\x80", 2, 1, 1, true},
    {"U+07FF", "\xDF\xBF", 2, 1, 1, true},
    {"U+0800", "\xE0\xA0\x80", 3, 1, 1, true},
    {"U+D7FF", "\xED\x9F\xBF", 3, 1, 1, true},
    {"U+E000", "\xEE\x80\x80", 3, 1, 1, true},
    {"U+FFFF", "\xEF\xBF\xBF", 3, 1, 1, true},
    {"U+10000", "\xF0\x90\x80\x80", 4, 1, 2, true},
    {"U+10FFFF", "\xF4\x8F\xBF\xBF", 4, 1, 2, true},
    {"overlong NUL", "\xC0\x80", 2, 0, 0, false},
    {"overlong slash", "\xC1\xAF", 2, 0, 0, false},
    {"overlong three", "\xE0\x9F\xBF", 3, 0, 0, false},
    {"overlong four", "\xF0\x8F\xBF\xBF", 4, 0, 0, false},
    {"first surrogate", "\xED\xA0\x80", 3, 0, 0, false},
    {"last surrogate", "\xED\xBF\xBF", 3, 0, 0, false},
    {"U+110000", "\xF4\x90\x80\x80", 4, 0, 0, false},
    {"F5", "\xF5\x80\x80\x80", 4, 0, 0, false},
    {"FF", "\xFF", 1, 0, 0, false},
    {"lone continuation", "\x80", 1, 0, 0, false},
    {"cut after one of two", "\xC3", 1, 0, 0, false},
    {"cut after two of three", "\xE6\xB0", 2, 0, 0, false},
    {"cut after three of four", "\xF0\x9F\x98", 3, 0, 0, false},
    {"bad third byte", "\xE6\xB0z", 3, 0, 0, false},
    {"bad fourth byte", "\xF0\x9F\x98z", 4, 0, 0, false},
    {"bad after a good word", "abcdefgh\xFF", 9, 0, 0, false},
};

/* Every code point, encoded here, has the length that its number says. */
static void check_every_point(void)
{
    unsigned long wrong = 0;

    for (unsigned long point = 0; point <= 0x11FFFF; point++) {
        const bool exists = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        unsigned char s[4] = {(unsigned char)point};
        size_t size = 1, points = 0, units = 0;

        if (point >= 0x10000) {
            size = 4;
            s[0] = (unsigned char)(0xF0 | point >> 18);
        } else if (point >= 0x800) {
            size = 3;
            s[0] = (unsigned char)(0xE0 | point >> 12);
        } else if (point >= 0x80) {
            size = 2;
            s[0] = (unsigned char)(0xC0 | point >> 6);
        }
        for (size_t i = 1; i < size; i++)
            s[i] = (unsigned char)(0x80 | (point >> 6 * (size - 1 - i) & 0x3F));
        if (xf_text_measure((const char *)s, size, &points, &units) != exists ||
            (exists && (points != 1 || units != 1 + (point >= 0x10000))))
            wrong++;
        /* No beginning of a code point is a text. */
        for (size_t cut = 1; cut < size; cut++)
            wrong += xf_text_measure((const char *)s, cut, NULL, NULL);
    }
    CHECK(wrong == 0);
}

/* What is looked at eight bytes at a time must not depend on where it stands. */
static void check_places(void)
{
    for (size_t before = 0; before < 20; before++)
        for (size_t after = 0; after < 20; after++) {
            const size_t size = before + 3 + after;
            size_t points = 0, units = 0;
            char *s = malloc(size); /* of just this size, for the address sanitizer */

            if (!CHECK(s != NULL))
                return;
            memset(s, 'x', size);
            memcpy(s + before, "\xE6\xB0\x94", 3);
            CHECK(xf_text_measure(s, size, &points, &units) && points == size - 2 && units == size - 2);
            s[before + 1] = 'x';
            CHECK(!xf_text_measure(s, size, NULL, NULL));
            free(s);
        }
}

int main(void)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t points = 0, units = 0;

        CHECK_ROW(xf_text_measure(CASES[i].s, CASES[i].size, &points, &units) == CASES[i].valid,
                  CASES[i].name);
        CHECK_ROW(points == CASES[i].points && units == CASES[i].units, CASES[i].name);
    }
    CHECK(xf_text_measure(NULL, 0, NULL, NULL));
    check_every_point();
    check_places();
    return check_end();
}
