/* Exact decimals as scaled integers. No floating point decides a value here. */
#ifndef XF_DECIMAL_H
#define XF_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* Longest text xf_decimal_format writes, with its NUL. */
enum { XF_DECIMAL_SIZE = 24 };

enum xf_decimal_fault {
    XF_DECIMAL_OK = 0,
    XF_DECIMAL_MALFORMED = -1, /* not digits[.digits] with an optional leading '-' and no leading zeros */
    XF_DECIMAL_TOO_FINE = -2, /* more digits after the point than allowed */
    XF_DECIMAL_TOO_BIG = -3, /* does not fit */
};

/* Reads "100", "100.5", "-0.05" into thousandths. At most `decimals` (0 to 3)
 * digits after the point, trailing zeros counted. "-0.00" is 0. */
enum xf_decimal_fault xf_decimal_parse(const char *s, size_t size, int decimals, int64_t *thousandths);

/* Reads a double that is exactly a decimal as a person writes it: its shortest
 * text that reads back as the same double has at most `decimals` digits after
 * the point. NaN and infinities are malformed. */
enum xf_decimal_fault xf_decimal_from_double(double value, int decimals, int64_t *thousandths);

/* Writes the shortest text: 100500 -> "100.5", 100000 -> "100". With
 * `decimals` > 0, at least that many digits after the point ("100.50").
 * Returns the length. */
size_t xf_decimal_format(char out[XF_DECIMAL_SIZE], int64_t thousandths, int decimals);

#endif
