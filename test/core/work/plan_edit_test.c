/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of changing a plan. */
#include "core/core_fixture.h"

#define ADMIN 1
#define TASK  "\"classification\":\"task\""

static void make(struct world *w, const char *json)
{
    enum err e = world_edit(w, ADMIN, json);

    if (e)
        print_message("%s: %s\n", err_name(e),
                      w->c.fail ? w->c.fail->message : "");
    assert_int_equal(e, OK);
}

static const char *detail_of(const struct world *w)
{
    const struct failure *f = w->c.fail;
    must(f != NULL && f->detail_json != NULL);
    return f->detail_json;
}

static void refuses(struct world *w, const char *json, enum err err,
                    const char *field, const char *rule)
{
    assert_int_equal(world_edit(w, ADMIN, json), err);
    assert_non_null(w->c.fail);
    assert_string_equal(w->c.fail->field, field);
    assert_string_equal(w->c.fail->rule, rule);
}

static void numbers_tickets_and_keeps_their_order(void **state)
{
    struct world *w = *state;

    make(w, "{\"op\":\"create\",\"ref\":\"p\",\"subject\":\"設計\","
            "\"classification\":\"phase\"},"
            "{\"op\":\"create\",\"ref\":\"a\",\"parent\":\"p\","
            "\"subject\":\"A\"," TASK "},"
            "{\"op\":\"create\",\"ref\":\"b\",\"parent\":\"p\","
            "\"subject\":\"B\"," TASK "},"
            "{\"op\":\"create\",\"parent\":\"p\",\"after\":\"a\","
            "\"subject\":\"A2\"," TASK "},"
            "{\"op\":\"create\",\"parent\":\"p\",\"after\":null,"
            "\"subject\":\"first\"," TASK "}");
    static const char nth[] = "SELECT no FROM ticket WHERE parent_id = 1"
                              " ORDER BY rank LIMIT 1 OFFSET ?1";
    assert_int_equal(world_number(w, nth, 0), 5);
    assert_int_equal(world_number(w, nth, 1), 2);
    assert_int_equal(world_number(w, nth, 2), 4);
    assert_int_equal(world_number(w, nth, 3), 3);
    assert_int_equal(world_number(w,
                                  "SELECT next_no FROM project WHERE id = ?1",
                                  w->project),
                     6);
}

static void makes_room_when_the_gaps_are_used_up(void **state)
{
    struct world *w = *state;

    make(w, "{\"op\":\"create\",\"subject\":\"first\"," TASK "},"
            "{\"op\":\"create\",\"subject\":\"last\"," TASK "}");
    for (int i = 0; i < 40; i++)
        make(w,
             "{\"op\":\"create\",\"after\":\"1\",\"subject\":\"x\"," TASK "}");
    assert_int_equal(
        world_number(w, "SELECT no FROM ticket ORDER BY rank LIMIT 1 OFFSET 1",
                     0),
        42);
    assert_int_equal(
        world_number(w, "SELECT no FROM ticket ORDER BY rank DESC LIMIT 1", 0),
        2);
    assert_int_equal(
        world_number(w, "SELECT count(DISTINCT rank) FROM ticket", 0), 42);
}

static void reports_every_refused_value(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        world_edit(w, ADMIN,
                   "{\"op\":\"create\",\"subject\":\"A\"," TASK ","
                   "\"planned_start\":\"2026-11-20\","
                   "\"planned_end\":\"2026-11-19\"},"
                   "{\"op\":\"create\",\"subject\":\"B\","
                   "\"classification\":\"nonsense\",\"assignee\":\"99\"},"
                   "{\"op\":\"create\"," TASK "}"),
        ERR_INVALID);
    const struct failure *f = w->c.fail;
    assert_string_equal(f->field, "edits.0.planned_end");
    assert_string_equal(f->rule, "end_before_start");
    f = f->next;
    assert_string_equal(f->field, "edits.1.classification");
    f = f->next;
    assert_string_equal(f->field, "edits.1.assignee");
    f = f->next;
    assert_string_equal(f->field, "edits.2.subject");
    assert_null(f->next);
    assert_int_equal(world_number(w, "SELECT count(*) FROM ticket", 0), 0);
}

static void takes_long_names_up_to_the_limit_and_emoji(void **state)
{
    struct world *w = *state;
    char name[1024] = "", json[2048];

    for (int i = 0; i < 255; i++)
        strncat(name, "櫓", sizeof name - strlen(name) - 1);
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"create\"," TASK ",\"subject\":\"%s\"}", name);
    make(w, json);
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"create\"," TASK ",\"subject\":\"%s櫓\"}", name);
    refuses(w, json, ERR_INVALID, "edits.0.subject", "max_length");
    make(w, "{\"op\":\"create\"," TASK ",\"subject\":\"🗼 ﾃｽﾄ\"}");
}

static void pushes_successors_by_working_days(void **state)
{
    struct world *w = *state;

    /* Friday 20; Monday 23 is a holiday (labour thanksgiving) */
    make(w, "{\"op\":\"create\",\"ref\":\"a\",\"subject\":\"A\"," TASK ","
            "\"planned_start\":\"2026-11-19\",\"planned_end\":\"2026-11-20\"},"
            "{\"op\":\"create\",\"ref\":\"b\",\"subject\":\"B\"," TASK ","
            "\"planned_start\":\"2026-11-19\",\"planned_end\":\"2026-11-20\"},"
            "{\"op\":\"link\",\"predecessor\":\"a\",\"successor\":\"b\"}");
    assert_int_equal(world_day(w, 2, "start"), day("2026-11-24"));
    assert_int_equal(world_day(w, 2, "end"), day("2026-11-25"));
    make(w, "{\"op\":\"update\",\"id\":\"1\",\"version\":1,"
            "\"planned_end\":\"2026-11-24\"}");
    assert_int_equal(world_day(w, 2, "start"), day("2026-11-25"));
    assert_int_equal(
        world_number(w,
                     "SELECT count(*) FROM change WHERE ticket_id = 2"
                     " AND field = 'planned_start'",
                     0),
        2);
    assert_int_equal(world_number(w,
                                  "SELECT count(*) FROM operation"
                                  " WHERE action = 'reschedule'",
                                  0),
                     2);
}

static void leaves_manual_tickets_and_says_so(void **state)
{
    struct world *w = *state;
    struct plan_edit_result r;

    make(w, "{\"op\":\"create\",\"ref\":\"a\",\"subject\":\"A\"," TASK ","
            "\"planned_start\":\"2026-11-19\",\"planned_end\":\"2026-11-20\"},"
            "{\"op\":\"create\",\"ref\":\"b\",\"subject\":\"B\"," TASK ","
            "\"manual\":true,"
            "\"planned_start\":\"2026-11-19\",\"planned_end\":\"2026-11-20\"}");
    world_begin(w, ADMIN, TX_WRITE);
    const struct values *v =
        world_values(w, &plan_edit_form,
                     "{\"edits\":[{\"op\":\"link\",\"predecessor\":\"1\","
                     "\"successor\":\"2\",\"kind\":\"FS\",\"lag\":1}]}");
    assert_int_equal(plan_edit_apply_form(&w->c, w->project, v, -1, &r), OK);
    assert_int_equal(r.conflict_count, 1);
    assert_int_equal(r.conflicts[0].ticket_id, 2);
    assert_int_equal(world_end(w, OK), OK);
    assert_int_equal(world_day(w, 2, "start"), day("2026-11-19"));
}

static void rolls_parents_up(void **state)
{
    struct world *w = *state;

    make(w, "{\"op\":\"create\",\"ref\":\"p\",\"subject\":\"P\","
            "\"classification\":\"phase\"},"
            "{\"op\":\"create\",\"parent\":\"p\",\"subject\":\"A\"," TASK ","
            "\"planned_start\":\"2026-11-16\",\"planned_end\":\"2026-11-16\","
            "\"progress\":100},"
            "{\"op\":\"create\",\"parent\":\"p\",\"subject\":\"B\"," TASK ","
            "\"planned_start\":\"2026-11-17\","
            "\"planned_end\":\"2026-11-19\"}");
    assert_int_equal(world_day(w, 1, "start"), day("2026-11-16"));
    assert_int_equal(world_day(w, 1, "end"), day("2026-11-19"));
    assert_int_equal(
        world_number(w, "SELECT progress FROM ticket WHERE no = ?1", 1), 25);
    refuses(w,
            "{\"op\":\"update\",\"id\":\"1\",\"version\":2,"
            "\"planned_end\":\"2026-12-24\"}",
            ERR_CONFLICT, "edits.0.planned_end", "derived");
    make(w, "{\"op\":\"update\",\"id\":\"2\",\"version\":1,"
            "\"planned_start\":\"2026-11-12\",\"parent\":null}");
    assert_int_equal(world_day(w, 1, "start"), day("2026-11-17"));
    assert_int_equal(
        world_number(w, "SELECT progress FROM ticket WHERE no = ?1", 1), 0);
}

static void refuses_cycles_and_names_the_path(void **state)
{
    struct world *w = *state;

    make(w, "{\"op\":\"create\",\"ref\":\"a\",\"subject\":\"A\"," TASK "},"
            "{\"op\":\"create\",\"ref\":\"p\",\"subject\":\"P\"," TASK "},"
            "{\"op\":\"create\",\"ref\":\"b\",\"parent\":\"p\","
            "\"subject\":\"B\"," TASK "},"
            "{\"op\":\"link\",\"predecessor\":\"a\",\"successor\":\"b\"}");
    refuses(w, "{\"op\":\"link\",\"predecessor\":\"3\",\"successor\":\"1\"}",
            ERR_CONFLICT, "edits.0.successor", "cycle");
    assert_non_null(strstr(detail_of(w), "\"ERP-1\""));
    assert_non_null(strstr(detail_of(w), "\"ERP-3\""));
    refuses(w, "{\"op\":\"link\",\"predecessor\":\"2\",\"successor\":\"1\"}",
            ERR_CONFLICT, "edits.0.successor", "cycle");
    refuses(w, "{\"op\":\"link\",\"predecessor\":\"2\",\"successor\":\"3\"}",
            ERR_CONFLICT, "edits.0.successor", "family");
    refuses(w, "{\"op\":\"link\",\"predecessor\":\"1\",\"successor\":\"1\"}",
            ERR_INVALID, "edits.0.successor", "self");
    refuses(w, "{\"op\":\"link\",\"predecessor\":\"1\",\"successor\":\"3\"}",
            ERR_CONFLICT, "edits.0.successor", "linked");
    refuses(w,
            "{\"op\":\"update\",\"id\":\"2\",\"version\":1,"
            "\"parent\":\"3\"}",
            ERR_CONFLICT, "edits.0.parent", "parent_cycle");
}

static void shows_the_current_row_when_stale(void **state)
{
    struct world *w = *state;

    make(w, "{\"op\":\"create\",\"subject\":\"A\"," TASK "}");
    make(w, "{\"op\":\"update\",\"id\":\"1\",\"version\":1,"
            "\"subject\":\"A2\"},"
            "{\"op\":\"update\",\"id\":\"1\",\"version\":1,"
            "\"due\":\"2026-12-01\"}"); /* its own change is not stale */
    refuses(w,
            "{\"op\":\"update\",\"id\":\"1\",\"version\":1,"
            "\"subject\":\"A3\"}",
            ERR_STALE, "edits.0.version", "stale");
    assert_non_null(strstr(detail_of(w), "\"A2\""));
    assert_non_null(strstr(detail_of(w), "管理 太郎"));
    refuses(w, "{\"op\":\"update\",\"id\":\"1\",\"subject\":\"A3\"}",
            ERR_INVALID, "edits.0.version", "required");
}

static void deletes_and_restores_whole_subtrees(void **state)
{
    struct world *w = *state;
    static const char alive[] =
        "SELECT count(*) FROM ticket WHERE deleted_at IS NULL";

    make(w,
         "{\"op\":\"create\",\"ref\":\"p\",\"subject\":\"P\"," TASK "},"
         "{\"op\":\"create\",\"ref\":\"a\",\"parent\":\"p\","
         "\"subject\":\"A\"," TASK "},"
         "{\"op\":\"create\",\"parent\":\"a\",\"subject\":\"AA\"," TASK
         "},{\"op\":\"create\",\"parent\":\"p\",\"subject\":\"B\"," TASK "}");
    make(w, "{\"op\":\"delete\",\"id\":\"4\",\"version\":1}");
    make(w, "{\"op\":\"delete\",\"id\":\"1\",\"version\":1}");
    assert_int_equal(world_number(w, alive, 0), 0);
    refuses(w, "{\"op\":\"update\",\"id\":\"2\",\"version\":2,\"due\":null}",
            ERR_NOT_FOUND, "edits.0.id", "deleted");
    make(w, "{\"op\":\"restore\",\"id\":\"1\"}");
    assert_int_equal(world_number(w, alive, 0), 3);
    make(w, "{\"op\":\"restore\",\"id\":\"4\"}");
    assert_int_equal(world_number(w, alive, 0), 4);
}

static void done_means_complete(void **state)
{
    struct world *w = *state;
    int64_t done =
        world_number(w,
                     "SELECT s.id FROM status s JOIN classification k"
                     " ON k.id = s.classification_id WHERE k.key = 'task'"
                     " AND s.category = 2",
                     0);
    char json[200];

    make(w, "{\"op\":\"create\",\"subject\":\"A\"," TASK "}");
    (void)snprintf(json, sizeof json,
                   "{\"op\":\"update\",\"id\":\"1\",\"version\":1,"
                   "\"status\":\"%lld\"}",
                   (long long)done);
    make(w, json);
    assert_int_equal(world_number(w, "SELECT progress FROM ticket", 0), 100);
    assert_int_equal(world_number(w, "SELECT actual_end FROM ticket", 0),
                     day("2026-11-22"));
    refuses(w,
            "{\"op\":\"update\",\"id\":\"1\",\"version\":2,"
            "\"classification\":\"risk\"}",
            ERR_CONFLICT, "edits.0.classification", "family");
    make(w, "{\"op\":\"update\",\"id\":\"1\",\"version\":2,"
            "\"classification\":\"milestone\"}");
    assert_int_equal(
        world_number(w,
                     "SELECT s.category FROM ticket t JOIN status s"
                     " ON s.id = t.status_id",
                     0),
        2);
}

static void contributors_change_only_their_own(void **state)
{
    struct world *w = *state;

    assert_int_equal(w->mari, 2);
    make(w, "{\"op\":\"create\",\"subject\":\"A\"," TASK "}");
    assert_int_equal(world_edit(w, 2,
                                "{\"op\":\"update\",\"id\":\"1\","
                                "\"version\":1,\"progress\":50}"),
                     ERR_DENIED); /* no grant: the route says 404 before */
    refuses(w,
            "{\"op\":\"create\",\"subject\":\"B\"," TASK ","
            "\"assignee\":\"2\"}",
            ERR_INVALID, "edits.0.assignee", "cannot_see");
    world_begin(w, ADMIN, TX_WRITE);
    assert_int_equal(world_end(w, member_put(&w->c,
                                             (struct member_place){
                                                 MEMBER_OF_PROGRAM, w->program},
                                             2, "contributor")),
                     OK);
    make(w, "{\"op\":\"create\",\"subject\":\"B\"," TASK ","
            "\"assignee\":\"2\"}");
    assert_int_equal(world_edit(w, 2,
                                "{\"op\":\"update\",\"id\":\"2\","
                                "\"version\":1,\"progress\":50}"),
                     OK);
    assert_int_equal(world_edit(w, 2,
                                "{\"op\":\"update\",\"id\":\"1\","
                                "\"version\":1,\"progress\":50}"),
                     ERR_DENIED);
    assert_int_equal(
        world_edit(w, 2, "{\"op\":\"create\",\"subject\":\"C\"," TASK "}"),
        ERR_DENIED);
}

static void writes_the_plan_depth_first(void **state)
{
    struct world *w = *state;

    world_begin(w, ADMIN, TX_WRITE);
    must(world_end(
             w, member_put(&w->c,
                           (struct member_place){MEMBER_OF_PROJECT, w->project},
                           w->mari, "viewer")) == OK);
    make(w, "{\"op\":\"create\",\"ref\":\"p\",\"subject\":\"P\"," TASK "},"
            "{\"op\":\"create\",\"subject\":\"Q\"," TASK "},"
            "{\"op\":\"create\",\"parent\":\"p\",\"subject\":\"A\"," TASK ","
            "\"assignee\":\"2\"}");
    world_begin(w, ADMIN, TX_READ);
    struct buf b = buf_in(w->c.mem);
    struct json_out o = {.b = &b};
    assert_int_equal(plan_view_write(&w->c, w->project, -1, &o), OK);
    size_t offset;
    const struct json *plan = json_parse(w->c.mem, b.data, b.len, &offset);
    assert_non_null(plan);
    const struct json *row = json_get(plan, "rows")->child;
    assert_string_equal(row->child->text, "1");
    assert_string_equal(row->next->child->text, "3");
    assert_string_equal(row->next->next->child->text, "2");
    assert_null(row->next->next->next);
    assert_string_equal(json_get(plan, "people")->child->child->text, "2");
    assert_non_null(json_get(json_get(plan, "calendar"), "holidays")->child);
    assert_int_equal(world_end(w, OK), OK);
    make(w, "{\"op\":\"delete\",\"id\":\"2\",\"version\":1}");
    world_begin(w, ADMIN, TX_READ);
    b = buf_in(w->c.mem);
    o = (struct json_out){.b = &b};
    assert_int_equal(plan_view_write(&w->c, w->project, 1, &o), OK);
    plan = json_parse(w->c.mem, b.data, b.len, &offset);
    assert_non_null(plan);
    assert_null(json_get(plan, "rows")->child);
    assert_string_equal(
        json_get(json_get(plan, "gone"), "tickets")->child->text, "2");
    assert_int_equal(world_end(w, OK), OK);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(numbers_tickets_and_keeps_their_order),
        RULE(makes_room_when_the_gaps_are_used_up),
        RULE(reports_every_refused_value),
        RULE(takes_long_names_up_to_the_limit_and_emoji),
        RULE(pushes_successors_by_working_days),
        RULE(leaves_manual_tickets_and_says_so),
        RULE(rolls_parents_up),
        RULE(refuses_cycles_and_names_the_path),
        RULE(shows_the_current_row_when_stale),
        RULE(deletes_and_restores_whole_subtrees),
        RULE(done_means_complete),
        RULE(contributors_change_only_their_own),
        RULE(writes_the_plan_depth_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
