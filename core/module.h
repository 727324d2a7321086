/* The Lua module xfiot.core. */
#ifndef XF_MODULE_H
#define XF_MODULE_H

#include <lua.h>

/* [-0, +1, e]  for require "xfiot.core", and preloaded by the host program */
__attribute__((visibility("default"))) int luaopen_xfiot_core(lua_State *L);

#endif
