/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is held while bytes travel: a row tells what lies whole at a place,
 * and the stamp of the folder here whether that is still what is here. */
#include "core/backup_copy.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "core/backup.h"
#include "core/core.h"
#include "core/operator_mail.h"
#include "core/region.h"
#include "core/timekeeper.h"
#include "db/query.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define US_PER_HOUR INT64_C(3600000000)
#define MANIFEST    "manifest.json"

enum {
    COPY_FIND,
    COPY_LIST,
    COPY_SET,
    COPY_DROP,
    WATCH_GET,
    WATCH_SET,
    WATCH_HURRY
};
static const char *const backup_copy_text[] = {
    [COPY_FIND] = "SELECT stamp, manifest, keys FROM backup_copy"
                  " WHERE place = ?1 AND date = ?2",
    [COPY_LIST] = "SELECT date, files, bytes, at FROM backup_copy"
                  " WHERE place = ?1 ORDER BY date DESC LIMIT 30",
    [COPY_SET] = "INSERT INTO backup_copy (place, date, stamp, manifest, files,"
                 " bytes, at, keys) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                 " ON CONFLICT (place, date) DO UPDATE SET stamp = ?3,"
                 " manifest = ?4, files = ?5, bytes = ?6, at = ?7,"
                 " keys = ?8",
    [COPY_DROP] = "DELETE FROM backup_copy WHERE place = ?1 AND date = ?2",
    [WATCH_GET] = "SELECT tried_at, good_at, told_on, pruned_on, reason_ja,"
                  " reason_en"
                  " FROM backup_watch WHERE name = ?1",
    [WATCH_SET] = "INSERT INTO backup_watch (name, tried_at, good_at, told_on,"
                  " pruned_on, reason_ja, reason_en)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                  " ON CONFLICT (name) DO UPDATE SET tried_at = ?2,"
                  " good_at = ?3, told_on = ?4, pruned_on = ?5,"
                  " reason_ja = ?6, reason_en = ?7",
    [WATCH_HURRY] = "UPDATE backup_watch SET tried_at = NULL"
                    " WHERE name IN ('dir', 's3')",
};
const struct query_set backup_copy_queries = {"backup_copy", backup_copy_text,
                                              COUNT(backup_copy_text)};

static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

void backup_copy_hold(void)
{
    pthread_mutex_lock(&copying);
}

void backup_copy_let(void)
{
    pthread_mutex_unlock(&copying);
}

struct watch {
    int64_t tried_at, good_at, told_on, pruned_on;
    struct backup_reason why;
};

/* ---- rows ---- */

static enum err read_watch(struct ctx *c, const char *name, struct watch *out)
{
    struct query *q = query(c, backup_copy_text[WATCH_GET]);

    *out = (struct watch){.tried_at = 0};
    bind_text(q, 1, name);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = (struct watch){
        .tried_at = col_int(q, 0),
        .good_at = col_int(q, 1),
        .told_on = col_int(q, 2),
        .pruned_on = col_int(q, 3),
        .why = {col_text(c, q, 4), col_text(c, q, 5)}
    };
    query_done(q);
    return OK;
}

static enum err write_watch(struct ctx *c, const char *name,
                            const struct watch *w)
{
    struct query *q = query(c, backup_copy_text[WATCH_SET]);

    bind_text(q, 1, name);
    bind_id(q, 2, w->tried_at);
    bind_id(q, 3, w->good_at);
    bind_id(q, 4, w->told_on);
    bind_id(q, 5, w->pruned_on);
    bind_text(q, 6, w->why.ja);
    bind_text(q, 7, w->why.en);
    return query_run(c, q);
}

static enum err read_copies(struct ctx *c, struct backup_copies *out)
{
    struct query *q = query(c, backup_copy_text[COPY_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_text(q, 1, backup_place_words[out->kind]);
    while (query_next(c, q, &e)) {
        struct backup_copied one = {.date = col_text(c, q, 0),
                                    .files = col_int(q, 1),
                                    .bytes = col_int(q, 2),
                                    .at = col_int(q, 3)};
        buf_put(&rows, &one, sizeof one);
    }
    out->list = (const void *)rows.data;
    out->count = rows.len / sizeof *out->list;
    return e;
}

enum err backup_copy_read(struct ctx *c, const struct app *app,
                          struct backup_copies *out, size_t *count)
{
    enum err e = OK;

    *count = 0;
    for (int k = 0; k < BACKUP_PLACES && !e; k++) {
        enum backup_place_kind kind = (enum backup_place_kind)k;
        struct watch w;
        if (!backup_place_is_set(app, kind))
            continue;
        struct backup_copies *one = &out[(*count)++];
        *one = (struct backup_copies){
            .kind = kind, .name = backup_place_name(app, c->mem, kind)};
        if ((e = read_watch(c, backup_place_words[kind], &w)))
            return e;
        one->tried_at = w.tried_at;
        one->good_at = w.good_at;
        one->why = w.why;
        e = read_copies(c, one);
    }
    return e;
}

enum err backup_copy_hurry(struct ctx *c)
{
    return query_run(c, query(c, backup_copy_text[WATCH_HURRY]));
}

/* ---- one generation there ---- */

struct copy {
    struct app *app;
    struct arena *mem;
    struct backup_place place;
    const char *date;
    const struct generation_file *here;
    const struct shelf_file *there;
    size_t here_count, there_count;
    bool is_same;  /* what lies there was put there by this very manifest */
    bool has_keys; /* and by these very keys, which may be wrapped anew */
    int64_t bytes;
};

static enum err put(struct copy *k, const struct generation_file *f)
{
    struct store *s = k->app->store;
    uint8_t hash[32];
    int64_t bytes;
    int fd;
    enum err e = generation_hash(s, k->date, f->name, hash, &bytes);

    if (!e)
        e = generation_open_file(s, k->date, f->name, &fd);
    if (e)
        return e;
    e = backup_place_put(&k->place, k->date, f->name, fd, bytes, hash);
    (void)close(fd);
    return e;
}

static const struct shelf_file *find_there(const struct copy *k,
                                           const char *name)
{
    for (size_t i = 0; i < k->there_count; i++)
        if (strcmp(k->there[i].name, name) == 0)
            return &k->there[i];
    return NULL;
}

static bool is_here(const struct copy *k, const char *name)
{
    for (size_t i = 0; i < k->here_count; i++)
        if (strcmp(k->here[i].name, name) == 0)
            return true;
    return false;
}

static bool is_key(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".key") == 0;
}

static enum err put_missing(struct copy *k)
{
    enum err e = OK;

    for (size_t i = 0; i < k->here_count && !e; i++) {
        const struct generation_file *f = &k->here[i];
        const struct shelf_file *there =
            k->is_same ? find_there(k, f->name) : NULL;
        if (k->app->is_stopping)
            return ERR_BUSY;
        if (strcmp(f->name, MANIFEST) != 0 &&
            ((is_key(f->name) && !k->has_keys) ||
             !(there && there->bytes == f->bytes)))
            e = put(k, f);
        k->bytes += f->bytes;
    }
    return e;
}

static enum err drop_extra(struct copy *k)
{
    enum err e = OK;

    for (size_t i = 0; i < k->there_count && !e; i++)
        if (!is_here(k, k->there[i].name))
            e = backup_place_delete(&k->place, k->date, k->there[i].name);
    return e;
}

static enum err list_there(struct copy *k)
{
    return backup_place_list_files(&k->place, k->mem, k->date, &k->there,
                                   &k->there_count);
}

/* What the place says it holds is what is here. */
static enum err compare(struct copy *k)
{
    enum err e = list_there(k);

    for (size_t i = 0; i < k->here_count && !e; i++) {
        const struct shelf_file *f = find_there(k, k->here[i].name);
        if (!f || f->bytes != k->here[i].bytes)
            e = ERR_CONFLICT;
    }
    return e;
}

static enum err put_generation(struct copy *k)
{
    static const struct generation_file manifest = {MANIFEST, 0};
    enum err e = generation_list_files(k->app->store, k->date, k->mem, &k->here,
                                       &k->here_count);

    backup_place_sweep(&k->place, k->date);
    if (!e)
        e = list_there(k);
    if (e)
        return e;
    bool has_manifest = find_there(k, MANIFEST) != NULL;
    if (has_manifest && !k->is_same)
        e = backup_place_delete(&k->place, k->date, MANIFEST);
    if (!e)
        e = drop_extra(k);
    if (!e)
        e = put_missing(k);
    if (!e && !(has_manifest && k->is_same))
        e = put(k, &manifest);
    return e ? e : compare(k);
}

/* ---- the round ---- */

struct round {
    struct app *app;
    struct arena *mem, *scratch; /* of the round; of one generation */
    enum backup_place_kind kind;
    const char *name;
    struct watch watch;
    struct actor actor;
    struct backup_place place;
    struct backup_reason why;
};

/* Longer than the place it is from. */
static void keep_why(struct round *r, const struct backup_place *p, enum err e)
{
    struct backup_reason why = backup_place_why(p, e);

    r->why = (struct backup_reason){arena_strdup(r->mem, why.ja),
                                    arena_strdup(r->mem, why.en)};
}

static struct ctx fresh_ctx(struct round *r)
{
    return (struct ctx){
        .mem = r->mem, .actor = &r->actor, .now_us = clock_now_us()};
}

/* What tells one state of a generation from another. */
struct prints {
    uint8_t manifest[32], keys[32];
};

static enum err take_prints(struct round *r, const char *date,
                            struct prints *out)
{
    const struct store *s = r->app->store;
    const struct generation_file *files;
    struct crypto_hash h;
    uint8_t hash[32];
    int64_t bytes;
    size_t count;
    enum err e = generation_hash(s, date, MANIFEST, out->manifest, &bytes);

    if (!e)
        e = generation_list_files(s, date, r->scratch, &files, &count);
    if (e)
        return e;
    crypto_hash_begin(&h);
    for (size_t i = 0; i < count && !e; i++) {
        if (!is_key(files[i].name))
            continue;
        e = generation_hash(s, date, files[i].name, hash, &bytes);
        crypto_hash_add(&h, hash, sizeof hash);
    }
    crypto_hash_end(&h, out->keys);
    return e;
}

static enum err remember(struct round *r, const struct copy *k, int64_t stamp,
                         const struct prints *is)
{
    struct ctx c = fresh_ctx(r);
    enum err e = tx_begin_control(&c, r->app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(&c, backup_copy_text[COPY_SET]);
    bind_text(q, 1, r->name);
    bind_text(q, 2, k->date);
    bind_int(q, 3, stamp);
    bind_blob(q, 4, is->manifest, 32);
    bind_int(q, 5, (int64_t)k->here_count);
    bind_int(q, 6, k->bytes);
    bind_int(q, 7, c.now_us);
    bind_blob(q, 8, is->keys, 32);
    return tx_end_control(&c, r->app->store, query_run(&c, q));
}

static void read_print(struct ctx *c, struct query *q, int i, uint8_t out[32])
{
    size_t len;
    const void *blob = col_blob(c, q, i, &len);

    if (blob && len == 32)
        memcpy(out, blob, 32);
}

static enum err find_row(struct round *r, const char *date, int64_t *stamp,
                         struct prints *was)
{
    struct ctx c = fresh_ctx(r);
    enum err e = tx_begin_control(&c, r->app->store, TX_READ);

    *stamp = 0;
    memset(was, 0, sizeof *was);
    if (e)
        return e;
    struct query *q = query(&c, backup_copy_text[COPY_FIND]);
    bind_text(q, 1, r->name);
    bind_text(q, 2, date);
    e = query_one(&c, q);
    if (!e) {
        *stamp = col_int(q, 0);
        read_print(&c, q, 1, was->manifest);
        read_print(&c, q, 2, was->keys);
    }
    query_done(q);
    return tx_end_control(&c, r->app->store, e == ERR_NOT_FOUND ? OK : e);
}

static enum err copy_one(struct round *r, const char *date)
{
    struct copy k = {
        .app = r->app, .mem = r->scratch, .place = r->place, .date = date};
    struct prints was, is;
    int64_t stamp, now;
    enum err e = find_row(r, date, &stamp, &was);

    now = generation_stamp(r->app->store, date);
    if (e || !now || now == stamp)
        return e;
    e = take_prints(r, date, &is);
    if (e)
        return e;
    k.is_same = stamp && memcmp(was.manifest, is.manifest, 32) == 0;
    k.has_keys = k.is_same && memcmp(was.keys, is.keys, 32) == 0;
    k.place.mem = r->scratch;
    e = put_generation(&k);
    if (e && generation_stamp(r->app->store, date) != now)
        e = OK; /* made anew meanwhile: owed still, the next round puts it */
    else if (!e)
        e = remember(r, &k, now, &is);
    if (e)
        keep_why(r, &k.place, e);
    if (e)
        log_error("backup not copied place=%s date=%s err=%s", r->name, date,
                  err_name(e));
    else
        log_info("backup copied place=%s date=%s files=%zu bytes=%lld", r->name,
                 date, k.here_count, (long long)k.bytes);
    arena_reset(r->scratch);
    return e;
}

static enum err copy_all(struct round *r)
{
    const char *const *dates;
    size_t count = generation_list(r->app->store, r->mem, &dates);
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++)
        e = copy_one(r, dates[i]);
    return e;
}

static enum err remove_there(struct round *r, const char *date)
{
    const struct shelf_file *files;
    size_t count;
    enum err e = backup_place_delete(&r->place, date, MANIFEST);

    if (!e)
        e = backup_place_list_files(&r->place, r->mem, date, &files, &count);
    for (size_t i = 0; !e && i < count; i++)
        e = backup_place_delete(&r->place, date, files[i].name);
    if (e)
        log_error("backup copy not removed place=%s date=%s err=%s", r->name,
                  date, err_name(e));
    else
        log_info("backup copy removed place=%s date=%s", r->name, date);
    if (e)
        return e;
    struct ctx c = fresh_ctx(r);
    if ((e = tx_begin_control(&c, r->app->store, TX_WRITE)))
        return e;
    struct query *q = query(&c, backup_copy_text[COPY_DROP]);
    bind_text(q, 1, r->name);
    bind_text(q, 2, date);
    return tx_end_control(&c, r->app->store, query_run(&c, q));
}

/* On its eighth day, unless it is the newest there is. */
static enum err prune(struct round *r, int32_t today)
{
    const char *const *dates;
    const char *newest = "";
    size_t count;
    char oldest[11];
    enum err e = backup_place_list(&r->place, r->mem, &dates, &count);

    civil_format(today - BACKUP_KEEP_DAYS + 1, oldest);
    for (size_t i = 0; !e && i < count; i++)
        if (strcmp(dates[i], newest) > 0)
            newest = dates[i];
    for (size_t i = 0; !e && i < count; i++)
        if (strcmp(dates[i], oldest) < 0 && dates[i] != newest)
            e = remove_there(r, dates[i]);
    if (e && !r->why.en)
        keep_why(r, &r->place, e);
    if (!e)
        r->watch.pruned_on = today;
    return e;
}

static enum err tell(struct ctx *c, struct round *r)
{
    const char *place = backup_place_name(r->app, c->mem, r->kind);
    enum err e = operator_mail_all(
        c, r->app,
        &(struct operator_news){
            .subject_ja = "バックアップの写しの失敗",
            .subject_en = "Copying the backup failed",
            .ja = arena_printf(
                c->mem,
                "バックアップを次の場所へ写せませんでした。1時間おきに再試行し"
                "ます。サーバー内のバックアップには影響ありません。\n\n場所: "
                "%s\n原因: %s",
                place, r->watch.why.ja),
            .en = arena_printf(
                c->mem,
                "The backup could not be copied. It is tried again every "
                "hour. The backups on the server are not affected.\n\nPlace: "
                "%s\nReason: %s",
                place, r->watch.why.en),
        });

    if (e == ERR_NOT_FOUND)
        return OK;
    r->watch.told_on = clock_today(c->now_us);
    return e;
}

static void finish(struct round *r, enum err e)
{
    struct ctx c = fresh_ctx(r);
    struct watch *w = &r->watch;

    w->tried_at = c.now_us;
    w->why = (struct backup_reason){NULL, NULL};
    if (e)
        w->why = r->why.en ? r->why : backup_reason_of(e);
    if (!e) {
        w->good_at = c.now_us;
        w->told_on = 0;
    }
    if (!(e = tx_begin_control(&c, r->app->store, TX_WRITE))) {
        if (w->why.en && w->told_on != clock_today(c.now_us))
            e = tell(&c, r);
        e = tx_end_control(&c, r->app->store,
                           e ? e : write_watch(&c, r->name, w));
    }
    if (e)
        log_error("backup copies: not noted err=%s", err_name(e));
}

/* Whether a place lacks what is here; no look at the place itself. */
static bool lacks_any(struct round *r)
{
    const char *const *dates;
    size_t count = generation_list(r->app->store, r->mem, &dates);
    struct prints was;
    int64_t stamp;

    for (size_t i = 0; i < count; i++)
        if (!find_row(r, dates[i], &stamp, &was) &&
            stamp != generation_stamp(r->app->store, dates[i]))
            return true;
    return false;
}

static enum err look_up(struct round *r)
{
    struct ctx c = fresh_ctx(r);
    enum err e = tx_begin_control(&c, r->app->store, TX_READ);

    return e ? e
             : tx_end_control(&c, r->app->store,
                              read_watch(&c, r->name, &r->watch));
}

/* A place outside the stated region is refused, and shown as refused. */
static enum err check_region(struct round *r)
{
    struct ctx c = fresh_ctx(r);
    enum err e = tx_begin_control(&c, r->app->store, TX_READ);

    if (e)
        return e;
    e = tx_end_control(
        &c, r->app->store,
        region_check(&c, "backup_region", r->app->backup_region));
    if (e == ERR_INVALID)
        r->why = (struct backup_reason){
            arena_printf(r->mem,
                         "%s は、公開しているデータ保管場所の記述にありません",
                         r->app->backup_region),
            arena_printf(r->mem,
                         "%s is not among the places the statement of where "
                         "data is kept names",
                         r->app->backup_region)};
    return e;
}

static enum err work_at(struct round *r, bool is_old, int32_t today)
{
    enum err e = check_region(r), pruned = OK, copied = OK;

    backup_place_open(r->app, r->mem, r->kind, &r->place);
    if (is_old)
        pruned = prune(r, today);
    if (!e)
        copied = copy_all(r);
    backup_place_close(&r->place);
    return e ? e : pruned ? pruned : copied;
}

static void look_at(struct round *r)
{
    int64_t now_us = clock_now_us();
    int32_t today = clock_today(now_us);
    const struct watch *w = &r->watch;

    if (look_up(r) || (w->why.en && w->tried_at > now_us - US_PER_HOUR &&
                       w->tried_at <= now_us))
        return;
    bool is_old = w->pruned_on != today && timekeeper_may_destroy(r->app);
    if (!is_old && !w->why.en && !lacks_any(r))
        return;
    enum err e = work_at(r, is_old, today);
    if (!r->app->is_stopping)
        finish(r, e);
}

void backup_copy_round(struct app *app, struct arena *mem)
{
    for (int k = 0; k < BACKUP_PLACES; k++) {
        struct round r = {
            .app = app,
            .mem = mem,
            .scratch = arena_open(0),
            .kind = (enum backup_place_kind)k,
            .name = backup_place_words[k],
            .actor = {.name = "",
                      .ip = "",
                      .request_id = "backup",
                      .tenant = STORE_OPERATOR,
                      .base_url = ""}
        };
        backup_copy_hold();
        if (backup_place_is_set(app, r.kind))
            look_at(&r);
        backup_copy_let();
        arena_close(r.scratch);
        arena_reset(mem);
    }
}
