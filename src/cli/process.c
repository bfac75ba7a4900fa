/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/process.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/control.h"
#include "core/access_log.h"
#include "core/capacity.h"
#include "core/caretaker.h"
#include "core/limiter.h"
#include "core/operator.h"
#include "core/outbox.h"
#include "core/quota.h"
#include "core/terms.h"
#include "core/timekeeper.h"
#include "core/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { STOP_DEADLINE_MS = 10000 };

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

enum err process_open_store(struct process *p, const struct config *config)
{
    struct store_config sc = {.dir = config->data_dir,
                              .master_key_path = config->master_key,
                              .kind = STORE_SERVICE,
                              .create = true};

    if (is_evaluation(p->mem, sc.dir)) {
        sc.kind = STORE_EVALUATION;
        if (!sc.master_key_path)
            sc.master_key_path = arena_printf(p->mem, "%s.key", sc.dir);
    }
    enum err e = store_open(&sc, &p->app.store);

    if (e)
        fprintf(stderr, "yagura: cannot open %s: %s\n", config->data_dir,
                err_name(e));
    return e;
}

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

enum err process_open(struct process *p)
{
    struct secret_params params;

    store_derive_key(p->app.store, "pepper", p->app.pepper);
    store_derive_key(p->app.store, "code", p->app.code_key);
    secret_calibrate(&params);
    secret_set_params(&params);
    p->app.limiter = limiter_open();
    p->app.terms = terms_open();
    trust_find_facts(&p->app);
    p->app.gauges = gauge_open();
    p->app.capacity = capacity_open();
    p->app.timekeeper = timekeeper_open();
    p->app.read_server = read_server;
    struct ctx c = process_ctx(p->mem, &system_actor);
    enum err e = quota_open(&c, &p->app);
    return e ? e : operator_prepare(&c, &p->app, p->setup_token);
}

/* Without base_url the server is known by the port it got. */
static void name_base(void *arg, const struct server *s)
{
    static char text[40];
    struct app *app = arg;

    if (app->base_url)
        return;
    (void)snprintf(text, sizeof text, "http%s://localhost:%d",
                   app->is_demo ? "" : "s", server_port(s, 0));
    app->base_url = text;
}

enum err process_start(struct process *p)
{
    p->app.outbox = outbox_open(&p->app);
    p->app.worker = worker_open(&p->app);
    p->app.access_log = access_log_open(&p->app);
    p->caretaker = p->app.caretaker = caretaker_open(&p->app);
    p->server.handle = api_handle;
    p->server.opened = name_base;
    p->server.app = &p->app;
    enum err e = server_open(&p->server, &p->app.server);
    if (!e)
        show_server(p->app.server);
    if (!e)
        p->control = control_open(&p->app, p->data_dir);
    return e;
}

static void wanted_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void process_block_signals(void)
{
    sigset_t set;

    wanted_signals(&set);
    sigaddset(&set, SIGPIPE);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

/* Of the release's allocator; sanitizers have one of their own. */
void mi_collect(bool force) __attribute__((weak));

void process_wait(struct process *p)
{
    sigset_t set;
    int number;

    if (mi_collect)
        mi_collect(true); /* what starting needed goes back to the system */
    wanted_signals(&set);
    while (sigwait(&set, &number) == 0) {
        if (number != SIGHUP)
            break;
        if (server_reload(p->app.server))
            log_error("the certificate could not be read again");
        else
            log_info("certificate read again");
    }
    log_info("stopping");
}

void process_close(struct process *p)
{
    p->app.is_stopping = true;
    control_close(p->control);
    show_server(NULL);
    if (p->app.server)
        server_close(p->app.server, STOP_DEADLINE_MS);
    caretaker_close(p->caretaker);
    worker_close(p->app.worker);
    outbox_close(p->app.outbox);
    access_log_close(p->app.access_log);
    limiter_close(p->app.limiter);
    terms_close(p->app.terms);
    quota_close(p->app.quotas);
    capacity_close(p->app.capacity);
    timekeeper_close(p->app.timekeeper);
    gauge_close(p->app.gauges);
    store_close(p->app.store);
    crypto_wipe(p->app.pepper, sizeof(p->app.pepper));
    crypto_wipe(p->app.code_key, sizeof(p->app.code_key));
    arena_close(p->mem);
}

struct ctx process_ctx(struct arena *mem, const struct actor *actor)
{
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

void process_complain(const struct ctx *c, enum err e)
{
    fprintf(stderr, "yagura: %s\n", err_name(e));
    for (const struct failure *f = c->fail; f; f = f->next)
        fprintf(stderr, "  %s%s%s\n", f->field, *f->field ? ": " : "",
                f->message);
}
