/*
 * Sending an order: the frozen body, signed, with `sent` on disk after the
 * connection is up and before the first byte leaves.
 */
#include <string.h>
#include <time.h>

#include "bind_journal.h"
#include "contract.h"
#include "transfer.h"

#define XF_SENDING_TYPE "xfiot.sending"

enum { UV_JOURNAL = 1, UV_COUNT = UV_JOURNAL };

/* What the release callback needs; it runs inside libcurl, where no Lua may.
 * While its order waits for `sent`, it is in the core's list. */
struct xf_sending {
    struct xf_core *core;
    struct xf_sending *next, **place; /* place: what points at it; NULL: not in the list */
    struct xf_journal *journal;
    const struct xf_transfer *transfer;
    const char *order, *evidence; /* behind the struct; evidence: for the line of `sent`, or NULL */
    int64_t deadline_s; /* seconds the call may take */
    bool again; /* `sent` was on disk before this call: an earlier one was surely not let go */
    bool marked; /* `sent` is on disk, for this call */
    struct xf_err err; /* why the journal did not let it go */
};

static void arm(struct xf_sending *s)
{
    s->next = s->core->armed;
    s->place = &s->core->armed;
    if (s->next != NULL)
        s->next->place = &s->next;
    s->core->armed = s;
}

static void disarm(struct xf_sending *s)
{
    if (s->place == NULL)
        return;
    *s->place = s->next;
    if (s->next != NULL)
        s->next->place = s->place;
    s->place = NULL;
}

static bool mark(struct xf_sending *s, int64_t now)
{
    struct xf_step step = {.order = s->order,
                           .to = XF_ORDER_SENT,
                           .at = now,
                           .deadline = now + s->deadline_s,
                           .evidence = s->evidence};

    if (s->again)
        return xf_journal_send_again(s->journal, &step, &s->err) == XF_ADVANCED;
    return xf_journal_advance(s->journal, &step, NULL, &s->err) == XF_ADVANCED;
}

/* Puts `sent` on disk for `first` and for all armed orders of its journal that go
 * out in the same turn of the loop: they share the commit. One that still waits
 * for its connection is not marked, for that may come to nothing. */
static int mark_all(struct xf_sending *first, struct xf_err *err)
{
    struct xf_core *core = first->core;
    struct xf_journal *j = first->journal;
    int64_t now = (int64_t)time(NULL);
    struct xf_sending *next;

    if (xf_journal_in_batch(j)) /* `sent` would not be on disk before the batch is */
        return xf_fail(err, "the journal is in the middle of a batch, in which nothing can be sent");
    if (xf_journal_begin(j, err) != 0)
        return -1;
    for (struct xf_sending *s = core->armed; s != NULL; s = s->next)
        s->marked = s->journal == j && (s == first || xf_transfer_may_go(s->transfer)) && mark(s, now);
    if (xf_journal_commit(j, err) != 0) {
        for (struct xf_sending *s = core->armed; s != NULL; s = s->next)
            s->marked = false;
        return -1;
    }
    for (struct xf_sending *s = core->armed; s != NULL; s = next) {
        next = s->next;
        if (s->marked)
            disarm(s);
    }
    return 0;
}

static bool release(void *payload)
{
    struct xf_sending *s = payload;
    struct xf_err err;

    if (!s->marked && mark_all(s, &err) != 0)
        s->err = err;
    return s->marked;
}

static int sending_gc(lua_State *L)
{
    disarm(luaL_checkudata(L, 1, XF_SENDING_TYPE));
    return 0;
}

/* [-0, +1, m] a sending that keeps its journal and copies of the order's id and of the
 * evidence, which may be nil */
static struct xf_sending *push_sending(lua_State *L, int journal, int order, int evidence, int64_t deadline_s)
{
    size_t size, more = 0;
    const char *id = luaL_checklstring(L, order, &size), *text = luaL_optlstring(L, evidence, NULL, &more);
    struct xf_sending *s = lua_newuserdatauv(L, sizeof *s + size + 1 + more + 1, UV_COUNT);
    char *at = (char *)(s + 1);

    s->core = xf_core_self(L);
    s->next = NULL;
    s->place = NULL;
    s->transfer = NULL;
    s->again = s->marked = false;
    s->journal = xf_check_journal(L, journal);
    s->deadline_s = deadline_s;
    s->err.message[0] = '\0';
    s->order = memcpy(at, id, size + 1);
    s->evidence = text != NULL ? memcpy(at + size + 1, text, more + 1) : NULL;
    luaL_setmetatable(L, XF_SENDING_TYPE);
    lua_pushvalue(L, journal);
    lua_setiuservalue(L, -2, UV_JOURNAL);
    return s;
}

static void write_target(struct xf_bytes *target, const struct xf_endpoint *e, const char *device_id,
                         size_t size)
{
    xf_bytes_reset(target);
    xf_bytes_add_text(target, e->path);
    xf_bytes_add_text(target, "?deviceId=");
    xf_bytes_add_escaped(target, device_id, size);
}

/***
Sends an order's frozen request. The journal's handle, the transport and the
signer must stay alive until finish(), and so must the sending.
@function send_order
@param transport
@param signer
@param journal
@tparam string order its id; it must be an intent
@tparam string device_id
@tparam string body the frozen body
@tparam number timeout seconds for the call
@tparam[opt] boolean again `sent` is on disk already: an earlier call was marked and surely not let go
@tparam[opt] string evidence for the line of `sent` in the history
@treturn userdata|nil the call, for finish() with the operation creatCmd
@treturn userdata|string the sending: keep it; why() tells what the journal said. Or why it could not start
*/
static int send_order(lua_State *L)
{
    struct xf_transport *t = xf_check_transport(L, 1);
    struct xf_signer *signer = xf_check_signer(L, 2);
    const struct xf_endpoint *e = xf_find_endpoint("creatCmd");
    struct xf_core *core = xf_core_self(L);
    struct xf_signed_headers headers;
    struct xf_request r = {0};
    struct xf_transfer *x;
    struct xf_err err;
    const char *device_id;
    struct xf_sending *s;
    double timeout;
    size_t size;

    (void)xf_check_journal(L, 3);
    device_id = luaL_checklstring(L, 5, &size);
    r.body = luaL_checklstring(L, 6, &r.body_size);
    timeout = luaL_checknumber(L, 7);
    luaL_argcheck(L, timeout > 0 && timeout <= 3600, 7, "0 to 3600 seconds expected");
    s = push_sending(L, 3, 4, 9, (int64_t)timeout + 1);
    s->again = lua_toboolean(L, 8);
    r.payload = s;
    if (xf_sign_headers(core, signer, &headers, &err) != 0)
        return xf_push_fail(L, &err);
    write_target(&core->target, e, device_id, size);
    if (core->target.failed)
        return luaL_error(L, "not enough memory for the request");
    r.method = e->method;
    r.target = core->target.data;
    r.target_size = core->target.size;
    r.headers[0] = "Content-Type: application/json";
    r.headers[1] = headers.code;
    r.headers[2] = headers.token;
    r.once = true;
    r.keep = XF_KEEP_NEW;
    r.timeout_ms = (long)(timeout * 1000);
    r.release = release;
    x = xf_transfer_start(t, &r, &err);
    if (x == NULL)
        return xf_push_fail(L, &err);
    s->transfer = x;
    arm(s);
    lua_pushlightuserdata(L, x);
    lua_insert(L, -2);
    return 2;
}

/***
What the journal said when it did not let the request go.
@function sending:why
@treturn string|nil
*/
static int sending_why(lua_State *L)
{
    const struct xf_sending *s = luaL_checkudata(L, 1, XF_SENDING_TYPE);

    lua_pushstring(L, s->err.message[0] != '\0' ? s->err.message : NULL);
    return 1;
}

/***
Whether `sent` was put on disk for this call.
@function sending:is_marked
@treturn boolean
*/
static int sending_is_marked(lua_State *L)
{
    const struct xf_sending *s = luaL_checkudata(L, 1, XF_SENDING_TYPE);

    lua_pushboolean(L, s->marked);
    return 1;
}

void xf_add_order(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"why", sending_why},
                                       {"is_marked", sending_is_marked},
                                       {"disarm", sending_gc},
                                       {"__gc", sending_gc},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {{"send_order", send_order}, {NULL, NULL}};

    xf_new_type(L, core, XF_SENDING_TYPE, methods);
    xf_set_functions(L, core, functions);
}
