#include "sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { DIGEST_SIZE = XF_TOKEN_LENGTH / 2 };
enum { TRANS_MOST = 256 }; /* a server takes any RandomCode (C1), but not without end */

/* One thread at a time: the context is used again for every token. */
struct xf_signer {
    EVP_MD *sha256; /* fetched once: a fetch costs more than the digest */
    EVP_MD_CTX *context;
    size_t size;
    unsigned char prefix[XF_KEY_MOST + XF_MERCHANT_MOST]; /* key, then merchantId */
};

struct xf_signer *xf_signer_new(const char *key, size_t key_size, const char *merchant_id,
                                size_t merchant_size, struct xf_err *err)
{
    struct xf_signer *s = NULL;

    if (key_size == 0 || key_size > XF_KEY_MOST || memchr(key, '\0', key_size) != NULL) {
        (void)xf_fail(err, "the key must have 1 to %d bytes and no NUL", XF_KEY_MOST);
        goto fail;
    }
    if (merchant_size == 0 || merchant_size > XF_MERCHANT_MOST ||
        memchr(merchant_id, '\0', merchant_size) != NULL) {
        (void)xf_fail(err, "the merchant_id must have 1 to %d bytes and no NUL", XF_MERCHANT_MOST);
        goto fail;
    }
    s = OPENSSL_zalloc(sizeof *s);
    if (s == NULL || (s->context = EVP_MD_CTX_new()) == NULL) {
        (void)xf_fail(err, "there is no memory left for a signer");
        goto fail;
    }
    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (s->sha256 == NULL) {
        (void)xf_fail(err, "OpenSSL offers no SHA-256 here; see its configuration (openssl.cnf)");
        goto fail;
    }
    memcpy(s->prefix, key, key_size);
    memcpy(s->prefix + key_size, merchant_id, merchant_size);
    s->size = key_size + merchant_size;
    return s;
fail:
    xf_signer_free(s);
    return NULL;
}

void xf_signer_free(struct xf_signer *s)
{
    if (s == NULL)
        return;
    EVP_MD_CTX_free(s->context);
    EVP_MD_free(s->sha256);
    OPENSSL_clear_free(s, sizeof *s);
}

/* Printable ASCII only. SHA-256 of key + text lets whoever has one token make
 * that of a longer text, but such a text always has a byte of 0x80 in it. */
static bool may_be_signed(const char *trans_id, size_t size)
{
    if (size == 0 || size > TRANS_MOST)
        return false;
    for (size_t i = 0; i < size; i++)
        if (trans_id[i] < '!' || trans_id[i] > '~')
            return false;
    return true;
}

static void write_hex(const unsigned char *bytes, size_t size, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *out++ = DIGITS[bytes[i] >> 4];
        *out++ = DIGITS[bytes[i] & 15];
    }
    *out = '\0';
}

int xf_sign(struct xf_signer *s, const char *trans_id, size_t size, char token[XF_TOKEN_LENGTH + 1],
            struct xf_err *err)
{
    unsigned char digest[DIGEST_SIZE];
    int result = 0;

    token[0] = '\0';
    if (!may_be_signed(trans_id, size))
        return xf_fail(err, "the transId must have 1 to %d printable ASCII characters, no spaces",
                       TRANS_MOST);
    if (EVP_DigestInit_ex2(s->context, s->sha256, NULL) == 1 &&
        EVP_DigestUpdate(s->context, s->prefix, s->size) == 1 &&
        EVP_DigestUpdate(s->context, trans_id, size) == 1 &&
        EVP_DigestFinal_ex(s->context, digest, NULL) == 1) {
        write_hex(digest, sizeof digest, token);
    } else {
        (void)EVP_MD_CTX_reset(s->context); /* half a digest holds the key */
        result = xf_fail(err, "OpenSSL failed to compute a SHA-256");
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return result;
}

bool xf_verify(struct xf_signer *s, const char *trans_id, size_t trans_size, const char *token,
               size_t token_size)
{
    char right[XF_TOKEN_LENGTH + 1], given[XF_TOKEN_LENGTH];
    struct xf_err err;
    bool same;

    if (token_size != XF_TOKEN_LENGTH || xf_sign(s, trans_id, trans_size, right, &err) != 0)
        return false;
    for (size_t i = 0; i < sizeof given; i++)
        given[i] = (char)(token[i] >= 'A' && token[i] <= 'F' ? token[i] - 'A' + 'a' : token[i]);
    same = CRYPTO_memcmp(right, given, sizeof given) == 0;
    OPENSSL_cleanse(right, sizeof right);
    return same;
}
