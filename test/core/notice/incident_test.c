/* SPDX-License-Identifier: Apache-2.0 */
/* The 24 hours of an incident: a report counts when its tenants were told, and
 * what was late is not made to vanish. */
#include "core/control_fixture.h"

#include "core/notice/incident.h"

#define HOUR INT64_C(3600000000)

/* Detected so many hours ago; tenants: JSON rows. */
static struct incident detect(struct world *w, int hours, const char *tenants)
{
    struct incident i;

    control(w, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem,
        "{\"title\":\"障害\",\"what\":\"調査中\",\"severity\":\"high\","
        "\"detected_at\":\"%s\",\"tenants\":[%s]}",
        clock_format(w->c.mem, w->c.now_us - hours * HOUR), tenants);
    must(incident_create(&w->c, world_values(w, &incident_form, json), &i) ==
         OK);
    must(end(w, OK) == OK);
    return i;
}

static struct incident get(struct world *w, int64_t id)
{
    struct incident i;

    control(w, TX_READ);
    must(incident_get(&w->c, id, &i) == OK);
    must(end(w, OK) == OK);
    return i;
}

static enum err close_it(struct world *w, int64_t id, const char *more)
{
    struct incident i = get(w, id);

    control(w, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem, "{\"cause\":\"原因\",\"measure\":\"対策\"%s}", more);
    return end(w,
               incident_close(&w->c, id, i.version,
                              world_values(w, &incident_close_form, json), &i));
}

static enum err publish(struct world *w, int64_t incident, const char *kind,
                        struct notice_row *row)
{
    control(w, TX_WRITE);
    const char *json = arena_printf(
        w->c.mem,
        "{\"kind\":\"%s\",\"title_ja\":\"障害\",\"title_en\":\"Failure\","
        "\"body_ja\":\"本文\",\"body_en\":\"text\",\"incident\":\"%lld\"}",
        kind, (long long)incident);
    must(notice_create(&w->c, world_values(w, &notice_form, json), row) == OK);
    return end(w, notice_schedule(&w->c, row->notice.id, row->notice.version,
                                  world_values(w, &notice_schedule_form, "{}"),
                                  row));
}

static void withdraw(struct world *w, struct notice_row *row)
{
    control(w, TX_WRITE);
    must(notice_get(&w->c, row->notice.id, row) == OK);
    must(notice_withdraw(&w->c, row->notice.id, row->notice.version,
                         world_values(w, &notice_withdraw_form,
                                      "{\"reason_ja\":\"誤\","
                                      "\"reason_en\":\"error\"}"),
                         row) == OK);
    must(end(w, OK) == OK);
}

static void a_report_counts_for_who_was_told(void **state)
{
    struct world *w = *state;
    struct notice_row row;

    add_customers(w);
    struct incident i = detect(w, 1, "{\"id\":\"acme\"}");
    must(publish(w, i.id, "incident", &row) == OK);
    withdraw(w, &row); /* before anybody was told */
    look(w);
    i = get(w, i.id);
    assert_int_equal(i.first_report_at, 0);
    assert_int_equal(i.unreported, 1);
    assert_true(i.due_at > 0);
    assert_int_equal(close_it(w, i.id, ""), ERR_CONFLICT);
    assert_string_equal(w->c.fail->rule, "unreported");

    must(publish(w, i.id, "incident", &row) == OK);
    assert_int_equal(get(w, i.id).unreported, 1);
    look(w);
    i = get(w, i.id);
    assert_int_equal(i.unreported, 0);
    assert_int_equal(i.due_at, 0);
    int64_t told = control_number(w, "SELECT told_at FROM notice_tenant"
                                     " WHERE told_at IS NOT NULL");
    assert_true(i.first_report_at == told && told > 0);
    withdraw(w, &row); /* they were told: it stays */
    look(w);
    i = get(w, i.id);
    assert_true(i.first_report_at == told);
    assert_int_equal(i.unreported, 0);
    assert_int_equal(
        control_number(w, "SELECT count(*) FROM operation WHERE kind ="
                          " 'incident' AND action = 'report'"),
        1);
}

static void a_suspended_tenant_is_told_of_an_incident(void **state)
{
    struct world *w = *state;
    struct notice_row row;

    add_customers(w);
    struct incident i = detect(w, 1, "{\"id\":\"acme\"}");
    run(w, "INSERT INTO suspension (customer_id, reason, by, at) VALUES"
           " ('acme', 'r', 'b', 1)");
    must(publish(w, i.id, "incident", &row) == OK);
    look(w);
    assert_int_equal(get(w, i.id).unreported, 0);
    assert_int_equal(world_number(w, "SELECT count(*) FROM mail", 0), 1);
}

static void set_people(struct world *w, const char *sql)
{
    world_begin(w, w->admin, TX_WRITE);
    must(query_run(&w->c, query(&w->c, sql)) == OK);
    must(world_end(w, OK) == OK);
}

/* A report that no mail carries reached nobody; who is invited is somebody. */
static void what_nobody_reads_is_no_report(void **state)
{
    struct world *w = *state;
    struct notice_row row;

    add_customers(w);
    struct incident i = detect(w, 1, "{\"id\":\"acme\"}");
    set_people(w, "UPDATE user SET state = 2");
    must(publish(w, i.id, "incident", &row) == OK);
    look(w);
    i = get(w, i.id);
    assert_int_equal(i.first_report_at, 0);
    assert_int_equal(i.unreported, 1);
    set_people(w, "UPDATE user SET state = 0 WHERE is_admin = 1");
    must(publish(w, i.id, "incident", &row) == OK);
    look(w);
    assert_int_equal(get(w, i.id).unreported, 0);
}

static void leave(struct world *w, const char *tenant)
{
    control(w, TX_WRITE);
    must(incident_note_gone(&w->c, tenant) == OK);
    must(end(w, OK) == OK);
    run(w, "UPDATE customer SET state = 2 WHERE id = 'gone'");
}

static void who_is_gone_is_owed_nothing(void **state)
{
    struct world *w = *state;
    struct notice_row row;
    const char *text;

    add_customers(w);
    struct incident i = detect(w, 1, "{\"id\":\"gone\"}");
    leave(w, "gone");
    i = get(w, i.id);
    assert_int_equal(i.due_at, 0);
    assert_int_equal(i.unreported, 0);
    assert_int_equal(i.gone, 1);
    assert_int_equal(i.first_report_at, 0);
    assert_int_equal(publish(w, i.id, "incident", &row), ERR_CONFLICT);
    assert_string_equal(w->c.fail->field, "incident");
    assert_string_equal(w->c.fail->rule, "nobody");
    assert_int_equal(close_it(w, i.id, ""), OK);
    (void)measured(w, incident_measure, &text);
    assert_non_null(strstr(text, "first reports: 0"));
    assert_non_null(strstr(text, "later than 24 hours: 0"));
}

static void a_tenant_that_leaves_late_was_late(void **state)
{
    struct world *w = *state;
    const char *text;

    add_customers(w);
    struct incident i = detect(w, 30, "{\"id\":\"gone\"}");
    leave(w, "gone");
    must(close_it(w, i.id, "") == OK);
    (void)measured(w, incident_measure, &text);
    assert_non_null(strstr(text, "later than 24 hours: 1"));
}

static void nobody_concerned_takes_a_reason(void **state)
{
    struct world *w = *state;
    struct notice_row row;
    const char *text;

    add_customers(w);
    struct incident soon = detect(w, 1, ""), late = detect(w, 72, "");
    assert_int_equal(publish(w, soon.id, "incident", &row), ERR_CONFLICT);
    assert_int_equal(close_it(w, soon.id, ""), ERR_INVALID);
    assert_string_equal(w->c.fail->field, "nobody_reason");
    must(close_it(w, soon.id, ",\"nobody_reason\":\"監視の誤検知\"") == OK);
    soon = get(w, soon.id);
    assert_string_equal(soon.nobody_reason, "監視の誤検知");
    (void)measured(w, incident_measure, &text);
    assert_non_null(strstr(text, "later than 24 hours: 1"));
    /* a reason after its hours does not undo them */
    must(close_it(w, late.id, ",\"nobody_reason\":\"影響なし\"") == OK);
    (void)measured(w, incident_measure, &text);
    assert_non_null(strstr(text, "past 24 hours: 0"));
    assert_non_null(strstr(text, "later than 24 hours: 1"));
    assert_non_null(strstr(text, "of no concern to customers: 2"));
}

static enum err move(struct world *w, int64_t id, int hours)
{
    struct incident i = get(w, id);

    control(w, TX_WRITE);
    const char *json =
        arena_printf(w->c.mem, "{\"detected_at\":\"%s\"}",
                     clock_format(w->c.mem, w->c.now_us - hours * HOUR));
    return end(w,
               incident_update(&w->c, id, i.version,
                               world_values(w, &incident_edit_form, json), &i));
}

static void its_hours_are_not_put_off(void **state)
{
    struct world *w = *state;
    struct incident i;
    const char *text;

    add_customers(w);
    i = detect(w, 30, "");
    assert_int_equal(move(w, i.id, 1), ERR_CONFLICT);
    assert_string_equal(w->c.fail->field, "detected_at");
    assert_string_equal(w->c.fail->rule, "later");
    must(move(w, i.id, 31) == OK);
    /* those found first have what is left of them, those found later their
     * own */
    const char *const found[] = {"{\"tenants\":[{\"id\":\"acme\"}]}",
                                 "{\"tenants\":[{\"id\":\"gone\"}]}"};
    for (int at = 0; at < 2; at++) {
        i = get(w, i.id);
        control(w, TX_WRITE);
        must(incident_add_tenants(
                 &w->c, i.id, i.version,
                 world_values(w, &incident_tenants_form, found[at]), &i) == OK);
        must(end(w, OK) == OK);
        assert_true(i.due_at == i.detected_at + 24 * HOUR);
    }
    assert_true(control_number(w, "SELECT since FROM incident_tenant WHERE"
                                  " customer_id = 'gone'") >
                i.detected_at + 30 * HOUR);
    /* nor does it leave the 90 days by an older date */
    must(move(w, i.id, 24 * 100) == OK);
    (void)measured(w, incident_measure, &text);
    assert_non_null(strstr(text, "later than 24 hours: 1"));
}

static void a_recovery_that_is_withdrawn_is_none(void **state)
{
    struct world *w = *state;
    struct notice_row first, second;

    add_customers(w);
    struct incident i = detect(w, 1, "{\"id\":\"acme\"}");
    must(publish(w, i.id, "recovery", &first) == OK);
    int64_t at = get(w, i.id).recovered_at;
    assert_true(at == first.notice.published_at && at > 0);
    must(publish(w, i.id, "recovery", &second) == OK);
    withdraw(w, &first);
    assert_true(get(w, i.id).recovered_at == second.notice.published_at);
    withdraw(w, &second);
    assert_int_equal(get(w, i.id).recovered_at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_report_counts_for_who_was_told,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(
            a_suspended_tenant_is_told_of_an_incident, world_set_up,
            world_tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_reads_is_no_report,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(who_is_gone_is_owed_nothing,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_tenant_that_leaves_late_was_late,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(nobody_concerned_takes_a_reason,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(its_hours_are_not_put_off, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_recovery_that_is_withdrawn_is_none,
                                        world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
