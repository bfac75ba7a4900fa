/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/metrics.h"

#include "base/build.h"
#include "core/backup/backup.h"
#include "core/health/capacity.h"
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

static void put_process(struct buf *b, const struct process_stats_figures *f)
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
    put(b, "yagura_disk_reserve_bytes", GAUGE, (double)f->room.reserve_bytes,
        "With less than this free, business data is not saved.");
}

static void put_latency(struct buf *b, const struct process_stats_figures *f)
{
    static const char name[] = "yagura_request_duration_seconds";
    int64_t sum = 0;

    put_head(b, name, "histogram", "How long requests took.");
    for (size_t i = 0; i < LATENCY_BOUNDS; i++) {
        sum += f->latency[i];
        buf_printf(b, "%s_bucket{le=\"%g\"} %lld\n", name,
                   process_stats_latency_ms[i] / 1000.0, (long long)sum);
    }
    sum += f->latency[LATENCY_BOUNDS];
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %g\n%s_count %lld\n",
               name, (long long)sum, name, (double)f->latency_sum_ms / 1000,
               name, (long long)sum);
}

static void put_server(struct buf *b, const struct app *app,
                       const struct process_stats_figures *f)
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

static void put_queues(struct buf *b, const struct process_stats_figures *f)
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

static void put_clock(struct buf *b, const struct process_stats_figures *f)
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

static void put_build(struct buf *b, const struct app *app,
                      const struct process_stats_figures *f, int64_t now_us)
{
    const char *commit =
        app->record && app->record->commit ? app->record->commit : "unknown";

    put_head(b, "yagura_build_info", "gauge", "What this binary is.");
    buf_printf(b, "yagura_build_info{version=\"%s\",commit=\"%s\"} 1\n",
               YAGURA_VERSION, commit);
    put(b, "process_start_time_seconds", GAUGE, (double)f->started_at / 1e6,
        "When the process started, since the epoch.");
    if (f->certificate_to)
        put(b, "yagura_certificate_seconds_left", GAUGE,
            (double)(f->certificate_to - now_us) / 1e6,
            "Until the certificate that is served ends, as looked at last.");
}

/* -1: never. */
static double seconds_since(int64_t at_us, int64_t now_us)
{
    return at_us ? (double)(now_us - at_us) / 1e6 : -1;
}

static void put_backups(struct buf *b, const struct backup_figures *f,
                        int64_t now_us)
{
    put(b, "yagura_backup_last_run_good", GAUGE, f->is_last_good,
        "1 when the last backup went well.");
    put(b, "yagura_backup_last_good_age_seconds", GAUGE,
        seconds_since(f->good_at, now_us),
        "Since the last backup that went well; -1: never.");
    put(b, "yagura_backup_late_tenants", GAUGE, (double)f->late,
        "Tenants without a good backup of the last 26 hours.");
    put(b, "yagura_backup_oldest_copy_age_seconds", GAUGE,
        seconds_since(f->oldest_at, now_us),
        "Age of the oldest of the tenants' newest good backups; -1: none.");
    put(b, "yagura_backup_generations", GAUGE, (double)f->generations,
        "Generations on the disk.");
    if (!f->place_count)
        return;
    put_head(b, "yagura_backup_copies_failed", "gauge",
             "1 while copying to the place fails.");
    for (size_t i = 0; i < f->place_count; i++)
        buf_printf(b, "yagura_backup_copies_failed{place=\"%s\"} %d\n",
                   backup_place_words[f->places[i].kind],
                   f->places[i].why.en != NULL);
    put_head(b, "yagura_backup_copies_good_age_seconds", "gauge",
             "Since all generations lay at the place; -1: never.");
    for (size_t i = 0; i < f->place_count; i++)
        buf_printf(
            b, "yagura_backup_copies_good_age_seconds{place=\"%s\"} %.17g\n",
            backup_place_words[f->places[i].kind],
            seconds_since(f->places[i].good_at, now_us));
}

void metrics_put(struct ctx *c, const struct app *app, struct buf *b)
{
    struct process_stats_figures f;
    struct capacity_now now;
    struct backup_figures backups;

    process_stats_read(app, &f);
    capacity_now(app, &now);
    put_process(b, &f);
    put_build(b, app, &f, c->now_us);
    put_server(b, app, &f);
    put_store(b, &f.store, &now);
    put_queues(b, &f);
    put(b, "yagura_mail_oldest_age_seconds", GAUGE,
        f.mail.oldest_us ? seconds_since(f.mail.oldest_us, c->now_us) : 0,
        "Age of the oldest mail that waits; 0: none.");
    put_clock(b, &f);
    if (!backup_read_figures(c, app, &backups))
        put_backups(b, &backups, c->now_us);
}
