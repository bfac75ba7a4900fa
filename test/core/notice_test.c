/* SPDX-License-Identifier: Apache-2.0 */
/* What a notice owes its tenants: written once, wherever the work was cut off;
 * tenants that are gone or closed by then are passed over and recorded. */
#include "core_fixture.h"

#include "base/clock.h"
#include "core/notice.h"
#include "core/notice_board.h"
#include "core/notice_mail.h"

static const struct actor oper = {.user_id = 1,
                                  .name = "運用 一郎",
                                  .ip = "192.0.2.9",
                                  .request_id = "0123456789abcdef",
                                  .tenant = STORE_OPERATOR,
                                  .base_url = "",
                                  .lang = LANG_EN};

static void control(struct world *w, enum tx_mode mode)
{
    arena_reset(w->f->c.mem);
    w->c = (struct ctx){
        .mem = w->f->c.mem, .actor = &oper, .now_us = clock_now_us()};
    must(tx_begin_control(&w->c, w->f->store, mode) == OK);
}

static enum err end(struct world *w, enum err e)
{
    return tx_end_control(&w->c, w->f->store, e);
}

static void run(struct world *w, const char *sql)
{
    control(w, TX_WRITE);
    must(query_run(&w->c, query(&w->c, sql)) == OK);
    must(end(w, OK) == OK);
}

static int64_t control_number(struct world *w, const char *sql)
{
    control(w, TX_READ);
    struct query *q = query(&w->c, sql);
    must(query_one(&w->c, q) == OK);
    int64_t number = col_int(q, 0);
    query_done(q);
    must(end(w, OK) == OK);
    return number;
}

#define TEXTS                                                                  \
    "\"title_ja\":\"停止\",\"title_en\":\"Stop\",\"body_ja\":\"本文\","    \
    "\"body_en\":\"text\""

/* A published notice for all, of the customers there are. */
static int64_t publish(struct world *w, const char *mail_to)
{
    struct notice_row row;

    control(w, TX_WRITE);
    const char *json = arena_printf(w->c.mem,
                                    "{\"kind\":\"vulnerability\"," TEXTS
                                    ",\"is_for_all\":true,"
                                    "\"mail_to\":\"%s\"}",
                                    mail_to);
    must(notice_create(&w->c, world_values(w, &notice_form, json), &row) == OK);
    must(notice_schedule(&w->c, row.notice.id, row.notice.version,
                         world_values(w, &notice_schedule_form, "{}"),
                         &row) == OK);
    int64_t id = row.notice.id;
    must(end(w, OK) == OK);
    return id;
}

static void look(struct world *w)
{
    struct app app = {.store = w->f->store, .base_url = "https://example.jp"};
    struct arena *mem = arena_open(0);

    notice_look(&app, mem);
    arena_close(mem);
}

static void add_customers(struct world *w)
{
    run(w, "INSERT INTO customer (id, name, state, created_at) VALUES"
           " ('acme', 'Acme', 1, 1), ('closed', 'C', 1, 1),"
           " ('gone', 'G', 1, 1), ('making', 'M', 0, 1)");
    world_begin(w, w->admin, TX_WRITE);
    must(query_run(&w->c, query(&w->c, "UPDATE user SET is_admin = 1"
                                       " WHERE id = 1")) == OK);
    must(world_end(w, OK) == OK);
}

static void mails_are_written_once(void **state)
{
    struct world *w = *state;

    add_customers(w);
    publish(w, "everybody");
    assert_int_equal(control_number(w, "SELECT count(*) FROM notice_tenant"),
                     3);
    look(w);
    const char *mails = "SELECT count(*) FROM mail";
    assert_int_equal(world_number(w, mails, 0), 2);
    /* cut off after the tenant's commit, before control.db heard of it */
    run(w, "UPDATE notice_tenant SET is_owed = 1, told_at = NULL, mails = 0");
    look(w);
    assert_int_equal(world_number(w, mails, 0), 2);
    assert_int_equal(control_number(w, "SELECT mails FROM notice_tenant"
                                       " WHERE customer_id = 'acme'"),
                     2);
    assert_int_equal(control_number(w, "SELECT is_owed FROM notice_tenant"
                                       " WHERE customer_id = 'acme'"),
                     0);
    /* a file that does not open keeps its tenant owed, and nobody else */
    assert_int_equal(
        control_number(w, "SELECT sum(is_owed) FROM notice_tenant"), 2);
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM operation WHERE kind = 'notice'",
                     0),
        1);
}

static void who_is_gone_or_closed_is_passed_over(void **state)
{
    struct world *w = *state;

    add_customers(w);
    publish(w, "admins");
    run(w, "DELETE FROM customer WHERE id = 'gone'");
    run(w, "UPDATE customer SET state = 2 WHERE id = 'closed'");
    look(w);
    assert_int_equal(world_number(w, "SELECT count(*) FROM mail", 0), 1);
    assert_int_equal(
        control_number(w, "SELECT sum(is_owed) FROM notice_tenant"), 0);
    const char *skipped[] = {
        "SELECT skipped FROM notice_tenant WHERE customer_id = 'acme'",
        "SELECT skipped FROM notice_tenant WHERE customer_id = 'gone'",
        "SELECT skipped FROM notice_tenant WHERE customer_id = 'closed'",
    };
    for (int i = 0; i < 3; i++)
        assert_int_equal(control_number(w, skipped[i]), i);
    assert_int_equal(
        control_number(w, "SELECT count(told_at) FROM notice_tenant"), 1);
}

static void a_correction_meets_mails_under_way(void **state)
{
    struct world *w = *state;
    struct notice_row row;

    add_customers(w);
    int64_t id = publish(w, "admins");
    control(w, TX_WRITE);
    must(notice_get(&w->c, id, &row) == OK);
    must(notice_correct(
             &w->c, id, row.notice.version,
             world_values(w, &notice_correct_form,
                          "{\"body_ja\":\"訂正\",\"is_mailed\":true}"),
             &row) == OK);
    must(end(w, OK) == OK);
    look(w); /* of both revisions only the newer is owed */
    assert_int_equal(world_number(w, "SELECT count(*) FROM mail", 0), 1);
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM mail WHERE body LIKE '%訂正%'",
                     0),
        1);
    /* withdrawn before anybody is told: nobody hears of it at all */
    id = publish(w, "admins");
    control(w, TX_WRITE);
    must(notice_get(&w->c, id, &row) == OK);
    must(notice_withdraw(
             &w->c, id, row.notice.version,
             world_values(w, &notice_withdraw_form,
                          "{\"reason_ja\":\"誤\",\"reason_en\":\"error\","
                          "\"is_mailed\":true}"),
             &row) == OK);
    must(end(w, OK) == OK);
    look(w);
    assert_int_equal(world_number(w, "SELECT count(*) FROM mail", 0), 1);
}

static size_t seen_by(struct world *w, const char *tenant)
{
    struct actor who = oper;
    const struct board_row *list;
    struct app app = {.store = w->f->store};
    struct tenant *t;
    size_t count;
    bool more;

    arena_reset(w->f->c.mem);
    who.tenant = tenant;
    w->c = (struct ctx){
        .mem = w->f->c.mem, .actor = &who, .now_us = clock_now_us()};
    must(tenant_open(w->f->store, tenant, &t) == OK);
    must(board_list(&w->c, &app, t, 0, 50, &list, &count, &more) == OK);
    tenant_close(t);
    return count;
}

static void a_tenant_sees_its_own(void **state)
{
    struct world *w = *state;

    add_customers(w);
    must(tenant_create(w->f->store, "later") == OK);
    must(tenant_create(w->f->store, "nowhere") == OK);
    publish(w, "nobody");
    run(w, "INSERT INTO customer (id, name, state, created_at) VALUES"
           " ('later', 'L', 1, 9000000000000000)");
    assert_int_equal(seen_by(w, "acme"), 1);
    assert_int_equal(seen_by(w, "later"), 0);
    assert_int_equal(seen_by(w, "nowhere"), 0);
    /* what lasts still is for who came later, too */
    run(w, "UPDATE notice SET starts_at = 1, ends_at = 9000000000000000");
    assert_int_equal(seen_by(w, "later"), 1);
    run(w, "UPDATE notice SET is_for_all = 0");
    assert_int_equal(seen_by(w, "acme"), 1);
    assert_int_equal(seen_by(w, "later"), 0);
    run(w, "UPDATE notice SET state = 1");
    assert_int_equal(seen_by(w, "acme"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mails_are_written_once, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(who_is_gone_or_closed_is_passed_over,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_correction_meets_mails_under_way,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_tenant_sees_its_own, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
