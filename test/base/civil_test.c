/* SPDX-License-Identifier: Apache-2.0 */
#include "base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every day of ten thousand years, against a plain count. */
static void test_counts_every_day(void **state)
{
    (void)state;
    int32_t day = civil_from_ymd(1, 1, 1);
    int year = 0, month = 0, day_of_month = 0;
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; civil_is_valid(y, m, d); d++, day++) {
                assert_int_equal(civil_from_ymd(y, m, d), day);
                civil_to_ymd(day, &year, &month, &day_of_month);
                assert_true(year == y && month == m && day_of_month == d);
            }
    assert_int_equal(day - 1, civil_from_ymd(9999, 12, 31));
}

static void test_knows_anchors(void **state)
{
    (void)state;
    assert_int_equal(civil_from_ymd(1970, 1, 1), 0);
    assert_int_equal(civil_from_ymd(2000, 3, 1), 11017);
    assert_int_equal(civil_weekday(0), 4);
    assert_int_equal(civil_weekday(-1), 3);
    assert_int_equal(civil_weekday(civil_from_ymd(2026, 11, 22)), 0);
}

static void test_parses_only_iso(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01",
        "2026-01-00", "2026-1-1",   "2026/01/01", "0000-01-01", "2026-01-01 ",
        "+026-01-01", "2026-01-0x", "2026-04-31"};
    int32_t day = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(civil_parse(bad[i], &day));
    assert_true(civil_parse("2000-02-29", &day));
    assert_int_equal(day, civil_from_ymd(2000, 2, 29));
}

static void test_formats_within_bounds(void **state)
{
    (void)state;
    char text[11];
    civil_format(civil_from_ymd(2026, 1, 5), text);
    assert_string_equal(text, "2026-01-05");
    civil_format(INT32_MAX, text);
    assert_string_equal(text, "9999-12-31");
    civil_format(INT32_MIN, text);
    assert_string_equal(text, "0001-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_every_day),
        cmocka_unit_test(test_knows_anchors),
        cmocka_unit_test(test_parses_only_iso),
        cmocka_unit_test(test_formats_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
