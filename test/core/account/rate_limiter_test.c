/* SPDX-License-Identifier: Apache-2.0 */
/* What floods of chosen keys do to a count: they may add waits, never free
 * anything, and nobody outside knows which keys fall together. */
#include "core/account/rate_limiter.h"

#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { FLOOD = 200000 };

static int wait_of(struct rate_limiter *l, const char *tenant,
                   const char *address)
{
    return rate_limiter_wait_s(l, LIMIT_SIGN_IN,
                               &(struct rate_limiter_from){tenant, address});
}

static void fail_times(struct rate_limiter *l, const char *tenant,
                       const char *address, int times)
{
    while (times-- > 0)
        rate_limiter_fail(l, LIMIT_SIGN_IN,
                          &(struct rate_limiter_from){tenant, address});
}

static struct rate_limiter *open_limiter(void)
{
    assert_int_equal(crypto_init(), OK);
    return rate_limiter_open();
}

static void thirty_are_free_then_it_slows(void **state)
{
    struct rate_limiter *l = open_limiter();

    (void)state;
    fail_times(l, "acme", "192.0.2.1", 29);
    assert_int_equal(wait_of(l, "acme", "192.0.2.1"), 0);
    fail_times(l, "acme", "192.0.2.1", 1);
    assert_int_equal(wait_of(l, "acme", "192.0.2.1"), 1);
    fail_times(l, "acme", "192.0.2.1", 30);
    assert_int_equal(wait_of(l, "acme", "192.0.2.1"), 60);
    assert_int_equal(wait_of(l, "beta", "192.0.2.1"), 60);
    assert_int_equal(wait_of(l, "acme", "198.51.100.1"), 0);
    rate_limiter_close(l);
}

/* Each flooding name and address is new; the shut one stays shut. */
static void a_flood_frees_nothing(void **state)
{
    struct rate_limiter *l = open_limiter();
    char address[64], tenant[32];

    (void)state;
    fail_times(l, "acme", "2001:db8::1", 60);
    for (int i = 0; i < FLOOD; i++) {
        snprintf(address, sizeof address, "2001:%x:%x:%x::%x", 0xdb9 + i % 7,
                 i >> 12, i & 0xfff, i);
        snprintf(tenant, sizeof tenant, "t%d", i);
        fail_times(l, tenant, address, 1);
    }
    assert_true(wait_of(l, "acme", "2001:db8::1") > 50);
    rate_limiter_close(l);
}

static int count_shut(struct rate_limiter *l, bool shut[], int count)
{
    char address[64];
    int n = 0;

    for (int i = 0; i < count; i++) {
        snprintf(address, sizeof address, "2001:db8:%x:%x::1", i >> 8, i & 255);
        shut[i] = wait_of(l, "other", address) > 0;
        n += shut[i];
    }
    return n;
}

/* Keys that collide in one process do not in another: a hash of one's own. */
static void nobody_can_choose_what_collides(void **state)
{
    enum { TRIED = 60000 };
    static bool first[TRIED], second[TRIED];
    struct rate_limiter *a = open_limiter(), *b = open_limiter();
    char address[64];
    int both = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        snprintf(address, sizeof address, "2001:dead:%x::1", i);
        fail_times(a, "acme", address, 40);
        fail_times(b, "acme", address, 40);
    }
    int in_a = count_shut(a, first, TRIED), in_b = count_shut(b, second, TRIED);
    for (int i = 0; i < TRIED; i++)
        both += first[i] && second[i];
    assert_true(in_a > 100 && in_b > 100); /* some do collide */
    assert_true(both < in_a / 4);          /* but not the same */
    rate_limiter_close(a);
    rate_limiter_close(b);
}

/* However the text is shortened, the first 64 bits are the client. */
static void an_ipv6_network_is_one_client(void **state)
{
    struct rate_limiter *l = open_limiter();
    char address[64];

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(address, sizeof address, "2001:db8:0:0:%x::1", i);
        fail_times(l, "acme", address, 1);
    }
    assert_true(wait_of(l, "acme", "2001:db8::7") > 0);
    assert_true(wait_of(l, "acme", "2001:db8:0:0:ffff::") > 0);
    assert_int_equal(wait_of(l, "acme", "2001:db8:0:1::1"), 0);
    for (int i = 2; i < 202; i++) { /* one in each /64 of the /48 */
        snprintf(address, sizeof address, "2001:db8:0:%x::1", i);
        fail_times(l, "acme", address, 1);
    }
    assert_true(wait_of(l, "acme", "2001:db8:0:1::1") > 0);
    assert_int_equal(wait_of(l, "acme", "2001:db8:1::1"), 0);
    rate_limiter_close(l);
}

static void an_ipv4_network_is_held_together(void **state)
{
    struct rate_limiter *l = open_limiter();
    char address[64];

    (void)state;
    for (int i = 0; i < 210; i++) {
        snprintf(address, sizeof address, "192.0.2.%d", i);
        fail_times(l, "acme", address, 1);
    }
    assert_true(wait_of(l, "acme", "192.0.2.250") > 0);
    assert_int_equal(wait_of(l, "acme", "192.0.3.250"), 0);
    rate_limiter_close(l);
}

/* The bucket of a tenant waits a little, never long. */
static void a_tenant_is_slowed_by_floods_from_everywhere(void **state)
{
    struct rate_limiter *l = open_limiter();
    char address[64];

    (void)state;
    for (int i = 0; i < 1100; i++) {
        snprintf(address, sizeof address, "10.%d.%d.1", i >> 8, i & 255);
        fail_times(l, "acme", address, 1);
    }
    assert_true(wait_of(l, "acme", "203.0.113.9") > 0);
    assert_true(wait_of(l, "acme", "203.0.113.9") <= 4);
    assert_int_equal(wait_of(l, "beta", "203.0.113.9"), 0);
    rate_limiter_close(l);
}

static void what_was_no_failure_is_taken_back(void **state)
{
    struct rate_limiter_from from = {"acme", "192.0.2.1"};
    struct rate_limiter *l = open_limiter();

    (void)state;
    for (int i = 0; i < 500; i++) {
        rate_limiter_fail(l, LIMIT_SIGN_IN, &from);
        rate_limiter_unfail(l, LIMIT_SIGN_IN, &from);
    }
    assert_int_equal(wait_of(l, "acme", "192.0.2.1"), 0);
    fail_times(l, "acme", "192.0.2.1", 32);
    assert_true(wait_of(l, "acme", "192.0.2.1") > 0);
    rate_limiter_ease(l, LIMIT_SIGN_IN, &from);
    assert_int_equal(wait_of(l, "acme", "192.0.2.1"), 0);
    assert_int_equal(rate_limiter_wait_s(l, LIMIT_LINK, &from), 0);
    rate_limiter_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_are_free_then_it_slows),
        cmocka_unit_test(a_flood_frees_nothing),
        cmocka_unit_test(nobody_can_choose_what_collides),
        cmocka_unit_test(an_ipv6_network_is_one_client),
        cmocka_unit_test(an_ipv4_network_is_held_together),
        cmocka_unit_test(a_tenant_is_slowed_by_floods_from_everywhere),
        cmocka_unit_test(what_was_no_failure_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
