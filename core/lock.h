/* A file that one process at a time may hold. */
#ifndef XF_LOCK_H
#define XF_LOCK_H

#include "err.h"

enum { XF_LOCK_FAILED = -1, XF_LOCK_TAKEN = -2 };

/* Takes hold of the file, made if it is missing. Never waits. Returns a
 * descriptor, or XF_LOCK_TAKEN, or XF_LOCK_FAILED with err. Closing it, or the end
 * of the process, lets go. Each call is a holder of its own. */
int xf_lock_take(const char *path, struct xf_err *err);

#endif
