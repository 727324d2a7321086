#include "certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

struct xf_certificate {
    gnutls_certificate_credentials_t credentials;
    int64_t expires;
    size_t users;
};

/* Comes first: what cannot be read here, GnuTLS (3.7) would not give back there. */
static int find_expiry(struct xf_certificate *c, const gnutls_datum_t *text)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    const int rc = gnutls_x509_crt_list_import2(&chain, &count, text, GNUTLS_X509_FMT_PEM, 0);

    if (rc < 0)
        return rc;
    c->expires = INT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        const time_t end = gnutls_x509_crt_get_expiration_time(chain[i]);

        if (end < c->expires)
            c->expires = end;
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    return 0;
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

struct xf_certificate *xf_certificate_new(const char *chain, const char *private_key, struct xf_err *err)
{
    const gnutls_datum_t certificate = datum(chain), key = datum(private_key);
    struct xf_certificate *c = calloc(1, sizeof *c);
    int rc;

    if (c == NULL) {
        (void)xf_fail(err, "out of memory for a certificate");
        return NULL;
    }
    c->users = 1;
    rc = find_expiry(c, &certificate);
    if (rc >= 0)
        rc = gnutls_certificate_allocate_credentials(&c->credentials);
    if (rc >= 0)
        rc = gnutls_certificate_set_x509_key_mem2(c->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM,
                                                  NULL, 0);
    if (rc >= 0)
        return c;
    (void)xf_fail(err, "the certificate and its key cannot be used, are they a pair of PEM files? (%.100s)",
                  gnutls_strerror(rc));
    xf_certificate_let_go(c);
    return NULL;
}

struct xf_certificate *xf_certificate_keep(struct xf_certificate *c)
{
    c->users++;
    return c;
}

void xf_certificate_let_go(struct xf_certificate *c)
{
    if (c == NULL || --c->users > 0)
        return;
    if (c->credentials != NULL)
        gnutls_certificate_free_credentials(c->credentials);
    free(c);
}

int xf_certificate_show(const struct xf_certificate *c, void *session)
{
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->credentials) == 0 ? 0 : -1;
}

int64_t xf_certificate_expires(const struct xf_certificate *c)
{
    return c->expires;
}
