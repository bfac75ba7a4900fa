/* SPDX-License-Identifier: Apache-2.0 */
/* before[i] is the number of working days in the range before day first + i,
 * so a count is a subtraction and the n-th working day a binary search. */
#include "plan/calendar.h"

#include "base/civil.h"
#include "base/err.h"
#include "plan/holiday.h"

enum { RANGE_MAX = 200 * 366 };

struct calendar {
    int weekdays;
    int32_t first;
    int32_t days;          /* in the table */
    const int32_t *before; /* days + 1 entries */
};

static bool week_works(int weekdays, int32_t day)
{
    return weekdays >> civil_weekday(day) & 1;
}

const struct calendar *calendar_compile(struct arena *mem,
                                        const struct calendar_rule *rule,
                                        int32_t first, int32_t last)
{
    struct calendar *k = arena_new(mem, struct calendar);
    must((rule->weekdays & 127) != 0 && last >= first &&
         last - first < RANGE_MAX);
    int32_t days = last - first + 1;
    int32_t *before = arena_array(mem, int32_t, (size_t)days + 1);
    const struct holiday *const *holidays =
        rule->holidays ? holiday_list(mem, first, last) : NULL;

    for (int32_t i = 0; i < days; i++)
        before[i + 1] =
            week_works(rule->weekdays, first + i) && !(holidays && holidays[i]);
    for (size_t i = 0; i < rule->exception_count; i++) {
        const struct calendar_exception *x = &rule->exceptions[i];
        if (x->day >= first && x->day <= last)
            before[x->day - first + 1] = x->is_working;
    }
    for (int32_t i = 0; i < days; i++)
        before[i + 1] += before[i];
    *k = (struct calendar){rule->weekdays, first, days, before};
    return k;
}

static bool is_inside(const struct calendar *k, int32_t day)
{
    return day >= k->first && day < k->first + k->days;
}

bool calendar_is_working(const struct calendar *k, int32_t day)
{
    if (!is_inside(k, day))
        return week_works(k->weekdays, day);
    int32_t i = day - k->first;
    return k->before[i + 1] > k->before[i];
}

int32_t calendar_next(const struct calendar *k, int32_t day)
{
    while (!calendar_is_working(k, day))
        day++;
    return day;
}

int32_t calendar_previous(const struct calendar *k, int32_t day)
{
    while (!calendar_is_working(k, day))
        day--;
    return day;
}

/* The day inside the table that has exactly `rank` working days before it and
 * is one itself. */
static int32_t find_rank(const struct calendar *k, int32_t rank)
{
    int32_t low = 0, high = k->days - 1;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (k->before[middle + 1] > rank)
            high = middle;
        else
            low = middle + 1;
    }
    return k->first + low;
}

int32_t calendar_add(const struct calendar *k, int32_t day, int64_t n)
{
    int step = n < 0 ? -1 : 1;

    day = calendar_next(k, day);
    if (is_inside(k, day)) {
        int64_t rank = k->before[day - k->first] + n;
        if (rank >= 0 && rank < k->before[k->days])
            return find_rank(k, (int32_t)rank);
    }
    for (; n != 0; n -= step) {
        day += step;
        while (!calendar_is_working(k, day))
            day += step;
    }
    return day;
}

int64_t calendar_count(const struct calendar *k, int32_t start, int32_t end)
{
    int64_t n = 0;

    if (end < start)
        return 0;
    if (is_inside(k, start) && is_inside(k, end))
        return k->before[end - k->first + 1] - k->before[start - k->first];
    for (int32_t day = start; day <= end; day++)
        n += calendar_is_working(k, day);
    return n;
}
