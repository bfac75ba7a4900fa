/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each request, written in batches by request_log_writer.c.  Where the
 * chain begins after pruning and where it was last known to stand are marks,
 * signed, in a table beside. */
#include "core/log/request_log.h"

#include "base/str.h"
#include "core/core.h"

#include <string.h>

#define REQUEST_LOG_COLS                                                       \
    "seq, at, ip, user_id, method, route, status, request_id, agent, hash"
#define REQUEST_LOG_LIST(source, order)                                        \
    "SELECT " REQUEST_LOG_COLS " FROM " source                                 \
    " AND at >= ?2 AND at < ?3 AND (?4 IS NULL OR user_id = ?4)"               \
    " AND (?5 IS NULL OR ip = ?5) AND (?6 = 0 OR status >= 400 OR status = 0)" \
    " AND (?7 IS NULL OR instr(lower(route), lower(?7)) > 0"                   \
    " OR instr(lower(agent), lower(?7)) > 0) ORDER BY " order " LIMIT ?8"

/* The 256s that this is among, each once, however many people share an address,
 * and all their rows: whose they are is looked at row by row.  first_seq is
 * not among the view's own columns.  The plus leaves the end of the 256 as the
 * only upper bound: with ?1 for one, each would be walked to the log's end. */
#define REQUEST_LOG_OF(column, n)                                              \
    "(SELECT first_seq FROM entry_source AS s WHERE " column " = " n           \
    " AND first_seq < ?1 AND NOT EXISTS (SELECT 1 FROM entry_source AS other"  \
    " WHERE other." column " = " n " AND other.first_seq = s.first_seq"        \
    " AND other.no < s.no)) CROSS JOIN entry ON seq >= first_seq"              \
    " AND seq < first_seq + 256 WHERE +seq < ?1"

/* Between which rows those of some time lie: each is then looked at once, be
 * there one a minute or a thousand. */
#define REQUEST_LOG_BOUND(what)                                                \
    "(SELECT " what                                                            \
    " FROM entry_minute WHERE minute >= ?2 / " REQUEST_LOG_MINUTE              \
    " AND minute <= (?3 - 1) / " REQUEST_LOG_MINUTE ")"

#define REQUEST_LOG_ROW "(?, ?, ?, ?, ?, ?, ?)"
#define REQUEST_LOG_ROWS                                                       \
    REQUEST_LOG_ROW ", " REQUEST_LOG_ROW ", " REQUEST_LOG_ROW                  \
                    ", " REQUEST_LOG_ROW
#define REQUEST_LOG_INTO                                                       \
    "INSERT OR FAIL INTO entry_row (seq, at, source_no, route_id, status,"     \
    " request_id, hash) VALUES "

/* Rows that go in by one statement: a quarter less work than one by one. */
enum { SOME = 16, REQUEST_LOG_CELLS = 7 };
enum {
    REQUEST_LOG_LAST,
    REQUEST_LOG_INSERT,
    REQUEST_LOG_INSERT_SOME,
    REQUEST_LOG_LIST_ALL,
    REQUEST_LOG_LIST_USER,
    REQUEST_LOG_LIST_IP,
    REQUEST_LOG_LIST_REFUSED,
    REQUEST_LOG_LIST_TIME,
    REQUEST_LOG_WALK,
    REQUEST_LOG_UNTIMED,
    REQUEST_LOG_RANGE,
    REQUEST_LOG_HASH,
    REQUEST_LOG_FIRST_KEPT,
    REQUEST_LOG_DELETE,
    REQUEST_LOG_SOURCES,
    REQUEST_LOG_SOURCE,
    REQUEST_LOG_SOURCE_DELETE,
    REQUEST_LOG_SOURCE_UNUSED,
    REQUEST_LOG_MINUTE_OF,
    REQUEST_LOG_MINUTE_DELETE,
    REQUEST_LOG_ROUTE,
    REQUEST_LOG_ROUTE_ADD,
    REQUEST_LOG_MARK,
    REQUEST_LOG_SET_MARK,
};
static const char *const request_log_text[] = {
    [REQUEST_LOG_LAST] = "SELECT seq, hash FROM entry_row"
                         " WHERE seq = (SELECT max(seq) FROM entry_row)",
    [REQUEST_LOG_INSERT] = REQUEST_LOG_INTO REQUEST_LOG_ROW,
    [REQUEST_LOG_INSERT_SOME] = REQUEST_LOG_INTO REQUEST_LOG_ROWS
    ", " REQUEST_LOG_ROWS ", " REQUEST_LOG_ROWS ", " REQUEST_LOG_ROWS,
    [REQUEST_LOG_LIST_ALL] =
        REQUEST_LOG_LIST("entry WHERE seq < ?1", "seq DESC"),
    [REQUEST_LOG_LIST_USER] = REQUEST_LOG_LIST(REQUEST_LOG_OF("user_id", "?4"),
                                               "first_seq DESC, seq DESC"),
    [REQUEST_LOG_LIST_IP] = REQUEST_LOG_LIST(REQUEST_LOG_OF("ip", "?5"),
                                             "first_seq DESC, seq DESC"),
    [REQUEST_LOG_LIST_REFUSED] =
        REQUEST_LOG_LIST("(SELECT seq AS refused FROM entry_row"
                         " INDEXED BY entry_row_refused"
                         " WHERE (status >= 400 OR status = 0) AND seq < ?1)"
                         " CROSS JOIN entry ON seq = refused WHERE true",
                         "refused DESC"),
    [REQUEST_LOG_LIST_TIME] = REQUEST_LOG_LIST(
        "entry WHERE seq >= " REQUEST_LOG_BOUND(
            "min(first_seq)") " AND seq < min(?1, " REQUEST_LOG_BOUND("max("
                                                                      "first_"
                                                                      "seq)"
                                                                      " + 256") ")",
        "seq DESC"),
    [REQUEST_LOG_WALK] = "SELECT " REQUEST_LOG_COLS " FROM entry WHERE seq > ?1"
                         " AND seq <= ?2 ORDER BY seq",
    [REQUEST_LOG_UNTIMED] =
        "SELECT seq FROM entry_row WHERE seq > ?1 AND NOT EXISTS"
        " (SELECT 1 FROM entry_minute WHERE minute ="
        " at / " REQUEST_LOG_MINUTE " AND first_seq = seq - seq % 256)"
        " ORDER BY seq LIMIT 1",
    [REQUEST_LOG_RANGE] = "SELECT (SELECT seq FROM " REQUEST_LOG_AMONG_MINUTES(
        "entry_row") " AND minute >= ?1 / " REQUEST_LOG_MINUTE " AND at >= ?1"
                     " ORDER BY minute, first_seq, seq LIMIT 1),"
                     " (SELECT seq FROM " REQUEST_LOG_AMONG_MINUTES(
                         "entry_row") " AND minute <= (?2 - 1) "
                                      "/ " REQUEST_LOG_MINUTE " AND at < ?2"
                                      " ORDER BY minute DESC, first_seq DESC, "
                                      "seq DESC LIMIT 1)",
    [REQUEST_LOG_HASH] = "SELECT hash FROM entry_row WHERE seq = ?1",
    [REQUEST_LOG_FIRST_KEPT] =
        "SELECT coalesce((SELECT seq FROM entry_row"
        " WHERE seq > 0 AND at >= ?1 ORDER BY seq LIMIT 1),"
        " (SELECT max(seq) + 1 FROM entry_row), 0)",
    [REQUEST_LOG_DELETE] = "DELETE FROM entry_row WHERE seq < ?1",
    [REQUEST_LOG_SOURCES] = "SELECT no, user_id, ip, agent FROM entry_source"
                            " WHERE first_seq = ?1 ORDER BY no",
    [REQUEST_LOG_SOURCE] =
        "INSERT INTO entry_source (first_seq, no, user_id, ip, agent)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [REQUEST_LOG_SOURCE_DELETE] =
        "DELETE FROM entry_source WHERE first_seq < ?1 - ?1 % 256",
    [REQUEST_LOG_SOURCE_UNUSED] =
        "DELETE FROM entry_source WHERE first_seq = ?1 - ?1 % 256"
        " AND no NOT IN (SELECT source_no FROM entry_row"
        " WHERE seq >= ?1 AND seq < ?1 - ?1 % 256 + 256)",
    [REQUEST_LOG_MINUTE_OF] =
        "INSERT OR IGNORE INTO entry_minute (minute, first_seq)"
        " VALUES (?1, ?2)",
    [REQUEST_LOG_MINUTE_DELETE] =
        "DELETE FROM entry_minute WHERE first_seq < ?1 - ?1 % 256",
    [REQUEST_LOG_ROUTE] =
        "SELECT id FROM entry_route WHERE method = ?1 AND route = ?2",
    [REQUEST_LOG_ROUTE_ADD] = "INSERT INTO entry_route (method, route)"
                              " VALUES (?1, ?2)",
    [REQUEST_LOG_MARK] =
        "SELECT seq, hash, signature FROM mark WHERE name = ?1",
    [REQUEST_LOG_SET_MARK] =
        "INSERT INTO mark (name, seq, hash, at, signature)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET"
        " seq = ?2, hash = ?3, at = ?4, signature = ?5",
};
const struct query_set request_log_queries = {"entry", request_log_text,
                                              COUNT(request_log_text)};

static const char ANCHOR[] = "anchor", HEAD[] = "head";

/* ---- marks ---- */

static const char *mark_name(struct ctx *c, enum log_kind kind,
                             const char *what)
{
    return arena_printf(c->mem, "%s %s", log_shape(kind)->name, what);
}

static void copy_hash(struct ctx *c, struct query *q, int i, uint8_t out[32])
{
    size_t len;
    const void *blob = col_blob(c, q, i, &len);

    memset(out, 0, CRYPTO_HASH_BYTES);
    if (blob && len == CRYPTO_HASH_BYTES)
        memcpy(out, blob, len);
}

/* seq 0 when there is none; ERR_CONFLICT when the signature is wrong. */
static enum err read_mark(struct ctx *c, enum log_kind kind, const char *what,
                          const uint8_t *key, struct log_mark *out)
{
    struct query *q = query(c, request_log_text[REQUEST_LOG_MARK]);
    size_t len;

    *out = (struct log_mark){.seq = 0};
    bind_text(q, 1, mark_name(c, kind, what));
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->seq = col_int(q, 0);
    copy_hash(c, q, 1, out->hash);
    const uint8_t *signature = col_blob(c, q, 2, &len);
    query_done(q);
    if (key && (!signature || len != 64 ||
                !log_mark_is_signed(c->mem, kind, what, out, key, signature)))
        return ERR_CONFLICT;
    return OK;
}

static enum err sign_mark(struct ctx *c, enum log_kind kind, const char *what,
                          const struct log_mark *mark, const uint8_t *key)
{
    struct query *q = query(c, request_log_text[REQUEST_LOG_SET_MARK]);
    uint8_t signature[64];

    log_sign_mark(c->mem, kind, what, mark, key, signature);
    bind_text(q, 1, mark_name(c, kind, what));
    bind_int(q, 2, mark->seq);
    bind_blob(q, 3, mark->hash, sizeof mark->hash);
    bind_int(q, 4, c->now_us);
    bind_blob(q, 5, signature, sizeof signature);
    return query_run(c, q);
}

enum err request_log_last(struct ctx *c, struct log_mark *out)
{
    struct query *q = query(c, request_log_text[REQUEST_LOG_LAST]);
    enum err e = query_one(c, q);

    if (e == ERR_NOT_FOUND)
        return read_mark(c, LOG_ACCESS, ANCHOR, NULL, out);
    if (e)
        return e;
    out->seq = col_int(q, 0);
    copy_hash(c, q, 1, out->hash);
    query_done(q);
    return OK;
}

enum err request_log_sign_heads(struct ctx *c,
                                const uint8_t key[CRYPTO_KEY_BYTES],
                                const struct log_mark *operations)
{
    struct log_mark last;
    enum err e = request_log_last(c, &last);

    if (!e && last.seq)
        e = sign_mark(c, LOG_ACCESS, HEAD, &last, key);
    if (!e && operations->seq)
        e = sign_mark(c, LOG_OPERATION, HEAD, operations, key);
    return e;
}

enum err request_log_operation_head(struct ctx *c,
                                    const uint8_t key[CRYPTO_KEY_BYTES],
                                    struct log_mark *out)
{
    return read_mark(c, LOG_OPERATION, HEAD, key, out);
}

/* ---- writing ---- */

struct source {
    int64_t no, user_id;
    const char *ip, *agent;
};

/* What this append knows of the file: the sources of the 256 rows it is at,
 * and routes it has met; one that is forgotten is looked up again. */
struct known {
    struct ctx *c;
    int64_t first_seq, minute;
    struct source sources[256];
    size_t source_count;
    struct {
        const char *method, *route;
        int64_t id;
    } routes[32];
    size_t route_count;
};

static enum err enter_block(struct known *k, int64_t first_seq)
{
    struct query *q = query(k->c, request_log_text[REQUEST_LOG_SOURCES]);
    enum err e;

    k->first_seq = first_seq;
    k->minute = -1;
    k->source_count = 0;
    bind_int(q, 1, first_seq);
    while (query_next(k->c, q, &e)) {
        must(k->source_count < COUNT(k->sources));
        k->sources[k->source_count++] = (struct source){
            .no = col_int(q, 0),
            .user_id = col_int(q, 1),
            .ip = col_text(k->c, q, 2),
            .agent = col_text(k->c, q, 3),
        };
    }
    return e;
}

static enum err note_minute(struct known *k, int64_t minute)
{
    if (k->minute == minute)
        return OK;
    k->minute = minute;
    struct query *q = query(k->c, request_log_text[REQUEST_LOG_MINUTE_OF]);
    bind_int(q, 1, minute);
    bind_int(q, 2, k->first_seq);
    return query_run(k->c, q);
}

/* The newest first: most rows are of whom the last was. */
static enum err find_source(struct known *k, const struct request_log_row *it,
                            int64_t *no)
{
    for (size_t i = k->source_count; i-- > 0;) {
        const struct source *s = &k->sources[i];
        *no = s->no;
        if (s->user_id == it->user_id && strcmp(s->ip, it->ip) == 0 &&
            strcmp(s->agent, it->agent) == 0)
            return OK;
    }
    size_t n = k->source_count++;
    *no = n ? k->sources[n - 1].no + 1 : 0;
    k->sources[n] = (struct source){*no, it->user_id, it->ip, it->agent};
    struct query *q = query(k->c, request_log_text[REQUEST_LOG_SOURCE]);
    bind_int(q, 1, k->first_seq);
    bind_int(q, 2, *no);
    bind_int(q, 3, it->user_id);
    bind_text(q, 4, it->ip);
    bind_text(q, 5, it->agent);
    return query_run(k->c, q);
}

static enum err look_up_route(struct ctx *c, const struct request_log_row *it,
                              int64_t *id)
{
    struct query *q = query(c, request_log_text[REQUEST_LOG_ROUTE]);

    bind_text(q, 1, it->method);
    bind_text(q, 2, it->route);
    enum err e = query_one(c, q);
    if (!e) {
        *id = col_int(q, 0);
        query_done(q);
        return OK;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    q = query(c, request_log_text[REQUEST_LOG_ROUTE_ADD]);
    bind_text(q, 1, it->method);
    bind_text(q, 2, it->route);
    e = query_run(c, q);
    *id = db_last_id(c);
    return e;
}

static enum err find_route(struct known *k, const struct request_log_row *it,
                           int64_t *id)
{
    for (size_t i = 0; i < k->route_count; i++) {
        *id = k->routes[i].id;
        if (strcmp(k->routes[i].route, it->route) == 0 &&
            strcmp(k->routes[i].method, it->method) == 0)
            return OK;
    }
    enum err e = look_up_route(k->c, it, id);
    if (k->route_count == COUNT(k->routes))
        k->route_count = 0;
    k->routes[k->route_count].method = it->method;
    k->routes[k->route_count].route = it->route;
    k->routes[k->route_count++].id = *id;
    return e;
}

/* The chain takes the row with its texts, as the view shows it. */
static void chain_entry(const struct request_log_row *it, struct log_mark *last)
{
    struct log_row row = {
        .numbers = {last->seq + 1, it->at, 0, it->user_id, [6] = it->status},
        .texts = {[2] = it->ip,
                  [4] = it->method,
                  it->route,
                  [7] = it->request_id,
                  it->agent},
    };

    log_chain(LOG_ACCESS, last->hash, &row, row.hash);
    last->seq++;
    memcpy(last->hash, row.hash, sizeof last->hash);
}

static void bind_request(struct query *q, int at, const char *id)
{
    uint8_t bytes[8];

    if (!strpbrk(id, "ABCDEF") && str_from_hex(id, bytes, sizeof bytes))
        bind_blob(q, at, bytes, sizeof bytes);
    else
        bind_text(q, at, id);
}

/* The nth row of a statement that inserts some. */
static enum err bind_entry(struct known *k, struct query *q, int n,
                           const struct request_log_row *it,
                           struct log_mark *last)
{
    int64_t seq = last->seq + 1, source_no = 0, route_id = 0;
    int at = n * REQUEST_LOG_CELLS;
    enum err e = OK;

    if (seq - seq % 256 != k->first_seq)
        e = enter_block(k, seq - seq % 256);
    if (e || (e = note_minute(k, it->at / 60000000)) ||
        (e = find_source(k, it, &source_no)) ||
        (e = find_route(k, it, &route_id)))
        return e;
    chain_entry(it, last);
    bind_int(q, at + 1, seq);
    bind_int(q, at + 2, it->at);
    bind_int(q, at + 3, source_no);
    bind_int(q, at + 4, route_id);
    bind_int(q, at + 5, it->status);
    bind_request(q, at + 6, it->request_id);
    bind_blob(q, at + 7, last->hash, sizeof last->hash);
    return OK;
}

enum err request_log_append(struct ctx *c, const struct request_log_row *list,
                            size_t count)
{
    struct known *k = arena_new(c->mem, struct known);
    struct log_mark last = {.seq = 0};
    enum err e = request_log_last(c, &last);

    *k = (struct known){.c = c, .first_seq = -1};
    for (size_t i = 0, n; !e && i < count; i += n) {
        n = count - i < SOME ? 1 : SOME;
        struct query *q =
            query(c, request_log_text[n == 1 ? REQUEST_LOG_INSERT
                                             : REQUEST_LOG_INSERT_SOME]);
        for (size_t j = 0; !e && j < n; j++)
            e = bind_entry(k, q, (int)j, &list[i + j], &last);
        if (e)
            query_done(q);
        else
            e = query_run(c, q);
    }
    return e;
}

/* ---- reading ---- */

static void read_entry(struct ctx *c, struct query *q,
                       struct request_log_row *out)
{
    *out = (struct request_log_row){
        .seq = col_int(q, 0),
        .at = col_int(q, 1),
        .ip = col_text(c, q, 2),
        .user_id = col_int(q, 3),
        .method = col_text(c, q, 4),
        .route = col_text(c, q, 5),
        .status = (int)col_int(q, 6),
        .request_id = col_text(c, q, 7),
        .agent = col_text(c, q, 8),
    };
}

static const char *list_text(const struct request_log_filter *f)
{
    int n = f->user_id               ? REQUEST_LOG_LIST_USER
            : f->ip                  ? REQUEST_LOG_LIST_IP
            : f->from_us || f->to_us ? REQUEST_LOG_LIST_TIME
            : f->only_refused        ? REQUEST_LOG_LIST_REFUSED
                                     : REQUEST_LOG_LIST_ALL;

    return request_log_text[n];
}

enum err request_log_list(struct ctx *c,
                          const struct request_log_filter *filter,
                          const struct request_log_row **out, size_t *count,
                          bool *more)
{
    size_t max = (size_t)filter->limit;
    struct request_log_row *list =
        arena_array(c->mem, struct request_log_row, max + 1);
    struct query *q = query(c, list_text(filter));
    size_t n = 0;
    enum err e;

    bind_int(q, 1, filter->after_seq ? filter->after_seq : INT64_MAX);
    bind_int(q, 2, filter->from_us);
    bind_int(q, 3, filter->to_us ? filter->to_us : INT64_MAX);
    bind_id(q, 4, filter->user_id);
    bind_text(q, 5, filter->ip);
    bind_int(q, 6, filter->only_refused);
    bind_text(q, 7, filter->q);
    bind_int(q, 8, (int64_t)max + 1);
    while (query_next(c, q, &e))
        read_entry(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

/* ---- proof ---- */

/* Minutes are not hashed, but a row without its own is found by no day, nor
 * exported with it. */
static enum err find_untimed(struct ctx *c, int64_t after_seq,
                             struct log_proof *out)
{
    struct query *q = query(c, request_log_text[REQUEST_LOG_UNTIMED]);

    bind_int(q, 1, after_seq);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    int64_t seq = col_int(q, 0);
    query_done(q);
    if (!out->broken_seq || seq < out->broken_seq)
        out->broken_seq = seq;
    return OK;
}

enum err request_log_verify(struct ctx *c, const uint8_t key[CRYPTO_KEY_BYTES],
                            struct log_proof *out)
{
    struct log_mark mark, head;
    struct log_row row;
    enum err bad_head = read_mark(c, LOG_ACCESS, HEAD, key, &head);
    enum err e = read_mark(c, LOG_ACCESS, ANCHOR, key, &mark);

    *out = (struct log_proof){.first_seq = mark.seq + 1};
    if (e && e != ERR_CONFLICT)
        return e;
    if (e)
        out->broken_seq = mark.seq ? mark.seq : 1;
    if (bad_head && bad_head != ERR_CONFLICT)
        return bad_head;
    struct query *q = query(c, request_log_text[REQUEST_LOG_WALK]);
    bind_int(q, 1, mark.seq);
    bind_int(q, 2, INT64_MAX);
    while (query_next(c, q, &e)) {
        int64_t next = mark.seq + 1;
        log_peek_row(c, LOG_ACCESS, q, &row);
        bool fits = log_follows(LOG_ACCESS, &mark, &row);
        if (fits && head.seq == mark.seq)
            fits = !bad_head && crypto_equal(head.hash, mark.hash, 32);
        if (!fits && !out->broken_seq)
            out->broken_seq = next;
    }
    out->last_seq = mark.seq;
    if (!out->broken_seq && (head.seq > mark.seq || bad_head))
        out->broken_seq = mark.seq + 1;
    return e ? e : find_untimed(c, out->first_seq - 1, out);
}

static enum err mark_before(struct ctx *c, int64_t seq, struct log_mark *out)
{
    enum err e = read_mark(c, LOG_ACCESS, ANCHOR, NULL, out);

    if (e || seq <= out->seq + 1)
        return e;
    struct query *q = query(c, request_log_text[REQUEST_LOG_HASH]);
    bind_int(q, 1, seq - 1);
    if ((e = query_one(c, q)))
        return e;
    out->seq = seq - 1;
    copy_hash(c, q, 0, out->hash);
    query_done(q);
    return OK;
}

enum err request_log_mark_at(struct ctx *c, int64_t seq, struct log_mark *out)
{
    return mark_before(c, seq + 1, out);
}

enum err request_log_walk(struct ctx *c, int64_t from_us, int64_t to_us,
                          log_walk_fn *visit, void *arg)
{
    struct log_mark before;
    struct log_row row;
    struct query *q = query(c, request_log_text[REQUEST_LOG_RANGE]);

    bind_int(q, 1, from_us);
    bind_int(q, 2, to_us ? to_us : INT64_MAX);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t first = col_int(q, 0), last = first ? col_int(q, 1) : 0;
    query_done(q);
    if ((e = mark_before(c, last ? first : 0, &before)) ||
        (e = visit(arg, &before, NULL)))
        return e;
    q = query(c, request_log_text[REQUEST_LOG_WALK]);
    bind_int(q, 1, before.seq);
    bind_int(q, 2, last);
    while (query_next(c, q, &e)) {
        log_peek_row(c, LOG_ACCESS, q, &row);
        if ((e = visit(arg, NULL, &row))) {
            query_done(q);
            return e;
        }
    }
    return e;
}

/* ---- pruning ---- */

/* Whoever is among no row that is kept is forgotten with the rows. */
static enum err forget_sources(struct ctx *c, int64_t kept)
{
    static const int texts[] = {REQUEST_LOG_SOURCE_DELETE,
                                REQUEST_LOG_SOURCE_UNUSED,
                                REQUEST_LOG_MINUTE_DELETE};
    enum err e = OK;

    for (size_t i = 0; i < COUNT(texts) && !e; i++) {
        struct query *q = query(c, request_log_text[texts[i]]);
        bind_int(q, 1, kept);
        e = query_run(c, q);
    }
    return e;
}

enum err request_log_prune(struct ctx *c, int64_t before_us,
                           const uint8_t key[CRYPTO_KEY_BYTES], size_t *removed)
{
    struct log_mark anchor;

    *removed = 0;
    struct query *q = query(c, request_log_text[REQUEST_LOG_FIRST_KEPT]);
    bind_int(q, 1, before_us);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t kept = col_int(q, 0);
    query_done(q);
    q = query(c, request_log_text[REQUEST_LOG_HASH]);
    bind_int(q, 1, kept - 1);
    e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    anchor.seq = kept - 1;
    copy_hash(c, q, 0, anchor.hash);
    query_done(q);
    if ((e = sign_mark(c, LOG_ACCESS, ANCHOR, &anchor, key)))
        return e;
    q = query(c, request_log_text[REQUEST_LOG_DELETE]);
    bind_int(q, 1, kept);
    e = query_run(c, q);
    *removed = (size_t)db_changes(c);
    return e ? e : forget_sources(c, kept);
}
