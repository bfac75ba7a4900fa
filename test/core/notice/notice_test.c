/* SPDX-License-Identifier: Apache-2.0 */
/* What a notice owes its tenants: written once, wherever the work was cut off;
 * tenants that are gone or closed by then are passed over and recorded. */
#include "core/control_fixture.h"

#include "core/notice/notice_board.h"

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
    run(w, "INSERT INTO suspension (customer_id, reason, by, at) VALUES"
           " ('closed', 'r', 'b', 1)");
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

/* After a stop of the server: the end of the contract came in between. */
static void a_contract_that_is_over_is_passed_over(void **state)
{
    struct world *w = *state;

    add_customers(w);
    publish(w, "admins");
    run(w, "INSERT INTO termination (customer_id, end_on, delete_on, asked_by,"
           " is_customers, asked_at) VALUES ('acme', 1, 9, 'x', 0, 1)");
    run(w, "UPDATE customer SET state = 2 WHERE id = 'gone'");
    look(w);
    assert_int_equal(world_number(w, "SELECT count(*) FROM mail", 0), 0);
    assert_int_equal(control_number(w, "SELECT skipped FROM notice_tenant"
                                       " WHERE customer_id = 'acme'"),
                     NOTICE_TENANT_CLOSED);
    assert_int_equal(control_number(w, "SELECT skipped FROM notice_tenant"
                                       " WHERE customer_id = 'gone'"),
                     NOTICE_TENANT_GONE);
}

/* A draft of planned work for acme, to begin so many hours from now. */
static struct notice_row plan(struct world *w, int hours, const char *mail_to)
{
    struct notice_row row;

    control(w, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem,
        "{\"kind\":\"change\"," TEXTS ",\"tenants\":[{\"id\":\"acme\"}],"
        "\"starts_at\":\"%s\",\"mail_to\":\"%s\"}",
        clock_format(w->c.mem, w->c.now_us + hours * INT64_C(3600000000)),
        mail_to);
    must(notice_create(&w->c, world_values(w, &notice_form, json), &row) == OK);
    must(end(w, OK) == OK);
    return row;
}

static enum err publish_at(struct world *w, struct notice_row *row,
                           const char *json)
{
    struct notice_row out;

    control(w, TX_WRITE);
    enum err e = end(
        w, notice_schedule(&w->c, row->notice.id, row->notice.version,
                           world_values(w, &notice_schedule_form, json), &out));
    if (!e)
        *row = out;
    return e;
}

static void correct(struct world *w, struct notice_row *row, int hours)
{
    control(w, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem, "{\"starts_at\":\"%s\"}",
        clock_format(w->c.mem, w->c.now_us + hours * INT64_C(3600000000)));
    must(notice_correct(&w->c, row->notice.id, row->notice.version,
                        world_values(w, &notice_correct_form, json),
                        row) == OK);
    must(end(w, OK) == OK);
}

static void withdraw(struct world *w, struct notice_row *row)
{
    control(w, TX_WRITE);
    must(notice_withdraw(&w->c, row->notice.id, row->notice.version,
                         world_values(w, &notice_withdraw_form,
                                      "{\"reason_ja\":\"誤\","
                                      "\"reason_en\":\"error\"}"),
                         row) == OK);
    must(end(w, OK) == OK);
}

static void notice_given_stays_what_it_was(void **state)
{
    struct world *w = *state;
    const char *text;

    add_customers(w);
    struct notice_row row = plan(w, 2, "admins");
    must(publish_at(w, &row, "{}") == OK);
    assert_false(measured(w, notice_measure, &text)); /* of the three days */
    assert_non_null(strstr(text, "shortest 1 h"));
    assert_non_null(strstr(text, "announced later than that: 1"));
    control(w, TX_WRITE);
    must(query_run(&w->c, query(&w->c, "UPDATE notice SET least_us = 1")) ==
         OK);
    must(end(w, OK) == OK);
    correct(w, &row, 2000); /* later: what was said before still counts */
    assert_true(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "shortest 1 h"));
    correct(w, &row, 1999); /* nearer, but long before */
    assert_true(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "shortest 1 h"));
    row = plan(w, 100, "admins");
    must(publish_at(w, &row, "{}") == OK);
    correct(w, &row, -1);
    assert_false(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "after it had begun"));
    assert_null(strstr(text, "-1 h"));
    assert_non_null(strstr(text, "begun unannounced: 1"));
    withdraw(w, &row); /* it had begun all the same */
    assert_false(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "begun unannounced: 1"));
}

static void what_never_began_is_not_counted(void **state)
{
    struct world *w = *state;
    const char *text;

    add_customers(w);
    struct notice_row row = plan(w, 2, "nobody");
    must(publish_at(w, &row, "{}") == OK);
    assert_false(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "not announced by mail: 1"));
    withdraw(w, &row);
    assert_true(measured(w, notice_measure, &text));
    assert_non_null(strstr(text, "Notices in 90 days: 0"));
    row = plan(w, -148, "admins");
    must(publish_at(w, &row, "{}") == OK);
    correct(w, &row, 600);
    withdraw(w, &row);
    assert_false(measured(w, notice_measure, &text));
}

static void nobody_left_to_tell_is_refused(void **state)
{
    struct world *w = *state;

    add_customers(w);
    struct notice_row row = plan(w, 5, "admins");
    run(w, "INSERT INTO suspension (customer_id, reason, by, at) VALUES"
           " ('acme', 'r', 'b', 1)");
    assert_int_equal(publish_at(w, &row, "{}"), ERR_CONFLICT);
    assert_string_equal(w->c.fail->field, "tenants");
    assert_string_equal(w->c.fail->rule, "nobody");
    run(w, "DELETE FROM suspension");
    /* scheduled, and nobody is left when its moment comes: a draft again */
    control(w, TX_READ);
    const char *later =
        arena_printf(w->c.mem, "{\"publish_at\":\"%s\"}",
                     clock_format(w->c.mem, w->c.now_us + INT64_C(3600000000)));
    char json[80];
    (void)snprintf(json, sizeof json, "%s", later);
    must(end(w, OK) == OK);
    must(publish_at(w, &row, json) == OK);
    run(w, "UPDATE notice SET publish_at = 1");
    run(w, "UPDATE customer SET state = 2 WHERE id = 'acme'");
    look(w);
    assert_int_equal(control_number(w, "SELECT state FROM notice"),
                     NOTICE_DRAFT);
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
        cmocka_unit_test_setup_teardown(a_contract_that_is_over_is_passed_over,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(notice_given_stays_what_it_was,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_never_began_is_not_counted,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(nobody_left_to_tell_is_refused,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_correction_meets_mails_under_way,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_tenant_sees_its_own, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
