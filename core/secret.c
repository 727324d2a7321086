#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* LeakSanitizer attaches to the process it checks, which an undumpable process
 * does not allow. */
#if defined(__SANITIZE_ADDRESS__)
#define STAY_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STAY_DUMPABLE 1
#endif
#endif
#ifndef STAY_DUMPABLE
#define STAY_DUMPABLE 0
#endif

void xf_wipe(void *p, size_t size)
{
    OPENSSL_cleanse(p, size);
}

void xf_secret_seal_process(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    if (!STAY_DUMPABLE)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The length of the key in out[] without white space at its end, or -1 if it is
 * no key. `kind` and `name` say where it came from. */
static int check_key(const char *out, size_t size, const char *kind, const char *name, struct xf_err *err)
{
    while (size > 0 && is_space(out[size - 1]))
        size--;
    if (size == 0)
        return xf_fail(err, "the %s %s has no key in it; put the platform's key there", kind, name);
    for (size_t i = 0; i < size; i++) {
        if (is_space(out[i]))
            return xf_fail(err, "the key in the %s %s has white space before or inside it; take it out", kind,
                           name);
        if (out[i] < '!' || out[i] > '~')
            return xf_fail(err,
                           "the key in the %s %s has a control character or one beyond ASCII at byte %zu; "
                           "put the platform's key there as plain text",
                           kind, name, i + 1);
    }
    return (int)size;
}

static int fail_open(const char *path, int number, struct xf_err *err)
{
    if (number == ENOENT || number == ENOTDIR)
        return xf_fail(err, "there is no key file %s; make it, or correct the setting key_file", path);
    if (number == EACCES || number == EPERM)
        return xf_fail(err,
                       "the key file %s may not be read by the user with id %lu; make that user its owner",
                       path, (unsigned long)geteuid());
    return xf_fail(err, "the key file %s cannot be read: %s", path, strerror(number));
}

/* The rights that nobody else may have. systemd hands a credential of root's to a
 * service's user by an access list, which shows as the group's right to read. */
static mode_t too_much(const struct stat *info)
{
    const bool handed_over = info->st_uid == 0 && info->st_gid == 0 && geteuid() != 0;

    return info->st_mode & (S_IRWXG | S_IRWXO) & ~(handed_over ? (mode_t)S_IRGRP : (mode_t)0);
}

static int check_file(const char *path, int fd, struct xf_err *err)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return fail_open(path, errno, err);
    if (!S_ISREG(info.st_mode))
        return xf_fail(err, "the key file %s is not a regular file; correct the setting key_file", path);
    if (too_much(&info) != 0)
        return xf_fail(err, "the key file %s can be %s by others (mode %04o); run: chmod 600 %s", path,
                       (info.st_mode & (S_IRGRP | S_IROTH)) != 0 ? "read" : "changed or run",
                       (unsigned)info.st_mode & 07777, path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return xf_fail(err, "the key file %s belongs to the user with id %lu; run: chown %lu %s", path,
                       (unsigned long)info.st_uid, (unsigned long)geteuid(), path);
    if (info.st_size > XF_KEY_MOST)
        return xf_fail(err, "the key file %s has %lld bytes, a key at most %d; correct the setting key_file",
                       path, (long long)info.st_size, XF_KEY_MOST);
    return 0;
}

/* Reads to the end, or until out[] is full; returns the size, or -1 and errno. */
static ssize_t read_all(int fd, char out[XF_KEY_MOST])
{
    size_t size = 0;

    while (size < XF_KEY_MOST) {
        const ssize_t n = read(fd, out + size, XF_KEY_MOST - size);

        if (n == 0)
            break;
        if (n > 0)
            size += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)size;
}

int xf_secret_read_file(const char *path, char out[XF_KEY_MOST], struct xf_err *err)
{
    ssize_t size;
    int result = -1;
    /* Without O_NONBLOCK the opening of a FIFO would wait for its writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return fail_open(path, errno, err);
    if (check_file(path, fd, err) != 0)
        goto done;
    size = read_all(fd, out);
    if (size < 0)
        (void)fail_open(path, errno, err);
    else
        result = check_key(out, (size_t)size, "key file", path, err);
    if (result < 0)
        xf_wipe(out, XF_KEY_MOST);
done:
    (void)close(fd);
    return result;
}

int xf_secret_read_pipe(int fd, char out[XF_KEY_MOST], struct xf_err *err)
{
    const ssize_t size = read_all(fd, out);
    int result = -1;

    (void)close(fd);
    if (size < 0)
        (void)xf_fail(err, "the key cannot be read from its pipe: %s", strerror(errno));
    else
        result = check_key(out, (size_t)size, "pipe", "of the receiver", err);
    if (result < 0)
        xf_wipe(out, XF_KEY_MOST);
    return result;
}

int xf_secret_take_env(const char *name, char out[XF_KEY_MOST], struct xf_err *err)
{
    const size_t name_size = strlen(name);
    char *value = getenv(name);
    const size_t size = value == NULL ? 0 : strnlen(value, XF_KEY_MOST + 1);
    int result = 0;

    if (size > XF_KEY_MOST)
        result = xf_fail(err, "the environment variable %s has more than %d bytes, which no key has", name,
                         XF_KEY_MOST);
    else if (size > 0) {
        memcpy(out, value, size);
        result = check_key(out, size, "environment variable", name, err);
        if (result < 0)
            xf_wipe(out, XF_KEY_MOST);
    }
    /* An environment can hold a name twice, and /proc/PID/environ shows the
     * very bytes that the entries point to. */
    for (char **entry = environ; value != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, name, name_size) == 0 && (*entry)[name_size] == '=')
            xf_wipe(*entry + name_size + 1, strlen(*entry + name_size + 1));
    (void)unsetenv(name);
    return result;
}
