/*
 * Whether a connection may serve another call. A reply of HTTP/1.1 does not say what it
 * answers: after one that came twice, every later call on that connection is given the
 * answer of the call before it. So a connection of the platform's is kept only after
 * an answer that a late copy of can be told from the next call's own.
 */
#ifndef XF_KEEP_H
#define XF_KEEP_H

#include <stdbool.h>
#include <stddef.h>

enum xf_keep {
    XF_KEEP_ALWAYS, /* plain HTTP */
    XF_KEEP_CLEAN, /* after responseCode 100000: a copy of a refusal would pass for the next call's */
    XF_KEEP_NEW, /* the same with a result, of 32 characters, that none of these calls had before */
};

/* Remembers the last few thousand results. */
struct xf_keeper;

/* NULL: no memory. */
struct xf_keeper *xf_keeper_new(void);
void xf_keeper_free(struct xf_keeper *k);
/* Judges a whole reply, once: it remembers the result. The body may be anything. */
bool xf_keeper_allows(struct xf_keeper *k, enum xf_keep keep, const char *body, size_t size);

#endif
