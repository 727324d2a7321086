/*
 * The worker's end of its line to the receiver: short texts over a socket that
 * keeps them apart. The receiver made the socket and started this process with it.
 */
#ifndef XF_CHANNEL_H
#define XF_CHANNEL_H

#include <stdbool.h>

#include "err.h"

enum { XF_CHANNEL_MOST = 1024 }; /* bytes of one text */

/* The descriptor is such a socket: it becomes ours, is not passed on to children
 * and does not block. Returns 0, or -1 with err. */
int xf_channel_adopt(int fd, struct xf_err *err);

enum xf_channel_read { XF_CHANNEL_TEXT, XF_CHANNEL_EMPTY, XF_CHANNEL_CLOSED };
/* The next text that has come, NUL-ended. Never waits. Closed: the other side has
 * gone, and will not come back. */
enum xf_channel_read xf_channel_take(int fd, char out[XF_CHANNEL_MOST + 1]);
/* Whether the text was let go; one that finds the line full is left out, as is one
 * that is too long. Never waits. */
bool xf_channel_send(int fd, const char *text);

#endif
