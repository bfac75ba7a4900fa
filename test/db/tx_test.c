/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as core uses them: what writers share and what they do not. */
#include "db_fixture.h"

#include "base/clock.h"
#include "base/crypto.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { WRITERS = 32, ROWS_EACH = 20 };

static const char add_key[] = "INSERT INTO key_name (key) VALUES (?1)";
static const char count_keys[] = "SELECT count(*) FROM key_name";

static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    must(tenant_create(f->store, "acme") == OK);
    must(tenant_open(f->store, "acme", &f->t) == OK);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    tenant_close(f->t);
    return fixture_tear_down(state);
}

static void open_again(struct fixture *f)
{
    tenant_close(f->t);
    fixture_reopen(f);
    must(tenant_open(f->store, "acme", &f->t) == OK);
}

/* ---- what statements may do ---- */

static void refuses_what_is_no_row_work(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "ATTACH DATABASE '/tmp/x.db' AS x",
        "DETACH DATABASE main",
        "CREATE TABLE x (a INTEGER)",
        "CREATE TEMP TABLE x (a INTEGER)",
        "DROP TABLE key_name",
        "ALTER TABLE key_name RENAME TO x",
        "PRAGMA synchronous = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA key = 'x'",
        "PRAGMA rekey = 'x'",
        "COMMIT",
        "BEGIN",
        "SAVEPOINT x",
        "ROLLBACK",
        "VACUUM INTO '/tmp/x.db'",
        "DELETE FROM sqlite_schema",
        "SELECT sqlite3mc_config('cipher')",
        "SELECT load_extension('x')",
        "SELECT nothing FROM nowhere",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
        enum err e = query_run(&f->c, query(&f->c, bad[i]));
        assert_int_equal(e, ERR_INTERNAL);
        assert_int_equal(tx_end(&f->c, f->t, e), e);
    }
    assert_int_equal(fixture_add(f, f->t, add_key, "AA"), OK);
}

static void dies_of_abuse(struct fixture *f, void (*abuse)(struct fixture *))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        abuse(f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void ask_outside(struct fixture *f)
{
    (void)query(&f->c, count_keys);
}

static void ask_as_another_tenant(struct fixture *f)
{
    f->actor.tenant = "other";
    if (tx_begin(&f->c, f->t, TX_READ) == OK)
        (void)query(&f->c, count_keys);
}

static void nest_the_same_statement(struct fixture *f)
{
    enum err e;

    if (tx_begin(&f->c, f->t, TX_READ))
        return;
    (void)query_next(&f->c, query(&f->c, count_keys), &e);
    (void)query(&f->c, count_keys);
}

static void write_while_reading(struct fixture *f)
{
    if (tx_begin(&f->c, f->t, TX_READ))
        return;
    struct query *q = query(&f->c, add_key);
    bind_text(q, 1, "AA");
    (void)(query_run(&f->c, q) == OK);
}

static void begin_twice(struct fixture *f)
{
    if (!tx_begin(&f->c, f->t, TX_READ))
        (void)(tx_begin(&f->c, f->t, TX_READ) == OK);
}

static void aborts_on_wrong_use(void **state)
{
    struct fixture *f = *state;

    dies_of_abuse(f, ask_outside);
    dies_of_abuse(f, ask_as_another_tenant);
    dies_of_abuse(f, nest_the_same_statement);
    dies_of_abuse(f, write_while_reading);
    dies_of_abuse(f, begin_twice);
}

/* ---- one writer ---- */

static void tells_a_conflict_and_goes_on(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
    for (int i = 0; i < 2; i++) {
        struct query *q = query(&f->c, add_key);
        bind_text(q, 1, "AA");
        assert_int_equal(query_run(&f->c, q), i ? ERR_CONFLICT : OK);
    }
    struct query *q = query(&f->c, add_key);
    bind_text(q, 1, "not a key");
    assert_int_equal(query_run(&f->c, q), ERR_CONFLICT);
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(fixture_number(f, f->t, count_keys), 1);
}

static void undoes_an_inner_part(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"AA", "BB", "CC"};

    assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
    for (size_t i = 0; i < COUNT(keys); i++) {
        enum err outcome = i == 1 ? ERR_INVALID : OK;
        assert_int_equal(savepoint_begin(&f->c), OK);
        struct query *q = query(&f->c, add_key);
        bind_text(q, 1, keys[i]);
        assert_int_equal(query_run(&f->c, q), OK);
        assert_int_equal(savepoint_end(&f->c, outcome), outcome);
    }
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(fixture_number(f, f->t, count_keys), 2);
}

static void binds_and_reads_every_type(void **state)
{
    struct fixture *f = *state;
    static const char echo[] = "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7";
    size_t len;

    assert_int_equal(tx_begin(&f->c, f->t, TX_READ), OK);
    struct query *q = query(&f->c, echo);
    bind_int(q, 1, INT64_MIN);
    bind_id(q, 2, 0);
    bind_day(q, 3, INT32_MIN);
    bind_double(q, 4, 0.5);
    bind_text(q, 5, "\xe8\xa6\x81\xe4\xbb\xb6");
    bind_blob(q, 6, "", 0);
    bind_text(q, 7, NULL);
    assert_int_equal(query_one(&f->c, q), OK);
    assert_true(col_int(q, 0) == INT64_MIN);
    assert_true(col_is_null(q, 1) && col_int(q, 1) == 0);
    assert_int_equal(col_day(q, 2), INT32_MIN);
    assert_true(col_double(q, 3) == 0.5);
    assert_string_equal(col_text(&f->c, q, 4), "\xe8\xa6\x81\xe4\xbb\xb6");
    assert_non_null(col_blob(&f->c, q, 5, &len));
    assert_int_equal(len, 0);
    assert_null(col_text(&f->c, q, 6));
    query_done(q);
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
}

/* Some ticks of a statement, on a thread that has used no time of its own. */
static void *count_a_little(void *arg)
{
    static const char counting[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 3000) SELECT count(*) FROM n";
    struct fixture own = *(struct fixture *)arg;

    own.c.mem = arena_open(0);
    must(tx_begin(&own.c, own.t, TX_WRITE) == OK);
    struct query *q = query(&own.c, counting);
    must(query_one(&own.c, q) == OK);
    query_done(q);
    must(tx_end(&own.c, own.t, OK) == OK);
    arena_close(own.c.mem);
    return NULL;
}

/* A transaction's own statements are seen by the guard too, now and then: what
 * another thread's statement began with is nothing to them. */
static void counts_no_other_threads_time(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;

    assert_int_equal(setenv("YAGURA_TEST_STATEMENT_MS", "300", 1), 0);
    open_again(f);
    assert_int_equal(unsetenv("YAGURA_TEST_STATEMENT_MS"), 0);
    while (clock_thread_cpu_ms() < 1000)
        ;
    assert_int_equal(pthread_create(&thread, NULL, count_a_little, f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
        assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    }
}

static void stops_what_runs_too_long(void **state)
{
    struct fixture *f = *state;
    static const char forever[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) FROM n";

    assert_int_equal(tx_begin(&f->c, f->t, TX_READ), OK);
    tx_extend(&f->c, 1);
    assert_int_equal(query_one(&f->c, query(&f->c, forever)), ERR_BUSY);
    assert_int_equal(tx_end(&f->c, f->t, ERR_BUSY), ERR_BUSY);
    assert_int_equal(fixture_number(f, f->t, count_keys), 0);
}

/* ---- many ---- */

static void lets_a_reader_keep_its_moment(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_add(f, f->t, add_key, "AA"), OK);
    assert_int_equal(tx_begin(&f->c, f->t, TX_READ), OK);
    for (int i = 0; i < 2; i++) {
        struct query *q = query(&f->c, count_keys);
        assert_int_equal(query_one(&f->c, q), OK);
        assert_int_equal(col_int(q, 0), 1);
        query_done(q);
        struct fixture other = *f;
        other.c.db = NULL;
        if (i == 0)
            assert_int_equal(fixture_add(&other, f->t, add_key, "BB"), OK);
    }
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(fixture_number(f, f->t, count_keys), 2);
}

struct worker {
    struct fixture *f;
    int number, acknowledged;
    bool spoils; /* undoes every second of its own */
    pthread_t thread;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < ROWS_EACH; i++) {
        struct ctx c = w->f->c;
        char key[16];
        enum err outcome = w->spoils && i % 2 ? ERR_INVALID : OK;
        (void)snprintf(key, sizeof(key), "K%dX%d", w->number, i);
        if (tx_begin(&c, w->f->t, TX_WRITE))
            continue;
        struct query *q = query(&c, add_key);
        bind_text(q, 1, key);
        enum err e = query_run(&c, q);
        e = tx_end(&c, w->f->t, e ? e : outcome);
        w->acknowledged += e == OK;
    }
    return NULL;
}

static int run_writers(struct fixture *f, bool spoils)
{
    static struct worker workers[WRITERS];
    int sum = 0;

    for (int i = 0; i < WRITERS; i++) {
        workers[i] =
            (struct worker){.f = f, .number = i, .spoils = spoils && i % 3};
        must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        must(pthread_join(workers[i].thread, NULL) == 0);
        sum += workers[i].acknowledged;
    }
    return sum;
}

static void lets_writers_share_commits(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;

    assert_int_equal(run_writers(f, false), WRITERS * ROWS_EACH);
    assert_int_equal(fixture_number(f, f->t, count_keys), WRITERS * ROWS_EACH);
    store_stats(f->store, &stats);
    assert_int_equal(stats.commits + stats.shared_commits, WRITERS * ROWS_EACH);
    assert_true(stats.commits < WRITERS * ROWS_EACH / 2);
    assert_int_equal(stats.busy, 0);
}

static void undoes_one_and_keeps_its_neighbours(void **state)
{
    struct fixture *f = *state;
    int acknowledged = run_writers(f, true);

    assert_true(acknowledged < WRITERS * ROWS_EACH);
    assert_int_equal(fixture_number(f, f->t, count_keys), acknowledged);
    open_again(f);
    assert_int_equal(fixture_number(f, f->t, count_keys), acknowledged);
}

struct late {
    struct fixture *f;
    enum err result;
};

static void *come_late(void *arg)
{
    struct late *late = arg;

    late->result = fixture_add(late->f, late->f->t, add_key, "BB");
    return NULL;
}

static void gives_up_waiting_and_says_busy(void **state)
{
    struct fixture *f = *state;
    struct store_stats stats;
    pthread_t thread;

    tenant_close(f->t);
    f->config.wait_ms = 50;
    fixture_reopen(f);
    assert_int_equal(tenant_open(f->store, "acme", &f->t), OK);
    struct fixture other = *f;
    struct late late = {.f = &other};
    assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
    assert_int_equal(pthread_create(&thread, NULL, come_late, &late), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(late.result, ERR_BUSY);
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(fixture_number(f, f->t, count_keys), 0);
    store_stats(f->store, &stats);
    assert_int_equal(stats.busy, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(refuses_what_is_no_row_work),
        CASE(aborts_on_wrong_use),
        CASE(tells_a_conflict_and_goes_on),
        CASE(undoes_an_inner_part),
        CASE(binds_and_reads_every_type),
        CASE(counts_no_other_threads_time),
        CASE(stops_what_runs_too_long),
        CASE(lets_a_reader_keep_its_moment),
        CASE(lets_writers_share_commits),
        CASE(undoes_one_and_keeps_its_neighbours),
        CASE(gives_up_waiting_and_says_busy),
    };

    must(crypto_init() == OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
