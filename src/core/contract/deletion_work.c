/* SPDX-License-Identifier: Apache-2.0 */
/* The work of a deletion.  Nothing is held while files are read or written;
 * what was done is written down after it, so a step that is killed between
 * the two is done again, which finds less to do. */
#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/backup.h"
#include "core/backup/backup_copy.h"
#include "core/backup/log_head.h"
#include "core/backup/log_verify.h"
#include "core/contract/deletion.h"
#include "core/contract/master_key.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"
#include "core/mail/clock_monitor.h"
#include "core/tenant/tenant_directory.h"
#include "db/backup_mirror.h"
#include "db/closed_tenant_log.h"
#include "db/erase.h"
#include "db/query.h"

#include <string.h>
#include <time.h>

enum { TRIES_MAX = 5 }; /* before a damaged log is given up for the deletion */

enum {
    WORK_FAIL,
    WORK_LOGS,
    WORK_KEY,
    WORK_STEP,
    WORK_PROOF,
    WORK_DONE,
    WORK_ADD_FILE,
    WORK_ERASED,
    WORK_REST,
    WORK_KEY_GONE,
    WORK_BACKUPS_GONE,
    WORK_LOGS_GONE,
    WORK_COPIES,
};
static const char *const work_text[] = {
    [WORK_FAIL] = "UPDATE erasure SET tries = tries + 1, error = ?2"
                  " WHERE customer_id = ?1",
    [WORK_LOGS] = "UPDATE erasure SET log_rows = ?2, log_note = ?3"
                  " WHERE customer_id = ?1",
    [WORK_KEY] = "UPDATE erasure SET key_id = coalesce(key_id, ?2)"
                 " WHERE customer_id = ?1",
    [WORK_STEP] = "UPDATE erasure SET step = ?2, tries = 0, error = NULL"
                  " WHERE customer_id = ?1 AND step < ?2",
    [WORK_PROOF] = "UPDATE erasure SET proof = ?2 WHERE customer_id = ?1",
    [WORK_DONE] = "UPDATE erasure SET done_at = ?2, backups_on = ?3,"
                  " logs_on = ?4 WHERE customer_id = ?1",
    [WORK_ADD_FILE] =
        "INSERT INTO erasure_file (customer_id, path, kind, bytes, sha256)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    [WORK_ERASED] = "UPDATE erasure_file SET erased_at = ?3, is_discarded = ?4"
                    " WHERE customer_id = ?1 AND path = ?2",
    [WORK_REST] = "UPDATE erasure_file SET erased_at = ?3 WHERE"
                  " customer_id = ?1 AND kind = ?2 AND erased_at IS NULL",
    [WORK_KEY_GONE] = "UPDATE erasure SET key_gone_at = ?2"
                      " WHERE customer_id = ?1 AND key_gone_at IS NULL",
    [WORK_BACKUPS_GONE] = "UPDATE erasure SET backups_at = ?2"
                          " WHERE customer_id = ?1",
    [WORK_COPIES] = "SELECT count(*) FROM customer x JOIN erasure e"
                    " ON e.customer_id = x.id WHERE x.copy_of = ?1"
                    " AND x.copy_of IS NOT NULL AND e.step < ?2",
    [WORK_LOGS_GONE] = "UPDATE erasure SET logs_at = ?2"
                       " WHERE customer_id = ?1",
};
const struct query_set deletion_work_queries = {"erasure_work", work_text,
                                                COUNT(work_text)};

struct work {
    struct app *app;
    struct arena *mem;
    struct deletion e;
    struct actor actor;
};

static struct ctx fresh_ctx(struct work *w)
{
    return (struct ctx){
        .mem = w->mem, .actor = &w->actor, .now_us = clock_now_us()};
}

/* Test builds wait at each step, so that a kill may come anywhere. */
static bool go_on(void *arg)
{
    const struct work *w = arg;
    int64_t ms = clock_test_value("YAGURA_TEST_ERASE_MS", 0);

    if (ms > 0) {
        struct timespec t = {ms / 1000, ms % 1000 * 1000000};
        (void)nanosleep(&t, NULL);
    }
    return !w->app->is_stopping;
}

/* ---- writing down ---- */

/* ?1 is the tenant; a statement with more takes them from here. */
struct values_of {
    int n;
    bool is_text;
    const char *text;
    int64_t number;
};

static enum err put(struct work *w, int text, const struct values_of *list,
                    size_t count)
{
    struct ctx c = fresh_ctx(w);
    enum err e = tx_begin_control(&c, w->app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(&c, work_text[text]);
    bind_text(q, 1, w->e.tenant);
    for (size_t i = 0; i < count; i++)
        if (list[i].is_text)
            bind_text(q, list[i].n, list[i].text);
        else
            bind_int(q, list[i].n, list[i].number);
    return tx_end_control(&c, w->app->store, query_run(&c, q));
}

static enum err put_text(struct work *w, int text, const char *value)
{
    return put(w, text, &(struct values_of){2, true, value, 0}, 1);
}

static enum err put_int(struct work *w, int text, int64_t value)
{
    return put(w, text, &(struct values_of){2, false, NULL, value}, 1);
}

static enum err move_on(struct work *w, enum deletion_step step)
{
    enum err e = put_int(w, WORK_STEP, step);

    if (!e) {
        w->e.step = step;
        w->e.tries = 0;
    }
    return e;
}

/* ---- the logs ---- */

static enum err verify_kept(struct work *w, const char **note)
{
    struct actor own = w->actor;
    struct ctx c = fresh_ctx(w);
    struct log_proof of[2];
    struct tenant *t;
    enum err e = tenant_open_retained(w->app->store, w->e.tenant, &t);

    if (e)
        return e;
    own.tenant = w->e.tenant;
    c.actor = &own;
    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS && !e; kind++)
        e = log_verify(&c, w->app->store, t, (enum log_kind)kind, &of[kind]);
    tenant_close(t);
    if (!e && (of[LOG_OPERATION].broken_seq || of[LOG_ACCESS].broken_seq))
        *note = "chain_broken";
    return e;
}

static enum err keep_logs(struct work *w)
{
    char key_id[ERASE_KEY_ID_CHARS + 1];
    struct closed_tenant_log kept = {-1, -1};
    const char *note = NULL;
    bool is_last = w->e.tries >= TRIES_MAX;
    enum err e = tenant_retire(w->app->store, w->e.tenant);

    if (e)
        return e;
    e = closed_tenant_log_make(w->app->store, w->e.tenant, &kept);
    if (!e && kept.operations >= 0)
        e = verify_kept(w, &note);
    if (e == ERR_INTERNAL && is_last) {
        kept = (struct closed_tenant_log){-1, -1};
        note = "damaged";
        e = OK;
    }
    if (e)
        return e;
    if (kept.operations < 0 && !note)
        note = "no_log_key";
    else if (!kept.operations &&
             erase_name_key(w->app->store, w->e.tenant, key_id))
        note = "no_key";
    const struct values_of row[] = {
        {2, false, NULL,
         kept.operations < 0 ? 0 : kept.operations + kept.accesses},
        {3, true, note, 0}};
    e = put(w, WORK_LOGS, row, COUNT(row));
    return e ? e : move_on(w, DELETION_LIST);
}

/* ---- the files ---- */

static enum err list_one(struct work *w, const struct erase_found *f)
{
    struct ctx c = fresh_ctx(w);
    struct erase_file was;
    enum err e = erase_hash(w->app->store, f->path, go_on, w, &was);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    if ((e = tx_begin_control(&c, w->app->store, TX_WRITE)))
        return e;
    struct query *q = query(&c, work_text[WORK_ADD_FILE]);
    bind_text(q, 1, w->e.tenant);
    bind_text(q, 2, f->path);
    bind_int(q, 3, f->kind);
    bind_int(q, 4, was.bytes);
    bind_blob(q, 5, was.sha256, sizeof was.sha256);
    return tx_end_control(&c, w->app->store, query_run(&c, q));
}

/* Of the tenant's id, and of a drill with its data that was killed: nobody
 * drills now, the backups are held. */
static enum err find(struct work *w, enum erase_kind kind, struct buf *out)
{
    const char *const ids[] = {w->e.tenant, TENANT_DIRECTORY_DRILL_ID};
    struct tenant_directory_row row;
    struct ctx c = fresh_ctx(w);
    enum err e = OK;

    for (size_t n = 0; n < COUNT(ids) && !e; n++) {
        const struct erase_found *list = NULL;
        size_t count = 0;
        if (n == 1 && tenant_directory_get(&c, w->app->store, ids[n], &row) !=
                          ERR_NOT_FOUND)
            continue; /* somebody's own */
        e = erase_find(w->app->store, ids[n], w->mem, &list, &count);
        for (size_t i = 0; i < count && !e; i++)
            if (list[i].kind == kind ||
                (n == 1 && kind == ERASE_FILES && list[i].kind == ERASE_LOGS))
                buf_put(out, &list[i], sizeof list[i]);
    }
    return e;
}

static enum err list_files(struct work *w)
{
    char key_id[ERASE_KEY_ID_CHARS + 1];
    enum err e = erase_name_key(w->app->store, w->e.tenant, key_id);

    if (!e)
        e = put_text(w, WORK_KEY, key_id);
    else if (e == ERR_NOT_FOUND ||
             (e == ERR_INTERNAL && w->e.tries >= TRIES_MAX))
        e = OK; /* it has no name any more */
    for (int kind = ERASE_KEYS; kind <= ERASE_FILES && !e; kind++) {
        struct buf found = buf_in(w->mem);
        e = find(w, (enum erase_kind)kind, &found);
        const struct erase_found *list = (const void *)found.data;
        for (size_t i = 0; i < found.len / sizeof *list && !e; i++)
            e = list_one(w, &list[i]);
    }
    return e ? e : move_on(w, DELETION_KEYS);
}

static enum err destroy_one(struct work *w, const struct erase_found *f)
{
    struct erase_file was = {.is_discarded = false};
    enum err e = list_one(w, f);

    if (!e)
        e = erase_file(w->app->store, f->path, go_on, w, &was);
    if (e)
        return e;
    const struct values_of row[] = {
        {2, true, f->path, 0},
        {3, false, NULL, clock_now_us()},
        {4, false, NULL, was.is_discarded},
    };
    return put(w, WORK_ERASED, row, COUNT(row));
}

/* Until looking finds none. */
static enum err destroy_all(struct work *w, enum erase_kind kind)
{
    enum err e = OK;
    size_t count = 1;

    for (int turn = 0; turn < 3 && count && !e; turn++) {
        struct buf found = buf_in(w->mem);
        e = find(w, kind, &found);
        const struct erase_found *list = (const void *)found.data;
        count = e ? 1 : found.len / sizeof *list;
        for (size_t i = 0; i < count && !e; i++)
            e = destroy_one(w, &list[i]);
    }
    if (!e && count)
        e = ERR_CONFLICT;
    if (e)
        return e;
    const struct values_of row[] = {
        {2, false, NULL, kind},
        {3, false, NULL, clock_now_us()},
    };
    return put(w, WORK_REST, row, COUNT(row));
}

/* What was restored beside has the same key: it goes first. */
static enum err wait_for_copies(struct work *w)
{
    struct ctx c = fresh_ctx(w);
    int64_t count = 0;
    enum err e = tx_begin_control(&c, w->app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(&c, work_text[WORK_COPIES]);
    bind_text(q, 1, w->e.tenant);
    bind_int(q, 2, DELETION_PROVE);
    if (!(e = query_one(&c, q)))
        count = col_int(q, 0);
    query_done(q);
    e = tx_end_control(&c, w->app->store, e);
    return e ? e : count ? ERR_BUSY : OK;
}

/* Where no disk is mounted it goes with the next round of copying. */
static enum err destroy_copied_keys(struct work *w)
{
    const char *place = w->app->backup.dir;

    if (!place)
        return OK;
    backup_copy_hold();
    enum err e = backup_mirror_drop_keys(place, w->e.tenant);
    backup_copy_let();
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err destroy_keys(struct work *w)
{
    enum err e = wait_for_copies(w);

    if (!e)
        e = destroy_all(w, ERASE_KEYS);
    if (!e)
        e = destroy_copied_keys(w);
    if (!e)
        e = put_int(w, WORK_KEY_GONE, clock_now_us());
    if (e)
        return e;
    log_info("deletion tenant=%s: the key is destroyed", w->e.tenant);
    return move_on(w, DELETION_FILES);
}

static enum err destroy_files(struct work *w)
{
    enum err e = destroy_all(w, ERASE_FILES);

    if (!e)
        e = erase_folders(w->app->store, w->e.tenant, w->mem);
    return e ? e : move_on(w, DELETION_PROVE);
}

static enum err prove(struct work *w)
{
    struct buf b = buf_in(w->mem);
    struct json_out o = {.b = &b};
    struct erase_medium medium;
    struct erase_proof p;
    enum err e = erase_prove(w->app->store, w->e.tenant, w->mem, &p);

    if (e)
        return e;
    if (p.files || p.folders || p.handles) {
        log_error("deletion tenant=%s: files=%zu folders=%zu handles=%zu left",
                  w->e.tenant, p.files, p.folders, p.handles);
        return ERR_CONFLICT;
    }
    erase_look_at_medium(w->app->store, &medium);
    json_open(&o, NULL, '{');
    json_moment(&o, "looked_at", clock_now_us());
    json_int(&o, "files_left", (int64_t)p.files);
    json_int(&o, "folders_left", (int64_t)p.folders);
    json_int(&o, "open_handles", (int64_t)p.handles);
    json_text(&o, "file_system", medium.name);
    json_bool(&o, "is_copy_on_write", medium.is_copying);
    json_close(&o, '}');
    e = put_text(w, WORK_PROOF, b.data);
    return e ? e : move_on(w, DELETION_CERTIFY);
}

/* ---- the certificate and what follows ---- */

/* The first day on which no row of today is within the three months. */
static int32_t find_logs_day(int64_t now_us)
{
    const int64_t day_us = INT64_C(86400000000);
    int32_t today = clock_today(now_us);
    int n = 80;

    while (clock_today(operation_keep_since(now_us + n * day_us)) <= today)
        n++;
    return today + n;
}

/* What is written down, and the certificate that says so: both or neither, and
 * soon in a backup, that a restore may know of it. */
static enum err reissue(struct work *w, int text, int64_t value)
{
    struct ctx c = fresh_ctx(w);
    struct deletion now;
    enum err e = tx_begin_control(&c, w->app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(&c, work_text[text]);
    bind_text(q, 1, w->e.tenant);
    bind_int(q, 2, value);
    if (!(e = query_run(&c, q)))
        e = deletion_get(&c, w->e.tenant, &now);
    if (!e)
        e = deletion_certify(&c, w->app, &now);
    if (!e)
        e = backup_ask_soon(&c);
    return tx_end_control(&c, w->app->store, e);
}

static enum err certify(struct work *w)
{
    int64_t now_us = clock_now_us();
    const struct values_of row[] = {
        {2, false, NULL, now_us},
        {3, false, NULL, clock_today(now_us) + BACKUP_KEEP_DAYS},
        {4, false, NULL, find_logs_day(now_us)},
    };
    enum err e = w->e.done_at ? OK : put(w, WORK_DONE, row, COUNT(row));

    if (!e)
        e = reissue(w, WORK_STEP, DELETION_DERIVED);
    if (e)
        return e;
    w->e.step = DELETION_DERIVED;
    log_info("deletion done tenant=%s", w->e.tenant);
    return OK;
}

/* Gone with their generations by that day; if not, now. */
static enum err drop_backups(struct work *w, int32_t today)
{
    enum err e = OK;

    if (today < w->e.backups_on)
        return OK;
    if ((e = destroy_all(w, ERASE_BACKUPS)) ||
        (e = reissue(w, WORK_BACKUPS_GONE, clock_now_us())))
        return e;
    w->e.backups_at = 1;
    log_info("deletion tenant=%s: its backups are gone", w->e.tenant);
    return OK;
}

static enum err drop_logs(struct work *w)
{
    enum err e = destroy_all(w, ERASE_LOGS);

    if (!e)
        e = reissue(w, WORK_LOGS_GONE, clock_now_us());
    if (!e)
        log_info("deletion tenant=%s: its logs are gone", w->e.tenant);
    return e;
}

static enum err follow_up(struct work *w)
{
    int32_t today = clock_today(clock_now_us());
    enum err e = OK;

    if (!clock_monitor_may_destroy(w->app))
        return OK;
    if (!w->e.backups_at)
        e = drop_backups(w, today);
    if (!e && w->e.backups_at && today >= w->e.logs_on)
        e = drop_logs(w);
    return e;
}

/* ---- the round ---- */

static enum err (*const steps[])(struct work *w) = {
    [DELETION_LOGS] = keep_logs,    [DELETION_LIST] = list_files,
    [DELETION_KEYS] = destroy_keys, [DELETION_FILES] = destroy_files,
    [DELETION_PROVE] = prove,       [DELETION_CERTIFY] = certify,
    [DELETION_DERIVED] = follow_up,
};

/* Up to a step, which is not done. */
static void do_one(struct app *app, struct arena *mem,
                   const struct deletion *it, enum deletion_step until)
{
    struct work w = {.app = app,
                     .mem = mem,
                     .e = *it,
                     .actor = {.name = "",
                               .ip = "",
                               .request_id = "erasure",
                               .tenant = STORE_OPERATOR}};
    enum err e = w.e.step == DELETION_DERIVED ? follow_up(&w) : OK;

    while (!e && w.e.step < until && go_on(&w))
        e = steps[w.e.step](&w);
    if (!e || app->is_stopping)
        return;
    log_error("deletion waits tenant=%s step=%s err=%s", w.e.tenant,
              deletion_step_words[w.e.step], err_name(e));
    if (put_text(&w, WORK_FAIL, err_name(e)))
        log_error("deletion tenant=%s: the reason is not noted", w.e.tenant);
}

static enum err list_open(struct app *app, struct arena *mem,
                          const struct deletion **list, size_t *count)
{
    struct actor system = {.name = "", .ip = "", .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    return e ? e
             : tx_end_control(&c, app->store,
                              deletion_list_open(&c, list, count));
}

static bool has_work(const struct deletion *e)
{
    int32_t today = clock_today(clock_now_us());

    return e->step < DELETION_DERIVED ||
           (!e->backups_at && today >= e->backups_on) ||
           (!e->logs_at && today >= e->logs_on);
}

/* All of them as far as the keys go, then one fresh master key for all, then
 * what says so. */
static void do_all(struct app *app, struct arena *mem,
                   const struct deletion *list, size_t count)
{
    for (size_t i = 0; i < count && !app->is_stopping; i++)
        if (list[i].step < DELETION_CERTIFY)
            do_one(app, mem, &list[i], DELETION_CERTIFY);
    if (!app->is_stopping)
        master_key_follow_up(app, mem);
    if (list_open(app, mem, &list, &count))
        return;
    for (size_t i = 0; i < count && !app->is_stopping; i++)
        if (has_work(&list[i]) && list[i].step >= DELETION_CERTIFY)
            do_one(app, mem, &list[i], DELETION_DERIVED);
}

void deletion_round(struct app *app, struct arena *mem)
{
    const struct deletion *list = NULL;
    size_t count = 0;

    if (list_open(app, mem, &list, &count)) {
        log_error("deletions cannot be listed");
        return;
    }
    bool is_due = master_key_is_due(app, mem);
    for (size_t i = 0; i < count; i++)
        is_due = is_due || has_work(&list[i]);
    if (!is_due || !backup_try_hold())
        return; /* a backup is at it: the next look */
    log_head_hold();
    do_all(app, mem, list, count);
    log_head_let();
    backup_let();
}

/* ---- retained logs, by the day ---- */

static enum err prune(struct ctx *c, struct tenant *t)
{
    int64_t since = operation_keep_since(c->now_us);
    uint8_t key[CRYPTO_KEY_BYTES];
    size_t removed;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    log_sign_key(t, key);
    e = operation_prune(c, since, key, &removed);
    if (!e)
        e = request_log_prune(c, since, key, &removed);
    crypto_wipe(key, sizeof key);
    return tx_end(c, t, e);
}

void deletion_prune_logs(struct app *app, struct arena *mem)
{
    const struct deletion *list = NULL;
    size_t count = 0;

    if (!clock_monitor_may_destroy(app) || list_open(app, mem, &list, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct actor system = {.name = "", .ip = "", .tenant = list[i].tenant};
        struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
        struct tenant *t;
        if (list[i].step < DELETION_LIST ||
            tenant_open_retained(app->store, list[i].tenant, &t))
            continue;
        enum err e = prune(&c, t);
        tenant_close(t);
        if (e)
            log_error("retained log not pruned tenant=%s err=%s",
                      list[i].tenant, err_name(e));
    }
}
