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

/* What the release callback needs; it runs inside libcurl, where no Lua may. */
struct xf_sending {
    struct xf_journal *journal;
    const char *order; /* behind the struct */
    int64_t deadline_s; /* seconds the call may take */
    struct xf_err err; /* why the journal did not let it go */
};

static bool release(void *payload)
{
    struct xf_sending *s = payload;
    int64_t now = (int64_t)time(NULL);
    struct xf_step step = {
        .order = s->order, .to = XF_ORDER_SENT, .at = now, .deadline = now + s->deadline_s};

    return xf_journal_advance(s->journal, &step, NULL, &s->err) == XF_ADVANCED;
}

/* [-0, +1, m] a sending that keeps its journal and its order's id */
static struct xf_sending *push_sending(lua_State *L, int journal, int order, int64_t deadline_s)
{
    size_t size;
    const char *id = luaL_checklstring(L, order, &size);
    struct xf_sending *s = lua_newuserdatauv(L, sizeof *s + size + 1, UV_COUNT);

    s->journal = xf_check_journal(L, journal);
    s->deadline_s = deadline_s;
    s->err.message[0] = '\0';
    s->order = (char *)(s + 1);
    memcpy(s + 1, id, size + 1);
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
    double timeout;
    size_t size;

    (void)xf_check_journal(L, 3);
    device_id = luaL_checklstring(L, 5, &size);
    r.body = luaL_checklstring(L, 6, &r.body_size);
    timeout = luaL_checknumber(L, 7);
    luaL_argcheck(L, timeout > 0 && timeout <= 3600, 7, "0 to 3600 seconds expected");
    r.payload = push_sending(L, 3, 4, (int64_t)timeout + 1);
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
    r.timeout_ms = (long)(timeout * 1000);
    r.release = release;
    x = xf_transfer_start(t, &r, &err);
    if (x == NULL)
        return xf_push_fail(L, &err);
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

void xf_add_order(lua_State *L, int core)
{
    static const luaL_Reg methods[] = {{"why", sending_why}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"send_order", send_order}, {NULL, NULL}};

    xf_new_type(L, core, XF_SENDING_TYPE, methods);
    xf_set_functions(L, core, functions);
}
