/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_CAPACITY_H
#define CORE_HEALTH_CAPACITY_H

#include "base/form.h"
#include "core/health/measure.h"
#include "core/health/process_stats.h"

#include <stddef.h>

/* How full the installation is: each minute a sample of every measure is a row
 * of control.db (the last 24 hours by the minute, 90 days by the hour, there
 * the highest), so that the operator sees curves and is warned by mail before
 * something runs out. */

struct capacity *capacity_open(void);
void capacity_close(struct capacity *x); /* NULL is allowed */

/* By the scheduler: at every look, and once a day through all tenants. */
void capacity_look(struct app *app, struct arena *mem);
void capacity_measure_tenants(struct app *app, struct arena *mem);

/* Row 18 of the trust page; in a transaction of control.db. */
struct trust_list;
MUST_USE enum err capacity_measure(struct ctx *c, struct trust_list *out);

/* The last values, and when. */
struct capacity_now {
    double values[MEASURE_COUNT];
    int64_t at; /* 0: none yet */
    int64_t tenants, tenant_bytes, largest_bytes;
};
void capacity_now(const struct app *app, struct capacity_now *out);

/* In control.db, oldest first; by_hour: 90 days, else the last 24 hours. */
struct capacity_point {
    int64_t at;
    double value;
};
MUST_USE enum err capacity_list(struct ctx *c, enum measure measure,
                                bool by_hour, const struct capacity_point **out,
                                size_t *count);

/* Largest first.  after: the id of the last one seen, or NULL. */
struct tenant_use {
    const char *id, *name;
    int64_t bytes, disk_bytes, users, stopped, at;
    int64_t bytes_limit, users_limit; /* 0: none */
};
MUST_USE enum err capacity_tenants(struct ctx *c, const char *after, int limit,
                                   const struct tenant_use **out, size_t *count,
                                   bool *more);

#endif
