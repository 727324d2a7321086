/* The journal for Lua: opening, batches, meters. Orders are in bind_order.c, pushes in bind_push.c. */
#include "bind_journal.h"

#include <stdlib.h>

#define XF_FOUND_TYPE "xfiot.found"

enum { UV_CORE = 1, UV_COUNT = UV_CORE };

struct xf_journal *xf_check_journal(lua_State *L, int index)
{
    struct xf_journal **box = luaL_checkudata(L, index, XF_JOURNAL_TYPE);

    if (*box == NULL)
        luaL_argerror(L, index, "the journal is closed");
    return *box;
}

const char *xf_text_member(lua_State *L, int index, const char *name)
{
    const char *s = NULL;

    if (lua_getfield(L, index, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "%s must be text", name);
        s = lua_tostring(L, -1);
    }
    lua_pop(L, 1);
    return s;
}

lua_Integer xf_integer_member(lua_State *L, int index, const char *name, lua_Integer fallback)
{
    lua_Integer n = fallback;
    int is_integer = 1;

    if (lua_getfield(L, index, name) != LUA_TNIL)
        n = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    if (!is_integer)
        luaL_error(L, "%s must be an integer", name);
    return n;
}

unsigned xf_states_member(lua_State *L, int index, int (*find)(const char *name))
{
    unsigned states = 0;

    if (lua_getfield(L, index, "states") == LUA_TTABLE) {
        for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, -1); i++) {
            int state = lua_rawgeti(L, -1, i) == LUA_TSTRING ? find(lua_tostring(L, -1)) : -1;

            if (state < 0)
                return (unsigned)luaL_argerror(L, index, "no such state"); /* which does not return */
            states |= 1u << (unsigned)state;
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return states;
}

void xf_set_text(lua_State *L, const char *name, const char *text)
{
    if (text == NULL)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

void xf_set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

struct xf_found *xf_push_found(lua_State *L)
{
    struct xf_found *f;

    xf_push_core_value(L, XF_UV_FOUND);
    f = lua_touserdata(L, -1);
    xf_found_empty(f);
    return f;
}

void xf_found_empty(struct xf_found *f)
{
    xf_orders_free(&f->orders);
    xf_history_free(&f->history);
    xf_devices_free(&f->devices);
    xf_pushes_free(&f->pushes);
    xf_push_history_free(&f->decisions);
    xf_sightings_free(&f->sightings);
    xf_runs_free(&f->runs);
    xf_run_steps_free(&f->steps);
    xf_ledgers_free(&f->ledgers);
    xf_readings_free(&f->readings);
    xf_ledger_entries_free(&f->entries);
    free(f->text);
    f->text = NULL;
}

static int found_gc(lua_State *L)
{
    xf_found_empty(luaL_checkudata(L, 1, XF_FOUND_TYPE));
    return 0;
}

static void add_found(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"__gc", found_gc}, {NULL, NULL}};
    struct xf_found *found;

    xf_new_type(L, core, XF_FOUND_TYPE, methods);
    found = lua_newuserdatauv(L, sizeof *found, 0);
    *found = (struct xf_found){.text = NULL};
    luaL_setmetatable(L, XF_FOUND_TYPE);
    lua_setiuservalue(L, core, XF_UV_FOUND);
}

static int journal_close(lua_State *L)
{
    struct xf_journal **box = luaL_checkudata(L, 1, XF_JOURNAL_TYPE);

    xf_journal_close(*box);
    *box = NULL;
    return 0;
}

static int journal_tostring(lua_State *L)
{
    lua_pushliteral(L, XF_JOURNAL_TYPE);
    return 1;
}

int xf_push_done(lua_State *L, int result, const struct xf_err *err)
{
    if (result != 0)
        return xf_push_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

/***
Begins a batch: several operations, one commit.
@function journal:begin
@treturn boolean|nil
@treturn[opt] string why not
*/
static int journal_begin(lua_State *L)
{
    struct xf_err err;

    return xf_push_done(L, xf_journal_begin(xf_check_journal(L, 1), &err), &err);
}

/***
Commits the batch: true and all of it is on disk, or nil and none of it is.
@function journal:commit
@treturn boolean|nil
@treturn[opt] string why not
*/
static int journal_commit(lua_State *L)
{
    struct xf_err err;

    return xf_push_done(L, xf_journal_commit(xf_check_journal(L, 1), &err), &err);
}

/***
Undoes the batch, if there is one.
@function journal:rollback
*/
static int journal_rollback(lua_State *L)
{
    xf_journal_rollback(xf_check_journal(L, 1));
    return 0;
}

/***
Numbers of bills up to this one were used elsewhere; the meter's mark only rises.
@function journal:lift_bill
@tparam string company_code
@tparam string device_no
@tparam integer bill_no
@treturn boolean|nil
@treturn[opt] string why not
*/
static int journal_lift_bill(lua_State *L)
{
    struct xf_err err;

    return xf_push_done(L,
                        xf_journal_lift_bill(xf_check_journal(L, 1), luaL_checkstring(L, 2),
                                             luaL_checkstring(L, 3), (int)luaL_checkinteger(L, 4), &err),
                        &err);
}

/***
Whether an I/O error has put it out of use until it is opened again.
@function journal:broken
@treturn boolean
*/
static int journal_broken(lua_State *L)
{
    lua_pushboolean(L, xf_journal_broken(xf_check_journal(L, 1)));
    return 1;
}

/***
Remembers what is known of a meter; what is not given stays as it is.
@function journal:remember
@tparam table device {company_code=, device_no=, device_id=, charge_type=, report=, report_time=, updated_at=}
@treturn boolean|nil
@treturn[opt] string why not
*/
static int journal_remember(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_device d = {0};
    struct xf_err err;

    luaL_checktype(L, 2, LUA_TTABLE);
    d.company_code = xf_text_member(L, 2, "company_code");
    d.device_no = xf_text_member(L, 2, "device_no");
    d.device_id = xf_text_member(L, 2, "device_id");
    d.charge_type = xf_text_member(L, 2, "charge_type");
    d.report = xf_text_member(L, 2, "report");
    d.report_time = xf_text_member(L, 2, "report_time");
    d.updated_at = xf_integer_member(L, 2, "updated_at", 0);
    luaL_argcheck(L, d.company_code != NULL && d.device_no != NULL, 2, "company_code and device_no expected");
    return xf_push_done(L, xf_journal_remember_device(j, &d, &err), &err);
}

/***
What is known of a meter.
@function journal:recall
@tparam string company_code
@tparam string device_no
@treturn table|nil as remember() takes it, and bill_mark; nil: nothing
@treturn[opt] string why it could not be read
*/
static int journal_recall(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *company = luaL_checkstring(L, 2), *number = luaL_checkstring(L, 3);
    struct xf_found *found = xf_push_found(L);
    const struct xf_device *d;
    struct xf_err err;
    int count = xf_journal_recall_device(j, company, number, &found->devices, &err);

    if (count <= 0) {
        xf_found_empty(found);
        if (count < 0)
            return xf_push_fail(L, &err);
        lua_pushnil(L);
        return 1;
    }
    d = &found->devices.rows[0];
    lua_createtable(L, 0, 9);
    xf_set_text(L, "company_code", d->company_code);
    xf_set_text(L, "device_no", d->device_no);
    xf_set_text(L, "device_id", d->device_id);
    xf_set_text(L, "charge_type", d->charge_type);
    xf_set_text(L, "report", d->report);
    xf_set_text(L, "report_time", d->report_time);
    xf_set_integer(L, "bill_mark", d->bill_mark);
    xf_set_integer(L, "updated_at", d->updated_at);
    xf_found_empty(found);
    return 1;
}

/***
Opens a journal, making it if it is missing.
@function journal
@tparam[opt] string path default: in the user's data folder
@tparam[opt] table options {read_only=, busy_ms=}
@treturn journal|nil
@treturn[opt] string why not
@treturn[opt] boolean read_only: nothing was ever written to it
*/
static int journal(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    struct xf_journal_options o = {0};
    char standard[XF_JOURNAL_PATH_SIZE];
    struct xf_journal **box;
    bool blank = false;
    struct xf_err err;

    o.blank = &blank;
    lua_settop(L, 2);
    if (lua_istable(L, 2)) {
        o.busy_ms = (int)xf_integer_member(L, 2, "busy_ms", 0);
        lua_getfield(L, 2, "read_only");
        o.read_only = lua_toboolean(L, -1);
    }
    if (path == NULL) {
        if (xf_journal_default_path(standard, &err) != 0)
            return xf_push_fail(L, &err);
        path = standard;
    }
    box = lua_newuserdatauv(L, sizeof *box, UV_COUNT);
    *box = NULL;
    luaL_setmetatable(L, XF_JOURNAL_TYPE);
    *box = xf_journal_open(path, &o, &err);
    if (*box == NULL) {
        (void)xf_push_fail(L, &err);
        lua_pushboolean(L, blank);
        return 3;
    }
    return 1;
}

/***
Whether there is a file for a journal.
@function journal_probe
@tparam string path
@treturn boolean|nil false: nothing is there yet; nil: one cannot tell, or it is no file
@treturn[opt] string why not
*/
static int journal_probe(lua_State *L)
{
    struct xf_err err;
    int there = xf_journal_probe(luaL_checkstring(L, 1), &err);

    if (there < 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, there);
    return 1;
}

/***
Where the journal is unless a setting says otherwise.
@function journal_path
@treturn string|nil
@treturn[opt] string why there is no such place
*/
static int journal_path(lua_State *L)
{
    char path[XF_JOURNAL_PATH_SIZE];
    struct xf_err err;

    if (xf_journal_default_path(path, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushstring(L, path);
    return 1;
}

void xf_add_journal(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {
        {"begin", journal_begin},         {"commit", journal_commit},       {"rollback", journal_rollback},
        {"broken", journal_broken},       {"remember", journal_remember},   {"recall", journal_recall},
        {"lift_bill", journal_lift_bill}, {"close", journal_close},         {"__gc", journal_close},
        {"__close", journal_close},       {"__tostring", journal_tostring}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"journal", journal}, {"journal_path", journal_path}, {"journal_probe", journal_probe}, {NULL, NULL}};

    add_found(L, core);
    xf_new_type(L, core, XF_JOURNAL_TYPE, methods);
    (void)luaL_getmetatable(L, XF_JOURNAL_TYPE);
    xf_set_functions(L, core, xf_place_methods);
    xf_set_functions(L, core, xf_order_methods);
    xf_set_functions(L, core, xf_inbox_methods);
    xf_set_functions(L, core, xf_sighting_methods);
    xf_set_functions(L, core, xf_run_methods);
    xf_set_functions(L, core, xf_run_find_methods);
    xf_set_functions(L, core, xf_ledger_methods);
    lua_pop(L, 1);
    xf_set_functions(L, core, functions);
}
