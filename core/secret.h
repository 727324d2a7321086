/* Where the key comes from: a file that only its owner can read, or the
 * environment. Lua never sees it. */
#ifndef XF_SECRET_H
#define XF_SECRET_H

#include <stddef.h>

#include "err.h"
#include "sign.h"

/* Reads the key from a regular file of at most XF_KEY_MOST bytes that neither
 * group nor others can read (root's group may, where the file is root's and we are
 * not); white space at its end is dropped. Returns the length, or -1 with err,
 * which names the file and what to do, never its contents. Wipe out[] with xf_wipe
 * after use. */
int xf_secret_read_file(const char *path, char out[XF_KEY_MOST], struct xf_err *err);

/* Takes XF_KEY_MOST bytes at most out of an environment variable and removes it
 * from the environment, its bytes overwritten, so that neither children nor
 * scripts see it. Returns the length, 0 if not set, -1 with err if too long. */
int xf_secret_take_env(const char *name, char out[XF_KEY_MOST], struct xf_err *err);

/* Reads it from a pipe to its end, and closes the pipe. Likewise. */
int xf_secret_read_pipe(int fd, char out[XF_KEY_MOST], struct xf_err *err);

/* Overwrites, and cannot be optimised away. */
void xf_wipe(void *p, size_t size);

/* No core dumps and no reading of this process's memory by its user's other
 * processes. */
void xf_secret_seal_process(void);

#endif
