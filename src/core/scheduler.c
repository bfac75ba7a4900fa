/* SPDX-License-Identifier: Apache-2.0 */
/* Everything here is decided by the age of a row, not by when the round last
 * ran: a stopped server or a moved clock skips nothing and repeats nothing. */
#include "core/scheduler.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/secret.h"
#include "core/account/expiry_mail.h"
#include "core/account/session.h"
#include "core/account/throttle.h"
#include "core/alert/alert.h"
#include "core/archive/archive.h"
#include "core/backup/backup.h"
#include "core/backup/log_watch.h"
#include "core/contract/contract.h"
#include "core/contract/deletion.h"
#include "core/core.h"
#include "core/desk/helpdesk.h"
#include "core/health/capacity.h"
#include "core/health/doctor.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"
#include "core/mail/clock_monitor.h"
#include "core/notice/contact.h"
#include "core/notice/incident.h"
#include "core/notice/notice_mail.h"
#include "core/register/audit.h"
#include "core/register/authority_request.h"
#include "core/register/review_due.h"
#include "core/tenant/link_base.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_status.h"
#include "core/trust/trust.h"
#include "core/work/due_mail.h"
#include "core/work/trash.h"
#include "db/query.h"
#include "db/stale_files.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_DAY INT64_C(86400000000)
enum { LOOK_MS = 60000, IDLE_MS = 120000 };

/* Projects in the bin take what is theirs along, before they go. */
#define OF_OLD_PROJECTS                                                        \
    "project_id IN (SELECT id FROM project WHERE deleted_at < ?1)"

enum {
    ERASE_SEARCH,
    ERASE_LINKS,
    ERASE_GONE,
    ERASE_TICKETS,
    ERASE_ACCESS,
    ERASE_PROJECTS,
    ERASE_COUNT
};
static const char *const scheduler_text[] = {
    [ERASE_SEARCH] =
        "DELETE FROM ticket_search WHERE rowid IN (SELECT id FROM ticket WHERE"
        " deleted_at < ?1 UNION ALL SELECT t.id FROM project p JOIN ticket t"
        " ON t.project_id = p.id WHERE p.deleted_at < ?1)",
    [ERASE_LINKS] = "DELETE FROM dependency WHERE " OF_OLD_PROJECTS,
    [ERASE_GONE] = "DELETE FROM dependency_gone WHERE " OF_OLD_PROJECTS,
    [ERASE_TICKETS] = "DELETE FROM ticket WHERE deleted_at < ?1"
                      " OR " OF_OLD_PROJECTS,
    [ERASE_ACCESS] = "DELETE FROM access WHERE " OF_OLD_PROJECTS,
    [ERASE_PROJECTS] = "DELETE FROM project WHERE deleted_at < ?1",
};
const struct query_set scheduler_queries = {"caretaker", scheduler_text,
                                            COUNT(scheduler_text)};

/* Three threads: a backup takes as long as it takes, the doctor waits for a
 * relay that hangs, and nothing else waits for either. */
enum { HANDS = 3 };
struct round;
struct hand {
    struct scheduler *owner;
    const char *name; /* of its thread */
    const struct round *rounds;
    size_t count;
    bool is_woken; /* guarded by the owner's lock */
    pthread_t thread;
};

struct scheduler {
    struct app *app;
    struct hand hands[HANDS];
    pthread_mutex_t lock; /* guards stop and is_woken */
    pthread_cond_t wake;
    bool stop;
};

static enum err empty_bin(struct ctx *c)
{
    int64_t before = c->now_us - TRASH_DAYS * US_PER_DAY;
    enum err e = OK;

    for (int i = 0; !e && i < ERASE_COUNT; i++) {
        struct query *q = query(c, scheduler_text[i]);
        bind_int(q, 1, before);
        e = query_run(c, q);
    }
    return e;
}

enum err scheduler_tidy(struct ctx *c, const uint8_t log_key[32])
{
    size_t removed = 0;
    enum err e = session_prune(c);

    if (!e)
        e = throttle_prune(c);
    if (!e && strcmp(c->actor->tenant, STORE_OPERATOR) != 0)
        e = empty_bin(c);
    if (!e)
        e = operation_prune(c, operation_keep_since(c->now_us), log_key,
                            &removed);
    if (!e && removed > 0)
        log_info("operation log pruned tenant=%s rows=%zu", c->actor->tenant,
                 removed);
    return e;
}

/* The operator's place keeps no access log. */
static enum err prune_accesses(struct ctx *c, struct tenant *t,
                               const uint8_t key[32])
{
    size_t removed = 0;
    enum err e = tx_begin_access(c, t, TX_WRITE);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    e = tx_end_access(
        c, t,
        request_log_prune(c, operation_keep_since(c->now_us), key, &removed));
    if (!e && removed > 0)
        log_info("access log pruned tenant=%s rows=%zu", c->actor->tenant,
                 removed);
    return e;
}

static void tidy_tenant(struct app *app, struct arena *mem, const char *id)
{
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "caretaker",
                           .tenant = id,
                           .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    uint8_t key[32];
    struct tenant *t;
    enum err e = tenant_open(app->store, id, &t);

    if (!e) {
        log_sign_key(t, key);
        if (!(e = tx_begin(&c, t, TX_WRITE)))
            e = tx_end(&c, t, scheduler_tidy(&c, key));
        if (!e)
            e = prune_accesses(&c, t, key);
        if (!e && strcmp(id, STORE_OPERATOR) != 0)
            e = archive_tidy(&c, t);
        crypto_wipe(key, sizeof(key));
        tenant_close(t);
    }
    if (e)
        log_error("daily round failed tenant=%s err=%s", id, err_name(e));
}

static void tidy_all(struct app *app, struct arena *mem)
{
    if (!clock_monitor_may_destroy(app)) {
        log_warn("nothing is erased today: the clock stepped");
        return;
    }
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = tenant_directory_list_ids(app->store, list, &ids);

    for (size_t i = 0; i < count; i++) {
        tidy_tenant(app, mem, ids[i]);
        arena_reset(mem);
    }
    tidy_tenant(app, mem, STORE_OPERATOR);
    arena_reset(mem);
    if (stale_files_drop(
            app->store, clock_now_us() - BACKUP_KEEP_DAYS * US_PER_DAY, &count))
        log_error("what was kept for going back could not be removed");
    arena_close(list);
}

/* What a stop kept control.db from hearing. */
static void settle_all(struct app *app, struct arena *mem)
{
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = tenant_directory_list_ids(app->store, list, &ids);

    for (size_t i = 0; i < count; i++) {
        struct actor system = {.name = "",
                               .ip = "",
                               .request_id = "caretaker",
                               .tenant = ids[i],
                               .base_url = ""};
        struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
        enum err e = helpdesk_settle(&c, app, ids[i]);
        if (!e)
            e = alert_settle(&c, app, ids[i]);
        if (!e)
            e = contact_copy(&c, app, ids[i]);
        if (e)
            log_error("not settled tenant=%s err=%s", ids[i], err_name(e));
        arena_reset(mem);
    }
    arena_close(list);
}

static void remind_tenant(struct app *app, struct arena *mem, const char *id)
{
    struct actor system = {
        .name = "", .ip = "", .request_id = "caretaker", .tenant = id};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct tenant_directory_row row;
    struct tenant_status standing;
    struct tenant *t;

    tenant_status_find(app, id, &standing);
    if (standing.is_suspended || tenant_status_is_closed(&standing, c.now_us))
        return; /* nobody could follow them */
    enum err e = tenant_directory_get(&c, app->store, id, &row);
    if (!e && !(e = tenant_open(app->store, id, &t))) {
        system.base_url = LINK_BASE;
        if (!(e = tx_begin(&c, t, TX_WRITE)))
            e = tx_end(&c, t, due_mail_send(&c, app));
        if (!e && !(e = tx_begin(&c, t, TX_WRITE)))
            e = tx_end(&c, t, expiry_mail_send(&c, app));
        tenant_close(t);
    }
    if (e)
        log_error("morning mails failed tenant=%s err=%s", id, err_name(e));
}

static void remind_all(struct app *app, struct arena *mem)
{
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = tenant_directory_list_ids(app->store, list, &ids);

    for (size_t i = 0; i < count; i++) {
        remind_tenant(app, mem, ids[i]);
        arena_reset(mem);
    }
    arena_close(list);
}

/* The operator's records of which customers were not told yet. */
static void tell_customers(struct app *app, struct arena *mem)
{
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "caretaker",
                           .tenant = STORE_OPERATOR,
                           .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    enum err e = authority_request_settle(&c, app);

    if (e)
        log_error("disclosures not told err=%s", err_name(e));
    if ((e = audit_settle(&c, app)))
        log_error("audit reports not told of err=%s", err_name(e));
}

static void watch_tenant(struct app *app, struct arena *mem,
                         const struct alert_watched *it)
{
    const char *id = it->tenant;
    struct actor system = {
        .name = "", .ip = "", .request_id = "caretaker", .tenant = id};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct tenant_directory_row row;
    struct tenant *t;
    enum err e = tenant_directory_get(&c, app->store, id, &row);

    if (!e && !(e = tenant_open(app->store, id, &t))) {
        system.base_url = LINK_BASE;
        e = alert_look(&c, app, t);
        tenant_close(t);
        if (!e && it->is_due)
            e = alert_set_looked(&c, app, id);
    }
    if (e)
        log_error("alerts failed tenant=%s err=%s", id, err_name(e));
}

/* Only those with rules, by control.db. */
static void watch_logs(struct app *app, struct arena *mem)
{
    struct arena *own = arena_open(0);
    const struct alert_watched *list;
    size_t count = alert_list_watched(app->store, own, clock_now_us(), &list);

    for (size_t i = 0; i < count; i++) {
        watch_tenant(app, mem, &list[i]);
        arena_reset(mem);
    }
    arena_close(own);
}

static bool is_morning(int64_t now_us)
{
    int64_t ago = DUE_MAIL_HOUR * INT64_C(3600000000);

    return clock_today(now_us - ago) == clock_today(now_us);
}

static bool always(int64_t now_us)
{
    (void)now_us;
    return true;
}

/* Done once a day as soon as it is time; without is_time at every look. */
struct round {
    bool (*is_time)(int64_t now_us);
    void (*run)(struct app *app, struct arena *mem);
};
static void rest(struct app *app, struct arena *mem)
{
    (void)mem;
    store_rest(app->store, clock_test_value("YAGURA_TEST_IDLE_MS", IDLE_MS));
}

static const struct round short_rounds[] = {
    {NULL, clock_monitor_look},
    {NULL, capacity_look},
    {NULL, log_watch_look},
    {NULL, notice_look},
    {NULL, incident_look},
    {always, tidy_all},
    {always, settle_all},
    {always, tell_customers},
    {is_morning, remind_all},
    {is_morning, review_due_look},
    {NULL, trust_look_at_tenants},
    {NULL, watch_logs},
    {NULL, backup_watch},
    {NULL, contract_round},
    {always, deletion_prune_logs},
    {NULL, trust_look},
    {always, capacity_measure_tenants},
    {NULL, rest},
};
static const struct round long_rounds[] = {
    {NULL, deletion_round},
    {NULL, backup_round},
    {NULL, backup_check_round},
    {NULL, backup_copy_round},
};
static const struct round doctor_rounds[] = {
    {always, doctor_look_daily},
    {NULL, doctor_look_asked},
};
enum {
    ROUNDS_MAX = COUNT(short_rounds) + COUNT(long_rounds) + COUNT(doctor_rounds)
};

static void look(struct app *app, struct arena *mem, const struct hand *hand,
                 int32_t done[ROUNDS_MAX])
{
    int64_t now_us = clock_now_us();
    int32_t today = clock_today(now_us);

    for (size_t i = 0; i < hand->count; i++) {
        bool (*is_time)(int64_t) = hand->rounds[i].is_time;
        if (is_time && (done[i] == today || !is_time(now_us)))
            continue;
        done[i] = today;
        hand->rounds[i].run(app, mem);
        arena_reset(mem);
    }
}

static void *run(void *arg)
{
    struct hand *hand = arg;
    struct scheduler *t = hand->owner;
    struct arena *mem = arena_open(0);
    int32_t done[ROUNDS_MAX] = {0};

    /* by itself: another's name is a file that the sandbox keeps shut */
    (void)pthread_setname_np(pthread_self(), hand->name);
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        hand->is_woken = false;
        pthread_mutex_unlock(&t->lock);
        secret_drop_idle();
        look(t->app, mem, hand, done);
        heap_rest();
        pthread_mutex_lock(&t->lock);
        struct timespec until =
            clock_after_ms(clock_test_value("YAGURA_TEST_LOOK_MS", LOOK_MS));
        if (!t->stop && !hand->is_woken)
            pthread_cond_timedwait(&t->wake, &t->lock, &until);
    }
    pthread_mutex_unlock(&t->lock);
    arena_close(mem);
    return NULL;
}

struct scheduler *scheduler_open(struct app *app)
{
    struct scheduler *t = calloc(1, sizeof(*t));
    struct arena *mem = arena_open(0);

    must(t);
    t->app = app;
    clock_monitor_look(app, mem); /* before any hand destroys what is old */
    arena_close(mem);
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    clock_init_cond(&t->wake);
    t->hands[0] = (struct hand){.owner = t,
                                .name = "caretaker",
                                .rounds = short_rounds,
                                .count = COUNT(short_rounds)};
    t->hands[1] = (struct hand){.owner = t,
                                .name = "backups",
                                .rounds = long_rounds,
                                .count = COUNT(long_rounds)};
    t->hands[2] = (struct hand){.owner = t,
                                .name = "doctor",
                                .rounds = doctor_rounds,
                                .count = COUNT(doctor_rounds)};
    for (int i = 0; i < HANDS; i++)
        must(pthread_create(&t->hands[i].thread, NULL, run, &t->hands[i]) == 0);
    return t;
}

void scheduler_wake(struct scheduler *t)
{
    pthread_mutex_lock(&t->lock);
    for (int i = 0; i < HANDS; i++)
        t->hands[i].is_woken = true;
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

void scheduler_close(struct scheduler *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    for (int i = 0; i < HANDS; i++)
        pthread_join(t->hands[i].thread, NULL);
    free(t);
}
