/* Whether a journal is still the one it was: what is done to its files, and whether
 * money is held then; and that no crash makes it so. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "journal_case.h"
#include "journal_inside.h"

static void copy(const char *from, const char *to)
{
    char bytes[8192];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb"); /* an existing file keeps its inode */
    size_t n;

    CHECK(in != NULL && out != NULL);
    if (in != NULL && out != NULL)
        while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
            (void)fwrite(bytes, 1, n, out);
    if (in != NULL)
        (void)fclose(in);
    if (out != NULL)
        (void)fclose(out);
}

static bool moved(const char *path)
{
    struct xf_err err;
    struct xf_journal *j = xf_journal_open(path, NULL, &err);
    bool is = j != NULL && xf_journal_moved(j);

    CHECK(j != NULL && (xf_journal_why_moved(j) != NULL) == is);
    xf_journal_close(j);
    return is;
}

static void accept_move(const char *path)
{
    struct xf_err err;
    struct xf_journal *j = xf_journal_open(path, NULL, &err);

    CHECK(j != NULL && xf_journal_accept_move(j, "person:a", 3000, &err) == 0 && !xf_journal_moved(j) &&
          xf_journal_why_moved(j) == NULL);
    xf_journal_close(j);
}

/* The folder that the journals of these tests lie in, `backup` beside it, and the state
 * folder outside both. */
struct place_case {
    struct journal_case c;
    char inner[CASE_PATH], backup[CASE_PATH], state[CASE_PATH], mark[CASE_PATH];
};

static struct place_case place_start(void)
{
    struct place_case p = {.c = case_start()};

    (void)snprintf(p.inner, sizeof p.inner, "%s/inner", p.c.folder);
    (void)snprintf(p.backup, sizeof p.backup, "%s/backup", p.c.folder);
    (void)snprintf(p.state, sizeof p.state, "%s/state", p.c.folder);
    (void)snprintf(p.c.path, sizeof p.c.path, "%s/inner/journal.db", p.c.folder);
    (void)snprintf(p.mark, sizeof p.mark, "%s/inner/journal.db-mark", p.c.folder);
    CHECK(setenv("XDG_STATE_HOME", p.state, 1) == 0);
    return p;
}

static void place_end(const struct place_case *p)
{
    CHECK(unsetenv("XDG_STATE_HOME") == 0);
    case_end(&p->c);
}

/* With I for the journal's folder, B for its backup, S for the state folder. */
static void shell(const struct place_case *p, const char *command)
{
    char line[4 * CASE_PATH];

    (void)snprintf(line, sizeof line, "set -e; I=%s B=%s S=%s; %s", p->inner, p->backup, p->state, command);
    CHECK_ROW(system(line) == 0, command); /* NOLINT(cert-env33-c): a test's own line */
}

static void one_order(const struct place_case *p, const char *order)
{
    struct xf_journal *j = case_open(&p->c);

    CHECK(case_place(j, order, order, 1) == XF_PLACED_NEW && case_go(j, order, XF_ORDER_SENT) == XF_ADVANCED);
    xf_journal_close(j);
}

/* What is done to a journal that has had a backup taken and an order since. */
static void putting_back(void)
{
    static const struct {
        const char *command;
        bool outside, held; /* whether the witness outside is there; what is to become of it */
    } rows[] = {
        {"true", true, false},
        {"true", false, false},
        {"rm -r $B", true, false},
        {"cp -a $B/. $I", true, true},
        {"cp -r $B/. $I", true, true},
        {"tar -C $B -cf $B.tar . && tar -C $I -xf $B.tar", true, true},
        {"tar -C $B -cf $B.tar . && tar -C $I -xf $B.tar", false, true},
        {"rm -rf $I && cp -a $B $I", true, true},
        {"rm -rf $I && cp -a $B $I", false, true},
        {"rm -f $I/journal.db && cp -a $B/. $I", false, true},
        {"for f in $B/*; do cat $f > $I/${f##*/}; done", true, true},
        {"cat $B/journal.db > $I/journal.db", true, true},
        {"cat $B/journal.db > $I/journal.db", false, true},
        {"cat $B/journal.db > $I/journal.db && rm $I/journal.db-mark", true, true},
        {"cat $B/journal.db > $I/journal.db && rm $I/journal.db-mark", false, true},
        {"rm $I/journal.db-mark", true, true},
        {"rm $I/journal.db-mark", false, true},
        {"for f in $I/*; do : > $f; done", true, false},
        {": > $I/journal.db", true, true},
        {": > $I/journal.db", false, true},
        {"rm $I/journal.db", false, true},
        {"rm -rf $I", true, false}, /* begun anew on purpose */
        {"rm -rf $I", false, false},
        {"mv $I $I.1 && cp -a $I.1 $I", true, true},
        {"mv $I $I.1 && mv $I.1 $I", true, false},
        {"mv $I/journal.db $I/x && mv $I/x $I/journal.db", true, false},
        {"mv $I/journal.db $I/x && cp -p $I/x $I/journal.db", true, true},
        {"echo 0123456789abcdef0123456789abcdef 00000000000000000007 > $I/journal.db-mark", false, true},
        {"for f in $S/xfiot/journal-*; do echo 0123456789abcdef0123456789abcdef 00000000000000000007 > $f; done",
         true, true},
        /* what a crash or a loss of power leaves */
        {": > $I/journal.db-mark", true, false},
        {": > $I/journal.db-mark", false, false},
        {"truncate -s 0 $I/journal.db-mark && truncate -s 54 $I/journal.db-mark", false, false},
        {"cat $B/journal.db-mark > $I/journal.db-mark", true, false},
        {"rm -r $S", true, false},
        {"for f in $S/xfiot/journal-*; do : > $f; done", true, false},
        {"chmod 640 $I/journal.db && touch $I/journal.db && ln $I/journal.db $I/y", true, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place_case p = place_start();

        if (!rows[i].outside)
            CHECK(setenv("XDG_STATE_HOME", "/proc/nothing", 1) == 0);
        one_order(&p, "A");
        shell(&p, "cp -a $I $B");
        one_order(&p, "B");
        shell(&p, rows[i].command);
        CHECK_ROW(moved(p.c.path) == rows[i].held, rows[i].command);
        CHECK_ROW(moved(p.c.path) == rows[i].held, rows[i].command);
        if (rows[i].held) {
            accept_move(p.c.path);
            CHECK_ROW(!moved(p.c.path), rows[i].command);
            one_order(&p, "C");
            CHECK_ROW(!moved(p.c.path), rows[i].command);
        }
        place_end(&p);
    }
}

/* A journal that is held stays so, however many commits follow. */
static void staying_held(void)
{
    struct place_case p = place_start();
    struct xf_journal *j;
    char order[16];

    one_order(&p, "A");
    shell(&p, "cp -a $I $B");
    one_order(&p, "B");
    shell(&p, "cat $B/journal.db > $I/journal.db");
    for (int i = 0; i < 4; i++) {
        (void)snprintf(order, sizeof order, "%d", i);
        one_order(&p, order);
    }
    CHECK(moved(p.c.path));
    shell(&p, "rm -r $S $I/journal.db-mark");
    CHECK(moved(p.c.path));
    accept_move(p.c.path);
    shell(&p, "rm -r $S");
    CHECK(!moved(p.c.path));

    /* the same backup once more: it knows nothing of the acceptance */
    one_order(&p, "later");
    shell(&p, "cp -a $B/. $I");
    CHECK(moved(p.c.path));

    /* whoever accepts need not see the witness that spoke against it */
    CHECK(setenv("XDG_STATE_HOME", "/proc/nothing", 1) == 0);
    accept_move(p.c.path);
    CHECK(setenv("XDG_STATE_HOME", p.state, 1) == 0);
    CHECK(!moved(p.c.path));
    j = case_open(&p.c);
    CHECK(sqlite3_exec(
              j->db,
              "SELECT iif(count(*) > 0, 1, abs(-9223372036854775808)) FROM meta WHERE name LIKE 'former:%'"
              " AND value LIKE 'accepted 3000 by person:a: %'",
              NULL, NULL, NULL) == SQLITE_OK);
    xf_journal_close(j);
    place_end(&p);
}

/* Put back in place while a process has it open: that process notices by itself. */
static void put_back_in_use(void)
{
    struct place_case p = place_start();
    struct xf_journal *j;

    one_order(&p, "A");
    shell(&p, "cp -a $I $B");
    j = case_open(&p.c);
    for (int i = 0; i < 6; i++) {
        char order[16];

        (void)snprintf(order, sizeof order, "%d", i);
        CHECK(case_place(j, order, order, 1) == XF_PLACED_NEW);
    }
    j->position += 100; /* as if the file had gone back by so many */
    CHECK(case_place(j, "C", "c", 1) == XF_PLACED_FAILED && xf_journal_moved(j));
    CHECK(case_state(j, "C") == XF_ORDER_STATES);
    xf_journal_close(j);
    CHECK(!moved(p.c.path));
    place_end(&p);
}

/* Nothing is told before there is a journal to be held: in a folder for all, without a home. */
static void without_outside(void)
{
    struct place_case p = place_start();
    struct xf_journal *j;
    char out[XF_JOURNAL_PATH_SIZE];
    struct xf_err err;

    j = case_open(&p.c);
    CHECK(xf_journal_outside(j, out, &err) == 0 && strncmp(out, p.state, strlen(p.state)) == 0);
    xf_journal_close(j);
    CHECK(setenv("XDG_STATE_HOME", p.inner, 1) == 0); /* it would go where the folder goes */
    j = case_open(&p.c);
    CHECK(xf_journal_outside(j, out, &err) == -1 && strstr(err.message, "own folder") != NULL);
    xf_journal_close(j);
    CHECK(setenv("XDG_STATE_HOME", "/proc/nothing", 1) == 0);
    j = case_open(&p.c);
    CHECK(xf_journal_outside(j, out, &err) == -1 && !xf_journal_moved(j));
    xf_journal_close(j);
    CHECK(setenv("XDG_STATE_HOME", p.state, 1) == 0);
    shell(&p, "chmod 1777 $I");
    j = case_open(&p.c);
    CHECK(xf_journal_outside(j, out, &err) == -1 && strstr(err.message, "temporary") != NULL);
    xf_journal_close(j);
    place_end(&p);
}

/* Killed at any point of its first opening, it is a journal to begin with. */
static void half_made(void)
{
    static const char *const commands[] = {
        "mkdir -p $I && : > $I/journal.db",
        "mkdir -p $I && : > $I/journal.db-mark",
        "mkdir -p $I && : > $I/journal.db && : > $I/journal.db-mark",
        "rm -f $I/journal.db-mark",
        ": > $I/journal.db-mark",
        ": > $I/journal.db-mark && rm -rf $S",
        "rm -rf $I",
        ": > $I/journal.db",
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct place_case p = place_start();

        if (i >= 3)
            xf_journal_close(case_open(&p.c));
        shell(&p, commands[i]);
        CHECK_ROW(!moved(p.c.path), commands[i]);
        one_order(&p, "A");
        CHECK_ROW(!moved(p.c.path), commands[i]);
        place_end(&p);
    }
}

/* A journal has its mark before it has its id: one whose mark cannot be made is none yet. */
static void mark_first(void)
{
    struct place_case p = place_start();
    struct xf_err err = {""};

    shell(&p, "mkdir -p $I/journal.db-mark");
    CHECK(xf_journal_open(p.c.path, NULL, &err) == NULL &&
          strstr(err.message, "mark cannot be made") != NULL);
    shell(&p, "rmdir $I/journal.db-mark");
    one_order(&p, "A");
    CHECK(!moved(p.c.path));
    place_end(&p);
}

/* Several processes make the journal at once. */
static void made_by_many(void)
{
    enum { MANY = 8 };
    struct place_case p = place_start();
    pid_t children[MANY];
    int status = 0;

    (void)fflush(stdout);
    for (int i = 0; i < MANY; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char order[16];
            struct xf_journal *j = case_open(&p.c);

            (void)snprintf(order, sizeof order, "%d", i);
            _exit(xf_journal_moved(j) || case_place(j, order, order, 1) != XF_PLACED_NEW);
        }
    }
    for (int i = 0; i < MANY; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status) &&
              WEXITSTATUS(status) == 0);
    CHECK(!moved(p.c.path));
    place_end(&p);
}

static void moving(void)
{
    struct place_case p = place_start();
    struct xf_journal *j;
    char other[CASE_PATH], id[XF_JOURNAL_ID_SIZE];

    (void)snprintf(other, sizeof other, "%s/inner/other.db", p.c.folder);
    j = case_open(&p.c);
    CHECK(case_place(j, "A", "a", 1) == XF_PLACED_NEW && strlen(xf_journal_id(j)) == 32 &&
          !xf_journal_moved(j));
    (void)snprintf(id, sizeof id, "%s", xf_journal_id(j));
    xf_journal_close(j);
    CHECK(!moved(p.c.path));

    copy(p.c.path, other); /* a copy elsewhere: it stays moved until that is accepted */
    CHECK(moved(other) && moved(other) && !moved(p.c.path));
    accept_move(other);
    CHECK(!moved(other));

    j = case_open(&p.c);
    CHECK(strcmp(xf_journal_id(j), id) == 0);
    CHECK(case_place(j, "B", "b", 1) == XF_PLACED_NEW && case_go(j, "B", XF_ORDER_SENT) == XF_ADVANCED);
    xf_journal_close(j);
    CHECK(!moved(p.c.path));

    CHECK(rename(p.c.path, other) == 0 && moved(other));
    place_end(&p);
}

int main(void)
{
    moving();
    putting_back();
    staying_held();
    put_back_in_use();
    half_made();
    mark_first();
    made_by_many();
    without_outside();
    return check_end();
}
