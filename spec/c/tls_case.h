/* Certificates for test programs, made on the spot by openssl. */
#ifndef TLS_CASE_H
#define TLS_CASE_H

#include <sys/wait.h>

#include "journal_case.h"

struct tls_case {
    char certificate[CASE_PATH], private_key[CASE_PATH];
};

static inline void tls_run(const char *const *arguments)
{
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr); /* its progress */
        (void)execvp("openssl", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* One for 127.0.0.1 that signs itself, good for two days, and its key. */
static inline struct tls_case tls_make(const char *folder, const char *name)
{
    struct tls_case t;
    const char *const make[] = {"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=xfiot",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                "-keyout",
                                t.private_key,
                                "-out",
                                t.certificate,
                                NULL};

    (void)snprintf(t.certificate, sizeof t.certificate, "%s/%s.pem", folder, name);
    (void)snprintf(t.private_key, sizeof t.private_key, "%s/%s-key.pem", folder, name);
    tls_run(make);
    return t;
}

/* The file's text, to be freed. */
static inline char *tls_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 16384);
    size_t size = 0;

    if (file != NULL && text != NULL)
        size = fread(text, 1, 16383, file);
    if (file != NULL)
        (void)fclose(file);
    if (size == 0)
        abort();
    return text;
}

/* The file holds the text from now on; whoever reads it sees the old or the new one. */
static inline void tls_put(const char *path, const char *text)
{
    char beside[CASE_PATH + 8];
    FILE *file;

    (void)snprintf(beside, sizeof beside, "%s.new", path);
    file = fopen(beside, "wb");
    CHECK(file != NULL && fwrite(text, 1, strlen(text), file) == strlen(text));
    CHECK(file != NULL && fclose(file) == 0 && rename(beside, path) == 0);
}

#endif
