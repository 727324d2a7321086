/* What devices have let be known of themselves, for Lua. */
#include "bind_journal.h"
#include "journal_sighting.h"

/***
Remembers what came of a device; what is not given, and what is older than what is known, stays. How often it reports
is learned from when reports come.
@function journal:see
@tparam table sighting {device_id=, device_no=, report=, report_time=, alarm=, alarm_time=, seen_at=}
@treturn boolean|nil
@treturn[opt] string why not
*/
static int see(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_sighting s = {0};
    struct xf_err err;

    luaL_checktype(L, 2, LUA_TTABLE);
    s.device_id = xf_text_member(L, 2, "device_id");
    s.device_no = xf_text_member(L, 2, "device_no");
    s.report = xf_text_member(L, 2, "report");
    s.report_time = xf_text_member(L, 2, "report_time");
    s.alarm = xf_text_member(L, 2, "alarm");
    s.alarm_time = xf_text_member(L, 2, "alarm_time");
    s.seen_at = xf_integer_member(L, 2, "seen_at", 0);
    luaL_argcheck(L, s.device_id != NULL && s.seen_at > 0, 2, "device_id and seen_at expected");
    return xf_push_done(L, xf_journal_see(j, &s, &err), &err);
}

/***
Remembers that a silent device's report was asked for.
@function journal:asked
@tparam string device_id
@tparam integer at seconds since 1970 UTC
@treturn boolean|nil
@treturn[opt] string why not
*/
static int asked(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    struct xf_err err;

    return xf_push_done(L, xf_journal_asked(j, luaL_checkstring(L, 2), luaL_checkinteger(L, 3), &err), &err);
}

static void set_time(lua_State *L, const char *name, int64_t at)
{
    if (at != 0)
        xf_set_integer(L, name, at);
}

/* [-0, +1, m] */
static void push_sighting(lua_State *L, const struct xf_sighting *s)
{
    lua_createtable(L, 0, 10);
    xf_set_text(L, "device_id", s->device_id);
    xf_set_text(L, "device_no", s->device_no);
    xf_set_text(L, "report", s->report);
    xf_set_text(L, "report_time", s->report_time);
    xf_set_text(L, "alarm", s->alarm);
    xf_set_text(L, "alarm_time", s->alarm_time);
    set_time(L, "seen_at", s->seen_at);
    set_time(L, "reported_at", s->reported_at);
    set_time(L, "rhythm", s->rhythm);
    set_time(L, "asked_at", s->asked_at);
}

/***
What is known of a device by its pushes and reports.
@function journal:sighting
@tparam string device_id
@treturn table|nil {device_id=, device_no=, report=, report_time=, alarm=, alarm_time=, seen_at=, reported_at=,
rhythm= (s), asked_at=}; what there is not is nil
@treturn[opt] string why it could not be read
*/
static int sighting(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    const char *device_id = luaL_checkstring(L, 2);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;
    int count = xf_journal_recall_sighting(j, device_id, &found->sightings, &err);

    if (count < 0) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    if (count > 0)
        push_sighting(L, &found->sightings.rows[0]);
    else
        lua_pushnil(L);
    xf_found_empty(found);
    return 1;
}

/***
A page of the devices that should have reported and have not, by device_id.
@function journal:silent
@tparam integer now seconds since 1970 UTC
@tparam[opt] integer every seconds within which each owes a report; nil: twice its rhythm and an hour
@tparam[opt] string after the device_id of the last one seen
@tparam[opt] integer limit
@treturn table|nil list, see sighting
@treturn[opt] string why it could not be read
*/
static int silent(lua_State *L)
{
    struct xf_journal *j = xf_check_journal(L, 1);
    int64_t now = luaL_checkinteger(L, 2), every = luaL_optinteger(L, 3, 0);
    const char *after = luaL_optstring(L, 4, NULL);
    size_t limit = (size_t)luaL_optinteger(L, 5, 0);
    struct xf_found *found = xf_push_found(L);
    struct xf_err err;

    if (xf_journal_list_silent(j, now, every, after, limit, &found->sightings, &err) != 0) {
        xf_found_empty(found);
        return xf_push_fail(L, &err);
    }
    lua_createtable(L, (int)found->sightings.count, 0);
    for (size_t i = 0; i < found->sightings.count; i++) {
        push_sighting(L, &found->sightings.rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    xf_found_empty(found);
    return 1;
}

const luaL_Reg xf_sighting_methods[] = {
    {"see", see}, {"asked", asked}, {"sighting", sighting}, {"silent", silent}, {NULL, NULL}};
