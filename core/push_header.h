/* The headers of a push that sign it (sections 3.1 and 3.2): API_ORG_NUM,
 * API_TRANS_ID, API_TOKEN; RandomCode and Authorization in place of the last two
 * when neither of these is there (C3). */
#ifndef XF_PUSH_HEADER_H
#define XF_PUSH_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "listener.h"
#include "sign.h"

/* Texts live as long as the request; NULL where there is none. */
struct xf_push_header {
    const char *company, *trans_id, *token;
    bool company_optional; /* the notes of 3.2 name no more than RandomCode and Authorization */
    bool twice; /* one of the five came more than once */
    bool measured; /* there is a header that tells the body's length */
};
void xf_push_header_read(const struct xf_incoming *in, struct xf_push_header *out);

enum xf_verdict {
    XF_VERDICT_GOOD,
    XF_VERDICT_TWICE,
    XF_VERDICT_TRANS_ID, /* missing, not 22 digits, or its first 14 are no date */
    XF_VERDICT_COMPANY, /* not ours; or missing, which only RandomCode allows */
    XF_VERDICT_TOKEN, /* missing or wrong */
};
/* Of a transId: *second is its time in UTC, *tail its last seven digits (UINT32_MAX
 * if the digit before these is not 8, as it is in all that we make). False: malformed. */
bool xf_push_header_time(const struct xf_push_header *h, int offset, int64_t *second, uint32_t *tail);
/* The token is looked at last, and only if all else is right. */
enum xf_verdict xf_push_header_judge(const struct xf_push_header *h, struct xf_signer *signer,
                                     const char *company, int offset);

/* Appends "Name: value" lines of all headers but those that hold a secret. */
void xf_push_header_keep(const struct xf_incoming *in, struct xf_bytes *out);

#endif
