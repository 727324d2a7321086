/* How C parts without Lua report what went wrong: the function returns -1 or
 * NULL, the sentence is here. Fixed size, so that running out of memory can be
 * reported too. */
#ifndef XF_ERR_H
#define XF_ERR_H

enum { XF_ERR_SIZE = 256 };

struct xf_err {
    char message[XF_ERR_SIZE]; /* one plain English sentence, no secrets, cut if too long */
};

/* Formats the sentence; always returns -1, so that `return xf_fail(err, ...)` reads well. */
__attribute__((format(printf, 2, 3))) int xf_fail(struct xf_err *err, const char *format, ...);

#endif
