/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant may only add to what the operator asks. */
#include "core/core_fixture.h"

#include "base/common_password.h"
#include "core/account/auth_policy.h"
#include "core/account/password.h"

#define DAY_US INT64_C(86400000000)

static void the_profiles_hold_their_figures(void **state)
{
    const struct auth_policy_floor floor = {0};
    struct auth_policy p;

    (void)state;
    auth_policy_work_out(&floor, &(struct auth_policy_choice){0}, &p);
    assert_int_equal(p.min, 8);
    assert_int_equal(p.max, 16);
    assert_int_equal(p.classes, 3);
    assert_int_equal(p.days, 92);
    auth_policy_work_out(
        &floor, &(struct auth_policy_choice){.profile = AUTH_POLICY_MODERN},
        &p);
    assert_int_equal(p.min, 15);
    assert_int_equal(p.max, 128);
    assert_int_equal(p.days, 0);
    assert_true(p.refuses_guessable);
}

static void the_stricter_of_floor_and_choice_holds(void **state)
{
    const struct auth_policy_floor floor = {
        .is_modern = true, .min = 20, .days = 365};
    struct auth_policy p;

    (void)state;
    auth_policy_work_out(
        &floor, &(struct auth_policy_choice){.min = 9, .days = 900}, &p);
    assert_int_equal(p.profile, AUTH_POLICY_MODERN);
    assert_int_equal(p.min, 20);
    assert_int_equal(p.days, 365);
    auth_policy_work_out(
        &floor,
        &(struct auth_policy_choice){.min = 30, .classes = 2, .days = 30}, &p);
    assert_int_equal(p.min, 30);
    assert_int_equal(p.classes, 2);
    assert_int_equal(p.days, 30);
}

static enum err try_update(struct world *w, const struct app *app,
                           const char *json, struct auth_policy *p)
{
    world_begin(w, w->admin, TX_WRITE);
    enum err e = auth_policy_get(&w->c, app, p);
    const struct values *v = world_values(w, &auth_policy_form, json);
    assert_int_equal(e, OK);
    e = v ? auth_policy_update(&w->c, app, p->version, v, p) : ERR_INVALID;
    return world_end(w, e);
}

static void weaker_than_the_floor_is_refused(void **state)
{
    struct world *w = *state;
    const struct app app = {.floor = {.min = 10}};
    const struct app modern = {.floor = {.is_modern = true}};
    static const char *const weak[] = {"{\"min\":8}", "{\"min\":9}",
                                       "{\"classes\":2}", "{\"days\":93}",
                                       "{\"days\":0}"};
    struct auth_policy p;

    for (size_t i = 0; i < COUNT(weak); i++) {
        assert_int_equal(try_update(w, &app, weak[i], &p), ERR_INVALID);
        assert_string_equal(w->c.fail->rule, "policy_floor");
    }
    assert_int_equal(try_update(w, &app, "{\"min\":17}", &p), ERR_INVALID);
    assert_string_equal(w->c.fail->rule, "range");
    assert_int_equal(try_update(w, &app, "{\"min\":12,\"days\":60}", &p), OK);
    assert_int_equal(p.min, 12);
    assert_int_equal(p.days, 60);
    assert_int_equal(try_update(w, &modern, "{\"profile\":\"whitepaper\"}", &p),
                     ERR_INVALID);
    assert_int_equal(try_update(w, &app, "{\"profile\":\"modern\"}", &p), OK);
    assert_int_equal(p.min, 15);
    assert_int_equal(p.days, 0);
}

static void a_password_ends_to_the_day(void **state)
{
    const struct auth_policy p = {.days = 92};
    const struct auth_policy endless = {.days = 0};

    (void)state;
    assert_false(auth_policy_is_expired(&p, NOW_US, NOW_US + 92 * DAY_US - 1));
    assert_true(auth_policy_is_expired(&p, NOW_US, NOW_US + 92 * DAY_US));
    assert_false(
        auth_policy_is_expired(&endless, NOW_US, NOW_US + 9999 * DAY_US));
    assert_int_equal(auth_policy_expires_at(&endless, NOW_US), 0);
}

static void what_guessers_try_first_is_known(void **state)
{
    static const char *const weak[] = {
        "passwordpassword",  "Password12345678", "qwertyuiopasdfgh",
        "123456789012345",   "aaaaaaaaaaaaaaaa", "abcabcabcabcabc",
        "P@ssw0rdP@ssw0rd!", "sunshine98765432", "yagurayagurayagura",
    };
    static const char *const good[] = {
        "correct horse battery staple",
        "tanuki wa yoru ni odoru",
        "狸は夜の橋で三度だけ踊るらしい",
        "kX8vQ2mRz7LwT4pe",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(weak); i++)
        if (!common_password_is(weak[i]))
            fail_msg("not known: %s", weak[i]);
    for (size_t i = 0; i < COUNT(good); i++)
        if (common_password_is(good[i]))
            fail_msg("taken for common: %s", good[i]);
}

static enum err check(struct world *w, enum auth_policy_profile profile,
                      const char *password)
{
    const struct auth_policy_floor floor = {0};
    static const char *const context[] = {"mari@example.jp", "山田 まり", NULL};
    struct auth_policy p;

    world_begin(w, w->admin, TX_READ);
    auth_policy_work_out(&floor,
                         &(struct auth_policy_choice){.profile = profile}, &p);
    enum err e = password_check(&w->c, &p, "password", password, context);
    assert_int_equal(world_end(w, OK), OK);
    return e;
}

static void each_profile_takes_its_own_characters(void **state)
{
    struct world *w = *state;
    char long_text[130];

    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER, "Abcdef-1"), OK);
    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER,
                           "Ab1\xc2\xa5"
                           "cdef"),
                     OK);
    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER, "Abcdef 1-"),
                     ERR_INVALID);
    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER, "Abcdef-12345678901"),
                     ERR_INVALID);
    /* words of one's name, address, its domain, one's company */
    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER, "Mari-2026!"),
                     ERR_INVALID);
    assert_int_equal(check(w, AUTH_POLICY_WHITEPAPER, "xExample-26"),
                     ERR_INVALID);
    assert_int_equal(
        check(w, AUTH_POLICY_MODERN, "川と山田の間に橋を三つ架けた"),
        ERR_INVALID);
    assert_int_equal(check(w, AUTH_POLICY_MODERN, "Abcdef-1"), ERR_INVALID);
    assert_int_equal(
        check(w, AUTH_POLICY_MODERN, "狸は夜の橋で三度だけ踊るらしい"), OK);
    assert_int_equal(check(w, AUTH_POLICY_MODERN, "passwordpassword"),
                     ERR_INVALID);
    assert_string_equal(w->c.fail->rule, "password_common");
    assert_int_equal(check(w, AUTH_POLICY_MODERN, "mari likes 37 blue tanuki"),
                     ERR_INVALID);
    for (size_t i = 0; i < 129; i++)
        long_text[i] = "kX8vQ2mRz7LwT4peB"[i * i % 17];
    long_text[129] = 0;
    assert_int_equal(check(w, AUTH_POLICY_MODERN, long_text), ERR_INVALID);
    long_text[128] = 0;
    assert_int_equal(check(w, AUTH_POLICY_MODERN, long_text), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_profiles_hold_their_figures),
        cmocka_unit_test(the_stricter_of_floor_and_choice_holds),
        cmocka_unit_test(a_password_ends_to_the_day),
        cmocka_unit_test(what_guessers_try_first_is_known),
        cmocka_unit_test_setup_teardown(weaker_than_the_floor_is_refused,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(each_profile_takes_its_own_characters,
                                        world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
