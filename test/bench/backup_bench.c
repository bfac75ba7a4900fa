/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand tenants of a megabyte backed up in one run, beside a plain copy
 * of the same files that is synced as they are, and the longest pause of a
 * writer while one is copied.  BACKUP_TENANTS sets another number. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "core/backup/backup.h"
#include "core/tenant/tenant_directory.h"
#include "db/query.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TENANTS = 1000, BYTES = 1 << 20, ROW_BYTES = 16384, PATH = 512 };

static char dir[64];
static struct app app;
static int tenants = TENANTS;

static const struct actor system_actor = {.name = "bench",
                                          .ip = "",
                                          .request_id = "bench",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = ""};

static void name_tenant(char out[16], int n)
{
    (void)snprintf(out, 16, "t%d", n);
}

static enum err add_mail(struct ctx *c, const char *text, int64_t n)
{
    struct query *q =
        query(c, "INSERT INTO mail (message_id, address, subject, body, state,"
                 " due_at, expires_at, created_at) VALUES (?1, 'a@example.jp',"
                 " 's', ?2, 0, 9000000000000000, 9000000000000000, 0)");
    char id[32];

    (void)snprintf(id, sizeof id, "%lld", (long long)n);
    bind_text(q, 1, id);
    bind_text(q, 2, text);
    return query_run(c, q);
}

static void fill(struct arena *mem, const char *id)
{
    struct actor actor = {.name = "bench", .tenant = id};
    struct ctx c = {.mem = mem, .actor = &actor};
    char text[ROW_BYTES + 1];
    uint8_t bytes[ROW_BYTES / 2];
    struct tenant *t;

    must(tenant_create(app.store, id) == OK);
    must(tenant_open(app.store, id, &t) == OK);
    must(tx_begin(&c, t, TX_WRITE) == OK);
    for (int64_t n = 0; n * ROW_BYTES < BYTES - (350 << 10); n++) {
        crypto_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        must(add_mail(&c, text, n) == OK);
    }
    must(tx_end(&c, t, OK) == OK);
    tenant_close(t);
    c.actor = &system_actor;
    must(tx_begin_control(&c, app.store, TX_WRITE) == OK);
    struct query *q = query(&c, "INSERT INTO customer (id, name, state,"
                                " created_at) VALUES (?1, ?1, 1, 0)");
    bind_text(q, 1, id);
    must(tx_end_control(&c, app.store, query_run(&c, q)) == OK);
}

/* ---- the limit ---- */

static int64_t copied;

static int copy_file(const char *path, const struct stat *st, int kind,
                     struct FTW *at)
{
    static char chunk[1 << 16];
    char to[PATH];

    (void)at;
    if (kind != FTW_F || !strstr(path, "/tenants/"))
        return 0;
    (void)snprintf(to, sizeof to, "%s/plain/%lld", dir, (long long)copied++);
    int in = open(path, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0600);
    ssize_t n;
    must(in >= 0 && out >= 0);
    while ((n = read(in, chunk, sizeof chunk)) > 0)
        must(write(out, chunk, (size_t)n) == n);
    must(fsync(out) == 0);
    (void)close(in);
    (void)close(out);
    (void)st;
    return 0;
}

static int64_t copy_plain(void)
{
    char to[PATH];
    int64_t from = clock_monotonic_ms();

    (void)snprintf(to, sizeof to, "%s/plain", dir);
    must(mkdir(to, 0700) == 0);
    must(nftw(dir, copy_file, 8, FTW_PHYS) == 0);
    return clock_monotonic_ms() - from;
}

/* ---- a writer meanwhile ---- */

struct writer {
    struct tenant *tenant;
    atomic_bool stop;
    int64_t longest_us, rows, first;
};

static void *write_rows(void *arg)
{
    struct writer *w = arg;
    struct arena *mem = arena_open(0);
    struct actor actor = {.name = "bench", .tenant = "t0"};

    for (int64_t n = w->first; !w->stop; n++) {
        struct ctx c = {.mem = mem, .actor = &actor};
        int64_t from = clock_now_us();
        must(tx_begin(&c, w->tenant, TX_WRITE) == OK);
        must(tx_end(&c, w->tenant, add_mail(&c, "x", n)) == OK);
        int64_t took = clock_now_us() - from;
        w->longest_us = took > w->longest_us ? took : w->longest_us;
        w->rows++;
        arena_reset(mem);
    }
    arena_close(mem);
    return NULL;
}

static int64_t watch_writer(struct writer *w, void (*during)(void))
{
    pthread_t thread;

    *w = (struct writer){.tenant = w->tenant,
                         .first = w->first + w->rows + 1000000};
    must(pthread_create(&thread, NULL, write_rows, w) == 0);
    int64_t from = clock_monotonic_ms();
    during();
    int64_t took = clock_monotonic_ms() - from;
    w->stop = true;
    pthread_join(thread, NULL);
    return took;
}

static void back_up(void)
{
    struct arena *mem = arena_open(0);

    must(backup_run_now(&app, mem, "bench", false) == OK);
    arena_close(mem);
}

static void back_up_gently(void)
{
    struct arena *mem = arena_open(0);

    must(backup_run_now(&app, mem, "bench", true) == OK);
    arena_close(mem);
}

static void rest(void)
{
    (void)usleep(3000000);
}

/* ---- back again ---- */

static int64_t restore_whole(struct arena *mem, const char *date)
{
    struct ctx c = {.mem = mem, .actor = &system_actor};
    char to[PATH];
    size_t n;
    int64_t from = clock_monotonic_ms();

    (void)snprintf(to, sizeof to, "%s/whole", dir);
    struct buf said = buf_in(mem);
    must(backup_restore_whole(&c, &app, date, to, &said, &n) == OK);
    must((int)n == tenants);
    return clock_monotonic_ms() - from;
}

static int64_t verify(struct arena *mem, const char *date)
{
    struct ctx c = {.mem = mem, .actor = &system_actor};
    struct buf bad = buf_in(mem);
    size_t files;
    int64_t from = clock_monotonic_ms();

    must(backup_verify(&c, &app, date, &bad, &files) == OK && bad.len == 0);
    return clock_monotonic_ms() - from;
}

static int drop(const char *path, const struct stat *st, int kind,
                struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void print(const char *what, int64_t ms, int64_t limit_ms,
                  const char *goal)
{
    printf("  %-42s %8.2f s", what, (double)ms / 1000);
    if (limit_ms)
        printf("  %5.2f x %s", (double)ms / (double)limit_ms, goal);
    printf("\n");
}

static void run(struct arena *mem)
{
    struct writer w;
    const char *const *names;
    int64_t idle_us, run_us;

    w.first = w.rows = 0;
    (void)usleep(3000000); /* what was just written is not believed */
    int64_t from = clock_monotonic_ms();
    back_up();
    int64_t run_ms = clock_monotonic_ms() - from;
    int64_t plain = copy_plain();
    from = clock_monotonic_ms();
    back_up();
    int64_t again_ms = clock_monotonic_ms() - from;
    must(tenant_open(app.store, "t0", &w.tenant) == OK);
    (void)watch_writer(&w, rest);
    idle_us = w.longest_us;
    (void)watch_writer(&w, back_up);
    run_us = w.longest_us;
    int64_t gentle = watch_writer(&w, back_up_gently);
    tenant_close(w.tenant);
    must(generation_list(app.store, mem, &names) > 0);
    const char *date = arena_strdup(mem, names[0]);
    int64_t check = verify(mem, date);
    int64_t back = restore_whole(mem, date);

    printf("backup of %d tenants of 1 MB\n", tenants);
    print("plain copy of the files, synced", plain, 0, "");
    print("backup: copied, checked, hashed", run_ms, plain, "(goal <= 3)");
    print("the day after, nothing changed", again_ms, plain, "");
    print("that, throttled as each night", gentle, plain, "");
    print("backup verify of all", check, plain, "");
    print("restore of the whole service", back, plain, "");
    printf("  longest write of a busy tenant: alone %.1f ms, during a run "
           "%.1f ms, throttled %.1f ms (goal: 50 ms more at most)\n",
           (double)idle_us / 1000, (double)run_us / 1000,
           (double)w.longest_us / 1000);
}

int main(void)
{
    const char *number = getenv("BACKUP_TENANTS");
    struct arena *mem = arena_open(0);

    tenants = number ? (int)strtol(number, NULL, 10) : TENANTS;
    (void)snprintf(dir, sizeof dir, "%s/yagura-bench-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp");
    must(crypto_init() == OK && mkdtemp(dir));
    log_set_level(LOG_ERROR);
    const struct store_config sc = {
        .dir = dir, .kind = STORE_SERVICE, .create = true};
    must(store_open(&sc, &app.store) == OK);
    for (int n = 0; n < tenants; n++) {
        char id[16];
        name_tenant(id, n);
        fill(mem, id);
        arena_reset(mem);
    }
    run(mem);
    store_close(app.store);
    arena_close(mem);
    (void)nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
