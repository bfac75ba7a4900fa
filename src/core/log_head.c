/* SPDX-License-Identifier: Apache-2.0 */
/* The hour that was done last is one row: another hour than that, earlier or
 * later, is due.  A tenant whose files stand as they did then costs four
 * stat() calls and is not opened.  Rows are keyed by where the chain stood, so
 * an hour that comes twice adds nothing to a log that did not move.  A log that
 * is behind what is known is never written down: that would hide it. */
#include "core/log_head.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/backup.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/operation.h"
#include "core/registry.h"
#include "db/query.h"

#include <string.h>

#define US_PER_HOUR INT64_C(3600000000)
enum { NEW_MAX = 20 }; /* at one look */

enum {
    HEAD_HOUR,
    HEAD_SET_HOUR,
    HEAD_NEWEST,
    HEAD_ADD,
    HEAD_PRUNE,
    HEAD_LIST,
    HEAD_FORGET,
    HEAD_NEW,
    SEEN_GET,
    SEEN_SET,
    SEEN_FORGET,
};
static const char *const head_text[] = {
    [HEAD_HOUR] = "SELECT hour FROM log_head_hour WHERE id = 1",
    [HEAD_SET_HOUR] = "INSERT INTO log_head_hour (id, hour) VALUES (1, ?1)"
                      " ON CONFLICT (id) DO UPDATE SET hour = ?1",
    [HEAD_NEWEST] = "SELECT coalesce(max(seq), 0) FROM log_head"
                    " WHERE tenant_id = ?1 AND kind = ?2",
    [HEAD_ADD] = "INSERT INTO log_head (tenant_id, kind, seq, hash, at,"
                 " signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [HEAD_PRUNE] = "DELETE FROM log_head WHERE tenant_id = ?1 AND kind = ?2"
                   " AND seq <= (SELECT seq FROM log_head WHERE tenant_id = ?1"
                   " AND kind = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)",
    [HEAD_LIST] = "SELECT seq, hash, at, signature FROM log_head"
                  " WHERE tenant_id = ?1 AND kind = ?2 ORDER BY seq LIMIT ?3",
    [HEAD_FORGET] = "DELETE FROM log_head WHERE tenant_id = ?1",
    [HEAD_NEW] = "SELECT id FROM customer WHERE state = 1 AND NOT EXISTS"
                 " (SELECT 1 FROM log_head WHERE tenant_id = id AND kind = 0)"
                 " LIMIT ?1",
    [SEEN_GET] = "SELECT word FROM log_head_seen WHERE tenant_id = ?1"
                 " AND EXISTS (SELECT 1 FROM log_head WHERE tenant_id = ?1)",
    [SEEN_SET] = "INSERT INTO log_head_seen (tenant_id, word) VALUES (?1, ?2)"
                 " ON CONFLICT (tenant_id) DO UPDATE SET word = ?2",
    [SEEN_FORGET] = "DELETE FROM log_head_seen WHERE tenant_id = ?1",
};
const struct query_set log_head_queries = {"log_head", head_text,
                                           COUNT(head_text)};

static const char HEAD[] = "kept head";

/* ---- writing ---- */

static enum err read_newest(struct ctx *c, enum log_kind kind,
                            const char *tenant, int64_t *seq)
{
    struct query *q = query(c, head_text[HEAD_NEWEST]);

    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *seq = col_int(q, 0);
    query_done(q);
    return OK;
}

static enum err add(struct ctx *c, enum log_kind kind, const char *tenant,
                    const struct log_mark *mark,
                    const uint8_t key[CRYPTO_KEY_BYTES])
{
    uint8_t signature[64];
    int64_t newest = 0;
    enum err e = read_newest(c, kind, tenant, &newest);

    if (e)
        return e;
    if (mark->seq < newest)
        log_error("the %s log is behind what is known tenant=%s row=%lld",
                  log_shape(kind)->name, tenant, (long long)mark->seq);
    if (mark->seq <= newest)
        return OK;
    log_sign_mark(c->mem, kind, HEAD, mark, key, signature);
    struct query *q = query(c, head_text[HEAD_ADD]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    bind_int(q, 3, mark->seq);
    bind_blob(q, 4, mark->hash, sizeof mark->hash);
    bind_int(q, 5, c->now_us);
    bind_blob(q, 6, signature, sizeof signature);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, head_text[HEAD_PRUNE]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    bind_int(q, 3, LOG_HEADS_MAX);
    return query_run(c, q);
}

static enum err read_marks(struct ctx *c, struct tenant *t,
                           struct log_mark out[2])
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, operation_last(c, &out[LOG_OPERATION]))) ||
        (e = tx_begin_access(c, t, TX_READ)))
        return e;
    e = tx_end_access(c, t, entry_last(c, &out[LOG_ACCESS]));
    /* the access log's last batch may be lost in a power cut; not once it is
     * known of here */
    return e ? e : tenant_sync_access(t);
}

/* "" while one of the files was written a moment ago. */
static const char *look_at_files(struct ctx *c, const struct app *app,
                                 const char *id)
{
    char data[GENERATION_SEEN_CHARS], access[GENERATION_SEEN_CHARS];

    generation_look(app->store, id, ".db", data);
    generation_look(app->store, id, ".access.db", access);
    return *data && *access ? arena_printf(c->mem, "%s %s", data, access) : "";
}

static enum err is_unchanged(struct ctx *c, const struct app *app,
                             const char *id, const char *word, bool *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    *out = false;
    if (e)
        return e;
    struct query *q = query(c, head_text[SEEN_GET]);
    bind_text(q, 1, id);
    e = query_one(c, q);
    *out = !e && *word && strcmp(col_text(c, q, 0), word) == 0;
    query_done(q);
    return tx_end_control(c, app->store, e == ERR_NOT_FOUND ? OK : e);
}

static enum err keep(struct ctx *c, const struct log_mark marks[2],
                     const uint8_t key[CRYPTO_KEY_BYTES], const char *word)
{
    const char *id = c->actor->tenant;
    enum err e = OK;

    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS && !e; kind++)
        e = add(c, (enum log_kind)kind, id, &marks[kind], key);
    if (e)
        return e;
    struct query *q = query(c, head_text[SEEN_SET]);
    bind_text(q, 1, id);
    bind_text(q, 2, word);
    return query_run(c, q);
}

static enum err sign_opened(struct ctx *c, struct app *app, const char *word)
{
    struct log_mark marks[2] = {{.seq = 0}, {.seq = 0}};
    uint8_t key[CRYPTO_KEY_BYTES];
    struct tenant *t;
    enum err e = tenant_open(app->store, c->actor->tenant, &t);

    if (e)
        return e;
    log_sign_key(t, key);
    e = read_marks(c, t, marks);
    tenant_close(t);
    if (!e && !(e = tx_begin_control(c, app->store, TX_WRITE)))
        e = tx_end_control(c, app->store, keep(c, marks, key, word));
    crypto_wipe(key, sizeof key);
    return e;
}

static void sign_tenant(struct app *app, struct arena *mem, const char *id)
{
    struct actor system = {
        .name = "", .ip = "", .request_id = "log_head", .tenant = id};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    const char *word = look_at_files(&c, app, id);
    bool is_quiet;
    enum err e = is_unchanged(&c, app, id, word, &is_quiet);

    if (!e && !is_quiet)
        e = sign_opened(&c, app, word);
    if (e)
        log_error("where the logs stand is not kept tenant=%s err=%s", id,
                  err_name(e));
}

static enum err turn_hour(struct ctx *c, const struct app *app, bool *is_due)
{
    int64_t hour = c->now_us / US_PER_HOUR;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    *is_due = false;
    if (e)
        return e;
    struct query *q = query(c, head_text[HEAD_HOUR]);
    e = query_one(c, q);
    *is_due = e == ERR_NOT_FOUND || (!e && col_int(q, 0) != hour);
    query_done(q);
    if ((e = tx_end_control(c, app->store, e == ERR_NOT_FOUND ? OK : e)) ||
        !*is_due)
        return e;
    if ((e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    q = query(c, head_text[HEAD_SET_HOUR]);
    bind_int(q, 1, hour);
    return tx_end_control(c, app->store, query_run(c, q));
}

static void sign_all(struct app *app, struct arena *mem)
{
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = registry_list_ids(app->store, list, &ids);

    for (size_t i = 0; i < count; i++) {
        sign_tenant(app, mem, ids[i]);
        arena_reset(mem);
    }
    arena_close(list);
}

/* Tenants of whom nothing is known do not wait for the hour. */
static enum err sign_new(struct ctx *c, struct app *app)
{
    const char *ids[NEW_MAX] = {NULL};
    size_t count = 0;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, head_text[HEAD_NEW]);
    bind_int(q, 1, NEW_MAX);
    while (query_next(c, q, &e))
        ids[count++] = col_text(c, q, 0);
    e = tx_end_control(c, app->store, e);
    for (size_t i = 0; i < count && !e; i++)
        sign_tenant(app, c->mem, ids[i]);
    return e;
}

void log_head_look(struct app *app, struct arena *mem)
{
    static const struct actor system = {.name = "",
                                        .ip = "",
                                        .request_id = "log_head",
                                        .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    bool is_due;

    if (!backup_try_hold())
        return;
    enum err e = turn_hour(&c, app, &is_due);
    if (!e && is_due)
        sign_all(app, mem);
    else if (!e)
        e = sign_new(&c, app);
    if (e)
        log_error("where the logs stand is not kept err=%s", err_name(e));
    backup_let();
}

/* ---- reading ---- */

static enum err read_list(struct ctx *c, enum log_kind kind, const char *tenant,
                          const uint8_t key[CRYPTO_KEY_BYTES],
                          struct log_heads *out)
{
    struct query *q = query(c, head_text[HEAD_LIST]);
    enum err e;

    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    bind_int(q, 3, LOG_HEADS_MAX);
    while (query_next(c, q, &e)) {
        struct log_head *h = &out->items[out->count++];
        size_t len, signed_len;
        const void *hash = col_blob(c, q, 1, &len);
        const void *signature = col_blob(c, q, 3, &signed_len);
        *h = (struct log_head){.mark.seq = col_int(q, 0), .at = col_int(q, 2)};
        if (!hash || len != sizeof h->mark.hash || !signature ||
            signed_len != 64)
            continue;
        memcpy(h->mark.hash, hash, len);
        h->is_signed =
            log_mark_is_signed(c->mem, kind, HEAD, &h->mark, key, signature);
    }
    return e;
}

enum err log_head_list(struct ctx *c, struct store *s, enum log_kind kind,
                       const char *tenant, const uint8_t key[CRYPTO_KEY_BYTES],
                       struct log_heads *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    out->count = 0;
    return e ? e : tx_end_control(c, s, read_list(c, kind, tenant, key, out));
}

enum err log_head_forget(struct ctx *c, const char *tenant, int64_t *seq)
{
    enum err e = read_newest(c, LOG_OPERATION, tenant, seq);

    if (e)
        return e;
    static const int texts[] = {HEAD_FORGET, SEEN_FORGET};
    for (size_t i = 0; i < COUNT(texts) && !e; i++) {
        struct query *q = query(c, head_text[texts[i]]);
        bind_text(q, 1, tenant);
        e = query_run(c, q);
    }
    return e;
}
