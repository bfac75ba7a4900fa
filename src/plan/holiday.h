/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_HOLIDAY_H
#define PLAN_HOLIDAY_H

#include "base/arena.h"

#include <stdint.h>

/* Japanese public holidays by the law on national holidays (昭和23年法律第
 * 178号) as it stood in each year, 1980 to 2050: fixed days, Mondays,
 * equinoxes (by the usual formula for 1980-2099), substitute holidays, days
 * between two holidays, and the days of single years. */
struct holiday {
    const char *ja, *en;
};

/* NULL when the day is none, or the year is outside 1980-2050. */
const struct holiday *holiday_get(int32_t day);
/* The same for each day from first to last, at far less cost. */
const struct holiday *const *holiday_list(struct arena *mem, int32_t first,
                                          int32_t last);

#endif
