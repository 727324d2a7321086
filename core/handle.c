/* The callbacks here run inside libcurl: they copy bytes and count, nothing else. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transport.h"

/* Called by libcurl when the connection is up (TLS too), before a byte of the
 * request goes. A second time for one call means that a reused connection died
 * and libcurl is about to send the request again, without telling anybody. */
static int let_go(void *data, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    struct xf_handle *h = data;
    const struct xf_transfer *x = h->transfer;

    (void)peer_ip, (void)own_ip, (void)peer_port, (void)own_port;
    if (h->lettings++ > 0)
        return x->no_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
    if (x->release != NULL && !x->release(x->payload))
        return CURL_PREREQFUNC_ABORT;
    h->released = true;
    return CURL_PREREQFUNC_OK;
}

/* Called by libcurl when it makes a socket, before it connects: this call waits
 * for a connection of its own. */
static int note_socket(void *data, curl_socket_t socket, curlsocktype purpose)
{
    struct xf_handle *h = data;

    (void)socket, (void)purpose;
    h->connecting = true;
    return CURL_SOCKOPT_OK;
}

static bool make_room(struct xf_handle *h, size_t size)
{
    size_t room = h->room > 0 ? h->room : 512;
    char *body;

    while (room < size)
        room *= 2;
    if (room == h->room)
        return true;
    body = realloc(h->body, room);
    if (body == NULL)
        return false;
    h->body = body;
    h->room = room;
    return true;
}

/* libcurl reads the option when the reply has ended. Without a Content-Length that is
 * known only afterwards: an object that is closed counts as the whole, and whatever
 * follows takes it back. */
static void judge_connection(struct xf_handle *h)
{
    const struct xf_transfer *x = h->transfer;
    bool whole = h->length >= 0 ? (size_t)h->length == h->size : h->size > 0 && h->body[h->size - 1] == '}';
    bool good = false;
    long status = 0;

    if (x->keep == XF_KEEP_ALWAYS || (!whole && !h->judged))
        return;
    if (!h->judged && curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
        status == 200)
        good = xf_keeper_allows(xf_transfers_keeper(xf_loop_transfers(h->transport->loop)), x->keep, h->body,
                                h->size);
    h->judged = true;
    if (curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, good ? 0L : 1L) == CURLE_OK)
        h->closes = !good;
}

/* Anything but the full size makes libcurl end the call with CURLE_WRITE_ERROR. */
static size_t take_body(char *data, size_t one, size_t size, void *user)
{
    struct xf_handle *h = user;

    (void)one;
    if (size > h->transport->reply_cap - h->size) {
        h->over_cap = true;
        return 0;
    }
    if (!make_room(h, h->size + size + 1))
        return 0;
    memcpy(h->body + h->size, data, size);
    h->size += size;
    h->body[h->size] = '\0';
    judge_connection(h);
    return size;
}

/* The value of a header line without the white space around it, if the line is
 * of that name (given with its colon). */
static const char *header_value(const char *line, size_t size, const char *name, size_t name_size,
                                size_t *value_size)
{
    const char *end = line + size;

    if (size < name_size || strncasecmp(line, name, name_size) != 0)
        return NULL;
    line += name_size;
    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    while (end > line && (unsigned char)end[-1] <= ' ')
        end--;
    *value_size = (size_t)(end - line);
    return line;
}

static curl_off_t read_length(const char *digits, size_t size)
{
    curl_off_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (digits[i] < '0' || digits[i] > '9' || n > (LLONG_MAX - 9) / 10)
            return -1;
        n = n * 10 + (digits[i] - '0');
    }
    return size > 0 ? n : -1;
}

/* Two different Content-Lengths leave open where the reply ends (RFC 9112, 6.3);
 * libcurl would take the last one. */
static size_t take_header(char *line, size_t one, size_t size, void *user)
{
    struct xf_handle *h = user;
    const char *value;
    size_t value_size;

    (void)one;
    h->header_size += size;
    if (h->header_size > XF_REPLY_HEADERS_MOST) {
        h->over_cap = true;
        return 0;
    }
    switch (line[0]) {
    case '\r':
    case '\n':
        h->head_ended = true;
        break;
    case 'H':
        if (size > 5 && memcmp(line, "HTTP/", 5) == 0) { /* a new block, after 1xx */
            h->head_ended = false;
            h->length = -1;
            h->date[0] = '\0';
        }
        break;
    case 'C':
    case 'c':
        value = header_value(line, size, "Content-Length:", 15, &value_size);
        if (value != NULL) {
            curl_off_t length = read_length(value, value_size);

            if (length < 0 || (h->length >= 0 && h->length != length))
                return 0;
            h->length = length;
        }
        break;
    case 'D':
    case 'd':
        value = header_value(line, size, "Date:", 5, &value_size);
        if (value != NULL && value_size < sizeof h->date) {
            memcpy(h->date, value, value_size);
            h->date[value_size] = '\0';
        }
        break;
    default:
        break;
    }
    return size;
}

/* libcurl wants each option under its own type. */
struct number_option {
    CURLoption option;
    long value;
};

struct text_option {
    CURLoption option;
    const char *value;
};

static CURLcode set_numbers(CURL *easy, const struct number_option *rows, size_t count)
{
    CURLcode code = CURLE_OK;

    for (size_t i = 0; i < count && code == CURLE_OK; i++)
        code = curl_easy_setopt(easy, rows[i].option, rows[i].value);
    return code;
}

static CURLcode set_texts(CURL *easy, const struct text_option *rows, size_t count)
{
    CURLcode code = CURLE_OK;

    for (size_t i = 0; i < count && code == CURLE_OK; i++)
        code = curl_easy_setopt(easy, rows[i].option, rows[i].value);
    return code;
}

static CURLcode set_callbacks(struct xf_handle *h)
{
    CURL *easy = h->easy;
    CURLcode code = CURLE_OK;

#define SET(option, value)                                                                                   \
    if (code == CURLE_OK)                                                                                    \
    code = curl_easy_setopt(easy, option, value)

    SET(CURLOPT_PRIVATE, h);
    SET(CURLOPT_CURLU, h->parts);
    SET(CURLOPT_ERRORBUFFER, h->error);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, h);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, h);
    SET(CURLOPT_PREREQFUNCTION, let_go);
    SET(CURLOPT_PREREQDATA, h);
    SET(CURLOPT_SOCKOPTFUNCTION, note_socket);
    SET(CURLOPT_SOCKOPTDATA, h);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)h->transport->reply_cap);
#undef SET
    return code;
}

static CURLcode set_constants(struct xf_handle *h)
{
    const struct xf_transport *t = h->transport;
    const struct number_option numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 1},
        {CURLOPT_CONNECTTIMEOUT_MS, t->connect_timeout_ms},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        /* A resolver thread that hangs is left behind at a time-out; otherwise
         * libcurl would wait for it, and everything else on the loop with it. */
        {CURLOPT_QUICK_EXIT, 1},
    };
    const struct text_option texts[] = {
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        /* "" and not NULL: NULL means the environment's. */
        {CURLOPT_PROXY, t->proxy != NULL ? t->proxy : ""},
        {CURLOPT_NOPROXY, ""},
        {CURLOPT_URL, t->base}, /* besides the parts: for a call that libcurl repeats */
    };
    /* The folder of certificates built into libcurl would be trusted besides. */
    const struct text_option authority[] = {{CURLOPT_CAINFO, t->ca_file}, {CURLOPT_CAPATH, NULL}};
    CURLcode code = set_callbacks(h);

    if (code == CURLE_OK)
        code = set_numbers(h->easy, numbers, sizeof numbers / sizeof *numbers);
    if (code == CURLE_OK)
        code = set_texts(h->easy, texts, sizeof texts / sizeof *texts);
    if (code == CURLE_OK && t->ca_file != NULL)
        code = set_texts(h->easy, authority, sizeof authority / sizeof *authority);
    return code;
}

struct xf_handle *xf_handle_new(struct xf_transport *t)
{
    struct xf_handle *h = calloc(1, sizeof *h);

    if (h == NULL)
        return NULL;
    h->transport = t;
    h->method = XF_GET;
    h->max_age = -1; /* none of ours: is set at the first call */
    h->easy = curl_easy_init();
    h->parts = curl_url();
    if (h->easy == NULL || h->parts == NULL ||
        curl_url_set(h->parts, CURLUPART_URL, t->base, 0) != CURLUE_OK || set_constants(h) != CURLE_OK) {
        xf_handle_free(h);
        return NULL;
    }
    xf_handle_clear(h);
    return h;
}

void xf_handle_free(struct xf_handle *h)
{
    if (h->easy != NULL)
        curl_easy_cleanup(h->easy);
    curl_url_cleanup(h->parts);
    free(h->target);
    free(h->body);
    free(h);
}

void xf_handle_clear(struct xf_handle *h)
{
    h->transfer = NULL;
    h->lettings = 0;
    h->released = h->over_cap = h->head_ended = h->connecting = h->judged = false;
    h->size = h->header_size = 0;
    h->length = -1;
    h->date[0] = h->error[0] = '\0';
    if (h->room > XF_BODY_KEPT) {
        free(h->body);
        h->body = NULL;
        h->room = 0;
    }
}

/* The URL stays: libcurl takes it apart and puts it together again at every call,
 * a letter at a time. The target goes as it is. */
static CURLcode aim_target(struct xf_handle *h, const char *target)
{
    size_t size = strlen(target) + 1;

    if (h->target != NULL && strcmp(h->target, target) == 0)
        return CURLE_OK;
    if (h->target == NULL || size > h->target_room) {
        char *room = realloc(h->target, size);

        if (room == NULL)
            return CURLE_OUT_OF_MEMORY;
        h->target = room;
        h->target_room = size;
    }
    memcpy(h->target, target, size);
    return curl_easy_setopt(h->easy, CURLOPT_REQUEST_TARGET, target);
}

/* A PUT goes as a POST of another name: then head and body leave in one send. */
static CURLcode aim_method(struct xf_handle *h, const struct xf_transfer *x)
{
    CURLcode code = CURLE_OK;

    if (x->method == XF_GET && h->method != XF_GET)
        code = curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK && (x->method == XF_PUT) != (h->method == XF_PUT))
        code = curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, x->method == XF_PUT ? "PUT" : NULL);
    h->method = x->method;
    if (code == CURLE_OK && x->method != XF_GET) {
        code = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, x->body);
        if (code == CURLE_OK)
            code = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE, (long)x->body_size);
    }
    return code;
}

CURLcode xf_handle_aim(struct xf_handle *h, struct xf_transfer *x, long timeout_ms, bool fresh)
{
    long max_age = x->once ? 1 : 118; /* 118 is libcurl's default */
    const bool closes = x->keep != XF_KEEP_ALWAYS; /* until the reply is judged */
    CURLcode code = aim_target(h, x->text + h->transport->target_at);

    h->transfer = x;
    if (code == CURLE_OK)
        code = aim_method(h, x);
    if (code == CURLE_OK)
        code = curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, x->header_list);
    if (code == CURLE_OK && timeout_ms != h->timeout_ms)
        code = curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, h->timeout_ms = timeout_ms);
    if (code == CURLE_OK && fresh != h->fresh)
        code = curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, (h->fresh = fresh) ? 1L : 0L);
    if (code == CURLE_OK && closes != h->closes)
        code = curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, (h->closes = closes) ? 1L : 0L);
    if (code == CURLE_OK && max_age != h->max_age)
        code = curl_easy_setopt(h->easy, CURLOPT_MAXAGE_CONN, h->max_age = max_age);
    return code;
}
