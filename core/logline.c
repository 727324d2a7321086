#include "logline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 768 };

void xf_logline(const char *event, const char *format, ...)
{
    char line[LINE_SIZE];
    time_t now = time(NULL);
    struct tm t;
    size_t used;
    va_list args;

    (void)gmtime_r(&now, &t);
    used = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%SZ", &t);
    used += (size_t)snprintf(line + used, 64, " event=%.40s ", event);
    va_start(args, format);
    (void)vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    used = strlen(line);
    while (line[used - 1] == ' ')
        used--;
    line[used++] = '\n';
    (void)!write(STDERR_FILENO, line, used);
}

int xf_log_allowed(struct xf_log_quota *quota, int64_t second, unsigned *lost)
{
    if (lost != NULL)
        *lost = quota->lost;
    if (quota->second != second) {
        quota->second = second;
        quota->used = 0;
    }
    if (quota->used >= XF_LOG_LINES) {
        quota->lost++;
        return 0;
    }
    quota->used++;
    quota->lost = 0;
    return 1;
}

const char *xf_log_value(char out[XF_LOG_VALUE], const char *sentence)
{
    size_t used = 0;

    out[used++] = '"';
    for (; *sentence != '\0' && used < XF_LOG_VALUE - 2; sentence++)
        out[used++] = (char)(*sentence == '"' || (unsigned char)*sentence < ' ' ? '\'' : *sentence);
    out[used++] = '"';
    out[used] = '\0';
    return out;
}
