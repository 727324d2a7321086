/* Runs for Lua, as methods of the journal; reading them is in bind_run_find.c. */
#include "bind_journal.h"
#include "journal_run.h"

/* [-0, +1|+2, m] whether it was done; or nil and why */
static int push_changed(lua_State *L, int changed, const struct xf_err *err)
{
    if (changed < 0)
        return xf_push_fail(L, err);
    lua_pushboolean(L, changed);
    return 1;
}

static const char *need_text(lua_State *L, const char *name)
{
    const char *text = xf_text_member(L, 2, name);

    if (text == NULL)
        luaL_error(L, "%s is missing", name);
    return text;
}

static bool flag_member(lua_State *L, const char *name)
{
    bool set;

    lua_getfield(L, 2, name);
    set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

/***
The id of a campaign: a workflow, a file of rows, and the values that all rows share.
@function journal:run_campaign
@tparam table campaign {workflow=, file=, constants= (JSON), at=}
@treturn integer|nil
@treturn[opt] string why it could not be written
*/
static int campaign(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_err err;
    int64_t id = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    if (xf_journal_campaign(j, need_text(L, "workflow"), need_text(L, "file"), need_text(L, "constants"),
                            xf_integer_member(L, 2, "at", 0), &id, &err) != 0)
        return xf_push_fail(L, &err);
    lua_pushinteger(L, id);
    return 1;
}

/***
Begins a run, owned by this journal under token 1.
@function journal:run_start
@tparam table run {workflow=, company_code=, campaign=, key=, newest=, script=, hash=, args= (JSON), restricted=, at=}
@treturn integer|boolean|nil its id; false: there is one that has not ended, or a newer one than `newest`
@treturn[opt] string|integer why it could not be written; or the other's id
*/
static int start(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_run_start s = {0};
    struct xf_err err;
    int64_t id = 0;
    int started;

    luaL_checktype(L, 2, LUA_TTABLE);
    s.workflow = need_text(L, "workflow");
    s.company_code = need_text(L, "company_code");
    s.campaign = xf_integer_member(L, 2, "campaign", 0);
    s.key = xf_text_member(L, 2, "key");
    s.newest = xf_integer_member(L, 2, "newest", 0);
    s.script = need_text(L, "script");
    s.hash = need_text(L, "hash");
    s.args = need_text(L, "args");
    s.restricted = flag_member(L, "restricted");
    s.at = xf_integer_member(L, 2, "at", 0);
    started = xf_journal_start_run(j, &s, &id, &err);
    if (started < 0)
        return xf_push_fail(L, &err);
    if (started == 0)
        lua_pushboolean(L, 0);
    lua_pushinteger(L, id);
    return started == 0 ? 2 : 1;
}

/***
Makes this journal the owner of a run.
@function journal:run_claim
@tparam table claim {run=, script=, hash=, restricted=, at=, by_force=}
@treturn string|nil claimed, absent, ended, held
@treturn integer|string the token to write with; or why it could not be written
*/
static int claim(lua_State *L)
{
    static const char *const names[] = {[XF_CLAIMED] = "claimed",
                                        [XF_CLAIM_ABSENT] = "absent",
                                        [XF_CLAIM_ENDED] = "ended",
                                        [XF_CLAIM_HELD] = "held"};
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_claim c = {0};
    enum xf_claimed result;
    struct xf_err err;
    int64_t token = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    c.run = xf_integer_member(L, 2, "run", 0);
    c.script = xf_text_member(L, 2, "script");
    c.hash = xf_text_member(L, 2, "hash");
    c.at = xf_integer_member(L, 2, "at", 0);
    c.by_force = flag_member(L, "by_force");
    c.restricted = flag_member(L, "restricted");
    luaL_argcheck(L, (c.script == NULL) == (c.hash == NULL), 2, "a script has a hash");
    result = xf_journal_claim_run(j, &c, &token, &err);
    if (result == XF_CLAIM_FAILED)
        return xf_push_fail(L, &err);
    lua_pushstring(L, names[result]);
    lua_pushinteger(L, token);
    return 2;
}

static struct xf_run_step read_step(lua_State *L)
{
    struct xf_run_step s = {0};

    luaL_checktype(L, 2, LUA_TTABLE);
    s.run = xf_integer_member(L, 2, "run", 0);
    s.token = xf_integer_member(L, 2, "token", 0);
    s.seq = (int)xf_integer_member(L, 2, "seq", 0);
    s.name = xf_text_member(L, 2, "name");
    s.line = xf_text_member(L, 2, "line");
    s.state = need_text(L, "state");
    s.handle = xf_text_member(L, 2, "handle");
    s.value = xf_text_member(L, 2, "value");
    s.at = xf_integer_member(L, 2, "at", 0);
    return s;
}

/***
Writes the next step of a run.
@function journal:run_step
@tparam table step {run=, token=, seq=, name=, line=, state="begun"|"done"|"failed", handle=, value= (JSON), at=}
@treturn boolean|nil false: the run is not ours any more
@treturn[opt] string why it could not be written
*/
static int add_step(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_run_step s = read_step(L);
    struct xf_err err;

    luaL_argcheck(L, s.name != NULL, 2, "a step has a name");
    return push_changed(L, xf_journal_add_step(j, &s, &err), &err);
}

/***
Says how the last step of a run stands.
@function journal:run_step_change
@tparam table step see run_step; name and line stay, handle too if it is nil
@treturn boolean|nil false: the run is not ours any more
@treturn[opt] string why it could not be written
*/
static int change_step(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_run_step s = read_step(L);
    struct xf_err err;

    return push_changed(L, xf_journal_change_step(j, &s, &err), &err);
}

/***
Says how far a run has come; nobody owns it then.
@function journal:run_rest
@tparam table rest {run=, token=, to=, step=, waiting_for=, order=, device_id=, wake_at=, result=, result_step=, error=,
at=}
@treturn boolean|nil false: the run is not ours any more
@treturn[opt] string why it could not be written
*/
static int rest(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_run_rest r = {0};
    const char *to;
    struct xf_err err;

    luaL_checktype(L, 2, LUA_TTABLE);
    r.run = xf_integer_member(L, 2, "run", 0);
    r.token = xf_integer_member(L, 2, "token", 0);
    to = need_text(L, "to");
    r.step = xf_text_member(L, 2, "step");
    r.waiting_for = xf_text_member(L, 2, "waiting_for");
    r.order = xf_text_member(L, 2, "order");
    r.device_id = xf_text_member(L, 2, "device_id");
    r.wake_at = xf_integer_member(L, 2, "wake_at", 0);
    r.result = xf_text_member(L, 2, "result");
    r.result_step = (int)xf_integer_member(L, 2, "result_step", 0);
    r.error = xf_text_member(L, 2, "error");
    r.at = xf_integer_member(L, 2, "at", 0);
    luaL_argcheck(L, xf_run_state_find(to, &r.to), 2, "no such state");
    return push_changed(L, xf_journal_rest_run(j, &r, &err), &err);
}

/***
Ends a run by a person's word.
@function journal:run_cancel
@tparam integer id
@tparam string by JSON that tells who and why
@tparam integer at seconds since 1970 UTC
@treturn boolean|nil false: there is none, it has ended, or a process works on it
@treturn[opt] string why it could not be written
*/
static int cancel(lua_State *L)
{
    struct xf_err err;

    return push_changed(L,
                        xf_journal_cancel_run(xf_check_journal(L, 1), luaL_checkinteger(L, 2),
                                              luaL_checkstring(L, 3), luaL_checkinteger(L, 4), &err),
                        &err);
}

const luaL_Reg xf_run_methods[] = {
    {"run_campaign", campaign},       {"run_start", start}, {"run_claim", claim},   {"run_step", add_step},
    {"run_step_change", change_step}, {"run_rest", rest},   {"run_cancel", cancel}, {NULL, NULL}};
