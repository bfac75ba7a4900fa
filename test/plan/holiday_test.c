/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/holiday.h"

#include "base/civil.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Whole years as the Cabinet Office published them: "MMDD". */
static const struct {
    int year;
    const char *days;
} years[] = {
    {1988, "0101 0115 0211 0320 0321 0429 0503 0504 0505 0915 0923 1010 1103 "
           "1123"},
    {1989, "0101 0102 0115 0116 0211 0224 0321 0429 0503 0504 0505 0915 0923 "
           "1010 1103 1123 1223"},
    {2003, "0101 0113 0211 0321 0429 0503 0505 0721 0915 0923 1013 1103 1123 "
           "1124 1223"},
    {2009, "0101 0112 0211 0320 0429 0503 0504 0505 0506 0720 0921 0922 0923 "
           "1012 1103 1123 1223"},
    {2015, "0101 0112 0211 0321 0429 0503 0504 0505 0506 0720 0921 0922 0923 "
           "1012 1103 1123 1223"},
    {2019, "0101 0114 0211 0321 0429 0430 0501 0502 0503 0504 0505 0506 0715 "
           "0811 0812 0916 0923 1014 1022 1103 1104 1123"},
    {2020, "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0723 0724 "
           "0810 0921 0922 1103 1123"},
    {2021, "0101 0111 0211 0223 0320 0429 0503 0504 0505 0722 0723 0808 0809 "
           "0920 0923 1103 1123"},
    {2024, "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 "
           "0812 0916 0922 0923 1014 1103 1104 1123"},
    {2025, "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 "
           "0915 0923 1013 1103 1123 1124"},
    {2026, "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 "
           "0922 0923 1012 1103 1123"},
};

static void test_years_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(years); i++) {
        char text[400] = "";
        int32_t last = civil_from_ymd(years[i].year, 12, 31);
        for (int32_t d = civil_from_ymd(years[i].year, 1, 1); d <= last; d++) {
            char iso[11];
            if (!holiday_get(d))
                continue;
            civil_format(d, iso);
            size_t n = strlen(text);
            if (n)
                text[n++] = ' ';
            text[n++] = iso[5];
            text[n++] = iso[6];
            text[n++] = iso[8];
            text[n++] = iso[9];
            text[n] = 0;
        }
        assert_string_equal(text, years[i].days);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(holiday_get(civil_from_ymd(2026, 9, 22))->ja,
                        "国民の休日");
    assert_string_equal(holiday_get(civil_from_ymd(2025, 11, 24))->en,
                        "Substitute Holiday");
    assert_null(holiday_get(civil_from_ymd(2026, 12, 31)));
    assert_null(holiday_get(civil_from_ymd(1979, 1, 1)));
}

/* Spans that begin and end anywhere, also amid a row of holidays. */
static void test_a_list_says_what_each_day_does(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0);
    int32_t last = civil_from_ymd(2052, 1, 1);

    for (int32_t first = civil_from_ymd(1978, 12, 1); first < last;
         first += 97) {
        const struct holiday *const *list =
            holiday_list(mem, first, first + 120);
        for (int32_t i = 0; i <= 120; i++)
            assert_ptr_equal(list[i], holiday_get(first + i));
        arena_reset(mem);
    }
    arena_close(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_years_are_as_published),
        cmocka_unit_test(test_a_list_says_what_each_day_does),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
