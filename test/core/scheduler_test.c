/* SPDX-License-Identifier: Apache-2.0 */
/* What goes by the day, and what stays. */
#include "core_fixture.h"

#include "core/scheduler.h"

#include <stdio.h>

#define DAY_US INT64_C(86400000000)

static const uint8_t key[CRYPTO_KEY_BYTES] = {4, 5, 6};

static void tidy_at(struct world *w, int64_t now_us)
{
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = now_us;
    must(world_end(w, scheduler_tidy(&w->c, key)) == OK);
}

static int64_t tickets(struct world *w)
{
    return world_number(w, "SELECT count(*) FROM ticket", 0);
}

static void make_and_delete(struct world *w)
{
    char text[80];

    must(world_edit(w, w->admin,
                    "{\"op\":\"create\",\"ref\":\"a\",\"subject\":\"A\","
                    "\"classification\":\"task\"},"
                    "{\"op\":\"create\",\"parent\":\"a\",\"subject\":\"B\","
                    "\"classification\":\"task\"}") == OK);
    snprintf(text, sizeof(text),
             "{\"op\":\"delete\",\"id\":\"1\",\"version\":%lld}",
             (long long)world_number(
                 w, "SELECT version FROM ticket WHERE id = ?1", 1));
    must(world_edit(w, w->admin, text) == OK);
}

static void empties_the_bin_after_thirty_days(void **state)
{
    struct world *w = *state;

    make_and_delete(w);
    tidy_at(w, NOW_US + 29 * DAY_US);
    assert_int_equal(tickets(w), 2);
    tidy_at(w, NOW_US + 31 * DAY_US);
    assert_int_equal(tickets(w), 0);
    assert_int_equal(world_number(w, "SELECT count(*) FROM change", 0), 0);
}

static void keeps_what_is_in_use(void **state)
{
    struct world *w = *state;

    must(world_edit(w, w->admin,
                    "{\"op\":\"create\",\"subject\":\"A\","
                    "\"classification\":\"task\"}") == OK);
    tidy_at(w, NOW_US + 400 * DAY_US);
    assert_int_equal(tickets(w), 1);
    assert_int_equal(world_number(w, "SELECT count(*) FROM project", 0), 1);
}

static void drops_log_rows_after_three_months(void **state)
{
    struct world *w = *state;

    make_and_delete(w);
    assert_true(world_number(w, "SELECT count(*) FROM operation", 0) > 0);
    tidy_at(w, NOW_US + 88 * DAY_US);
    assert_true(world_number(w, "SELECT count(*) FROM operation", 0) > 0);
    tidy_at(w, NOW_US + 100 * DAY_US);
    assert_int_equal(world_number(w, "SELECT count(*) FROM operation", 0), 0);
}

static void erases_a_deleted_project(void **state)
{
    struct world *w = *state;

    must(world_edit(w, w->admin,
                    "{\"op\":\"create\",\"subject\":\"A\","
                    "\"classification\":\"task\"}") == OK);
    world_begin(w, w->admin, TX_WRITE);
    must(world_end(w, project_delete(&w->c, w->project, 1)) == OK);
    tidy_at(w, NOW_US + 31 * DAY_US);
    assert_int_equal(tickets(w), 0);
    assert_int_equal(world_number(w, "SELECT count(*) FROM project", 0), 0);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(empties_the_bin_after_thirty_days),
        RULE(keeps_what_is_in_use),
        RULE(drops_log_rows_after_three_months),
        RULE(erases_a_deleted_project),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
