#include "keep.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"

enum {
    RESULT_SIZE = 32, /* of a commandId (2.1) */
    PLACES = 4096, /* a result takes the place of an older one with the same hash */
};

static const char GOOD[] = "100000";

struct xf_keeper {
    char (*results)[RESULT_SIZE]; /* PLACES of them, from the first one on */
};

struct xf_keeper *xf_keeper_new(void)
{
    return calloc(1, sizeof(struct xf_keeper));
}

void xf_keeper_free(struct xf_keeper *k)
{
    if (k == NULL)
        return;
    free(k->results);
    free(k);
}

/* FNV-1a */
static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < RESULT_SIZE; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

static bool is_new(struct xf_keeper *k, const char *result)
{
    char *place;

    if (k->results == NULL && (k->results = calloc(PLACES, sizeof *k->results)) == NULL)
        return false;
    place = k->results[hash(result) % PLACES];
    if (memcmp(place, result, RESULT_SIZE) == 0)
        return false;
    memcpy(place, result, RESULT_SIZE);
    return true;
}

/* The long way, for results that are no text: the member's name and its value, anywhere. */
static bool says_good(const char *body, size_t size)
{
    static const char name[] = "\"responseCode\"";
    const char *end = body + size, *at = memmem(body, size, name, sizeof name - 1);

    if (at == NULL)
        return false;
    for (at += sizeof name - 1; at < end && strchr(" \t\r\n:", *at) != NULL && *at != '\0'; at++)
        ;
    return (size_t)(end - at) >= sizeof GOOD + 1 && *at == '"' &&
           memcmp(at + 1, GOOD, sizeof GOOD - 1) == 0 && at[sizeof GOOD] == '"';
}

bool xf_keeper_allows(struct xf_keeper *k, enum xf_keep keep, const char *body, size_t size)
{
    struct xf_envelope e;

    switch (keep) {
    case XF_KEEP_CLEAN:
        return says_good(body, size);
    case XF_KEEP_NEW:
        return xf_envelope_read(body, size, &e) && e.code_size == sizeof GOOD - 1 &&
               memcmp(e.code, GOOD, sizeof GOOD - 1) == 0 && e.result_size == RESULT_SIZE &&
               is_new(k, e.result);
    case XF_KEEP_ALWAYS:
    default:
        return true;
    }
}
