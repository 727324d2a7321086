/* Timestamps of the contract: yyyyMMddHHmmss with an explicit offset, UTC+8
 * unless a setting says otherwise (A2). Nothing here looks at the process's own
 * time zone. */
#ifndef XF_TIMESTAMP_H
#define XF_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XF_TIMESTAMP_LENGTH = 14 };
enum { XF_UTC_OFFSET = 8 * 3600 }; /* seconds east of UTC, the platform's */

/* 14 digits that are a date and a time that exist (years 0001 to 9999). */
bool xf_timestamp_valid(const char *s, size_t size);
/* "yyyy-MM-dd HH:mm:ss", likewise (C16). */
bool xf_datetime_valid(const char *s, size_t size);
/* Text to seconds since 1970 UTC; false if not valid. */
bool xf_timestamp_parse(const char *s, size_t size, int offset, int64_t *seconds);
/* Seconds since 1970 UTC to 14 digits and a NUL; false outside years 0001 to 9999. */
bool xf_timestamp_format(char out[XF_TIMESTAMP_LENGTH + 1], int64_t seconds, int offset);

#endif
