/* Where the journal's file is, and making it; and what a request is known by. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "journal_inside.h"

int xf_journal_default_path(char out[XF_JOURNAL_PATH_SIZE], struct xf_err *err)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int n = -1;

    if (data != NULL && data[0] == '/') /* the XDG rules: a relative path does not count */
        n = snprintf(out, XF_JOURNAL_PATH_SIZE, "%s/xfiot/journal.db", data);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, XF_JOURNAL_PATH_SIZE, "%s/.local/share/xfiot/journal.db", home);
    else
        return xf_fail(err, "neither XDG_DATA_HOME nor HOME is set: give the journal's path");
    return n < XF_JOURNAL_PATH_SIZE ? 0 : xf_fail(err, "the journal's path is too long");
}

int xf_file_sync_folder(const char *path, struct xf_err *err)
{
    const char *slash = strrchr(path, '/');
    char folder[XF_JOURNAL_PATH_SIZE];
    int fd, failed;

    if (slash == NULL)
        (void)snprintf(folder, sizeof folder, ".");
    else
        (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failed = fd < 0 || fsync(fd) != 0;
    if (failed)
        (void)xf_fail(err, "the journal's folder cannot be synced: %s (%.160s)", strerror(errno), folder);
    if (fd >= 0)
        (void)close(fd);
    return failed ? -1 : 0;
}

static int make_folders(const char *path, struct xf_err *err)
{
    char part[XF_JOURNAL_PATH_SIZE];

    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return xf_fail(err, "the journal's path is too long");
    for (char *p = strchr(part + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(part, 0700) == 0) {
            if (xf_file_sync_folder(part, err) != 0)
                return -1;
        } else if (errno != EEXIST && access(part, F_OK) != 0) {
            return xf_fail(err, "the journal's folder cannot be made: %s (%.160s)", strerror(errno), part);
        }
        *p = '/';
    }
    return 0;
}

/* Only ever opens a file that nobody had open: closing one that SQLite uses in
 * this process would drop its locks. */
int xf_file_make(const char *path, struct xf_err *err)
{
    int fd;

    if (path[0] == '\0')
        return xf_fail(err, "the journal's path is empty");
    if (make_folders(path, err) != 0)
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST
                   ? 0
                   : xf_fail(err, "the journal cannot be made: %s (%.160s)", strerror(errno), path);
    (void)close(fd);
    return xf_file_sync_folder(path, err);
}

int xf_file_regular(const char *path, struct xf_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return xf_fail(err, "the journal cannot be found: %s (%.160s)", strerror(errno), path);
    if (S_ISDIR(st.st_mode))
        return xf_fail(err, "the journal's path is a folder: name a file in it (%.160s)", path);
    return S_ISREG(st.st_mode)
               ? 0
               : xf_fail(err, "the journal's path is a device or pipe, not a file: choose another (%.160s)",
                         path);
}

int xf_journal_probe(const char *path, struct xf_err *err)
{
    struct stat st;

    if (stat(path, &st) == 0)
        return xf_file_regular(path, err) == 0 ? 1 : -1;
    if (errno == ENOENT)
        return 0;
    return xf_fail(err, "the journal cannot be looked at: %s (%.160s)", strerror(errno), path);
}

int xf_journal_fingerprint(struct xf_journal *j, const char *text, size_t size, char out[XF_FINGERPRINT_SIZE],
                           struct xf_err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[32];

    if (j->sha256 == NULL)
        j->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (j->sha256 == NULL || EVP_Digest(text, size, digest, NULL, j->sha256, NULL) != 1)
        return xf_fail(err, "SHA-256 is not to be had from the cryptographic library");
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * sizeof digest] = '\0';
    return 0;
}
