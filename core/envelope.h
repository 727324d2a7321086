/* A short cut for the commonest reply: {"responseCode":"100000", ..., "result":"32 characters"}
 * is read from its bytes, without building what nobody looks at. */
#ifndef XF_ENVELOPE_H
#define XF_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

/* Texts of a reply, pointing into it. */
struct xf_envelope {
    const char *code, *result;
    size_t code_size, result_size;
};

/* True if the admitted JSON (see admit.h) is one flat object whose responseCode
 * and result are both plain strings, each there once. False says nothing about
 * the reply: read it the long way. */
bool xf_envelope_read(const char *json, size_t size, struct xf_envelope *out);

#endif
