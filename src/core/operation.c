/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: hash(n) = SHA-256(hash(n - 1) || row n), every field of the row
 * with its length before it, so that no two rows read alike.  Pruning removes
 * the oldest rows and leaves the last removed hash, signed, as the anchor the
 * rest hangs on. */
#include "core/operation.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/core.h"

#include <string.h>

#define OP_COLS                                                                \
    "seq, at, user_id, user_name, ip, request_id, action, kind, object_id,"    \
    " object_name, before, after, hash"
#define OP_LIST(source, bound)                                                 \
    "SELECT " OP_COLS " FROM " source " WHERE " bound " AND seq < ?1"          \
    " AND at >= ?2 AND at < ?3 AND (?5 IS NULL OR kind = ?5)"                  \
    " AND (?6 IS NULL OR action = ?6)"                                         \
    " AND (?7 IS NULL OR instr(lower(object_name), lower(?7)) > 0)"            \
    " ORDER BY seq DESC LIMIT ?8"

enum {
    OP_LAST,
    OP_ANCHOR,
    OP_INSERT,
    OP_LIST_ALL,
    OP_LIST_USER,
    OP_WALK,
    OP_FIRST_KEPT,
    OP_HASH,
    OP_DELETE,
    OP_SET_ANCHOR,
};
static const char *const operation_text[] = {
    [OP_LAST] = "SELECT seq, hash FROM operation"
                " WHERE seq = (SELECT max(seq) FROM operation)",
    [OP_ANCHOR] = "SELECT seq, hash, signature FROM operation_anchor"
                  " WHERE id = 1",
    [OP_INSERT] = "INSERT INTO operation (" OP_COLS ") VALUES (?1, ?2, ?3, ?4,"
                  " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [OP_LIST_ALL] = OP_LIST("operation", "?4 IS NULL"),
    [OP_LIST_USER] =
        OP_LIST("operation INDEXED BY operation_user", "user_id = ?4"),
    [OP_WALK] = "SELECT " OP_COLS " FROM operation WHERE seq > ?1"
                " ORDER BY seq",
    [OP_FIRST_KEPT] =
        "SELECT coalesce((SELECT min(seq) FROM operation WHERE at >= ?1),"
        " (SELECT max(seq) + 1 FROM operation), 0)",
    [OP_HASH] = "SELECT hash FROM operation WHERE seq = ?1",
    [OP_DELETE] = "DELETE FROM operation WHERE seq < ?1",
    [OP_SET_ANCHOR] =
        "INSERT INTO operation_anchor (id, seq, hash, pruned_at, signature)"
        " VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET seq = ?1,"
        " hash = ?2, pruned_at = ?3, signature = ?4",
};
const struct query_set operation_queries = {"operation", operation_text,
                                            COUNT(operation_text)};

/* ---- the chain ---- */

static void add_int(struct crypto_hash *h, int64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    crypto_hash_add(h, bytes, sizeof bytes);
}

/* -1 as the length tells NULL from the empty text. */
static void add_text(struct crypto_hash *h, const char *text)
{
    add_int(h, text ? (int64_t)strlen(text) : -1);
    if (text)
        crypto_hash_add(h, text, strlen(text));
}

static void chain(const uint8_t before[CRYPTO_HASH_BYTES],
                  const struct operation_row *row,
                  uint8_t out[CRYPTO_HASH_BYTES])
{
    struct crypto_hash h;

    crypto_hash_begin(&h);
    crypto_hash_add(&h, before, CRYPTO_HASH_BYTES);
    add_int(&h, row->seq);
    add_int(&h, row->at);
    add_int(&h, row->user_id);
    add_text(&h, row->user_name);
    add_text(&h, row->ip);
    add_text(&h, row->request_id);
    add_text(&h, row->op.action);
    add_text(&h, row->op.kind);
    add_int(&h, row->op.object_id);
    add_text(&h, row->op.object_name);
    add_text(&h, row->op.before);
    add_text(&h, row->op.after);
    crypto_hash_end(&h, out);
}

struct anchor {
    int64_t seq;
    uint8_t hash[CRYPTO_HASH_BYTES];
    uint8_t signature[64];
    bool is_signed;
};

static void copy_hash(struct ctx *c, struct query *q, int i, uint8_t out[32])
{
    size_t len;
    const void *blob = col_blob(c, q, i, &len);

    memset(out, 0, CRYPTO_HASH_BYTES);
    if (blob && len == CRYPTO_HASH_BYTES)
        memcpy(out, blob, len);
}

static enum err read_anchor(struct ctx *c, struct anchor *out)
{
    struct query *q = query(c, operation_text[OP_ANCHOR]);
    enum err e = query_one(c, q);
    size_t len = 0;

    *out = (struct anchor){0};
    if (e == ERR_NOT_FOUND)
        return OK;
    if (e)
        return e;
    out->seq = col_int(q, 0);
    copy_hash(c, q, 1, out->hash);
    const void *signature = col_blob(c, q, 2, &len);
    out->is_signed = signature && len == sizeof out->signature;
    if (out->is_signed)
        memcpy(out->signature, signature, len);
    query_done(q);
    return OK;
}

static enum err read_last(struct ctx *c, int64_t *seq, uint8_t hash[32])
{
    struct query *q = query(c, operation_text[OP_LAST]);
    enum err e = query_one(c, q);
    struct anchor a;

    if (e == ERR_NOT_FOUND) {
        e = read_anchor(c, &a);
        *seq = a.seq;
        memcpy(hash, a.hash, CRYPTO_HASH_BYTES);
        return e;
    }
    if (e)
        return e;
    *seq = col_int(q, 0);
    copy_hash(c, q, 1, hash);
    query_done(q);
    return OK;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

enum err operation_log(struct ctx *c, const struct operation *op)
{
    uint8_t before[CRYPTO_HASH_BYTES];
    struct operation_row row = {
        .at = c->now_us,
        .user_id = c->actor->user_id,
        .user_name = or_empty(c->actor->name),
        .ip = or_empty(c->actor->ip),
        .request_id = or_empty(c->actor->request_id),
        .op = *op,
    };
    int64_t last;
    enum err e = read_last(c, &last, before);

    if (e)
        return e;
    row.seq = last + 1;
    row.op.object_name = or_empty(op->object_name);
    chain(before, &row, row.hash);
    struct query *q = query(c, operation_text[OP_INSERT]);
    bind_int(q, 1, row.seq);
    bind_int(q, 2, row.at);
    bind_int(q, 3, row.user_id);
    bind_text(q, 4, row.user_name);
    bind_text(q, 5, row.ip);
    bind_text(q, 6, row.request_id);
    bind_text(q, 7, row.op.action);
    bind_text(q, 8, row.op.kind);
    bind_id(q, 9, row.op.object_id);
    bind_text(q, 10, row.op.object_name);
    bind_text(q, 11, row.op.before);
    bind_text(q, 12, row.op.after);
    bind_blob(q, 13, row.hash, sizeof row.hash);
    return query_run(c, q);
}

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q, struct operation_row *out)
{
    *out = (struct operation_row){
        .seq = col_int(q, 0),
        .at = col_int(q, 1),
        .user_id = col_int(q, 2),
        .user_name = col_text(c, q, 3),
        .ip = col_text(c, q, 4),
        .request_id = col_text(c, q, 5),
        .op = {.action = col_text(c, q, 6),
               .kind = col_text(c, q, 7),
               .object_id = col_int(q, 8),
               .object_name = col_text(c, q, 9),
               .before = col_text(c, q, 10),
               .after = col_text(c, q, 11)},
    };
    copy_hash(c, q, 12, out->hash);
}

enum err operation_list(struct ctx *c, const struct operation_filter *filter,
                        const struct operation_row **out, size_t *count,
                        bool *more)
{
    size_t max = (size_t)filter->limit;
    struct operation_row *list =
        arena_array(c->mem, struct operation_row, max + 1);
    struct query *q =
        query(c, operation_text[filter->user_id ? OP_LIST_USER : OP_LIST_ALL]);
    size_t n = 0;
    enum err e;

    bind_int(q, 1, filter->after_seq ? filter->after_seq : INT64_MAX);
    bind_int(q, 2, filter->from_us);
    bind_int(q, 3, filter->to_us ? filter->to_us : INT64_MAX);
    bind_id(q, 4, filter->user_id);
    bind_text(q, 5, filter->kind);
    bind_text(q, 6, filter->action);
    bind_text(q, 7, filter->q);
    bind_int(q, 8, (int64_t)max + 1);
    while (query_next(c, q, &e))
        read_row(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

/* ---- proof ---- */

static size_t anchor_text(struct arena *mem, const struct anchor *a,
                          const char **out)
{
    char hex[2 * CRYPTO_HASH_BYTES + 1];

    str_to_hex(a->hash, CRYPTO_HASH_BYTES, hex);
    *out = arena_printf(mem, "yagura operation log %lld %s", (long long)a->seq,
                        hex);
    return strlen(*out);
}

static bool is_signed_by(struct ctx *c, const struct anchor *a,
                         const uint8_t key[CRYPTO_KEY_BYTES])
{
    uint8_t public_key[65];
    const char *text;
    size_t len = anchor_text(c->mem, a, &text);

    if (!a->is_signed)
        return a->seq == 0;
    return crypto_public_key(key, public_key) &&
           crypto_verify(public_key, text, len, a->signature);
}

enum err operation_verify(struct ctx *c, const uint8_t key[CRYPTO_KEY_BYTES],
                          struct operation_proof *out)
{
    uint8_t hash[CRYPTO_HASH_BYTES], expected[CRYPTO_HASH_BYTES];
    struct operation_row row;
    struct anchor a;
    enum err e = read_anchor(c, &a);

    *out = (struct operation_proof){.first_seq = a.seq + 1, .last_seq = a.seq};
    if (e)
        return e;
    if (key && !is_signed_by(c, &a, key))
        out->broken_seq = a.seq ? a.seq : 1;
    memcpy(hash, a.hash, sizeof hash);
    struct query *q = query(c, operation_text[OP_WALK]);
    bind_int(q, 1, a.seq);
    while (query_next(c, q, &e)) {
        read_row(c, q, &row);
        chain(hash, &row, expected);
        if (!out->broken_seq &&
            (row.seq != out->last_seq + 1 ||
             !crypto_equal(expected, row.hash, sizeof expected)))
            out->broken_seq = out->last_seq + 1;
        out->last_seq = row.seq;
        memcpy(hash, row.hash, sizeof hash);
    }
    return e;
}

/* ---- pruning ---- */

int64_t operation_keep_since(int64_t now_us)
{
    const int64_t day_us = INT64_C(86400000000);
    int32_t today = clock_today(now_us);
    int year, month, day;

    civil_to_ymd(today, &year, &month, &day);
    month -= 3;
    if (month < 1) {
        month += 12;
        year--;
    }
    while (!civil_is_valid(year, month, day))
        day--;
    return now_us - (today - civil_from_ymd(year, month, day)) * day_us;
}

static enum err read_one_int(struct ctx *c, struct query *q, int64_t *out)
{
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err operation_prune(struct ctx *c, int64_t before_us,
                         const uint8_t key[CRYPTO_KEY_BYTES], size_t *removed)
{
    struct anchor a = {0};
    int64_t kept;
    const char *text;

    *removed = 0;
    struct query *q = query(c, operation_text[OP_FIRST_KEPT]);
    bind_int(q, 1, before_us);
    enum err e = read_one_int(c, q, &kept);
    if (e)
        return e;
    q = query(c, operation_text[OP_HASH]);
    bind_int(q, 1, kept - 1);
    e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    a.seq = kept - 1;
    copy_hash(c, q, 0, a.hash);
    query_done(q);
    size_t len = anchor_text(c->mem, &a, &text);
    crypto_sign(key, text, len, a.signature);
    q = query(c, operation_text[OP_SET_ANCHOR]);
    bind_int(q, 1, a.seq);
    bind_blob(q, 2, a.hash, sizeof a.hash);
    bind_int(q, 3, c->now_us);
    bind_blob(q, 4, a.signature, sizeof a.signature);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, operation_text[OP_DELETE]);
    bind_int(q, 1, kept);
    e = query_run(c, q);
    *removed = (size_t)db_changes(c);
    return e;
}
