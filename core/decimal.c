#include "decimal.h"

#include <math.h>
#include <stdbool.h>

enum { FINEST = 3 }; /* digits after the point that thousandths can hold */

static const int64_t POWERS[FINEST + 1] = {1, 10, 100, 1000};

static int clamp_decimals(int decimals)
{
    return decimals < 0 ? 0 : decimals > FINEST ? FINEST : decimals;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *s, size_t size)
{
    size_t n = 0;

    while (n < size && is_digit(s[n]))
        n++;
    return n;
}

/* Subtracts the digits from *total, which runs downwards: the most negative
 * number has no positive counterpart. */
static bool take_digits(const char *s, size_t n, int64_t *total)
{
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(*total, 10, total) || __builtin_sub_overflow(*total, s[i] - '0', total))
            return false;
    return true;
}

enum xf_decimal_fault xf_decimal_parse(const char *s, size_t size, int decimals, int64_t *thousandths)
{
    const bool negative = size > 0 && *s == '-';
    const char *fraction = NULL, *whole = negative ? s + 1 : s;
    size_t left = size - negative, fraction_digits = 0;
    const size_t whole_digits = count_digits(whole, left);
    int64_t total = 0;

    if (whole_digits == 0 || (whole_digits > 1 && *whole == '0'))
        return XF_DECIMAL_MALFORMED;
    left -= whole_digits;
    if (left > 0) {
        fraction = whole + whole_digits + 1;
        fraction_digits = count_digits(fraction, left - 1);
        if (fraction[-1] != '.' || fraction_digits == 0 || fraction_digits != left - 1)
            return XF_DECIMAL_MALFORMED;
    }
    if (fraction_digits > (size_t)clamp_decimals(decimals))
        return XF_DECIMAL_TOO_FINE;

    if (!take_digits(whole, whole_digits, &total) ||
        (fraction_digits > 0 && !take_digits(fraction, fraction_digits, &total)) ||
        __builtin_mul_overflow(total, POWERS[FINEST - fraction_digits], &total) ||
        (!negative && __builtin_sub_overflow(0, total, &total)))
        return XF_DECIMAL_TOO_BIG;
    *thousandths = total;
    return XF_DECIMAL_OK;
}

/*
 * The positive double m / 2^q, 2^52 <= m < 2^53, 1 <= q <= 62: the integer n
 * with n / scale nearest to it, and whether that text reads back as the same
 * double, that is, lies within half a step on either side; both ends belong to
 * an even m. In integers: |n / scale - m / 2^q| <= 2^-q / 2 becomes
 * 2 |n 2^q - m scale| <= scale. (Below a power of two the step is half as wide,
 * but every power of two is either exact or far off.)
 */
static bool nearest_reads_back(int64_t m, int q, int64_t scale, int64_t *n)
{
    const int64_t exact = m * scale; /* below 2^53 * 1000 < 2^63 */
    const int64_t step = INT64_C(1) << q;
    const int64_t below = exact & (step - 1), above = step - below;
    const bool up = below > above || (below == above && (exact >> q) % 2 != 0); /* as printf rounds */
    const int64_t twice = 2 * (up ? above : below); /* at most step */

    *n = (exact >> q) + up;
    return twice < scale || (twice == scale && m % 2 == 0);
}

enum xf_decimal_fault xf_decimal_from_double(double value, int decimals, int64_t *thousandths)
{
    int exponent;
    int64_t m, q, total;

    if (!isfinite(value))
        return XF_DECIMAL_MALFORMED;
    m = (int64_t)ldexp(frexp(fabs(value), &exponent), 53);
    q = 53 - exponent;
    if (m == 0) {
        *thousandths = 0;
        return XF_DECIMAL_OK;
    }
    if (q <= 0) { /* an integer of 2^53 or more */
        if (q < -9 || __builtin_mul_overflow(m << -q, POWERS[FINEST], &total))
            return XF_DECIMAL_TOO_BIG;
        *thousandths = signbit(value) ? -total : total;
        return XF_DECIMAL_OK;
    }
    if (q > 62) /* below 0.001, and too far from it to be it */
        return XF_DECIMAL_TOO_FINE;

    decimals = clamp_decimals(decimals);
    for (int d = 0; d <= decimals; d++)
        if (nearest_reads_back(m, (int)q, POWERS[d], &total)) {
            total *= POWERS[FINEST - d]; /* at most 2^53 thousand: it fits */
            *thousandths = signbit(value) ? -total : total;
            return XF_DECIMAL_OK;
        }
    return XF_DECIMAL_TOO_FINE;
}

size_t xf_decimal_format(char out[XF_DECIMAL_SIZE], int64_t thousandths, int decimals)
{
    char backwards[XF_DECIMAL_SIZE];
    size_t length = 0, size = 0;
    uint64_t rest = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    int digits = FINEST; /* after the point */

    decimals = clamp_decimals(decimals);
    while (digits > decimals && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    for (int i = 0; i < digits; i++, rest /= 10)
        backwards[length++] = (char)('0' + rest % 10);
    if (digits > 0)
        backwards[length++] = '.';
    do {
        backwards[length++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (thousandths < 0)
        backwards[length++] = '-';

    while (length > 0)
        out[size++] = backwards[--length];
    out[size] = '\0';
    return size;
}
