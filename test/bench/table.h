/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdio.h>
#include <string.h>

/* Every program prints rows of one table, so that `make bench` is one table:
 * what, the limit measured beside it in the same run, the figure, their ratio,
 * the goal of the specification. */
/* More is better: the ratio is a percentage of the limit. */
static inline void table_rate(const char *what, double limit, double figure,
                              const char *goal)
{
    if (limit > 0)
        (void)printf("%-50s %8.0f/s %8.0f/s %6.0f %%   %s\n", what, limit,
                     figure, 100 * figure / limit, goal);
    else /* there is no limit to know */
        (void)printf("%-50s %10s %8.0f/s %8s   %s\n", what, "-", figure, "",
                     goal);
    (void)fflush(stdout);
}

/* A figure with no limit beside it but the goal itself. */
static inline void table_plain(const char *what, double figure,
                               const char *unit, const char *goal)
{
    int width = 10 - (int)strlen(unit);

    (void)printf("%-50s %10s %*.*f%s %8s   %s\n", what, "-", width,
                 figure < 100 ? 1 : 0, figure, unit, "", goal);
    (void)fflush(stdout);
}

#endif
