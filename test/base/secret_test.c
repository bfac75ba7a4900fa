/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/crypto.h"
#include "base/str.h"

static const uint8_t pepper[32] = {1};
static const uint8_t other_pepper[32] = {2};
static struct arena *mem;

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    return crypto_init() == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

static bool verify(const uint8_t key[32], const char *password, const char *phc,
                   bool *is_old)
{
    bool is_right = true;
    assert_int_equal(secret_verify(key, password, phc, &is_right, is_old), OK);
    return is_right;
}

static void test_verifies_only_the_password(void **state)
{
    (void)state;
    const char *phc = NULL, *again = NULL;
    bool is_old = true;
    assert_int_equal(secret_hash(mem, pepper, "ひみつ8#", &phc), OK);
    assert_int_equal(secret_hash(mem, pepper, "ひみつ8#", &again), OK);
    assert_string_not_equal(phc, again);
    assert_true(str_starts(phc, "$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_true(verify(pepper, "ひみつ8#", phc, &is_old));
    assert_false(is_old);
    assert_false(verify(pepper, "ひみつ8", phc, &is_old));
    assert_false(verify(other_pepper, "ひみつ8#", phc, &is_old));
    assert_false(verify(pepper, "ひみつ8#", NULL, &is_old));
}

static void test_tells_old_parameters(void **state)
{
    (void)state;
    const struct secret_params slightly = {20000, 2}, more = {40000, 2},
                               none = {0, 0};
    const char *phc = NULL;
    bool is_old = false;
    assert_int_equal(secret_hash(mem, pepper, "x", &phc), OK);
    secret_set_params(&slightly);
    assert_true(verify(pepper, "x", phc, &is_old));
    assert_false(is_old);
    secret_set_params(&more);
    assert_true(verify(pepper, "x", phc, &is_old));
    assert_true(is_old);
    secret_set_params(&none);
    assert_true(verify(pepper, "x", phc, &is_old));
    assert_false(is_old);
}

static void test_knows_what_calibrating_can_choose(void **state)
{
    (void)state;
    static const struct secret_params good[] = {{19456, 2}, {65536, 32}},
                                      bad[] = {{19455, 2},
                                               {19456, 1},
                                               {65537, 2},
                                               {65536, 33}};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(secret_may_use(&good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(secret_may_use(&bad[i]));
}

static void test_refuses_foreign_records(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA",
        "$argon2id$v=19$m=9999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2id$v=19$m=19456,t=2,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2id$v=19$m=,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
    };
    bool is_right = true, is_old = true;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(secret_verify(pepper, "x", bad[i], &is_right, &is_old),
                         ERR_INTERNAL);
        assert_false(is_right);
    }
}

static void *hash_once(void *arg)
{
    (void)arg;
    struct arena *own = arena_open(0);
    const char *phc = NULL;
    enum err e = secret_hash(own, pepper, "x", &phc);
    arena_close(own);
    return (void *)(uintptr_t)e;
}

/* Far more than can be served within two seconds: none may hang or fail
 * otherwise than by being told to come back. */
static void test_turns_a_crowd_away(void **state)
{
    (void)state;
    pthread_t threads[100];
    size_t served = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_once, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        enum err e = (enum err)(uintptr_t)result;
        assert_true(e == OK || e == ERR_BUSY);
        served += e == OK;
    }
    assert_true(served >= 2 && served <= 100);
}

static void test_makes_tokens_and_codes(void **state)
{
    (void)state;
    char token[SECRET_TOKEN_CHARS + 1], other[SECRET_TOKEN_CHARS + 1], code[9];
    uint8_t hash[32], right[32];
    secret_make_token(token);
    secret_make_token(other);
    assert_int_equal(strlen(token), SECRET_TOKEN_CHARS);
    assert_string_not_equal(token, other);
    secret_hash_token(token, hash);
    crypto_sha256(token, SECRET_TOKEN_CHARS, right);
    assert_memory_equal(hash, right, 32);
    for (int i = 0; i < 1000; i++) {
        secret_make_code(code);
        assert_int_equal(strspn(code, "0123456789"), 8);
        assert_int_equal(strlen(code), 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verifies_only_the_password),
        cmocka_unit_test(test_tells_old_parameters),
        cmocka_unit_test(test_knows_what_calibrating_can_choose),
        cmocka_unit_test(test_refuses_foreign_records),
        cmocka_unit_test(test_turns_a_crowd_away),
        cmocka_unit_test(test_makes_tokens_and_codes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
