/* SPDX-License-Identifier: Apache-2.0 */
/* The operation log's chain, and what pruning leaves of it. */
#include "core/core_fixture.h"

#include "core/log/operation.h"

#define DAY_US INT64_C(86400000000)

static const uint8_t key[CRYPTO_KEY_BYTES] = {1, 2, 3};

static int64_t rows_now(struct world *w)
{
    return world_number(w, "SELECT count(*) FROM operation", 0);
}

static void append(struct world *w, int64_t at_us, const char *name)
{
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = at_us;
    must(world_end(w, operation_log(&w->c,
                                    &(struct operation){.action = "update",
                                                        .kind = "ticket",
                                                        .object_id = 7,
                                                        .object_name = name,
                                                        .after = "{}"})) == OK);
}

static int64_t broken(struct world *w, const uint8_t *with)
{
    struct log_proof proof;

    world_begin(w, w->admin, TX_READ);
    must(operation_verify(&w->c, with, NULL, &proof) == OK);
    must(world_end(w, OK) == OK);
    return proof.broken_seq;
}

static void change(struct world *w, const char *sql)
{
    world_begin(w, w->admin, TX_WRITE);
    must(world_end(w, query_run(&w->c, query(&w->c, sql))) == OK);
}

static void proves_that_nothing_was_touched(void **state)
{
    struct world *w = *state;
    int64_t made = rows_now(w);

    for (int i = 0; i < 5; i++)
        append(w, NOW_US + i, "ERP-7 要件定義");
    assert_int_equal(rows_now(w), made + 5);
    assert_int_equal(broken(w, key), 0);
    change(w, "UPDATE operation SET object_name = 'x' WHERE seq = 3");
    assert_int_equal(broken(w, key), 3);
}

static void misses_removed_rows(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 5; i++)
        append(w, NOW_US + i, "x");
    change(w, "DELETE FROM operation WHERE seq = 4");
    assert_int_equal(broken(w, key), 4);
}

static void prunes_and_goes_on(void **state)
{
    struct world *w = *state;
    const uint8_t other[CRYPTO_KEY_BYTES] = {9};
    size_t removed;

    append(w, NOW_US + 10 * DAY_US, "young");
    append(w, NOW_US + 11 * DAY_US, "younger");
    int64_t all = rows_now(w);
    world_begin(w, w->admin, TX_WRITE);
    enum err e = operation_prune(&w->c, NOW_US + 5 * DAY_US, key, &removed);
    assert_int_equal(world_end(w, e), OK);
    assert_int_equal(removed, all - 2);
    assert_int_equal(rows_now(w), 2);
    assert_int_equal(broken(w, key), 0);
    assert_int_not_equal(broken(w, other), 0);
    world_begin(w, w->admin, TX_WRITE);
    e = operation_prune(&w->c, NOW_US + 50 * DAY_US, key, &removed);
    assert_int_equal(world_end(w, e), OK);
    assert_int_equal(rows_now(w), 0);
    append(w, NOW_US + 60 * DAY_US, "next");
    assert_int_equal(broken(w, key), 0);
    assert_int_equal(world_number(w, "SELECT seq FROM operation", 0), all + 1);
}

static void keeps_three_months(void **state)
{
    (void)state;
    assert_int_equal((NOW_US - operation_keep_since(NOW_US)) / DAY_US, 92);
}

static void lists_by_person_newest_first(void **state)
{
    struct world *w = *state;
    const struct operation_row *list;
    size_t count;
    bool more;

    append(w, NOW_US, "ERP-1 first");
    append(w, NOW_US, "ERP-2 second");
    world_begin(w, w->admin, TX_READ);
    struct operation_filter filter = {.user_id = 1, .q = "erp-", .limit = 1};
    assert_int_equal(operation_list(&w->c, &filter, &list, &count, &more), OK);
    assert_true(more);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].op.object_name, "ERP-2 second");
    filter.user_id = 2;
    assert_int_equal(operation_list(&w->c, &filter, &list, &count, &more), OK);
    assert_int_equal(count, 0);
    assert_int_equal(world_end(w, OK), OK);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(proves_that_nothing_was_touched),
        RULE(misses_removed_rows),
        RULE(prunes_and_goes_on),
        RULE(keeps_three_months),
        RULE(lists_by_person_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
