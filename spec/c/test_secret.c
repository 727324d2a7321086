#include "secret.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

#define KEY  "0a155959379dc684bfa11f199734b01d"
#define NAME "XFIOT_TEST_KEY"

static const struct {
    const char *name, *content;
    size_t size;
    int result;
    const char *key; /* if it is one */
    const char *says; /* else this is in the sentence */
} FILES[] = {
    {"a key", KEY, 32, 32, KEY, NULL},
    {"newline at the end", KEY "\n", 33, 32, KEY, NULL},
    {"white space at the end", KEY " \t\v\f\r\n\n", 39, 32, KEY, NULL},
    {"one character", "k", 1, 1, "k", NULL},
    {"empty", "", 0, -1, NULL, "no key in it"},
    {"only white space", " \r\n", 3, -1, NULL, "no key in it"},
    {"space before", " " KEY, 33, -1, NULL, "white space"},
    {"space inside", "0a15 5959", 9, -1, NULL, "white space"},
    {"two lines", KEY "\n" KEY "\n", 66, -1, NULL, "white space"},
    {"control character", "0a15\x01zz", 7, -1, NULL, "at byte 5"},
    {"NUL", "0a\0b", 4, -1, NULL, "control character"},
    {"DEL", "0a\x7f", 3, -1, NULL, "control character"},
    {"byte order mark", "\xEF\xBB\xBF" KEY, 35, -1, NULL, "beyond ASCII"},
    {"Chinese", "密钥", 6, -1, NULL, "beyond ASCII"},
};

static bool write_file(const char *path, const char *content, size_t size, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    const bool ok = write(fd, content, size) == (ssize_t)size && fchmod(fd, mode) == 0;
    return close(fd) == 0 && ok;
}

/* Reads, and looks at what every outcome has in common. */
static int read_key(const char *path, char out[XF_KEY_MOST], struct xf_err *err)
{
    memset(out, 0, XF_KEY_MOST);
    err->message[0] = '\0';
    const int result = xf_secret_read_file(path, out, err);

    CHECK((result < 0) == (err->message[0] != '\0'));
    CHECK(result > 0 || result == -1);
    CHECK(strstr(err->message, "0a15") == NULL);
    CHECK(result > 0 || strstr(err->message, path) != NULL || strlen(path) > 150);
    CHECK(result > 0 || out[0] == '\0'); /* nothing stays behind */
    return result;
}

static void check_contents(const char *path)
{
    char out[XF_KEY_MOST], many[XF_KEY_MOST + 1];
    struct xf_err err;

    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        CHECK_ROW(write_file(path, FILES[i].content, FILES[i].size, 0600), FILES[i].name);
        CHECK_ROW(read_key(path, out, &err) == FILES[i].result, FILES[i].name);
        if (FILES[i].key != NULL)
            CHECK_ROW(memcmp(out, FILES[i].key, (size_t)FILES[i].result) == 0, FILES[i].name);
        else
            CHECK_ROW(strstr(err.message, FILES[i].says) != NULL, err.message);
    }
    memset(many, 'k', sizeof many);
    CHECK(write_file(path, many, XF_KEY_MOST, 0600));
    CHECK(read_key(path, out, &err) == XF_KEY_MOST);
    CHECK(write_file(path, many, XF_KEY_MOST + 1, 0600));
    CHECK(read_key(path, out, &err) == -1 && strstr(err.message, "1025 bytes") != NULL);
}

static void check_modes(const char *path)
{
    static const struct {
        mode_t mode;
        const char *says;
    } MODES[] = {
        {0400, NULL},
        {0600, NULL},
        {0700, NULL},
        {0644, "read by others (mode 0644); run: chmod 600 "},
        {0640, "read by others (mode 0640); run: chmod 600 "},
        {0604, "read by others (mode 0604)"},
        {0620, "changed or run by others (mode 0620)"},
        {0601, "changed or run by others (mode 0601)"},
        {0666, "read by others (mode 0666)"},
    };
    char out[XF_KEY_MOST];
    struct xf_err err;

    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        CHECK_ROW(write_file(path, KEY "\n", 33, 0600) && chmod(path, MODES[i].mode) == 0, "mode");
        if (MODES[i].says == NULL)
            CHECK(read_key(path, out, &err) == 32);
        else
            CHECK_ROW(read_key(path, out, &err) == -1 && strstr(err.message, MODES[i].says) != NULL,
                      MODES[i].says);
        (void)chmod(path, 0600);
    }
    CHECK(write_file(path, KEY, 32, 0600));
    if (geteuid() == 0 && chown(path, 54321, (gid_t)-1) == 0) { /* only root can show this one */
        CHECK(read_key(path, out, &err) == -1 && strstr(err.message, "54321; run: chown 0 ") != NULL);
        (void)chown(path, 0, (gid_t)-1);
    }
}

static void check_kinds(const char *folder, const char *path)
{
    char other[512], out[XF_KEY_MOST], longest[2000];
    struct xf_err err;

    (void)snprintf(other, sizeof other, "%s/other", folder);
    CHECK(read_key(other, out, &err) == -1 && strstr(err.message, "there is no key file") != NULL);
    CHECK(read_key(folder, out, &err) == -1 && strstr(err.message, "not a regular file") != NULL);
    CHECK(read_key("/dev/null", out, &err) == -1 && strstr(err.message, "not a regular file") != NULL);
    CHECK(mkfifo(other, 0600) == 0); /* nobody writes: an ordinary open would wait for ever */
    CHECK(read_key(other, out, &err) == -1 && strstr(err.message, "not a regular file") != NULL);
    CHECK(unlink(other) == 0);

    CHECK(write_file(path, KEY, 32, 0600));
    CHECK(symlink(path, other) == 0);
    CHECK(read_key(other, out, &err) == 32);
    CHECK(chmod(path, 0644) == 0);
    CHECK(read_key(other, out, &err) == -1);
    CHECK(unlink(other) == 0);
    CHECK(symlink(other, other) == 0);
    CHECK(read_key(other, out, &err) == -1 && strstr(err.message, "cannot be read") != NULL);
    CHECK(unlink(other) == 0);

    memset(longest, 'p', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CHECK(read_key(longest, out, &err) == -1);
    for (size_t i = 99; i < sizeof longest; i += 100)
        longest[i] = i == sizeof longest - 1 ? '\0' : '/';
    CHECK(read_key(longest, out, &err) == -1 && strlen(err.message) < XF_ERR_SIZE);
}

static void check_environment(void)
{
    char out[XF_KEY_MOST], many[XF_KEY_MOST + 2];
    struct xf_err err = {""};

    CHECK(unsetenv(NAME) == 0);
    CHECK(xf_secret_take_env(NAME, out, &err) == 0);
    CHECK(setenv(NAME, "", 1) == 0);
    CHECK(xf_secret_take_env(NAME, out, &err) == 0 && getenv(NAME) == NULL);
    CHECK(setenv(NAME "_2", "stays", 1) == 0);
    CHECK(setenv(NAME, KEY "\n", 1) == 0);
    const char *bytes = getenv(NAME);
    CHECK(xf_secret_take_env(NAME, out, &err) == 32 && memcmp(out, KEY, 32) == 0);
    CHECK(getenv(NAME) == NULL && bytes != NULL && bytes[0] == '\0' && bytes[31] == '\0');
    CHECK(xf_secret_take_env(NAME, out, &err) == 0);
    CHECK_TEXT(getenv(NAME "_2"), "stays");

    CHECK(setenv(NAME, "0a15 5959", 1) == 0);
    CHECK(xf_secret_take_env(NAME, out, &err) == -1 && getenv(NAME) == NULL && out[0] == '\0');
    CHECK(strstr(err.message, "environment variable " NAME) != NULL && strstr(err.message, "0a15") == NULL);
    memset(many, 'k', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    CHECK(setenv(NAME, many, 1) == 0);
    CHECK(xf_secret_take_env(NAME, out, &err) == -1 && getenv(NAME) == NULL);
    CHECK(strstr(err.message, "more than 1024 bytes") != NULL);
    many[XF_KEY_MOST] = '\0';
    CHECK(setenv(NAME, many, 1) == 0);
    CHECK(xf_secret_take_env(NAME, out, &err) == XF_KEY_MOST);
}

/* ---- a process that was started with the key in its environment, twice */

static bool environment_shows(const char *what)
{
    char block[65536];
    size_t size = 0;
    ssize_t n;
    const int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return true;
    while (size < sizeof block && (n = read(fd, block + size, sizeof block - size)) > 0)
        size += (size_t)n;
    (void)close(fd);
    return memmem(block, size, what, strlen(what)) != NULL;
}

static int run_child(void)
{
    char out[XF_KEY_MOST];
    struct xf_err err;
    const bool before = environment_shows(KEY) && environment_shows("second-one");
    const int size = xf_secret_take_env(NAME, out, &err);
    const bool right = size == 32 && memcmp(out, KEY, 32) == 0;

    xf_wipe(out, sizeof out);
    return before && right && getenv(NAME) == NULL && !environment_shows(KEY) &&
                   !environment_shows("second-one") && environment_shows("XFIOT_OTHER=stays")
               ? 0
               : 1;
}

static int wait_for(pid_t child)
{
    int status = -1;

    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void check_original_environment(void)
{
    char program[] = "/proc/self/exe", mode[] = "child";
    char first[] = NAME "=" KEY, second[] = NAME "=second-one", other[] = "XFIOT_OTHER=stays";
    char *const args[] = {program, mode, NULL};
    char *const variables[] = {first, other, second, NULL};
    const pid_t child = fork();

    if (child == 0) {
        (void)execve(program, args, variables);
        _exit(127);
    }
    CHECK(wait_for(child) == 0);
}

static void check_seal(void)
{
    const pid_t child = fork();

    if (child == 0) {
        struct rlimit limit = {1, 1};

        xf_secret_seal_process();
        if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
            _exit(1);
        _exit(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 2 : 3);
    }
    const int code = wait_for(child);
    CHECK(code == (UNDER_ASAN ? 3 : 2)); /* the leak sanitizer needs a dumpable process */
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    char folder[256], path[512], bytes[8] = "secret";

    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return run_child();
    xf_wipe(bytes, sizeof bytes);
    CHECK(memcmp(bytes, "\0\0\0\0\0\0\0\0", sizeof bytes) == 0);

    (void)snprintf(folder, sizeof folder, "%s/xfiot-secret-XXXXXX", base != NULL ? base : "/tmp");
    if (!CHECK(mkdtemp(folder) != NULL))
        return check_end();
    (void)snprintf(path, sizeof path, "%s/key", folder);
    check_contents(path);
    check_modes(path);
    check_kinds(folder, path);
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    check_environment();
    check_original_environment();
    check_seal();
    return check_end();
}
