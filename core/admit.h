/*
 * Strict JSON admission: every byte that came over a wire passes here before
 * any decoder sees it. RFC 8259 with UTF-8 only; what lua-cjson would take
 * beyond that (NaN, hexadecimal, leading zeros, bad UTF-8) is refused.
 * Allocates nothing, recurses never.
 */
#ifndef XF_ADMIT_H
#define XF_ADMIT_H

#include <stddef.h>

enum { XF_ADMIT_DEPTH = 32 }; /* arrays and objects within each other */

enum xf_admit {
    XF_ADMIT_OK = 0,
    XF_ADMIT_EMPTY, /* nothing but white space */
    XF_ADMIT_SIZE, /* longer than the cap */
    XF_ADMIT_DEPTH_OVER,
    XF_ADMIT_UTF8, /* not UTF-8 (a byte order mark included) */
    XF_ADMIT_SYNTAX,
    XF_ADMIT_NUMBER, /* a malformed number, or one beyond the range of a double */
    XF_ADMIT_STRING, /* a bare control character, a bad escape, a lone surrogate escape's bad hex */
    XF_ADMIT_TRAILING, /* something after the value */
};

/* Scans size bytes; on refusal *where (may be NULL) is the offset of the
 * offending byte. Lone surrogate escapes such as "\ud800" are refused: they
 * cannot be stored as UTF-8. */
enum xf_admit xf_admit_json(const char *s, size_t size, size_t cap, int depth, size_t *where);

/* A short English reason, constant. */
const char *xf_admit_reason(enum xf_admit verdict);

#endif
