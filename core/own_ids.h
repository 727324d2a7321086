/*
 * TransIds that this utility has sent out itself: whoever overhears one of our
 * calls holds a token that is good for a push. All processes that use one journal
 * on this machine share a file beside it, JOURNAL-sent, mapped into each: a maker
 * of transIds notes which numbers of which second it has given out, before they
 * leave. That costs no system call; a killed process loses nothing; after a power
 * loss it may be lost, and the ids it spoke of are stale within the freshness
 * window. Not covered: calls made on other machines or with another journal,
 * more than XF_OWN_MAKERS processes calling in the same second, and ids older
 * than XF_OWN_SECONDS, which the freshness window must not exceed.
 */
#ifndef XF_OWN_IDS_H
#define XF_OWN_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { XF_OWN_SECONDS = 4096, XF_OWN_MAKERS = 64 };

struct xf_own_ids;

/* Makes the file if it is missing. NULL with err. */
struct xf_own_ids *xf_own_ids_new(const char *journal, struct xf_err *err);
void xf_own_ids_free(struct xf_own_ids *ids);
/* Whether these are the ids of that journal. */
bool xf_own_ids_of(const struct xf_own_ids *ids, const char *journal);

/* This one is about to leave: `second` of its time in UTC, `tail` its last seven digits. */
void xf_own_ids_note(struct xf_own_ids *ids, int64_t second, uint32_t tail);
/* Whether it has left. */
bool xf_own_ids_hold(const struct xf_own_ids *ids, int64_t second, uint32_t tail);

#endif
