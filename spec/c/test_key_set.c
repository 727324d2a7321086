/* Keys that have come before, and on which line. */
#include "key_set.h"

#include "check.h"

enum { MANY = 200000 };

static uint32_t add(struct xf_key_set *s, const char *key, uint32_t line)
{
    return xf_key_set_add(s, key, strlen(key), line);
}

static void few(void)
{
    struct xf_key_set *s = xf_key_set_new();

    CHECK(add(s, "a", 2) == 0);
    CHECK(add(s, "b", 3) == 0);
    CHECK(add(s, "a", 4) == 2);
    CHECK(add(s, "", 5) == 0 && add(s, "", 6) == 5);
    CHECK(xf_key_set_add(s, "a\0b", 3, 7) == 0 && xf_key_set_add(s, "a\0b", 3, 8) == 7);
    xf_key_set_free(s);
    xf_key_set_free(NULL);
}

/* Through many enlargements: each is new once, and known by its line ever after. */
static void many(void)
{
    struct xf_key_set *s = xf_key_set_new();
    uint32_t fresh = 0, known = 0;
    char key[32];

    for (uint32_t i = 1; i <= MANY; i++) {
        (void)snprintf(key, sizeof key, "R-2026-%u", i);
        fresh += add(s, key, i) == 0;
    }
    for (uint32_t i = 1; i <= MANY; i++) {
        (void)snprintf(key, sizeof key, "R-2026-%u", i);
        known += add(s, key, MANY + 1) == i;
    }
    CHECK(fresh == MANY);
    CHECK(known == MANY);
    xf_key_set_free(s);
}

int main(void)
{
    few();
    many();
    return check_end();
}
