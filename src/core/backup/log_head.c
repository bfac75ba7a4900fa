/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are keyed by where the chain stood; the newest of an hour takes the
 * place of those before it. */
#include "core/backup/log_head.h"

#include "core/core.h"
#include "db/query.h"

#include <pthread.h>
#include <string.h>

#define US_PER_HOUR INT64_C(3600000000)

enum {
    HEAD_NEWEST,
    HEAD_THIS_HOUR,
    HEAD_ADD,
    HEAD_PRUNE,
    HEAD_LIST,
};
static const char *const head_text[] = {
    [HEAD_NEWEST] = "SELECT seq, hash, at FROM log_head WHERE tenant_id = ?1"
                    " AND kind = ?2 ORDER BY seq DESC LIMIT 1",
    [HEAD_THIS_HOUR] = "DELETE FROM log_head WHERE tenant_id = ?1 AND kind = ?2"
                       " AND at / 3600000000 = ?3",
    [HEAD_ADD] = "INSERT INTO log_head (tenant_id, kind, seq, hash, at,"
                 " signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [HEAD_PRUNE] = "DELETE FROM log_head WHERE tenant_id = ?1 AND kind = ?2"
                   " AND seq <= (SELECT seq FROM log_head WHERE tenant_id = ?1"
                   " AND kind = ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)",
    [HEAD_LIST] = "SELECT seq, hash, at, signature FROM log_head"
                  " WHERE tenant_id = ?1 AND kind = ?2 ORDER BY seq LIMIT ?3",
};
const struct query_set log_head_queries = {"log_head", head_text,
                                           COUNT(head_text)};

static const char HEAD[] = "kept head";

enum err log_head_newest(struct ctx *c, enum log_kind kind, const char *tenant,
                         struct log_mark *mark, int64_t *at)
{
    struct query *q = query(c, head_text[HEAD_NEWEST]);
    size_t len;

    *mark = (struct log_mark){.seq = 0};
    *at = 0;
    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    mark->seq = col_int(q, 0);
    const void *hash = col_blob(c, q, 1, &len);
    if (hash && len == sizeof mark->hash)
        memcpy(mark->hash, hash, len);
    *at = col_int(q, 2);
    query_done(q);
    return OK;
}

enum err log_head_add(struct ctx *c, enum log_kind kind, const char *tenant,
                      const struct log_mark *mark,
                      const uint8_t key[CRYPTO_KEY_BYTES])
{
    uint8_t signature[64];
    struct log_mark newest;
    int64_t at;
    enum err e = log_head_newest(c, kind, tenant, &newest, &at);

    if (e || mark->seq <= newest.seq)
        return e;
    struct query *q = query(c, head_text[HEAD_THIS_HOUR]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    bind_int(q, 3, c->now_us / US_PER_HOUR);
    if ((e = query_run(c, q)))
        return e;
    log_sign_mark(c->mem, kind, HEAD, mark, key, signature);
    q = query(c, head_text[HEAD_ADD]);
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

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

bool log_head_try_hold(void)
{
    return pthread_mutex_trylock(&held) == 0;
}

void log_head_hold(void)
{
    pthread_mutex_lock(&held);
}

bool log_head_is_held(void)
{
    if (!log_head_try_hold())
        return true;
    log_head_let();
    return false;
}

void log_head_let(void)
{
    pthread_mutex_unlock(&held);
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
