/* The corpus in spec/json: y_ must be accepted, n_ must be refused. */
#include "admit.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { TEXT_MOST = 4096, ROOM = TEXT_MOST + 64 };

/* Memory that ends where `fence` begins, which no one may read. */
struct field {
    char *memory;
    size_t size, page;
    char *fence;
};

static bool make_field(struct field *f, size_t room)
{
    f->page = (size_t)sysconf(_SC_PAGESIZE);
    f->size = (room / f->page + 1) * f->page + f->page;
    f->memory = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f->memory == MAP_FAILED)
        return false;
    f->fence = f->memory + f->size - f->page;
    return mprotect(f->fence, f->page, PROT_NONE) == 0;
}

/* Admits a copy of the text that ends at the fence. */
static enum xf_admit admit_at_fence(const struct field *f, const char *s, size_t size, size_t *where)
{
    char *copy = f->fence - size;

    memcpy(copy, s, size);
    return xf_admit_json(copy, size, ROOM, XF_ADMIT_DEPTH, where);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cut short, an accepted text is refused, unless only white space is cut off or
 * what is left is a shorter number. */
static void check_prefixes(const struct field *f, const char *name, const char *s, size_t size)
{
    size_t start = 0, end = size;

    while (is_space(s[start]))
        start++;
    while (is_space(s[end - 1]))
        end--;
    const bool number = s[start] == '-' || (s[start] >= '0' && s[start] <= '9');
    for (size_t cut = 0; cut < size; cut++) {
        const bool digit = cut > start && s[cut - 1] >= '0' && s[cut - 1] <= '9';
        const bool expected = cut >= end || (number && digit);

        CHECK_ROW((admit_at_fence(f, s, cut, NULL) == XF_ADMIT_OK) == expected, name);
    }
}

static void check_text_at_fence(const struct field *f, const char *name, const char *s, size_t size)
{
    static const char SPACE[] = " \t\r\n\n\r\t ";
    const bool accept = name[0] == 'y';
    size_t where = SIZE_MAX, length = 0;
    char spaced[ROOM];

    CHECK_ROW((admit_at_fence(f, s, size, &where) == XF_ADMIT_OK) == accept, name);
    CHECK_ROW(accept ? where == SIZE_MAX : where <= size, name);

    for (const char *p = SPACE; *p != '\0'; p++)
        spaced[length++] = *p;
    memcpy(spaced + length, s, size);
    length += size;
    for (const char *p = SPACE; *p != '\0'; p++)
        spaced[length++] = *p;
    CHECK_ROW((admit_at_fence(f, spaced, length, NULL) == XF_ADMIT_OK) == accept, name);

    if (accept)
        check_prefixes(f, name, s, size);
    else /* whatever the verdict, nothing beyond the end is read */
        for (size_t cut = 0; cut < size; cut++)
            (void)admit_at_fence(f, s, cut, NULL);
}

static void check_corpus(const struct field *f)
{
    const char *spec = getenv("XFIOT_SPEC");
    char folder[512], path[1024], text[TEXT_MOST];
    unsigned accepted = 0, refused = 0;

    (void)snprintf(folder, sizeof folder, "%s/json", spec != NULL ? spec : "spec");
    DIR *dir = opendir(folder);
    if (!CHECK_ROW(dir != NULL, folder))
        return;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *name = entry->d_name;

        if (strncmp(name, "y_", 2) != 0 && strncmp(name, "n_", 2) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "rb");
        if (!CHECK_ROW(file != NULL, path))
            continue;
        const size_t size = fread(text, 1, sizeof text, file);
        CHECK_ROW(size < sizeof text && ferror(file) == 0, path);
        (void)fclose(file);
        check_text_at_fence(f, name, text, size);
        if (name[0] == 'y')
            accepted++;
        else
            refused++;
    }
    (void)closedir(dir);
    CHECK(accepted >= 95);
    CHECK(refused >= 188);
}

static const struct {
    const char *s;
    enum xf_admit verdict;
    size_t where;
} VERDICTS[] = {
    {"", XF_ADMIT_EMPTY, 0},
    {" \n\t\r", XF_ADMIT_EMPTY, 4},
    {"[1", XF_ADMIT_SYNTAX, 2},
    {"[1,]", XF_ADMIT_SYNTAX, 3},
    {"{\"a\"", XF_ADMIT_SYNTAX, 4},
    {"{\"a\":1,}", XF_ADMIT_SYNTAX, 7},
    {"[true, nul]", XF_ADMIT_SYNTAX, 10},
    {"[1}", XF_ADMIT_SYNTAX, 2},
    {"{\"a\":1]", XF_ADMIT_SYNTAX, 6},
    {"\"ab", XF_ADMIT_SYNTAX, 3},
    {"[\xC3\xA9]", XF_ADMIT_SYNTAX, 1},
    {"[\xE9]", XF_ADMIT_UTF8, 1},
    {"\xEF\xBB\xBF{}", XF_ADMIT_UTF8, 0},
    {"[\"\xE6\xB0\x94\xC3\xA9\xF0\x9F\x98\x80\xE6\xB0\"]", XF_ADMIT_UTF8, 11},
    {"[012]", XF_ADMIT_NUMBER, 2},
    {"[-]", XF_ADMIT_NUMBER, 2},
    {"[+1]", XF_ADMIT_NUMBER, 1},
    {"[.5]", XF_ADMIT_NUMBER, 1},
    {"[1.]", XF_ADMIT_NUMBER, 3},
    {"[0x1F]", XF_ADMIT_NUMBER, 2},
    {"[7, 1e400]", XF_ADMIT_NUMBER, 4},
    {"[\"a\tb\"]", XF_ADMIT_STRING, 3},
    {"[\"\\x41\"]", XF_ADMIT_STRING, 3},
    {"[\"12\\ud83d 34\"]", XF_ADMIT_STRING, 4},
    {"[\"\\ude00\"]", XF_ADMIT_STRING, 2},
    {"[\"\\ud83d\\u12x4\"]", XF_ADMIT_STRING, 12},
    {"{} x", XF_ADMIT_TRAILING, 3},
    {"[1]]", XF_ADMIT_TRAILING, 3},
    {"1 2", XF_ADMIT_TRAILING, 2},
};

static const struct {
    const char *s;
    bool finite;
} RANGE[] = {
    {"1e308", true},
    {"1e309", false},
    {"-1e309", false},
    {"9.99e307", true},
    {"1.7976931348623157e308", true},
    {"1.79769313486231570814527423731704356798070e+308", true},
    {"17976931348623157e292", true},
    {"0.00017976931348623157e312", true},
    {"1.7976931348623158e308", false},
    {"0.00017976931348623158e312", false},
    {"179769313486231590000e288", false},
    {"1.8e308", false},
    {"10e307", true},
    {"10e308", false},
    {"0.1e309", true},
    {"0.1e310", false},
    {"1e00000000000000000000000308", true},
    {"1e00000000000000000000000309", false},
    {"0e99999999999999999999999999", true},
    {"0.000e99999999999999999999999999", true},
    {"1e99999999999999999999999999", false},
    {"1e-99999999999999999999999999", true},
    {"1E+18446744073709551617", false},
    {"123123e-10000000", true},
};

/* Where a byte that needs a look stands among plain ones must make no difference. */
static void check_places(const struct field *f)
{
    char s[64];

    for (size_t size = 3; size < sizeof s; size++)
        for (size_t at = 1; at < size - 1; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                const bool plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
                size_t where = 0;

                memset(s, 'x', size);
                s[0] = s[size - 1] = '"';
                s[at] = (char)byte;
                const enum xf_admit verdict = admit_at_fence(f, s, size, &where);
                if ((verdict == XF_ADMIT_OK) != plain)
                    CHECK_ROW(false, "a byte among plain ones");
                if (byte < ' ' && (verdict != XF_ADMIT_STRING || where != at))
                    CHECK_ROW(false, "a control character's place");
                if (byte >= 0x80 && (verdict != XF_ADMIT_UTF8 || where != at))
                    CHECK_ROW(false, "a bad byte's place");
            }
    CHECK_ROW(true, "every byte at every place");
}

static void check_limits(void)
{
    enum { MANY = 200000 };
    char *s = malloc(MANY);
    size_t where = 0;

    CHECK(xf_admit_json("[]", 2, 2, 32, NULL) == XF_ADMIT_OK);
    CHECK(xf_admit_json("[] ", 3, 2, 32, &where) == XF_ADMIT_SIZE && where == 2);
    CHECK(xf_admit_json("x", 1, 0, 32, NULL) == XF_ADMIT_SIZE);
    CHECK(xf_admit_json(NULL, 0, 0, 32, &where) == XF_ADMIT_EMPTY && where == 0);
    CHECK(xf_admit_json("1", 1, 9, 0, NULL) == XF_ADMIT_OK);
    CHECK(xf_admit_json("[]", 2, 9, 0, NULL) == XF_ADMIT_DEPTH_OVER);
    CHECK(xf_admit_json("[]", 2, 9, -1, NULL) == XF_ADMIT_DEPTH_OVER);
    CHECK(xf_admit_json("[{}]", 4, 9, 2, NULL) == XF_ADMIT_OK);
    CHECK(xf_admit_json("[{}]", 4, 9, 1, &where) == XF_ADMIT_DEPTH_OVER && where == 1);
    CHECK(xf_admit_json("[[],[],[]]", 10, 10, 2, NULL) == XF_ADMIT_OK);
    if (!CHECK(s != NULL))
        return;
    memset(s, '[', MANY);
    CHECK(xf_admit_json(s, MANY, MANY, 1000, &where) == XF_ADMIT_DEPTH_OVER && where == XF_ADMIT_DEPTH);
    memset(s, '1', MANY);
    CHECK(xf_admit_json(s, MANY, MANY, 32, &where) == XF_ADMIT_NUMBER && where == 0);
    s[1] = '.';
    CHECK(xf_admit_json(s, MANY, MANY, 32, NULL) == XF_ADMIT_OK);
    s[1] = 'e';
    CHECK(xf_admit_json(s, MANY, MANY, 32, NULL) == XF_ADMIT_NUMBER);
    free(s);
}

int main(void)
{
    struct field f;

    if (!CHECK(make_field(&f, ROOM)))
        return check_end();
    check_corpus(&f);
    for (size_t i = 0; i < sizeof VERDICTS / sizeof *VERDICTS; i++) {
        size_t where = SIZE_MAX;

        CHECK_ROW(admit_at_fence(&f, VERDICTS[i].s, strlen(VERDICTS[i].s), &where) == VERDICTS[i].verdict,
                  VERDICTS[i].s);
        CHECK_ROW(where == VERDICTS[i].where, VERDICTS[i].s);
    }
    for (size_t i = 0; i < sizeof RANGE / sizeof *RANGE; i++)
        CHECK_ROW(admit_at_fence(&f, RANGE[i].s, strlen(RANGE[i].s), NULL) ==
                      (RANGE[i].finite ? XF_ADMIT_OK : XF_ADMIT_NUMBER),
                  RANGE[i].s);
    check_places(&f);
    check_limits();
    for (int verdict = XF_ADMIT_OK; verdict <= XF_ADMIT_TRAILING + 1; verdict++)
        CHECK(strlen(xf_admit_reason((enum xf_admit)verdict)) > 0);
    (void)munmap(f.memory, f.size);
    return check_end();
}
