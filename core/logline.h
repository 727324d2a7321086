/* What a server says about itself: one line on stderr, key=value words. No
 * secrets, and nothing that came over a wire but transIds that were verified. */
#ifndef XF_LOGLINE_H
#define XF_LOGLINE_H

#include <stdint.h>

/* time=2026-01-01T12:00:00Z event=EVENT and what the format makes, in one write. */
__attribute__((format(printf, 2, 3))) void xf_logline(const char *event, const char *format, ...);

/* So many lines a second, for what a stranger can cause; all zero to begin with.
 * 0: this one is too many. Else 1, and *lost (may be NULL) is how many were too many before it. */
enum { XF_LOG_LINES = 10 };
struct xf_log_quota {
    int64_t second;
    unsigned used, lost;
};
int xf_log_allowed(struct xf_log_quota *quota, int64_t second, unsigned *lost);

/* A sentence as a value: in quotes, its own taken out. Returns out. */
enum { XF_LOG_VALUE = 320 };
const char *xf_log_value(char out[XF_LOG_VALUE], const char *sentence);

#endif
