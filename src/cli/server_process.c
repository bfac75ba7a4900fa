/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/server_process.h"

#include "api/dispatch/call.h"
#include "base/build.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "cli/config_backup.h"
#include "cli/config_listen.h"
#include "cli/control.h"
#include "cli/password_cost.h"
#include "cli/supervisor.h"
#include "cli/watchdog.h"
#include "core/account/invite.h"
#include "core/account/rate_limiter.h"
#include "core/archive/archive.h"
#include "core/console/operator.h"
#include "core/document/region.h"
#include "core/document/terms.h"
#include "core/exchange/people_import.h"
#include "core/exchange/worker.h"
#include "core/health/capacity.h"
#include "core/log/request_log_writer.h"
#include "core/mail/clock_monitor.h"
#include "core/mail/outbox.h"
#include "core/scheduler.h"
#include "core/tenant/quota.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_status.h"
#include "core/work/work_mail.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_DEADLINE_MS = 10000, RELOAD_DEADLINE_MS = 20000, HEAP_MS = 10000 };

static const struct actor system_actor = {.name = "",
                                          .ip = "",
                                          .request_id = "start",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = "",
                                          .lang = LANG_EN};

/* An evaluation directory, as `yagura demo` makes them, has its key beside
 * it. */
static bool is_evaluation(struct arena *mem, const char *dir)
{
    char text[16] = "";
    FILE *f = fopen(arena_printf(mem, "%s/kind", dir), "re");

    if (!f)
        return false;
    bool is_read = fgets(text, sizeof text, f) != NULL;
    (void)fclose(f);
    return is_read && strncmp(text, "evaluation", 10) == 0;
}

enum err server_process_open_store(struct server_process *p,
                                   const struct config *config)
{
    struct store_config sc = {.dir = config->data_dir,
                              .master_key_path = config->master_key,
                              .kind = STORE_SERVICE,
                              .create = p->may_found};

    if (config->user && geteuid() == 0 && sandbox_become(config->user))
        return ERR_DENIED;
    if (is_evaluation(p->mem, sc.dir)) {
        sc.kind = STORE_EVALUATION;
        if (!sc.master_key_path)
            sc.master_key_path = arena_printf(p->mem, "%s.key", sc.dir);
    }
    enum err e = config_set_up_backup(p->mem, config, &p->app.backup);

    if (!e)
        e = store_open(&sc, &p->app.store);
    if (e)
        log_complain("yagura: cannot open %s: the line above says why",
                     config->data_dir);
    else
        tenant_directory_sweep(p->app.store, p->mem);
    return e;
}

/* Readings begun and ended, for who asked for one and waits. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended_one;
    pthread_t reader; /* who is in server_process_wait() */
    unsigned begun, ended;
    bool is_good; /* the last */
} readings = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What threads that outlive the server may look at. */
static struct {
    pthread_mutex_t lock;
    const struct server *server;
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void show_server(const struct server *server)
{
    pthread_mutex_lock(&shown.lock);
    shown.server = server;
    pthread_mutex_unlock(&shown.lock);
}

static void read_server(const struct app *app, struct server_figures *out)
{
    struct server_stats s = {0};

    (void)app;
    pthread_mutex_lock(&shown.lock);
    if (shown.server)
        server_stats(shown.server, &s);
    pthread_mutex_unlock(&shown.lock);
    *out = (struct server_figures){.connections = s.connections,
                                   .threads = s.threads,
                                   .threads_max = s.max_threads,
                                   .busy = s.busy_threads,
                                   .waiting = s.waiting};
}

static void prove_server(const struct app *app, struct server_proof *out)
{
    *out = (struct server_proof){0};
    if (app->door_count)
        watchdog_prove(app->doors, app->door_count, out);
}

static bool is_reached(const struct app *app)
{
    static struct reach found = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .is_good = true};

    return watchdog_is_reached(&found, app->doors, app->door_count);
}

enum err server_process_open(struct server_process *p)
{
    if (!clock_is_possible()) {
        log_complain("yagura: the clock says %s, which is before this release "
                     "was made: set the clock first",
                     clock_format(p->mem, clock_now_us()));
        return ERR_CONFLICT;
    }
    tenant_directory_sweep(p->app.store, p->mem);
    store_derive_key(p->app.store, "pepper", p->app.pepper);
    store_derive_key(p->app.store, "code", p->app.code_key);
    password_cost_set(p->mem, p->app.around.data_dir);
    p->app.limiter = rate_limiter_open();
    p->app.terms = terms_open();
    trust_find_facts(&p->app);
    p->app.record = &build_record;
    p->app.gauges = process_stats_open();
    p->app.capacity = capacity_open();
    p->app.clock_monitor = clock_monitor_open();
    p->app.read_server = read_server;
    p->app.is_reached = is_reached;
    p->app.prove_server = prove_server;
    struct ctx c = server_process_ctx(p->mem, &system_actor);
    p->app.standings = tenant_status_open();
    enum err e = quota_open(&c, &p->app);
    if (!e)
        e = tenant_status_load(&c, &p->app);
    return e ? e : operator_prepare(&c, &p->app, p->setup_token);
}

enum err server_process_check_region(struct server_process *p)
{
    struct actor actor = system_actor;
    struct ctx c = server_process_ctx(p->mem, &actor);
    const char *region = p->app.backup_region;
    enum err e = region ? tx_begin_control(&c, p->app.store, TX_READ) : OK;

    if (e || !region)
        return e;
    e = tx_end_control(&c, p->app.store,
                       region_check(&c, "backup_region", region));
    if (e == ERR_INVALID)
        fprintf(stderr, "config: backup_region: %s\n",
                c.fail ? c.fail->message : region);
    return e;
}

bool server_process_check_place(struct config *c)
{
    struct server_process p = {.mem = arena_open(0)};
    const char *control = arena_printf(p.mem, "%s/control.db", c->data_dir);
    enum err e = OK;

    p.app.backup_region = c->backup_region;
    if (!c->backup_region) {
    } else if (access(control, F_OK) != 0) {
        if (!region_list_covers(REGION_DEFAULT, c->backup_region)) {
            fprintf(stderr,
                    "config: backup_region: %s is not among the regions that "
                    "the statement of where data is kept names (%s)\n",
                    c->backup_region, REGION_DEFAULT);
            e = ERR_INVALID;
        }
    } else if (!server_process_open_store(&p, c)) {
        e = server_process_check_region(&p);
    } else {
        fprintf(stderr, "config: backup_region is compared with the stated "
                        "place when the server starts\n");
    }
    server_process_close(&p);
    return e == OK;
}

/* Without base_url the server is known by the port it got, which serves those
 * alone who sit at this machine. */
static void name_base(struct server_process *p)
{
    if (p->app.base_url)
        return;
    p->app.base_url =
        arena_printf(p->mem, "http%s://localhost:%d", p->app.is_demo ? "" : "s",
                     server_port(p->app.server, 0));
    for (size_t i = 0; i < p->server.listener_count; i++)
        if (!config_is_loopback(p->server.listeners[i].address))
            p->app.is_base_guessed = true;
    if (p->app.is_base_guessed)
        log_warn("base_url is not set: no mail with a link can be sent");
}

/* Each listener at its own port, under the name that base_url has. */
static void name_listeners(struct server_process *p)
{
    const char *host = strstr(p->app.base_url, "://") + 3;
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");

    for (size_t i = 0; i < p->app.door_count; i++) {
        const struct listener *door = &p->app.doors[i];
        p->app.listener_urls[i] =
            (int)i == p->app.operator_listener /* loopback */
                ? arena_printf(p->mem, "http://localhost:%d", door->port)
                : arena_printf(p->mem, "http%s://%.*s:%d",
                               door->is_tls ? "s" : "", (int)len, host,
                               door->port);
    }
}

/* A port below 1024 is root's. */
static enum err open_sockets(struct server_process *p)
{
    sandbox_lend_root(true);
    enum err e = server_open(&p->server, &p->app.server);
    sandbox_lend_root(false);
    return e;
}

/* The listeners as a client finds them. */
static void note_doors(struct server_process *p)
{
    size_t count = p->server.listener_count;
    struct listener *doors = arena_array(p->mem, struct listener, count);
    struct buf words = buf_in(p->mem);

    for (size_t i = 0; i < count; i++) {
        doors[i] = p->server.listeners[i];
        doors[i].port = server_port(p->app.server, (int)i);
        p->app.listener_ports[i] = doors[i].port;
        buf_printf(&words, "%s%s", i ? "; " : "",
                   config_name_listener(p->mem, &doors[i]));
        p->app.around.listens_plain |=
            !doors[i].is_tls && !config_is_loopback(doors[i].address);
    }
    p->app.around.listens = words.data;
    p->app.doors = doors;
    p->app.door_count = count;
}

static const char *folder_of(struct arena *mem, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? arena_strndup(mem, path, (size_t)(slash - path) + 1) : ".";
}

/* The certificate is often a link into another folder, renewed there. */
static const char *folder_behind(struct arena *mem, const char *path)
{
    char real[PATH_MAX];

    return path && realpath(path, real)
               ? folder_of(mem, arena_strdup(mem, real))
               : folder_of(mem, path);
}

/* The folders of the files that a reload opens again: a rule for the file alone
 * would not follow a rename, by which files are replaced. */
static int add_folders(struct server_process *p, const char **reads, int n)
{
    const struct surroundings *a = &p->app.around;
    const char *const files[] = {
        a->config,   a->smtp_password,
        a->ca_file,  a->cert,
        a->cert_key, p->app.backup.s3 ? p->app.backup.s3->place.ca_file : NULL};

    for (size_t i = 0; i < COUNT(files); i++)
        if (files[i]) {
            reads[n++] = folder_of(p->mem, files[i]);
            reads[n++] = folder_behind(p->mem, files[i]);
        }
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (credentials)
        reads[n++] = credentials;
    return n;
}

/* All that is opened, and all that is connected to, from here on. */
static enum err confine(struct server_process *p)
{
    const struct surroundings *a = &p->app.around;
    const char *writes[5] = {a->data_dir};
    const char *reads[25] = {
        "/etc", "/run/systemd/resolve", "/sys/fs/cgroup/memory.max",
        "/var/lib/update-notifier", folder_behind(p->mem, "/etc/resolv.conf")};
    int ports[LISTENERS_MAX + 4] = {53}, n = 1, w = 1;

    if (a->spool_dir)
        writes[w++] = a->spool_dir;
    if (p->app.backup.dir)
        writes[w++] = p->app.backup.dir;
    if (a->master_key) /* that file alone: a rewrap writes it in its place */
        writes[w++] = a->master_key;
    (void)add_folders(p, reads, 5);
    if (p->app.mail && p->app.mail->host)
        ports[n++] = p->app.mail->port;
    if (p->app.backup.s3)
        ports[n++] = p->app.backup.s3->place.port;
    for (size_t i = 0; i < p->app.door_count; i++) /* see watchdog.h */
        ports[n++] = p->app.doors[i].port;
    const struct sandbox_config config = {writes, reads, ports};
    return sandbox_enter(&config);
}

static const struct outbox_hooks outbox_hooks = {
    .may_go = work_mail_may_go, .answer_wish = invite_answer_wish};

static const struct worker_kind job_kinds[] = {
    [JOB_PEOPLE_IMPORT] = {.run = people_import_run},
    [JOB_ARCHIVE] = {.run_apart = archive_run},
};

static void wake_scheduler(const struct app *app)
{
    scheduler_wake(app->scheduler);
}

enum err server_process_start(struct server_process *p)
{
    clock_init_cond(&readings.ended_one);
    readings.reader = pthread_self();
    p->server.handle = dispatch_handle;
    p->server.app = &p->app;
    enum err e = open_sockets(p);
    if (e)
        return e;
    name_base(p);
    note_doors(p);
    name_listeners(p);
    p->supervisor = supervisor_open();
    crypto_lock(p->app.pepper, sizeof p->app.pepper);
    crypto_lock(p->app.code_key, sizeof p->app.code_key);
    if ((e = confine(p)))
        return e;
    p->app.read_sandbox = sandbox_read;
    p->app.access_log = request_log_writer_open(&p->app);
    if (p->is_making)
        return OK;
    p->app.outbox = outbox_open(&p->app, &outbox_hooks);
    p->app.worker = worker_open(&p->app, job_kinds);
    p->scheduler = p->app.scheduler = scheduler_open(&p->app);
    p->app.wake_scheduler = wake_scheduler;
    if ((e = server_start(p->app.server)))
        return e;
    show_server(p->app.server);
    p->control = control_open(&p->app, p->app.around.data_dir);
    return OK;
}

static void wanted_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void server_process_block_signals(void)
{
    sigset_t set;

    wanted_signals(&set);
    sigaddset(&set, SIGPIPE);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static void reload(struct server_process *p)
{
    pthread_mutex_lock(&readings.lock);
    readings.begun++;
    pthread_mutex_unlock(&readings.lock);
    supervisor_say(p->supervisor, SUPERVISOR_RELOADING);
    bool is_good = server_reload(p->app.server) == OK;
    if (is_good)
        log_info("certificate read again");
    else
        log_error("the certificate could not be read again: the one in use"
                  " stays");
    if (p->reload)
        is_good &= p->reload(p);
    supervisor_say(p->supervisor, SUPERVISOR_READY);
    pthread_mutex_lock(&readings.lock);
    readings.ended++;
    readings.is_good = is_good;
    pthread_cond_broadcast(&readings.ended_one);
    pthread_mutex_unlock(&readings.lock);
}

/* One that had begun before it was asked for may have read what was there
 * before: the next counts. */
enum err server_process_reload(void)
{
    struct timespec until = clock_after_ms(RELOAD_DEADLINE_MS);
    enum err e = ERR_BUSY;

    pthread_mutex_lock(&readings.lock);
    unsigned wanted = readings.begun + 1;
    if (pthread_kill(readings.reader, SIGHUP) == 0) /* kill() is filtered */
        while (readings.ended < wanted &&
               pthread_cond_timedwait(&readings.ended_one, &readings.lock,
                                      &until) == 0)
            ;
    if (readings.ended >= wanted)
        e = readings.is_good ? OK : ERR_INVALID;
    pthread_mutex_unlock(&readings.lock);
    return e;
}

static void tell_supervisor(struct server_process *p)
{
    if (watchdog_is_answered(p->app.doors))
        supervisor_say(p->supervisor, SUPERVISOR_ALIVE);
    else
        log_error("watchdog: the server did not answer itself");
}

/* The next signal; meanwhile memory of threads that have ended is given back,
 * which the main thread alone can do, and the supervisor is told that requests
 * are answered, as long as they are. */
static int next_signal(struct server_process *p, const sigset_t *set)
{
    int64_t told_ms = clock_monotonic_ms();

    for (;;) {
        int64_t pause_ms = supervisor_pause_ms(p->supervisor);
        int64_t left_ms = told_ms + pause_ms - clock_monotonic_ms();
        if (pause_ms && left_ms <= 0) {
            tell_supervisor(p);
            told_ms = clock_monotonic_ms();
            left_ms = pause_ms;
        }
        int64_t tick_ms = pause_ms && left_ms < HEAP_MS ? left_ms : HEAP_MS;
        const struct timespec tick = {tick_ms / 1000, tick_ms % 1000 * 1000000};
        int number = sigtimedwait(set, NULL, &tick);
        if (number > 0)
            return number;
        heap_rest();
    }
}

void server_process_wait(struct server_process *p)
{
    sigset_t set;

    heap_rest(); /* what starting needed */
    wanted_signals(&set);
    supervisor_say(p->supervisor, SUPERVISOR_READY);
    while (next_signal(p, &set) == SIGHUP)
        reload(p);
    supervisor_say(p->supervisor, SUPERVISOR_STOPPING);
    log_info("stopping");
}

void server_process_close(struct server_process *p)
{
    p->app.is_stopping = true;
    smtp_stop_all(p->app.mail_stop);
    control_close(p->control);
    show_server(NULL);
    if (p->app.server)
        server_close(p->app.server, STOP_DEADLINE_MS);
    scheduler_close(p->scheduler);
    worker_close(p->app.worker);
    outbox_close(p->app.outbox);
    smtp_stop_close(p->app.mail_stop);
    request_log_writer_close(p->app.access_log);
    rate_limiter_close(p->app.limiter);
    terms_close(p->app.terms);
    quota_close(p->app.quotas);
    tenant_status_close(p->app.standings);
    capacity_close(p->app.capacity);
    clock_monitor_close(p->app.clock_monitor);
    process_stats_close(p->app.gauges);
    store_close(p->app.store);
    supervisor_close(p->supervisor);
    crypto_wipe(p->app.pepper, sizeof(p->app.pepper));
    crypto_wipe(p->app.code_key, sizeof(p->app.code_key));
    arena_close(p->mem);
}

struct surroundings server_process_surroundings(const struct config *c)
{
    return (struct surroundings){.data_dir = c->data_dir,
                                 .config = c->path,
                                 .master_key = c->master_key,
                                 .spool_dir = c->mail_spool,
                                 .cert = c->cert,
                                 .cert_key = c->cert_key,
                                 .smtp_password = c->smtp_password_file,
                                 .ca_file = c->smtp_ca};
}

struct ctx server_process_ctx(struct arena *mem, const struct actor *actor)
{
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

void server_process_complain(const struct ctx *c, enum err e)
{
    fprintf(stderr, "yagura: %s\n", err_name(e));
    for (const struct failure *f = c->fail; f; f = f->next)
        fprintf(stderr, "  %s%s%s\n", f->field, *f->field ? ": " : "",
                f->message);
}
