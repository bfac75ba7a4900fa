/* SPDX-License-Identifier: Apache-2.0 */
/* An installation without terms asks for nothing; the first version is always
 * one that must be accepted. */
#include "core/core_fixture.h"

#include "core/core.h"
#include "core/document/consent.h"
#include "core/document/terms.h"

static struct ctx *as_operator(struct world *w)
{
    arena_reset(w->f->c.mem);
    w->actor = (struct actor){.name = "oper", .tenant = STORE_OPERATOR};
    w->c =
        (struct ctx){.mem = w->f->c.mem, .actor = &w->actor, .now_us = NOW_US};
    return &w->c;
}

static struct terms_now read_now(struct world *w)
{
    struct ctx *c = as_operator(w);
    struct terms_now now = {-1, -1};

    assert_int_equal(tx_begin_control(c, w->f->store, TX_READ), OK);
    assert_int_equal(tx_end_control(c, w->f->store, terms_read_now(c, &now)),
                     OK);
    return now;
}

static enum err ask(struct world *w, int64_t owed)
{
    world_begin(w, w->admin, TX_READ);
    return world_end(w, consent_check(&w->c, owed));
}

static struct terms publish(struct world *w, bool is_material)
{
    const struct app app = {.store = w->f->store, .terms = terms_open()};
    struct ctx *c = as_operator(w);
    struct terms t;
    const struct values *v = world_values(
        w, &terms_form,
        is_material ? "{\"ja\":\"x\",\"en\":\"x\",\"is_material\":true,"
                      "\"valid_from\":\"2026-11-22\"}"
                    : "{\"ja\":\"x\",\"en\":\"x\",\"is_material\":false,"
                      "\"valid_from\":\"2026-11-22\"}");

    assert_non_null(v);
    assert_int_equal(tx_begin_control(c, w->f->store, TX_WRITE), OK);
    assert_int_equal(tx_end_control(c, w->f->store, terms_create(c, v, &t)),
                     OK);
    assert_int_equal(terms_publish(c, &app, t.id, t.version, &t), OK);
    terms_close(app.terms);
    return t;
}

static void without_terms_nothing_is_asked(void **state)
{
    struct world *w = *state;
    struct terms_now now = read_now(w);

    assert_int_equal(now.current, 0);
    assert_int_equal(now.owed, 0);
    assert_int_equal(ask(w, now.owed), OK);
}

static void the_first_version_is_material(void **state)
{
    struct world *w = *state;
    struct terms first = publish(w, false);

    assert_int_equal(first.no, 1);
    assert_true(first.is_material);
    assert_int_equal(read_now(w).owed, 1);
    assert_int_equal(ask(w, 1), ERR_DENIED);
    world_begin(w, w->admin, TX_WRITE);
    const struct terms_now now = {1, 1};
    assert_int_equal(world_end(w, consent_accept(&w->c, &now, 1)), OK);
    assert_int_equal(ask(w, 1), OK);
}

static void later_ones_are_what_they_say(void **state)
{
    struct world *w = *state;

    (void)publish(w, true);
    assert_false(publish(w, false).is_material);
    assert_int_equal(read_now(w).current, 2);
    assert_int_equal(read_now(w).owed, 1);
    assert_int_equal(publish(w, true).no, 3);
    assert_int_equal(read_now(w).owed, 3);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_terms_nothing_is_asked),
        TEST(the_first_version_is_material),
        TEST(later_ones_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
