/*
 * Walking a Lua value along contract rows. A walk collects every fault by path
 * instead of stopping at the first; it can write JSON as it goes (what the
 * client sends) or type the value in place (what was received).
 */
#ifndef XF_BIND_WALK_H
#define XF_BIND_WALK_H

#include <stdbool.h>

#include "bind.h"
#include "contract.h"

enum { XF_PATH_DEPTH = 48, XF_FAULTS_MOST = 200, XF_NOTES_MOST = 20 };

/* A member's name, or NULL and an element's index. */
struct xf_place {
    const char *name;
    long long index;
};

struct xf_walk {
    lua_State *L;
    enum xf_side side;
    int faults; /* stack index of the list of faults */
    int count; /* how many there are */
    int notes; /* stack index of a table for what is unusual but no fault; 0: nobody asks */
    int noted; /* how many there are */
    struct xf_bytes *out; /* JSON goes here; NULL: none is written */
    struct xf_place path[XF_PATH_DEPTH]; /* where the walk is */
    int depth;
};

/* [-0, +1, m]  starts a walk; the place of its list of faults is pushed (nil while
 * there are none) and must stay */
void xf_walk_begin(struct xf_walk *w, lua_State *L, enum xf_side side, struct xf_bytes *out);

/* Steps into a member or an element (from 1), and out again. The name must live
 * until then. */
static inline void xf_walk_enter(struct xf_walk *w, const char *name)
{
    if (w->depth < XF_PATH_DEPTH)
        w->path[w->depth].name = name;
    w->depth++;
}
static inline void xf_walk_enter_index(struct xf_walk *w, long long index)
{
    if (w->depth < XF_PATH_DEPTH)
        w->path[w->depth] = (struct xf_place){NULL, index};
    w->depth++;
}
static inline void xf_walk_leave(struct xf_walk *w)
{
    w->depth--;
}

/* Notes a fault at the current path. The rule is a sentence without subject:
 * "must be ...". Balanced on the stack. */
void xf_walk_fault(struct xf_walk *w, int code, const char *en, const char *zh);
/* "is missing; must be ...", "must be ..., got ..."; index 0: no value to show. */
void xf_walk_missing(struct xf_walk *w, const struct xf_field *f);
void xf_walk_wrong(struct xf_walk *w, const struct xf_field *f, int index);
/* A key that no row knows. */
void xf_walk_unknown(struct xf_walk *w, const char *key, const char *owner);

/* Something that no row knows and that is kept all the same: the path and a few
 * words, as one text. Does nothing unless the walk has notes. Balanced. */
void xf_walk_note(struct xf_walk *w, const char *words);
/* Every key of the table at index that no row knows, as notes. */
void xf_walk_note_keys(struct xf_walk *w, const struct xf_field *fields, int index);

/* A scalar that passed its row. */
struct xf_scalar {
    const char *s; /* XF_STRING; lives as long as the Lua value */
    size_t size;
    int64_t value; /* XF_INTEGER; XF_DECIMAL: thousandths */
};
/* Reads the scalar at index as its row says; false if it does not pass. */
bool xf_read_scalar(lua_State *L, int index, const struct xf_field *f, enum xf_side side,
                    struct xf_scalar *out);

/* Whether the sibling that decides about f has the value at which f matters; true
 * if none decides. The table with the siblings lies at index. */
bool xf_has_meaning(lua_State *L, int index, const struct xf_field *f, enum xf_side side);
/* Whether f must be there, for this side and these siblings. */
bool xf_is_required(lua_State *L, int index, const struct xf_field *f, enum xf_side side);

/* The variant that method and the parameters at index (a table or nil) name. */
const struct xf_command *xf_pick_command(lua_State *L, const char *method, int index);

/* Cross-field rules of a shape on the table at index; call it when its fields passed. */
void xf_walk_rules(struct xf_walk *w, const struct xf_shape *shape, int index);

/* Whether the text at index is the name of a row; a NUL in it makes it another. */
bool xf_is_key(lua_State *L, int index, const struct xf_field *fields);

/* Client: checks the table at index along the rows and writes it as an object
 * (bind_encode.c). `owner` names whose parameters they are, for unknown keys. */
void xf_encode_shape(struct xf_walk *w, const struct xf_shape *shape, int index, const char *owner);
/* The same without a look at unknown keys and rules; returns how many keys the rows knew. */
int xf_encode_members(struct xf_walk *w, const struct xf_shape *shape, int index);
void xf_encode_field(struct xf_walk *w, const struct xf_field *f, int index);

/* Types a received object in place (bind_decode.c). Unknown members stay as they are. */
void xf_decode_shape(struct xf_walk *w, const struct xf_shape *shape, int index);
/* [-1, +1, m]  replaces the value on top by its typed form; leaves it when it is a fault */
void xf_decode_field(struct xf_walk *w, const struct xf_field *f);

#endif
