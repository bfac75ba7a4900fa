/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of master data: what may be taken away, what a value may be, and
 * that plans follow their calendar in the same transaction. */
#include "core/core_fixture.h"

#include "core/master/classification.h"
#include "core/master/field_value.h"
#include "core/master/label.h"
#include "core/work/workday.h"

#define ADMIN 1

static int64_t kind_id(struct world *w)
{
    return world_number(w, "SELECT id FROM classification WHERE key = 'task'",
                        0);
}

static void says(const struct world *w, enum err e, const char *rule)
{
    assert_int_not_equal(e, OK);
    assert_non_null(w->c.fail);
    assert_string_equal(w->c.fail->rule, rule);
}

static int64_t add_label(struct world *w, const char *name)
{
    struct label l = {0};

    world_begin(w, ADMIN, TX_WRITE);
    const struct values *v = world_values(
        w, &label_form,
        arena_printf(w->c.mem,
                     "{\"kind\":\"free\",\"name\":\"%s\",\"color\":\"red\"}",
                     name));
    assert_int_equal(world_end(w, label_create(&w->c, v, &l)), OK);
    return l.id;
}

static void a_merge_moves_every_use_once(void **state)
{
    struct world *w = *state;
    int64_t a = add_label(w, "a"), b = add_label(w, "b");
    struct label out;

    assert_int_equal(
        world_edit(w, ADMIN,
                   "{\"op\":\"create\",\"subject\":\"x\",\"classification\":"
                   "\"task\",\"labels\":[\"1\"]},{\"op\":\"create\",\"subject\""
                   ":\"y\",\"classification\":\"task\",\"labels\":[\"1\","
                   "\"2\"]}"),
        OK);
    world_begin(w, ADMIN, TX_WRITE);
    says(w, label_delete(&w->c, a, 1), "in_use");
    must(world_end(w, ERR_CONFLICT) != OK);
    world_begin(w, ADMIN, TX_WRITE);
    says(w, label_merge(&w->c, a, 1, a, &out), "choice");
    must(world_end(w, ERR_INVALID) != OK);
    world_begin(w, ADMIN, TX_WRITE);
    assert_int_equal(world_end(w, label_merge(&w->c, a, 1, b, &out)), OK);
    assert_int_equal(
        world_number(w, "SELECT count(*) FROM ticket_label WHERE label_id = ?1",
                     b),
        2);
    assert_int_equal(world_number(w, "SELECT count(*) FROM ticket_label", 0),
                     2);
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM change"
                                  " WHERE field = 'labels' AND after = 'b'",
                                  0),
                     2);
}

static enum err put_set(struct world *w, const char *statuses, int64_t version)
{
    world_begin(w, ADMIN, TX_READ);
    must(world_end(w, OK) == OK);
    int64_t id = kind_id(w);
    world_begin(w, ADMIN, TX_WRITE);
    const struct values *v =
        world_values(w, &classification_statuses_form, statuses);
    must(v != NULL);
    return world_end(w, classification_put_statuses(&w->c, id, version, v));
}

static void a_set_of_statuses_has_a_beginning_and_an_end(void **state)
{
    struct world *w = *state;
#define ROW(name, category)                                                    \
    "{\"ja\":\"" name "\",\"en\":\"" name "\",\"color\":\"gray\","             \
    "\"category\":\"" category "\"}"

    says(w, put_set(w, "{\"statuses\":[" ROW("a", "todo") "]}", 1),
         "category_missing");
    says(w, put_set(w, "{\"statuses\":[" ROW("a", "done") "]}", 1),
         "category_missing");
    says(w,
         put_set(w,
                 "{\"statuses\":[" ROW("a", "todo") "," ROW("a", "done") "]}",
                 1),
         "unique");
    static const char two[] =
        "{\"statuses\":[" ROW("a", "todo") "," ROW("b", "done") "]}";
    assert_int_equal(put_set(w, two, 1), OK);
    says(w, put_set(w, two, 1), "stale");
    static const char count[] =
        "SELECT count(*) FROM status WHERE classification_id = ?1";
    assert_int_equal(world_number(w, count, kind_id(w)), 2);
}

static void values_are_held_to_their_type(void **state)
{
    struct world *w = *state;
    static const struct {
        enum field_type type;
        const char *good, *bad;
    } tries[] = {
        {FIELD_TYPE_INTEGER, "-7", "7.0"},
        {FIELD_TYPE_DECIMAL, "0.25", "0.2.5"},
        {FIELD_TYPE_DAY, "2028-02-29", "2027-02-29"},
        {FIELD_TYPE_CHECK, "true", "1"},
        {FIELD_TYPE_USER, "2", "77"},
        {FIELD_TYPE_URL, "http://a.jp/?b", "data:text/html,x"},
        {FIELD_TYPE_TEXT, "一行", "二\n行"},
        {FIELD_TYPE_CHOICE, "5", "5||6"},
        {FIELD_TYPE_CHOICES, "5||6", "5||"},
    };
    struct field_choice choices[] = {
        {5, "甲", "A", false},
        {6, "乙", "B", false},
    };
    struct field_value v;

    for (size_t i = 0; i < COUNT(tries); i++) {
        struct custom_field f = {.id = 3,
                                 .type = tries[i].type,
                                 .ja = "項目",
                                 .en = "Field",
                                 .choices = choices,
                                 .choice_count = COUNT(choices)};
        world_begin(w, ADMIN, TX_READ);
        assert_int_equal(field_value_take(&w->c, &f, tries[i].good, &v), OK);
        assert_string_equal(v.text, tries[i].good);
        assert_int_equal(field_value_take(&w->c, &f, "", &v), OK);
        assert_null(v.text);
        assert_int_equal(field_value_take(&w->c, &f, tries[i].bad, &v),
                         ERR_INVALID);
        assert_string_equal(w->c.fail->field, "fields.3");
        must(world_end(w, OK) == OK);
    }
}

static void a_calendar_moves_the_plans_that_follow_it(void **state)
{
    struct world *w = *state;

    /* Thursday and Friday, then the next working day. */
    assert_int_equal(
        world_edit(w, ADMIN,
                   "{\"op\":\"create\",\"ref\":\"a\",\"subject\":\"a\","
                   "\"classification\":\"task\",\"planned_start\":"
                   "\"2026-11-26\",\"planned_end\":\"2026-11-27\"},"
                   "{\"op\":\"create\",\"ref\":\"b\",\"subject\":\"b\","
                   "\"classification\":\"task\",\"planned_start\":"
                   "\"2026-11-26\",\"planned_end\":\"2026-11-26\"},"
                   "{\"op\":\"link\",\"predecessor\":\"a\",\"successor\":"
                   "\"b\"}"),
        OK);
    assert_int_equal(world_day(w, 2, "start"), day("2026-11-30"));
    int64_t calendar =
        world_number(w, "SELECT calendar_id FROM tenant WHERE id = 1", 0);
    world_begin(w, ADMIN, TX_WRITE);
    const struct values *v =
        world_values(w, &workdays_form,
                     "{\"weekdays\":62,\"holidays\":true,\"days\":[{\"day\":"
                     "\"2026-11-30\",\"is_working\":false}]}");
    assert_int_equal(world_end(w, workday_put(&w->c, calendar, 1, v)), OK);
    assert_int_equal(world_day(w, 2, "start"), day("2026-12-01"));
}

#define WORLD_TEST(f)                                                          \
    cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_merge_moves_every_use_once),
        WORLD_TEST(a_set_of_statuses_has_a_beginning_and_an_end),
        WORLD_TEST(values_are_held_to_their_type),
        WORLD_TEST(a_calendar_moves_the_plans_that_follow_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
