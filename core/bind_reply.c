/* What came back from a call: its fate, and the typed result if it was answered. */
#include <curl/curl.h>
#include <string.h>

#include "admit.h"
#include "bind_walk.h"
#include "envelope.h"
#include "fate.h"
#include "names.h"
#include "transfer.h"

enum { EXCERPT = 200, CODE_LENGTH = 6 };

/* Says what the walk's first fault is; returns -1. */
static int tell_fault(struct xf_walk *w, const char *what, struct xf_err *err)
{
    lua_State *L = w->L;

    lua_rawgeti(L, w->faults, 1);
    lua_getfield(L, -1, "path");
    lua_getfield(L, -2, "rule");
    (void)xf_fail(err, "%s: %s %s", what, lua_tostring(L, -2), lua_tostring(L, -1));
    lua_pop(L, 3);
    return -1;
}

static bool is_null(lua_State *L, int index)
{
    return lua_isnil(L, index) || (lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL);
}

/* [-0, +1, m] the result of an envelope whose code is given; -1 with err if it is not as documented */
static int push_result(struct xf_walk *w, const struct xf_endpoint *e, int envelope, bool success,
                       struct xf_err *err)
{
    lua_State *L = w->L;

    lua_getfield(L, envelope, "result");
    if (!success || (e->result->flags & XF_REQUIRED) == 0) {
        /* A failed creatCmd has its error text here (C6); explanations that nobody defines (C44). */
        if (success || lua_type(L, -1) != LUA_TSTRING) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
        return 0;
    }
    if (is_null(L, -1))
        return xf_fail(err, "the reply says success but has no result");
    xf_walk_enter(w, "result");
    xf_decode_field(w, e->result);
    xf_walk_leave(w);
    return w->count > 0 ? tell_fault(w, "the reply is not as documented", err) : 0;
}

/* [-0, +3, m] code, result and message of the envelope at index */
static int push_envelope(struct xf_walk *w, const struct xf_endpoint *e, int envelope, struct xf_err *err)
{
    lua_State *L = w->L;
    const struct xf_field code_row = {.name = "responseCode", .type = XF_STRING, .max = INT64_MAX};

    lua_getfield(L, envelope, "responseCode");
    xf_decode_field(w, &code_row); /* a number is taken for its text */
    if (lua_type(L, -1) != LUA_TSTRING || lua_rawlen(L, -1) != CODE_LENGTH ||
        strspn(lua_tostring(L, -1), "0123456789") != CODE_LENGTH)
        return xf_fail(err, "the reply has no responseCode of %d digits", CODE_LENGTH);
    if (push_result(w, e, envelope, strcmp(lua_tostring(L, -1), "100000") == 0, err) != 0)
        return -1;
    lua_getfield(L, envelope, "message");
    if (lua_type(L, -1) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushliteral(L, "");
    }
    return 0;
}

/* [-0, +3|+0, m] the short cut: success with a text that its row takes */
static bool push_plain(lua_State *L, const struct xf_endpoint *e, const char *body, size_t size)
{
    struct xf_envelope envelope;
    struct xf_scalar value;

    if (e->result->type != XF_STRING || (e->result->flags & XF_REQUIRED) == 0 ||
        !xf_envelope_read(body, size, &envelope) || envelope.code_size != CODE_LENGTH ||
        memcmp(envelope.code, "100000", CODE_LENGTH) != 0)
        return false;
    lua_pushlstring(L, envelope.code, envelope.code_size);
    lua_pushlstring(L, envelope.result, envelope.result_size);
    if (!xf_read_scalar(L, lua_gettop(L), e->result, XF_CLIENT, &value)) {
        lua_pop(L, 2);
        return false;
    }
    lua_pushliteral(L, ""); /* nobody reads the message of a success */
    return true;
}

/* [-0, +3|+0, m] code, result, message of admitted JSON; or -1 with err */
static int push_decoded(lua_State *L, const struct xf_endpoint *e, const char *body, size_t size,
                        struct xf_err *err)
{
    int top = lua_gettop(L);
    struct xf_walk w;

    if (xf_push_admitted(L, body, size) != 1) {
        (void)xf_fail(err, "the reply is %s", lua_tostring(L, top + 2));
    } else if (!lua_istable(L, -1)) {
        (void)xf_fail(err, "the reply is no JSON object");
    } else {
        xf_walk_begin(&w, L, XF_CLIENT, NULL);
        if (push_envelope(&w, e, top + 1, err) == 0) {
            lua_rotate(L, top + 1, 3);
            lua_settop(L, top + 3);
            return 0;
        }
    }
    lua_settop(L, top);
    return -1;
}

/* [-0, +3|+0, m] code, result, message of a body; or -1 with err, and *json
 * tells whether it was JSON at all */
static int read_envelope(lua_State *L, const struct xf_endpoint *e, const char *body, size_t size, bool *json,
                         struct xf_err *err)
{
    enum xf_admit verdict = xf_admit_json(body, size, XF_TEXT_MOST, XF_ADMIT_DEPTH, NULL);

    *json = verdict == XF_ADMIT_OK;
    if (!*json)
        return xf_fail(err, "the reply is no JSON: %s", xf_admit_reason(verdict));
    if (push_plain(L, e, body, size))
        return 0;
    if (!xf_names_once(body, size))
        return xf_fail(err, "the reply has a name twice and could mean two things");
    return push_decoded(L, e, body, size, err);
}

/* [-0, +1, m] what a person needs to judge a call without a clean answer */
static void push_evidence(lua_State *L, const struct xf_reply *r, const char *why)
{
    size_t size = r->size < EXCERPT ? r->size : EXCERPT;

    lua_createtable(L, 0, 12);
    lua_pushinteger(L, r->curl);
    lua_setfield(L, -2, "curl");
    lua_pushstring(L, why);
    lua_setfield(L, -2, "why");
    lua_pushboolean(L, r->released);
    lua_setfield(L, -2, "released");
    lua_pushboolean(L, r->curl == CURLE_OPERATION_TIMEDOUT);
    lua_setfield(L, -2, "timed_out");
    lua_pushinteger(L, r->status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, r->type);
    lua_setfield(L, -2, "type");
    lua_pushlstring(L, r->size > 0 ? r->body : "", size);
    lua_setfield(L, -2, "excerpt");
    lua_pushstring(L, r->address);
    lua_setfield(L, -2, "address");
    lua_pushstring(L, r->date);
    lua_setfield(L, -2, "date");
    lua_createtable(L, 0, 5);
    lua_pushnumber(L, r->name_s);
    lua_setfield(L, -2, "name");
    lua_pushnumber(L, r->connect_s);
    lua_setfield(L, -2, "connect");
    lua_pushnumber(L, r->tls_s);
    lua_setfield(L, -2, "tls");
    lua_pushnumber(L, r->first_byte_s);
    lua_setfield(L, -2, "first_byte");
    lua_pushnumber(L, r->total_s);
    lua_setfield(L, -2, "total");
    lua_setfield(L, -2, "phases");
}

/* 0 if a whole HTTP reply with status 200 is there. */
static int judge_transport(const struct xf_reply *r, struct xf_err *err)
{
    if (r->over_cap)
        return xf_fail(err, "the reply is longer than the cap");
    if (r->curl != 0)
        return xf_fail(err, "%s", r->why[0] != '\0' ? r->why : curl_easy_strerror((CURLcode)r->curl));
    if (r->status != 200)
        return xf_fail(err, "the HTTP status is %ld, not 200", r->status);
    return 0;
}

/***
Ends a call that is done and lets go of it.
@function finish
@param call from start()
@param operation
@treturn string fate: "answered", "not sent" or "unknown"
@treturn string|table the return code; or the evidence
@treturn any the result (answered)
@treturn string the platform's message (answered)
@treturn[opt] string the reply's Date (answered)
*/
static int finish(lua_State *L)
{
    struct xf_transfer *x = lua_touserdata(L, 1);
    const struct xf_endpoint *e = lua_touserdata(L, 2);
    const struct xf_reply *r;
    struct xf_evidence evidence;
    enum xf_fate fate;
    struct xf_err err;

    luaL_argcheck(L, lua_islightuserdata(L, 1), 1, "a call expected");
    luaL_argcheck(L, lua_islightuserdata(L, 2), 2, "an operation expected");
    lua_settop(L, 2);
    r = xf_transfer_reply(x);
    evidence = (struct xf_evidence){.released = r->released, .curl = r->curl, .status = r->status};
    evidence.envelope =
        judge_transport(r, &err) == 0 && read_envelope(L, e, r->body, r->size, &evidence.json, &err) == 0;
    fate = xf_decide_fate(&evidence);
    lua_pushstring(L, xf_fate_name(fate));
    if (fate == XF_FATE_ANSWERED) {
        lua_insert(L, -4);
        lua_pushstring(L, r->date[0] != '\0' ? r->date : NULL);
        xf_transfer_free(x);
        return 5;
    }
    push_evidence(L, r, err.message);
    xf_transfer_free(x);
    return 2;
}

/***
The time that an HTTP date says.
@function http_date
@tparam string text "Thu, 26 Nov 2026 08:49:37 GMT"
@treturn integer|nil seconds since 1970 UTC
*/
static int http_date(lua_State *L)
{
    time_t at = curl_getdate(luaL_checkstring(L, 1), NULL);

    if (at < 0)
        luaL_pushfail(L);
    else
        lua_pushinteger(L, (lua_Integer)at);
    return 1;
}

/***
Lets go of a call without looking at its reply.
@function abandon
@param call
*/
static int abandon(lua_State *L)
{
    luaL_argcheck(L, lua_islightuserdata(L, 1), 1, "a call expected");
    xf_transfer_free(lua_touserdata(L, 1));
    return 0;
}

/***
Reads a reply's body as the client does.
@function read_reply
@tparam string name the operation
@tparam string body
@treturn table|nil {code=, result=, message=}
@treturn[opt] string what is wrong
*/
static int read_reply(lua_State *L)
{
    const struct xf_endpoint *e = xf_find_endpoint(luaL_checkstring(L, 1));
    struct xf_err err;
    const char *body;
    size_t size;
    bool json;

    if (e == NULL)
        return luaL_argerror(L, 1, "no such operation");
    body = luaL_checklstring(L, 2, &size);
    if (read_envelope(L, e, body, size, &json, &err) != 0)
        return xf_push_fail(L, &err);
    lua_createtable(L, 0, 3);
    lua_insert(L, -4);
    lua_setfield(L, -4, "message");
    lua_setfield(L, -3, "result");
    lua_setfield(L, -2, "code");
    return 1;
}

/***
Reads the body of a push: a list of typed messages.
@function read_push
@tparam string name push.reportData or push.commandResponse
@tparam string body
@treturn table|nil messages
@treturn[opt] string what is wrong
*/
static int read_push(lua_State *L)
{
    const struct xf_push *p = xf_find_push(luaL_checkstring(L, 1));
    struct xf_field row = {.name = "messages", .type = XF_LIST, .max = INT64_MAX};
    const char *body;
    struct xf_err err;
    struct xf_walk w;
    size_t size;

    if (p == NULL)
        return luaL_argerror(L, 1, "no such push");
    body = luaL_checklstring(L, 2, &size);
    if (xf_push_decoded(L, body, size, XF_TEXT_MOST) != 1) {
        lua_pop(L, 1); /* where */
        return 2;
    }
    if (body[strspn(body, " \t\r\n")] != '[') {
        (void)xf_fail(&err, "the push is no list of messages");
        return xf_push_fail(L, &err);
    }
    xf_walk_begin(&w, L, XF_CLIENT, NULL);
    lua_insert(L, -2);
    w.faults = lua_gettop(L) - 1;
    row.shape = p->message;
    xf_decode_field(&w, &row);
    if (w.count == 0)
        return 1;
    (void)tell_fault(&w, "the push is not as documented", &err);
    return xf_push_fail(L, &err);
}

/***
Types the detail of a command's result by the rows of that command.
@function read_result
@tparam string id the variant, RECHARGE_REMOTE
@tparam table detail resultDetail or callbackData
@treturn table|nil detail
@treturn[opt] string what is wrong
*/
static int read_result(lua_State *L)
{
    const struct xf_command *c = xf_find_command_id(luaL_checkstring(L, 1));
    struct xf_err err;
    struct xf_walk w;

    if (c == NULL)
        return luaL_argerror(L, 1, "no such command");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    xf_walk_begin(&w, L, XF_CLIENT, NULL);
    xf_decode_shape(&w, c->result, 2);
    if (w.count > 0) {
        (void)tell_fault(&w, "the result is not as documented", &err);
        return xf_push_fail(L, &err);
    }
    lua_pushvalue(L, 2);
    return 1;
}

void xf_add_reply(lua_State *L, int core)
{
    static const luaL_Reg functions[] = {{"finish", finish},
                                         {"abandon", abandon},
                                         {"http_date", http_date},
                                         {"read_reply", read_reply},
                                         {"read_push", read_push},
                                         {"read_result", read_result},
                                         {NULL, NULL}};

    xf_set_functions(L, core, functions);
}
