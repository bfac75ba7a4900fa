/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers, and that nothing tampered with gets through. */
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void assert_hex(const uint8_t *data, size_t len, const char *right)
{
    char hex[131];
    str_to_hex(data, len, hex);
    assert_string_equal(hex, right);
}

static int init(void **state)
{
    (void)state;
    return crypto_init() == OK ? 0 : -1;
}

static void test_sha256_known_answers(void **state)
{
    (void)state;
    uint8_t hash[32];
    crypto_sha256("", 0, hash);
    assert_hex(hash, 32,
               "e3b0c44298fc1c149afbf4c8996fb924"
               "27ae41e4649b934ca495991b7852b855");
    const char *text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnop"
                       "nopq";
    crypto_sha256(text, strlen(text), hash);
    assert_hex(hash, 32,
               "248d6a61d20638b8e5c026930c3e6039"
               "a33ce45964ff2167f6ecedd419db06c1");
}

static void test_sha256_streams(void **state)
{
    (void)state;
    struct crypto_hash h;
    uint8_t hash[32];
    char block[1000];
    memset(block, 'a', sizeof block);
    crypto_hash_begin(&h);
    for (int i = 0; i < 1000; i++)
        crypto_hash_add(&h, block, sizeof block);
    crypto_hash_end(&h, hash);
    assert_hex(hash, 32,
               "cdc76e5c9914fb9281a1c7e284d73e67"
               "f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231 case 1: HMAC pads a short key with zeros, so 20 bytes do. */
static void test_hmac_known_answer(void **state)
{
    (void)state;
    uint8_t key[32] = {0}, mac[32];
    memset(key, 0x0b, 20);
    crypto_hmac(key, "Hi There", 8, mac);
    assert_hex(mac, 32,
               "b0344c61d8db38535ca8afceaf0bf12b"
               "881dc200c9833da726e9376c2e32cff7");
}

/* RFC 5869 gives no vector with a 32-byte key and an empty salt: computed
 * with Python's hmac, key 00..1f, label "backup". */
static void test_derive_known_answer(void **state)
{
    (void)state;
    uint8_t key[32], out[32];
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    crypto_derive(key, "backup", out);
    assert_hex(out, 32,
               "5b9fd7c8be9adf7ed709843feda39fc2"
               "7aade978b941307d1ff340b8bb94c195");
}

static void test_sealed_pieces_stay_in_their_place(void **state)
{
    (void)state;
    static const char text[] = "a piece of a file";
    uint8_t key[32], sealed[sizeof text + CRYPTO_SEAL_BYTES], out[sizeof text];
    crypto_random(key, 32);
    crypto_seal(key, 7, true, text, sizeof text, sealed);
    assert_int_equal(crypto_unseal(key, 7, true, sealed, sizeof text, out), OK);
    assert_memory_equal(out, text, sizeof text);
    assert_int_equal(crypto_unseal(key, 8, true, sealed, sizeof text, out),
                     ERR_INVALID);
    assert_int_equal(crypto_unseal(key, 7, false, sealed, sizeof text, out),
                     ERR_INVALID);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(crypto_unseal(key, 7, true, sealed, sizeof text, out),
                         ERR_INVALID);
        sealed[i] ^= 1;
    }
    crypto_seal(key, 0, true, "", 0, sealed);
    assert_int_equal(crypto_unseal(key, 0, true, sealed, 0, out), OK);
}

static void test_wrap_detects_tampering(void **state)
{
    (void)state;
    uint8_t master[32], key[32], wrapped[CRYPTO_WRAPPED_BYTES], out[32];
    crypto_random(master, 32);
    crypto_random(key, 32);
    crypto_wrap(master, "acme", key, wrapped);
    assert_int_equal(crypto_unwrap(master, "acme", wrapped, out), OK);
    assert_memory_equal(out, key, 32);
    assert_int_equal(crypto_unwrap(master, "acmf", wrapped, out), ERR_INVALID);
    for (size_t i = 0; i < sizeof wrapped; i++) {
        wrapped[i] ^= 1;
        assert_int_not_equal(crypto_unwrap(master, "acme", wrapped, out), OK);
        wrapped[i] ^= 1;
    }
    master[31] ^= 1;
    assert_int_not_equal(crypto_unwrap(master, "acme", wrapped, out), OK);
}

static void test_signatures(void **state)
{
    (void)state;
    uint8_t secret[32], public_key[65], signature[64];
    crypto_sign_key(secret, public_key);
    crypto_sign(secret, "head", 4, signature);
    assert_true(crypto_verify(public_key, "head", 4, signature));
    assert_false(crypto_verify(public_key, "heat", 4, signature));
    for (size_t i = 0; i < sizeof signature; i += 7) {
        signature[i] ^= 1;
        assert_false(crypto_verify(public_key, "head", 4, signature));
        signature[i] ^= 1;
    }
    memset(signature, 0, sizeof signature);
    assert_false(crypto_verify(public_key, "head", 4, signature));
    public_key[64] ^= 1;
    assert_false(crypto_verify(public_key, "head", 4, signature));
}

static void test_compares_and_wipes(void **state)
{
    (void)state;
    char text[] = "secret";
    assert_true(crypto_equal("abc", "abc", 3));
    assert_false(crypto_equal("abc", "abd", 3));
    assert_true(crypto_equal("a", "b", 0));
    crypto_wipe(text, sizeof text);
    assert_memory_equal(text, "\0\0\0\0\0\0", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_sha256_streams),
        cmocka_unit_test(test_hmac_known_answer),
        cmocka_unit_test(test_derive_known_answer),
        cmocka_unit_test(test_sealed_pieces_stay_in_their_place),
        cmocka_unit_test(test_wrap_detects_tampering),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_compares_and_wipes),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
