/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_GAUGE_H
#define CORE_GAUGE_H

#include "base/clock.h"
#include "core/app.h"
#include "core/outbox.h"
#include "core/timekeeper.h"
#include "db/room.h"

/* What the process and its machine are measured by, now.  Nothing here opens
 * a tenant's file or loops over them. */
enum { LATENCY_BOUNDS = 10 };
extern const int gauge_latency_ms[LATENCY_BOUNDS]; /* upper bounds */

struct gauge_figures {
    int64_t cpu_ms, cpus;
    int64_t memory_bytes, memory_limit;
    struct store_disk disk;
    int64_t files, files_limit;
    struct server_figures server;
    int64_t requests, failures;          /* answered, with 5xx */
    int64_t latency[LATENCY_BOUNDS + 1]; /* requests by how long they took */
    int64_t latency_sum_ms;
    int64_t started_at;
    int64_t certificate_to; /* end of the one that is served, when it was
                             * looked at last; 0: not known, or none */
    struct room room;
    struct store_stats store;
    struct outbox_stats mail;
    int64_t jobs, log_waiting, log_dropped, quota_refused;
    struct clock_kernel clock;
    struct timekeeper_figures time;
};

/* Before anything is locked away: looks under /proc are opened here. */
struct gauges *gauge_open(void);
void gauge_close(struct gauges *g); /* NULL is allowed */
/* One answered request; lock-free. */
void gauge_note_request(struct gauges *g, int status, int64_t ms);
/* What a handshake with ourselves showed. */
void gauge_note_certificate(struct gauges *g, int64_t to_us);
void gauge_read(const struct app *app, struct gauge_figures *out);

#endif
