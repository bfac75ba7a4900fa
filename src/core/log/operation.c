/* SPDX-License-Identifier: Apache-2.0 */
/* The rows hang together by log_chain.c.  Pruning removes the oldest rows and
 * leaves the last removed hash, signed, as the anchor the rest hangs on. */
#include "core/log/operation.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "core/core.h"

#include <string.h>

#define OP_COLS                                                                \
    "seq, at, user_id, user_name, ip, request_id, action, kind, object_id,"    \
    " object_name, before, after, hash"
/* Each filter that an index answers has its own statement; the others are
 * looked at row by row. */
#define OP_LIST(source, bound, order)                                          \
    "SELECT " OP_COLS " FROM " source " WHERE " bound                          \
    " AND at >= ?2 AND at < ?3 AND (?4 IS NULL OR user_id = ?4)"               \
    " AND (?5 IS NULL OR kind = ?5) AND (?6 IS NULL OR action = ?6)"           \
    " AND (?7 IS NULL OR instr(lower(object_name), lower(?7)) > 0)"            \
    " AND (?8 IS NULL OR object_id = ?8) ORDER BY " order " LIMIT ?9"

enum {
    OP_LAST,
    OP_ANCHOR,
    OP_INSERT,
    OP_LIST_ALL,
    OP_LIST_USER,
    OP_LIST_KIND,
    OP_LIST_OBJECT,
    OP_LIST_TIME,
    OP_WALK,
    OP_RANGE,
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
    [OP_LIST_ALL] = OP_LIST("operation", "seq < ?1", "seq DESC"),
    [OP_LIST_USER] = OP_LIST("operation INDEXED BY operation_user",
                             "user_id = ?4 AND seq < ?1", "seq DESC"),
    [OP_LIST_KIND] = OP_LIST("operation INDEXED BY operation_kind",
                             "kind = ?5 AND seq < ?1", "seq DESC"),
    [OP_LIST_OBJECT] =
        OP_LIST("operation INDEXED BY operation_object",
                "kind = ?5 AND object_id = ?8 AND seq < ?1", "seq DESC"),
    [OP_LIST_TIME] =
        OP_LIST("operation INDEXED BY operation_at",
                "(at, seq) < (coalesce((SELECT at FROM operation WHERE"
                " seq = ?1), ?3), ?1)",
                "at DESC, seq DESC"),
    [OP_WALK] = "SELECT " OP_COLS " FROM operation WHERE seq > ?1"
                " AND seq <= ?2 ORDER BY seq",
    [OP_RANGE] = "SELECT (SELECT seq FROM operation WHERE at >= ?1"
                 " ORDER BY at, seq LIMIT 1), (SELECT seq FROM operation"
                 " WHERE at < ?2 ORDER BY at DESC, seq DESC LIMIT 1)",
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

static void to_row(const struct operation_row *o, struct log_row *out)
{
    *out = (struct log_row){
        .numbers = {o->seq, o->at, o->user_id, [8] = o->op.object_id},
        .texts = {[3] = o->user_name,
                  o->ip,
                  o->request_id,
                  o->op.action,
                  o->op.kind,
                  [9] = o->op.object_name,
                  o->op.before,
                  o->op.after},
    };
    memcpy(out->hash, o->hash, sizeof out->hash);
}

struct anchor {
    struct log_mark mark;
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
    out->mark.seq = col_int(q, 0);
    copy_hash(c, q, 1, out->mark.hash);
    const void *signature = col_blob(c, q, 2, &len);
    out->is_signed = signature && len == sizeof out->signature;
    if (out->is_signed)
        memcpy(out->signature, signature, len);
    query_done(q);
    return OK;
}

static enum err read_last(struct ctx *c, struct log_mark *out)
{
    struct query *q = query(c, operation_text[OP_LAST]);
    enum err e = query_one(c, q);
    struct anchor a;

    if (e == ERR_NOT_FOUND) {
        e = read_anchor(c, &a);
        *out = a.mark;
        return e;
    }
    if (e)
        return e;
    out->seq = col_int(q, 0);
    copy_hash(c, q, 1, out->hash);
    query_done(q);
    return OK;
}

enum err operation_last(struct ctx *c, struct log_mark *out)
{
    return read_last(c, out);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

enum err operation_log(struct ctx *c, const struct operation *op)
{
    struct log_mark last;
    struct log_row chained;
    struct operation_row row = {
        .at = c->now_us,
        .user_id = c->actor->user_id,
        .user_name = or_empty(c->actor->name),
        .ip = or_empty(c->actor->ip),
        .request_id = or_empty(c->actor->request_id),
        .op = *op,
    };
    enum err e = read_last(c, &last);

    if (e)
        return e;
    row.seq = last.seq + 1;
    row.op.object_name = or_empty(op->object_name);
    to_row(&row, &chained);
    log_chain(LOG_OPERATION, last.hash, &chained, row.hash);
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

enum err operation_log_export(struct ctx *c, enum log_kind kind,
                              enum log_format format, int64_t from_us,
                              int64_t to_us)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "format", format == LOG_CSV ? "csv" : "ndjson");
    json_moment(&o, "from", from_us);
    json_moment(&o, "to", to_us);
    json_close(&o, '}');
    return operation_log(
        c, &(struct operation){.action = "export",
                               .kind = "log",
                               .object_name = log_shape(kind)->name,
                               .after = b.data});
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

static const char *list_text(const struct operation_filter *f)
{
    bool has_time = f->from_us || f->to_us;
    int n = f->kind && f->object_id ? OP_LIST_OBJECT
            : f->user_id            ? OP_LIST_USER
            : has_time              ? OP_LIST_TIME
            : f->kind               ? OP_LIST_KIND
                                    : OP_LIST_ALL;

    return operation_text[n];
}

enum err operation_list(struct ctx *c, const struct operation_filter *filter,
                        const struct operation_row **out, size_t *count,
                        bool *more)
{
    size_t max = (size_t)filter->limit;
    struct operation_row *list =
        arena_array(c->mem, struct operation_row, max + 1);
    struct query *q = query(c, list_text(filter));
    size_t n = 0;
    enum err e;

    bind_int(q, 1, filter->after_seq ? filter->after_seq : INT64_MAX);
    bind_int(q, 2, filter->from_us);
    bind_int(q, 3, filter->to_us ? filter->to_us : INT64_MAX);
    bind_id(q, 4, filter->user_id);
    bind_text(q, 5, filter->kind);
    bind_text(q, 6, filter->action);
    bind_text(q, 7, filter->q);
    bind_id(q, 8, filter->object_id);
    bind_int(q, 9, (int64_t)max + 1);
    while (query_next(c, q, &e))
        read_row(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

/* ---- proof ---- */

static const char ANCHOR[] = "anchor";

enum err operation_verify(struct ctx *c, const uint8_t key[CRYPTO_KEY_BYTES],
                          const struct log_mark *head, struct log_proof *out)
{
    struct log_row row;
    struct anchor a;
    enum err e = read_anchor(c, &a);
    struct log_mark mark = a.mark;

    *out = (struct log_proof){.first_seq = mark.seq + 1};
    if (e)
        return e;
    if (key && mark.seq &&
        !(a.is_signed && log_mark_is_signed(c->mem, LOG_OPERATION, ANCHOR,
                                            &mark, key, a.signature)))
        out->broken_seq = mark.seq;
    struct query *q = query(c, operation_text[OP_WALK]);
    bind_int(q, 1, mark.seq);
    bind_int(q, 2, INT64_MAX);
    while (query_next(c, q, &e)) {
        int64_t next = mark.seq + 1;
        log_peek_row(c, LOG_OPERATION, q, &row);
        bool fits = log_follows(LOG_OPERATION, &mark, &row);
        if (fits && head && head->seq == mark.seq)
            fits = crypto_equal(head->hash, mark.hash, sizeof mark.hash);
        if (!fits && !out->broken_seq)
            out->broken_seq = next;
    }
    out->last_seq = mark.seq;
    if (head && head->seq > mark.seq && !out->broken_seq)
        out->broken_seq = mark.seq + 1;
    return e;
}

/* ---- exports ---- */

static enum err mark_before(struct ctx *c, int64_t seq, struct log_mark *out)
{
    struct anchor a;
    enum err e = read_anchor(c, &a);

    *out = a.mark;
    if (e || seq <= a.mark.seq + 1)
        return e;
    struct query *q = query(c, operation_text[OP_HASH]);
    bind_int(q, 1, seq - 1);
    if ((e = query_one(c, q)))
        return e;
    out->seq = seq - 1;
    copy_hash(c, q, 0, out->hash);
    query_done(q);
    return OK;
}

enum err operation_mark_at(struct ctx *c, int64_t seq, struct log_mark *out)
{
    return mark_before(c, seq + 1, out);
}

enum err operation_walk(struct ctx *c, int64_t from_us, int64_t to_us,
                        log_walk_fn *visit, void *arg)
{
    struct log_mark before;
    struct log_row row;
    struct query *q = query(c, operation_text[OP_RANGE]);

    bind_int(q, 1, from_us);
    bind_int(q, 2, to_us ? to_us : INT64_MAX);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t first = col_int(q, 0), last = col_int(q, 1);
    query_done(q);
    if (!first)
        last = 0;
    if ((e = mark_before(c, last ? first : 0, &before)) ||
        (e = visit(arg, &before, NULL)))
        return e;
    q = query(c, operation_text[OP_WALK]);
    bind_int(q, 1, before.seq);
    bind_int(q, 2, last);
    while (query_next(c, q, &e)) {
        log_peek_row(c, LOG_OPERATION, q, &row);
        if ((e = visit(arg, NULL, &row))) {
            query_done(q);
            return e;
        }
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

static enum err write_anchor(struct ctx *c, struct anchor *a,
                             const uint8_t key[CRYPTO_KEY_BYTES])
{
    struct query *q = query(c, operation_text[OP_SET_ANCHOR]);

    log_sign_mark(c->mem, LOG_OPERATION, ANCHOR, &a->mark, key, a->signature);
    bind_int(q, 1, a->mark.seq);
    bind_blob(q, 2, a->mark.hash, sizeof a->mark.hash);
    bind_int(q, 3, c->now_us);
    bind_blob(q, 4, a->signature, sizeof a->signature);
    return query_run(c, q);
}

enum err operation_sign_anchor(struct ctx *c,
                               const uint8_t key[CRYPTO_KEY_BYTES])
{
    struct anchor a;
    enum err e = read_anchor(c, &a);

    return e || a.mark.seq == 0 ? e : write_anchor(c, &a, key);
}

enum err operation_prune(struct ctx *c, int64_t before_us,
                         const uint8_t key[CRYPTO_KEY_BYTES], size_t *removed)
{
    struct anchor a = {.is_signed = true};
    int64_t kept;

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
    a.mark.seq = kept - 1;
    copy_hash(c, q, 0, a.mark.hash);
    query_done(q);
    if ((e = write_anchor(c, &a, key)))
        return e;
    q = query(c, operation_text[OP_DELETE]);
    bind_int(q, 1, kept);
    e = query_run(c, q);
    *removed = (size_t)db_changes(c);
    return e;
}
