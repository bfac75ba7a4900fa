/* SPDX-License-Identifier: Apache-2.0 */
/* Durable creations a second through the store, beside what bare SQLite does
 * with the same row on the same disk in the same run: one connection, no
 * cipher, one commit a row.  Ours adds the cipher, a savepoint, the queue. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "bench/table.h"
#include "db/query.h"
#include "db/store.h"

#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_MS = 2000, WRITERS_MAX = 32 };

static const char table_sql[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE mail (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL"
    " UNIQUE, address TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT"
    " NULL, state INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT"
    " 0, due_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, created_at"
    " INTEGER NOT NULL, error TEXT) STRICT;"
    "CREATE INDEX mail_due ON mail(state, due_at)";
static const char add_sql[] =
    "INSERT INTO mail (message_id, address, subject, body, due_at,"
    " expires_at, created_at) VALUES (?1, 'a@example.jp', '要件定義',"
    " '定義書の作成をお願いします。', ?2, ?2, ?2)";

static void name_row(char out[48], int writer, int64_t row)
{
    (void)snprintf(out, 48, "%d-%lld", writer, (long long)row);
}

/* ---- the limit ---- */

static double run_bare(const char *dir, int number)
{
    char path[128], name[48];
    sqlite3 *db;
    sqlite3_stmt *s;
    int64_t rows = 0, end;

    (void)snprintf(path, sizeof(path), "%s/bare%d.db", dir, number);
    must(sqlite3_open(path, &db) == SQLITE_OK);
    must(sqlite3_exec(db, table_sql, NULL, NULL, NULL) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, add_sql, -1, &s, NULL) == SQLITE_OK);
    end = clock_monotonic_ms() + RUN_MS;
    for (; clock_monotonic_ms() < end; rows++) {
        name_row(name, 0, rows);
        must(sqlite3_bind_text(s, 1, name, -1, SQLITE_TRANSIENT) == 0);
        must(sqlite3_bind_int64(s, 2, rows) == SQLITE_OK);
        must(sqlite3_step(s) == SQLITE_DONE);
        must(sqlite3_reset(s) == SQLITE_OK);
    }
    must(sqlite3_finalize(s) == SQLITE_OK);
    must(sqlite3_close(db) == SQLITE_OK);
    return (double)rows * 1000 / RUN_MS;
}

/* ---- ours ---- */

struct writer {
    struct tenant *tenant;
    int number;
    int64_t rows, end_ms;
    pthread_t thread;
};

static void *write_rows(void *arg)
{
    struct writer *w = arg;
    struct actor actor = {.name = "bench"};
    struct ctx c = {.mem = arena_open(0), .actor = &actor};
    char name[48];

    for (; clock_monotonic_ms() < w->end_ms; w->rows++) {
        must(tx_begin(&c, w->tenant, TX_WRITE) == OK);
        struct query *q = query(&c, add_sql);
        name_row(name, w->number, w->rows);
        bind_text(q, 1, name);
        bind_int(q, 2, w->rows);
        must(tx_end(&c, w->tenant, query_run(&c, q)) == OK);
    }
    arena_close(c.mem);
    return NULL;
}

static double run_store(struct store *s, const char *id, int writers)
{
    static struct writer all[WRITERS_MAX];
    struct tenant *t;
    int64_t rows = 0, end_ms;

    must(tenant_create(s, id) == OK && tenant_open(s, id, &t) == OK);
    end_ms = clock_monotonic_ms() + RUN_MS;
    for (int i = 0; i < writers; i++) {
        all[i] = (struct writer){.tenant = t, .number = i, .end_ms = end_ms};
        must(pthread_create(&all[i].thread, NULL, write_rows, &all[i]) == 0);
    }
    for (int i = 0; i < writers; i++) {
        must(pthread_join(all[i].thread, NULL) == 0);
        rows += all[i].rows;
    }
    tenant_close(t);
    return (double)rows * 1000 / RUN_MS;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* As many tenants as writers, one each. */
static double run_tenants(struct store *s, int writers)
{
    static struct writer all[WRITERS_MAX];
    int64_t rows = 0, end_ms;
    char id[16];

    for (int i = 0; i < writers; i++) {
        (void)snprintf(id, sizeof id, "own%d", i);
        all[i] = (struct writer){.number = i};
        must(tenant_create(s, id) == OK &&
             tenant_open(s, id, &all[i].tenant) == OK);
    }
    end_ms = clock_monotonic_ms() + RUN_MS;
    for (int i = 0; i < writers; i++) {
        all[i].end_ms = end_ms;
        must(pthread_create(&all[i].thread, NULL, write_rows, &all[i]) == 0);
    }
    for (int i = 0; i < writers; i++) {
        must(pthread_join(all[i].thread, NULL) == 0);
        rows += all[i].rows;
        tenant_close(all[i].tenant);
    }
    return (double)rows * 1000 / RUN_MS;
}

/* ---- the limit of that: as many plain files ---- */

struct bare {
    const char *dir;
    int number;
    double rate;
    pthread_t thread;
};

static void *run_bare_file(void *arg)
{
    struct bare *b = arg;

    b->rate = run_bare(b->dir, b->number);
    return NULL;
}

static double run_bare_files(const char *dir, int files)
{
    static struct bare all[WRITERS_MAX];
    double sum = 0;

    for (int i = 0; i < files; i++) {
        all[i] = (struct bare){.dir = dir, .number = i + 1};
        must(pthread_create(&all[i].thread, NULL, run_bare_file, &all[i]) == 0);
    }
    for (int i = 0; i < files; i++) {
        must(pthread_join(all[i].thread, NULL) == 0);
        sum += all[i].rate;
    }
    return sum;
}

int main(int argc, char **argv)
{
    char dir[96], key_path[112];
    struct store *s;

    log_set_level(LOG_ERROR);
    must(crypto_init() == OK);
    (void)snprintf(dir, sizeof(dir), "%s/yagura-bench-XXXXXX",
                   argc > 1 ? argv[1] : "build");
    must(mkdtemp(dir));
    (void)snprintf(key_path, sizeof(key_path), "%s/bench.key", dir);
    struct store_config config = {.dir = dir,
                                  .master_key_path = key_path,
                                  .kind = STORE_EVALUATION,
                                  .create = true};
    must(store_open(&config, &s) == OK);
    double limit = run_bare(dir, 0);
    table_rate("store, durable rows, 1 writer: bare SQLite", limit,
               run_store(s, "one", 1), "80 %");
    table_rate("store, 32 writers, one tenant: that of 1", limit,
               run_store(s, "many", WRITERS_MAX), "400 %");
    table_rate("store, 32 tenants, one writer each: 32 files",
               run_bare_files(dir, WRITERS_MAX), run_tenants(s, WRITERS_MAX),
               "80 %");
    store_close(s);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
