#include "admit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

/* p moves to the byte that is looked at; on refusal it stays at the offender. */
struct scan {
    const unsigned char *begin, *p, *end;
};

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* The byte at the place looked at, -1 at the end. */
static int peek(const struct scan *c)
{
    return c->p < c->end ? *c->p : -1;
}

static void skip_space(struct scan *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
        c->p++;
}

/* ---- strings */

/* Skips eight bytes at a time while none of them needs a look. A byte of `word`
 * is marked in its top bit if it is a quote, a backslash, below a space or not
 * ASCII; borrows only add marks above a byte that is marked rightly. */
static void skip_plain(struct scan *c)
{
    uint64_t word;

    while ((size_t)(c->end - c->p) >= sizeof word) {
        memcpy(&word, c->p, sizeof word);
        const uint64_t quotes = (word ^ EACH('"')) - EACH(1);
        const uint64_t slashes = (word ^ EACH('\\')) - EACH(1);
        const uint64_t controls = word - EACH(' ');
        if (((word | quotes | slashes | controls) & EACH(0x80)) != 0)
            return;
        c->p += sizeof word;
    }
}

/* A run of bytes beyond ASCII. */
static enum xf_admit scan_utf8(struct scan *c)
{
    const unsigned char *stop = c->p;

    while (stop < c->end && *stop >= 0x80)
        stop++;
    if (xf_text_measure((const char *)c->p, (size_t)(stop - c->p), NULL, NULL)) {
        c->p = stop;
        return XF_ADMIT_OK;
    }
    for (;;) { /* to the first bad sequence: the run is known to have one */
        size_t length = 2;

        while (length <= 4 &&
               ((size_t)(stop - c->p) < length || !xf_text_measure((const char *)c->p, length, NULL, NULL)))
            length++;
        if (length > 4)
            return XF_ADMIT_UTF8;
        c->p += length;
    }
}

/* The value of four hexadecimal digits, -1 if they are not. */
static int scan_hex(struct scan *c)
{
    int value = 0;

    for (int i = 0; i < 4; i++, c->p++) {
        const int byte = peek(c);

        if (is_digit(byte))
            value = value * 16 + (byte - '0');
        else if ((byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'))
            value = value * 16 + ((byte | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static enum xf_admit scan_escape(struct scan *c)
{
    const unsigned char *start = c->p++;
    const int byte = peek(c);
    int unit;

    if (byte != 'u') {
        if (byte <= 0 || strchr("\"\\/bfnrt", byte) == NULL)
            return XF_ADMIT_STRING;
        c->p++;
        return XF_ADMIT_OK;
    }
    c->p++;
    unit = scan_hex(c);
    if (unit < 0)
        return XF_ADMIT_STRING;
    if (unit < 0xD800 || unit > 0xDFFF)
        return XF_ADMIT_OK;
    if (unit <= 0xDBFF && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u') {
        c->p += 2;
        unit = scan_hex(c);
        if (unit >= 0xDC00 && unit <= 0xDFFF)
            return XF_ADMIT_OK;
        if (unit < 0)
            return XF_ADMIT_STRING;
    }
    c->p = start; /* a lone surrogate */
    return XF_ADMIT_STRING;
}

static enum xf_admit scan_string(struct scan *c)
{
    enum xf_admit verdict = XF_ADMIT_OK;

    c->p++;
    while (verdict == XF_ADMIT_OK) {
        skip_plain(c);
        while (c->p < c->end && *c->p >= ' ' && *c->p < 0x80 && *c->p != '"' && *c->p != '\\')
            c->p++;
        if (c->p == c->end)
            return XF_ADMIT_SYNTAX;
        if (*c->p == '"') {
            c->p++;
            return XF_ADMIT_OK;
        }
        if (*c->p < ' ')
            return XF_ADMIT_STRING;
        verdict = *c->p == '\\' ? scan_escape(c) : scan_utf8(c);
    }
    return verdict;
}

/* ---- numbers */

static void skip_digits(struct scan *c)
{
    while (is_digit(peek(c)))
        c->p++;
}

/*
 * Whether a well-formed number is finite as a double, told from its first 17
 * significant digits and its exponent alone. The largest double is
 * 1.7976931348623157(08)e308; what begins with more is refused, which includes
 * all that rounds to infinity. Numbers too small for a double are zero to a
 * decoder, not out of range.
 */
static bool is_finite_number(const unsigned char *p, const unsigned char *end)
{
    const int64_t exponent_most = INT64_C(1) << 60; /* no text is long enough to outweigh it */
    const int64_t largest = INT64_C(17976931348623157);
    int64_t exponent = 0, leading = 0, power = -1; /* of the first significant digit */
    int digits = 0;
    bool point = false, negative;

    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        point = point || *p == '.';
        if (!is_digit(*p))
            continue;
        if (digits > 0 || *p != '0') { /* significant */
            if (digits < 17) {
                leading = leading * 10 + (*p - '0');
                digits++;
            }
            power += !point;
        } else {
            power -= point;
        }
    }
    if (digits == 0)
        return true;
    for (; digits < 17; digits++)
        leading *= 10;

    negative = end - p > 1 && p[1] == '-';
    for (; p < end; p++)
        if (is_digit(*p) && exponent < exponent_most / 10)
            exponent = exponent * 10 + (*p - '0');
    power += negative ? -exponent : exponent;
    return power < 308 || (power == 308 && leading <= largest);
}

static enum xf_admit scan_number(struct scan *c)
{
    const unsigned char *start = c->p;
    bool exponent = false;

    c->p += *c->p == '-';
    if (!is_digit(peek(c)))
        return XF_ADMIT_NUMBER;
    if (*c->p++ != '0')
        skip_digits(c);
    if (peek(c) == '.') {
        c->p++;
        if (!is_digit(peek(c)))
            return XF_ADMIT_NUMBER;
        skip_digits(c);
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        exponent = true;
        c->p++;
        if (peek(c) == '+' || peek(c) == '-')
            c->p++;
        if (!is_digit(peek(c)))
            return XF_ADMIT_NUMBER;
        skip_digits(c);
    }
    /* A number runs on to white space or punctuation: 012, 0x1F, 1.2.3 and 1L are no two things. */
    const int next = peek(c);
    if (is_digit(next) || next == '.' || next == '+' || next == '-' || (next >= 'A' && next <= 'Z') ||
        (next >= 'a' && next <= 'z'))
        return XF_ADMIT_NUMBER;
    if ((exponent || c->p - start > 300) && !is_finite_number(start, c->p)) {
        c->p = start;
        return XF_ADMIT_NUMBER;
    }
    return XF_ADMIT_OK;
}

/* ---- values */

static enum xf_admit scan_word(struct scan *c, const char *word)
{
    for (; *word != '\0'; word++, c->p++)
        if (peek(c) != *word)
            return XF_ADMIT_SYNTAX;
    return XF_ADMIT_OK;
}

/* A byte that cannot stand where it stands. */
static enum xf_admit refuse_byte(const struct scan *c)
{
    static const unsigned char MARK[] = {0xEF, 0xBB, 0xBF};
    struct scan run = *c;

    if (peek(c) < 0x80)
        return XF_ADMIT_SYNTAX;
    if (c->p == c->begin && c->end - c->p >= 3 && memcmp(c->p, MARK, sizeof MARK) == 0)
        return XF_ADMIT_UTF8;
    return scan_utf8(&run) == XF_ADMIT_OK ? XF_ADMIT_SYNTAX : XF_ADMIT_UTF8;
}

static enum xf_admit scan_scalar(struct scan *c)
{
    switch (*c->p) {
    case '"':
        return scan_string(c);
    case 't':
        return scan_word(c, "true");
    case 'f':
        return scan_word(c, "false");
    case 'n':
        return scan_word(c, "null");
    case '+':
    case '.':
        return XF_ADMIT_NUMBER;
    default:
        return *c->p == '-' || is_digit(*c->p) ? scan_number(c) : refuse_byte(c);
    }
}

static enum xf_admit scan_key(struct scan *c)
{
    enum xf_admit verdict;

    if (*c->p != '"')
        return refuse_byte(c);
    verdict = scan_string(c);
    if (verdict != XF_ADMIT_OK)
        return verdict;
    skip_space(c);
    if (peek(c) != ':')
        return refuse_byte(c);
    c->p++;
    return XF_ADMIT_OK;
}

/* What may stand at the place looked at, besides white space. */
enum expected { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END };

static enum xf_admit scan_text(struct scan *c, int most)
{
    enum expected next = VALUE;
    uint32_t objects = 0; /* what we are in, innermost in bit 0: 1 for an object, 0 for an array */
    int depth = 0;

    for (skip_space(c); c->p < c->end; skip_space(c)) {
        const unsigned char byte = *c->p;
        const bool in_object = (objects & 1) != 0;
        enum xf_admit verdict = XF_ADMIT_OK;

        if (next == COMMA_OR_END && depth == 0)
            return XF_ADMIT_TRAILING;
        if (next != VALUE && next != KEY && byte == (in_object ? '}' : ']')) {
            c->p++;
            objects >>= 1;
            depth--;
            next = COMMA_OR_END;
        } else if (next == COMMA_OR_END) {
            if (byte != ',')
                return refuse_byte(c);
            c->p++;
            next = in_object ? KEY : VALUE;
        } else if (next == KEY || next == KEY_OR_END) {
            verdict = scan_key(c);
            next = VALUE;
        } else if (byte == '[' || byte == '{') {
            if (depth == most)
                return XF_ADMIT_DEPTH_OVER;
            c->p++;
            depth++;
            objects = objects << 1 | (byte == '{');
            next = byte == '{' ? KEY_OR_END : VALUE_OR_END;
        } else {
            verdict = scan_scalar(c);
            next = COMMA_OR_END;
        }
        if (verdict != XF_ADMIT_OK)
            return verdict;
    }
    return next == COMMA_OR_END && depth == 0 ? XF_ADMIT_OK : XF_ADMIT_SYNTAX;
}

enum xf_admit xf_admit_json(const char *s, size_t size, size_t cap, int depth, size_t *where)
{
    struct scan c = {.begin = (const unsigned char *)s, .p = (const unsigned char *)s};
    const int most = depth < 0 ? 0 : depth > XF_ADMIT_DEPTH ? XF_ADMIT_DEPTH : depth;
    enum xf_admit verdict;
    size_t at = cap;

    if (size > cap) {
        verdict = XF_ADMIT_SIZE;
    } else if (size == 0) {
        verdict = XF_ADMIT_EMPTY;
        at = 0;
    } else {
        c.end = c.begin + size;
        skip_space(&c);
        verdict = c.p == c.end ? XF_ADMIT_EMPTY : scan_text(&c, most);
        at = (size_t)(c.p - c.begin);
    }
    if (verdict != XF_ADMIT_OK && where != NULL)
        *where = at;
    return verdict;
}

const char *xf_admit_reason(enum xf_admit verdict)
{
    switch (verdict) {
    case XF_ADMIT_OK:
        return "it is JSON";
    case XF_ADMIT_EMPTY:
        return "it is empty";
    case XF_ADMIT_SIZE:
        return "it is too long";
    case XF_ADMIT_DEPTH_OVER:
        return "its arrays and objects are nested too deeply";
    case XF_ADMIT_UTF8:
        return "it is not UTF-8 without a byte order mark";
    case XF_ADMIT_SYNTAX:
        return "it is not JSON, or it is cut off";
    case XF_ADMIT_NUMBER:
        return "it has a number that JSON does not allow or a double cannot hold";
    case XF_ADMIT_STRING:
        return "it has a string with a bare control character, a bad escape or half a surrogate pair";
    case XF_ADMIT_TRAILING:
        return "something follows the JSON value";
    }
    return "it is not JSON";
}
