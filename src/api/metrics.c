/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics.h"

#include "core/capacity.h"
#include "http/server.h"

enum kind { COUNTER, GAUGE };
static const char *const kind_words[] = {"counter", "gauge"};

static void put_head(struct buf *b, const char *name, const char *kind,
                     const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void put(struct buf *b, const char *name, enum kind kind, double value,
                const char *help)
{
    put_head(b, name, kind_words[kind], help);
    buf_printf(b, "%s %.17g\n", name, value);
}

static void put_process(struct buf *b, const struct gauge_figures *f)
{
    put(b, "process_cpu_seconds_total", COUNTER, (double)f->cpu_ms / 1000,
        "CPU time used.");
    put(b, "process_resident_memory_bytes", GAUGE, (double)f->memory_bytes,
        "Memory in use.");
    put(b, "process_open_fds", GAUGE, (double)f->files, "Open files.");
    put(b, "process_max_fds", GAUGE, (double)f->files_limit,
        "Open files allowed.");
    put(b, "yagura_cpus", GAUGE, (double)f->cpus, "Processors.");
    put(b, "yagura_memory_limit_bytes", GAUGE, (double)f->memory_limit,
        "Memory the process may have.");
    put(b, "yagura_disk_bytes", GAUGE, (double)f->disk.bytes,
        "Disk under the data directory.");
    put(b, "yagura_disk_free_bytes", GAUGE, (double)f->disk.free_bytes,
        "Of it free.");
}

static void put_latency(struct buf *b, const struct gauge_figures *f)
{
    static const char name[] = "yagura_request_duration_seconds";
    int64_t sum = 0;

    put_head(b, name, "histogram", "How long requests took.");
    for (size_t i = 0; i < LATENCY_BOUNDS; i++) {
        sum += f->latency[i];
        buf_printf(b, "%s_bucket{le=\"%g\"} %lld\n", name,
                   gauge_latency_ms[i] / 1000.0, (long long)sum);
    }
    sum += f->latency[LATENCY_BOUNDS];
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %g\n%s_count %lld\n",
               name, (long long)sum, name, (double)f->latency_sum_ms / 1000,
               name, (long long)sum);
}

static void put_server(struct buf *b, const struct app *app,
                       const struct gauge_figures *f)
{
    struct server_stats s = {0};

    server_stats(app->server, &s);
    put(b, "yagura_requests_total", COUNTER, (double)s.requests, "Requests.");
    put(b, "yagura_failures_total", COUNTER, (double)f->failures,
        "Requests answered with 5xx.");
    put(b, "yagura_refused_heads_total", COUNTER, (double)s.refused_heads,
        "Requests refused by their head.");
    put(b, "yagura_shed_connections_total", COUNTER, (double)s.shed,
        "Connections not let in.");
    put(b, "yagura_tls_handshakes_total", COUNTER, (double)s.handshakes,
        "TLS handshakes.");
    put(b, "yagura_tls_failed_handshakes_total", COUNTER,
        (double)s.failed_handshakes, "TLS handshakes that failed.");
    put(b, "yagura_connections", GAUGE, s.connections, "Open connections.");
    put(b, "yagura_waiting_connections", GAUGE, s.waiting,
        "Connections that wait for a thread.");
    put(b, "yagura_threads", GAUGE, s.threads, "Threads that serve.");
    put(b, "yagura_max_threads", GAUGE, s.max_threads, "The most of them.");
    put(b, "yagura_busy_threads", GAUGE, s.busy_threads,
        "Threads with a request in hand.");
    put_latency(b, f);
}

static void put_store(struct buf *b, const struct store_stats *s,
                      const struct capacity_now *now)
{
    put(b, "yagura_tenants", GAUGE, (double)now->tenants, "Tenants measured.");
    put(b, "yagura_tenant_bytes", GAUGE, (double)now->tenant_bytes,
        "Bytes in use in all tenants' files.");
    put(b, "yagura_largest_tenant_bytes", GAUGE, (double)now->largest_bytes,
        "Bytes in use by the largest.");
    put(b, "yagura_fullest_tenant_ratio", GAUGE,
        now->values[MEASURE_TENANT] / 100,
        "The fullest tenant's part of its quota.");
    put(b, "yagura_tenants_open", GAUGE, (double)s->tenants_open,
        "Tenants' files open.");
    put(b, "yagura_readers_open", GAUGE, (double)s->readers_open,
        "Reading connections open.");
    put(b, "yagura_commits_total", COUNTER, (double)s->commits, "Commits.");
    put(b, "yagura_shared_commits_total", COUNTER, (double)s->shared_commits,
        "Changes that shared another's commit.");
    put(b, "yagura_busy_total", COUNTER, (double)s->busy,
        "Transactions that waited too long to begin.");
    put(b, "yagura_stopped_statements_total", COUNTER, (double)s->stopped,
        "Statements stopped because they took too long.");
    put(b, "yagura_tenant_opens_total", COUNTER, (double)s->opens,
        "Database connections opened.");
}

static void put_queues(struct buf *b, const struct gauge_figures *f)
{
    put(b, "yagura_quota_refusals_total", COUNTER, (double)f->quota_refused,
        "Requests refused by a tenant's quota.");
    put(b, "yagura_mail_tenants", GAUGE, (double)f->mail.tenants,
        "Tenants with mail waiting.");
    put(b, "yagura_mails_sent_total", COUNTER, (double)f->mail.sent,
        "Mails handed on.");
    put(b, "yagura_mail_failures_total", COUNTER, (double)f->mail.failed,
        "Mails put off or given up.");
    put(b, "yagura_jobs", GAUGE, (double)f->jobs, "Jobs waiting or running.");
    put(b, "yagura_access_log_waiting", GAUGE, (double)f->log_waiting,
        "Accesses not written yet.");
    put(b, "yagura_access_log_dropped_total", COUNTER, (double)f->log_dropped,
        "Accesses counted but not written.");
}

static void put_clock(struct buf *b, const struct gauge_figures *f)
{
    put(b, "yagura_clock_synchronised", GAUGE, f->clock.is_synchronised,
        "1 when the kernel's clock is synchronised.");
    put(b, "yagura_clock_error_seconds", GAUGE, (double)f->clock.error_us / 1e6,
        "Estimated error of the clock.");
    put(b, "yagura_clock_max_error_seconds", GAUGE,
        (double)f->clock.max_error_us / 1e6, "Largest error of the clock.");
    put(b, "yagura_clock_drift_ppm", GAUGE, f->clock.drift_ppm,
        "Drift the kernel corrects.");
    put(b, "yagura_clock_steps_total", COUNTER, (double)f->time.steps,
        "Steps of the wall clock seen.");
    put(b, "yagura_erasing_held_seconds", GAUGE, (double)f->time.held_s,
        "So long nothing is erased, after a large step.");
}

void metrics_put(const struct app *app, struct buf *b)
{
    struct gauge_figures f;
    struct capacity_now now;

    gauge_read(app, &f);
    capacity_now(app, &now);
    put_process(b, &f);
    put_server(b, app, &f);
    put_store(b, &f.store, &now);
    put_queues(b, &f);
    put_clock(b, &f);
}
