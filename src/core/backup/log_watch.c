/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant whose files stand as they did at the last look costs four stat()
 * calls and is not opened.  Rows are keyed by where the chain stood, so a look
 * adds nothing to a log that did not move.  A log that is behind what is known,
 * or went another way, is never written down: that would hide it. */
#include "core/backup/log_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/backup/log_break.h"
#include "core/backup/log_head.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"
#include "core/tenant/tenant_directory.h"
#include "db/generation.h"
#include "db/query.h"

#include <string.h>

enum { WATCH_FORGET_HEADS, WATCH_GET, WATCH_SET, WATCH_FORGET };
static const char *const watch_text[] = {
    [WATCH_FORGET_HEADS] = "DELETE FROM log_head WHERE tenant_id = ?1",
    [WATCH_GET] = "SELECT word FROM log_head_seen WHERE tenant_id = ?1"
                  " AND EXISTS (SELECT 1 FROM log_head WHERE tenant_id = ?1)",
    [WATCH_SET] = "INSERT INTO log_head_seen (tenant_id, word) VALUES (?1, ?2)"
                  " ON CONFLICT (tenant_id) DO UPDATE SET word = ?2",
    [WATCH_FORGET] = "DELETE FROM log_head_seen WHERE tenant_id = ?1",
};
const struct query_set log_watch_queries = {"log_watch", watch_text,
                                            COUNT(watch_text)};

/* A log as it stands, and whether it goes on from where it was known to. */
struct stand {
    struct log_mark known, last;
    bool is_there; /* was looked at: the operator's place has no access log */
    bool goes_on;
};

/* Pruned rows are beyond comparing; the whole chain is walked daily. */
static enum err look_at_log(struct ctx *c, enum log_kind kind, struct stand *s)
{
    struct log_mark there;
    enum err e = kind == LOG_ACCESS ? request_log_last(c, &s->last)
                                    : operation_last(c, &s->last);

    s->is_there = true;
    s->goes_on = s->last.seq >= s->known.seq;
    if (e || !s->known.seq || !s->goes_on)
        return e;
    e = kind == LOG_ACCESS ? request_log_mark_at(c, s->known.seq, &there)
                           : operation_mark_at(c, s->known.seq, &there);
    if (e == ERR_NOT_FOUND)
        s->goes_on = false;
    else if (!e && there.seq == s->known.seq)
        s->goes_on = crypto_equal(there.hash, s->known.hash, sizeof there.hash);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err look_at_logs(struct ctx *c, struct tenant *t,
                             struct stand out[2])
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e ||
        (e = tx_end(c, t, look_at_log(c, LOG_OPERATION, &out[LOG_OPERATION]))))
        return e;
    if ((e = tx_begin_access(c, t, TX_READ)))
        return e;
    e = tx_end_access(c, t, look_at_log(c, LOG_ACCESS, &out[LOG_ACCESS]));
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

static enum err read_known(struct ctx *c, const char *word,
                           struct stand stands[2], bool *is_quiet)
{
    const char *id = c->actor->tenant;
    int64_t at;
    struct query *q = query(c, watch_text[WATCH_GET]);

    bind_text(q, 1, id);
    enum err e = query_one(c, q);
    *is_quiet = !e && *word && strcmp(col_text(c, q, 0), word) == 0;
    query_done(q);
    if (e == ERR_NOT_FOUND)
        e = OK;
    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS && !e; kind++)
        e = log_head_newest(c, (enum log_kind)kind, id, &stands[kind].known,
                            &at);
    return e;
}

static enum err keep(struct ctx *c, const struct stand stands[2],
                     const uint8_t key[CRYPTO_KEY_BYTES], const char *word)
{
    const char *id = c->actor->tenant;
    enum err e = OK;

    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS && !e; kind++)
        if (stands[kind].is_there && stands[kind].goes_on)
            e = log_head_add(c, (enum log_kind)kind, id, &stands[kind].last,
                             key);
    if (e || !*word)
        return e;
    struct query *q = query(c, watch_text[WATCH_SET]);
    bind_text(q, 1, id);
    bind_text(q, 2, word);
    return query_run(c, q);
}

/* What does not go on is walked from its beginning, which says where. */
static enum err check_broken(struct ctx *c, struct app *app, struct tenant *t,
                             const struct stand stands[2])
{
    struct log_proof proof;
    enum err e = OK;

    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS && !e; kind++)
        if (stands[kind].is_there && !stands[kind].goes_on &&
            !log_break_is_known(c, app, c->actor->tenant, (enum log_kind)kind))
            e = log_check(c, app, t, (enum log_kind)kind, &proof);
    return e;
}

static bool has_moved(const struct stand stands[2])
{
    bool moved = false;

    for (int kind = LOG_OPERATION; kind <= LOG_ACCESS; kind++)
        moved = moved || (stands[kind].is_there && stands[kind].goes_on &&
                          stands[kind].last.seq > stands[kind].known.seq);
    return moved;
}

static enum err sign_opened(struct ctx *c, struct app *app, struct tenant *t,
                            const struct stand stands[2], const char *word)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    enum err e = OK;

    log_sign_key(t, key);
    if ((has_moved(stands) || *word) &&
        !(e = tx_begin_control(c, app->store, TX_WRITE)))
        e = tx_end_control(c, app->store, keep(c, stands, key, word));
    crypto_wipe(key, sizeof key);
    return e ? e : check_broken(c, app, t, stands);
}

static enum err sign_files(struct ctx *c, struct app *app,
                           struct stand stands[2], const char *word)
{
    struct tenant *t;
    enum err e = tenant_open(app->store, c->actor->tenant, &t);

    if (e)
        return e;
    e = look_at_logs(c, t, stands);
    if (!e)
        e = sign_opened(c, app, t, stands, word);
    tenant_close(t);
    return e;
}

static void sign_tenant(struct app *app, struct arena *mem, const char *id)
{
    struct actor system = {
        .name = "", .ip = "", .request_id = "log_head", .tenant = id};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct stand stands[2] = {{.is_there = false}, {.is_there = false}};
    bool is_quiet = false;
    const char *word = look_at_files(&c, app, id);
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(&c, app->store,
                           read_known(&c, word, stands, &is_quiet));
    if (!e && !is_quiet)
        e = sign_files(&c, app, stands, word);
    if (e)
        log_error("where the logs stand is not kept tenant=%s err=%s", id,
                  err_name(e));
}

static enum err read_own(struct ctx *c, struct stand stands[2])
{
    bool is_quiet;
    enum err e = read_known(c, "", stands, &is_quiet);

    return e ? e : look_at_log(c, LOG_OPERATION, &stands[LOG_OPERATION]);
}

/* The operator's own log is in control.db, and is opened only to sign. */
static void sign_own(struct app *app, struct arena *mem)
{
    static const struct actor system = {.name = "",
                                        .ip = "",
                                        .request_id = "log_head",
                                        .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct stand stands[2] = {{.is_there = false}, {.is_there = false}};
    struct tenant *t;
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(&c, app->store, read_own(&c, stands));
    if (!e && (has_moved(stands) || !stands[LOG_OPERATION].goes_on) &&
        !(e = tenant_open(app->store, STORE_OPERATOR, &t))) {
        e = sign_opened(&c, app, t, stands, "");
        tenant_close(t);
    }
    if (e)
        log_error("where the operator's log stands is not kept err=%s",
                  err_name(e));
}

void log_watch_look(struct app *app, struct arena *mem)
{
    if (!log_head_try_hold())
        return;
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = tenant_directory_list_ids(app->store, list, &ids);
    for (size_t i = 0; i < count; i++) {
        sign_tenant(app, mem, ids[i]);
        arena_reset(mem);
    }
    sign_own(app, mem);
    arena_reset(mem);
    log_break_settle(app, mem);
    arena_close(list);
    log_head_let();
}

enum err log_watch_forget(struct ctx *c, const char *tenant, int64_t *seq)
{
    struct log_mark newest;
    int64_t at;
    enum err e = log_head_newest(c, LOG_OPERATION, tenant, &newest, &at);

    if (e || (e = log_break_forget(c, tenant)))
        return e;
    *seq = newest.seq;
    static const int texts[] = {WATCH_FORGET_HEADS, WATCH_FORGET};
    for (size_t i = 0; i < COUNT(texts) && !e; i++) {
        struct query *q = query(c, watch_text[texts[i]]);
        bind_text(q, 1, tenant);
        e = query_run(c, q);
    }
    return e;
}
