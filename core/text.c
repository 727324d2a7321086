#include "text.h"

#include <stdint.h>
#include <string.h>

/* The bytes of one code point at p, 0 if they are not UTF-8. The second byte's
 * narrower ranges are what excludes overlong forms, surrogates and the room
 * above U+10FFFF (RFC 3629, section 4). */
static size_t sequence(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        length = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        length = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        length = 4;
    else
        return 0;
    if (left < length)
        return 0;

    switch (p[0]) {
    case 0xE0:
        low = 0xA0;
        break;
    case 0xED:
        high = 0x9F;
        break;
    case 0xF0:
        low = 0x90;
        break;
    case 0xF4:
        high = 0x8F;
        break;
    default:
        break;
    }
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool xf_text_measure(const char *s, size_t size, size_t *points, size_t *units)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t count = 0, pairs = 0;

    for (size_t at = 0; at < size;) {
        uint64_t eight;

        while (size - at >= sizeof eight) {
            memcpy(&eight, p + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) != 0)
                break;
            at += sizeof eight;
            count += sizeof eight;
        }
        if (at == size)
            break;

        size_t length = sequence(p + at, size - at);
        if (length == 0)
            return false;
        count++;
        pairs += length == 4; /* beyond U+FFFF: a surrogate pair in UTF-16 */
        at += length;
    }
    if (points != NULL)
        *points = count;
    if (units != NULL)
        *units = count + pairs;
    return true;
}
