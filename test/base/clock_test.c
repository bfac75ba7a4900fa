/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/civil.h"

#define US_PER_SECOND INT64_C(1000000)

static void test_formats_in_japan(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0);
    assert_string_equal(clock_format(mem, 0), "1970-01-01T09:00:00+09:00");
    assert_string_equal(clock_format(mem, INT64_C(1795307400) * US_PER_SECOND),
                        "2026-11-22T09:30:00+09:00");
    assert_string_equal(clock_format(mem, -1), "1970-01-01T08:59:59+09:00");
    (void)clock_format(mem, INT64_MAX);
    (void)clock_format(mem, INT64_MIN);
    arena_close(mem);
}

static void test_says_it_to_people(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0);
    int64_t at = INT64_C(1795307400) * US_PER_SECOND;
    assert_string_equal(clock_say(mem, at, true), "2026/11/22 (日) 09:30");
    assert_string_equal(clock_say(mem, at, false), "Sun 22 Nov 2026 09:30");
    assert_string_equal(clock_say(mem, 0, false), "Thu 1 Jan 1970 09:00");
    (void)clock_say(mem, INT64_MAX, true);
    (void)clock_say(mem, INT64_MIN, false);
    arena_close(mem);
}

static void test_reads_what_it_writes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-22",
        "2026-11-22 09:30",
        "2026-02-30T09:30",
        "2026-11-22T24:00",
        "2026-11-22T09:60",
        "2026-11-22T9:30",
        "2026-11-22T09:30:61",
        "2026-11-22T09:30Z",
        "2026-11-22T09:30+00:00",
        "2026-11-22T09:30:00.5",
    };
    struct arena *mem = arena_open(0);
    int64_t at = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(clock_parse(bad[i], &at));
    assert_int_equal(at, 1);
    assert_true(clock_parse("2026-11-22T09:30", &at));
    assert_string_equal(clock_format(mem, at), "2026-11-22T09:30:00+09:00");
    assert_true(clock_parse("1970-01-01T08:59:59+09:00", &at));
    assert_int_equal(at, -US_PER_SECOND);
    arena_close(mem);
}

static void test_day_changes_at_midnight_in_japan(void **state)
{
    (void)state;
    int64_t midnight = INT64_C(15) * 3600 * US_PER_SECOND;
    assert_int_equal(clock_today(midnight - 1), civil_from_ymd(1970, 1, 1));
    assert_int_equal(clock_today(midnight), civil_from_ymd(1970, 1, 2));
    assert_int_equal(clock_today(midnight - INT64_C(86400) * US_PER_SECOND - 1),
                     civil_from_ymd(1969, 12, 31));
}

static void test_clocks_do_not_go_back(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= before);
    assert_true(clock_now_us() > INT64_C(1700000000) * US_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_in_japan),
        cmocka_unit_test(test_says_it_to_people),
        cmocka_unit_test(test_reads_what_it_writes),
        cmocka_unit_test(test_day_changes_at_midnight_in_japan),
        cmocka_unit_test(test_clocks_do_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
