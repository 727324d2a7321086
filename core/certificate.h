/*
 * A certificate chain with its private key, as a TLS server shows it. Counted: each
 * connection keeps the one it began with, so another may take its place meanwhile.
 * One thread only.
 */
#ifndef XF_CERTIFICATE_H
#define XF_CERTIFICATE_H

#include <stdint.h>

#include "err.h"

struct xf_certificate;

/* From PEM texts, which are not needed afterwards: the server's certificate first.
 * NULL with err, also when they are no pair. To be let go. */
struct xf_certificate *xf_certificate_new(const char *chain, const char *private_key, struct xf_err *err);
/* One user more; the same is returned. */
struct xf_certificate *xf_certificate_keep(struct xf_certificate *c);
/* One user less; the last one frees it. NULL is fine. */
void xf_certificate_let_go(struct xf_certificate *c);

/* Makes it the one that a GnuTLS session shows, before its handshake. It must be kept
 * until the session is over. 0, or -1. */
int xf_certificate_show(const struct xf_certificate *c, void *session);
/* The last second in which it is good, since 1970 UTC; of a chain, the earliest. */
int64_t xf_certificate_expires(const struct xf_certificate *c);

#endif
