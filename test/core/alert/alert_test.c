/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts: what a rule counts, when it tells, whom; and what control.db hears of
 * enquiries after a stop. */
#include "core/core_fixture.h"

#include "core/alert/alert.h"
#include "core/desk/helpdesk.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"

static struct app app = {.operator_listener = -1,
                         .base_url = "https://example.jp"};
#define MINUTE INT64_C(60000000)

static struct alert_rule make(struct world *w, const char *rest)
{
    struct alert_rule r = {0};

    world_begin(w, w->admin, TX_WRITE);
    must(query_run(&w->c,
                   query(&w->c, "UPDATE user SET is_admin = (id = 1)")) == OK);
    const char *json =
        arena_printf(w->c.mem, "{\"name\":\"R\",\"readers\":[\"%lld\"],%s}",
                     (long long)w->admin, rest);
    must(world_end(w, alert_create(&w->c, world_values(w, &alert_form, json), 0,
                                   &r)) == OK);
    return r;
}

static void happen(struct world *w, const char *kind, const char *action,
                   int64_t at_us)
{
    world_begin(w, w->admin, TX_WRITE);
    w->c.now_us = NOW_US + at_us;
    must(world_end(w, operation_log(&w->c, &(struct operation){
                                               .action = action,
                                               .kind = kind,
                                               .object_name = "x"})) == OK);
}

/* The round at that moment; how many mails wait afterwards. */
static int64_t look(struct world *w, int64_t at_us)
{
    world_begin(w, 0, TX_READ);
    must(world_end(w, OK) == OK);
    w->c.now_us = NOW_US + at_us;
    must(alert_look(&w->c, &app, w->f->t) == OK);
    return world_number(w,
                        "SELECT count(*) FROM mail"
                        " WHERE alert_id IS NOT NULL",
                        0);
}

static void tells_once_of_what_matches(void **state)
{
    struct world *w = *state;

    make(w, "\"source\":\"operation\",\"kind\":\"role\",\"action\":\"update\"");
    happen(w, "role", "create", 10 * MINUTE);
    happen(w, "user", "update", 10 * MINUTE);
    assert_int_equal(look(w, 10 * MINUTE), 0);
    happen(w, "role", "update", 10 * MINUTE);
    happen(w, "role", "update", 10 * MINUTE);
    assert_int_equal(look(w, 11 * MINUTE), 1); /* both in one */
    assert_int_equal(look(w, 12 * MINUTE), 1);
    happen(w, "role", "update", 13 * MINUTE);
    assert_int_equal(look(w, 14 * MINUTE), 1); /* it waits … */
    happen(w, "role", "update", 15 * MINUTE);
    assert_int_equal(look(w, 22 * MINUTE), 2); /* … and is not lost */
    assert_int_equal(look(w, 40 * MINUTE), 2);
    assert_int_equal(look(w, 4000 * MINUTE), 2);
}

static void looks_at_old_rows_after_a_long_stop(void **state)
{
    struct world *w = *state;

    make(w, "\"source\":\"operation\",\"kind\":\"role\"");
    happen(w, "role", "update", MINUTE);
    for (int i = 0; i < 5; i++)
        happen(w, "user", "update", 3000 * MINUTE);
    assert_int_equal(look(w, 5000 * MINUTE), 1);
}

static void counts_within_an_hour(void **state)
{
    struct world *w = *state;

    make(w, "\"source\":\"operation\",\"kind\":\"role\",\"threshold\":3");
    happen(w, "role", "update", 0);
    happen(w, "role", "update", 30 * MINUTE);
    happen(w, "role", "update", 61 * MINUTE);
    assert_int_equal(look(w, 62 * MINUTE), 0); /* never three in an hour */
    happen(w, "role", "update", 89 * MINUTE);
    assert_int_equal(look(w, 90 * MINUTE), 1);
    happen(w, "role", "update", 101 * MINUTE);
    happen(w, "role", "update", 101 * MINUTE);
    assert_int_equal(look(w, 102 * MINUTE), 1); /* counting began anew */
    happen(w, "role", "update", 103 * MINUTE);
    assert_int_equal(look(w, 104 * MINUTE), 2);
}

static void sign_in(struct world *w, int status, int64_t at_us)
{
    const struct request_log_row it = {.at = NOW_US + at_us,
                                       .status = status,
                                       .ip = "192.0.2.9",
                                       .method = "POST",
                                       .route = "/api/v1/sign-in",
                                       .agent = "",
                                       .request_id = ""};

    world_begin(w, 0, TX_READ);
    must(world_end(w, OK) == OK);
    must(tx_begin_access(&w->c, w->f->t, TX_WRITE) == OK);
    must(tx_end_access(&w->c, w->f->t, request_log_append(&w->c, &it, 1)) ==
         OK);
}

static void counts_refused_sign_ins(void **state)
{
    struct world *w = *state;

    make(w, "\"source\":\"sign_in\",\"threshold\":2");
    sign_in(w, 401, MINUTE);
    sign_in(w, 200, MINUTE);
    assert_int_equal(look(w, 2 * MINUTE), 0);
    sign_in(w, 429, 3 * MINUTE);
    assert_int_equal(look(w, 4 * MINUTE), 1);
    assert_int_equal(look(w, 100 * MINUTE), 1);
}

static void rests_while_off(void **state)
{
    struct world *w = *state;
    struct alert_rule r = make(w, "\"source\":\"operation\",\"kind\":\"role\"");

    world_begin(w, w->admin, TX_WRITE);
    assert_int_equal(
        world_end(w, alert_update(
                         &w->c, r.id, r.version,
                         world_values(w, &alert_edit_form, "{\"is_on\":false}"),
                         0, &r)),
        OK);
    happen(w, "role", "update", MINUTE);
    assert_int_equal(look(w, 2 * MINUTE), 0);
    world_begin(w, w->admin, TX_WRITE);
    assert_int_equal(world_end(w, alert_update(&w->c, r.id, r.version,
                                               world_values(w, &alert_edit_form,
                                                            "{\"is_on\":true}"),
                                               0, &r)),
                     OK);
    assert_int_equal(look(w, 20 * MINUTE), 0); /* what was before is over */
    happen(w, "role", "update", 21 * MINUTE);
    assert_int_equal(look(w, 22 * MINUTE), 1);
}

static void tells_only_who_may_read_the_log(void **state)
{
    struct world *w = *state;
    struct alert_rule r;

    world_begin(w, w->admin, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem,
        "{\"name\":\"R\",\"source\":\"operation\",\"readers\":[\"%lld\"]}",
        (long long)w->mari);
    assert_int_equal(
        world_end(
            w, alert_create(&w->c, world_values(w, &alert_form, json), 0, &r)),
        ERR_INVALID);
    make(w, "\"source\":\"operation\",\"kind\":\"role\"");
    world_begin(w, w->admin, TX_WRITE);
    struct query *q = query(&w->c, "UPDATE user SET is_admin = 0");
    assert_int_equal(world_end(w, query_run(&w->c, q)), OK);
    happen(w, "role", "update", MINUTE);
    assert_int_equal(look(w, 2 * MINUTE), 0);
}

/* How many tenants the round would look at. */
static size_t watched(struct world *w, int64_t at_us, bool *is_due)
{
    const struct alert_watched *list;
    size_t count =
        alert_list_watched(w->f->store, w->c.mem, NOW_US + at_us, &list);

    *is_due = count && list[0].is_due;
    return count;
}

static void looks_at_what_is_open_and_the_rest_by_age(void **state)
{
    struct world *w = *state;
    bool due;

    app.store = w->f->store;
    make(w, "\"source\":\"operation\"");
    must(tx_begin_control(&w->c, app.store, TX_WRITE) == OK);
    struct query *q = query(&w->c, "INSERT INTO customer (id, name, state,"
                                   " created_at) VALUES ('acme', 'A', 1, 0)");
    must(tx_end_control(&w->c, app.store, query_run(&w->c, q)) == OK);
    assert_int_equal(watched(w, 0, &due), 0);
    assert_int_equal(alert_settle(&w->c, &app, "acme"), OK);
    assert_int_equal(watched(w, 0, &due), 1);
    assert_true(due);
    w->c.now_us = NOW_US;
    assert_int_equal(alert_set_looked(&w->c, &app, "acme"), OK);
    assert_int_equal(watched(w, MINUTE, &due), 1); /* it is open */
    assert_false(due);
    assert_true(tenant_is_open(app.store, "acme"));
    assert_false(tenant_is_open(app.store, "other"));
    assert_int_equal(watched(w, 16 * MINUTE, &due), 1);
    assert_true(due);
    assert_int_equal(watched(w, -MINUTE, &due), 1); /* a clock set back */
    assert_true(due);
    assert_int_equal(alert_watch(&w->c, &app, "acme", false), OK);
    assert_int_equal(watched(w, 0, &due), 0);
}

static void control_hears_of_enquiries_after_a_stop(void **state)
{
    struct world *w = *state;
    const struct support_request_side by = {.answer_hours = 2};
    const struct helpdesk_filter all = {
        .state = -1, .category = -1, .limit = 10};
    const struct helpdesk_row *list;
    struct support_request it;
    size_t count;
    bool more;

    app.store = w->f->store;
    world_begin(w, w->mari, TX_WRITE);
    int64_t due = w->c.now_us + 120 * MINUTE;
    assert_int_equal(
        world_end(w, support_request_open(
                         &w->c, &by,
                         world_values(w, &support_request_form,
                                      "{\"category\":\"event\",\"subject\":"
                                      "\"s\",\"body\":\"b\"}"),
                         &it)),
        OK); /* and here the server dies */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(helpdesk_settle(&w->c, &app, "acme"), OK);
        assert_int_equal(
            helpdesk_list(&w->c, w->f->store, &all, &list, &count, &more), OK);
        assert_int_equal(count, 1);
        assert_int_equal(list[0].category, SUPPORT_REQUEST_EVENT);
        assert_int_equal(list[0].due_at, due);
    }
    struct helpdesk_filter late = all;
    late.only_overdue = true;
    assert_int_equal(
        helpdesk_list(&w->c, w->f->store, &late, &list, &count, &more), OK);
    assert_int_equal(count, 0);
    w->c.now_us = due + 1;
    assert_int_equal(
        helpdesk_list(&w->c, w->f->store, &late, &list, &count, &more), OK);
    assert_int_equal(count, 1);
}

int main(void)
{
#define WITH_WORLD(test)                                                       \
    cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_WORLD(tells_once_of_what_matches),
        WITH_WORLD(looks_at_old_rows_after_a_long_stop),
        WITH_WORLD(counts_within_an_hour),
        WITH_WORLD(counts_refused_sign_ins),
        WITH_WORLD(rests_while_off),
        WITH_WORLD(tells_only_who_may_read_the_log),
        WITH_WORLD(looks_at_what_is_open_and_the_rest_by_age),
        WITH_WORLD(control_hears_of_enquiries_after_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
