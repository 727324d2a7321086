/*
 * The journal's witnesses: small files, each with the id of a journal and the
 * number of its last commit. One lies beside it (-mark) and one outside its folder,
 * in the user's state folder, where no backup of the journal's folder takes it
 * along. They are written after the commit and never synced: a crash or a loss of
 * power leaves one behind, or without words, and never ahead.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_inside.h"

enum {
    ID_DIGITS = XF_JOURNAL_ID_SIZE - 1,
    COMMIT_DIGITS = 20,
    WORDS = ID_DIGITS + 1 + COMMIT_DIGITS + 1, /* id, space, commits, newline */
};

static int beside_path(const struct xf_journal *j, char *out, size_t size)
{
    return snprintf(out, size, "%s-mark", j->path) < (int)size ? 0 : -1;
}

/* A file that lies in a folder for all and sundry (/tmp) is there for a while only,
 * and keeps no witness. */
static bool in_passing(const struct xf_journal *j)
{
    char folder[XF_JOURNAL_PATH_SIZE];
    struct stat st;

    (void)snprintf(folder, sizeof folder, "%.*s/", (int)(strrchr(j->path, '/') - j->path), j->path);
    return stat(folder, &st) == 0 && (st.st_mode & S_ISVTX) != 0;
}

/* Homes may be shared by several machines, each with a journal at the same path. */
static void read_machine(char *out, size_t size)
{
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : 0;

    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        (void)close(fd);
}

/* Where it is, its folders made if `make`. -1 with err when there can be none. */
static int outside_path(struct xf_journal *j, bool make, char out[XF_JOURNAL_PATH_SIZE], struct xf_err *err)
{
    static const char *const below_home[] = {"/.local", "/state", "/xfiot", NULL};
    static const char *const below_state[] = {"", "/xfiot", NULL};
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    bool given = state != NULL && state[0] == '/'; /* the XDG rules: a relative path does not count */
    char machine[64], named[XF_JOURNAL_PATH_SIZE + sizeof machine], name[XF_FINGERPRINT_SIZE];
    int used;

    if (in_passing(j))
        return xf_fail(err, "the journal lies in a folder for temporary files");
    if (!given && (home == NULL || home[0] != '/'))
        return xf_fail(err, "neither XDG_STATE_HOME nor HOME is set");
    read_machine(machine, sizeof machine);
    used = snprintf(named, sizeof named, "%s%s", machine, j->path);
    if (xf_journal_fingerprint(j, named, (size_t)used, name, err) != 0)
        return -1;
    used = snprintf(out, XF_JOURNAL_PATH_SIZE, "%s", given ? state : home);
    for (const char *const *part = given ? below_state : below_home; *part != NULL; part++) {
        if (used < XF_JOURNAL_PATH_SIZE)
            used += snprintf(out + used, XF_JOURNAL_PATH_SIZE - (size_t)used, "%s", *part);
        if (make && used < XF_JOURNAL_PATH_SIZE)
            (void)mkdir(out, 0700); /* what matters is whether the file can be opened */
    }
    if (used < XF_JOURNAL_PATH_SIZE)
        used += snprintf(out + used, XF_JOURNAL_PATH_SIZE - (size_t)used, "/journal-%.32s", name);
    return used < XF_JOURNAL_PATH_SIZE ? 0 : xf_fail(err, "its path is too long");
}

/* What root makes belongs to whoever the journal belongs to. */
static void hand_over(const struct xf_journal *j, int fd)
{
    struct stat st;

    if (geteuid() == 0 && stat(j->path, &st) == 0)
        (void)!fchown(fd, st.st_uid, st.st_gid);
}

int xf_witness_make(struct xf_journal *j, struct xf_err *err)
{
    char path[XF_JOURNAL_PATH_SIZE + 8];
    int *fd = &j->witnesses[XF_WITNESS_BESIDE];

    if (*fd >= 0)
        return 0;
    if (beside_path(j, path, sizeof path) == 0)
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return xf_fail(err, "the journal's mark cannot be made: %s (%.160s-mark)", strerror(errno), j->path);
    hand_over(j, *fd);
    return xf_file_sync_folder(path, err);
}

bool xf_witness_call(struct xf_journal *j)
{
    const int flags = (j->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW;
    char path[XF_JOURNAL_PATH_SIZE + 8];
    int *beside = &j->witnesses[XF_WITNESS_BESIDE], *outside = &j->witnesses[XF_WITNESS_OUTSIDE];
    struct xf_err ignored;
    struct stat st;
    bool there = true;

    if (*beside < 0 && beside_path(j, path, sizeof path) == 0) {
        *beside = open(path, flags);
        there = *beside >= 0 || errno != ENOENT;
    }
    if (*outside < 0 && outside_path(j, !j->read_only, path, &ignored) == 0) {
        *outside = open(path, flags | (j->read_only ? 0 : O_CREAT), 0600);
        /* for whoever finds the file: which journal it is about */
        if (*outside >= 0 && !j->read_only && fstat(*outside, &st) == 0 && st.st_size == 0)
            (void)!pwrite(*outside, j->path, strlen(j->path), WORDS);
    }
    return there;
}

bool xf_witness_hear(const struct xf_journal *j, enum xf_witness which, struct xf_testimony *out)
{
    const int fd = j->witnesses[which];
    char words[WORDS + 1] = "";
    const char *commits = words + ID_DIGITS + 1;

    if (fd < 0 || pread(fd, words, WORDS, 0) != WORDS)
        return false;
    if (strspn(words, "0123456789abcdef") != ID_DIGITS || words[ID_DIGITS] != ' ' ||
        strspn(commits, "0123456789") != COMMIT_DIGITS || words[WORDS - 1] != '\n')
        return false;
    (void)snprintf(out->id, sizeof out->id, "%.32s", words);
    out->commits = strtoll(commits, NULL, 10);
    return true;
}

void xf_witness_tell(struct xf_journal *j, int64_t position)
{
    char words[WORDS + 1];

    if (j->read_only)
        return;
    (void)snprintf(words, sizeof words, "%.32s %020" PRId64 "\n", j->id, position);
    for (int i = 0; i < XF_WITNESSES; i++) {
        if (j->witnesses[i] < 0 || pwrite(j->witnesses[i], words, WORDS, 0) == WORDS)
            continue;
        (void)close(j->witnesses[i]); /* a witness less; the order does not depend on it */
        j->witnesses[i] = -1;
    }
}

void xf_witness_dismiss(struct xf_journal *j)
{
    for (int i = 0; i < XF_WITNESSES; i++)
        if (j->witnesses[i] >= 0)
            (void)close(j->witnesses[i]);
}

int xf_journal_outside(struct xf_journal *j, char out[XF_JOURNAL_PATH_SIZE], struct xf_err *err)
{
    const char *slash = strrchr(j->path, '/');
    size_t folder = (size_t)(slash - j->path) + 1;

    if (outside_path(j, false, out, err) != 0)
        return -1;
    if (j->witnesses[XF_WITNESS_OUTSIDE] < 0 && access(out, R_OK | W_OK) != 0)
        return xf_fail(err, "%s (%.200s)", strerror(errno), out);
    /* a backup of the one folder is then one of both */
    return strncmp(out, j->path, folder) != 0
               ? 0
               : xf_fail(err, "it is in the journal's own folder (%.200s)", out);
}
