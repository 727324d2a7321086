/*
 * The host program: a Lua state with the module and all Lua files inside, sealed
 * against core dumps. Everything a user sees is decided in lua/xfiot/cli.lua.
 */
#include <lauxlib.h>
#include <locale.h>
#include <lua-cjson.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embedded.h"
#include "heap.h"
#include "module.h"
#include "secret.h"

enum {
    STATUS_FAILED = 1,
    STATUS_INTERRUPTED = 130,
    GRACE = 2, /* seconds */
    HEAP_KEPT = 2 * 1024 * 1024, /* bytes */
};

/* Ctrl-C: the main Lua code ends with an error that the command line turns into
 * exit status 130; nothing new is sent from then on (loop.check in Lua). Code that
 * runs on for GRACE seconds all the same, and a second Ctrl-C, end the process:
 * what is in flight is in the journal. A handler can reach nothing but these. */
static lua_State *volatile interrupted_state;
static volatile sig_atomic_t interruptions;
static volatile sig_atomic_t polite; /* the Lua code asks for interruptions itself, and stops by itself */

static void stop_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "xfiot.interrupted");
    (void)lua_error(L);
}

static void end_now(int number)
{
    static const char text[] = "xfiot: interrupted\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(STATUS_INTERRUPTED);
}

static void interrupt(int number)
{
    lua_State *L = interrupted_state;

    if (interruptions++ > 0)
        end_now(number);
    if (polite)
        return;
    (void)signal(SIGALRM, end_now);
    (void)alarm(GRACE);
    /* lua.c does the same: lua_sethook is the one function of Lua that a handler may call. */
    if (L != NULL) /* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): see above */
        lua_sethook(L, stop_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* Searcher: the Lua files inside the program, before any path. */
static int find_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    for (const struct xf_embedded *e = xf_embedded; e->name != NULL; e++) {
        if (strcmp(e->name, name) != 0)
            continue;
        if (luaL_loadbufferx(L, (const char *)e->text, e->size, e->file, "bt") != LUA_OK)
            return lua_error(L);
        lua_pushstring(L, e->file + 1);
        return 2;
    }
    lua_pushfstring(L, "no module '%s' inside the program", name);
    return 1;
}

/* [-0, +0, e] puts find_embedded right behind the searcher of preloaded modules */
static void add_searcher(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, find_embedded);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* The text of a script shipped inside, or nil. */
static int embedded_script(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    for (const struct xf_embedded *e = xf_embedded; e->name != NULL; e++) {
        if (strncmp(e->name, "script:", 7) == 0 && strcmp(e->name + 7, name) == 0) {
            lua_pushlstring(L, (const char *)e->text, e->size);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

/* Whether Ctrl-C was pressed, even if a script caught the error. */
static int was_interrupted(lua_State *L)
{
    lua_pushboolean(L, interruptions != 0);
    return 1;
}

/* Bytes that Lua may hold from now on; false where another allocator serves (sanitizers). */
static int limit_memory(lua_State *L)
{
    lua_Integer bytes = luaL_checkinteger(L, 1);
    void *heap = NULL;
    bool ours = lua_getallocf(L, &heap) == xf_heap_resize;

    luaL_argcheck(L, bytes > 0, 1, "a number above 0 expected");
    if (ours)
        xf_heap_limit(heap, (size_t)bytes);
    lua_pushboolean(L, ours);
    return 1;
}

static void end_late(int number)
{
    static const char text[] = "xfiot: the script took longer than its time limit\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(STATUS_FAILED);
}

/* For a script that does not listen: the process ends GRACE seconds after its time. */
static int stop_after(lua_State *L)
{
    (void)signal(SIGALRM, end_late);
    (void)alarm((unsigned)luaL_checkinteger(L, 1) + GRACE);
    return 0;
}

/* From here on SIGTERM is as Ctrl-C. */
static int heed_termination(lua_State *L)
{
    (void)L;
    (void)signal(SIGTERM, interrupt);
    return 0;
}

/* From here on Ctrl-C and SIGTERM only count as one interruption: the code that runs
 * asks was_interrupted, lets what is in flight come to its end, and stops. */
static int stop_politely(lua_State *L)
{
    polite = 1;
    return heed_termination(L);
}

static int is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* From here on signals are for the parent process alone, which tells this one what to do. */
static int leave_signals(lua_State *L)
{
    (void)L;
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    return 0;
}

/* What only the host program has. */
static int open_host(lua_State *L)
{
    static const luaL_Reg functions[] = {{"script", embedded_script},
                                         {"is_terminal", is_terminal},
                                         {"was_interrupted", was_interrupted},
                                         {"leave_signals", leave_signals},
                                         {"limit_memory", limit_memory},
                                         {"stop_after", stop_after},
                                         {"stop_politely", stop_politely},
                                         {"heed_termination", heed_termination},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}

static void preload(lua_State *L, const char *name, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* What Lua's own state has too: warn("@on"), and the words that follow. */
struct warnings {
    bool on, within; /* within: the words before were only the first part */
};

static void print_warning(void *payload, const char *text, int to_continue)
{
    struct warnings *w = payload;

    if (!w->within && !to_continue && text[0] == '@') {
        if (strcmp(text, "@on") == 0 || strcmp(text, "@off") == 0)
            w->on = text[2] == 'n';
        return;
    }
    if (w->on)
        (void)fprintf(stderr, "%s%s%s", w->within ? "" : "Lua warning: ", text, to_continue ? "" : "\n");
    w->within = to_continue != 0;
}

/* A sanitizer watches over malloc's blocks only. */
static lua_State *new_state(struct xf_heap *heap)
{
#ifdef __SANITIZE_ADDRESS__
    (void)heap;
    return luaL_newstate();
#else
    return heap != NULL ? lua_newstate(xf_heap_resize, heap) : NULL;
#endif
}

static int traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);

    luaL_traceback(L, L, message != NULL ? message : "(error object is no text)", 1);
    return 1;
}

/* require("xfiot.cli").main(arguments) -> exit status */
static int run(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);

    luaL_openlibs(L);
    preload(L, "cjson", luaopen_cjson);
    preload(L, "xfiot.core", luaopen_xfiot_core);
    preload(L, "xfiot.host", open_host);
    add_searcher(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "xfiot.cli");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    return 1;
}

int main(int argc, char **argv)
{
    struct xf_heap *heap = xf_heap_new();
    struct warnings warnings = {0};
    int status = STATUS_FAILED;
    lua_State *L;

    /* libcurl frees its buffers after every call: given back to the system each
     * time, they would be faulted in anew for the next one. */
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    /* Nobody asks SQLite how much memory it uses: counting it would take a lock each time. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    xf_secret_seal_process();
    (void)signal(SIGPIPE, SIG_IGN);
    L = new_state(heap);
    if (L == NULL) {
        (void)fputs("xfiot: not enough memory\n", stderr);
        xf_heap_free(heap);
        return STATUS_FAILED;
    }
    lua_setwarnf(L, print_warning, &warnings);
    interrupted_state = L;
    (void)signal(SIGINT, interrupt);
    lua_pushliteral(L, "interrupted");
    lua_setfield(L, LUA_REGISTRYINDEX, "xfiot.interrupted");
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    if (lua_pcall(L, 2, 1, 1) == LUA_OK)
        status = (int)lua_tointeger(L, -1);
    else
        (void)fprintf(stderr, "xfiot: %s\n", lua_tostring(L, -1));
    (void)signal(SIGINT, SIG_DFL);
    interrupted_state = NULL;
    lua_close(L);
    xf_heap_free(heap);
    return status;
}
