/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement of every module prepares, and none walks a whole table
 * unless it is listed here. */
#include "core_fixture.h"

#include "core/core.h"

/* Small by nature: master data, programs, the operator's tenants, and what a
 * statement builds itself. */
static const char *const may_scan[] = {
    "SCAN classification",
    "SCAN status",
    "SCAN standard_field",
    "SCAN role",
    "SCAN allow_range",
    "SCAN p",
    "SCAN json_each",
    "SCAN reach",
    "SCAN reached",
    "SCAN borne",
    "SCAN old", /* chains of programs */
    "SCAN new",
    "SCAN above",
    "SCAN below",
    "SCAN below_any",
    "SCAN top",
    "SCAN given",
    "SCAN touched",
    "SCAN what", /* what effective_access.c has put together already */
    "SCAN held",
    "SCAN reason",
    "SCAN seen",
    "SCAN r",
    "SCAN down",
    "SCAN up",
    "SCAN granted",
    "SCAN g",
    "SCAN visible",
    "SCAN CONSTANT ROW",
    "SCAN f VIRTUAL TABLE",
    "SCAN ticket_search",
    "SCAN u",
    "SCAN it",
    "SCAN me",
    "SCAN mine",
    "SCAN hit",
    "SCAN who",
    "SCAN below",
    "SCAN reason",
    "SCAN page",
    "SCAN program", /* rights on all of them at once */
    "SCAN tenant",
    "SCAN customer",
    "SCAN terms",
    "SCAN document",
    "SCAN supplier", /* registers of some dozens */
    "SCAN certification",
    "SCAN review",
    "SCAN advisory",
    "SCAN audit_report",
    "SCAN audit_release",
    "SCAN mail",
    "SCAN alert_rule", /* 50 of them at most */
    "SCAN contact",    /* 10 */
    "SCAN trust_row",  /* 38 of them */
    "SCAN backup_run", /* the newest 30 */
    "SCAN backup_drill",
    "SCAN backup_check",
    "SCAN trust_tenant",
    "SCAN (subquery-1)", /* their history */
    "SCAN (subquery-3)",
    "SCAN token",      /* the trust page */
    "SCAN link",       /* a day's */
    "SCAN reset_wish", /* the oldest */
    "SCAN session",    /* the daily round */
    "SCAN user",       /* counting administrators */
    "SCAN 16-ROW",     /* values in the statement itself */
    "SCAN project",    /* foreign key of a calendar that is dropped */
};

static bool is_allowed(const char *step)
{
    for (size_t i = 0; i < COUNT(may_scan); i++) {
        size_t len = strlen(may_scan[i]);
        if (strncmp(step, may_scan[i], len) == 0 &&
            (step[len] == 0 || step[len] == ' '))
            return true;
    }
    return strstr(step, "USING") != NULL || strstr(step, "SUBQUERY") != NULL;
}

static int check_set(struct world *w, const struct query_set *set)
{
    int bad = 0;

    for (size_t i = 0; i < set->count; i++) {
        enum err e;
        if (!set->text[i])
            continue;
        const char *text =
            arena_printf(w->c.mem, "EXPLAIN QUERY PLAN %s", set->text[i]);
        struct query *q = query(&w->c, text);
        while (query_next(&w->c, q, &e)) {
            const char *step = col_text(&w->c, q, 3);
            if (strncmp(step, "SCAN", 4) == 0 && !is_allowed(step)) {
                print_message("%s %zu: %s\n", set->name, i, step);
                bad++;
            }
        }
        if (e) {
            print_message("%s %zu does not prepare\n", set->name, i);
            bad++;
        }
    }
    return bad;
}

static void every_statement_is_indexed(void **state)
{
    struct world *w = *state;
    int bad = 0;

    world_begin(w, w->admin, TX_READ);
    for (size_t i = 0; i < core_tenant_set_count; i++)
        bad += check_set(w, core_tenant_sets[i]);
    assert_int_equal(world_end(w, OK), OK);
    assert_int_equal(bad, 0);
}

/* People of the operator are asked for with the same statements. */
static void control_knows_its_statements(void **state)
{
    struct world *w = *state;
    struct store *s = w->f->store;
    int bad = 0;

    w->actor = (struct actor){.name = ""};
    w->c = (struct ctx){.mem = w->f->c.mem, .actor = &w->actor};
    assert_int_equal(tx_begin_control(&w->c, s, TX_READ), OK);
    for (size_t i = 0; i < core_control_set_count; i++)
        bad += check_set(w, core_control_sets[i]);
    assert_int_equal(tx_end_control(&w->c, s, OK), OK);
    assert_int_equal(bad, 0);
}

static void the_access_log_is_indexed(void **state)
{
    struct world *w = *state;
    int bad = 0;

    world_begin(w, w->admin, TX_READ);
    assert_int_equal(world_end(w, OK), OK);
    assert_int_equal(tx_begin_access(&w->c, w->f->t, TX_READ), OK);
    for (size_t i = 0; i < core_access_set_count; i++)
        bad += check_set(w, core_access_sets[i]);
    assert_int_equal(tx_end_access(&w->c, w->f->t, OK), OK);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_statement_is_indexed,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(the_access_log_is_indexed, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(control_knows_its_statements,
                                        world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
