/*
 * What the disk and SQLite give: rows a second of a journal's shape, committed as
 * the journal commits (WAL, FULL).
 *
 *     rows FILE TOTAL ROWS_A_COMMIT        prints: rows_per_second
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int code, sqlite3 *db)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return;
    (void)fprintf(stderr, "rows: %s\n", db != NULL ? sqlite3_errmsg(db) : "no database");
    exit(1);
}

int main(int argc, char **argv)
{
    long total = argc == 4 ? strtol(argv[2], NULL, 10) : 0, group = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = NULL;
    double start;

    if (total <= 0 || group <= 0) {
        (void)fputs("usage: rows FILE TOTAL ROWS_A_COMMIT\n", stderr);
        return 2;
    }
    must(sqlite3_open(argv[1], &db), db);
    must(
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "CREATE TABLE r (id TEXT PRIMARY KEY, device TEXT, bill INTEGER, body TEXT, state TEXT)",
                     NULL, NULL, NULL),
        db);
    must(sqlite3_prepare_v2(db, "INSERT INTO r VALUES (?1, ?2, ?3, ?4, 'intent')", -1, &insert, NULL), db);
    start = now();
    for (long i = 0; i < total; i += group) {
        must(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), db);
        for (long k = i; k < i + group && k < total; k++) {
            char id[32];

            (void)snprintf(id, sizeof id, "R-%ld", k);
            must(sqlite3_bind_text(insert, 1, id, -1, SQLITE_TRANSIENT), db);
            must(sqlite3_bind_text(insert, 2, "07602190100007116", -1, SQLITE_STATIC), db);
            must(sqlite3_bind_int64(insert, 3, k % 65535 + 1), db);
            must(sqlite3_bind_text(
                     insert, 4,
                     "{\"command\":{\"method\":\"RECHARGE_REMOTE\",\"paras\":{\"prepaidType\":0,"
                     "\"billNo\":1,\"rechargeValue\":100}},\"expireTime\":86400,\"expireCount\":1}",
                     -1, SQLITE_STATIC),
                 db);
            must(sqlite3_step(insert), db);
            must(sqlite3_reset(insert), db);
        }
        must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
    }
    printf("%.0f\n", (double)total / (now() - start));
    must(sqlite3_finalize(insert), db);
    must(sqlite3_close(db), NULL);
    return 0;
}
