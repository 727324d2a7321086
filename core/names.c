#include "names.h"

#include <string.h>

#include "admit.h"

struct name {
    const char *s;
    size_t size;
};

struct scan {
    struct name names[XF_NAMES_MOST]; /* of the open objects, the innermost last */
    size_t count;
    size_t first[XF_ADMIT_DEPTH + 1]; /* of each level; for an array where the next object's begin */
    bool object[XF_ADMIT_DEPTH + 1];
    int depth;
};

/* The closing quote of the string whose first byte is at s. */
static const char *end_of_string(const char *s, const char *end)
{
    while (s < end && *s != '"')
        s += *s == '\\' ? 2 : 1;
    return s;
}

static bool add_name(struct scan *scan, const char *s, size_t size)
{
    if (scan->count == XF_NAMES_MOST || memchr(s, '\\', size) != NULL)
        return false;
    for (size_t i = scan->first[scan->depth]; i < scan->count; i++)
        if (scan->names[i].size == size && memcmp(scan->names[i].s, s, size) == 0)
            return false;
    scan->names[scan->count++] = (struct name){s, size};
    return true;
}

static bool open_level(struct scan *scan, bool object)
{
    if (scan->depth == XF_ADMIT_DEPTH)
        return false;
    scan->depth++;
    scan->first[scan->depth] = scan->count;
    scan->object[scan->depth] = object;
    return true;
}

bool xf_names_once(const char *json, size_t size)
{
    const char *end = json + size;
    struct scan scan;
    bool name = false; /* the next string is one */

    scan.count = 0;
    scan.depth = 0;
    scan.first[0] = 0;
    scan.object[0] = false;
    for (const char *s = json; s < end; s++) {
        const char *close;

        switch (*s) {
        case '{':
        case '[':
            if (!open_level(&scan, *s == '{'))
                return false;
            name = *s == '{';
            break;
        case '}':
        case ']':
            if (scan.depth == 0)
                return false;
            scan.count = scan.first[scan.depth--];
            name = false;
            break;
        case ',':
            name = scan.object[scan.depth];
            break;
        case '"':
            close = end_of_string(s + 1, end);
            if (name && !add_name(&scan, s + 1, (size_t)(close - s - 1)))
                return false;
            name = false;
            s = close;
            break;
        default:
            break;
        }
    }
    return true;
}
