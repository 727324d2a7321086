#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logline.h"

/* Seconds. */
#define BACKOFF_LEAST 0.1
#define BACKOFF_MOST  10.0
#define LONG_LIFE     60.0
#define START_LIMIT   60.0 /* until it says that it is ready */
#define BUSY_MOST     86400.0

enum { LOOK_MS = 1000, ARGUMENTS_MOST = 64, ARGUMENT_SIZE = 32 };
enum { WORKER_NICE = 10 }; /* pushes wait for it, and not the other way round */

#if defined(__SANITIZE_ADDRESS__)
#define CAPPED 0 /* the sanitizer reserves more than any cap */
#else
#define CAPPED 1
#endif

struct xf_supervisor {
    struct xf_supervisor_options o;
    struct xf_loop *loop;
    struct xf_watcher watcher; /* its fd is our end of the channel; -1: no worker */
    pid_t pid; /* 0: none */
    double started_at, start_at; /* xf_loop_clock; start_at: when the next one begins */
    double kill_at; /* 0: it may live */
    double backoff;
    bool stopping, killed;
    uint64_t starts;
};

/* ---- the child's side, between fork and exec: only what is async-signal-safe */

struct child {
    char *arguments[ARGUMENTS_MOST];
    char channel[ARGUMENT_SIZE], key[ARGUMENT_SIZE];
    int ends[2]; /* ours, its */
    int key_fd; /* -1: none */
    pid_t parent;
};

static void run_child(const struct child *child, const char *program, rlim_t memory)
{
    const struct rlimit cap = {.rlim_cur = memory, .rlim_max = memory};
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != child->parent)
        _exit(127); /* it died before it could be said */
    (void)setpgid(0, 0); /* Ctrl-C is for the receiver, which tells the worker */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGINT, SIG_DFL);
    (void)setpriority(PRIO_PROCESS, 0, WORKER_NICE);
    if (CAPPED && memory > 0)
        (void)setrlimit(RLIMIT_DATA, &cap);
    /* not all of libcurl's descriptors are closed by exec */
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    (void)fcntl(child->ends[1], F_SETFD, 0);
    if (child->key_fd >= 0)
        (void)fcntl(child->key_fd, F_SETFD, 0);
    (void)execv(program, child->arguments);
    _exit(127);
}

/* ---- starting */

static int give_key(const struct xf_supervisor *s, struct child *child)
{
    int ends[2];
    ssize_t n;

    child->key_fd = -1;
    if (s->o.key == NULL)
        return 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    n = write(ends[1], s->o.key, s->o.key_size); /* a pipe holds more than a key has */
    (void)close(ends[1]);
    child->key_fd = ends[0];
    return n == (ssize_t)s->o.key_size ? 0 : -1;
}

static int prepare(const struct xf_supervisor *s, struct child *child)
{
    size_t n = 0;

    child->arguments[n++] = (char *)(uintptr_t) "xfiot";
    for (const char *const *a = s->o.arguments; *a != NULL && n < ARGUMENTS_MOST - 3; a++)
        child->arguments[n++] = (char *)(uintptr_t)*a;
    (void)snprintf(child->channel, sizeof child->channel, "--channel=%d", child->ends[1]);
    child->arguments[n++] = child->channel;
    if (give_key(s, child) != 0)
        return -1;
    if (child->key_fd >= 0) {
        (void)snprintf(child->key, sizeof child->key, "--key=%d", child->key_fd);
        child->arguments[n++] = child->key;
    }
    child->arguments[n] = NULL;
    child->parent = getpid();
    return 0;
}

static void set_back(struct xf_supervisor *s)
{
    s->start_at = xf_loop_clock() + s->backoff;
    s->backoff = s->backoff * 2 < BACKOFF_MOST ? s->backoff * 2 : BACKOFF_MOST;
}

static void start(struct xf_supervisor *s)
{
    struct child child = {.ends = {-1, -1}, .key_fd = -1};
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, child.ends) == 0 &&
        prepare(s, &child) == 0)
        pid = fork();
    if (pid == 0)
        run_child(&child, s->o.program, (rlim_t)s->o.memory * 1024 * 1024);
    if (child.ends[1] >= 0)
        (void)close(child.ends[1]);
    if (child.key_fd >= 0)
        (void)close(child.key_fd);
    if (pid < 0) {
        xf_logline("worker", "level=error state=not_started why=\"%s\"", strerror(errno));
        if (child.ends[0] >= 0)
            (void)close(child.ends[0]);
        set_back(s);
        return;
    }
    s->pid = pid;
    s->watcher.fd = child.ends[0];
    s->started_at = xf_loop_clock();
    s->kill_at = s->started_at + START_LIMIT;
    s->killed = false;
    s->starts++;
    xf_logline("worker", "level=info state=started pid=%ld", (long)pid);
}

/* ---- hearing */

static void kill_worker(struct xf_supervisor *s, const char *why)
{
    if (s->killed)
        return;
    s->killed = true;
    xf_logline("worker", "level=warning state=killed pid=%ld why=\"%s\"", (long)s->pid, why);
    if (kill(-s->pid, SIGKILL) != 0) /* with what it may have started */
        (void)kill(s->pid, SIGKILL);
}

static void hear(struct xf_supervisor *s, const char *text)
{
    char *end = NULL;
    double seconds;

    if (strncmp(text, "busy ", 5) == 0) {
        (void)strtoll(text + 5, &end, 10);
        seconds = strtod(end, NULL);
        if (!(seconds >= 0 && seconds <= BUSY_MOST))
            seconds = BUSY_MOST;
        if (!s->stopping)
            s->kill_at = xf_loop_clock() + seconds;
    } else if (strcmp(text, "idle") == 0 || strcmp(text, "ready") == 0) {
        if (!s->stopping)
            s->kill_at = 0;
    } else if (strncmp(text, "orders ", 7) == 0 && s->o.tell_orders != NULL) {
        s->o.tell_orders(s->o.payload, text + 7);
    }
}

static void hear_all(struct xf_supervisor *s)
{
    char text[XF_CHANNEL_MOST + 1];
    ssize_t n;

    if (s->watcher.fd < 0)
        return;
    while ((n = recv(s->watcher.fd, text, XF_CHANNEL_MOST, MSG_DONTWAIT)) > 0) {
        text[n] = '\0';
        hear(s, text);
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        (void)close(s->watcher.fd); /* it ends, or will not talk any more */
        s->watcher.fd = -1;
        s->kill_at = s->kill_at > 0 ? s->kill_at : xf_loop_clock() + BACKOFF_LEAST;
    }
}

static void reap(struct xf_supervisor *s)
{
    int status = 0;

    if (s->pid == 0 || waitpid(s->pid, &status, WNOHANG) != s->pid)
        return;
    xf_logline("worker", "level=%s state=ended pid=%ld %s=%d", s->stopping ? "info" : "warning", (long)s->pid,
               WIFSIGNALED(status) ? "signal" : "exit",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    (void)kill(-s->pid, SIGKILL); /* what it has left behind */
    if (s->watcher.fd >= 0)
        (void)close(s->watcher.fd);
    s->watcher.fd = -1;
    s->pid = 0;
    s->kill_at = 0;
    if (xf_loop_clock() - s->started_at > LONG_LIFE)
        s->backoff = BACKOFF_LEAST;
    set_back(s);
}

static void work(void *payload)
{
    struct xf_supervisor *s = payload;

    hear_all(s);
    reap(s);
    if (s->pid != 0 && s->kill_at > 0 && xf_loop_clock() >= s->kill_at)
        kill_worker(s, s->stopping ? "it did not stop in time" : "what it runs takes too long");
    if (s->pid == 0 && !s->stopping && xf_loop_clock() >= s->start_at)
        start(s);
}

static int timeout_ms(void *payload)
{
    const struct xf_supervisor *s = payload;
    const double now = xf_loop_clock();
    double left = LOOK_MS / 1000.0;

    if (s->pid == 0 && s->stopping)
        return -1;
    if (s->pid == 0)
        left = s->start_at - now;
    else if (s->watcher.fd < 0)
        left = 0.02; /* it is about to end, which nothing tells */
    else if (s->kill_at > 0 && !s->killed && s->kill_at - now < left)
        left = s->kill_at - now;
    return left > 0 ? (int)(left * 1000) + 1 : 0;
}

/* ---- for others */

struct xf_supervisor *xf_supervisor_new(struct xf_loop *loop, const struct xf_supervisor_options *o,
                                        struct xf_err *err)
{
    struct xf_supervisor *s = calloc(1, sizeof *s);

    if (s == NULL) {
        (void)xf_fail(err, "out of memory");
        return NULL;
    }
    s->o = *o;
    s->loop = loop;
    s->backoff = BACKOFF_LEAST;
    s->watcher = (struct xf_watcher){.fd = -1, .timeout_ms = timeout_ms, .work = work, .payload = s};
    xf_loop_watch(loop, &s->watcher);
    return s;
}

void xf_supervisor_free(struct xf_supervisor *s)
{
    if (s == NULL)
        return;
    xf_loop_unwatch(s->loop, &s->watcher);
    if (s->pid != 0) {
        kill_worker(s, "the receiver ends");
        (void)waitpid(s->pid, NULL, 0);
    }
    if (s->watcher.fd >= 0)
        (void)close(s->watcher.fd);
    free(s);
}

static void tell(const struct xf_supervisor *s, const char *text)
{
    if (s->watcher.fd >= 0)
        (void)send(s->watcher.fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void xf_supervisor_wake(struct xf_supervisor *s)
{
    tell(s, "wake");
}

void xf_supervisor_reload(struct xf_supervisor *s)
{
    tell(s, "reload");
}

void xf_supervisor_stop(struct xf_supervisor *s, unsigned grace_s)
{
    tell(s, "stop");
    s->stopping = true;
    s->kill_at = xf_loop_clock() + grace_s;
}

bool xf_supervisor_stopped(const struct xf_supervisor *s)
{
    return s->stopping && s->pid == 0;
}

uint64_t xf_supervisor_starts(const struct xf_supervisor *s)
{
    return s->starts;
}
