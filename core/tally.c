#include "tally.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[XF_OUTCOMES] = {
    [XF_OUTCOME_NEW] = "new",
    [XF_OUTCOME_REPEATED] = "repeated",
    [XF_OUTCOME_STALE] = XF_PUSH_STALE,
    [XF_OUTCOME_CONFLICT] = XF_PUSH_CONFLICT,
    [XF_OUTCOME_OWN] = XF_PUSH_OWN,
    [XF_OUTCOME_NOT_LIST] = XF_PUSH_NOT_LIST,
    [XF_OUTCOME_NOT_JSON] = XF_PUSH_NOT_JSON,
    [XF_OUTCOME_UNAUTHORIZED] = "unauthorized",
    [XF_OUTCOME_REFUSED] = "refused",
    [XF_OUTCOME_FULL] = "full",
    [XF_OUTCOME_FAILED] = "failed",
};

/* Seconds, and as Prometheus wants them written. */
static const struct {
    double most;
    const char *text;
} STEPS[XF_TALLY_STEPS] = {
    {0.0005, "0.0005"}, {0.001, "0.001"}, {0.0025, "0.0025"}, {0.005, "0.005"}, {0.01, "0.01"},
    {0.025, "0.025"},   {0.05, "0.05"},   {0.1, "0.1"},       {0.5, "0.5"},     {2.5, "2.5"},
};

const char *xf_outcome_name(enum xf_outcome outcome)
{
    return (unsigned)outcome < XF_OUTCOMES ? NAMES[outcome] : NULL;
}

void xf_tally_commit(struct xf_tally *t, double seconds)
{
    int step = 0;

    while (step < XF_TALLY_STEPS && seconds > STEPS[step].most)
        step++;
    t->commits[step]++;
    t->commit_seconds += seconds;
}

static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz_";
static const char DIGITS[] = "0123456789";

/* The length of the word name=number that the text begins with, or 0. */
static size_t word(const char *text, size_t *name)
{
    size_t digits;

    *name = strspn(text, LETTERS);
    if (*name == 0 || text[*name] != '=')
        return 0;
    digits = strspn(text + *name + 1, DIGITS);
    return digits > 0 && digits < 20 ? *name + 1 + digits : 0;
}

void xf_tally_orders(struct xf_tally *t, const char *text)
{
    const char *at = text;
    size_t name;

    if (strlen(text) >= sizeof t->orders)
        return;
    while (*at != '\0') {
        const size_t size = word(at, &name);

        if (size == 0 || (at[size] != '\0' && at[size] != ' '))
            return;
        at += size;
        at += strspn(at, " ");
    }
    (void)snprintf(t->orders, sizeof t->orders, "%s", text);
}

__attribute__((format(printf, 2, 3))) static void add(struct xf_bytes *out, const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    xf_bytes_add_text(out, line);
}

static void head(struct xf_bytes *out, const char *name, const char *type, const char *help)
{
    add(out, "# HELP xfiot_%s %s\n# TYPE xfiot_%s %s\n", name, help, name, type);
}

static void gauge(struct xf_bytes *out, const char *name, const char *help, int64_t value)
{
    head(out, name, "gauge", help);
    add(out, "xfiot_%s %" PRId64 "\n", name, value);
}

static void write_commits(const struct xf_tally *t, struct xf_bytes *out)
{
    uint64_t sum = 0;

    head(out, "commit_seconds", "histogram", "Time of one commit of the journal.");
    for (int i = 0; i < XF_TALLY_STEPS; i++) {
        sum += t->commits[i];
        add(out, "xfiot_commit_seconds_bucket{le=\"%s\"} %" PRIu64 "\n", STEPS[i].text, sum);
    }
    sum += t->commits[XF_TALLY_STEPS];
    add(out, "xfiot_commit_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
    add(out, "xfiot_commit_seconds_sum %.6f\nxfiot_commit_seconds_count %" PRIu64 "\n", t->commit_seconds,
        sum);
}

static void write_orders(const struct xf_tally *t, struct xf_bytes *out)
{
    const char *at = t->orders;
    size_t name, size;

    if (*at == '\0')
        return;
    head(out, "orders", "gauge", "Orders in the journal by state, as the worker told last.");
    for (; (size = word(at, &name)) > 0; at += size, at += strspn(at, " "))
        add(out, "xfiot_orders{state=\"%.*s\"} %.*s\n", (int)name, at, (int)(size - name - 1), at + name + 1);
}

void xf_tally_write(const struct xf_tally *t, const struct xf_gauges *g, struct xf_bytes *out)
{
    head(out, "pushes_total", "counter", "Pushes by what became of them.");
    for (int i = 0; i < XF_OUTCOMES; i++)
        add(out, "xfiot_pushes_total{outcome=\"%s\"} %" PRIu64 "\n", NAMES[i], t->outcomes[i]);
    write_commits(t, out);
    gauge(out, "push_queue_depth", "Pushes that the worker has not done; 10000: that many or more.",
          g->pushes.waiting);
    gauge(out, "push_oldest_seconds", "Age of the oldest push that is not done.",
          g->pushes.oldest != 0 && g->now > g->pushes.oldest ? g->now - g->pushes.oldest : 0);
    gauge(out, "requests", "Requests under way.", (int64_t)g->requests);
    if (g->expires != 0)
        gauge(out, "certificate_expires_seconds", "The last second of the certificate, since 1970 UTC.",
              g->expires);
    head(out, "worker_starts_total", "counter", "How often the worker was started.");
    add(out, "xfiot_worker_starts_total %" PRIu64 "\n", t->starts);
    write_orders(t, out);
}
