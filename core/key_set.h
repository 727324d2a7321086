/*
 * Which keys of a file have come before, and on which line: 12 bytes a
 * place, so that a million rows can be looked at without being held. Keys are
 * known by 64 bits of a hash: two different ones of a million meet once in forty
 * million files.
 */
#ifndef XF_KEY_SET_H
#define XF_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

struct xf_key_set;

/* NULL when out of memory. */
struct xf_key_set *xf_key_set_new(void);
/* NULL is fine. */
void xf_key_set_free(struct xf_key_set *set);

/* Returns 0 for a new key, which is from now on known by `line` (not 0); the line
 * of the same key if it has come before; UINT32_MAX when out of memory. */
uint32_t xf_key_set_add(struct xf_key_set *set, const char *key, size_t size, uint32_t line);

#endif
