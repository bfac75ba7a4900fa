/* SPDX-License-Identifier: Apache-2.0 */
/* The files under /proc are opened once at the start and read again by their
 * descriptors, which works after the process has shut itself in. */
#include "core/health/process_stats.h"

#include "core/exchange/worker.h"
#include "core/log/request_log_writer.h"
#include "core/tenant/quota.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const int process_stats_latency_ms[LATENCY_BOUNDS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000};

struct process_stats {
    int statm;            /* -1: cannot be read */
    DIR *fds;             /* NULL: cannot be read */
    pthread_mutex_t lock; /* guards fds */
    int64_t cpus, memory_limit, page_bytes, started_at;
    atomic_llong certificate_to;
    atomic_llong requests, failures, sum_ms, latency[LATENCY_BOUNDS + 1];
};

/* The machine's memory, or less where the group of processes may have less. */
static int64_t find_memory(int64_t page_bytes)
{
    int64_t all = (int64_t)sysconf(_SC_PHYS_PAGES) * page_bytes;
    char text[32] = "";
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "re");

    if (f && fgets(text, sizeof text, f)) {
        int64_t own = strtoll(text, NULL, 10); /* "max" reads as 0 */
        if (own > 0 && own < all)
            all = own;
    }
    if (f)
        (void)fclose(f);
    return all;
}

struct process_stats *process_stats_open(void)
{
    struct process_stats *g = calloc(1, sizeof(*g));

    must(g && pthread_mutex_init(&g->lock, NULL) == 0);
    g->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    g->fds = opendir("/proc/self/fd");
    g->page_bytes = sysconf(_SC_PAGESIZE);
    g->cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (g->cpus < 1)
        g->cpus = 1;
    g->memory_limit = find_memory(g->page_bytes);
    g->started_at = clock_now_us();
    return g;
}

void process_stats_close(struct process_stats *g)
{
    if (!g)
        return;
    if (g->statm >= 0)
        close(g->statm);
    if (g->fds)
        closedir(g->fds);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

void process_stats_note_request(struct process_stats *g, int status, int64_t ms)
{
    size_t i = 0;

    if (!g)
        return;
    while (i < LATENCY_BOUNDS && ms > process_stats_latency_ms[i])
        i++;
    atomic_fetch_add_explicit(&g->latency[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&g->sum_ms, ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&g->requests, 1, memory_order_relaxed);
    if (status >= 500)
        atomic_fetch_add_explicit(&g->failures, 1, memory_order_relaxed);
}

/* Resident pages: the second number of the line. */
static int64_t read_memory(const struct process_stats *g)
{
    char text[128];
    ssize_t len =
        g->statm >= 0 ? pread(g->statm, text, sizeof(text) - 1, 0) : 0;

    if (len <= 0)
        return 0;
    text[len] = '\0';
    const char *at = strchr(text, ' ');
    return at ? strtoll(at, NULL, 10) * g->page_bytes : 0;
}

static int64_t count_files(struct process_stats *g)
{
    int64_t n = 0;

    if (!g->fds)
        return 0;
    pthread_mutex_lock(&g->lock);
    rewinddir(g->fds);
    const struct dirent *entry;
    while ((entry = readdir(g->fds)))
        n += entry->d_name[0] != '.';
    pthread_mutex_unlock(&g->lock);
    return n;
}

void process_stats_note_certificate(struct process_stats *g, int64_t to_us)
{
    if (g)
        atomic_store(&g->certificate_to, to_us);
}

static void read_own(struct process_stats *g, struct process_stats_figures *out)
{
    struct rlimit files;

    out->cpu_ms = clock_process_cpu_ms();
    out->cpus = g->cpus;
    out->memory_bytes = read_memory(g);
    out->memory_limit = g->memory_limit;
    out->files = count_files(g);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        out->files_limit = (int64_t)files.rlim_cur;
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++)
        out->latency[i] = atomic_load(&g->latency[i]);
    out->latency_sum_ms = atomic_load(&g->sum_ms);
    out->started_at = g->started_at;
    out->certificate_to = atomic_load(&g->certificate_to);
    out->requests = atomic_load(&g->requests);
    out->failures = atomic_load(&g->failures);
}

void process_stats_read(const struct app *app,
                        struct process_stats_figures *out)
{
    *out = (struct process_stats_figures){0};
    if (app->gauges)
        read_own(app->gauges, out);
    (void)store_disk(app->store, &out->disk);
    (void)room_look(app->store, &out->room);
    if (app->read_server)
        app->read_server(app, &out->server);
    store_stats(app->store, &out->store);
    outbox_stats(app->outbox, &out->mail);
    out->jobs = (int64_t)worker_waiting(app->worker);
    out->log_waiting =
        (int64_t)request_log_writer_waiting(app->access_log, &out->log_dropped);
    out->quota_refused = quota_refused(app);
    clock_read_kernel(&out->clock);
    clock_monitor_stats(app, &out->time);
}
