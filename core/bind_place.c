/* The journal as a whole, for Lua: whether it is still the one it was, and in order; how
 * many orders there are. */
#include "bind_journal.h"

/***
Whether the file is not the one, or not where, it was last known to be.
@function journal:moved
@treturn boolean
@treturn[opt] string how that shows
*/
static int moved(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);

    lua_pushboolean(L, xf_journal_moved(j));
    lua_pushstring(L, xf_journal_why_moved(j));
    return 2;
}

/***
Makes the journal as it is now the one that counts.
@function journal:accept_move
@tparam string by who says so
@tparam integer at seconds since 1970 UTC
@treturn boolean|nil
@treturn[opt] string why not
*/
static int accept_move(lua_State *L)
{
    struct xf_err err;

    return xf_push_done(
        L,
        xf_journal_accept_move(xf_check_journal(L, 1), luaL_checkstring(L, 2), luaL_checkinteger(L, 3), &err),
        &err);
}

/***
The witness outside the journal's folder, by which an old copy put back is known.
@function journal:outside
@treturn string|nil its file
@treturn[opt] string why there is none
*/
static int outside(lua_State *L)
{
    char path[XF_JOURNAL_PATH_SIZE];
    struct xf_err err;

    if (xf_journal_outside(xf_check_journal(L, 1), path, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushstring(L, path);
    return 1;
}

/***
Looks through the whole file and tries a write, which is undone.
@function journal:check
@treturn integer|nil bytes that the file system has left
@treturn[opt] string what is wrong
*/
static int check(lua_State *L)
{
    struct xf_err err;
    int64_t space;

    if (xf_journal_check(xf_check_journal(L, 1), &space, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushinteger(L, space);
    return 1;
}

/***
How many orders are in each state, of a stretch of them in the order they were placed.
@function journal:count_orders
@tparam integer after the row before the first of them; 0: the first of all
@tparam integer many how many, at most
@treturn table|nil {in_state= {intent=0, ...}, rows= (of all states), open=, last= (the row of the last one)}
@treturn[opt] string why they could not be read
*/
static int count_orders(lua_State *L)
{
    struct xf_order_counts c;
    struct xf_err err;

    if (xf_journal_count_orders(xf_check_journal(L, 1), luaL_checkinteger(L, 2),
                                (size_t)luaL_checkinteger(L, 3), &c, &err) != 0)
        return xf_push_fail(L, &err);
    lua_createtable(L, 0, 4);
    lua_createtable(L, 0, XF_ORDER_STATES);
    for (int i = 0; i < XF_ORDER_STATES; i++)
        xf_set_integer(L, xf_order_state_name((enum xf_order_state)i), c.in[i]);
    lua_setfield(L, -2, "in_state");
    xf_set_integer(L, "rows", c.rows);
    xf_set_integer(L, "open", c.open);
    xf_set_integer(L, "last", c.last);
    return 1;
}

const luaL_Reg xf_place_methods[] = {{"moved", moved}, {"accept_move", accept_move},   {"outside", outside},
                                     {"check", check}, {"count_orders", count_orders}, {NULL, NULL}};
