/* Reading runs, for Lua. */
#include "bind_journal.h"
#include "journal_run.h"

/* A failure as nil and why; what was read and is not Lua's is freed. */
static int give_up(lua_State *L, struct xf_found *found, const struct xf_err *err)
{
    xf_found_empty(found);
    return xf_push_fail(L, err);
}

static const char *owner_name(enum xf_owner owner)
{
    switch (owner) {
    case XF_OWNER_SELF:
        return "self";
    case XF_OWNER_NEAR:
        return "near";
    case XF_OWNER_ALIVE:
        return "alive";
    case XF_OWNER_UNSEEN:
        return "unseen";
    case XF_OWNER_GONE:
    default:
        return "gone";
    }
}

/* [-0, +1, m] */
static void push_run(lua_State *L, const struct xf_journal *j, const struct xf_run *r)
{
    lua_createtable(L, 0, 21);
    xf_set_integer(L, "id", r->id);
    xf_set_text(L, "workflow", r->workflow);
    xf_set_text(L, "company_code", r->company_code);
    xf_set_text(L, "key", r->key);
    xf_set_text(L, "script", r->script);
    xf_set_text(L, "hash", r->hash);
    xf_set_text(L, "args", r->args);
    xf_set_text(L, "state", xf_run_state_name(r->state));
    xf_set_text(L, "step", r->step);
    xf_set_text(L, "waiting_for", r->waiting_for);
    xf_set_text(L, "order", r->order);
    xf_set_text(L, "result", r->result);
    xf_set_text(L, "error", r->error);
    xf_set_text(L, "owner", owner_name(xf_journal_run_owner(j, r)));
    if (r->campaign != 0)
        xf_set_integer(L, "campaign", r->campaign);
    if (r->wake_at != 0)
        xf_set_integer(L, "wake_at", r->wake_at);
    xf_set_integer(L, "token", r->token);
    xf_set_integer(L, "created_at", r->created_at);
    xf_set_integer(L, "updated_at", r->updated_at);
    lua_pushboolean(L, r->restricted);
    lua_setfield(L, -2, "restricted");
}

/* [-0, +1, m] the runs that were found, which are freed */
static int push_runs(lua_State *L, const struct xf_journal *j, struct xf_found *found)
{
    lua_createtable(L, (int)found->runs.count, 0);
    for (size_t i = 0; i < found->runs.count; i++) {
        push_run(L, j, &found->runs.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

/* [-0, +1|+2, m] the one run that was found, or nil */
static int push_one(lua_State *L, const struct xf_journal *j, struct xf_found *found, int count,
                    const struct xf_err *err)
{
    if (count < 0)
        return give_up(L, found, err);
    if (count > 0)
        push_run(L, j, &found->runs.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

static int find_state(const char *name)
{
    enum xf_run_state state;

    return xf_run_state_find(name, &state) ? (int)state : -1;
}

/***
A page of runs, oldest first.
@function journal:run_list
@tparam[opt] table filter {states={"waiting"}, workflow=, campaign=, since=, after=, limit=}; after: the `id` of the
last one seen
@treturn table|nil list of {id=, workflow=, company_code=, key=, campaign=, script=, hash=, args=, state=, step=,
waiting_for=, order=, wake_at=, result=, error=, owner="self"|"near"|"alive"|"gone"|"unseen", token=, created_at=,
updated_at=, restricted=}; what there is not is nil
@treturn[opt] string why it could not be read
*/
static int list(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_run_filter f = {0};
    struct xf_found *found;
    struct xf_err err;

    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        f.workflow = xf_text_member(L, 2, "workflow");
        f.campaign = xf_integer_member(L, 2, "campaign", 0);
        f.since = xf_integer_member(L, 2, "since", 0);
        f.after = xf_integer_member(L, 2, "after", 0);
        f.limit = (size_t)xf_integer_member(L, 2, "limit", 0);
        f.states = xf_states_member(L, 2, find_state);
    }
    found = xf_push_found(L);
    if (xf_journal_list_runs(j, &f, &found->runs, &err) != 0)
        return give_up(L, found, &err);
    return push_runs(L, j, found);
}

/***
Runs whose time has come, and those of other owners, who may be gone.
@function journal:run_due
@tparam integer now seconds since 1970 UTC
@tparam[opt] integer campaign 0: of any, and none
@tparam[opt] integer after
@tparam[opt] integer limit
@treturn table|nil see run_list
@treturn[opt] string why it could not be read
*/
static int due(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t now = luaL_checkinteger(L, 2), of = luaL_optinteger(L, 3, 0), after = luaL_optinteger(L, 4, 0);
    size_t limit = (size_t)luaL_optinteger(L, 5, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_due_runs(j, now, of, after, limit, &found->runs, &err) != 0)
        return give_up(L, found, &err);
    return push_runs(L, j, found);
}

/***
One run, or nil.
@function journal:run_find
@tparam integer id
@treturn table|nil see run_list
@treturn[opt] string why it could not be read
*/
static int find(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t id = luaL_checkinteger(L, 2);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_find_run(j, id, &found->runs, &err);

    return push_one(L, j, found, count, &err);
}

/***
The id of a campaign that has been begun, or nil.
@function journal:run_find_campaign
@tparam string workflow
@tparam string file
@tparam string constants JSON
@treturn integer|nil
@treturn[opt] string why it could not be read
*/
static int find_campaign(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t id = 0;
    struct xf_err err;
    int found = xf_journal_find_campaign(j, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                                         luaL_checkstring(L, 4), &id, &err);

    if (found < 0)
        return xf_push_fail(L, &err);
    if (found == 1)
        lua_pushinteger(L, id);
    else
        lua_pushnil(L);
    return 1;
}

/***
The newest run of a row of a campaign, or nil.
@function journal:run_find_row
@tparam integer campaign
@tparam string key
@treturn table|nil see run_list
@treturn[opt] string why it could not be read
*/
static int find_row(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t of = luaL_checkinteger(L, 2);
    const char *key = luaL_checkstring(L, 3);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_find_row(j, of, key, &found->runs, &err);

    return push_one(L, j, found, count, &err);
}

/***
A run of no campaign that has not ended and was asked for the same, or nil.
@function journal:run_find_same
@tparam string workflow
@tparam string company_code
@tparam string args
@treturn table|nil see run_list
@treturn[opt] string why it could not be read
*/
static int find_same(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *workflow = luaL_checkstring(L, 2), *company = luaL_checkstring(L, 3);
    const char *args = luaL_checkstring(L, 4);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_find_same(j, workflow, company, args, &found->runs, &err);

    return push_one(L, j, found, count, &err);
}

/***
Whether a restricted run of a script has not ended.
@function journal:run_is_restricted
@tparam string script its file
@treturn boolean|nil
@treturn[opt] string why it could not be read
*/
static int is_restricted(lua_State *L)
{
    struct xf_err err;
    int found = xf_journal_is_restricted(xf_check_journal(L, 1), luaL_checkstring(L, 2), &err);

    if (found < 0)
        return xf_push_fail(L, &err);
    lua_pushboolean(L, found);
    return 1;
}

/***
How many rows of a campaign are in each state, by their newest runs.
@function journal:run_counts
@tparam integer campaign
@treturn table|nil state -> count
@treturn[opt] string why it could not be read
*/
static int counts(lua_State *L)
{
    int64_t c[XF_RUN_STATES];
    struct xf_err err;

    if (xf_journal_count_runs(xf_check_journal(L, 1), luaL_checkinteger(L, 2), c, &err) != 0)
        return xf_push_fail(L, &err);
    lua_createtable(L, 0, XF_RUN_STATES);
    for (int i = 0; i < XF_RUN_STATES; i++)
        xf_set_integer(L, xf_run_state_name((enum xf_run_state)i), c[i]);
    return 1;
}

/***
A page of the steps of a run, in order.
@function journal:run_steps
@tparam integer id
@tparam[opt] integer after the `seq` of the last one seen
@treturn table|nil list of {seq=, name=, line=, state=, handle=, value=, token=, began_at=, ended_at=}
@treturn[opt] string why it could not be read
*/
static int steps(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t id = luaL_checkinteger(L, 2), after = luaL_optinteger(L, 3, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_steps(j, id, after, &found->steps, &err) != 0)
        return give_up(L, found, &err);
    lua_createtable(L, (int)found->steps.count, 0);
    for (size_t i = 0; i < found->steps.count; i++) {
        const struct xf_run_event *e = &found->steps.rows[i];

        lua_createtable(L, 0, 9);
        xf_set_integer(L, "seq", e->seq);
        xf_set_integer(L, "token", e->token);
        xf_set_text(L, "name", e->name);
        xf_set_text(L, "line", e->line);
        xf_set_text(L, "state", e->state);
        xf_set_text(L, "handle", e->handle);
        xf_set_text(L, "value", e->value);
        xf_set_integer(L, "began_at", e->began_at);
        if (e->ended_at != 0)
            xf_set_integer(L, "ended_at", e->ended_at);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

const luaL_Reg xf_run_find_methods[] = {{"run_list", list},
                                        {"run_due", due},
                                        {"run_find", find},
                                        {"run_find_row", find_row},
                                        {"run_find_same", find_same},
                                        {"run_counts", counts},
                                        {"run_is_restricted", is_restricted},
                                        {"run_steps", steps},
                                        {"run_find_campaign", find_campaign},
                                        {NULL, NULL}};
