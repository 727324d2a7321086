/* What bind_journal.c, bind_order.c and bind_push.c share. */
#ifndef XF_BIND_JOURNAL_H
#define XF_BIND_JOURNAL_H

#include "bind.h"
#include "journal.h"
#include "journal_ledger.h"
#include "journal_push.h"
#include "journal_run.h"
#include "journal_sighting.h"

#define XF_JOURNAL_TYPE "xfiot.journal"

/* The open journal at index; raises otherwise. */
struct xf_journal *xf_check_journal(lua_State *L, int index);

/* Members of the table at index. Text lives as long as the table holds it; NULL
 * or the fallback if absent. Each raises on another type. */
const char *xf_text_member(lua_State *L, int index, const char *name);
lua_Integer xf_integer_member(lua_State *L, int index, const char *name, lua_Integer fallback);
/* [-0, +0, e] The states that the list `states` of the table names, a bit each; 0 without
 * the list. find gives a state's number, -1 if there is none of that name. */
unsigned xf_states_member(lua_State *L, int index, int (*find)(const char *name));

/* [-0, +0, m] sets a member of the table on top; a NULL text sets nothing */
void xf_set_text(lua_State *L, const char *name, const char *text);
void xf_set_integer(lua_State *L, const char *name, lua_Integer value);

/* What was read of a journal and is not Lua's yet. The core has one for all. */
struct xf_found {
    struct xf_orders orders;
    struct xf_history history;
    struct xf_devices devices;
    struct xf_pushes pushes;
    struct xf_push_history decisions;
    struct xf_sightings sightings;
    struct xf_runs runs;
    struct xf_run_steps steps;
    struct xf_ledgers ledgers;
    struct xf_readings readings;
    struct xf_ledger_entries entries;
    char *text;
};
/* [-0, +1, m] an empty one, in a box that keeps what an error leaves until the next use */
struct xf_found *xf_push_found(lua_State *L);
/* Frees what is in it. */
void xf_found_empty(struct xf_found *f);

/* [-0, +1|+2, m] true, or nil and the sentence */
int xf_push_done(lua_State *L, int result, const struct xf_err *err);

/* The methods of a journal that concern orders, for the metatable on top. */
extern const luaL_Reg xf_order_methods[];
/* Those that concern where it is, and whether it is in order. */
extern const luaL_Reg xf_place_methods[];
/* Those that concern pushes. */
extern const luaL_Reg xf_inbox_methods[];
/* Those that concern what devices let be known. */
extern const luaL_Reg xf_sighting_methods[];
/* Those that concern runs. */
extern const luaL_Reg xf_run_methods[];
extern const luaL_Reg xf_run_find_methods[];
/* Those that concern ledgers. */
extern const luaL_Reg xf_ledger_methods[];

#endif
