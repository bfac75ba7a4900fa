/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see and do what: grants, inheritance, and 404 without any. */
#include "core/core_fixture.h"

#include "core/work/effective_access.h"
#include "core/work/search.h"
#include "core/work/ticket_list.h"

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

    assert_int_equal(
        put(w, 1, MEMBER_OF_PROJECT, w->project, w->mari, "viewer"), OK);
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

/* ---- one rule, asked in every way ---- */

enum { PEOPLE = 8, OBJECTS = 12, ODD_ROLES = 6 };

static int64_t run_number(struct world *w, const char *sql, int64_t a,
                          int64_t b)
{
    struct query *q = query(&w->c, sql);

    bind_id(q, 1, a);
    if (strstr(sql, "?2"))
        bind_id(q, 2, b);
    must(query_run(&w->c, q) == OK);
    return db_last_id(&w->c);
}

/* The same numbers each time. */
static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % below;
}

struct maze {
    int64_t programs[OBJECTS], projects[OBJECTS], people[PEOPLE], roles[16];
    size_t role_count;
};

static void build_people(struct world *w, struct maze *m, unsigned *seed)
{
    static const char *const odd[ODD_ROLES] = {
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('a' || ?1, '', "
        "'', 16, 9)",
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('b' || ?1, '', "
        "'', 256 + 512, 9)",
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('c' || ?1, '', "
        "'', 1 + 32, 9)",
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('d' || ?1, '', "
        "'', 2 + 4, 9)",
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('e' || ?1, '', "
        "'', 32768, 9)",
        "INSERT INTO role (key, ja, en, rights, rank) VALUES ('f' || ?1, '', "
        "'', 1024 + 8192, 9)"};

    for (int i = 0; i < ODD_ROLES; i++)
        m->roles[m->role_count++] = run_number(w, odd[i], 1, 0);
    for (int64_t id = 1; id <= 6; id++) /* those of the product */
        m->roles[m->role_count++] = id;
    for (int i = 0; i < PEOPLE; i++) {
        const char *name = arena_printf(w->c.mem, "p%d@example.jp", i);
        m->people[i] = world_add_user(w, name, name);
    }
    for (int i = 0; i < 3; i++) {
        int64_t group = run_number(w,
                                   "INSERT INTO permission_group (name,"
                                   " created_at) VALUES ('g' || ?1, 0)",
                                   i + 1, 0);
        for (int j = 0; j < 3; j++)
            (void)run_number(w,
                             "INSERT OR IGNORE INTO group_member (group_id,"
                             " user_id) VALUES (?1, ?2)",
                             group, m->people[draw(seed, PEOPLE)]);
    }
}

static void build_objects(struct world *w, struct maze *m, unsigned *seed)
{
    for (int i = 0; i < OBJECTS; i++) {
        for (int of = 0; of < 2; of++) {
            struct query *q = query(&w->c, "INSERT INTO key_name (key)"
                                           " VALUES (?1)");
            const char *key =
                arena_printf(w->c.mem, "%c%d", of ? 'Q' : 'P', 10 + i);
            int64_t above =
                draw(seed, 3) && i ? m->programs[draw(seed, (unsigned)i)] : 0;
            bind_text(q, 1, key);
            must(query_run(&w->c, q) == OK);
            q = query(&w->c, of ? "INSERT INTO project (key, program_id, name,"
                                  " approach, created_at) VALUES (?1, ?2, ?1,"
                                  " 0, 0)"
                                : "INSERT INTO program (key, parent_id, name,"
                                  " created_at) VALUES (?1, ?2, ?1, 0)");
            bind_text(q, 1, key);
            bind_id(q, 2, above);
            must(query_run(&w->c, q) == OK);
            *(of ? &m->projects[i] : &m->programs[i]) = db_last_id(&w->c);
        }
    }
}

static void grant_at_random(struct world *w, struct maze *m, unsigned *seed)
{
    for (int i = 0; i < 60; i++) {
        struct query *q =
            query(&w->c, "INSERT OR IGNORE INTO access (user_id, group_id,"
                         " program_id, project_id, role_id)"
                         " VALUES (?1, ?2, ?3, ?4, ?5)");
        bool is_group = draw(seed, 4) == 0;
        unsigned where = draw(seed, 12);
        bind_id(q, 1, is_group ? 0 : m->people[draw(seed, PEOPLE)]);
        bind_id(q, 2, is_group ? 1 + draw(seed, 3) : 0);
        bind_id(q, 3, where < 6 ? m->programs[draw(seed, OBJECTS)] : 0);
        bind_id(q, 4,
                where >= 6 && where < 11 ? m->projects[draw(seed, OBJECTS)]
                                         : 0);
        bind_int(q, 5, m->roles[draw(seed, (unsigned)m->role_count)]);
        must(query_run(&w->c, q) == OK);
    }
}

static unsigned sum(const struct effective_access *list, size_t count,
                    int64_t user, bool is_program, int64_t id)
{
    unsigned rights = 0;

    for (size_t i = 0; i < count; i++)
        if (list[i].user_id == user &&
            (!id ||
             (list[i].object_id == id && list[i].is_program == is_program)))
            rights |= list[i].rights;
    return access_settle(rights);
}

static bool lists_project(struct world *w, int64_t id)
{
    const struct project *list;
    size_t count;
    bool found = false;

    must(project_list(&w->c, &list, &count) == OK);
    for (size_t i = 0; i < count; i++)
        found = found || list[i].id == id;
    return found;
}

/* What the check, the lists, and both pages say of one person and object. */
static void compare(struct world *w, int64_t user, bool is_program, int64_t id)
{
    const struct effective_access *of_place, *of_user;
    size_t at_place, at_user;
    struct member_place at = {
        is_program ? MEMBER_OF_PROGRAM : MEMBER_OF_PROJECT, id};
    unsigned view = is_program ? MAY_PROGRAM_VIEW : MAY_PROJECT_VIEW;
    unsigned rights = 0, other = 0;
    bool more;

    world_begin(w, w->admin, TX_READ);
    must(effective_access_of_place(&w->c, at, NULL, 0, 200, &of_place,
                                   &at_place, &more) == OK);
    must(effective_access_of_user(&w->c, user, NULL, 200, &of_user, &at_user,
                                  &more) == OK);
    unsigned by_place = sum(of_place, at_place, user, false, 0);
    unsigned by_user = sum(of_user, at_user, user, is_program, id);
    if (!is_program)
        must(access_project_of(&w->c, user, id, &other) == OK);
    must(world_end(w, OK) == OK);
    world_begin(w, user, TX_READ);
    must((is_program ? access_program(&w->c, id, &rights)
                     : access_project(&w->c, id, &rights)) == OK);
    bool is_listed = is_program || lists_project(w, id);
    must(world_end(w, OK) == OK);
    assert_int_equal(by_place, by_user);
    assert_int_equal(by_place, rights & view ? rights : 0);
    if (is_program)
        return;
    assert_int_equal(rights, other);
    assert_int_equal(is_listed, (rights & view) != 0);
    assert_int_equal(check(w, user, RIGHT_PROJECT_VIEW, id),
                     is_listed ? OK : ERR_NOT_FOUND);
}

static void says_the_same_of_every_pair_in_every_way(void **state)
{
    struct world *w = *state;
    static struct maze m;
    unsigned seed = 46;

    m = (struct maze){0};
    world_begin(w, w->admin, TX_WRITE);
    build_people(w, &m, &seed);
    build_objects(w, &m, &seed);
    grant_at_random(w, &m, &seed);
    (void)run_number(w, "UPDATE user SET is_admin = 1 WHERE id = ?1", w->admin,
                     0);
    must(world_end(w, OK) == OK);
    for (int i = 0; i < PEOPLE; i++) {
        for (int j = 0; j < OBJECTS; j++) {
            compare(w, m.people[i], true, m.programs[j]);
            compare(w, m.people[i], false, m.projects[j]);
        }
    }
    compare(w, w->admin, false, m.projects[0]);
}

static void adds_nothing_that_the_maker_could_not_see(void **state)
{
    struct world *w = *state;
    struct project p;

    world_begin(w, w->admin, TX_WRITE);
    (void)run_number(w,
                     "INSERT INTO role (key, ja, en, rights, rank) VALUES"
                     " ('adder' || ?1, '', '', 1 + 32, 9)",
                     1, 0);
    must(world_end(w, OK) == OK);
    assert_int_equal(
        put(w, 1, MEMBER_OF_PROGRAM, w->program, w->mari, "adder1"), OK);
    world_begin(w, w->mari, TX_WRITE);
    const struct values *v = world_values(
        w, &project_form,
        arena_printf(w->c.mem,
                     "{\"key\":\"NEW\",\"name\":\"n\",\"approach\":"
                     "\"waterfall\",\"program\":\"%lld\"}",
                     (long long)w->program));
    assert_int_equal(world_end(w, project_create(&w->c, v, &p)), ERR_DENIED);
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
        RULE(says_the_same_of_every_pair_in_every_way),
        RULE(adds_nothing_that_the_maker_could_not_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
