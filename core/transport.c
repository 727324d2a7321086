#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BASE_MOST = 512, TIMEOUT_MOST = 24 * 3600 * 1000 };

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[INET6_ADDRSTRLEN];
    size_t size = strlen(host);

    if (strcasecmp(host, "localhost") == 0) /* which libcurl never asks DNS for */
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (size < 3 || size - 2 >= sizeof bare || host[0] != '[')
        return false;
    memcpy(bare, host + 1, size - 2);
    bare[size - 2] = '\0';
    return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* What the URL parser would read kindly. Says nothing of the rest of the text,
 * which may hold a password. */
static int check_raw(const char *url, struct xf_err *err)
{
    size_t size = strlen(url), scheme;

    if (size > BASE_MOST)
        return xf_fail(err, "base_url is longer than %d characters", BASE_MOST);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)url[i] <= ' ' || (unsigned char)url[i] >= 0x7f)
            return xf_fail(err, "base_url has a space, a control or a non-ASCII character at position %zu",
                           i + 1);
    scheme = strncasecmp(url, "https://", 8) == 0 ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0)
        return xf_fail(err, "base_url must begin with https:// (or http:// for this machine)");
    if (strchr(url, '@') != NULL)
        return xf_fail(err, "base_url must not contain a user name or password");
    if (strpbrk(url, "?#\\") != NULL)
        return xf_fail(err, "base_url must not have a query or a fragment");
    if (url[scheme] == '\0' || url[scheme] == '/' || url[scheme] == ':')
        return xf_fail(err, "base_url names no host");
    return 0;
}

int xf_base_url(const char *url, bool allow_http, char out[XF_BASE_SIZE], struct xf_err *err)
{
    CURLU *u = NULL;
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    int result = -1, size;

    if (check_raw(url, err) != 0)
        return -1;
    u = curl_url();
    if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PATH, &path, 0) != CURLUE_OK || strtol(port, NULL, 10) == 0) {
        xf_fail(err, "base_url is not a URL of the form https://host or https://host:port");
        goto end;
    }
    if (strcmp(path, "/") != 0) {
        xf_fail(err, "base_url must end after host and port; /iotcloud/app is added to it");
        goto end;
    }
    if (strcmp(scheme, "http") == 0 && !allow_http && !is_loopback(host)) {
        xf_fail(err, "base_url must be https://, for money is not sent in the clear; "
                     "allow_http = true permits it all the same");
        goto end;
    }
    size = snprintf(out, XF_BASE_SIZE, "%s://%s:%s", scheme, host, port);
    if (size < 0 || size >= XF_BASE_SIZE)
        xf_fail(err, "base_url is too long");
    else
        result = 0;
end:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(u);
    return result;
}

static int check_ca_file(const char *path, struct xf_err *err)
{
    char byte;
    FILE *f = fopen(path, "re");

    if (f == NULL)
        return xf_fail(err, "ca_file %s cannot be read: %s", path, strerror(errno));
    if (fread(&byte, 1, 1, f) != 1) { /* an empty file, or a folder */
        (void)fclose(f);
        return xf_fail(err, "ca_file %s cannot be read, or is empty", path);
    }
    (void)fclose(f);
    return 0;
}

static long timeout_or(long timeout_ms, long otherwise)
{
    if (timeout_ms <= 0)
        return otherwise;
    return timeout_ms < TIMEOUT_MOST ? timeout_ms : TIMEOUT_MOST;
}

/* False only when out of memory. */
static bool copy(char **to, const char *text)
{
    *to = text != NULL ? strdup(text) : NULL;
    return text == NULL || *to != NULL;
}

/* As one more header line libcurl writes it once instead of twice. */
static bool name_agent(struct xf_transport *t, const char *name)
{
    if (name == NULL || asprintf(&t->agent, "User-Agent: %s", name) >= 0)
        return true;
    t->agent = NULL;
    return false;
}

/* An HTTP proxy passes http:// on and is asked for the whole URL; everything else
 * is a tunnel, at whose end the target alone is asked for. */
static bool passes_on(const char *proxy, const char *base)
{
    return proxy != NULL && proxy[0] != '\0' && strncasecmp(proxy, "socks", 5) != 0 &&
           strncmp(base, "http:", 5) == 0;
}

struct xf_transport *xf_transport_new(struct xf_loop *loop, const struct xf_transport_options *o,
                                      struct xf_err *err)
{
    struct xf_transport *t;
    char base[XF_BASE_SIZE];

    if (o->base_url == NULL) {
        xf_fail(err, "base_url is not set");
        return NULL;
    }
    if (xf_base_url(o->base_url, o->allow_http, base, err) != 0)
        return NULL;
    if (o->ca_file != NULL && check_ca_file(o->ca_file, err) != 0)
        return NULL;
    t = calloc(1, sizeof *t);
    if (t == NULL)
        goto fail;
    xf_link_init(&t->transfers);
    t->loop = loop;
    t->connect_timeout_ms = timeout_or(o->connect_timeout_ms, XF_CONNECT_TIMEOUT_MS);
    t->timeout_ms = timeout_or(o->timeout_ms, XF_TIMEOUT_MS);
    t->reply_cap = o->reply_cap > 0 ? o->reply_cap : XF_REPLY_CAP;
    t->base_size = strlen(base);
    t->target_at = passes_on(o->proxy, base) ? 0 : t->base_size;
    if (!copy(&t->base, base) || !copy(&t->ca_file, o->ca_file) || !copy(&t->proxy, o->proxy) ||
        !name_agent(t, o->user_agent))
        goto fail;
    return t;
fail:
    xf_fail(err, "no memory for a transport");
    xf_transport_free(t);
    return NULL;
}

void xf_transport_free(struct xf_transport *t)
{
    if (t == NULL)
        return;
    while (!xf_link_alone(&t->transfers))
        xf_transfer_free(XF_LINKED(t->transfers.next, struct xf_transfer, mine));
    while (t->spare != NULL) {
        struct xf_transfer *x = t->spare;

        t->spare = x->next;
        free(x->text);
        free(x);
    }
    while (t->handles != NULL) {
        struct xf_handle *h = t->handles;

        t->handles = h->next;
        xf_handle_free(h);
    }
    free(t->base);
    free(t->ca_file);
    free(t->proxy);
    free(t->agent);
    free(t);
}

struct xf_handle *xf_transport_take_handle(struct xf_transport *t)
{
    struct xf_handle *h = t->handles;

    if (h == NULL)
        return xf_handle_new(t);
    t->handles = h->next;
    t->handles_idle--;
    h->next = NULL;
    return h;
}

void xf_transport_give_handle(struct xf_transport *t, struct xf_handle *h)
{
    if (t->handles_idle >= XF_TRANSFERS_MOST) {
        xf_handle_free(h);
        return;
    }
    xf_handle_clear(h);
    h->next = t->handles;
    t->handles = h;
    t->handles_idle++;
}
