#include "own_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

/* The numbers `start` to `start + count - 1` of that second, as one maker gave
 * them out. Other processes read it while it grows. */
struct run {
    _Atomic int64_t second;
    _Atomic uint32_t start, count;
};

/* A second has the place that its number gives it, so that nothing is searched. */
struct place {
    _Atomic uint32_t next;
    uint32_t spare;
    struct run runs[XF_OWN_MAKERS];
};

struct xf_own_ids {
    struct place *places; /* XF_OWN_SECONDS of them, mapped */
    struct run *run; /* that this process is filling, or NULL */
    char path[XF_JOURNAL_PATH_SIZE]; /* of the journal */
};

enum { MAPPED = sizeof(struct place) * XF_OWN_SECONDS };

static int map(struct xf_own_ids *ids, const char *path, struct xf_err *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat st;
    void *p = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (st.st_size >= MAPPED || ftruncate(fd, MAPPED) == 0))
        p = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        (void)xf_fail(err, "the list of transIds sent cannot be used: %s (%.120s)", strerror(errno), path);
    else
        ids->places = p;
    if (fd >= 0)
        (void)close(fd);
    return p == MAP_FAILED ? -1 : 0;
}

struct xf_own_ids *xf_own_ids_new(const char *journal, struct xf_err *err)
{
    struct xf_own_ids *ids = calloc(1, sizeof *ids);
    char path[XF_JOURNAL_PATH_SIZE + 8];
    char *real = realpath(journal, NULL); /* one list, by whatever name the journal is opened */

    if (ids == NULL) {
        (void)xf_fail(err, "out of memory");
        free(real);
        return NULL;
    }
    (void)snprintf(ids->path, sizeof ids->path, "%s", journal);
    (void)snprintf(path, sizeof path, "%s-sent", real != NULL ? real : journal);
    free(real);
    if (map(ids, path, err) != 0) {
        free(ids);
        return NULL;
    }
    return ids;
}

void xf_own_ids_free(struct xf_own_ids *ids)
{
    if (ids == NULL)
        return;
    (void)munmap(ids->places, MAPPED);
    free(ids);
}

bool xf_own_ids_of(const struct xf_own_ids *ids, const char *journal)
{
    return strcmp(ids->path, journal) == 0;
}

static struct place *place_of(const struct xf_own_ids *ids, int64_t second)
{
    return &ids->places[(uint64_t)second % XF_OWN_SECONDS];
}

void xf_own_ids_note(struct xf_own_ids *ids, int64_t second, uint32_t tail)
{
    struct run *run = ids->run;
    struct place *place;

    if (run != NULL && atomic_load(&run->second) == second &&
        tail == atomic_load(&run->start) + atomic_load(&run->count)) {
        (void)atomic_fetch_add(&run->count, 1);
        return;
    }
    place = place_of(ids, second);
    run = &place->runs[atomic_fetch_add(&place->next, 1) % XF_OWN_MAKERS];
    atomic_store(&run->second, INT64_C(-1)); /* whoever reads meanwhile passes it by */
    atomic_store(&run->start, tail);
    atomic_store(&run->count, 1);
    atomic_store(&run->second, second);
    ids->run = run;
}

bool xf_own_ids_hold(const struct xf_own_ids *ids, int64_t second, uint32_t tail)
{
    struct place *place = place_of(ids, second);

    for (int i = 0; i < XF_OWN_MAKERS; i++) {
        struct run *run = &place->runs[i];

        if (atomic_load(&run->second) == second && tail - atomic_load(&run->start) < atomic_load(&run->count))
            return true;
    }
    return false;
}
