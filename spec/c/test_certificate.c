/* Certificates: pairs and what is none, who keeps one, and how a listener takes another. */
#include "certificate.h"

#include <gnutls/gnutls.h>
#include <time.h>

#include "listener.h"
#include "tls_case.h"

enum { DAY = 86400 };

static void pairs(const struct tls_case *a, const struct tls_case *b)
{
    char *chain = tls_read(a->certificate), *key = tls_read(a->private_key),
         *other = tls_read(b->private_key);
    const struct {
        const char *chain, *key;
    } wrong[] = {{chain, other}, {key, chain}, {chain, chain},
                 {chain, ""},    {"", key},    {"-----BEGIN CERTIFICATE-----\n", key}};
    const time_t now = time(NULL);
    struct xf_err err = {""};
    struct xf_certificate *c = xf_certificate_new(chain, key, &err);

    CHECK(c != NULL && xf_certificate_expires(c) > now + DAY &&
          xf_certificate_expires(c) <= now + 2 * DAY + 600);
    xf_certificate_let_go(c);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err.message[0] = '\0';
        CHECK(xf_certificate_new(wrong[i].chain, wrong[i].key, &err) == NULL);
        CHECK(strstr(err.message, "pair of PEM files") != NULL && strstr(err.message, "BEGIN") == NULL);
    }
    xf_certificate_let_go(NULL);
    free(chain);
    free(key);
    free(other);
}

/* The session that was shown it outlives all others who had it. */
static void kept(const struct tls_case *a)
{
    char *chain = tls_read(a->certificate), *key = tls_read(a->private_key);
    struct xf_err err = {""};
    struct xf_certificate *c = xf_certificate_new(chain, key, &err), *mine;
    gnutls_session_t session = NULL;

    if (c == NULL || gnutls_init(&session, GNUTLS_SERVER) != 0)
        abort();
    mine = xf_certificate_keep(c);
    CHECK(mine == c && xf_certificate_show(mine, session) == 0);
    xf_certificate_let_go(c);
    CHECK(xf_certificate_expires(mine) > time(NULL));
    gnutls_deinit(session);
    xf_certificate_let_go(mine);
    free(chain);
    free(key);
}

static void renewing(const struct tls_case *a, const struct tls_case *b)
{
    char *chain = tls_read(a->certificate), *key = tls_read(a->private_key);
    char *chain_b = tls_read(b->certificate), *key_b = tls_read(b->private_key);
    const time_t now = time(NULL);
    struct xf_err err = {""};
    struct xf_loop *loop = xf_loop_new(&err);
    const struct xf_listener_options plain = {0}, tls = {.certificate = chain, .private_key = key},
                                     wrong = {.certificate = chain, .private_key = key_b};
    struct xf_listener *l = xf_listener_new(loop, &plain, &err);

    CHECK(xf_listener_renew(l, chain, key, now, &err) == -1 && xf_listener_expires(l) == 0);
    CHECK(strstr(err.message, "without TLS") != NULL);
    xf_listener_free(l);
    CHECK(xf_listener_new(loop, &wrong, &err) == NULL);
    l = xf_listener_new(loop, &tls, &err);
    CHECK(l != NULL && xf_listener_expires(l) > now + DAY);
    CHECK(xf_listener_renew(l, chain_b, key, now, &err) == -1);
    CHECK(xf_listener_renew(l, chain_b, key_b, now + 3 * DAY, &err) == -1);
    CHECK_TEXT(err.message, "the certificate has expired");
    CHECK(xf_listener_expires(l) > now + DAY);
    CHECK(xf_listener_renew(l, chain_b, key_b, now, &err) == 0 && xf_listener_expires(l) > now + DAY);
    xf_listener_free(l);
    xf_loop_free(loop);
    free(chain);
    free(key);
    free(chain_b);
    free(key_b);
}

int main(void)
{
    struct journal_case c = case_start();
    const struct tls_case a = tls_make(c.folder, "a"), b = tls_make(c.folder, "b");

    pairs(&a, &b);
    kept(&a);
    renewing(&a, &b);
    case_end(&c);
    return check_end();
}
