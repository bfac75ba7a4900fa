/* SPDX-License-Identifier: Apache-2.0 */
/* Exports and the stored log, tampered with in a thousand seeded ways: each
 * one is found, and so is the place. */
#include "core/core_fixture.h"

#include "core/log/log_file.h"
#include "core/log/operation.h"

enum { ROWS = 60, ROUNDS = 1000, LINE_MAX = 4096 };
static const char *const names[] = {
    "ERP-7 要件定義", "=SUM(A1)", "'quoted\"", "a,b\nc", "",
};

struct random {
    uint64_t x;
};

static size_t below(struct random *r, size_t n)
{
    r->x = r->x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(r->x >> 33) % n;
}

static void append(struct world *w, int i)
{
    world_begin(w, w->admin, TX_WRITE);
    must(world_end(
             w, operation_log(
                    &w->c,
                    &(struct operation){
                        .action = "update",
                        .kind = "ticket",
                        .object_id = i,
                        .object_name = names[(size_t)i % COUNT(names)],
                        .before = i % 3 ? "{\"a\":\"x, \\\"y\\\" {\"}" : NULL,
                        .after = "{\"n\":[1,{\"b\":null}]}"})) == OK);
}

static int set_up(void **state)
{
    (void)world_set_up(state);
    for (int i = 0; i < ROWS; i++)
        append(*state, i);
    return 0;
}

static enum err visit(void *arg, const struct log_mark *before,
                      const struct log_row *row)
{
    if (before)
        log_file_begin(arg, before);
    else
        log_file_put(arg, row);
    return OK;
}

struct lines {
    char *text[ROWS * 2];
    size_t len[ROWS * 2], count;
    struct buf whole;
    uint8_t public_key[65];
};

static void export(struct world *w, struct arena *mem, enum log_format format,
                   struct lines *out)
{
    struct buf b = buf_in(mem);
    struct log_file f = {.b = &b, .kind = LOG_OPERATION, .format = format};
    uint8_t key[CRYPTO_KEY_BYTES];

    world_begin(w, w->admin, TX_READ);
    must(operation_walk(&w->c, 0, 0, visit, &f) == OK);
    must(world_end(w, OK) == OK);
    log_sign_key(w->f->t, key);
    must(crypto_public_key(key, out->public_key));
    log_file_end(&f, "acme", NOW_US, key);
    out->whole = b;
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i < b.len; i++) {
        if (format == LOG_CSV && b.data[i] == '"')
            quoted = !quoted;
        if (b.data[i] != '\n' || quoted)
            continue;
        out->text[out->count] = b.data + from;
        out->len[out->count++] = i + 1 - from;
        from = i + 1;
    }
}

static void join(struct lines *l, struct buf *out)
{
    for (size_t i = 0; i < l->count; i++)
        buf_put(out, l->text[i], l->len[i]);
}

static void move_up(struct lines *l, size_t i)
{
    for (; i + 1 < l->count; i++) {
        l->text[i] = l->text[i + 1];
        l->len[i] = l->len[i + 1];
    }
    l->count--;
}

static void insert(struct lines *l, size_t at, size_t copy)
{
    char *text = l->text[copy];
    size_t len = l->len[copy];

    for (size_t i = l->count++; i > at; i--) {
        l->text[i] = l->text[i - 1];
        l->len[i] = l->len[i - 1];
    }
    l->text[at] = text;
    l->len[at] = len;
}

static void swap(struct lines *l, size_t a, size_t b)
{
    char *text = l->text[a];
    size_t len = l->len[a];

    l->text[a] = l->text[b];
    l->len[a] = l->len[b];
    l->text[b] = text;
    l->len[b] = len;
}

/* One way to tamper; returns the line that is the first to be wrong. */
static size_t tamper(struct arena *mem, struct random *r, struct lines *l)
{
    size_t a = below(r, l->count), b = below(r, l->count);

    switch (below(r, 5)) {
    case 0: { /* one byte */
        size_t at = below(r, l->len[a]);
        l->text[a] = arena_copy(mem, l->text[a], l->len[a]);
        l->text[a][at] = (char)(l->text[a][at] ^ (1 << below(r, 7)));
        return a;
    }
    case 1:
        move_up(l, a);
        return a;
    case 2:
        insert(l, a, b);
        return a;
    case 3:
        while (b == a)
            b = below(r, l->count);
        swap(l, a, b);
        return a < b ? a : b;
    default:
        l->count -= 1 + below(r, l->count - 1);
        return l->count;
    }
}

static void finds_each(struct world *w, enum log_format format)
{
    struct arena *mem = arena_open(0), *scratch = arena_open(0);
    struct arena *round = arena_open(0);
    struct lines whole = {.count = 0};
    struct log_report report;
    struct random r = {.x = 42};
    int placed = 0;

    export(w, mem, format, &whole);
    log_file_check(scratch, whole.whole.data, whole.whole.len, whole.public_key,
                   &report);
    assert_null(report.rule);
    assert_true(report.rows >= ROWS);
    assert_string_equal(report.tenant, "acme");
    for (int i = 0; i < ROUNDS; i++) {
        struct lines l = whole;
        struct buf b = buf_in(round);
        (void)tamper(round, &r, &l);
        join(&l, &b);
        if (b.len == whole.whole.len &&
            memcmp(b.data, whole.whole.data, b.len) == 0)
            fail_msg("round %d changes nothing", i);
        log_file_check(scratch, b.data, b.len, whole.public_key, &report);
        if (!report.rule)
            fail_msg("round %d of seed 42 is not found", i);
        placed += report.line > 0;
        arena_reset(round);
    }
    assert_int_equal(placed, ROUNDS);
    arena_close(mem);
    arena_close(scratch);
    arena_close(round);
}

static void finds_tampered_ndjson(void **state)
{
    finds_each(*state, LOG_NDJSON);
}

static void finds_tampered_csv(void **state)
{
    finds_each(*state, LOG_CSV);
}

/* The row that is named is the one that was touched. */
static void names_the_row(void **state)
{
    struct arena *mem = arena_open(0), *scratch = arena_open(0);
    struct lines whole = {.count = 0};
    struct log_report report;

    export(*state, mem, LOG_NDJSON, &whole);
    struct lines l = whole;
    struct buf b = buf_in(mem);
    move_up(&l, 9);
    join(&l, &b);
    log_file_check(scratch, b.data, b.len, NULL, &report);
    assert_string_equal(report.rule, "gap");
    assert_int_equal(report.seq, 10);
    assert_int_equal(report.line, 10);

    l = whole;
    b = buf_in(mem);
    insert(&l, 9, 4);
    join(&l, &b);
    log_file_check(scratch, b.data, b.len, NULL, &report);
    assert_string_equal(report.rule, "order");
    assert_int_equal(report.line, 10);

    l = whole;
    b = buf_in(mem);
    char *at = strstr(l.text[20], "update");
    must(at);
    memcpy(at, "delete", 6);
    join(&l, &b);
    log_file_check(scratch, b.data, b.len, NULL, &report);
    assert_string_equal(report.rule, "changed");
    assert_int_equal(report.seq, 21);
    assert_int_equal(report.line, 21);

    uint8_t other[65] = {4};
    log_file_check(scratch, whole.whole.data, whole.whole.len, other, &report);
    assert_string_equal(report.rule, "key");
    arena_close(mem);
    arena_close(scratch);
}

/* ---- the same in the file of the tenant itself ---- */

struct rows {
    int64_t last, a, b;
    struct random r;
};

static void run(struct world *w, const char *sql, int64_t a, int64_t b)
{
    struct query *q = query(&w->c, sql);

    bind_int(q, 1, a);
    if (strstr(sql, "?2"))
        bind_int(q, 2, b);
    must(query_run(&w->c, q) == OK);
}

static void tamper_rows(struct world *w, struct rows *t)
{
    static const char *const changes[] = {
        "UPDATE operation SET object_name = object_name || 'x' WHERE seq = ?1",
        "UPDATE operation SET at = at + 1 WHERE seq = ?1",
        "UPDATE operation SET user_id = user_id + 1 WHERE seq = ?1",
        "UPDATE operation SET before = coalesce(before, '') || ' '"
        " WHERE seq = ?1",
        "UPDATE operation SET hash = zeroblob(32) WHERE seq = ?1",
    };

    t->a = 1 + (int64_t)below(&t->r, (size_t)t->last);
    t->b = 1 + (int64_t)below(&t->r, (size_t)t->last);
    switch (below(&t->r, 5)) {
    case 0:
        run(w, changes[below(&t->r, COUNT(changes))], t->a, 0);
        break;
    case 1:
        run(w, "DELETE FROM operation WHERE seq = ?1", t->a, 0);
        break;
    case 2: /* one more, all after it moved */
        run(w, "UPDATE operation SET seq = -seq - 1 WHERE seq >= ?1", t->a, 0);
        run(w, "UPDATE operation SET seq = -seq WHERE seq < 0 AND ?1", 1, 0);
        run(w,
            "INSERT INTO operation SELECT ?1, at, user_id, user_name, ip,"
            " request_id, action, kind, object_id, object_name, before, after,"
            " hash FROM operation WHERE seq = ?1 + 1 OR seq = ?1 - 1 LIMIT 1",
            t->a, 0);
        break;
    case 3:
        while (t->b == t->a)
            t->b = 1 + (int64_t)below(&t->r, (size_t)t->last);
        run(w, "UPDATE operation SET seq = -1 WHERE seq = ?1", t->a, 0);
        run(w, "UPDATE operation SET seq = ?1 WHERE seq = ?2", t->a, t->b);
        run(w, "UPDATE operation SET seq = ?1 WHERE seq = -1", t->b, 0);
        break;
    default:
        run(w, "DELETE FROM operation WHERE seq >= ?1", t->a, 0);
    }
}

static void finds_tampered_rows(void **state)
{
    struct world *w = *state;
    struct log_proof proof;
    struct log_mark head;
    struct rows t = {.r = {.x = 7}};

    world_begin(w, w->admin, TX_READ);
    must(operation_last(&w->c, &head) == OK);
    must(operation_verify(&w->c, NULL, &head, &proof) == OK);
    assert_int_equal(proof.broken_seq, 0);
    must(world_end(w, OK) == OK);
    t.last = head.seq;
    for (int i = 0; i < ROUNDS; i++) {
        world_begin(w, w->admin, TX_WRITE);
        tamper_rows(w, &t);
        must(operation_verify(&w->c, NULL, &head, &proof) == OK);
        if (!proof.broken_seq)
            fail_msg("round %d of seed 7 is not found", i);
        int64_t first = t.a;
        if (proof.broken_seq > first + 1)
            first = t.b;
        assert_in_range(proof.broken_seq, first < t.b ? first : t.b,
                        (first > t.b ? first : t.b) + 1);
        must(world_end(w, ERR_CONFLICT) == ERR_CONFLICT);
    }
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(finds_tampered_ndjson),
        RULE(finds_tampered_csv),
        RULE(names_the_row),
        RULE(finds_tampered_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
