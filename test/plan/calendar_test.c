/* SPDX-License-Identifier: Apache-2.0 */
/* Working days by known answers, and against a count that walks day by day. */
#include "plan/calendar.h"

#include "base/civil.h"
#include "base/err.h"
#include "plan/holiday.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { MONDAY_TO_FRIDAY = 62, EVERY_DAY = 127 };

static int32_t day_of(const char *text)
{
    int32_t day;

    if (!civil_parse(text, &day))
        fail_msg("no date: %s", text);
    return day;
}

static void assert_day(int32_t day, const char *wanted, const char *what)
{
    char iso[11];

    civil_format(day, iso);
    if (strcmp(iso, wanted) != 0)
        fail_msg("%s: %s, not %s", what, iso, wanted);
}

/* The last week of November 2026: Monday 23 is a holiday, Saturday 28 is
 * worked, Wednesday 25 is the company's day off. */
static const struct calendar *company(struct arena *mem)
{
    struct calendar_exception exceptions[] = {
        {day_of("2026-11-25"), false},
        {day_of("2026-11-28"), true},
        {day_of("2031-01-06"), false}, /* beyond the table */
    };
    struct calendar_rule rule = {.weekdays = MONDAY_TO_FRIDAY,
                                 .holidays = true,
                                 .exceptions = exceptions,
                                 .exception_count = COUNT(exceptions)};

    return calendar_compile(mem, &rule, day_of("2026-11-01"),
                            day_of("2027-01-31"));
}

static void test_days_off(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        bool is_working;
        const char *next, *previous;
    } rows[] = {
        {"2026-11-20", true, "2026-11-20", "2026-11-20"},
        {"2026-11-21", false, "2026-11-24", "2026-11-20"}, /* Saturday */
        {"2026-11-23", false, "2026-11-24", "2026-11-20"}, /* holiday */
        {"2026-11-25", false, "2026-11-26", "2026-11-24"}, /* day off */
        {"2026-11-28", true, "2026-11-28", "2026-11-28"},  /* worked */
        {"2026-11-29", false, "2026-11-30", "2026-11-28"},
        {"2027-01-01", false, "2027-01-04", "2026-12-31"},
        /* beyond the table by weekdays alone: no holidays, no exceptions */
        {"2027-01-30", false, "2027-02-01", "2027-01-29"},
        {"2027-02-11", true, "2027-02-11", "2027-02-11"},
        {"2031-01-06", true, "2031-01-06", "2031-01-06"},
        {"2026-11-01", false, "2026-11-02", "2026-10-30"},
        {"2026-09-22", true, "2026-09-22", "2026-09-22"},
    };
    struct arena *mem = arena_open(0);
    const struct calendar *k = company(mem);

    for (size_t i = 0; i < COUNT(rows); i++) {
        int32_t day = day_of(rows[i].day);
        assert_int_equal(calendar_is_working(k, day), rows[i].is_working);
        assert_day(calendar_next(k, day), rows[i].next, rows[i].day);
        assert_day(calendar_previous(k, day), rows[i].previous, rows[i].day);
    }
    arena_close(mem);
}

static void test_adding(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        int64_t n;
        const char *sum;
    } rows[] = {
        {"2026-11-20", 0, "2026-11-20"},
        {"2026-11-20", 1, "2026-11-24"},
        {"2026-11-20", 2, "2026-11-26"},
        {"2026-11-20", 4, "2026-11-28"},
        {"2026-11-20", 5, "2026-11-30"},
        {"2026-11-24", -1, "2026-11-20"},
        /* a day off counts as the working day after it, both ways */
        {"2026-11-21", 0, "2026-11-24"},
        {"2026-11-21", 1, "2026-11-26"},
        {"2026-11-21", -1, "2026-11-20"},
        /* over the edges of the table */
        {"2027-01-29", 1, "2027-02-01"},
        {"2027-01-28", 11, "2027-02-12"},
        {"2026-11-02", -1, "2026-10-30"},
        {"2027-02-01", -1, "2027-01-29"},
        {"2026-10-30", 2, "2026-11-04"}, /* Culture Day between */
    };
    struct arena *mem = arena_open(0);
    const struct calendar *k = company(mem);

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_day(calendar_add(k, day_of(rows[i].day), rows[i].n), rows[i].sum,
                   rows[i].day);
    arena_close(mem);
}

static void test_counting(void **state)
{
    (void)state;
    static const struct {
        const char *start, *end;
        int64_t days;
    } rows[] = {
        {"2026-11-20", "2026-11-20", 1}, {"2026-11-21", "2026-11-23", 0},
        {"2026-11-20", "2026-11-30", 6}, {"2026-11-24", "2026-11-20", 0},
        {"2026-12-28", "2027-01-04", 5}, {"2027-01-29", "2027-02-01", 2},
        {"2026-10-30", "2026-11-02", 2}, {"2027-02-08", "2027-02-12", 5},
    };
    struct arena *mem = arena_open(0);
    const struct calendar *k = company(mem);

    for (size_t i = 0; i < COUNT(rows); i++)
        if (calendar_count(k, day_of(rows[i].start), day_of(rows[i].end)) !=
            rows[i].days)
            fail_msg("%s to %s", rows[i].start, rows[i].end);
    arena_close(mem);
}

/* ---- random calendars, the same each time ---- */

static uint32_t seed;

static int random_below(int n)
{
    seed = seed * 1664525U + 1013904223U;
    return (int)((seed >> 16) % (uint32_t)n);
}

enum { FIRST = 20000, DAYS = 60, AROUND = 30, EXCEPTIONS = 12 };

/* What calendar.h says, without the table. */
static bool works(const struct calendar_rule *rule, int32_t day)
{
    bool yes = rule->weekdays >> civil_weekday(day) & 1;

    if (day < FIRST || day >= FIRST + DAYS)
        return yes;
    if (rule->holidays && holiday_get(day))
        yes = false;
    for (size_t i = 0; i < rule->exception_count; i++)
        if (rule->exceptions[i].day == day)
            yes = rule->exceptions[i].is_working;
    return yes;
}

static int32_t walk(const struct calendar_rule *rule, int32_t day, int64_t n)
{
    while (!works(rule, day))
        day++;
    for (; n > 0; n--)
        do
            day++;
        while (!works(rule, day));
    for (; n < 0; n++)
        do
            day--;
        while (!works(rule, day));
    return day;
}

static void compare(const struct calendar *k, const struct calendar_rule *rule)
{
    for (int32_t day = FIRST - AROUND; day < FIRST + DAYS + AROUND; day++) {
        int64_t n = random_below(81) - 40;
        assert_int_equal(calendar_is_working(k, day), works(rule, day));
        assert_int_equal(calendar_add(k, day, n), walk(rule, day, n));
        int32_t end = day + random_below(AROUND);
        int64_t count = 0;
        for (int32_t d = day; d <= end; d++)
            count += works(rule, d);
        assert_int_equal(calendar_count(k, day, end), count);
    }
}

static void test_the_table_says_what_walking_says(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0);

    seed = 1;
    for (int round = 0; round < 300; round++) {
        struct calendar_exception exceptions[EXCEPTIONS];
        struct calendar_rule rule = {
            .weekdays = round == 0 ? EVERY_DAY : 1 + random_below(EVERY_DAY),
            .holidays = random_below(2) == 1,
            .exceptions = exceptions,
            .exception_count = (size_t)random_below(EXCEPTIONS + 1)};
        for (size_t i = 0; i < rule.exception_count; i++)
            exceptions[i] = (struct calendar_exception){
                FIRST - AROUND + random_below(DAYS + 2 * AROUND),
                random_below(2) == 1};
        compare(calendar_compile(mem, &rule, FIRST, FIRST + DAYS - 1), &rule);
        arena_reset(mem);
    }
    arena_close(mem);
}

/* Adding and counting are each other's inverse, over any day off. */
static void test_adding_undoes_counting(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0);
    const struct calendar *k = company(mem);
    int32_t first = day_of("2026-10-20"), last = day_of("2027-02-20");

    for (int32_t start = first; start < last; start++)
        for (int32_t end = start; end < last; end++) {
            int64_t days = calendar_count(k, start, end);
            if (days > 0 &&
                calendar_add(k, start, days - 1) != calendar_previous(k, end))
                fail_msg("%d to %d", start, end);
        }
    arena_close(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_off),
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_the_table_says_what_walking_says),
        cmocka_unit_test(test_adding_undoes_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
