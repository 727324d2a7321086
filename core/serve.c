#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bytes.h"
#include "logline.h"
#include "secret.h"
#include "service_manager.h"
#include "timestamp.h"

enum { STOP_S = 35, STEP_MS = 1000, PEM_MOST = 256 * 1024 };
#define FINISH_S 5.0 /* that requests which have begun may still take when it stops */

struct serve {
    const struct xf_serve_options *o;
    struct xf_service_manager manager;
    struct xf_loop *loop;
    struct xf_listener *listener;
    struct xf_receiver *receiver;
    struct xf_supervisor *supervisor; /* or NULL */
    struct xf_watcher signals;
    sigset_t before;
    bool blocked; /* the signals are */
    bool stopping;
    double stop_at, watchdog_at; /* xf_loop_clock */
};

/* ---- the certificate */

struct pem {
    struct xf_bytes certificate, private_key;
};

static int read_file(const char *path, const char *what, struct xf_bytes *out, struct xf_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char piece[4096];
    ssize_t n = -1;

    xf_bytes_init(out, PEM_MOST);
    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
        xf_bytes_add(out, piece, (size_t)n);
    if (n < 0)
        (void)xf_fail(err, "the %s cannot be read: %s (%.160s)", what, strerror(errno), path);
    else if (out->failed || out->size == 0)
        n = xf_fail(err, "the %s is empty or too long (%.160s)", what, path);
    xf_wipe(piece, sizeof piece);
    if (fd >= 0)
        (void)close(fd);
    return n < 0 ? -1 : 0;
}

/* Forgotten with forget_pem, also after -1. */
static int read_pem(const struct xf_serve_options *o, struct pem *out, struct xf_err *err)
{
    *out = (struct pem){0};
    return read_file(o->certificate_file, "certificate", &out->certificate, err) != 0 ||
                   read_file(o->private_key_file, "certificate's key", &out->private_key, err) != 0
               ? -1
               : 0;
}

static void forget_pem(struct pem *pem)
{
    if (pem->private_key.data != NULL)
        xf_wipe(pem->private_key.data, pem->private_key.size);
    xf_bytes_free(&pem->certificate);
    xf_bytes_free(&pem->private_key);
}

static void tell_certificate(const struct serve *s, const char *state)
{
    char expires[XF_TIMESTAMP_LENGTH + 1];

    if (xf_timestamp_format(expires, xf_listener_expires(s->listener), s->o->receiver.offset))
        xf_logline("certificate", "level=info state=%s expires=%s", state, expires);
}

static void renew_certificate(struct serve *s)
{
    struct pem pem;
    struct xf_err err = {""};
    char why[XF_LOG_VALUE];

    if (read_pem(s->o, &pem, &err) == 0 &&
        xf_listener_renew(s->listener, pem.certificate.data, pem.private_key.data,
                          xf_source_system.now(xf_source_system.payload), &err) == 0)
        tell_certificate(s, "renewed");
    else
        xf_logline("certificate", "level=error state=kept why=%s", xf_log_value(why, err.message));
    forget_pem(&pem);
}

/* ---- signals */

static void stop(struct serve *s)
{
    const unsigned grace_s = s->o->stop_s > 0 ? s->o->stop_s : (unsigned)STOP_S;

    if (!s->stopping) {
        xf_logline("stopping", "level=info requests=%zu", xf_listener_requests(s->listener));
        xf_service_manager_tell(&s->manager, "STOPPING=1");
        xf_listener_quiesce(s->listener);
        s->stop_at = xf_loop_clock() + FINISH_S;
    }
    if (s->supervisor != NULL)
        xf_supervisor_stop(s->supervisor, s->stopping ? 0 : grace_s);
    s->stopping = true;
}

static void reload(struct serve *s)
{
    xf_logline("reload", "level=info");
    if (s->o->certificate_file != NULL)
        renew_certificate(s);
    if (s->supervisor != NULL)
        xf_supervisor_reload(s->supervisor);
}

static void on_signal(void *payload)
{
    struct serve *s = payload;
    struct signalfd_siginfo info;

    while (read(s->signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGHUP)
            stop(s);
        else if (!s->stopping)
            reload(s);
    }
}

static int watch_signals(struct serve *s, struct xf_err *err)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, &s->before) != 0)
        return xf_fail(err, "signals cannot be watched: %s", strerror(errno));
    s->blocked = true;
    s->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals.fd < 0)
        return xf_fail(err, "signals cannot be watched: %s", strerror(errno));
    s->signals.work = on_signal;
    s->signals.payload = s;
    xf_loop_watch(s->loop, &s->signals);
    return 0;
}

/* ---- beginning */

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int listen_for(struct serve *s, struct xf_err *err)
{
    struct xf_listener_options l = s->o->listener;
    struct pem pem = {0};

    if (s->o->certificate_file != NULL && read_pem(s->o, &pem, err) != 0)
        goto fail;
    l.certificate = pem.certificate.data;
    l.private_key = pem.private_key.data;
    if (s->manager.socket > 0)
        l.fd = s->manager.socket;
    l.screen = xf_receiver_screen;
    l.payload = s->receiver;
    s->listener = xf_listener_new(s->loop, &l, err);
fail:
    forget_pem(&pem);
    return s->listener != NULL ? 0 : -1;
}

static void tell_orders(void *payload, const char *text)
{
    xf_receiver_tell_orders(((struct serve *)payload)->receiver, text);
}

static int begin(struct serve *s, struct xf_err *err)
{
    struct xf_supervisor_options w = s->o->worker;

    raise_file_limit();
    xf_service_manager_find(&s->manager);
    s->loop = xf_loop_new(err);
    if (s->loop == NULL || watch_signals(s, err) != 0)
        return -1;
    s->receiver = xf_receiver_new(&s->o->receiver, s->o->signer, err);
    if (s->receiver == NULL || listen_for(s, err) != 0)
        return -1;
    if (w.arguments != NULL) {
        w.program = w.program != NULL ? w.program : "/proc/self/exe";
        w.tell_orders = tell_orders;
        w.payload = s;
        s->supervisor = xf_supervisor_new(s->loop, &w, err);
        if (s->supervisor == NULL)
            return -1;
    }
    xf_logline("listening", "level=info port=%u tls=%s", xf_listener_port(s->listener),
               s->o->certificate_file != NULL ? "yes" : "no");
    if (s->o->certificate_file != NULL)
        tell_certificate(s, "shown");
    xf_service_manager_tell(&s->manager, "READY=1");
    if (s->o->ready != NULL)
        s->o->ready(s->o->payload, xf_listener_port(s->listener));
    return 0;
}

/* ---- running */

static bool is_over(const struct serve *s)
{
    return s->stopping && (xf_listener_requests(s->listener) == 0 || xf_loop_clock() > s->stop_at) &&
           (s->supervisor == NULL || xf_supervisor_stopped(s->supervisor));
}

static void tell_watchdog(struct serve *s)
{
    if (s->manager.watchdog_s <= 0 || xf_loop_clock() < s->watchdog_at)
        return;
    s->watchdog_at = xf_loop_clock() + s->manager.watchdog_s;
    xf_service_manager_tell(&s->manager, "WATCHDOG=1");
}

static int run(struct serve *s, struct xf_err *err)
{
    while (!is_over(s)) {
        size_t written;

        if (xf_loop_step(s->loop, s->stopping ? 20 : STEP_MS, err) != 0)
            return -1;
        written = xf_receiver_turn(s->receiver, s->listener);
        if (written == 0)
            xf_receiver_rest(s->receiver);
        if (s->supervisor != NULL) {
            if (written > 0)
                xf_supervisor_wake(s->supervisor);
            xf_receiver_tell_starts(s->receiver, xf_supervisor_starts(s->supervisor));
        }
        tell_watchdog(s);
    }
    xf_logline("stopped", "level=info");
    return 0;
}

int xf_serve(const struct xf_serve_options *o, struct xf_err *err)
{
    struct serve s = {.o = o, .signals = {.fd = -1}};
    int result = begin(&s, err) == 0 ? run(&s, err) : -1;

    xf_supervisor_free(s.supervisor);
    xf_listener_free(s.listener);
    xf_receiver_free(s.receiver);
    if (s.signals.fd >= 0) {
        xf_loop_unwatch(s.loop, &s.signals);
        (void)close(s.signals.fd);
    }
    xf_loop_free(s.loop);
    if (s.blocked)
        (void)sigprocmask(SIG_SETMASK, &s.before, NULL);
    return result;
}
