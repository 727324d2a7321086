#include "timestamp.h"

#include <time.h>

#include "check.h"

static const struct {
    const char *s;
    bool valid;
} STAMPS[] = {
    {"20170725144845", true},
    {"00010101000000", true},
    {"99991231235959", true},
    {"20240229000000", true}, /* every fourth year, */
    {"20000229000000", true}, /* every four hundredth, */
    {"19000229000000", false}, /* but no other hundredth has the day */
    {"20230229000000", false},
    {"00040229000000", true},
    {"20230431000000", false},
    {"20230430000000", true},
    {"20231231235959", true},
    {"20231232000000", false},
    {"20230100000000", false},
    {"20230001000000", false},
    {"20231301000000", false},
    {"00000101000000", false},
    {"20230101240000", false},
    {"20230101006000", false},
    {"20230101000060", false},
    {"", false},
    {"2023010100000", false},
    {"202301010000000", false},
    {"2023-01-01 00:", false},
    {"+2023010100000", false},
    {" 2023010100000", false},
    {"2023010100000 ", false},
    {"2023010100000a", false},
    {"\xEF\xBC\x92"
     "02301010000",
     false},
};

static const struct {
    const char *s;
    bool valid;
} DATETIMES[] = {
    {"2019-01-16 10:26:06", true},
    {"2024-02-29 23:59:59", true},
    {"2023-02-29 00:00:00", false},
    {"2019-01-16T10:26:06", false},
    {"2019/01/16 10:26:06", false},
    {"2019-1-16 10:26:06", false},
    {"2019-01-16 10:26", false},
    {"2019-01-16 10:26:06 ", false},
    {"2019-01-16 24:00:00", false},
    {"20190116102606", false},
    {"", false},
};

static const struct {
    const char *s;
    int offset;
    int64_t seconds;
} MOMENTS[] = {
    {"19700101080000", XF_UTC_OFFSET, 0},
    {"19700101000000", 0, 0},
    {"19691231235959", 0, -1},
    {"20170725144845", XF_UTC_OFFSET, 1500965325},
    {"20380119031408", 0, INT64_C(1) << 31},
    {"20240229120000", -9 * 3600 - 1800, 1709242200},
    {"00010101000000", 0, -INT64_C(62135596800)},
    {"99991231235959", 0, INT64_C(253402300799)},
};

/* Day by day through 2,000 years, and at odd times, against the C library. */
static void check_against_c_library(void)
{
    long wrong = 0;

    for (int64_t t = -INT64_C(31) * 1000000000; t < INT64_C(35) * 1000000000; t += 86400 * 3 + 12347) {
        const time_t clock = (time_t)t;
        struct tm tm;
        char expected[64], got[XF_TIMESTAMP_LENGTH + 1];
        int64_t back = 0;

        if (gmtime_r(&clock, &tm) == NULL) {
            wrong++;
            continue;
        }
        (void)snprintf(expected, sizeof expected, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        wrong += !xf_timestamp_format(got, t, 0) || strcmp(got, expected) != 0;
        wrong += !xf_timestamp_parse(got, strlen(got), 0, &back) || back != t;
        wrong += !xf_timestamp_format(got, t, XF_UTC_OFFSET);
        wrong += !xf_timestamp_parse(got, strlen(got), XF_UTC_OFFSET, &back) || back != t;
    }
    CHECK(wrong == 0);
}

/* Every day that can be written, from 0001-01-01 on, follows the one before. */
static void check_every_day(void)
{
    const int64_t first = -INT64_C(62135596800), days = 3652059;
    char last[XF_TIMESTAMP_LENGTH + 1] = "", got[XF_TIMESTAMP_LENGTH + 1];
    long wrong = 0;

    for (int64_t day = 0; day < days; day++) {
        int64_t back = 0;

        wrong += !xf_timestamp_format(got, first + day * 86400, 0) || strcmp(got, last) <= 0;
        wrong += !xf_timestamp_parse(got, XF_TIMESTAMP_LENGTH, 0, &back) || back != first + day * 86400;
        memcpy(last, got, sizeof last);
    }
    CHECK(wrong == 0);
    CHECK_TEXT(last, "99991231000000");
}

int main(void)
{
    char out[XF_TIMESTAMP_LENGTH + 1];
    int64_t seconds = 0;

    for (size_t i = 0; i < sizeof STAMPS / sizeof *STAMPS; i++) {
        const size_t size = strlen(STAMPS[i].s);

        CHECK_ROW(xf_timestamp_valid(STAMPS[i].s, size) == STAMPS[i].valid, STAMPS[i].s);
        CHECK_ROW(xf_timestamp_parse(STAMPS[i].s, size, 0, &seconds) == STAMPS[i].valid, STAMPS[i].s);
    }
    for (size_t i = 0; i < sizeof DATETIMES / sizeof *DATETIMES; i++)
        CHECK_ROW(xf_datetime_valid(DATETIMES[i].s, strlen(DATETIMES[i].s)) == DATETIMES[i].valid,
                  DATETIMES[i].s);
    CHECK(!xf_timestamp_valid(NULL, 0));
    CHECK(!xf_timestamp_valid("2023010100000\0", 14));
    for (size_t i = 0; i < sizeof MOMENTS / sizeof *MOMENTS; i++) {
        CHECK_ROW(xf_timestamp_parse(MOMENTS[i].s, XF_TIMESTAMP_LENGTH, MOMENTS[i].offset, &seconds),
                  MOMENTS[i].s);
        CHECK_ROW(seconds == MOMENTS[i].seconds, MOMENTS[i].s);
        CHECK(xf_timestamp_format(out, MOMENTS[i].seconds, MOMENTS[i].offset));
        CHECK_TEXT(out, MOMENTS[i].s);
    }
    CHECK(!xf_timestamp_format(out, INT64_C(253402300800), 0));
    CHECK(!xf_timestamp_format(out, -INT64_C(62135596801), 0));
    CHECK(!xf_timestamp_format(out, INT64_C(253402300799), 1));
    CHECK(xf_timestamp_format(out, -INT64_C(62135596800) - XF_UTC_OFFSET, XF_UTC_OFFSET));
    CHECK(!xf_timestamp_format(out, INT64_MAX, XF_UTC_OFFSET));
    CHECK(!xf_timestamp_format(out, INT64_MIN, -XF_UTC_OFFSET));
    check_against_c_library();
    check_every_day();
    return check_end();
}
