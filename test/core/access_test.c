/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see and do what: grants, inheritance, and 404 without any. */
#include "core_fixture.h"

#include "core/search.h"
#include "core/ticket_list.h"

static enum err check(struct world *w, int64_t user, enum right right,
                      int64_t id)
{
    world_begin(w, user, TX_READ);
    return world_end(w, access_check(&w->c, right, id));
}

static enum err put(struct world *w, int64_t actor, enum member_of of,
                    int64_t id, int64_t user, const char *role)
{
    world_begin(w, actor, TX_WRITE);
    return world_end(
        w, member_put(&w->c, (struct member_place){of, id}, user, role));
}

static void knows_nothing_without_a_grant(void **state)
{
    struct world *w = *state;

    assert_int_equal(check(w, w->mari, RIGHT_PROJECT_VIEW, w->project),
                     ERR_NOT_FOUND);
    assert_int_equal(check(w, w->mari, RIGHT_PROGRAM_VIEW, w->program),
                     ERR_NOT_FOUND);
    assert_int_equal(check(w, w->mari, RIGHT_ADMIN, 0), ERR_DENIED);
    assert_int_equal(check(w, w->admin, RIGHT_PROJECT_EDIT, w->project), OK);
    assert_int_equal(check(w, w->admin, RIGHT_PROJECT_EDIT, 99), ERR_NOT_FOUND);
    assert_int_equal(check(w, 0, RIGHT_SIGNED_IN, 0), ERR_AUTH);
    assert_int_equal(check(w, w->admin, RIGHT_NONE, 0), ERR_DENIED);
}

static void inherits_down_the_programs(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        put(w, 1, MEMBER_OF_PROGRAM, w->program, w->mari, "viewer"), OK);
    assert_int_equal(check(w, w->mari, RIGHT_PROJECT_TICKET_VIEW, w->project),
                     OK);
    assert_int_equal(check(w, w->mari, RIGHT_PROJECT_TICKET_EDIT, w->project),
                     ERR_DENIED);
    assert_int_equal(
        put(w, 1, MEMBER_OF_PROJECT, w->project, w->mari, "member"), OK);
    assert_int_equal(check(w, w->mari, RIGHT_PROJECT_TICKET_EDIT, w->project),
                     OK);
    assert_int_equal(check(w, w->mari, RIGHT_PROJECT_DELETE, w->project),
                     ERR_DENIED);
}

static void gives_no_role_above_ones_own(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        put(w, 1, MEMBER_OF_PROJECT, w->project, w->mari, "leader"), OK);
    assert_int_equal(
        put(w, w->mari, MEMBER_OF_PROJECT, w->project, w->mari, "manager"),
        ERR_DENIED);
    assert_int_equal(
        put(w, w->mari, MEMBER_OF_PROJECT, w->project, 1, "member"), OK);
}

static void archived_projects_are_read_only(void **state)
{
    struct world *w = *state;
    struct project p;

    world_begin(w, 1, TX_WRITE);
    assert_int_equal(
        world_end(w, project_update(&w->c, w->project, 1,
                                    world_values(w, &project_edit_form,
                                                 "{\"state\":\"archived\"}"),
                                    &p)),
        OK);
    assert_int_equal(check(w, 1, RIGHT_PROJECT_TICKET_VIEW, w->project), OK);
    assert_int_equal(check(w, 1, RIGHT_PROJECT_TICKET_EDIT, w->project),
                     ERR_CONFLICT);
    assert_int_equal(check(w, 1, RIGHT_PROJECT_EDIT, w->project), OK);
}

static size_t found(struct world *w, int64_t user, const char *text)
{
    const struct search_hit *hits;
    size_t count;

    world_begin(w, user, TX_READ);
    must(search_find(&w->c, text, 20, &hits, &count) == OK);
    must(world_end(w, OK) == OK);
    return count;
}

static void searches_only_what_one_may_see(void **state)
{
    struct world *w = *state;

    assert_int_equal(
        world_edit(w, 1,
                   "{\"op\":\"create\",\"classification\":\"task\","
                   "\"subject\":\"ﾃｽﾄ計画\"},"
                   "{\"op\":\"create\",\"classification\":\"task\","
                   "\"subject\":\"結合テスト\"}"),
        OK);
    assert_int_equal(found(w, 1, "テスト"), 2);
    assert_int_equal(found(w, 1, "計画"), 1);
    assert_int_equal(found(w, 1, "erp-2"), 1);
    assert_int_equal(found(w, 1, "ERP"), 3); /* the project, two tickets */
    assert_int_equal(found(w, w->mari, "テスト"), 0);
    assert_int_equal(found(w, w->mari, "erp-2"), 0);
    assert_int_equal(
        put(w, 1, MEMBER_OF_PROJECT, w->project, w->mari, "viewer"), OK);
    assert_int_equal(found(w, w->mari, "テスト"), 2);
}

static void lists_by_page_in_every_order(void **state)
{
    struct world *w = *state;
    static const char one[] =
        "{\"op\":\"create\",\"classification\":\"task\",\"subject\":\"x\","
        "\"assignees\":[\"2\",\"1\"]}";

    for (int i = 0; i < 5; i++)
        assert_int_equal(world_edit(w, 1, one), OK);
    for (int sort = 0; ticket_sort_words[sort]; sort++) {
        int64_t after = 0;
        int pages = 0, items = 0;
        do {
            world_begin(w, 1, TX_READ);
            struct buf b = buf_in(w->c.mem);
            struct json_out o = {.b = &b};
            struct ticket_filter f = {.category = -1,
                                      .assignee_id = 1,
                                      .sort = (enum ticket_sort)sort,
                                      .after_id = after,
                                      .limit = 2};
            must(ticket_list_write(&w->c, w->project, &f, &o) == OK);
            size_t offset;
            const struct json *list =
                json_parse(w->c.mem, b.data, b.len, &offset);
            assert_non_null(list);
            for (const struct json *i = json_get(list, "items")->child; i;
                 i = i->next)
                items++;
            const struct json *next = json_get(list, "next");
            after = next->kind == JSON_TEXT ? atoll(next->text) : 0;
            pages++;
            must(world_end(w, OK) == OK);
        } while (after && pages < 10);
        assert_int_equal(items, 5);
        assert_int_equal(pages, 3);
    }
}

static void programs_nest_ten_deep_and_never_in_a_loop(void **state)
{
    struct world *w = *state;
    int64_t parent = w->program;
    struct program p;

    for (int level = 2; level <= 11; level++) {
        world_begin(w, 1, TX_WRITE);
        const struct values *v = world_values(
            w, &program_form,
            arena_printf(w->c.mem,
                         "{\"key\":\"L%d\",\"name\":\"L\",\"parent\":"
                         "\"%lld\"}",
                         level, (long long)parent));
        enum err e = world_end(w, program_create(&w->c, v, &p));
        assert_int_equal(e, level <= 10 ? OK : ERR_CONFLICT);
        parent = p.id;
    }
    world_begin(w, 1, TX_WRITE);
    const struct values *v =
        world_values(w, &program_edit_form, "{\"parent\":\"3\"}");
    assert_int_equal(world_end(w, program_update(&w->c, w->program, 1, v, &p)),
                     ERR_CONFLICT);
    assert_string_equal(w->c.fail->rule, "parent_cycle");
    world_begin(w, 1, TX_WRITE);
    assert_int_equal(world_end(w, program_delete(&w->c, w->program, 1)),
                     ERR_CONFLICT);
}

int main(void)
{
#define RULE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        RULE(knows_nothing_without_a_grant),
        RULE(inherits_down_the_programs),
        RULE(gives_no_role_above_ones_own),
        RULE(archived_projects_are_read_only),
        RULE(searches_only_what_one_may_see),
        RULE(lists_by_page_in_every_order),
        RULE(programs_nest_ten_deep_and_never_in_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
