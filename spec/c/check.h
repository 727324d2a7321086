/* A test program: rows of CHECKs, a count at the end. The last line,
 * "# N passed, M failed", is what the runner reads. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

static inline int check_that(int ok, const char *file, int line, const char *what)
{
    if (ok) {
        check_passed++;
    } else {
        check_failed++;
        printf("not ok %s:%d: %s\n", file, line, what);
    }
    return ok;
}

#define CHECK(condition) check_that((condition) != 0, __FILE__, __LINE__, #condition)
/* With a name for the row under test. */
#define CHECK_ROW(condition, row) check_that((condition) != 0, __FILE__, __LINE__, row)
#define CHECK_TEXT(got, expected) check_text((got), (expected), __FILE__, __LINE__)

static inline int check_text(const char *got, const char *expected, const char *file, int line)
{
    int ok = got != NULL && strcmp(got, expected) == 0;

    check_that(ok, file, line, "texts are equal");
    if (!ok)
        printf("#   got      %s\n#   expected %s\n", got ? got : "(null)", expected);
    return ok;
}

static inline int check_end(void)
{
    printf("# %d passed, %d failed\n", check_passed, check_failed);
    (void)fflush(stdout);
    return check_failed != 0;
}

#endif
