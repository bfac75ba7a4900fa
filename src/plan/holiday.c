/* SPDX-License-Identifier: Apache-2.0 */
/* The law names days by year, a calendar asks by day: so the names are put on
 * a span of days first, year by year, and what follows from neighbours is
 * read off the span.  Asking the law about each day took half of the time of
 * a ticket's creation. */
#include "plan/holiday.h"

#include "base/civil.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { FIRST_YEAR = 1980, LAST_YEAR = 2050, SUNDAY = 0, MONDAY = 1 };

/* A day that is the same date each year, from one year to another. */
static const struct {
    int month, day, from, to;
    struct holiday name;
} fixed[] = {
    {1, 1, 1980, 2050, {"元日", "New Year's Day"}},
    {1, 15, 1980, 1999, {"成人の日", "Coming of Age Day"}},
    {2, 11, 1980, 2050, {"建国記念の日", "National Foundation Day"}},
    {2, 23, 2020, 2050, {"天皇誕生日", "Emperor's Birthday"}},
    {4, 29, 1980, 1988, {"天皇誕生日", "Emperor's Birthday"}},
    {4, 29, 1989, 2006, {"みどりの日", "Greenery Day"}},
    {4, 29, 2007, 2050, {"昭和の日", "Showa Day"}},
    {5, 3, 1980, 2050, {"憲法記念日", "Constitution Memorial Day"}},
    {5, 4, 2007, 2050, {"みどりの日", "Greenery Day"}},
    {5, 5, 1980, 2050, {"こどもの日", "Children's Day"}},
    {7, 20, 1996, 2002, {"海の日", "Marine Day"}},
    {7, 23, 2020, 2020, {"海の日", "Marine Day"}},
    {7, 22, 2021, 2021, {"海の日", "Marine Day"}},
    {8, 11, 2016, 2019, {"山の日", "Mountain Day"}},
    {8, 10, 2020, 2020, {"山の日", "Mountain Day"}},
    {8, 8, 2021, 2021, {"山の日", "Mountain Day"}},
    {8, 11, 2022, 2050, {"山の日", "Mountain Day"}},
    {9, 15, 1980, 2002, {"敬老の日", "Respect for the Aged Day"}},
    {10, 10, 1980, 1999, {"体育の日", "Health and Sports Day"}},
    {7, 24, 2020, 2020, {"スポーツの日", "Sports Day"}},
    {7, 23, 2021, 2021, {"スポーツの日", "Sports Day"}},
    {11, 3, 1980, 2050, {"文化の日", "Culture Day"}},
    {11, 23, 1980, 2050, {"勤労感謝の日", "Labour Thanksgiving Day"}},
    {12, 23, 1989, 2018, {"天皇誕生日", "Emperor's Birthday"}},
    {2,
     24,
     1989,
     1989,
     {"昭和天皇の大喪の礼", "State Funeral of Emperor Showa"}},
    {11, 12, 1990, 1990, {"即位礼正殿の儀", "Enthronement Ceremony"}},
    {6,
     9,
     1993,
     1993,
     {"皇太子徳仁親王の結婚の儀", "Wedding of the Crown Prince"}},
    {5, 1, 2019, 2019, {"天皇の即位の日", "Accession to the Throne"}},
    {10, 22, 2019, 2019, {"即位礼正殿の儀", "Enthronement Ceremony"}},
};

/* The n-th Monday of a month. */
static const struct {
    int month, nth, from, to;
    struct holiday name;
} mondays[] = {
    {1, 2, 2000, 2050, {"成人の日", "Coming of Age Day"}},
    {7, 3, 2003, 2019, {"海の日", "Marine Day"}},
    {7, 3, 2022, 2050, {"海の日", "Marine Day"}},
    {9, 3, 2003, 2050, {"敬老の日", "Respect for the Aged Day"}},
    {10, 2, 2000, 2019, {"体育の日", "Health and Sports Day"}},
    {10, 2, 2022, 2050, {"スポーツの日", "Sports Day"}},
};

static const struct holiday vernal = {"春分の日", "Vernal Equinox Day"};
static const struct holiday autumnal = {"秋分の日", "Autumnal Equinox Day"};
static const struct holiday substitute = {"振替休日", "Substitute Holiday"};
static const struct holiday between = {"国民の休日", "Citizens' Holiday"};

static int equinox_day(int year, double base)
{
    int n = year - 1980;

    return (int)(base + 0.242194 * n) - n / 4;
}

/* ---- days named by the law itself ---- */

/* What a day needs to know of its neighbours: a substitute holiday follows at
 * most a week of holidays. */
enum { BEFORE = 8, AFTER = 1 };

struct span {
    int32_t first, last;
    const struct holiday **named; /* NULL: not named */
};

/* The first name stays. */
static void put_name(const struct span *s, int year, int month, int day,
                     const struct holiday *name)
{
    int32_t date = civil_from_ymd(year, month, day);

    if (date >= s->first && date <= s->last && !s->named[date - s->first])
        s->named[date - s->first] = name;
}

static int nth_monday(int year, int month, int nth)
{
    int first = civil_weekday(civil_from_ymd(year, month, 1));

    return 1 + (MONDAY - first + 7) % 7 + (nth - 1) * 7;
}

static void name_year(const struct span *s, int year)
{
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (year >= fixed[i].from && year <= fixed[i].to)
            put_name(s, year, fixed[i].month, fixed[i].day, &fixed[i].name);
    put_name(s, year, 3, equinox_day(year, 20.8431), &vernal);
    put_name(s, year, 9, equinox_day(year, 23.2488), &autumnal);
    for (size_t i = 0; i < COUNT(mondays); i++)
        if (year >= mondays[i].from && year <= mondays[i].to)
            put_name(s, year, mondays[i].month,
                     nth_monday(year, mondays[i].month, mondays[i].nth),
                     &mondays[i].name);
}

static void name_span(const struct span *s)
{
    int year, last, month, day;

    civil_to_ymd(s->first, &year, &month, &day);
    civil_to_ymd(s->last, &last, &month, &day);
    if (year < FIRST_YEAR)
        year = FIRST_YEAR;
    for (; year <= last && year <= LAST_YEAR; year++)
        name_year(s, year);
}

/* ---- what follows from them ---- */

static const struct holiday *named(const struct span *s, int32_t date)
{
    return s->named[date - s->first];
}

/* Until 2006 only the Monday after a holiday on Sunday; since 2007 the first
 * day after it that is no holiday. */
static bool is_substitute(const struct span *s, int32_t date)
{
    if (date < civil_from_ymd(2007, 1, 1))
        return civil_weekday(date) == MONDAY && named(s, date - 1);
    for (int32_t d = date - 1; d >= s->first && named(s, d); d--)
        if (civil_weekday(d) == SUNDAY)
            return true;
    return false;
}

/* Between two holidays, since 27 December 1985; never a Sunday, and until
 * 2006 never a Monday that is a substitute already. */
static bool is_between(const struct span *s, int32_t date)
{
    return date >= civil_from_ymd(1985, 12, 27) &&
           civil_weekday(date) != SUNDAY && named(s, date - 1) &&
           named(s, date + 1);
}

static const struct holiday *judge(const struct span *s, int32_t day)
{
    if (named(s, day))
        return named(s, day);
    if (named(s, day - 1) && is_substitute(s, day))
        return &substitute;
    return is_between(s, day) ? &between : NULL;
}

const struct holiday *holiday_get(int32_t day)
{
    const struct holiday *names[BEFORE + 1 + AFTER] = {NULL};
    struct span s = {day - BEFORE, day + AFTER, names};

    name_span(&s);
    return judge(&s, day);
}

const struct holiday *const *holiday_list(struct arena *mem, int32_t first,
                                          int32_t last)
{
    must(last >= first);
    size_t days = (size_t)(last - first) + 1;
    const struct holiday **out = arena_array(mem, const struct holiday *, days);
    struct span s = {
        first - BEFORE, last + AFTER,
        arena_array(mem, const struct holiday *, days + BEFORE + AFTER)};

    name_span(&s);
    for (size_t i = 0; i < days; i++)
        out[i] = judge(&s, first + (int32_t)i);
    return out;
}
