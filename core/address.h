/* Where a listener listens. */
#ifndef XF_ADDRESS_H
#define XF_ADDRESS_H

#include <stdint.h>

#include "err.h"

/* A socket listening on host, which is a numeric address or "localhost", and
 * *port, which becomes the real one if it is 0. Returns the descriptor, non-blocking
 * and the caller's, or -1 with err. */
int xf_address_listen(const char *host, uint16_t *port, struct xf_err *err);

#endif
