/* SPDX-License-Identifier: Apache-2.0 */
/* Support access and consent to the terms: who may decide what, how long it
 * lasts, what closes a tenant. */
#include "core/core_fixture.h"

#include "core/account/rate_limiter.h"
#include "core/account/session.h"
#include "core/account/support_access.h"
#include "core/document/consent.h"

static struct app app = {.operator_listener = -1};
static const struct support_access_operator ops = {77, "運用 一郎",
                                                   "ops@example.jp"};

static struct support_access asked(struct world *w, const char *json)
{
    struct support_access s = {0};

    world_begin(w, 0, TX_WRITE);
    must(world_end(
             w, support_access_ask(&w->c, &app, &ops,
                                   world_values(w, &support_access_form, json),
                                   &s)) == OK);
    return s;
}

static enum err approve(struct world *w, const struct support_access *s,
                        const char *json, struct support_access *out)
{
    world_begin(w, w->admin, TX_WRITE);
    return world_end(w, support_access_approve(
                            &w->c, &app, s->id, s->version,
                            world_values(w, &support_access_approve_form, json),
                            out));
}

static void grants_no_more_than_was_asked_for(void **state)
{
    struct world *w = *state;
    struct support_access s = asked(w, "{\"reason\":\"r\",\"hours\":4}"), out;

    assert_int_equal(approve(w, &s, "{\"hours\":5}", &out), ERR_INVALID);
    assert_int_equal(approve(w, &s, "{\"may_write\":true}", &out), ERR_INVALID);
    assert_int_equal(approve(w, &s, "{\"hours\":2}", &out), OK);
    assert_int_equal(out.state, SUPPORT_ACCESS_GRANTED);
    assert_int_equal(out.hours, 2);
    assert_false(out.may_write);
    assert_int_equal(out.expires_at - out.decided_at, INT64_C(7200000000));
    assert_int_equal(approve(w, &out, "{}", &s), ERR_CONFLICT);
}

static void acts_as_somebody_who_cannot_sign_in(void **state)
{
    struct world *w = *state;
    struct support_access s = asked(w, "{\"reason\":\"r\",\"hours\":1}"), first,
                          again;

    assert_int_equal(approve(w, &s, "{}", &first), OK);
    assert_int_equal(
        world_number(w, "SELECT state FROM user WHERE id = ?1", first.user_id),
        3);
    s = asked(w, "{\"reason\":\"r\",\"hours\":1}");
    assert_int_equal(approve(w, &s, "{}", &again), OK);
    assert_int_equal(first.user_id, again.user_id);
}

static enum err enter(struct world *w, int64_t id, int64_t operator_id,
                      char token[SECRET_TOKEN_CHARS + 1])
{
    char ticket[SECRET_TOKEN_CHARS + 1];

    world_begin(w, 0, TX_WRITE);
    enum err e = support_access_make_token(&w->c, id, operator_id, ticket);
    if (!e)
        e = support_access_enter(&w->c, &app, ticket, "test", token);
    return world_end(w, e);
}

static enum err look_in(struct world *w, const char *token, int64_t later_us,
                        struct session *out)
{
    world_begin(w, 0, TX_READ);
    w->c.now_us += later_us;
    return world_end(w, session_find(&w->c, token, out));
}

static void a_session_lasts_as_long_as_the_grant(void **state)
{
    const int64_t hour = INT64_C(3600000000);
    struct world *w = *state;
    char token[SECRET_TOKEN_CHARS + 1];
    struct support_access s = asked(w, "{\"reason\":\"r\",\"hours\":1}"), grant,
                          end;
    struct session session;

    assert_int_equal(enter(w, s.id, ops.id, token), ERR_DENIED);
    assert_int_equal(approve(w, &s, "{}", &grant), OK);
    assert_int_equal(enter(w, s.id, ops.id + 1, token), ERR_DENIED);
    assert_int_equal(enter(w, s.id, ops.id, token), OK);
    assert_int_equal(look_in(w, token, 0, &session), OK);
    assert_non_null(session.support);
    assert_true(session.user_is_admin);
    assert_false(session.is_fresh);
    assert_int_equal(session.expires_at, grant.expires_at);
    assert_int_equal(look_in(w, token, hour, &session), ERR_AUTH);
    assert_int_equal(look_in(w, token, 0, &session), OK);
    world_begin(w, w->admin, TX_WRITE);
    assert_int_equal(world_end(w, support_access_end(&w->c, &app, s.id, &end)),
                     OK);
    assert_int_equal(look_in(w, token, 0, &session), ERR_AUTH);
    assert_int_equal(enter(w, s.id, ops.id, token), ERR_DENIED);
}

static void reads_all_and_changes_the_work_at_most(void **state)
{
    struct world *w = *state;
    const struct support_access reader = {.may_write = false};
    const struct support_access writer = {.may_write = true};

    world_begin(w, 0, TX_READ);
    assert_int_equal(support_access_may(&w->c, &reader, true, false), OK);
    assert_int_equal(support_access_may(&w->c, &reader, false, true),
                     ERR_DENIED);
    w->c.fail = NULL;
    assert_int_equal(support_access_may(&w->c, &writer, false, true), OK);
    assert_int_equal(support_access_may(&w->c, &writer, false, false),
                     ERR_DENIED);
    w->c.fail = NULL;
    assert_int_equal(world_end(w, OK), OK);
}

static enum err check(struct world *w, int64_t user, int64_t owed)
{
    world_begin(w, user, TX_READ);
    return world_end(w, consent_check(&w->c, owed));
}

static enum err accept(struct world *w, int64_t user, int64_t no)
{
    const struct terms_now now = {.current = 3, .owed = 2};

    world_begin(w, user, TX_WRITE);
    return world_end(w, consent_accept(&w->c, &now, no));
}

static void closes_until_an_administrator_accepts(void **state)
{
    struct world *w = *state;

    assert_int_equal(check(w, w->mari, 0), OK);
    assert_int_equal(check(w, w->mari, 2), ERR_DENIED);
    assert_int_equal(check(w, w->admin, 2), ERR_DENIED);
    assert_int_equal(accept(w, w->mari, 3), OK);
    assert_int_equal(check(w, w->mari, 2), ERR_DENIED);
    assert_int_equal(accept(w, w->admin, 2), ERR_CONFLICT);
    assert_int_equal(accept(w, w->admin, 3), OK);
    assert_int_equal(accept(w, w->admin, 3), OK);
    assert_int_equal(check(w, w->admin, 2), OK);
    assert_int_equal(check(w, w->mari, 3), OK);
    assert_int_equal(check(w, w->mari, 4), ERR_DENIED);
    assert_int_equal(world_number(w, "SELECT count(*) FROM consent", 0), 2);
}

static void asks_everybody_where_the_tenant_says_so(void **state)
{
    struct world *w = *state;

    assert_int_equal(accept(w, w->admin, 3), OK);
    world_begin(w, w->admin, TX_WRITE);
    assert_int_equal(
        world_end(w, consent_set_everyone(&w->c,
                                          world_values(w, &consent_setting_form,
                                                       "{\"everyone\":true}"))),
        OK);
    assert_int_equal(check(w, w->admin, 3), OK);
    assert_int_equal(check(w, w->mari, 3), ERR_DENIED);
    assert_int_equal(accept(w, w->mari, 3), OK);
    assert_int_equal(check(w, w->mari, 3), OK);
}

int main(void)
{
    app.limiter = rate_limiter_open();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(grants_no_more_than_was_asked_for,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(acts_as_somebody_who_cannot_sign_in,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_session_lasts_as_long_as_the_grant,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(reads_all_and_changes_the_work_at_most,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(closes_until_an_administrator_accepts,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(asks_everybody_where_the_tenant_says_so,
                                        world_set_up, world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
