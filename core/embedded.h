/* The Lua files that the program carries, so that one file is enough to run.
 * Written at build time by core/embed.lua. */
#ifndef XF_EMBEDDED_H
#define XF_EMBEDDED_H

#include <stddef.h>

struct xf_embedded {
    const char *name; /* module "xfiot.client" or script "script:recharge.lua"; NULL ends the list */
    const char *file; /* chunk name for luaL_loadbufferx, "@lua/xfiot/client.lua" */
    const unsigned char *text; /* Lua source as in the file; of a module: compiled, with its lines */
    size_t size;
};

/* Sorted by name. Constant, lives as long as the program. */
extern const struct xf_embedded xf_embedded[];

#endif
