/* Our own transIds, as several makers and processes note them. */
#include "own_ids.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal_case.h"
#include "sign.h"

enum { SECOND = 1767225600 };

static void runs(const struct journal_case *c)
{
    struct xf_err err;
    struct xf_own_ids *a = xf_own_ids_new(c->path, &err), *b = xf_own_ids_new(c->path, &err);

    CHECK(a != NULL && b != NULL && xf_own_ids_of(a, c->path) && !xf_own_ids_of(a, "other"));
    CHECK(!xf_own_ids_hold(a, SECOND, 5));
    for (uint32_t tail = 5; tail < 10; tail++)
        xf_own_ids_note(a, SECOND, tail);
    xf_own_ids_note(a, SECOND, 0); /* after the last comes the first */
    xf_own_ids_note(a, SECOND, 1);
    xf_own_ids_note(b, SECOND, 100);
    xf_own_ids_note(b, SECOND + 1, 5);
    for (uint32_t tail = 0; tail < 12; tail++)
        CHECK(xf_own_ids_hold(b, SECOND, tail) == (tail < 2 || (tail >= 5 && tail < 10)));
    CHECK(xf_own_ids_hold(a, SECOND, 100) && !xf_own_ids_hold(a, SECOND, 101));
    CHECK(xf_own_ids_hold(a, SECOND + 1, 5) && !xf_own_ids_hold(a, SECOND + 1, 6));
    CHECK(!xf_own_ids_hold(a, SECOND + XF_OWN_SECONDS, 5)); /* the same place, another second */
    CHECK(!xf_own_ids_hold(a, SECOND - 1, 5) && !xf_own_ids_hold(a, -1, 5));
    xf_own_ids_free(a);
    xf_own_ids_free(b);
}

static void many_makers(const struct journal_case *c)
{
    struct xf_own_ids *all[XF_OWN_MAKERS];
    struct xf_err err;

    for (uint32_t i = 0; i < XF_OWN_MAKERS; i++) {
        all[i] = xf_own_ids_new(c->path, &err);
        xf_own_ids_note(all[i], SECOND + 10, i * 1000);
    }
    for (uint32_t i = 0; i < XF_OWN_MAKERS; i++)
        CHECK(xf_own_ids_hold(all[0], SECOND + 10, i * 1000));
    for (uint32_t i = 0; i < XF_OWN_MAKERS; i++)
        xf_own_ids_free(all[i]);
}

static int64_t still(void *payload)
{
    (void)payload;
    return SECOND + 20;
}

static bool zeros(void *payload, unsigned char *out, size_t size)
{
    (void)payload;
    memset(out, 0, size);
    return true;
}

/* What a process noted stays when it is killed, and its maker notes before it gives out. */
static void a_maker_that_is_killed(const struct journal_case *c)
{
    const struct xf_source source = {.now = still, .random = zeros};
    struct xf_own_ids *ids;
    struct xf_err err;
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct xf_trans_id_maker maker;
        char id[XF_TRANS_ID_LENGTH + 1];

        xf_trans_id_init(&maker, &source, 8 * 3600);
        maker.own = xf_own_ids_new(c->path, &err);
        for (int i = 0; i < 3; i++)
            if (maker.own == NULL || xf_trans_id_next(&maker, id, &err) != 0)
                _exit(1);
        (void)raise(SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    ids = xf_own_ids_new(c->path, &err);
    CHECK(xf_own_ids_hold(ids, SECOND + 20, 0) && xf_own_ids_hold(ids, SECOND + 20, 2) &&
          !xf_own_ids_hold(ids, SECOND + 20, 3));
    xf_own_ids_free(ids);
}

static void files(const struct journal_case *c)
{
    char path[CASE_PATH + 32];
    struct stat st;
    struct xf_err err = {""};

    (void)snprintf(path, sizeof path, "%s-sent", c->path);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 077) == 0);
    (void)snprintf(path, sizeof path, "%s/none/journal.db", c->folder);
    CHECK(xf_own_ids_new(path, &err) == NULL && err.message[0] != '\0');
    (void)snprintf(path, sizeof path, "%s/fifo-sent", c->folder);
    CHECK(mkfifo(path, 0600) == 0);
    (void)snprintf(path, sizeof path, "%s/fifo", c->folder);
    CHECK(xf_own_ids_new(path, &err) == NULL);
}

int main(void)
{
    struct journal_case c = case_start();

    runs(&c);
    many_makers(&c);
    a_maker_that_is_killed(&c);
    files(&c);
    case_end(&c);
    return check_end();
}
