/* SPDX-License-Identifier: Apache-2.0 */
/* Counts against accounts: rows of the tenant's file. */
#include "core/core_fixture.h"

#include "core/account/throttle.h"

#include <stdio.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

static const struct app app = {.code_key = {7, 8, 9}};

static int wait_at(struct world *w, enum throttle_scope scope, int64_t subject,
                   int64_t now_us)
{
    int wait = -2;

    world_begin(w, w->admin, TX_READ);
    w->c.now_us = now_us;
    must(world_end(w, throttle_wait_s(&w->c, scope, subject, &wait)) == OK);
    return wait;
}

static void count_at(struct world *w, enum throttle_scope scope,
                     int64_t subject, int64_t now_us, int times)
{
    struct throttle_mark before;

    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = now_us;
    while (times-- > 0)
        must(throttle_count(&w->c, scope, subject, &before) == OK);
    must(world_end(w, OK) == OK);
}

static void five_are_free_then_it_doubles_to_a_stop(void **state)
{
    struct world *w = *state;

    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 4);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US), 0);
    for (int i = 0; i < 10; i++) {
        count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 1);
        assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US), 1 << i);
    }
    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 85);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US), 900);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 899 * SECOND_US),
                     1);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 900 * SECOND_US),
                     0);
    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 1);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 400 * DAY_US),
                     THROTTLE_STOPPED);
    assert_int_equal(wait_at(w, THROTTLE_DEVICE, 2, NOW_US), 0);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 3, NOW_US), 0);
}

static void resets_never_stop_for_good(void **state)
{
    struct world *w = *state;

    count_at(w, THROTTLE_RESET, -5, NOW_US, 3);
    assert_int_equal(wait_at(w, THROTTLE_RESET, -5, NOW_US), 60);
    count_at(w, THROTTLE_RESET, -5, NOW_US, 500);
    assert_int_equal(wait_at(w, THROTTLE_RESET, -5, NOW_US), 3600);
    assert_int_equal(wait_at(w, THROTTLE_RESET, -5, NOW_US + 2 * DAY_US), 0);
}

/* A clock set back by years does not shut anybody out for years. */
static void no_wait_is_longer_than_its_rule(void **state)
{
    struct world *w = *state;

    count_at(w, THROTTLE_PASSWORD, 2, NOW_US + 3000 * DAY_US, 50);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US), 900);
}

static void a_right_try_is_taken_back(void **state)
{
    struct world *w = *state;
    struct throttle_mark before;

    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 20);
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = NOW_US + 1000 * SECOND_US;
    must(throttle_count(&w->c, THROTTLE_PASSWORD, 2, &before) == OK);
    must(throttle_uncount(&w->c, THROTTLE_PASSWORD, 2, &before) == OK);
    must(world_end(w, OK) == OK);
    assert_int_equal(
        world_number(w, "SELECT failures FROM throttle WHERE subject = ?1", 2),
        20);
    assert_int_equal(
        wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 1001 * SECOND_US), 0);
}

/* What another counted in between stays. */
static void only_ones_own_try_is_taken_back(void **state)
{
    struct world *w = *state;
    struct throttle_mark mine, other;

    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 10);
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = NOW_US + 100 * SECOND_US;
    must(throttle_count(&w->c, THROTTLE_PASSWORD, 2, &mine) == OK);
    w->c.now_us = NOW_US + 101 * SECOND_US;
    must(throttle_count(&w->c, THROTTLE_PASSWORD, 2, &other) == OK);
    w->c.now_us = NOW_US + 100 * SECOND_US;
    must(throttle_uncount(&w->c, THROTTLE_PASSWORD, 2, &mine) == OK);
    must(world_end(w, OK) == OK);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 101 * SECOND_US),
                     64);
}

/* Names that nobody has share a bounded number of rows, below zero: they come
 * near nobody's count, and the file does not grow with the guesses. */
static void chosen_names_free_nothing_and_fill_nothing(void **state)
{
    struct world *w = *state;
    struct throttle_mark before;
    char name[40];

    count_at(w, THROTTLE_PASSWORD, w->mari, NOW_US, 100);
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = NOW_US;
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "x%d@example.jp", i);
        int64_t bucket = throttle_bucket(&w->c, &app, name);
        assert_in_range(-bucket, 1, THROTTLE_BUCKETS);
        must(throttle_count(&w->c, THROTTLE_PASSWORD, bucket, &before) == OK);
    }
    must(world_end(w, OK) == OK);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, w->mari, NOW_US),
                     THROTTLE_STOPPED);
    assert_in_range(world_number(w, "SELECT count(*) FROM throttle", 0), 40000,
                    THROTTLE_BUCKETS + 1);
    assert_int_equal(
        world_number(w, "SELECT sum(failures) FROM throttle WHERE subject < 0",
                     0),
        100000);
}

static void buckets_depend_on_the_servers_key(void **state)
{
    static const struct app other = {.code_key = {1}};
    struct world *w = *state;
    int same = 0;
    char name[40];

    world_begin(w, w->admin, TX_READ);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "x%d@example.jp", i);
        int64_t bucket = throttle_bucket(&w->c, &app, name);
        assert_int_equal(bucket, throttle_bucket(&w->c, &app, name));
        same += bucket == throttle_bucket(&w->c, &other, name);
    }
    must(world_end(w, OK) == OK);
    assert_in_range(same, 0, 3);
}

static void the_daily_round_keeps_what_counts(void **state)
{
    struct world *w = *state;

    count_at(w, THROTTLE_PASSWORD, 2, NOW_US, 100); /* stopped */
    count_at(w, THROTTLE_PASSWORD, 3, NOW_US, 99);
    count_at(w, THROTTLE_PASSWORD, -4, NOW_US + 20 * DAY_US, 7);
    count_at(w, THROTTLE_RESET, -4, NOW_US, 200);
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = NOW_US + 31 * DAY_US;
    must(world_end(w, throttle_prune(&w->c)) == OK);
    assert_int_equal(world_number(w, "SELECT count(*) FROM throttle", 0), 2);
    assert_int_equal(wait_at(w, THROTTLE_PASSWORD, 2, NOW_US + 31 * DAY_US),
                     THROTTLE_STOPPED);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(five_are_free_then_it_doubles_to_a_stop),
        TEST(resets_never_stop_for_good),
        TEST(no_wait_is_longer_than_its_rule),
        TEST(a_right_try_is_taken_back),
        TEST(only_ones_own_try_is_taken_back),
        TEST(chosen_names_free_nothing_and_fill_nothing),
        TEST(buckets_depend_on_the_servers_key),
        TEST(the_daily_round_keeps_what_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
