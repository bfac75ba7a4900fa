/* SPDX-License-Identifier: Apache-2.0 */
/* The operation log is in the tenant's file, its signed head in the file of
 * the access log: who cuts the end off the one is betrayed by the other. */
#include "core/backup/log_verify.h"

#include "core/backup/log_head.h"
#include "core/log/log_export.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"

/* The operator's place keeps no head. */
static enum err read_head(struct ctx *c, struct tenant *t, const uint8_t *key,
                          struct log_mark *out)
{
    enum err e = tx_begin_access(c, t, TX_READ);

    *out = (struct log_mark){.seq = 0};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    return tx_end_access(c, t, request_log_operation_head(c, key, out));
}

/* Whether the chain goes through a head that control.db kept; a younger one
 * than three months cannot have been pruned away. */
static enum err goes_through(struct ctx *c, enum log_kind kind,
                             const struct log_head *h, bool *fits)
{
    struct log_mark there;
    enum err e = kind == LOG_ACCESS
                     ? request_log_mark_at(c, h->mark.seq, &there)
                     : operation_mark_at(c, h->mark.seq, &there);

    *fits = false;
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    if (there.seq != h->mark.seq)
        *fits = h->at < operation_keep_since(c->now_us);
    else
        *fits = crypto_equal(there.hash, h->mark.hash, sizeof there.hash);
    return OK;
}

/* Heads come by rising seq: the first that does not fit says where. */
static enum err compare(struct ctx *c, enum log_kind kind,
                        const struct log_heads *heads, struct log_proof *out)
{
    for (size_t i = 0; i < heads->count; i++) {
        const struct log_head *h = &heads->items[i];
        int64_t seq = h->mark.seq;
        bool fits = false;
        enum err e = OK;
        if (seq > out->last_seq)
            seq = out->last_seq + 1;
        else if (h->is_signed)
            e = goes_through(c, kind, h, &fits);
        if (e)
            return e;
        if (fits)
            continue;
        if (!out->broken_seq || seq < out->broken_seq)
            out->broken_seq = seq;
        return OK;
    }
    return OK;
}

enum err log_verify(struct ctx *c, struct store *s, struct tenant *t,
                    enum log_kind kind, struct log_proof *out)
{
    struct log_heads *heads = arena_alloc(c->mem, sizeof *heads);
    uint8_t key[CRYPTO_KEY_BYTES];
    struct log_mark head = {.seq = 0};
    enum err bad = OK;

    log_sign_key(t, key);
    /* first: what is written meanwhile is beyond it */
    enum err e = log_head_list(c, s, kind, tenant_id(t), key, heads);
    if (!e && kind == LOG_OPERATION)
        bad = read_head(c, t, key, &head);
    if (!e)
        e = bad && bad != ERR_CONFLICT ? bad : log_walk_begin(c, t, kind);
    if (!e) {
        e = kind == LOG_ACCESS ? request_log_verify(c, key, out)
                               : operation_verify(c, key, &head, out);
        if (!e)
            e = compare(c, kind, heads, out);
        if (heads->count > 0) {
            out->kept_seq = heads->items[heads->count - 1].mark.seq;
            out->kept_at = heads->items[heads->count - 1].at;
        }
        e = log_walk_end(c, t, kind, e);
    }
    crypto_wipe(key, sizeof key);
    if (!e && bad && !out->broken_seq)
        out->broken_seq = out->last_seq + 1;
    return e;
}
