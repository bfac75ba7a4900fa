/* SPDX-License-Identifier: Apache-2.0 */
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
    {1,  1,  1980, 2050, {"元日", "New Year's Day"}                                           },
    {1,  15, 1980, 1999, {"成人の日", "Coming of Age Day"}                                  },
    {2,  11, 1980, 2050, {"建国記念の日", "National Foundation Day"}                      },
    {2,  23, 2020, 2050, {"天皇誕生日", "Emperor's Birthday"}                              },
    {4,  29, 1980, 1988, {"天皇誕生日", "Emperor's Birthday"}                              },
    {4,  29, 1989, 2006, {"みどりの日", "Greenery Day"}                                    },
    {4,  29, 2007, 2050, {"昭和の日", "Showa Day"}                                          },
    {5,  3,  1980, 2050, {"憲法記念日", "Constitution Memorial Day"}                       },
    {5,  4,  2007, 2050, {"みどりの日", "Greenery Day"}                                    },
    {5,  5,  1980, 2050, {"こどもの日", "Children's Day"}                                  },
    {7,  20, 1996, 2002, {"海の日", "Marine Day"}                                            },
    {7,  23, 2020, 2020, {"海の日", "Marine Day"}                                            },
    {7,  22, 2021, 2021, {"海の日", "Marine Day"}                                            },
    {8,  11, 2016, 2019, {"山の日", "Mountain Day"}                                          },
    {8,  10, 2020, 2020, {"山の日", "Mountain Day"}                                          },
    {8,  8,  2021, 2021, {"山の日", "Mountain Day"}                                          },
    {8,  11, 2022, 2050, {"山の日", "Mountain Day"}                                          },
    {9,  15, 1980, 2002, {"敬老の日", "Respect for the Aged Day"}                           },
    {10, 10, 1980, 1999, {"体育の日", "Health and Sports Day"}                              },
    {7,  24, 2020, 2020, {"スポーツの日", "Sports Day"}                                   },
    {7,  23, 2021, 2021, {"スポーツの日", "Sports Day"}                                   },
    {11, 3,  1980, 2050, {"文化の日", "Culture Day"}                                        },
    {11, 23, 1980, 2050, {"勤労感謝の日", "Labour Thanksgiving Day"}                      },
    {12, 23, 1989, 2018, {"天皇誕生日", "Emperor's Birthday"}                              },
    {2,
     24,     1989,
     1989,               {"昭和天皇の大喪の礼", "State Funeral of Emperor Showa"}      },
    {11, 12, 1990, 1990, {"即位礼正殿の儀", "Enthronement Ceremony"}                     },
    {6,
     9,      1993,
     1993,               {"皇太子徳仁親王の結婚の儀", "Wedding of the Crown Prince"}},
    {5,  1,  2019, 2019, {"天皇の即位の日", "Accession to the Throne"}                   },
    {10, 22, 2019, 2019, {"即位礼正殿の儀", "Enthronement Ceremony"}                     },
};

/* The n-th Monday of a month. */
static const struct {
    int month, nth, from, to;
    struct holiday name;
} mondays[] = {
    {1,  2, 2000, 2050, {"成人の日", "Coming of Age Day"}       },
    {7,  3, 2003, 2019, {"海の日", "Marine Day"}                 },
    {7,  3, 2022, 2050, {"海の日", "Marine Day"}                 },
    {9,  3, 2003, 2050, {"敬老の日", "Respect for the Aged Day"}},
    {10, 2, 2000, 2019, {"体育の日", "Health and Sports Day"}   },
    {10, 2, 2022, 2050, {"スポーツの日", "Sports Day"}        },
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

/* Named by the law itself: no substitutes, nothing in between. */
static const struct holiday *named(int32_t date)
{
    int year, month, day;

    civil_to_ymd(date, &year, &month, &day);
    if (year < FIRST_YEAR || year > LAST_YEAR)
        return NULL;
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (fixed[i].month == month && fixed[i].day == day &&
            year >= fixed[i].from && year <= fixed[i].to)
            return &fixed[i].name;
    if (month == 3 && day == equinox_day(year, 20.8431))
        return &vernal;
    if (month == 9 && day == equinox_day(year, 23.2488))
        return &autumnal;
    if (civil_weekday(date) != MONDAY)
        return NULL;
    for (size_t i = 0; i < COUNT(mondays); i++)
        if (mondays[i].month == month && (day - 1) / 7 + 1 == mondays[i].nth &&
            year >= mondays[i].from && year <= mondays[i].to)
            return &mondays[i].name;
    return NULL;
}

/* Until 2006 only the Monday after a holiday on Sunday; since 2007 the first
 * day after it that is no holiday. */
static bool is_substitute(int32_t date)
{
    if (date < civil_from_ymd(2007, 1, 1))
        return civil_weekday(date) == MONDAY && named(date - 1);
    for (int32_t d = date - 1; named(d); d--)
        if (civil_weekday(d) == SUNDAY)
            return true;
    return false;
}

/* Between two holidays, since 27 December 1985; never a Sunday, and until
 * 2006 never a Monday that is a substitute already. */
static bool is_between(int32_t date)
{
    return date >= civil_from_ymd(1985, 12, 27) &&
           civil_weekday(date) != SUNDAY && named(date - 1) && named(date + 1);
}

const struct holiday *holiday_get(int32_t day)
{
    const struct holiday *h = named(day);

    if (h)
        return h;
    if (is_substitute(day))
        return &substitute;
    return is_between(day) ? &between : NULL;
}
