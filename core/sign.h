/*
 * Signing (appendix 8): token = lower-case hex SHA-256 of key + merchantId +
 * transId. Three steps; only the last sees the key.
 */
#ifndef XF_SIGN_H
#define XF_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { XF_TRANS_ID_LENGTH = 22, XF_TOKEN_LENGTH = 64 };
enum { XF_KEY_MOST = 1024, XF_MERCHANT_MOST = 64 };

/* Where time and chance come from; tests pass their own. */
struct xf_source {
    int64_t (*now)(void *payload); /* seconds since 1970 UTC */
    bool (*random)(void *payload, unsigned char *out, size_t size);
    void *payload;
};
/* The system clock and OpenSSL's generator. */
extern const struct xf_source xf_source_system;

/*
 * A maker of transIds: yyyyMMddHHmmss + 80000000..89999998 (C1). Within one
 * second the tail is a counter from a random start, spread over the whole range, so
 * ten million ids a second of one maker differ; makers of different processes
 * differ by their random starts. When the clock steps back, the time in the id
 * does not. If a second's ten million are used up, the id's time runs ahead.
 */
struct xf_own_ids;
struct xf_trans_id_maker {
    const struct xf_source *source;
    struct xf_own_ids *own; /* where each id is noted (own_ids.h), or NULL; not the maker's */
    int offset; /* seconds east of UTC */
    int64_t second; /* of the last id */
    uint32_t next; /* tail of the next id, without the leading 80000000 */
    uint32_t left; /* how many this second still has */
};
void xf_trans_id_init(struct xf_trans_id_maker *m, const struct xf_source *source, int offset);
/* Returns 0, or -1 with err when there is no time or no randomness. */
int xf_trans_id_next(struct xf_trans_id_maker *m, char out[XF_TRANS_ID_LENGTH + 1], struct xf_err *err);
/* 22 digits, the first 14 a date that exists, the 15th an 8. */
bool xf_trans_id_valid(const char *s, size_t size);

/* A key and its merchantId. The key is kept only here, is never printed and is
 * wiped when freed. */
struct xf_signer;

/* Copies what it is given; the caller wipes its own. Refuses an empty key or
 * merchantId, over-long ones and NULs. Returns NULL with err. Free with
 * xf_signer_free (NULL is fine). */
struct xf_signer *xf_signer_new(const char *key, size_t key_size, const char *merchant_id,
                                size_t merchant_size, struct xf_err *err);
void xf_signer_free(struct xf_signer *s);

/* Writes 64 hex digits and a NUL. Returns 0, or -1 with err. */
int xf_sign(struct xf_signer *s, const char *trans_id, size_t size, char token[XF_TOKEN_LENGTH + 1],
            struct xf_err *err);
/* True if the token is right, letters in either case; the time taken does not
 * depend on where it differs. */
bool xf_verify(struct xf_signer *s, const char *trans_id, size_t trans_size, const char *token,
               size_t token_size);

#endif
