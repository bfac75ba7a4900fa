/* SPDX-License-Identifier: Apache-2.0 */
/* The access log: its chain, what pruning leaves, what a full queue says. */
#include "core/core_fixture.h"

#include "base/str.h"
#include "core/backup/log_verify.h"
#include "core/log/operation.h"
#include "core/log/request_log_writer.h"

#define DAY_US INT64_C(86400000000)

static void begin(struct world *w, enum tx_mode mode)
{
    arena_reset(w->f->c.mem);
    w->actor = (struct actor){.name = "", .tenant = "acme"};
    w->c =
        (struct ctx){.mem = w->f->c.mem, .actor = &w->actor, .now_us = NOW_US};
    must(tx_begin_access(&w->c, w->f->t, mode) == OK);
}

static enum err end(struct world *w, enum err e)
{
    return tx_end_access(&w->c, w->f->t, e);
}

static struct request_log_row row_of(int i)
{
    return (struct request_log_row){.at = NOW_US + i * DAY_US,
                                    .ip = i % 2 ? "192.0.2.7" : "2001:db8::1",
                                    .user_id = i % 3,
                                    .method = "GET",
                                    .route = "/api/v1/tickets/:id",
                                    .status = i % 5 ? 200 : 403,
                                    .request_id = "0123456789abcdef",
                                    .agent = "test"};
}

static void append(struct world *w, int count)
{
    begin(w, TX_WRITE);
    for (int i = 0; i < count; i++) {
        struct request_log_row it = row_of(i);
        must(request_log_append(&w->c, &it, 1) == OK);
    }
    must(end(w, OK) == OK);
}

static void sign(struct world *w)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    const struct log_mark none = {.seq = 0};

    log_sign_key(w->f->t, key);
    begin(w, TX_WRITE);
    must(end(w, request_log_sign_heads(&w->c, key, &none)) == OK);
}

static int64_t broken(struct world *w)
{
    struct log_proof proof;

    w->c.mem = w->f->c.mem;
    must(log_verify(&w->c, w->f->store, w->f->t, LOG_ACCESS, &proof) == OK);
    return proof.broken_seq;
}

static void change(struct world *w, const char *sql)
{
    begin(w, TX_WRITE);
    must(end(w, query_run(&w->c, query(&w->c, sql))) == OK);
}

static size_t listed(struct world *w, struct request_log_filter filter)
{
    const struct request_log_row *list;
    size_t count;
    bool more;

    filter.limit = 100;
    begin(w, TX_READ);
    must(request_log_list(&w->c, &filter, &list, &count, &more) == OK);
    must(end(w, OK) == OK);
    return count;
}

static void proves_and_filters(void **state)
{
    struct world *w = *state;

    append(w, 20);
    sign(w);
    assert_int_equal(broken(w), 0);
    assert_int_equal(listed(w, (struct request_log_filter){.user_id = 1}), 7);
    assert_int_equal(
        listed(w, (struct request_log_filter){.only_refused = true}), 4);
    assert_int_equal(listed(w, (struct request_log_filter){.ip = "192.0.2.7"}),
                     10);
    assert_int_equal(listed(w, (struct request_log_filter){.q = "TICKETS"}),
                     20);
    assert_int_equal(
        listed(w, (struct request_log_filter){.from_us = NOW_US + 5 * DAY_US,
                                              .to_us = NOW_US + 8 * DAY_US}),
        3);
    change(w, "UPDATE entry_row SET status = 200 WHERE seq = 6");
    assert_int_equal(broken(w), 6);
}

/* What many rows share is part of each of them. */
static void misses_a_changed_text(void **state)
{
    struct world *w = *state;

    append(w, 20);
    sign(w);
    change(w, "UPDATE entry_source SET agent = 'other' WHERE no ="
              " (SELECT source_no FROM entry_row WHERE seq = 3)");
    assert_int_equal(broken(w), 3);
    change(w, "UPDATE entry_source SET agent = 'test'");
    assert_int_equal(broken(w), 0);
    change(w, "DELETE FROM entry_source WHERE no ="
              " (SELECT source_no FROM entry_row WHERE seq = 3)");
    assert_int_equal(broken(w), 3);
    change(w, "UPDATE entry_route SET route = '/api/v1/else'");
    assert_int_equal(broken(w), 1);
}

/* Days are looked up by minutes: whoever takes one away hides rows. */
static void misses_a_minute_and_what_was_put_in(void **state)
{
    struct world *w = *state;

    append(w, 20);
    sign(w);
    change(w, "DELETE FROM entry_minute WHERE minute ="
              " (SELECT at / 60000000 FROM entry_row WHERE seq = 5)");
    assert_int_equal(broken(w), 5);
    change(w, "INSERT INTO entry_minute SELECT at / 60000000, 0 FROM entry_row"
              " WHERE seq = 5");
    assert_int_equal(broken(w), 0);
    change(w, "INSERT INTO entry_row SELECT 21, at, source_no, route_id,"
              " status, request_id, hash FROM entry_row WHERE seq = 20");
    assert_int_equal(broken(w), 21);
    change(w, "DELETE FROM entry_row WHERE seq = 9");
    assert_int_equal(broken(w), 9);
}

static void misses_a_cut_end(void **state)
{
    struct world *w = *state;

    append(w, 9);
    sign(w);
    change(w, "DELETE FROM entry_row WHERE seq > 7");
    assert_int_equal(broken(w), 8);
    change(w, "UPDATE mark SET seq = 7, hash ="
              " (SELECT hash FROM entry_row WHERE seq = 7)");
    assert_int_not_equal(broken(w), 0);
}

/* The operation log's head lies in the other file. */
static void misses_a_cut_end_of_operations(void **state)
{
    struct world *w = *state;
    struct log_mark last;
    struct log_proof proof;
    uint8_t key[CRYPTO_KEY_BYTES];

    world_begin(w, w->admin, TX_READ);
    must(operation_last(&w->c, &last) == OK && last.seq > 1);
    must(world_end(w, OK) == OK);
    log_sign_key(w->f->t, key);
    begin(w, TX_WRITE);
    must(end(w, request_log_sign_heads(&w->c, key, &last)) == OK);
    must(log_verify(&w->c, w->f->store, w->f->t, LOG_OPERATION, &proof) == OK);
    assert_int_equal(proof.broken_seq, 0);
    world_begin(w, w->admin, TX_WRITE);
    struct query *q = query(&w->c, "DELETE FROM operation WHERE seq = ?1");
    bind_int(q, 1, last.seq);
    must(world_end(w, query_run(&w->c, q)) == OK);
    must(log_verify(&w->c, w->f->store, w->f->t, LOG_OPERATION, &proof) == OK);
    assert_int_equal(proof.broken_seq, last.seq);
}

static void prunes_and_goes_on(void **state)
{
    struct world *w = *state;
    uint8_t key[CRYPTO_KEY_BYTES];
    size_t removed;

    append(w, 10);
    sign(w);
    log_sign_key(w->f->t, key);
    begin(w, TX_WRITE);
    must(end(w, request_log_prune(&w->c, NOW_US + 4 * DAY_US, key, &removed)) ==
         OK);
    assert_int_equal(removed, 4);
    assert_int_equal(broken(w), 0);
    begin(w, TX_WRITE);
    must(end(w, request_log_prune(&w->c, NOW_US + 99 * DAY_US, key,
                                  &removed)) == OK);
    assert_int_equal(removed, 6);
    append(w, 3);
    sign(w);
    assert_int_equal(broken(w), 0);
    assert_int_equal(listed(w, (struct request_log_filter){.after_seq = 12}),
                     1);
}

/* What a flood leaves in the log, once it is closed. */
static void count_rows(struct world *w, int64_t *rows, int64_t *dropped)
{
    enum err e;

    *rows = *dropped = 0;
    begin(w, TX_READ);
    struct query *q = query(&w->c, "SELECT route, agent FROM entry");
    while (query_next(&w->c, q, &e)) {
        if (strcmp(col_peek(q, 0), "(dropped)") == 0)
            *dropped += strtol(col_peek(q, 1), NULL, 10);
        else
            ++*rows;
    }
    must(end(w, OK) == OK);
}

/* More than the queue holds, faster than it is written: all of it. */
static void writes_a_flood(void **state)
{
    enum { GIVEN = 50000 };
    struct world *w = *state;
    struct app app = {.store = w->f->store};
    struct request_log_writer *l = request_log_writer_open(&app);
    struct request_log_row it = row_of(1);
    int64_t rows, dropped;

    must(setenv("YAGURA_TEST_ROOM_MS", "60000", 1) == 0); /* however slow */
    for (int i = 0; i < GIVEN; i++)
        request_log_writer_put(l, "acme", &it);
    request_log_writer_close(l);
    must(unsetenv("YAGURA_TEST_ROOM_MS") == 0);
    count_rows(w, &rows, &dropped);
    assert_int_equal(rows, GIVEN);
    assert_int_equal(dropped, 0);
    assert_int_equal(broken(w), 0);
}

/* The writer cannot write for a while; nothing is lost unseen. */
static void counts_what_it_drops(void **state)
{
    enum { GIVEN = 30000 };
    struct world *w = *state;
    struct app app = {.store = w->f->store};
    struct request_log_writer *l = request_log_writer_open(&app);
    struct request_log_row it = row_of(1);
    int64_t rows, dropped;

    begin(w, TX_WRITE);
    for (int i = 0; i < GIVEN; i++)
        request_log_writer_put(l, "acme", &it);
    request_log_writer_put(l, "nobody", &it);
    must(end(w, OK) == OK);
    request_log_writer_close(l);
    count_rows(w, &rows, &dropped);
    assert_true(dropped > 0);
    assert_true(rows > 0);
    assert_in_range(rows + dropped, GIVEN, GIVEN + 1);
    assert_int_equal(broken(w), 0);
}

static void append_many(struct world *w, int count)
{
    struct request_log_row *list = calloc((size_t)count, sizeof *list);

    must(list);
    for (int i = 0; i < count; i++) {
        list[i] = row_of(0);
        list[i].at = NOW_US + i * INT64_C(20000000); /* three a minute */
        list[i].user_id = i % 300 ? 1 + i % 120 : 999;
        list[i].ip = i == 700 ? "192.0.2.99" : "2001:db8::1";
    }
    begin(w, TX_WRITE);
    must(end(w, request_log_append(&w->c, list, (size_t)count)) == OK);
    free(list);
}

/* Across several 256s, and page by page, as a walk of all rows would. */
static void finds_by_what_is_among_them(void **state)
{
    struct world *w = *state;
    const int64_t hour = INT64_C(3600000000);
    const struct request_log_row *list;
    size_t count;
    bool more = true;

    append_many(w, 1000);
    append(w, 1); /* a later append into a 256 that has begun */
    assert_int_equal(listed(w, (struct request_log_filter){.user_id = 999}), 4);
    assert_int_equal(listed(w, (struct request_log_filter){.user_id = 7}), 9);
    assert_int_equal(listed(w, (struct request_log_filter){.user_id = 998}), 0);
    assert_int_equal(listed(w, (struct request_log_filter){.ip = "192.0.2.99"}),
                     1);
    assert_int_equal(listed(w, (struct request_log_filter){.ip = "192.0.2.99",
                                                           .user_id = 7}),
                     0);
    assert_int_equal(
        listed(w, (struct request_log_filter){.from_us = NOW_US + 50,
                                              .to_us = NOW_US + hour}),
        100);
    begin(w, TX_READ);
    struct request_log_filter f = {
        .from_us = NOW_US + hour, .to_us = NOW_US + 3 * hour, .limit = 50};
    int64_t seen = 0, last = 0;
    while (more) {
        must(request_log_list(&w->c, &f, &list, &count, &more) == OK);
        for (size_t i = 0; i < count; i++, seen++) {
            assert_true(!last || list[i].seq == last - 1);
            last = list[i].seq;
        }
        f.after_seq = last;
    }
    assert_int_equal(seen, 360);
    assert_int_equal(last, 181);
    must(end(w, OK) == OK);
}

/* A log of months, and what is hardly ever, or not at all, in it. */
static void finds_little_in_much(void **state)
{
    enum { MANY = 60000 };
    struct world *w = *state;
    struct request_log_row *list = calloc(MANY, sizeof *list);

    must(list);
    for (int i = 0; i < MANY; i++) {
        list[i] = row_of(1);
        list[i].at = NOW_US + i * INT64_C(20000000);
        list[i].user_id = i % 50;
    }
    begin(w, TX_WRITE);
    must(end(w, request_log_append(&w->c, list, MANY)) == OK);
    free(list);
    must(setenv("YAGURA_TEST_STATEMENT_MS", "600", 1) == 0);
    assert_int_equal(
        listed(w,
               (struct request_log_filter){.user_id = 7, .only_refused = true}),
        0);
    assert_int_equal(
        listed(w, (struct request_log_filter){.ip = "192.0.2.7",
                                              .only_refused = true}),
        0);
    assert_int_equal(
        listed(w,
               (struct request_log_filter){.from_us = 1, .only_refused = true}),
        0);
    assert_int_equal(
        listed(w, (struct request_log_filter){.user_id = 7,
                                              .to_us = NOW_US + DAY_US}),
        87);
    must(unsetenv("YAGURA_TEST_STATEMENT_MS") == 0);
}

/* All of a log is walked, however long a list may take. */
static void verifies_what_takes_long(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 20; i++)
        append_many(w, 1000);
    sign(w);
    must(setenv("YAGURA_TEST_STATEMENT_MS", "1", 1) == 0);
    assert_int_equal(broken(w), 0);
    must(unsetenv("YAGURA_TEST_STATEMENT_MS") == 0);
}

/* No person or address outlives the rows it was among. */
static void forgets_with_the_rows(void **state)
{
    struct world *w = *state;
    uint8_t key[CRYPTO_KEY_BYTES];
    size_t removed;

    append_many(w, 1000);
    sign(w);
    log_sign_key(w->f->t, key);
    begin(w, TX_WRITE);
    must(end(w, request_log_prune(&w->c, NOW_US + 710 * INT64_C(20000000), key,
                                  &removed)) == OK);
    assert_int_equal(removed, 710);
    begin(w, TX_READ);
    struct query *q =
        query(&w->c,
              "SELECT (SELECT count(*) FROM entry_source WHERE first_seq < 512)"
              " + (SELECT count(*) FROM entry_minute WHERE first_seq < 512),"
              " (SELECT count(*) FROM entry_source WHERE ip = '192.0.2.99'),"
              " (SELECT count(*) FROM entry_source)"
              " - (SELECT count(*) FROM (SELECT DISTINCT user_id, ip, agent,"
              " seq / 256 FROM entry))");
    must(query_one(&w->c, q) == OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(col_int(q, i), 0);
    query_done(q);
    must(end(w, OK) == OK);
    assert_int_equal(listed(w, (struct request_log_filter){.user_id = 999}), 1);
    assert_int_equal(broken(w), 0);
}

static void cuts_between_letters(void **state)
{
    struct world *w = *state;
    struct app app = {.store = w->f->store};
    struct request_log_writer *l = request_log_writer_open(&app);
    struct request_log_row it = row_of(1);
    char agent[1000];

    for (size_t i = 0; i + 3 < sizeof agent; i += 3)
        memcpy(agent + i, "\xE6\xAB\x93", 4);
    it.agent = agent;
    request_log_writer_put(l, "acme", &it);
    request_log_writer_flush(l);
    begin(w, TX_READ);
    struct query *q = query(&w->c, "SELECT agent FROM entry");
    must(query_one(&w->c, q) == OK);
    const char *kept = col_text(&w->c, q, 0);
    query_done(q);
    must(end(w, OK) == OK);
    assert_true(str_is_utf8(kept, strlen(kept), NULL));
    assert_in_range(strlen(kept), 150, 160);
    request_log_writer_close(l);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(proves_and_filters),    RULE(misses_a_cut_end),
        RULE(misses_a_changed_text), RULE(misses_a_minute_and_what_was_put_in),
        RULE(prunes_and_goes_on),    RULE(misses_a_cut_end_of_operations),
        RULE(counts_what_it_drops),  RULE(cuts_between_letters),
        RULE(writes_a_flood),        RULE(finds_by_what_is_among_them),
        RULE(finds_little_in_much),  RULE(verifies_what_takes_long),
        RULE(forgets_with_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
