/* SPDX-License-Identifier: Apache-2.0 */
/* Each call that changes the disk fails once, in turn: what was acknowledged
 * is there, no pair is half there, the file is sound, and the reply was an
 * honest error. */
#include "db_fixture.h"
#include "fault_vfs.h"

#include "base/crypto.h"

#include <pthread.h>

enum { PAIRS = 4, CALLS_MAX = 800, THREADS = 8 };

static const char add_key[] = "INSERT INTO key_name (key) VALUES (?1)";
static const char has_key[] = "SELECT count(*) FROM key_name WHERE key = ?1";

static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    f->config.vfs = FAULT_VFS;
    fixture_reopen(f);
    must(tenant_create(f->store, "acme") == OK);
    must(tenant_open(f->store, "acme", &f->t) == OK);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    tenant_close(f->t);
    return fixture_tear_down(state);
}

static void open_again(struct fixture *f)
{
    tenant_close(f->t);
    fixture_reopen(f);
    must(tenant_open(f->store, "acme", &f->t) == OK);
}

/* Ten characters at most, as the table wants: round below 1,000. */
static const char *name_key(char out[48], int round, int thread, int pair,
                            int half)
{
    (void)snprintf(out, 48, "R%dT%dP%dH%d", round, thread, pair, half);
    return out;
}

static enum err add_pair(struct ctx *c, struct tenant *t, int round, int thread,
                         int pair)
{
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    for (int half = 0; half < 2 && !e; half++) {
        char key[48];
        struct query *q = query(c, add_key);
        bind_text(q, 1, name_key(key, round, thread, pair, half));
        e = query_run(c, q);
    }
    return tx_end(c, t, e);
}

static int count_halves(struct fixture *f, int round, int thread, int pair)
{
    int count = 0;

    must(tx_begin(&f->c, f->t, TX_READ) == OK);
    for (int half = 0; half < 2; half++) {
        char key[48];
        struct query *q = query(&f->c, has_key);
        bind_text(q, 1, name_key(key, round, thread, pair, half));
        must(query_one(&f->c, q) == OK);
        count += (int)col_int(q, 0);
        query_done(q);
    }
    must(tx_end(&f->c, f->t, OK) == OK);
    return count;
}

static void check_reply(enum err e, int code)
{
    if (code == SQLITE_FULL)
        assert_true(e == OK || e == ERR_FULL || e == ERR_INTERNAL);
    else
        assert_true(e == OK || e == ERR_INTERNAL || e == ERR_BUSY);
}

static bool one_round(struct fixture *f, int round, int n, int code)
{
    enum err reply[PAIRS];

    fault_arm(n, code);
    for (int pair = 0; pair < PAIRS; pair++)
        reply[pair] = add_pair(&f->c, f->t, round, 0, pair);
    bool is_hit = fault_disarm();
    open_again(f);
    for (int pair = 0; pair < PAIRS; pair++) {
        int halves = count_halves(f, round, 0, pair);
        check_reply(reply[pair], code);
        assert_int_equal(halves, reply[pair] == OK ? 2 : 0);
    }
    return is_hit;
}

static void fail_each(struct fixture *f, int first_round, int code)
{
    int n = 1;

    while (n < CALLS_MAX && one_round(f, first_round + n, n, code))
        n++;
    assert_in_range(n, 8, CALLS_MAX - 1); /* something did fail */
}

static void survives_a_full_disk(void **state)
{
    fail_each(*state, 100, SQLITE_FULL);
}

static void survives_a_failed_write(void **state)
{
    fail_each(*state, 100, SQLITE_IOERR_WRITE);
}

/* After the first error the tenant goes on by itself, without a restart. */
static void goes_on_after_one_error_and_stops_after_two(void **state)
{
    struct fixture *f = *state;

    fault_arm(1, SQLITE_IOERR_WRITE);
    assert_int_equal(add_pair(&f->c, f->t, 1, 0, 0), ERR_INTERNAL);
    assert_true(fault_disarm());
    assert_int_equal(add_pair(&f->c, f->t, 1, 0, 1), OK);
    assert_int_equal(count_halves(f, 1, 0, 0), 0);
    assert_int_equal(count_halves(f, 1, 0, 1), 2);
    fault_arm(1, SQLITE_IOERR_WRITE);
    assert_int_equal(add_pair(&f->c, f->t, 1, 0, 2), ERR_INTERNAL);
    assert_true(fault_disarm());
    assert_int_equal(add_pair(&f->c, f->t, 1, 0, 3), ERR_INTERNAL);
    assert_int_equal(tx_begin(&f->c, f->t, TX_READ), ERR_INTERNAL);
}

/* Space runs out and comes back: nothing stops, nothing is lost. */
static void goes_on_when_space_returns(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        fault_arm(1, SQLITE_FULL);
        assert_int_equal(add_pair(&f->c, f->t, i, 0, 0), ERR_FULL);
        assert_true(fault_disarm());
        assert_int_equal(count_halves(f, i, 0, 0), 0);
        assert_int_equal(add_pair(&f->c, f->t, i, 0, 1), OK);
        assert_int_equal(count_halves(f, i, 0, 1), 2);
    }
}

static void creates_a_tenant_wholly_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct tenant *t;
    int n = 1;

    /* the schema takes hundreds of writes, most of them alike */
    for (; n < CALLS_MAX; n += n < 60 ? 1 : 9) {
        const char *id = fixture_text("new", n);
        fault_arm(n, SQLITE_FULL);
        enum err e = tenant_create(f->store, id);
        bool is_hit = fault_disarm();
        if (!is_hit)
            break;
        if (e) {
            assert_true(e == ERR_FULL || e == ERR_INTERNAL);
            assert_int_equal(tenant_open(f->store, id, &t), ERR_NOT_FOUND);
            assert_int_equal(tenant_create(f->store, id), OK);
        }
        assert_int_equal(tenant_open(f->store, id, &t), OK);
        assert_int_equal(fixture_number(f, t, "SELECT count(*) FROM ticket"),
                         0);
        tenant_close(t);
    }
    assert_in_range(n, 8, CALLS_MAX - 1);
}

/* ---- neighbours in one batch ---- */

struct worker {
    struct fixture *f;
    int round, number;
    enum err reply[PAIRS];
    pthread_t thread;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (int pair = 0; pair < PAIRS; pair++) {
        struct ctx c = w->f->c;
        w->reply[pair] = add_pair(&c, w->f->t, w->round, w->number, pair);
    }
    return NULL;
}

static void tells_every_neighbour(void **state)
{
    struct fixture *f = *state;
    struct worker workers[THREADS];

    for (int n = 1; n < 40; n += 3) {
        fault_arm(n, SQLITE_FULL);
        for (int i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){.f = f, .round = n, .number = i};
            must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) ==
                 0);
        }
        for (int i = 0; i < THREADS; i++)
            must(pthread_join(workers[i].thread, NULL) == 0);
        (void)fault_disarm();
        open_again(f);
        for (int i = 0; i < THREADS; i++)
            for (int pair = 0; pair < PAIRS; pair++) {
                enum err e = workers[i].reply[pair];
                check_reply(e, SQLITE_FULL);
                assert_int_equal(count_halves(f, n, i, pair), e == OK ? 2 : 0);
            }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(survives_a_full_disk),
        CASE(survives_a_failed_write),
        CASE(goes_on_after_one_error_and_stops_after_two),
        CASE(goes_on_when_space_returns),
        CASE(creates_a_tenant_wholly_or_not_at_all),
        CASE(tells_every_neighbour),
    };

    must(crypto_init() == OK);
    fault_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
