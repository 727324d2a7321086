#include "decimal.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"

static const struct {
    const char *s;
    int decimals;
    enum xf_decimal_fault fault;
    int64_t thousandths;
} TEXTS[] = {
    {"0", 0, XF_DECIMAL_OK, 0},
    {"100", 0, XF_DECIMAL_OK, 100000},
    {"100.5", 2, XF_DECIMAL_OK, 100500},
    {"100.50", 2, XF_DECIMAL_OK, 100500},
    {"-0.05", 2, XF_DECIMAL_OK, -50},
    {"-0.00", 2, XF_DECIMAL_OK, 0},
    {"-0", 0, XF_DECIMAL_OK, 0},
    {"0.001", 3, XF_DECIMAL_OK, 1},
    {"2147483.64", 2, XF_DECIMAL_OK, 2147483640},
    {"9223372036854775.807", 3, XF_DECIMAL_OK, INT64_MAX},
    {"-9223372036854775.808", 3, XF_DECIMAL_OK, INT64_MIN},
    {"9223372036854775.808", 3, XF_DECIMAL_TOO_BIG, 0},
    {"-9223372036854775.809", 3, XF_DECIMAL_TOO_BIG, 0},
    {"9223372036854776", 0, XF_DECIMAL_TOO_BIG, 0},
    {"99999999999999999999999999999999999999999", 0, XF_DECIMAL_TOO_BIG, 0},
    {"1.000", 2, XF_DECIMAL_TOO_FINE, 0},
    {"1.0", 0, XF_DECIMAL_TOO_FINE, 0},
    {"1.0000", 3, XF_DECIMAL_TOO_FINE, 0},
    {"1.0000", 9, XF_DECIMAL_TOO_FINE, 0},
    {"1.5", -1, XF_DECIMAL_TOO_FINE, 0},
    {"", 2, XF_DECIMAL_MALFORMED, 0},
    {"-", 2, XF_DECIMAL_MALFORMED, 0},
    {".", 2, XF_DECIMAL_MALFORMED, 0},
    {"1.", 2, XF_DECIMAL_MALFORMED, 0},
    {".5", 2, XF_DECIMAL_MALFORMED, 0},
    {"-.5", 2, XF_DECIMAL_MALFORMED, 0},
    {"+1", 2, XF_DECIMAL_MALFORMED, 0},
    {"--1", 2, XF_DECIMAL_MALFORMED, 0},
    {"00", 2, XF_DECIMAL_MALFORMED, 0},
    {"01.5", 2, XF_DECIMAL_MALFORMED, 0},
    {"-01", 2, XF_DECIMAL_MALFORMED, 0},
    {"1,5", 2, XF_DECIMAL_MALFORMED, 0},
    {"1,000.00", 2, XF_DECIMAL_MALFORMED, 0},
    {"1.5.5", 2, XF_DECIMAL_MALFORMED, 0},
    {"1.5x", 2, XF_DECIMAL_MALFORMED, 0},
    {"1.12345x", 2, XF_DECIMAL_MALFORMED, 0},
    {"1e2", 2, XF_DECIMAL_MALFORMED, 0},
    {"0x10", 2, XF_DECIMAL_MALFORMED, 0},
    {" 1", 2, XF_DECIMAL_MALFORMED, 0},
    {"1 ", 2, XF_DECIMAL_MALFORMED, 0},
    {"1.5 ", 2, XF_DECIMAL_MALFORMED, 0},
    {"nan", 2, XF_DECIMAL_MALFORMED, 0},
    {"\xEF\xBC\x91", 2, XF_DECIMAL_MALFORMED, 0},
};

static const struct {
    const char *name;
    double value;
    int decimals;
    enum xf_decimal_fault fault;
    int64_t thousandths;
} DOUBLES[] = {
    {"0", 0.0, 0, XF_DECIMAL_OK, 0},
    {"-0", -0.0, 2, XF_DECIMAL_OK, 0},
    {"1", 1.0, 0, XF_DECIMAL_OK, 1000},
    {"-1", -1.0, 0, XF_DECIMAL_OK, -1000},
    {"4.35", 4.35, 2, XF_DECIMAL_OK, 4350},
    {"1.15", 1.15, 2, XF_DECIMAL_OK, 1150},
    {"19.99", 19.99, 2, XF_DECIMAL_OK, 19990},
    {"-19.99", -19.99, 2, XF_DECIMAL_OK, -19990},
    {"2147483.64", 2147483.64, 2, XF_DECIMAL_OK, 2147483640},
    {"0.001", 0.001, 3, XF_DECIMAL_OK, 1},
    {"0.1 + 0.2", 0.1 + 0.2, 2, XF_DECIMAL_TOO_FINE, 0},
    {"0.1 + 0.2 with three", 0.1 + 0.2, 3, XF_DECIMAL_TOO_FINE, 0},
    {"1.1 * 3", 1.1 * 3, 3, XF_DECIMAL_TOO_FINE, 0},
    {"one third", 1.0 / 3, 3, XF_DECIMAL_TOO_FINE, 0},
    {"4.35 with one", 4.35, 1, XF_DECIMAL_TOO_FINE, 0},
    {"0.5 with none", 0.5, 0, XF_DECIMAL_TOO_FINE, 0},
    {"0.0005", 0.0005, 3, XF_DECIMAL_TOO_FINE, 0},
    {"0.00097", 0.00097, 3, XF_DECIMAL_TOO_FINE, 0},
    {"smallest", 4.9e-324, 3, XF_DECIMAL_TOO_FINE, 0},
    {"1e15", 1e15, 0, XF_DECIMAL_OK, INT64_C(1000000000000000000)},
    {"2^53", 9007199254740992.0, 2, XF_DECIMAL_OK, INT64_C(9007199254740992000)},
    {"-2^53 - 2", -9007199254740994.0, 2, XF_DECIMAL_OK, INT64_C(-9007199254740994000)},
    {"1e16", 1e16, 2, XF_DECIMAL_TOO_BIG, 0},
    {"-1e19", -1e19, 2, XF_DECIMAL_TOO_BIG, 0},
    {"1e300", 1e300, 2, XF_DECIMAL_TOO_BIG, 0},
    {"sixteen digits", 1234567890123.457, 3, XF_DECIMAL_OK, INT64_C(1234567890123457)},
    {"a half beyond 2^42", 4398046511104.5, 1, XF_DECIMAL_OK, INT64_C(4398046511104500)},
    {"NaN", NAN, 2, XF_DECIMAL_MALFORMED, 0},
    {"inf", INFINITY, 2, XF_DECIMAL_MALFORMED, 0},
    {"-inf", -INFINITY, 2, XF_DECIMAL_MALFORMED, 0},
};

static const struct {
    int64_t thousandths;
    int decimals;
    const char *text;
} FORMATS[] = {
    {0, 0, "0"},
    {0, 2, "0.00"},
    {100000, 0, "100"},
    {100000, 2, "100.00"},
    {100500, 0, "100.5"},
    {100500, 2, "100.50"},
    {100505, 2, "100.505"},
    {1, 0, "0.001"},
    {-1, 0, "-0.001"},
    {-50, 2, "-0.05"},
    {-50, 3, "-0.050"},
    {7000, 9, "7.000"},
    {7000, -9, "7"},
    {INT64_MAX, 0, "9223372036854775.807"},
    {INT64_MIN, 3, "-9223372036854775.808"},
};

/* The same numbers in every run (splitmix64). */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void check_format_and_back(void)
{
    uint64_t state = 1;
    long wrong = 0;

    for (int i = 0; i < 400000; i++) {
        const int shift = i % 63, decimals = i % 4;
        const int64_t x = (int64_t)draw(&state) >> shift;
        int64_t back = 0;
        char text[XF_DECIMAL_SIZE];
        const size_t size = xf_decimal_format(text, x, decimals);

        wrong += size != strlen(text);
        wrong += xf_decimal_parse(text, size, 3, &back) != XF_DECIMAL_OK || back != x;
        /* C's own reading of the same text finds the same number. */
        wrong += x > -INT64_C(1000000000000000) && x < INT64_C(1000000000000000) &&
                 (xf_decimal_from_double(strtod(text, NULL), 3, &back) != XF_DECIMAL_OK || back != x);
    }
    CHECK(wrong == 0);
}

static void check_hundredths(void)
{
    long wrong = 0;

    for (int64_t i = -3000000; i <= 3000000; i++) {
        int64_t got = 0;

        wrong += xf_decimal_from_double((double)i / 100.0, 2, &got) != XF_DECIMAL_OK || got != i * 10;
    }
    for (int64_t i = 21474836470000 - 1000000; i <= 21474836470000; i++) {
        int64_t got = 0;

        wrong += xf_decimal_from_double((double)i / 100.0, 2, &got) != XF_DECIMAL_OK || got != i * 10;
    }
    CHECK(wrong == 0);
}

/* The definition itself: the first of %.0f, %.1f, ... that reads back. Also the
 * doubles next to a decimal, which are none. */
static void check_against_c_library(void)
{
    uint64_t state = 2;
    long wrong = 0;

    for (int i = 0; i < 300000; i++) {
        const int64_t n = (int64_t)(draw(&state) >> (11 + i % 50));
        double value = (double)n / 1000.0;
        int expected = 0;
        int64_t got = 0, text_value = 0;
        char text[64];

        if (i % 3 != 0)
            value = nextafter(value, i % 3 == 1 ? 1e300 : -1e300);
        for (; expected <= 3; expected++) {
            (void)snprintf(text, sizeof text, "%.*f", expected, value);
            if (strtod(text, NULL) == value)
                break;
        }
        if (expected > 3) {
            wrong += xf_decimal_from_double(value, 3, &got) != XF_DECIMAL_TOO_FINE;
            continue;
        }
        wrong += xf_decimal_parse(text, strlen(text), 3, &text_value) != XF_DECIMAL_OK;
        wrong += xf_decimal_from_double(value, expected, &got) != XF_DECIMAL_OK || got != text_value;
        wrong += expected > 0 && xf_decimal_from_double(value, expected - 1, &got) != XF_DECIMAL_TOO_FINE;
    }
    CHECK(wrong == 0);
}

int main(void)
{
    int64_t got;

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        got = 0;
        CHECK_ROW(xf_decimal_parse(TEXTS[i].s, strlen(TEXTS[i].s), TEXTS[i].decimals, &got) == TEXTS[i].fault,
                  TEXTS[i].s);
        CHECK_ROW(got == TEXTS[i].thousandths, TEXTS[i].s);
    }
    CHECK(xf_decimal_parse(NULL, 0, 2, &got) == XF_DECIMAL_MALFORMED);
    CHECK(xf_decimal_parse("1\0002", 3, 2, &got) == XF_DECIMAL_MALFORMED);
    CHECK(xf_decimal_parse("12345", 2, 0, &got) == XF_DECIMAL_OK && got == 12000);

    for (size_t i = 0; i < sizeof DOUBLES / sizeof *DOUBLES; i++) {
        got = 0;
        CHECK_ROW(xf_decimal_from_double(DOUBLES[i].value, DOUBLES[i].decimals, &got) == DOUBLES[i].fault,
                  DOUBLES[i].name);
        CHECK_ROW(got == DOUBLES[i].thousandths, DOUBLES[i].name);
    }
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        char text[XF_DECIMAL_SIZE];

        CHECK(xf_decimal_format(text, FORMATS[i].thousandths, FORMATS[i].decimals) ==
              strlen(FORMATS[i].text));
        CHECK_TEXT(text, FORMATS[i].text);
    }
    check_format_and_back();
    check_hundredths();
    check_against_c_library();
    return check_end();
}
