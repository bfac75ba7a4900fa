/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_PROCESS_STATS_H
#define CORE_HEALTH_PROCESS_STATS_H

#include "base/clock.h"
#include "core/app.h"
#include "core/mail/clock_monitor.h"
#include "core/mail/outbox.h"
#include "db/room.h"

/* What the process and its machine are measured by, now.  Nothing here opens
 * a tenant's file or loops over them. */
enum { LATENCY_BOUNDS = 10 };
extern const int process_stats_latency_ms[LATENCY_BOUNDS]; /* upper bounds */

struct process_stats_figures {
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
    struct clock_monitor_figures time;
};

/* Before anything is locked away: looks under /proc are opened here. */
struct process_stats *process_stats_open(void);
void process_stats_close(struct process_stats *g); /* NULL is allowed */
/* One answered request; lock-free. */
void process_stats_note_request(struct process_stats *g, int status,
                                int64_t ms);
/* What a handshake with ourselves showed. */
void process_stats_note_certificate(struct process_stats *g, int64_t to_us);
void process_stats_read(const struct app *app,
                        struct process_stats_figures *out);

#endif
