/* SPDX-License-Identifier: Apache-2.0 */
/* A promise holds only while what is measured holds: each thing is broken
 * here, and its row is seen to turn. */
#include "core_fixture.h"

#include "core/core.h"
#include "core/operation.h"
#include "core/trust.h"

struct watch {
    struct world *w;
    struct app app;
    struct trust_row rows[TRUST_COUNT];
};

static void look(struct watch *x, struct tenant *t)
{
    x->w->actor = (struct actor){.name = "", .tenant = "acme"};
    x->w->c = (struct ctx){
        .mem = x->w->f->c.mem, .actor = &x->w->actor, .now_us = NOW_US};
    assert_int_equal(trust_read(&x->w->c, &x->app, t, x->rows), OK);
}

static enum trust_state state_of(struct watch *x, struct tenant *t, int no)
{
    look(x, t);
    return x->rows[no - 1].state;
}

static void run_control(struct watch *x, const char *sql)
{
    look(x, NULL);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_WRITE), OK);
    enum err e = query_run(&x->w->c, query(&x->w->c, sql));
    assert_int_equal(tx_end_control(&x->w->c, x->app.store, e), OK);
}

static void run_tenant(struct watch *x, const char *sql)
{
    world_begin(x->w, x->w->admin, TX_WRITE);
    assert_int_equal(world_end(x->w, query_run(&x->w->c, query(&x->w->c, sql))),
                     OK);
}

static void run_access(struct watch *x, const char *sql)
{
    look(x, NULL);
    assert_int_equal(tx_begin_access(&x->w->c, x->w->f->t, TX_WRITE), OK);
    enum err e = query_run(&x->w->c, query(&x->w->c, sql));
    assert_int_equal(tx_end_access(&x->w->c, x->w->f->t, e), OK);
}

static struct watch watch(void **state)
{
    struct watch x = {.w = *state};

    x.app.store = x.w->f->store;
    return x;
}

static void what_is_not_measured_needs_attention(void **state)
{
    struct watch x = watch(state);

    look(&x, NULL);
    for (int i = 0; i < TRUST_COUNT; i++) {
        assert_int_equal(x.rows[i].promise->no, i + 1);
        if (!x.rows[i].evidence_count)
            assert_int_equal(x.rows[i].state, TRUST_ATTENTION);
    }
}

static void terms_turn_row_2(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 2), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (1, '規約', 'Terms', 0, 1)");
    assert_int_equal(state_of(&x, NULL, 2), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_ATTENTION);
    run_tenant(&x, "INSERT INTO consent (terms_no, user_id, user_name,"
                   " is_whole, at, ip) VALUES (1, 1, 'x', 1, 1, '')");
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_HOLDS);
}

#define PUBLISH(kind, regions, due)                                            \
    "INSERT INTO document (kind, no, ja, en, regions, is_public, review_on,"   \
    " published_at) VALUES (" #kind ", 1, 'x', 'x', '" regions "', 1, " #due   \
    ", 1)"

static void policies_turn_row_1(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, PUBLISH(0, "", 99999));
    run_control(&x, PUBLISH(1, "", 99999));
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, PUBLISH(2, "", 99999));
    assert_int_equal(state_of(&x, NULL, 1), TRUST_HOLDS);
    run_control(&x, "UPDATE document SET review_on = 1 WHERE kind = 1");
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
}

static void a_path_outside_turns_row_3(void **state)
{
    struct watch x = watch(state);

    x.app.data_region = x.app.backup_region = x.app.log_region = "jp-tokyo";
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, PUBLISH(5, "jp", 99999));
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    x.app.backup_region = "us-east";
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, "UPDATE document SET regions = 'jp us' WHERE kind = 5");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    x.app.log_region = NULL;
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
}

static void statements_turn_rows_4_and_34(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 4), TRUST_ATTENTION);
    run_control(&x, PUBLISH(6, "", 99999));
    assert_int_equal(state_of(&x, NULL, 4), TRUST_HOLDS);
    run_control(&x, PUBLISH(4, "", 99999));
    assert_int_equal(state_of(&x, NULL, 34), TRUST_ATTENTION);
    run_control(&x, PUBLISH(3, "", 99999));
    assert_int_equal(state_of(&x, NULL, 34), TRUST_HOLDS);
    run_control(&x, "DELETE FROM document WHERE kind IN (4, 6)");
    assert_int_equal(state_of(&x, NULL, 4), TRUST_ATTENTION);
    assert_int_equal(state_of(&x, NULL, 34), TRUST_ATTENTION);
}

static void no_administrator_turns_row_7(void **state)
{
    struct watch x = watch(state);

    run_tenant(&x, "UPDATE user SET is_admin = 1 WHERE id = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 7), TRUST_HOLDS);
    run_tenant(&x, "UPDATE user SET is_admin = 0 WHERE id = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 7), TRUST_ATTENTION);
}

static void an_odd_route_turns_row_12(void **state)
{
    struct watch x = watch(state);

    x.app.facts = (struct trust_facts){.routes = 9, .open_routes = 2};
    assert_int_equal(state_of(&x, NULL, 12), TRUST_HOLDS);
    x.app.facts.odd_route = "/api/v1/back-door";
    assert_int_equal(state_of(&x, NULL, 12), TRUST_ATTENTION);
}

static void files_are_sealed_and_apart(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, x.w->f->t, 13), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 15), TRUST_HOLDS);
}

static void many_tenants_without_hosts_turn_row_25(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "DELETE FROM customer");
    assert_int_equal(state_of(&x, NULL, 25), TRUST_HOLDS);
    run_control(&x, "INSERT INTO customer (id, name, state, created_at)"
                    " VALUES ('x1', 'x', 1, 0), ('x2', 'y', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 25), TRUST_ATTENTION);
    run_control(&x, "UPDATE customer SET host = id || '.jp'");
    assert_int_equal(state_of(&x, NULL, 25), TRUST_HOLDS);
}

static void an_overdue_enquiry_turns_row_32(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 32), TRUST_HOLDS);
    run_control(&x, "INSERT INTO desk (customer_id, enquiry_id, category,"
                    " state, decision, opened_at, updated_at, due_at, version)"
                    " VALUES ('acme', 1, 0, 0, 0, 0, 0, 1, 1)");
    assert_int_equal(state_of(&x, NULL, 32), TRUST_ATTENTION);
}

static void a_contact_turns_row_35(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 35), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO desk_setting (id, answer_hours, contact_ja,"
                    " contact_en) VALUES (1, 24, '法務', 'Legal')");
    assert_int_equal(state_of(&x, NULL, 35), TRUST_HOLDS);
}

static void a_late_backup_turns_row_20(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
                    " 1795312800000000, 1, 1)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "INSERT INTO backup_drill VALUES (1, 1795312800000000,"
                    " '2026-11-22', 'acme', 1, 1, 'rows')");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "UPDATE backup_drill SET reason = NULL");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "UPDATE backup_tenant SET at = at - 27 * 3600000000");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
}

static void old_rows_turn_rows_21_and_36(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, x.w->f->t, 21), TRUST_HOLDS);
    run_access(&x,
               "INSERT INTO entry VALUES (1, 1795312800000000, '', 0, 'GET',"
               " '/', 200, '', '', x'00')");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET at = 1 WHERE seq = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 21), TRUST_ATTENTION);
    run_access(&x, "UPDATE entry SET at = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_ATTENTION);
}

static void a_changed_row_of_the_log_turns_row_33(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 33), TRUST_ATTENTION);
    trust_look_at_tenants(&x.app, x.w->f->c.mem);
    assert_int_equal(state_of(&x, NULL, 33), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET object_name = 'other' WHERE seq = 2");
    run_control(&x, "UPDATE trust_proof SET at = 0");
    trust_look_at_tenants(&x.app, x.w->f->c.mem);
    assert_int_equal(state_of(&x, NULL, 33), TRUST_ATTENTION);
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_ATTENTION);
}

static void a_turn_is_in_the_history_once(void **state)
{
    struct watch x = watch(state);

    trust_look(&x.app, x.w->f->c.mem);
    trust_look(&x.app, x.w->f->c.mem);
    look(&x, NULL);
    assert_int_equal(x.rows[1].history_count, 1);
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (1, '規約', 'Terms', 0, 1)");
    trust_look(&x.app, x.w->f->c.mem);
    look(&x, NULL);
    assert_int_equal(x.rows[1].history_count, 2);
    assert_int_equal(x.rows[1].history[0].state, TRUST_HOLDS);
    assert_int_equal(x.rows[1].history[1].state, TRUST_ATTENTION);
}

static enum err say(struct watch *x, int no, int version, const char *json)
{
    look(x, NULL);
    const struct values *v = world_values(x->w, &trust_form, json);
    assert_non_null(v);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_WRITE), OK);
    return tx_end_control(&x->w->c, x->app.store,
                          trust_set(&x->w->c, no, version, v));
}

static void the_operator_says_why_not_in_both_languages(void **state)
{
    struct watch x = watch(state);
    static const char half[] = "{\"is_public\":true,\"reason_ja\":\"なし\"}";
    static const char whole[] = "{\"is_public\":true,\"reason_ja\":\"なし\","
                                "\"reason_en\":\"none\"}";

    assert_int_equal(say(&x, 26, 1, half), ERR_INVALID);
    assert_int_equal(say(&x, 39, 1, whole), ERR_NOT_FOUND);
    assert_int_equal(say(&x, 26, 1, whole), OK);
    assert_int_equal(state_of(&x, NULL, 26), TRUST_NOT_APPLICABLE);
    assert_true(x.rows[25].is_public);
    assert_int_equal(say(&x, 26, 7, whole), ERR_STALE);
    assert_int_equal(
        say(&x, 26, (int)x.rows[25].version, "{\"is_public\":false}"), OK);
    assert_int_equal(state_of(&x, NULL, 26), TRUST_ATTENTION);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_measured_needs_attention),
        TEST(terms_turn_row_2),
        TEST(policies_turn_row_1),
        TEST(a_path_outside_turns_row_3),
        TEST(statements_turn_rows_4_and_34),
        TEST(no_administrator_turns_row_7),
        TEST(an_odd_route_turns_row_12),
        TEST(files_are_sealed_and_apart),
        TEST(many_tenants_without_hosts_turn_row_25),
        TEST(a_late_backup_turns_row_20),
        TEST(an_overdue_enquiry_turns_row_32),
        TEST(a_contact_turns_row_35),
        TEST(old_rows_turn_rows_21_and_36),
        TEST(a_changed_row_of_the_log_turns_row_33),
        TEST(a_turn_is_in_the_history_once),
        TEST(the_operator_says_why_not_in_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
