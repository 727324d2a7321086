/* The journal's file: where it is made, what is refused as one, what happens
 * and when the disk does not play along. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal_case.h"
#include "journal_inside.h"

static unsigned mode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (unsigned)st.st_mode & 0777u : 0;
}

static void default_paths(void)
{
    static const struct {
        const char *row, *data, *home, *path;
    } rows[] = {
        {"data folder set", "/d", "/h", "/d/xfiot/journal.db"},
        {"data folder not set", NULL, "/h", "/h/.local/share/xfiot/journal.db"},
        {"data folder relative", "d", "/h", "/h/.local/share/xfiot/journal.db"},
        {"neither", NULL, NULL, NULL},
    };
    char path[XF_JOURNAL_PATH_SIZE];
    struct xf_err err;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)(rows[i].data != NULL ? setenv("XDG_DATA_HOME", rows[i].data, 1) : unsetenv("XDG_DATA_HOME"));
        (void)(rows[i].home != NULL ? setenv("HOME", rows[i].home, 1) : unsetenv("HOME"));
        CHECK_ROW((xf_journal_default_path(path, &err) == 0) == (rows[i].path != NULL), rows[i].row);
        if (rows[i].path != NULL)
            CHECK_TEXT(path, rows[i].path);
    }
}

static void made_private(void)
{
    struct journal_case c = case_start();
    char folder[CASE_PATH];

    (void)snprintf(folder, sizeof folder, "%s/a", c.folder);
    (void)snprintf(c.path, sizeof c.path, "%s/a/b/journal.db", c.folder);
    xf_journal_close(case_open(&c));
    CHECK(mode_of(folder) == 0700 && mode_of(c.path) == 0600);
    case_end(&c);
}

/* Opens what must be refused; the sentence has to name the reason. */
static void refused(const char *path, bool read_only, const char *reason)
{
    struct xf_err err = {""};
    struct xf_journal *j =
        xf_journal_open(path, &(struct xf_journal_options){.busy_ms = 50, .read_only = read_only}, &err);

    CHECK_ROW(j == NULL && strstr(err.message, reason) != NULL, reason);
    if (j != NULL || strstr(err.message, reason) == NULL)
        printf("#   got %s\n", j != NULL ? "a journal" : err.message);
    xf_journal_close(j);
}

/* Made, but nothing was ever written: for who only reads, there is nothing to read. */
static void never_written(void)
{
    struct journal_case c = case_start();
    bool blank = false;
    struct xf_journal_options options = {.read_only = true, .blank = &blank};
    struct xf_journal *j;
    struct xf_err err;

    CHECK(xf_journal_open(c.path, &options, &err) == NULL && !blank); /* not even made */
    CHECK(case_sql(&c, "PRAGMA journal_mode = WAL") == SQLITE_OK);
    CHECK(xf_journal_open(c.path, &options, &err) == NULL && blank);
    blank = false;
    xf_journal_close(case_open(&c));
    j = xf_journal_open(c.path, &options, &err);
    CHECK(j != NULL && !blank);
    xf_journal_close(j);
    case_end(&c);
}

static void not_a_journal(void)
{
    struct journal_case c = case_start();
    char path[CASE_PATH];
    FILE *f;

    refused(c.folder, false, "is a folder");
    refused("/dev/null", false, "device");
    refused("/dev/null", true, "device");
    refused("", false, "empty");
    refused("/proc/nothing/here/journal.db", false, "cannot be made");
    refused(c.path, true, "cannot be found");

    (void)snprintf(path, sizeof path, "%s/garbage", c.folder);
    f = fopen(path, "wb");
    for (int i = 0; i < 9000 && f != NULL; i++)
        (void)fputc("garbage!"[i % 8], f);
    CHECK(f != NULL && fclose(f) == 0);
    refused(path, false, "not even a database");
    refused(path, true, "not even a database");

    CHECK(case_sql(&c, "CREATE TABLE customers (name)") == SQLITE_OK);
    refused(c.path, false, "another program's database");
    case_end(&c);
}

static void versions(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_err err;
    FILE *f;

    f = fopen(c.path, "wb"); /* made by hand, empty: taken as a new one */
    CHECK(f != NULL && fclose(f) == 0);
    refused(c.path, true, "nothing was ever written");
    j = case_open(&c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    CHECK(case_sql(&c, "PRAGMA user_version = 2") == SQLITE_OK); /* a newer program comes along */
    CHECK(case_place(j, "B", "b", 1) == XF_PLACED_FAILED);
    CHECK(xf_journal_begin(j, &err) == -1 && strstr(err.message, "newer xfiot") != NULL);
    xf_journal_close(j);
    refused(c.path, false, "newer xfiot");
    refused(c.path, true, "newer xfiot");
    CHECK(case_sql(&c, "PRAGMA user_version = 1") == SQLITE_OK);
    j = case_open(&c);
    CHECK(case_state(j, "A") == XF_ORDER_INTENT && case_state(j, "B") == XF_ORDER_STATES);
    xf_journal_close(j);
    case_end(&c);
}

static void durable(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    sqlite3_stmt *s = NULL;

    j = case_open(&c);
    CHECK(sqlite3_prepare_v2(j->db,
                             "SELECT journal_mode, synchronous, foreign_keys FROM pragma_journal_mode,"
                             " pragma_synchronous, pragma_foreign_keys",
                             -1, &s, NULL) == SQLITE_OK &&
          sqlite3_step(s) == SQLITE_ROW);
    CHECK_TEXT((const char *)sqlite3_column_text(s, 0), "wal");
    CHECK(sqlite3_column_int(s, 1) == 2 && sqlite3_column_int(s, 2) == 1);
    (void)sqlite3_finalize(s);
    xf_journal_close(j);
    case_end(&c);
}

static void reading_only(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j, *r;
    struct xf_err err;

    j = case_open(&c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    r = xf_journal_open(c.path, &(struct xf_journal_options){.read_only = true}, &err);
    CHECK(r != NULL && !xf_journal_moved(r) && case_state(r, "A") == XF_ORDER_INTENT);
    if (r != NULL) {
        CHECK(case_place(r, "B", "b", 1) == XF_PLACED_FAILED &&
              case_go(r, "A", XF_ORDER_SENT) == XF_ADVANCED_FAILED);
        CHECK(xf_journal_begin(r, &err) == -1 && strstr(err.message, "for reading only") != NULL);
    }
    xf_journal_close(r);
    xf_journal_close(j);
    case_end(&c);
}

/* Runs in a child, for it changes what the process may do; its exit code is how many checks failed. */
static void in_child(void (*test)(const struct journal_case *c), const char *row)
{
    struct journal_case c = case_start();
    pid_t child;
    int status = -1;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        test(&c);
        (void)fflush(stdout);
        _exit(check_failed);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_ROW(WIFEXITED(status) && WEXITSTATUS(status) == 0, row);
    case_end(&c);
}

static void unwritable(const struct journal_case *c)
{
    enum { NOBODY = 65534 };

    check_failed = 0;
    xf_journal_close(case_open(c));
    CHECK(chmod(c->path, 0444) == 0 && chmod(c->folder, 0755) == 0);
    if (geteuid() == 0) /* root may write anything */
        CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    refused(c->path, false, "cannot be written");
}

static void full_disk(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_err err = {""};
    char order[32];
    struct xf_intent intent = case_intent("last", "last", 1);
    int placed = 0;

    j = case_open(&c);
    CHECK(case_place(j, "first", "first", 1) == XF_PLACED_NEW);
    CHECK(sqlite3_exec(j->db, "PRAGMA max_page_count = 24", NULL, NULL, NULL) == SQLITE_OK);
    do
        (void)snprintf(order, sizeof order, "o%d", placed);
    while (placed++ < 10000 && case_place(j, order, order, 1) == XF_PLACED_NEW);
    CHECK(placed > 1 && placed < 10000);
    CHECK(case_state(j, order) == XF_ORDER_STATES && !xf_journal_broken(j));

    /* in a batch: all of it or nothing, and the caller is told */
    CHECK(xf_journal_begin(j, &err) == 0);
    (void)case_go(j, "first", XF_ORDER_SENT);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(order, sizeof order, "batch%d", i);
        (void)case_place(j, order, order, 1);
    }
    CHECK(xf_journal_place(j, &intent, NULL, &err) == XF_PLACED_FAILED);
    CHECK(strstr(err.message, "disk is full") != NULL || strstr(err.message, "was undone") != NULL);
    if (sqlite3_get_autocommit(j->db))
        CHECK(xf_journal_commit(j, &err) == -1 && case_state(j, "first") == XF_ORDER_INTENT);
    else
        xf_journal_rollback(j);

    CHECK(sqlite3_exec(j->db, "PRAGMA max_page_count = 100000", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(xf_journal_place(j, &intent, NULL, &err) ==
          XF_PLACED_NEW); /* space again: goes on without reopening */
    xf_journal_close(j);
    case_end(&c);
}

static void failing_disk(const struct journal_case *c)
{
    struct xf_journal *j = case_open(c);
    struct rlimit limit = {.rlim_cur = 512 * 1024, .rlim_max = RLIM_INFINITY};
    struct xf_err err = {""};
    char order[32];
    int placed = 0;

    check_failed = 0;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &limit) == 0);
    do
        (void)snprintf(order, sizeof order, "o%d", placed);
    while (placed++ < 10000 && case_place(j, order, order, 1) == XF_PLACED_NEW);
    CHECK(placed > 1 && placed < 10000 && xf_journal_broken(j));
    CHECK(case_go(j, "o0", XF_ORDER_SENT) == XF_ADVANCED_FAILED);

    limit.rlim_cur = RLIM_INFINITY;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(xf_journal_begin(j, &err) == -1 && strstr(err.message, "until it is opened again") != NULL);
    CHECK(case_state(j, "o0") == XF_ORDER_INTENT); /* reading goes on */
    xf_journal_close(j);
    j = case_open(c);
    CHECK(case_state(j, order) == XF_ORDER_STATES);
    for (int i = 0; i < placed - 1; i++) {
        (void)snprintf(order, sizeof order, "o%d", i);
        CHECK(case_state(j, order) == XF_ORDER_INTENT);
    }
    CHECK(case_go(j, "o0", XF_ORDER_SENT) == XF_ADVANCED);
    xf_journal_close(j);
}

static void checked(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j = case_open(&c);
    struct xf_err err = {""};
    int64_t space = -1;
    FILE *f;

    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    CHECK(xf_journal_check(j, &space, &err) == 0 && space >= 0 && !xf_journal_in_batch(j));
    xf_journal_close(j);
    f = fopen(c.path, "r+b");
    CHECK(f != NULL && fseek(f, 4096 * 3, SEEK_SET) == 0);
    for (int i = 0; i < 8192 && f != NULL; i++)
        (void)fputc('!', f);
    CHECK(f != NULL && fclose(f) == 0);
    j = xf_journal_open(c.path, NULL, &err);
    CHECK((j == NULL || xf_journal_check(j, &space, &err) == -1) && strstr(err.message, "damaged") != NULL);
    xf_journal_close(j);
    case_end(&c);
}

static void replaced_in_use(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_err err;
    char other[CASE_PATH];

    (void)snprintf(other, sizeof other, "%s/other.db", c.folder);
    j = case_open(&c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    CHECK(rename(c.path, other) == 0);
    CHECK(case_place(j, "B", "b", 1) == XF_PLACED_FAILED);
    CHECK(xf_journal_begin(j, &err) == -1 && strstr(err.message, "while in use") != NULL);
    xf_journal_close(j);
    case_end(&c);
}

/* Another process, forked before the journal is opened here, that places an order in it
 * once `go` is closed, closes it and ends. */
static pid_t placer(const struct journal_case *c, const char *order, int go[2])
{
    pid_t child;
    char byte;

    case_pipe(go);
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        struct xf_journal *j;

        (void)close(go[1]);
        (void)!read(go[0], &byte, 1);
        j = case_open(c);
        _exit(case_place(j, order, order, 2) == XF_PLACED_NEW ? (xf_journal_close(j), 0) : 1);
    }
    (void)close(go[0]);
    return child;
}

/* Whatever in this process opens the journal's file and closes it drops SQLite's locks, so
 * that the next process to leave removes the -wal file. */
static void log_removed(void)
{
    struct journal_case c = case_start();
    struct xf_journal *j;
    struct xf_err err = {""};
    int64_t space = 0;
    int go[2], status = -1, fd;
    pid_t other;

    xf_journal_close(case_open(&c));
    other = placer(&c, "B", go);
    j = case_open(&c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW);
    fd = open(c.path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && close(fd) == 0);
    (void)close(go[1]);
    CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(case_place(j, "C", "c", 3) == XF_PLACED_FAILED && xf_journal_broken(j));
    CHECK(xf_journal_begin(j, &err) == -1);
    CHECK(xf_journal_tidy(j, &err) == -1);
    xf_journal_close(j); /* and leaves the file as the other has left it */
    j = case_open(&c);
    CHECK(case_state(j, "A") == XF_ORDER_INTENT && case_state(j, "B") == XF_ORDER_INTENT);
    CHECK(case_state(j, "C") == XF_ORDER_STATES && xf_journal_check(j, &space, &err) == 0);
    CHECK(case_go(j, "A", XF_ORDER_SENT) == XF_ADVANCED);
    xf_journal_close(j);
    case_end(&c);
}

int main(void)
{
    default_paths();
    made_private();
    never_written();
    not_a_journal();
    versions();
    durable();
    reading_only();
    in_child(unwritable, "a file that cannot be written");
    full_disk();
    in_child(failing_disk, "a disk that fails");
    checked();
    replaced_in_use();
    log_removed();
    return check_end();
}
