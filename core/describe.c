#include "describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decimal.h"

static void describe_range(const char *from, const char *to, const char *thing_en, const char *thing_zh,
                           enum xf_language language, char *out)
{
    if (language == XF_EN)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, "%s from %s to %s", thing_en, from, to);
    else
        (void)snprintf(out, XF_DESCRIPTION_SIZE, "%s 到 %s 的%s", from, to, thing_zh);
}

static void describe_integer(const struct xf_field *f, const struct xf_reading *r, enum xf_language language,
                             char *out)
{
    char from[XF_DECIMAL_SIZE], to[XF_DECIMAL_SIZE];

    (void)f;
    (void)snprintf(from, sizeof from, "%" PRId64, r->min);
    (void)snprintf(to, sizeof to, "%" PRId64, r->max);
    if (r->max == INT64_MAX && language == XF_EN)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, "an integer of %s or more", from);
    else if (r->max == INT64_MAX)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, "不小于 %s 的整数", from);
    else if (r->min == r->max)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, language == XF_EN ? "the integer %s" : "整数 %s", from);
    else
        describe_range(from, to, "an integer", "整数", language, out);
}

static void describe_decimal(const struct xf_reading *r, enum xf_language language, char *out)
{
    char from[XF_DECIMAL_SIZE], to[XF_DECIMAL_SIZE];

    (void)xf_decimal_format(from, r->min, 0);
    (void)xf_decimal_format(to, r->max, 0);
    if (language == XF_EN)
        (void)snprintf(
            out, XF_DESCRIPTION_SIZE,
            "a decimal from %s to %s with at most %d digits after the point (text, integer or exact float)",
            from, to, r->decimals);
    else
        (void)snprintf(out, XF_DESCRIPTION_SIZE, "%s 到 %s 的数，最多 %d 位小数（文本、整数或精确的浮点数）",
                       from, to, r->decimals);
}

static void describe_string(const struct xf_field *f, const struct xf_reading *r, enum xf_language language,
                            char *out)
{
    bool en = language == XF_EN;

    if (f->fixed != NULL)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, en ? "the text \"%s\"" : "文本“%s”", f->fixed);
    else if (f->format == XF_TIMESTAMP || f->format == XF_HOLDS_TIMESTAMP)
        (void)snprintf(out, XF_DESCRIPTION_SIZE,
                       en ? "a time that exists, as text yyyyMMddHHmmss"
                          : "有效时间，格式 yyyyMMddHHmmss 的文本");
    else if (f->format == XF_DATETIME)
        (void)snprintf(out, XF_DESCRIPTION_SIZE,
                       en ? "a time, as text yyyy-MM-dd HH:mm:ss" : "时间，格式 yyyy-MM-dd HH:mm:ss 的文本");
    else if (f->format == XF_DIGITS && r->min == r->max)
        (void)snprintf(out, XF_DESCRIPTION_SIZE,
                       en ? "text of %" PRId64 " digits" : "%" PRId64 " 位数字的文本", r->min);
    else if (r->max == INT64_MAX)
        (void)snprintf(out, XF_DESCRIPTION_SIZE, en ? "text" : "文本");
    else if (r->min == r->max)
        (void)snprintf(out, XF_DESCRIPTION_SIZE,
                       en ? "text of %" PRId64 " characters" : "%" PRId64 " 个字符的文本", r->min);
    else
        (void)snprintf(out, XF_DESCRIPTION_SIZE,
                       en ? "text of %" PRId64 " to %" PRId64 " characters"
                          : "%" PRId64 " 到 %" PRId64 " 个字符的文本",
                       r->min, r->max);
}

/* "an integer: 0 (Open valve), 1 (Close valve)". */
static void describe_values(const struct xf_field *f, const struct xf_reading *r, enum xf_language language,
                            char *out)
{
    const char *gap = " ";
    size_t used;

    (void)snprintf(out, XF_DESCRIPTION_SIZE, "%s",
                   language == XF_EN ? (f->type == XF_INTEGER ? "an integer:" : "text, one of:")
                                     : (f->type == XF_INTEGER ? "整数：" : "文本，取值："));
    for (const struct xf_enum_value *v = f->values->values; v->text != NULL; v++) {
        if (f->type == XF_INTEGER) {
            long long value = strtoll(v->text, NULL, 10);

            if (value < r->min || value > r->max)
                continue;
        }
        used = 0;
        while (used < XF_DESCRIPTION_SIZE - 1 && out[used] != '\0')
            used++;
        (void)snprintf(out + used, XF_DESCRIPTION_SIZE - used, language == XF_EN ? "%s%s (%s)" : "%s%s（%s）",
                       gap, v->text, language == XF_EN ? v->label.en : v->label.zh);
        gap = language == XF_EN ? ", " : "、";
    }
}

void xf_describe_field(const struct xf_field *f, enum xf_side side, enum xf_language language,
                       char out[XF_DESCRIPTION_SIZE])
{
    struct xf_reading r = xf_read_field(f, side);
    bool en = language == XF_EN;

    if (f->values != NULL && (f->type == XF_INTEGER || f->type == XF_STRING)) {
        describe_values(f, &r, language, out);
        return;
    }
    switch (f->type) {
    case XF_STRING:
        describe_string(f, &r, language, out);
        break;
    case XF_INTEGER:
        describe_integer(f, &r, language, out);
        break;
    case XF_DECIMAL:
        describe_decimal(&r, language, out);
        break;
    case XF_OBJECT:
        (void)snprintf(out, XF_DESCRIPTION_SIZE, en ? "a table" : "表（对象）");
        break;
    case XF_LIST:
        if (r.max == INT64_MAX)
            (void)snprintf(out, XF_DESCRIPTION_SIZE,
                           en ? "a list of %" PRId64 " or more" : "至少 %" PRId64 " 项的列表", r.min);
        else
            (void)snprintf(out, XF_DESCRIPTION_SIZE,
                           en ? "a list of %" PRId64 " to %" PRId64 " elements"
                              : "%" PRId64 " 到 %" PRId64 " 项的列表",
                           r.min, r.max);
        break;
    }
}
