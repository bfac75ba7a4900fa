/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is held while bytes travel.  What is put is decided by what lies at
 * the place.  A row remembers that, and the stamp of the folder here, so that
 * nothing is asked while nothing changed; the place itself is asked again once
 * an hour, and at once when it is another than before. */
#include "core/backup/backup_copy.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/backup/backup_there.h"
#include "core/backup/backup_work.h"
#include "core/core.h"
#include "core/document/region.h"
#include "core/mail/clock_monitor.h"
#include "core/mail/operator_mail.h"
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
    COPY_DROP_ALL,
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
    [COPY_DROP_ALL] = "DELETE FROM backup_copy WHERE place = ?1",
    [WATCH_GET] = "SELECT tried_at, good_at, told_on, pruned_on, reason_ja,"
                  " reason_en, looked_at, place"
                  " FROM backup_watch WHERE name = ?1",
    [WATCH_SET] = "INSERT INTO backup_watch (name, tried_at, good_at, told_on,"
                  " pruned_on, reason_ja, reason_en, looked_at, place)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                  " ON CONFLICT (name) DO UPDATE SET tried_at = ?2,"
                  " good_at = ?3, told_on = ?4, pruned_on = ?5,"
                  " reason_ja = ?6, reason_en = ?7, looked_at = ?8, place = ?9",
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
    int64_t tried_at, good_at, told_on, pruned_on, looked_at;
    struct backup_reason why;
    const char *place; /* that all of it speaks of; NULL: none yet */
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
        .why = {col_text(c, q, 4), col_text(c, q, 5)},
        .looked_at = col_int(q, 6),
        .place = col_text(c, q, 7),
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
    bind_id(q, 8, w->looked_at);
    bind_text(q, 9, w->place);
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

/* A manifest's, by the file's name. */
struct line {
    const char *file, *sha256;
};
struct lines {
    struct line *list;
    size_t count;
};

struct copy {
    struct app *app;
    struct arena *mem;
    struct backup_place place;
    const char *date;
    const struct generation_file *here;
    const struct backup_mirror_file *there;
    size_t here_count, there_count;
    struct lines lines, lines_there; /* of the manifests */
    bool is_same;                    /* the manifest there is the one here */
    struct backup_reason fault;      /* of what is here; en NULL: none */
    bool has_keys; /* put there, as wrapped here: they may be wrapped anew */
    size_t sent;
    int64_t bytes;
};

static int by_file(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->file,
                  ((const struct line *)b)->file);
}

static void read_lines(struct arena *mem, const struct json *root,
                       struct lines *out)
{
    const struct json *files = root ? json_get(root, "files") : NULL;
    size_t count = 0;

    for (const struct json *f = files ? files->child : NULL; f; f = f->next)
        count++;
    out->list = arena_array(mem, struct line, count + 1);
    for (const struct json *f = files ? files->child : NULL; f; f = f->next)
        out->list[out->count++] = (struct line){
            arena_printf(mem, "%s%s", backup_manifest_text(f, "tenant"),
                         backup_manifest_text(f, "suffix")),
            backup_manifest_text(f, "sha256")};
    if (count)
        qsort(out->list, count, sizeof *out->list, by_file);
}

/* What a manifest says of a file; NULL: a key, or nothing. */
static const char *find_hash(const struct lines *lines, const char *file)
{
    const struct line key = {file, NULL};
    const struct line *found =
        lines->count
            ? bsearch(&key, lines->list, lines->count, sizeof key, by_file)
            : NULL;

    return found ? found->sha256 : NULL;
}

/* What was damaged here since it was checked takes the place of nothing. */
static enum err check_here(struct copy *k, const char *file,
                           const uint8_t hash[32])
{
    const char *wanted = find_hash(&k->lines, file);
    char hex[65];

    str_to_hex(hash, 32, hex);
    if (!wanted || strcmp(hex, wanted) == 0)
        return OK;
    k->fault = (struct backup_reason){
        arena_printf(k->mem, "世代 %s の %s がここで壊れています", k->date,
                     file),
        arena_printf(k->mem, "%s of %s is damaged here", file, k->date)};
    return ERR_CONFLICT;
}

static enum err put(struct copy *k, const struct generation_file *f)
{
    struct store *s = k->app->store;
    uint8_t hash[32];
    int64_t bytes;
    int fd;
    enum err e = generation_hash(s, k->date, f->name, hash, &bytes);

    if (!e)
        e = check_here(k, f->name, hash);
    if (!e)
        e = generation_open_file(s, k->date, f->name, &fd);
    if (e)
        return e;
    k->sent++;
    e = backup_place_put(&k->place, k->date, f->name, fd, bytes, hash);
    (void)close(fd);
    return e;
}

static const struct backup_mirror_file *find_there(const struct copy *k,
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

/* By the manifest there, of which it is a part, the file is the one here. */
static bool is_same_there(const struct copy *k, const struct generation_file *f)
{
    const struct backup_mirror_file *there = find_there(k, f->name);

    if (!there || there->bytes != f->bytes)
        return false;
    if (is_key(f->name))
        return k->has_keys;
    if (k->is_same)
        return true;
    const char *here = find_hash(&k->lines, f->name);
    const char *said = find_hash(&k->lines_there, f->name);
    return here && said && strcmp(here, said) == 0;
}

static enum err put_missing(struct copy *k)
{
    enum err e = OK;

    for (size_t i = 0; i < k->here_count && !e; i++) {
        const struct generation_file *f = &k->here[i];
        if (k->app->is_stopping)
            return ERR_BUSY;
        if (strcmp(f->name, MANIFEST) != 0 && !is_same_there(k, f))
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
        const struct backup_mirror_file *f = find_there(k, k->here[i].name);
        if (!f || f->bytes != k->here[i].bytes)
            e = ERR_CONFLICT;
    }
    return e;
}

/* What the place itself says of this generation. */
static enum err look_there(struct copy *k, const uint8_t manifest[32])
{
    const struct json *root = NULL;
    uint8_t hash[32];
    enum err e = list_there(k);

    if (e || !find_there(k, MANIFEST))
        return e;
    e = backup_there_read(k->app, &k->place, k->mem, k->date, hash, &root);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    k->is_same = memcmp(hash, manifest, 32) == 0;
    read_lines(k->mem, root, &k->lines_there);
    return OK;
}

static enum err put_generation(struct copy *k, const uint8_t manifest[32])
{
    static const struct generation_file last = {MANIFEST, 0};
    const char *text = NULL;
    enum err e = generation_list_files(k->app->store, k->date, k->mem, &k->here,
                                       &k->here_count);

    backup_place_sweep(&k->place, k->date);
    if (!e)
        e = generation_read_manifest(k->app->store, k->date, k->mem, &text);
    if (!e)
        e = look_there(k, manifest);
    if (e)
        return e;
    read_lines(k->mem, json_parse_own(k->mem, text, strlen(text)), &k->lines);
    bool has_manifest = find_there(k, MANIFEST) != NULL;
    if (has_manifest && !k->is_same)
        e = backup_place_delete(&k->place, k->date, MANIFEST);
    if (!e)
        e = drop_extra(k);
    if (!e)
        e = put_missing(k);
    if (!e && !(has_manifest && k->is_same))
        e = put(k, &last);
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
    bool is_look;   /* what lies there is asked for, not remembered */
    bool is_faulty; /* something here is damaged, and was not copied */
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

/* The stamp that lies whole there, 0: none; and what was put. */
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
    if (!(e = query_one(&c, q))) {
        *stamp = col_int(q, 0);
        read_print(&c, q, 1, was->manifest);
        read_print(&c, q, 2, was->keys);
    }
    query_done(q);
    return tx_end_control(&c, r->app->store, e == ERR_NOT_FOUND ? OK : e);
}

static void log_copied(const struct round *r, const struct copy *k, enum err e)
{
    if (e)
        log_warn("backup copy failed place=%s date=%s err=%s reason=%s",
                 r->name, k->date, err_name(e),
                 k->fault.en ? k->fault.en : r->why.en);
    else if (k->sent)
        log_info("backup copied place=%s date=%s files=%zu sent=%zu bytes=%lld",
                 r->name, k->date, k->here_count, k->sent, (long long)k->bytes);
}

static enum err copy_one(struct round *r, const char *date)
{
    struct copy k = {
        .app = r->app, .mem = r->scratch, .place = r->place, .date = date};
    struct prints was, is;
    int64_t stamp, now;
    enum err e = find_row(r, date, &stamp, &was);

    now = generation_stamp(r->app->store, date);
    if (e || !now || (now == stamp && !r->is_look))
        return e;
    e = take_prints(r, date, &is);
    if (e)
        return e;
    k.has_keys = stamp && memcmp(was.keys, is.keys, 32) == 0;
    k.place.mem = r->scratch;
    e = put_generation(&k, is.manifest);
    if (e && generation_stamp(r->app->store, date) != now)
        e = OK; /* made anew meanwhile: owed still, the next round puts it */
    else if (!e && (k.sent || now != stamp))
        e = remember(r, &k, now, &is);
    if (e && k.fault.en)
        r->why = (struct backup_reason){arena_strdup(r->mem, k.fault.ja),
                                        arena_strdup(r->mem, k.fault.en)};
    else if (e)
        keep_why(r, &k.place, e);
    log_copied(r, &k, e);
    bool is_ours = e && k.fault.en;
    arena_reset(r->scratch);
    if (is_ours) /* the place is well: the others are copied */
        r->is_faulty = true;
    return is_ours ? OK : e;
}

static enum err copy_all(struct round *r)
{
    const char *const *dates;
    size_t count = generation_list(r->app->store, r->mem, &dates);
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++)
        e = copy_one(r, dates[i]);
    return !e && r->is_faulty ? ERR_CONFLICT : e;
}

/* Rows of what is no longer here are no copies of it; or all of them. */
static enum err drop_row(struct round *r, int text, const char *date)
{
    struct ctx c = fresh_ctx(r);
    enum err e = tx_begin_control(&c, r->app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(&c, backup_copy_text[text]);
    bind_text(q, 1, r->name);
    if (date)
        bind_text(q, 2, date);
    return tx_end_control(&c, r->app->store, query_run(&c, q));
}

/* Rows without a generation there. */
static enum err forget_gone(struct round *r)
{
    const char *const *dates;
    size_t count;
    struct ctx c = fresh_ctx(r);
    struct backup_copies rows = {.kind = r->kind};
    enum err e = backup_place_list(&r->place, r->mem, &dates, &count);

    if (e || (e = tx_begin_control(&c, r->app->store, TX_READ)) ||
        (e = tx_end_control(&c, r->app->store, read_copies(&c, &rows))))
        return e;
    for (size_t i = 0; i < rows.count && !e; i++) {
        bool is_there = false;
        for (size_t n = 0; n < count && !is_there; n++)
            is_there = strcmp(dates[n], rows.list[i].date) == 0;
        if (!is_there)
            e = drop_row(r, COPY_DROP, rows.list[i].date);
    }
    return e;
}

static enum err prune(struct round *r, int32_t today)
{
    enum err e = backup_there_prune(r->app, &r->place, r->mem, clock_now_us());

    if (!e)
        e = forget_gone(r);
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
        if (r->is_look)
            w->looked_at = c.now_us;
    }
    w->place = backup_place_name(r->app, r->mem, r->kind);
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

/* Another bucket or folder than the one that was spoken of: what was noted is
 * not said of it. */
static bool is_other_place(struct round *r)
{
    const char *name = backup_place_name(r->app, r->mem, r->kind);

    return !r->watch.place || strcmp(r->watch.place, name) != 0;
}

static void look_at(struct round *r)
{
    int64_t now_us = clock_now_us();
    int32_t today = clock_today(now_us);
    const struct watch *w = &r->watch;

    if (look_up(r))
        return;
    bool is_other = is_other_place(r);
    if (!is_other && w->why.en && w->tried_at > now_us - US_PER_HOUR &&
        w->tried_at <= now_us)
        return;
    if (is_other && w->place && drop_row(r, COPY_DROP_ALL, NULL))
        return;
    bool is_old = w->pruned_on != today && clock_monitor_may_destroy(r->app);
    r->is_look = is_other || w->looked_at <= now_us - US_PER_HOUR ||
                 w->looked_at > now_us;
    if (!is_old && !w->why.en && !r->is_look && !lacks_any(r))
        return;
    enum err e = work_at(r, is_old, today);
    if (!r->app->is_stopping)
        finish(r, e);
}

void backup_copy_round(struct app *app, struct arena *mem)
{
    for (int k = 0; k < BACKUP_PLACES; k++) {
        struct round r = {.app = app,
                          .mem = mem,
                          .scratch = arena_open(0),
                          .kind = (enum backup_place_kind)k,
                          .name = backup_place_words[k],
                          .actor = {.name = "",
                                    .ip = "",
                                    .request_id = "backup",
                                    .tenant = STORE_OPERATOR,
                                    .base_url = ""}};
        backup_copy_hold();
        if (backup_place_is_set(app, r.kind))
            look_at(&r);
        backup_copy_let();
        arena_close(r.scratch);
        arena_reset(mem);
    }
}
