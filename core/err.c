#include "err.h"

#include <stdarg.h>
#include <stdio.h>

int xf_fail(struct xf_err *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return -1;
}
