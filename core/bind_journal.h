/* What bind_journal.c and bind_order.c share. */
#ifndef XF_BIND_JOURNAL_H
#define XF_BIND_JOURNAL_H

#include "bind.h"
#include "journal.h"

#define XF_JOURNAL_TYPE "xfiot.journal"

/* The open journal at index; raises otherwise. */
struct xf_journal *xf_check_journal(lua_State *L, int index);

/* Members of the table at index. Text lives as long as the table holds it; NULL
 * or the fallback if absent. Each raises on another type. */
const char *xf_text_member(lua_State *L, int index, const char *name);
lua_Integer xf_integer_member(lua_State *L, int index, const char *name, lua_Integer fallback);

/* [-0, +0, m] sets a member of the table on top; a NULL text sets nothing */
void xf_set_text(lua_State *L, const char *name, const char *text);
void xf_set_integer(lua_State *L, const char *name, lua_Integer value);

/* The methods of a journal that concern orders, for the metatable on top. */
extern const luaL_Reg xf_order_methods[];

#endif
