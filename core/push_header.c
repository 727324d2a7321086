#include "push_header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "timestamp.h"

/* ---- reading */

enum { COMPANY, TRANS_ID, TOKEN, RANDOM_CODE, AUTHORIZATION, NAMES };
static const char *const names[NAMES] = {"API_ORG_NUM", "API_TRANS_ID", "API_TOKEN", "RandomCode",
                                         "Authorization"};

struct found {
    const char *values[NAMES];
    struct xf_push_header *header;
};

static void find(void *payload, const char *name, const char *value)
{
    struct found *f = payload;

    for (int i = 0; i < NAMES; i++)
        if (strcasecmp(name, names[i]) == 0) {
            f->header->twice = f->header->twice || f->values[i] != NULL;
            f->values[i] = value != NULL ? value : "";
            return;
        }
    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
        f->header->measured = true;
}

void xf_push_header_read(const struct xf_incoming *in, struct xf_push_header *out)
{
    struct found f = {.header = out};
    bool api;

    *out = (struct xf_push_header){0};
    xf_incoming_each_header(in, find, &f);
    api = f.values[TRANS_ID] != NULL || f.values[TOKEN] != NULL;
    out->company = f.values[COMPANY];
    out->company_optional = !api;
    out->trans_id = f.values[api ? TRANS_ID : RANDOM_CODE];
    out->token = f.values[api ? TOKEN : AUTHORIZATION];
}

/* ---- judging */

/* Trailing blanks are not part of a value (RFC 9110, 5.5); libmicrohttpd keeps them. */
static size_t length(const char *value)
{
    size_t size = strlen(value);

    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    return size;
}

bool xf_push_header_time(const struct xf_push_header *h, int offset, int64_t *second, uint32_t *tail)
{
    const char *s = h->trans_id;

    if (s == NULL || length(s) != XF_TRANS_ID_LENGTH || strspn(s, "0123456789") != XF_TRANS_ID_LENGTH ||
        !xf_timestamp_parse(s, XF_TIMESTAMP_LENGTH, offset, second))
        return false;
    *tail = s[XF_TIMESTAMP_LENGTH] == '8' ? (uint32_t)(strtoull(s + XF_TIMESTAMP_LENGTH, NULL, 10) % 10000000)
                                          : UINT32_MAX;
    return true;
}

enum xf_verdict xf_push_header_judge(const struct xf_push_header *h, struct xf_signer *signer,
                                     const char *company, int offset)
{
    int64_t second;
    uint32_t tail;

    if (h->twice)
        return XF_VERDICT_TWICE;
    if (!xf_push_header_time(h, offset, &second, &tail))
        return XF_VERDICT_TRANS_ID;
    if (h->company == NULL && !h->company_optional)
        return XF_VERDICT_COMPANY;
    if (h->company != NULL &&
        (length(h->company) != strlen(company) || strncmp(h->company, company, strlen(company)) != 0))
        return XF_VERDICT_COMPANY;
    if (h->token == NULL || !xf_verify(signer, h->trans_id, XF_TRANS_ID_LENGTH, h->token, length(h->token)))
        return XF_VERDICT_TOKEN;
    return XF_VERDICT_GOOD;
}

/* ---- keeping */

static void keep(void *payload, const char *name, const char *value)
{
    static const char *const secret[] = {"API_TOKEN", "Authorization", "Proxy-Authorization", "Cookie"};
    struct xf_bytes *out = payload;

    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (strcasecmp(name, secret[i]) == 0)
            return;
    xf_bytes_add_text(out, name);
    xf_bytes_add_text(out, ": ");
    for (; value != NULL && *value != '\0'; value++)
        xf_bytes_add_char(out, (char)((unsigned char)*value < 0x80 ? *value : '?'));
    xf_bytes_add_char(out, '\n');
}

void xf_push_header_keep(const struct xf_incoming *in, struct xf_bytes *out)
{
    xf_incoming_each_header(in, keep, out);
}
