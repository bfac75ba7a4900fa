/* SPDX-License-Identifier: Apache-2.0 */
/* Every request asks which version is owed, so the answer is kept until
 * midnight in Japan, when another may come into force; publishing forgets it,
 * also for those who are just looking it up. */
#include "core/document/terms.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <pthread.h>
#include <stdlib.h>

#define TERMS_COLS                                                             \
    "id, coalesce(no, 0), ja, en, valid_from, is_material, published_at,"      \
    " published_by, version"

enum {
    TERMS_NOW,
    TERMS_BY_NO,
    TERMS_PUBLISHED,
    TERMS_LIST,
    TERMS_GET,
    TERMS_ADD,
    TERMS_UPDATE,
    TERMS_DELETE,
    TERMS_LAST,
    TERMS_PUBLISH,
};
static const char *const terms_text[] = {
    [TERMS_NOW] = "SELECT coalesce(max(no), 0),"
                  " coalesce(max(CASE WHEN is_material THEN no END), 0)"
                  " FROM terms WHERE no > 0 AND valid_from <= ?1",
    [TERMS_BY_NO] = "SELECT " TERMS_COLS " FROM terms WHERE no = ?1",
    [TERMS_PUBLISHED] =
        "SELECT id, no, '', '', valid_from, is_material, published_at,"
        " published_by, version FROM terms WHERE no > 0 AND valid_from <= ?1"
        " ORDER BY no DESC LIMIT 100",
    [TERMS_LIST] = "SELECT id, coalesce(no, 0), '', '', valid_from,"
                   " is_material, published_at, published_by, version"
                   " FROM terms ORDER BY no IS NOT NULL, no DESC, id DESC"
                   " LIMIT 200",
    [TERMS_GET] = "SELECT " TERMS_COLS " FROM terms WHERE id = ?1",
    [TERMS_ADD] = "INSERT INTO terms (ja, en, valid_from, is_material)"
                  " VALUES (?1, ?2, ?3, ?4)",
    [TERMS_UPDATE] = "UPDATE terms SET ja = ?3, en = ?4, valid_from = ?5,"
                     " is_material = ?6, version = version + 1"
                     " WHERE id = ?1 AND version = ?2 AND no IS NULL",
    [TERMS_DELETE] =
        "DELETE FROM terms WHERE id = ?1 AND version = ?2 AND no IS NULL",
    [TERMS_LAST] = "SELECT coalesce(max(no), 0), coalesce(max(valid_from), 0)"
                   " FROM terms WHERE no > 0",
    [TERMS_PUBLISH] = "UPDATE terms SET no = ?3, is_material = ?4,"
                      " published_at = ?5, published_by = ?6,"
                      " version = version + 1"
                      " WHERE id = ?1 AND version = ?2 AND no IS NULL",
};
const struct query_set terms_queries = {"terms", terms_text, COUNT(terms_text)};

enum { TERMS_CHARS = 100000 };
#define TERMS_FIELDS(flags)                                                    \
    {                                                                          \
        {LINES("ja", 1, TERMS_CHARS, flags, "日本語", "Japanese")},            \
            {LINES("en", 1, TERMS_CHARS, flags, "英語", "English")},           \
            {DAY("valid_from", flags, "効力発生日", "Valid from")},            \
            {BOOL("is_material", OPTIONAL, "重要な変更", "Material change")},  \
    }
static const struct field terms_fields[] = TERMS_FIELDS(REQUIRED);
const struct form terms_form = {"TermsCreate", terms_fields,
                                COUNT(terms_fields)};
static const struct field terms_edit_fields[] = TERMS_FIELDS(0);
const struct form terms_edit_form = {"TermsEdit", terms_edit_fields,
                                     COUNT(terms_edit_fields)};

static void read_row(struct ctx *c, struct query *q, struct terms *out)
{
    *out = (struct terms){
        .id = col_int(q, 0),
        .no = col_int(q, 1),
        .ja = col_text(c, q, 2),
        .en = col_text(c, q, 3),
        .valid_from = col_day(q, 4),
        .is_material = col_int(q, 5) != 0,
        .published_at = col_int(q, 6),
        .published_by = col_text(c, q, 7),
        .version = col_int(q, 8),
    };
}

static enum err not_there(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                    "Not found");
}

static enum err read_one(struct ctx *c, struct query *q, struct terms *out)
{
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? not_there(c) : e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct terms **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct terms t;
        read_row(c, q, &t);
        buf_put(&rows, &t, sizeof t);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

/* ---- what is in force ---- */

struct terms_cache {
    pthread_mutex_t lock; /* guards all below */
    struct terms_now now;
    int64_t until_us; /* 0: not known */
    unsigned forgotten;
};

struct terms_cache *terms_open(void)
{
    struct terms_cache *t = calloc(1, sizeof(*t));

    must(t);
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

void terms_close(struct terms_cache *t)
{
    if (t)
        pthread_mutex_destroy(&t->lock);
    free(t);
}

static int64_t next_midnight(int64_t now_us)
{
    const int64_t day_us = INT64_C(86400000000), jst_us = INT64_C(32400000000);

    return ((now_us + jst_us) / day_us + 1) * day_us - jst_us;
}

enum err terms_read_now(struct ctx *c, struct terms_now *out)
{
    struct query *q = query(c, terms_text[TERMS_NOW]);

    bind_day(q, 1, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct terms_now){.current = col_int(q, 0), .owed = col_int(q, 1)};
    query_done(q);
    return OK;
}

enum err terms_find_now(struct ctx *c, const struct app *app,
                        struct terms_now *out)
{
    struct terms_cache *t = app->terms;

    pthread_mutex_lock(&t->lock);
    unsigned forgotten = t->forgotten;
    bool is_known = c->now_us < t->until_us;
    *out = t->now;
    pthread_mutex_unlock(&t->lock);
    if (is_known)
        return OK;
    enum err e = tx_begin_control(c, app->store, TX_READ);
    if (e)
        return e;
    if ((e = tx_end_control(c, app->store, terms_read_now(c, out))))
        return e;
    pthread_mutex_lock(&t->lock);
    if (forgotten == t->forgotten) {
        t->now = *out;
        t->until_us = next_midnight(c->now_us);
    }
    pthread_mutex_unlock(&t->lock);
    return OK;
}

static void forget(struct terms_cache *t)
{
    pthread_mutex_lock(&t->lock);
    t->forgotten++;
    t->until_us = 0;
    pthread_mutex_unlock(&t->lock);
}

enum err terms_read(struct ctx *c, const struct app *app, int64_t no,
                    struct terms *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, terms_text[TERMS_BY_NO]);
    bind_int(q, 1, no);
    return tx_end_control(c, app->store, read_one(c, q, out));
}

enum err terms_list_published(struct ctx *c, const struct app *app,
                              const struct terms **out, size_t *count)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, terms_text[TERMS_PUBLISHED]);
    bind_day(q, 1, clock_today(c->now_us));
    return tx_end_control(c, app->store, read_all(c, q, out, count));
}

/* ---- the console ---- */

enum err terms_list(struct ctx *c, const struct terms **out, size_t *count)
{
    return read_all(c, query(c, terms_text[TERMS_LIST]), out, count);
}

enum err terms_get(struct ctx *c, int64_t id, struct terms *out)
{
    struct query *q = query(c, terms_text[TERMS_GET]);

    bind_int(q, 1, id);
    return read_one(c, q, out);
}

static enum err log_terms(struct ctx *c, const char *action,
                          const struct terms *t)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "no", t->no);
    json_day(&o, "valid_from", t->valid_from);
    json_bool(&o, "is_material", t->is_material);
    json_close(&o, '}');
    return operation_log(
        c, &(struct operation){
               .action = action,
               .kind = "terms",
               .object_id = t->id,
               .object_name = arena_printf(c->mem, "#%lld", (long long)t->id),
               .after = b.data});
}

static enum err add(struct ctx *c, const struct terms *t, struct terms *out)
{
    struct query *q = query(c, terms_text[TERMS_ADD]);

    bind_text(q, 1, t->ja);
    bind_text(q, 2, t->en);
    bind_int(q, 3, t->valid_from);
    bind_int(q, 4, t->is_material);
    enum err e = query_run(c, q);
    if (e || (e = terms_get(c, db_last_id(c), out)))
        return e;
    return log_terms(c, "create", out);
}

enum err terms_create(struct ctx *c, const struct values *v, struct terms *out)
{
    const struct terms t = {.ja = values_text(v, "ja"),
                            .en = values_text(v, "en"),
                            .valid_from =
                                (int32_t)values_int(v, "valid_from", 0),
                            .is_material = values_bool(v, "is_material", true)};

    return add(c, &t, out);
}

enum err terms_seed(struct ctx *c, const char *ja, const char *en)
{
    const struct terms t = {.ja = ja,
                            .en = en,
                            .valid_from = clock_today(c->now_us),
                            .is_material = true};
    struct terms out;

    return add(c, &t, &out);
}

static enum err need_draft(struct ctx *c, int64_t id, struct terms *out)
{
    enum err e = terms_get(c, id, out);

    if (e || !out->no)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "", "published",
                    "公開した版は変更できません",
                    "A published version cannot be changed");
}

enum err terms_update(struct ctx *c, int64_t id, int64_t version,
                      const struct values *v, struct terms *out)
{
    struct terms t;
    enum err e = need_draft(c, id, &t);

    if (e)
        return e;
    struct query *q = query(c, terms_text[TERMS_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, values_has(v, "ja") ? values_text(v, "ja") : t.ja);
    bind_text(q, 4, values_has(v, "en") ? values_text(v, "en") : t.en);
    bind_int(q, 5, values_int(v, "valid_from", t.valid_from));
    bind_int(q, 6, values_bool(v, "is_material", t.is_material));
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = terms_get(c, id, out)))
        return e;
    return log_terms(c, "update", out);
}

enum err terms_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct terms t;
    enum err e = need_draft(c, id, &t);

    if (e)
        return e;
    struct query *q = query(c, terms_text[TERMS_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_terms(c, "delete", &t);
}

static enum err check_day(struct ctx *c, const struct terms *t,
                          int32_t last_day)
{
    if (t->valid_from < clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "valid_from", "past",
                        "効力発生日は今日以降にしてください",
                        "It cannot come into force before today");
    if (t->valid_from < last_day)
        return ctx_fail(c, ERR_INVALID, "valid_from", "order",
                        "効力発生日は前の版より後にしてください",
                        "It cannot come into force before an earlier version");
    return OK;
}

static enum err publish(struct ctx *c, int64_t id, int64_t version,
                        struct terms *out)
{
    struct terms t;
    enum err e = need_draft(c, id, &t);

    if (e)
        return e;
    struct query *q = query(c, terms_text[TERMS_LAST]);
    if ((e = query_one(c, q)))
        return e;
    int64_t last = col_int(q, 0);
    int32_t last_day = col_day(q, 1);
    query_done(q);
    if ((e = check_day(c, &t, last_day)))
        return e;
    q = query(c, terms_text[TERMS_PUBLISH]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, last + 1);
    bind_int(q, 4, t.is_material || last == 0);
    bind_int(q, 5, c->now_us);
    bind_text(q, 6, c->actor->name);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    e = terms_get(c, id, out);
    return e ? e : log_terms(c, "publish", out);
}

enum err terms_publish(struct ctx *c, const struct app *app, int64_t id,
                       int64_t version, struct terms *out)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    if (!(e = tx_end_control(c, app->store, publish(c, id, version, out))))
        forget(app->terms);
    return e;
}
