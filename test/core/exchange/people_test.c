/* SPDX-License-Identifier: Apache-2.0 */
/* Who may touch an administrator, what a file of people may hold, and what
 * becomes of a job. */
#include "core/core_fixture.h"

#include "core/account/user.h"
#include "core/exchange/job.h"
#include "core/exchange/people_csv.h"

#define HEAD "Action,E-mail,Name,Language,Master administrator,State\n"
enum { SHOWN_MAX = 16 };

static int set_up(void **state)
{
    must(world_set_up(state) == 0);
    struct world *w = *state;
    world_begin(w, w->admin, TX_WRITE);
    must(query_run(&w->c, query(&w->c, "UPDATE user SET is_admin = 1"
                                       " WHERE id = 1")) == OK);
    must(world_end(w, OK) == OK);
    return 0;
}

/* The mistakes of a file as "line:column:rule", one after the other. */
static const char *mistakes(struct world *w, int64_t user, const char *csv)
{
    struct people_file f;

    world_begin(w, user, TX_READ);
    people_csv_read(&w->c, csv, strlen(csv), &f);
    if (f.error_count == 0)
        must(people_csv_check(&w->c, &f) == OK);
    struct buf b = buf_in(w->c.mem);
    buf_puts(&b, "");
    must(f.error_count < SHOWN_MAX);
    for (size_t i = 0; i < f.error_count; i++)
        buf_printf(&b, "%s%d:%d:%s", i ? " " : "", f.errors[i].line,
                   f.errors[i].column, f.errors[i].rule);
    must(world_end(w, OK) == OK);
    return b.data;
}

static void a_file_is_judged_as_a_whole(void **state)
{
    struct world *w = *state;

    assert_string_equal(mistakes(w, 1, HEAD "Add,a@x.jp,A,,,\n"), "");
    assert_string_equal(
        mistakes(w, 1, HEAD "Change,mari@example.jp,,,Yes,Suspended\n"), "");
    assert_string_equal(mistakes(w, 1, HEAD "Delete,admin@example.jp,,,,\n"),
                        "2:1:self 2:1:last_admin");
    assert_string_equal(mistakes(w, 1,
                                 HEAD "Change,mari@example.jp,,,Yes,\n"
                                      "Delete,admin@example.jp,,,,\n"),
                        "3:1:self");
    assert_string_equal(mistakes(w, 1,
                                 HEAD "Delete,MARI@example.jp,,,,\n"
                                      "\"Change\",\"mari@example.jp\",,,,\n"),
                        "3:2:email_twice");
    assert_string_equal(mistakes(w, 1, "Action,Action,Boss\n1,2,3\n"),
                        "1:2:column_twice 1:3:unknown_column 1:0:no_column");
    assert_string_equal(mistakes(w, 1, HEAD "Add,\"a@x.jp,A"), "2:2:quote");
    assert_string_equal(mistakes(w, 1, "\xff\xfe" HEAD), "1:0:encoding");
}

static void nobody_else_touches_an_administrator(void **state)
{
    struct world *w = *state;
    struct user u;

    assert_string_equal(
        mistakes(w, w->mari,
                 HEAD "Add,a@x.jp,A,,Yes,\nDelete,admin@example.jp,,,,\n"),
        "2:5:admin_only 3:5:admin_only 3:1:last_admin");
    world_begin(w, w->mari, TX_WRITE);
    assert_int_equal(
        user_update(&w->c, NULL, w->mari, 1,
                    world_values(w, &user_edit_form, "{\"is_admin\":true}"),
                    &u),
        ERR_DENIED);
    assert_string_equal(w->c.fail->rule, "admin_only");
    assert_int_equal(world_end(w, ERR_DENIED), ERR_DENIED);
    world_begin(w, w->mari, TX_WRITE);
    assert_int_equal(world_end(w, user_delete(&w->c, w->admin, 1)), ERR_DENIED);
}

static void a_job_waits_runs_and_waits_again_after_a_stop(void **state)
{
    struct world *w = *state;
    struct job job, again;
    struct job_order order;

    world_begin(w, w->admin, TX_WRITE);
    assert_int_equal(job_add(&w->c, JOB_PEOPLE_IMPORT, "abc", 3, 1, &job), OK);
    assert_int_equal(job_add(&w->c, JOB_PEOPLE_IMPORT, "abc", 3, 1, &again),
                     ERR_CONFLICT);
    assert_int_equal(job_take(&w->c, &order), OK);
    assert_int_equal(order.input_len, 3);
    assert_int_equal(job_take(&w->c, &order), ERR_NOT_FOUND);
    assert_int_equal(job_requeue(&w->c), OK);
    assert_int_equal(job_take(&w->c, &order), OK);
    assert_int_equal(job_end(&w->c, job.id, JOB_DONE, 1, "{}"), OK);
    assert_int_equal(job_end(&w->c, job.id, JOB_FAILED, 0, NULL), OK);
    assert_int_equal(job_get(&w->c, job.id, &again), OK);
    assert_int_equal(again.state, JOB_DONE);
    assert_int_equal(job_cancel(&w->c, job.id, &again), OK);
    assert_int_equal(again.state, JOB_DONE);
    assert_int_equal(world_end(w, OK), OK);
    world_begin(w, w->mari, TX_READ);
    assert_int_equal(job_get(&w->c, job.id, &again), ERR_NOT_FOUND);
    assert_int_equal(world_end(w, OK), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_judged_as_a_whole, set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_touches_an_administrator,
                                        set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(
            a_job_waits_runs_and_waits_again_after_a_stop, set_up,
            world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
