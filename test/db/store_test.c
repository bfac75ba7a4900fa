/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory, its lock, keys and files, as an operator meets them. */
#include "db_fixture.h"

#include "base/crypto.h"
#include "base/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char add_key[] = "INSERT INTO key_name (key) VALUES (?1)";
static const char count_keys[] = "SELECT count(*) FROM key_name";

static void creates_opens_and_finds_again(void **state)
{
    struct fixture *f = *state;
    struct tenant *t;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_create(f->store, "acme"), ERR_CONFLICT);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_string_equal(tenant_id(t), "acme");
    assert_int_equal(fixture_add(f, t, add_key, "ERP"), OK);
    tenant_close(t);
    fixture_reopen(f);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_int_equal(fixture_number(f, t, count_keys), 1);
    tenant_close(t);
}

static void refuses_names_that_are_no_ids(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"",
                                      "1a",
                                      "A",
                                      "a/b",
                                      "..",
                                      "a.b",
                                      "-a",
                                      "a b",
                                      "\xe3\x81\x82",
                                      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct tenant *t;

    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(tenant_is_id(bad[i]));
        assert_int_equal(tenant_create(f->store, bad[i]), ERR_INVALID);
        assert_int_equal(tenant_open(f->store, bad[i], &t), ERR_NOT_FOUND);
    }
    assert_true(tenant_is_id("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_int_equal(tenant_open(f->store, "nobody", &t), ERR_NOT_FOUND);
}

static void derives_keys_that_differ_and_last(void **state)
{
    struct fixture *f = *state;
    uint8_t a[32], b[32], again[32];
    struct tenant *t;

    store_derive_key(f->store, "pepper", a);
    store_derive_key(f->store, "code", b);
    assert_memory_not_equal(a, b, 32);
    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    tenant_derive_key(t, "pepper", b);
    assert_memory_not_equal(a, b, 32);
    tenant_close(t);
    fixture_reopen(f);
    store_derive_key(f->store, "pepper", again);
    assert_memory_equal(a, again, 32);
}

/* What is on the disk is neither SQLite's format nor the customer's text. */
static void hides_content_on_the_disk(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"tenant.db", "tenant.db-wal"};
    struct tenant *t;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(fixture_add(f, t, add_key, fixture_text("MARKER", i)),
                         OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/tenants/acme/%s", f->dir,
                       names[i]);
        assert_true(fixture_file_size(path) > 1000);
        assert_false(fixture_file_has(path, "MARKER"));
        assert_false(fixture_file_has(path, "SQLite format 3"));
        assert_false(fixture_file_has(path, "CREATE TABLE"));
    }
    tenant_close(t);
}

static void refuses_another_master_key(void **state)
{
    struct fixture *f = *state;
    struct tenant *t;
    char path[512], other[512];
    uint8_t key[32] = {7};

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    store_close(f->store);
    (void)snprintf(path, sizeof(path), "%s.key", f->dir);
    (void)snprintf(other, sizeof(other), "%s.other", f->dir);
    fixture_write(other, key, sizeof(key), 0400);
    f->config.master_key_path = other;
    assert_int_equal(store_open(&f->config, &f->store), ERR_INTERNAL);
    f->config.master_key_path = path;
    assert_int_equal(store_open(&f->config, &f->store), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    tenant_close(t);
}

/* A tenant's file under another tenant's name does not open. */
static void refuses_a_file_of_another_tenant(void **state)
{
    struct fixture *f = *state;
    struct tenant *t;
    char from[512], to[512];

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_create(f->store, "other"), OK);
    (void)snprintf(from, sizeof(from), "%s/tenants/acme/tenant.db", f->dir);
    (void)snprintf(to, sizeof(to), "%s/tenants/other/tenant.db", f->dir);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(tenant_open(f->store, "other", &t), ERR_INTERNAL);
    (void)snprintf(from, sizeof(from), "%s/keys/acme.key", f->dir);
    (void)snprintf(to, sizeof(to), "%s/keys/other.key", f->dir);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(tenant_open(f->store, "other", &t), ERR_INTERNAL);
}

static void refuses_a_key_others_can_read(void **state)
{
    struct fixture *f = *state;
    char path[512];
    struct stat st;

    store_close(f->store);
    (void)snprintf(path, sizeof(path), "%s.key", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
    assert_int_equal(chmod(path, 0440), 0);
    assert_int_equal(store_open(&f->config, &f->store), ERR_DENIED);
    assert_int_equal(chmod(path, 0400), 0);
    /* a lost master key is never replaced in silence */
    char moved[520];
    (void)snprintf(moved, sizeof(moved), "%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(store_open(&f->config, &f->store), ERR_NOT_FOUND);
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(store_open(&f->config, &f->store), OK);
}

static void refuses_the_other_kind(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    f->config.kind = STORE_SERVICE;
    assert_int_equal(store_open(&f->config, &f->store), ERR_CONFLICT);
    f->config.kind = STORE_EVALUATION;
    assert_int_equal(store_open(&f->config, &f->store), OK);
}

static void refuses_a_second_process_and_names_the_first(void **state)
{
    struct fixture *f = *state;
    char said[4096] = "", name[64];
    int out[2];

    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *second;
        (void)dup2(out[1], STDERR_FILENO);
        _exit(store_open(&f->config, &second) == ERR_CONFLICT ? 0 : 1);
    }
    int status = 0;
    close(out[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(out[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    (void)snprintf(name, sizeof(name), "process %ld", (long)getpid());
    assert_non_null(strstr(said, name));
}

static void closes_the_longest_unused(void **state)
{
    struct fixture *f = *state;
    struct tenant *held;
    struct store_stats stats;

    store_close(f->store);
    f->config.tenants_max = 3;
    assert_int_equal(store_open(&f->config, &f->store), OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(tenant_create(f->store, fixture_text("t", i)), OK);
    assert_int_equal(tenant_open(f->store, "t0", &held), OK);
    for (int i = 1; i < 6; i++) {
        struct tenant *t;
        assert_int_equal(tenant_open(f->store, fixture_text("t", i), &t), OK);
        tenant_close(t);
    }
    store_stats(f->store, &stats);
    assert_int_equal(stats.tenants_open, 3);
    int64_t opens = stats.opens;
    assert_int_equal(fixture_number(f, held, count_keys), 0);
    struct tenant *t;
    assert_int_equal(tenant_open(f->store, "t5", &t), OK);
    tenant_close(t);
    store_stats(f->store, &stats);
    assert_int_equal(stats.opens, opens + 1); /* one reader, no file */
    tenant_close(held);
}

static void closes_what_nobody_uses(void **state)
{
    struct fixture *f = *state;
    struct tenant *held, *t;
    struct store_stats stats;

    for (int i = 0; i < 3; i++)
        assert_int_equal(tenant_create(f->store, fixture_text("t", i)), OK);
    assert_int_equal(tenant_open(f->store, "t0", &held), OK);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(tenant_open(f->store, fixture_text("t", i), &t), OK);
        assert_int_equal(fixture_add(f, t, add_key, "ERP"), OK);
        tenant_close(t);
    }
    store_rest(f->store, 600000);
    store_stats(f->store, &stats);
    assert_int_equal(stats.tenants_open, 3);
    store_rest(f->store, 0);
    store_stats(f->store, &stats);
    assert_int_equal(stats.tenants_open, 1);
    assert_int_equal(fixture_number(f, held, count_keys), 0);
    assert_int_equal(tenant_open(f->store, "t2", &t), OK);
    assert_int_equal(fixture_number(f, t, count_keys), 1);
    tenant_close(t);
    tenant_close(held);
}

enum { VISITORS = 8, VISITS = 60, HOUSES = 6 };

struct visitor {
    struct fixture *f;
    int number;
    pthread_t thread;
};

static void *visit(void *arg)
{
    struct visitor *v = arg;

    for (int i = 0; i < VISITS; i++) {
        struct fixture own = *v->f;
        struct tenant *t;
        char id[16], key[16];
        (void)snprintf(id, sizeof(id), "t%d", (v->number + i * 5) % HOUSES);
        (void)snprintf(key, sizeof(key), "V%dN%d", v->number, i);
        must(tenant_open(own.store, id, &t) == OK);
        must(fixture_add(&own, t, add_key, key) == OK);
        must(fixture_number(&own, t, count_keys) > 0);
        tenant_close(t);
    }
    return NULL;
}

/* Files open and close under the feet of threads that use them. */
static void serves_many_from_few_open_files(void **state)
{
    struct fixture *f = *state;
    struct visitor visitors[VISITORS];
    int64_t sum = 0;

    store_close(f->store);
    f->config.tenants_max = 2;
    assert_int_equal(store_open(&f->config, &f->store), OK);
    for (int i = 0; i < HOUSES; i++)
        assert_int_equal(tenant_create(f->store, fixture_text("t", i)), OK);
    for (int i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.f = f, .number = i};
        assert_int_equal(
            pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < VISITORS; i++)
        assert_int_equal(pthread_join(visitors[i].thread, NULL), 0);
    for (int i = 0; i < HOUSES; i++) {
        struct tenant *t;
        assert_int_equal(tenant_open(f->store, fixture_text("t", i), &t), OK);
        sum += fixture_number(f, t, count_keys);
        tenant_close(t);
    }
    assert_int_equal(sum, VISITORS * VISITS);
}

static void keeps_the_access_log_in_a_file_of_its_own(void **state)
{
    struct fixture *f = *state;
    static const char add[] =
        "INSERT INTO entry_source VALUES (0, 0, 0, '::1', '')";
    struct tenant *t;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_int_equal(tx_begin_access(&f->c, t, TX_WRITE), OK);
    assert_int_equal(
        tx_end_access(&f->c, t, query_run(&f->c, query(&f->c, add))), OK);
    tenant_close(t);
}

static void keeps_control_db(void **state)
{
    struct fixture *f = *state;
    static const char add[] =
        "INSERT INTO customer (id, name, created_at) VALUES ('a', 'A', 1)";
    static const char count[] = "SELECT count(*) FROM customer";

    assert_int_equal(tx_begin_control(&f->c, f->store, TX_WRITE), OK);
    enum err e = query_run(&f->c, query(&f->c, add));
    assert_int_equal(tx_end_control(&f->c, f->store, e), OK);
    fixture_reopen(f);
    assert_int_equal(tx_begin_control(&f->c, f->store, TX_READ), OK);
    struct query *q = query(&f->c, count);
    assert_int_equal(query_one(&f->c, q), OK);
    assert_int_equal(col_int(q, 0), 1);
    assert_int_equal(tx_end_control(&f->c, f->store, OK), OK);
}

static void sweeps_a_broken_creation(void **state)
{
    struct fixture *f = *state;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/tenants/.new-acme", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(tenant_create(f->store, "acme"), ERR_CONFLICT);
    fixture_reopen(f);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(tenant_create(f->store, "acme"), OK);
}

#define CASE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(creates_opens_and_finds_again),
        CASE(refuses_names_that_are_no_ids),
        CASE(derives_keys_that_differ_and_last),
        CASE(hides_content_on_the_disk),
        CASE(refuses_another_master_key),
        CASE(refuses_a_file_of_another_tenant),
        CASE(refuses_a_key_others_can_read),
        CASE(refuses_the_other_kind),
        CASE(refuses_a_second_process_and_names_the_first),
        CASE(closes_the_longest_unused),
        CASE(closes_what_nobody_uses),
        CASE(serves_many_from_few_open_files),
        CASE(keeps_the_access_log_in_a_file_of_its_own),
        CASE(keeps_control_db),
        CASE(sweeps_a_broken_creation),
    };

    must(crypto_init() == OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
