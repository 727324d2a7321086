/*
 * Names of objects, each once: which of two equal names counts is every reader's own
 * choice (RFC 8259, 4), and a reply that moves money must not mean two things.
 */
#ifndef XF_NAMES_H
#define XF_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { XF_NAMES_MOST = 1024 }; /* names of all objects within each other */

/* Of admitted JSON (admit.h): true if no object has a name twice. False too for a name
 * written with an escape, which nobody can compare without decoding, and for more names
 * than XF_NAMES_MOST. Allocates nothing. */
bool xf_names_once(const char *json, size_t size);

#endif
