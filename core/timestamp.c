#include "timestamp.h"

#include <string.h>

static const int64_t DAY = 86400; /* seconds */
/* Days from 0001-01-01, and in so many years. */
enum { DAYS_TO_1970 = 719162, DAYS_4 = 1461, DAYS_100 = 36524, DAYS_400 = 146097 };

struct moment {
    int year, month, day, hour, minute, second;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const signed char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return DAYS[month - 1] + (month == 2 && is_leap(year));
}

static bool exists(const struct moment *m)
{
    return m->year >= 1 && m->month >= 1 && m->month <= 12 && m->day >= 1 &&
           m->day <= days_in(m->year, m->month) && m->hour <= 23 && m->minute <= 59 && m->second <= 59;
}

/* Reads by a pattern: each of its letters takes a digit for its part, anything
 * else stands for itself. */
static bool read_pattern(const char *s, size_t size, const char *pattern, struct moment *m)
{
    int *const parts[] = {&m->year, &m->month, &m->day, &m->hour, &m->minute, &m->second};

    *m = (struct moment){0};
    if (size != strlen(pattern))
        return false;
    for (size_t i = 0; i < size; i++) {
        static const char LETTERS[] = "yMdHms";
        const char *letter = strchr(LETTERS, pattern[i]);

        if (letter == NULL) {
            if (s[i] != pattern[i])
                return false;
            continue;
        }
        if (s[i] < '0' || s[i] > '9')
            return false;
        int *part = parts[letter - LETTERS];
        *part = *part * 10 + (s[i] - '0');
    }
    return exists(m);
}

bool xf_timestamp_valid(const char *s, size_t size)
{
    struct moment m;

    return read_pattern(s, size, "yyyyMMddHHmmss", &m);
}

bool xf_datetime_valid(const char *s, size_t size)
{
    struct moment m;

    return read_pattern(s, size, "yyyy-MM-dd HH:mm:ss", &m);
}

bool xf_timestamp_parse(const char *s, size_t size, int offset, int64_t *seconds)
{
    struct moment m;

    if (!read_pattern(s, size, "yyyyMMddHHmmss", &m))
        return false;
    const int before = m.year - 1;
    int days = before * 365 + before / 4 - before / 100 + before / 400 + m.day - 1 - DAYS_TO_1970;
    for (int month = 1; month < m.month; month++)
        days += days_in(m.year, month);
    *seconds = days * DAY + (m.hour * 60 + m.minute) * INT64_C(60) + m.second - offset;
    return true;
}

/* days since 0001-01-01, which a 400-year cycle begins on. */
static void to_date(int days, struct moment *m)
{
    int centuries, years;

    m->year = 1 + days / DAYS_400 * 400;
    days %= DAYS_400;
    centuries = days / DAYS_100 < 4 ? days / DAYS_100 : 3; /* the last century is a day longer */
    m->year += centuries * 100;
    days -= centuries * DAYS_100;
    m->year += days / DAYS_4 * 4;
    days %= DAYS_4;
    years = days / 365 < 4 ? days / 365 : 3; /* so is the last year of four */
    m->year += years;
    days -= years * 365;

    for (m->month = 1; days >= days_in(m->year, m->month); m->month++)
        days -= days_in(m->year, m->month);
    m->day = days + 1;
}

static char *put(char *out, int value, int digits)
{
    for (int i = digits; i > 0; i--, value /= 10)
        out[i - 1] = (char)('0' + value % 10);
    return out + digits;
}

bool xf_timestamp_format(char out[XF_TIMESTAMP_LENGTH + 1], int64_t seconds, int offset)
{
    const int64_t first = -DAYS_TO_1970 * DAY; /* 00010101000000 */
    const int64_t last = (INT64_C(25) * DAYS_400 - 366 - DAYS_TO_1970) * DAY - 1; /* 99991231235959 */
    struct moment m;
    int in_day;

    if (__builtin_add_overflow(seconds, offset, &seconds) || seconds < first || seconds > last)
        return false;
    seconds -= first;
    in_day = (int)(seconds % DAY);
    to_date((int)(seconds / DAY), &m);
    out = put(out, m.year, 4);
    out = put(out, m.month, 2);
    out = put(out, m.day, 2);
    out = put(out, in_day / 3600, 2);
    out = put(out, in_day / 60 % 60, 2);
    out = put(out, in_day % 60, 2);
    *out = '\0';
    return true;
}
