/* The supervisor with workers of every temper. A worker is this program once more. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* ---- the worker's side */

static void say(int channel, const char *text)
{
    if (send(channel, text, strlen(text), 0) < 0)
        _exit(9);
}

static void hear(int channel, char out[XF_CHANNEL_MOST + 1])
{
    struct pollfd p = {.fd = channel, .events = POLLIN};
    ssize_t n;

    (void)poll(&p, 1, 20000);
    n = recv(channel, out, XF_CHANNEL_MOST, 0);
    if (n <= 0)
        _exit(8);
    out[n] = '\0';
}

static int number_of(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, strlen(name)) == 0)
            return (int)strtol(argv[i] + strlen(name), NULL, 10);
    return -1;
}

/* Tells what it was told, until it is told to stop. */
static void obey(int channel)
{
    char text[XF_CHANNEL_MOST + 1], answer[XF_CHANNEL_MOST + 32];

    say(channel, "ready");
    for (;;) {
        hear(channel, text);
        if (strcmp(text, "stop") == 0)
            _exit(0);
        (void)snprintf(answer, sizeof answer, "orders %s", text);
        say(channel, answer);
    }
}

static void show_state(int channel, int key_fd)
{
    char key[64] = "", text[128];
    int open = 0;
    struct rlimit data = {0};
    int death = 0;
    sigset_t blocked;

    if (read(key_fd, key, sizeof key - 1) < 0)
        _exit(7);
    (void)getrlimit(RLIMIT_DATA, &data);
    (void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int fd = 3; fd < 256; fd++)
        open += fcntl(fd, F_GETFD) >= 0 && fd != channel && fd != key_fd;
    (void)snprintf(text, sizeof text, "orders key=%s death=%d blocked=%d open=%d", key, death == SIGKILL,
                   sigismember(&blocked, SIGTERM), open);
    say(channel, text);
}

static void be_worker(int argc, char **argv)
{
    const int channel = number_of(argc, argv, "--channel=");
    char text[XF_CHANNEL_MOST + 1];

    switch (argv[1][0]) {
    case 'o':
        obey(channel);
        break;
    case 's':
        show_state(channel, number_of(argc, argv, "--key="));
        obey(channel);
        break;
    case 'h': /* hangs in the midst of a push */
        say(channel, "ready");
        say(channel, "busy 7 0.05");
        for (;;)
            (void)pause();
    case 'd': /* deaf: does not stop */
        say(channel, "ready");
        for (;;)
            (void)pause();
    case 'c': /* closes its end, and stays */
        say(channel, "ready");
        (void)close(channel);
        for (;;)
            (void)pause();
    case 'q': /* busy in time, then idle, then obedient */
        say(channel, "busy 1 30");
        say(channel, "idle");
        hear(channel, text);
        obey(channel);
        break;
    default:
        _exit(3);
    }
}

/* ---- this side */

struct scene {
    struct xf_loop *loop;
    struct xf_supervisor *supervisor;
    char told[XF_CHANNEL_MOST + 1];
    unsigned times;
};

static void on_orders(void *payload, const char *text)
{
    struct scene *s = payload;

    (void)snprintf(s->told, sizeof s->told, "%s", text);
    s->times++;
}

static void open_scene(struct scene *s, const char *const *arguments, const char *key)
{
    struct xf_supervisor_options o = {.program = "/proc/self/exe",
                                      .arguments = arguments,
                                      .memory = 1024,
                                      .key = key,
                                      .key_size = key != NULL ? strlen(key) : 0,
                                      .tell_orders = on_orders,
                                      .payload = s};
    struct xf_err err;

    *s = (struct scene){.loop = xf_loop_new(&err)};
    s->supervisor = xf_supervisor_new(s->loop, &o, &err);
    CHECK(s->supervisor != NULL);
}

static void close_scene(struct scene *s)
{
    xf_supervisor_free(s->supervisor);
    xf_loop_free(s->loop);
}

static void step(struct scene *s)
{
    struct xf_err err;

    CHECK(xf_loop_step(s->loop, 100, &err) == 0);
}

static bool await(struct scene *s, const char *text)
{
    for (int i = 0; i < 600 && strcmp(s->told, text) != 0; i++)
        step(s);
    return strcmp(s->told, text) == 0;
}

static bool await_starts(struct scene *s, uint64_t starts)
{
    for (int i = 0; i < 600 && xf_supervisor_starts(s->supervisor) < starts; i++)
        step(s);
    return xf_supervisor_starts(s->supervisor) >= starts;
}

static bool await_stop(struct scene *s, unsigned grace_s)
{
    xf_supervisor_stop(s->supervisor, grace_s);
    for (int i = 0; i < 600 && !xf_supervisor_stopped(s->supervisor); i++)
        step(s);
    return xf_supervisor_stopped(s->supervisor);
}

static void obedient(void)
{
    static const char *const arguments[] = {"show", NULL};
    struct scene s;

    open_scene(&s, arguments, "k3y");
    CHECK(await(&s, "key=k3y death=1 blocked=0 open=0"));
    xf_supervisor_wake(s.supervisor);
    CHECK(await(&s, "wake"));
    xf_supervisor_reload(s.supervisor);
    CHECK(await(&s, "reload"));
    CHECK(!xf_supervisor_stopped(s.supervisor));
    CHECK(await_stop(&s, 30));
    CHECK(xf_supervisor_starts(s.supervisor) == 1);
    close_scene(&s);
}

/* Each of these ends, and another takes its place. */
static void starts_again(void)
{
    static const struct {
        const char *row;
        const char *arguments[2];
    } rows[] = {
        {"hangs", {"hang", NULL}},
        {"closes its end", {"close", NULL}},
        {"exits at once", {"exit", NULL}},
    };
    struct scene s;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_scene(&s, rows[i].arguments, NULL);
        CHECK_ROW(await_starts(&s, 3), rows[i].row);
        close_scene(&s);
    }
}

static void busy_is_no_crime(void)
{
    static const char *const arguments[] = {"quick", NULL};
    struct scene s;

    open_scene(&s, arguments, NULL);
    for (int i = 0; i < 10; i++)
        step(&s);
    xf_supervisor_wake(s.supervisor);
    for (int i = 0; i < 600 && s.times == 0; i++) {
        xf_supervisor_wake(s.supervisor);
        step(&s);
    }
    CHECK(strcmp(s.told, "wake") == 0 && xf_supervisor_starts(s.supervisor) == 1);
    CHECK(await_stop(&s, 30));
    close_scene(&s);
}

static void deaf(void)
{
    static const char *const arguments[] = {"deaf", NULL};
    struct scene s;

    open_scene(&s, arguments, NULL);
    CHECK(await_starts(&s, 1));
    CHECK(await_stop(&s, 0));
    CHECK(xf_supervisor_starts(s.supervisor) == 1);
    close_scene(&s);
}

static void cannot_start(void)
{
    static const char *const arguments[] = {"obey", NULL};
    struct xf_supervisor_options o = {.program = "/nonexistent/program", .arguments = arguments};
    struct scene s = {0};
    struct xf_err err;

    s.loop = xf_loop_new(&err);
    s.supervisor = xf_supervisor_new(s.loop, &o, &err);
    CHECK(await_starts(&s, 2));
    xf_supervisor_wake(s.supervisor);
    CHECK(await_stop(&s, 1));
    close_scene(&s);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        be_worker(argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)!freopen("/dev/null", "w", stderr); /* the lines about workers */
    obedient();
    starts_again();
    busy_is_no_crime();
    deaf();
    cannot_start();
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    return check_end();
}
