/* SPDX-License-Identifier: Apache-2.0 */
/* The work with the files: copying, checking, drilling, restoring.  Nothing
 * is held meanwhile; every step is written down by a transaction of its own,
 * and a generation gets its name only when all of it is there and checked. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/backup/backup_keep.h"
#include "core/backup/backup_work.h"
#include "core/backup/log_head.h"
#include "core/core.h"
#include "core/tenant/tenant_directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REASON_MAX = 400, STEP_MS = 500 };

/* The files of a tenant in a generation, and of control.db. */
static const char *const suffixes[] = {".db", ".access.db"};

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

bool backup_try_hold(void)
{
    return pthread_mutex_trylock(&busy) == 0;
}

void backup_hold(void)
{
    pthread_mutex_lock(&busy);
}

void backup_let(void)
{
    pthread_mutex_unlock(&busy);
}

struct work {
    struct app *app;
    struct arena *mem; /* of the whole run */
    struct actor actor;
    struct buf manifest;
    struct buf ja, en; /* what failed, in both languages */
    struct json_out out;
    struct buf done; /* of struct copied */
    int64_t run_id, tenants, total, bytes, noted_ms, reused;
    const char *last_name; /* of the newest generation, NULL: none */
    const struct json *last, *last_at;
    struct buf failed; /* of struct fault */
    bool is_throttled, has_control;
    bool is_spoilt; /* half of a copy could not be taken away again */
    bool is_stopped;
};

/* One file of the generation. */
struct piece {
    int64_t bytes, rows;
    char hex[65], seen[GENERATION_SEEN_CHARS];
};

struct copied {
    const char *id;
    int64_t bytes, rows;
};

struct fault {
    const char *id;
    struct backup_reason why;
};

static struct ctx fresh_ctx(struct work *w)
{
    return (struct ctx){
        .mem = w->mem, .actor = &w->actor, .now_us = clock_now_us()};
}

static struct actor system_actor(void)
{
    return (struct actor){
        .name = "", .ip = "", .request_id = "backup", .tenant = STORE_OPERATOR};
}

/* ---- one copy ---- */

static void put_file(struct work *w, const char *id, const char *suffix,
                     const struct piece *p)
{
    json_open(&w->out, NULL, '{');
    json_text(&w->out, "tenant", id);
    json_text(&w->out, "suffix", suffix);
    json_int(&w->out, "bytes", p->bytes);
    json_text(&w->out, "sha256", p->hex);
    json_int(&w->out, "rows", p->rows);
    json_text(&w->out, "seen", p->seen);
    json_close(&w->out, '}');
}

static enum err hash_file(struct work *w, const char *id, const char *suffix,
                          struct piece *p)
{
    const char *file = arena_printf(w->mem, "%s%s", id, suffix);
    uint8_t hash[32];
    enum err e = generation_hash(w->app->store, NULL, file, hash, &p->bytes);

    if (!e)
        str_to_hex(hash, sizeof hash, p->hex);
    return e;
}

/* The line of the last generation about a file; lines come in the order in
 * which they are asked for, but for what came and went. */
static const struct json *find_last(struct work *w, const char *id,
                                    const char *suffix)
{
    const struct json *from = w->last_at ? w->last_at : w->last;

    for (int round = 0; round < 2; round++, from = w->last)
        for (const struct json *f = from; f; f = f->next)
            if (strcmp(backup_manifest_text(f, "tenant"), id) == 0 &&
                strcmp(backup_manifest_text(f, "suffix"), suffix) == 0) {
                w->last_at = f->next;
                return f;
            }
    return NULL;
}

/* A file that nobody wrote to since the last generation is what was checked
 * then, if its hash still is. */
static bool reuse(struct work *w, const char *id, const char *suffix,
                  struct piece *p)
{
    const struct json *last = *p->seen ? find_last(w, id, suffix) : NULL;
    int64_t bytes = 0;

    if (!last || strcmp(backup_manifest_text(last, "seen"), p->seen) != 0)
        return false;
    if (generation_reuse(w->app->store, w->last_name, id, suffix, &bytes))
        return false;
    if (!hash_file(w, id, suffix, p) &&
        strcmp(p->hex, backup_manifest_text(last, "sha256")) == 0) {
        p->rows = strtoll(backup_manifest_text(last, "rows"), NULL, 10);
        w->bytes += bytes;
        w->reused++;
        return true;
    }
    log_error("backup: %s%s of %s is no longer as it was written", id, suffix,
              w->last_name);
    return false;
}

/* Written, opened again, checked, counted; or taken over. */
static enum err copy_file(struct work *w, const char *id, const char *suffix,
                          struct piece *p)
{
    const struct store *s = w->app->store;
    struct generation_found found = {.rows = 0};

    *p = (struct piece){.rows = 0};
    if (strcmp(id, GENERATION_CONTROL) != 0)
        generation_look(s, id, suffix, p->seen);
    if (reuse(w, id, suffix, p))
        return OK;
    (void)!generation_drop_file(s, arena_printf(w->mem, "%s%s", id, suffix));
    enum err e = generation_copy(s, id, suffix, &w->bytes);
    if (!e)
        e = generation_check(s, NULL, id, suffix, &found);
    p->rows = found.rows;
    return e ? e : hash_file(w, id, suffix, p);
}

/* All files of it, or none: half of one is no copy. */
static enum err copy_one(struct work *w, const char *id, int64_t *rows)
{
    size_t files = strcmp(id, GENERATION_CONTROL) == 0 ? 1 : COUNT(suffixes);
    struct piece pieces[COUNT(suffixes)];
    int64_t before = w->bytes;
    enum err e = OK;

    *rows = 0;
    for (size_t i = 0; i < files && !e; i++)
        e = copy_file(w, id, suffixes[i], &pieces[i]);
    if (e) {
        w->bytes = before;
        if (generation_drop_tenant(w->app->store, id))
            w->is_spoilt = true;
        return e;
    }
    for (size_t i = 0; i < files; i++) {
        put_file(w, id, suffixes[i], &pieces[i]);
        *rows += pieces[i].rows;
    }
    return OK;
}

static void pause_for(int64_t us)
{
    int64_t wait = us > 1000000 ? 1000000 : us;
    struct timespec t = {wait / 1000000, wait % 1000000 * 1000};

    (void)nanosleep(&t, NULL);
}

static enum err note(struct work *w)
{
    struct ctx c = fresh_ctx(w);
    enum err e = tx_begin_control(&c, w->app->store, TX_WRITE);

    w->noted_ms = clock_monotonic_ms();
    if (e)
        return e;
    return tx_end_control(
        &c, w->app->store,
        backup_note_step(&c, w->run_id, w->tenants, w->total, w->bytes));
}

static void say(struct work *w, const char *ja, const char *en)
{
    buf_printf(&w->ja, "%s%s", w->ja.len ? "、" : "", ja);
    buf_printf(&w->en, "%s%s", w->en.len ? ", " : "", en);
}

static void copy_tenant(struct work *w, const char *id)
{
    int64_t from = clock_now_us(), before = w->bytes, rows;
    enum err e = copy_one(w, id, &rows);

    if (!e) {
        struct copied one = {id, w->bytes - before, rows};
        buf_put(&w->done, &one, sizeof one);
        w->tenants++;
        if (clock_monotonic_ms() - w->noted_ms >= STEP_MS)
            e = note(w);
    }
    if (e) {
        struct fault one = {id, backup_reason_of(e)};
        buf_put(&w->failed, &one, sizeof one);
        if (w->en.len < REASON_MAX)
            say(w, arena_printf(w->mem, "%s: %s", id, one.why.ja),
                arena_printf(w->mem, "%s: %s", id, one.why.en));
    }
    if (e)
        log_error("backup failed tenant=%s err=%s", id, err_name(e));
    if (w->is_throttled)
        pause_for((clock_now_us() - from) / 2);
}

static void copy_all(struct work *w)
{
    const char *const *ids;
    size_t count = tenant_directory_list_ids(w->app->store, w->mem, &ids);
    int64_t rows;

    w->total = (int64_t)count;
    json_open(&w->out, NULL, '{');
    json_int(&w->out, "version", 1);
    json_moment(&w->out, "at", clock_now_us());
    json_open(&w->out, "files", '[');
    for (size_t i = 0; i < count && !w->app->is_stopping; i++)
        copy_tenant(w, ids[i]);
    w->is_stopped = w->app->is_stopping;
    if (w->is_stopped)
        say(w, BACKUP_STOPPED_JA, BACKUP_STOPPED_EN);
    else if (!(w->has_control = !copy_one(w, GENERATION_CONTROL, &rows)))
        say(w, "管理用データ（control.db）を写せませんでした",
            "control.db could not be copied");
    json_close(&w->out, ']');
    json_close(&w->out, '}');
}

/* What the run ended with; tenants only if what was copied has its name. */
static enum err note_end(struct work *w, const char *name, bool is_sealed)
{
    const struct copied *list = (const void *)w->done.data;
    const struct fault *failed = (const void *)w->failed.data;
    size_t count = is_sealed ? w->done.len / sizeof *list : 0;
    struct ctx c = fresh_ctx(w);
    enum err e = tx_begin_control(&c, w->app->store, TX_WRITE);

    if (e)
        return e;
    e = backup_note_step(&c, w->run_id, w->tenants, w->total, w->bytes);
    for (size_t i = 0; i < count && !e; i++)
        e = backup_note_tenant(&c, list[i].id, name, list[i].bytes,
                               list[i].rows);
    for (size_t i = 0; i < w->failed.len / sizeof *failed && !e; i++)
        e = backup_note_fault(&c, failed[i].id, &failed[i].why);
    if (!e && is_sealed)
        e = backup_forget_damage(&c, name);
    if (!e)
        e = backup_note_end(
            &c, w->run_id,
            &(struct backup_reason){w->en.len ? w->ja.data : NULL,
                                    w->en.len ? w->en.data : NULL});
    if (!e && w->is_stopped)
        e = backup_ask_soon(&c); /* by the next server */
    return tx_end_control(&c, w->app->store, e);
}

static enum err finish(struct work *w, enum err e)
{
    struct ctx c = fresh_ctx(w);
    const char *name = backup_name_today(&c);
    const char *old;

    /* part of today is better than nothing, but not than all of it */
    bool is_worth =
        w->en.len == 0 ||
        ((w->tenants > 0 || w->has_control) &&
         generation_read_manifest(w->app->store, name, w->mem, &old));
    bool is_kept = is_worth && !w->is_spoilt;
    if (!e && is_kept)
        e = generation_seal(w->app->store, name, w->manifest.data,
                            w->manifest.len);
    if ((e || !is_kept) && generation_give_up(w->app->store))
        log_error("backup: what was begun could not be removed");
    if (e) {
        struct backup_reason why = backup_reason_of(e);
        say(w, why.ja, why.en);
    }
    enum err noted = note_end(w, name, !e && is_kept);
    log_write(
        w->en.len ? LOG_ERROR : LOG_INFO,
        "backup %s name=%s tenants=%lld of=%lld bytes=%lld unchanged=%lld",
        w->en.len ? "failed" : "done", name, (long long)w->tenants,
        (long long)w->total, (long long)w->bytes, (long long)w->reused);
    return w->en.len ? ERR_INTERNAL : noted;
}

static void find_last_generation(struct work *w)
{
    const char *const *names;
    const char *text;

    if (generation_list(w->app->store, w->mem, &names) == 0 ||
        generation_read_manifest(w->app->store, names[0], w->mem, &text))
        return;
    const struct json *files =
        json_get(json_parse_own(w->mem, text, strlen(text)), "files");
    w->last_name = names[0];
    w->last = files ? files->child : NULL;
}

static enum err run(struct app *app, struct arena *mem, int64_t run_id,
                    bool is_throttled)
{
    struct work w = {.app = app,
                     .mem = mem,
                     .actor = system_actor(),
                     .manifest = buf_in(mem),
                     .ja = buf_in(mem),
                     .en = buf_in(mem),
                     .done = buf_in(mem),
                     .failed = buf_in(mem),
                     .run_id = run_id,
                     .is_throttled = is_throttled};
    w.out.b = &w.manifest;
    find_last_generation(&w);
    enum err e = generation_begin(app->store);
    if (!e)
        e = note(&w);
    if (!e)
        copy_all(&w);
    return finish(&w, e);
}

enum err backup_run_now(struct app *app, struct arena *mem,
                        const char *asked_by, bool is_throttled)
{
    struct actor actor = system_actor();
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = clock_now_us()};
    int64_t id = 0;
    enum err e;

    backup_hold();
    log_head_hold();
    e = tx_begin_control(&c, app->store, TX_WRITE);
    if (!e)
        e = tx_end_control(&c, app->store,
                           backup_note_start(&c, asked_by, &id));
    if (!e)
        e = run(app, mem, id, is_throttled);
    log_head_let();
    backup_let();
    if (app->wake_scheduler) /* heads of logs waited meanwhile */
        app->wake_scheduler(app);
    return e;
}

/* ---- the round ---- */

/* The newest generation that holds anybody. */
static void drill(struct app *app, struct arena *mem)
{
    const char *const *names;
    struct backup_drill d;
    size_t count = generation_list(app->store, mem, &names);
    enum err e = count ? ERR_NOT_FOUND : OK;

    for (size_t i = 0; i < count && e == ERR_NOT_FOUND; i++)
        e = backup_drill_now(app, mem, names[i], NULL, &d);
    if (e)
        log_error("backup drill failed err=%s", err_name(e));
}

static enum err find_due(struct app *app, struct ctx *c, struct backup_due *due)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    return e ? e : tx_end_control(c, app->store, backup_find_due(c, app, due));
}

void backup_round(struct app *app, struct arena *mem)
{
    struct actor actor = system_actor();
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = clock_now_us()};
    struct backup_due due = {.run_id = 0};

    if (!backup_try_hold())
        return; /* somebody is at it: the next look */
    enum err e = find_due(app, &c, &due);
    if (!e && due.run_id)
        e = run(app, mem, due.run_id, false);
    backup_rotate(app, mem, c.now_us);
    backup_let();
    if (!e && due.is_hour)
        e = backup_run_now(app, mem, NULL, true);
    if (!e && due.is_drill)
        drill(app, mem);
    if (e && !(e = tx_begin_control(&c, app->store, TX_WRITE)))
        e = tx_end_control(&c, app->store, backup_tell(&c, app));
    if (e)
        log_error("backup failure not told err=%s", err_name(e));
}
