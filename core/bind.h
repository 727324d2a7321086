/*
 * What the bindings share. Only bind*.c, module.c and host.c include lua.h.
 * Every function of the module has the core object as its first upvalue: there
 * is no other state, so several Lua states in one process do not meet.
 */
#ifndef XF_BIND_H
#define XF_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "bytes.h"
#include "err.h"
#include "loop.h"
#include "sign.h"
#include "transfer.h"

#define XF_CORE_TYPE      "xfiot.core"
#define XF_SIGNER_TYPE    "xfiot.signer"
#define XF_TRANSPORT_TYPE "xfiot.transport"
#define XF_LISTENER_TYPE  "xfiot.listener"

enum {
    XF_TEXT_MOST = 64 * 1024 * 1024, /* JSON written for people or by the sandbox */
};

struct xf_sending;

/* Indexes of the core object's user values. */
enum { XF_UV_DECODE = 1, XF_UV_ARRAY, XF_UV_FOUND, XF_UV_MOST = XF_UV_FOUND };

struct xf_core {
    struct xf_loop *loop;
    struct xf_trans_id_maker ids;
    struct xf_bytes target; /* scratch of one call: path and query */
    struct xf_bytes text; /* scratch of one call: JSON */
    char env_key[XF_KEY_MOST]; /* taken out of the environment when the module was opened */
    int env_key_size; /* 0: none; -1: it was too long */
    struct xf_sending *armed; /* orders started whose `sent` is not on disk yet (bind_send.c) */
};

/* The core object of the running function. */
static inline struct xf_core *xf_core_self(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* [-0, +2, m]  nil, sentence */
int xf_push_fail(lua_State *L, const struct xf_err *err);

/* [-0, +1, e]  pushes user value n of the core object */
void xf_push_core_value(lua_State *L, int n);

/* [-0, +1|+3, m]  Admits and decodes JSON: the value, or nil, reason, offset.
 * Returns how many were pushed. */
int xf_push_decoded(lua_State *L, const char *s, size_t size, size_t cap);
/* The same for JSON that was admitted before. */
int xf_push_admitted(lua_State *L, const char *s, size_t size);

/* Appends the JSON of the value at index to b. Returns NULL, or a constant
 * sentence saying why it cannot be written. */
const char *xf_write_json(lua_State *L, int index, struct xf_bytes *b);

/* [-0, +1, e] Each pushes nothing and adds its functions to the module table on
 * top; the core object lies at index `core`. */
void xf_add_agenda(lua_State *L, int core);
void xf_add_json(lua_State *L, int core);
void xf_add_values(lua_State *L, int core);
void xf_add_sign(lua_State *L, int core);
void xf_add_loop(lua_State *L, int core);
void xf_add_request(lua_State *L, int core);
void xf_add_reply(lua_State *L, int core);
void xf_add_message(lua_State *L, int core);
void xf_add_platform(lua_State *L, int core);
void xf_add_listener(lua_State *L, int core);
void xf_add_journal(lua_State *L, int core);
void xf_add_order(lua_State *L, int core);
void xf_add_serve(lua_State *L, int core);
void xf_add_worker(lua_State *L, int core);
void xf_add_table(lua_State *L, int core);
void xf_add_lock(lua_State *L, int core);

/* [-0, +0, m] luaL_setfuncs with the core object as upvalue, into the table on top. */
void xf_set_functions(lua_State *L, int core, const luaL_Reg *functions);
/* [-0, +0, m] makes a metatable with __name and __index, its methods have the core as upvalue */
void xf_new_type(lua_State *L, int core, const char *name, const luaL_Reg *methods);

/* The two headers that sign a call, with a fresh transId. Returns 0, or -1 with err. */
struct xf_signed_headers {
    char code[sizeof "RandomCode: " + XF_TRANS_ID_LENGTH];
    char token[sizeof "Authorization: " + XF_TOKEN_LENGTH];
};
int xf_sign_headers(struct xf_core *core, struct xf_signer *signer, struct xf_signed_headers *h,
                    struct xf_err *err);

struct xf_transport;
/* The open signer or transport at index; raises otherwise. */
struct xf_signer *xf_check_signer(lua_State *L, int index);
struct xf_transport *xf_check_transport(lua_State *L, int index);

#endif
