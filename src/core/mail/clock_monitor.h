/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAIL_CLOCK_MONITOR_H
#define CORE_MAIL_CLOCK_MONITOR_H

#include "core/app.h"

/* Watches the clock of the machine, which shows Japan Standard Time to all and
 * which nobody sets here.  Each look of the scheduler compares how far the
 * wall clock went with how far the machine's own time went: a step is a row of
 * the operator's log and, beyond a minute, a mail to the operators.
 *
 * After a step of about a day or more nothing is destroyed for a day (logs, bins,
 * sessions past their time): what a wrong clock says is old may not be.  So
 * too when a server that starts finds its last look two days or more ago,
 * unless the kernel says that its clock is synchronised, or until it does. */
struct clock_monitor;

struct clock_monitor *clock_monitor_open(void);
void clock_monitor_close(struct clock_monitor *t); /* NULL is allowed */

void clock_monitor_look(struct app *app, struct arena *mem);
/* Whether what is old may be destroyed now. */
bool clock_monitor_may_destroy(const struct app *app);

struct clock_monitor_figures {
    int64_t steps;               /* seen since the start */
    int64_t stepped_at, step_us; /* the last one; 0: none */
    int64_t drift_us; /* what small differences come to since the start */
    int64_t held_s;   /* destroying waits so long, 0: not */
};
void clock_monitor_stats(const struct app *app,
                         struct clock_monitor_figures *out);

#endif
