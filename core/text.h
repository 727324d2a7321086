/* UTF-8 text as the contract measures it. */
#ifndef XF_TEXT_H
#define XF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Strict UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF).
 * Returns true and the lengths: in code points, and in UTF-16 units, which is
 * what the platform's Java counts (A1). Either pointer may be NULL. */
bool xf_text_measure(const char *s, size_t size, size_t *points, size_t *units);

#endif
