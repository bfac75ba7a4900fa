/* SPDX-License-Identifier: Apache-2.0 */
/* The access log: its chain, what pruning leaves, what a full queue says. */
#include "core_fixture.h"

#include "base/str.h"
#include "core/access_log.h"
#include "core/log_export.h"
#include "core/operation.h"

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

static struct entry row_of(int i)
{
    return (struct entry){.at = NOW_US + i * DAY_US,
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
        struct entry it = row_of(i);
        must(entry_append(&w->c, &it, 1) == OK);
    }
    must(end(w, OK) == OK);
}

static void sign(struct world *w)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    const struct log_mark none = {.seq = 0};

    log_sign_key(w->f->t, key);
    begin(w, TX_WRITE);
    must(end(w, entry_sign_heads(&w->c, key, &none)) == OK);
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

static size_t listed(struct world *w, struct entry_filter filter)
{
    const struct entry *list;
    size_t count;
    bool more;

    filter.limit = 100;
    begin(w, TX_READ);
    must(entry_list(&w->c, &filter, &list, &count, &more) == OK);
    must(end(w, OK) == OK);
    return count;
}

static void proves_and_filters(void **state)
{
    struct world *w = *state;

    append(w, 20);
    sign(w);
    assert_int_equal(broken(w), 0);
    assert_int_equal(listed(w, (struct entry_filter){.user_id = 1}), 7);
    assert_int_equal(listed(w, (struct entry_filter){.only_refused = true}), 4);
    assert_int_equal(listed(w, (struct entry_filter){.ip = "192.0.2.7"}), 10);
    assert_int_equal(listed(w, (struct entry_filter){.q = "TICKETS"}), 20);
    assert_int_equal(
        listed(w, (struct entry_filter){.from_us = NOW_US + 5 * DAY_US,
                                        .to_us = NOW_US + 8 * DAY_US}),
        3);
    change(w, "UPDATE entry SET status = 200 WHERE seq = 6");
    assert_int_equal(broken(w), 6);
}

static void misses_a_cut_end(void **state)
{
    struct world *w = *state;

    append(w, 9);
    sign(w);
    change(w, "DELETE FROM entry WHERE seq > 7");
    assert_int_equal(broken(w), 8);
    change(w, "UPDATE mark SET seq = 7, hash ="
              " (SELECT hash FROM entry WHERE seq = 7)");
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
    must(end(w, entry_sign_heads(&w->c, key, &last)) == OK);
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
    must(end(w, entry_prune(&w->c, NOW_US + 4 * DAY_US, key, &removed)) == OK);
    assert_int_equal(removed, 4);
    assert_int_equal(broken(w), 0);
    begin(w, TX_WRITE);
    must(end(w, entry_prune(&w->c, NOW_US + 99 * DAY_US, key, &removed)) == OK);
    assert_int_equal(removed, 6);
    append(w, 3);
    sign(w);
    assert_int_equal(broken(w), 0);
    assert_int_equal(listed(w, (struct entry_filter){.after_seq = 12}), 1);
}

/* The writer works while requests go on giving; nothing is lost unseen. */
static void counts_what_it_drops(void **state)
{
    enum { GIVEN = 100000 };
    struct world *w = *state;
    struct app app = {.store = w->f->store};
    struct access_log *l = access_log_open(&app);
    struct entry it = row_of(1);
    int64_t rows = 0, dropped = 0;
    enum err e;

    for (int i = 0; i < GIVEN; i++)
        access_log_put(l, "acme", &it);
    access_log_put(l, "nobody", &it);
    access_log_close(l);
    begin(w, TX_READ);
    struct query *q = query(&w->c, "SELECT route, agent FROM entry");
    while (query_next(&w->c, q, &e)) {
        if (strcmp(col_peek(q, 0), "(dropped)") == 0)
            dropped += strtol(col_peek(q, 1), NULL, 10);
        else
            rows++;
    }
    must(end(w, OK) == OK);
    assert_true(dropped > 0);
    assert_true(rows > 0);
    assert_in_range(rows + dropped, GIVEN, GIVEN + 1);
    assert_int_equal(broken(w), 0);
}

static void cuts_between_letters(void **state)
{
    struct world *w = *state;
    struct app app = {.store = w->f->store};
    struct access_log *l = access_log_open(&app);
    struct entry it = row_of(1);
    char agent[1000];

    for (size_t i = 0; i + 3 < sizeof agent; i += 3)
        memcpy(agent + i, "\xE6\xAB\x93", 4);
    it.agent = agent;
    access_log_put(l, "acme", &it);
    access_log_flush(l);
    begin(w, TX_READ);
    struct query *q = query(&w->c, "SELECT agent FROM entry");
    must(query_one(&w->c, q) == OK);
    const char *kept = col_text(&w->c, q, 0);
    query_done(q);
    must(end(w, OK) == OK);
    assert_true(str_is_utf8(kept, strlen(kept), NULL));
    assert_in_range(strlen(kept), 150, 160);
    access_log_close(l);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(proves_and_filters),   RULE(misses_a_cut_end),
        RULE(prunes_and_goes_on),   RULE(misses_a_cut_end_of_operations),
        RULE(counts_what_it_drops), RULE(cuts_between_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
