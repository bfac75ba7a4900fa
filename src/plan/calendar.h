/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_CALENDAR_H
#define PLAN_CALENDAR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Working days.  A calendar is compiled once into a table of counts, after
 * which every question is answered in O(1) or O(log n).  Days are civil day
 * numbers (base/civil.h); outside the compiled range the calendar goes on
 * with its weekdays alone. */
struct calendar;

struct calendar_exception {
    int32_t day;
    bool is_working;
};

struct calendar_rule {
    int weekdays;  /* working weekdays: bit 0 Sunday … 6 Saturday */
    bool holidays; /* Japanese public holidays are free */
    const struct calendar_exception *exceptions; /* win over all above */
    size_t exception_count;
};

/* In the arena.  The range is from first to last, both inclusive, at most
 * 200 years. */
const struct calendar *calendar_compile(struct arena *mem,
                                        const struct calendar_rule *rule,
                                        int32_t first, int32_t last);

bool calendar_is_working(const struct calendar *k, int32_t day);
/* The day itself if it is a working day, else the next / the one before. */
int32_t calendar_next(const struct calendar *k, int32_t day);
int32_t calendar_previous(const struct calendar *k, int32_t day);
/* The n-th working day after (n > 0) or before (n < 0) the working day that
 * calendar_next(day) is; n = 0 is calendar_next(day). */
int32_t calendar_add(const struct calendar *k, int32_t day, int64_t n);
/* Working days from start to end, both inclusive; 0 when end < start. */
int64_t calendar_count(const struct calendar *k, int32_t start, int32_t end);

#endif
