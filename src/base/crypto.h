/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hashes, MACs, key wrapping, signatures; over mbedTLS, seen only here and
 * in tls.c.  crypto_init() is called once in main before any thread. */
#define CRYPTO_KEY_BYTES     32
#define CRYPTO_HASH_BYTES    32
#define CRYPTO_WRAPPED_BYTES (1 + 12 + 32 + 16) /* version nonce key tag */

MUST_USE enum err crypto_init(void);       /* also a known-answer self-test */
void crypto_random(void *out, size_t len); /* getrandom; aborts on failure */
void crypto_sha256(const void *data, size_t len, uint8_t out[32]);
void crypto_hmac(const uint8_t key[32], const void *data, size_t len,
                 uint8_t out[32]);
/* The same with a key of any length, where another's protocol wants it. */
void crypto_hmac_any(const void *key, size_t key_len, const void *data,
                     size_t len, uint8_t out[32]);
/* HMAC-SHA-1, only for one-time passwords (RFC 4226 knows no other). */
void crypto_hmac_sha1(const void *key, size_t key_len, const void *data,
                      size_t len, uint8_t out[20]);
/* HKDF-SHA-256 (RFC 5869), empty salt; label is the info. */
void crypto_derive(const uint8_t key[32], const char *label, uint8_t out[32]);
bool crypto_equal(const void *a, const void *b, size_t len); /* const time */
void crypto_wipe(void *data, size_t len);
/* Keeps a key out of swap and of core dumps, as far as the limits allow. */
void crypto_lock(void *data, size_t len);

/* AES-256-GCM key wrap: context (such as the tenant id) is authenticated. */
void crypto_wrap(const uint8_t master[32], const char *context,
                 const uint8_t key[32], uint8_t out[CRYPTO_WRAPPED_BYTES]);
MUST_USE enum err crypto_unwrap(const uint8_t master[32], const char *context,
                                const uint8_t in[CRYPTO_WRAPPED_BYTES],
                                uint8_t out[32]);

/* A long file in pieces: AES-256-GCM under a key that serves this file alone.
 * no counts the pieces from 0 and is the nonce; that a piece is the last one
 * is authenticated, so that a cut file is seen.  out holds len bytes and the
 * tag. */
#define CRYPTO_SEAL_BYTES 16
void crypto_seal(const uint8_t key[32], uint64_t no, bool is_last,
                 const void *data, size_t len, uint8_t *out);
/* len without the tag; ERR_INVALID when it is not what was sealed. */
MUST_USE enum err crypto_unseal(const uint8_t key[32], uint64_t no,
                                bool is_last, const uint8_t *in, size_t len,
                                uint8_t *out);

/* ECDSA P-256 over SHA-256; keys as 32-byte scalars, signatures r||s. */
void crypto_sign_key(uint8_t private_key[32], uint8_t public_key[65]);
/* false when the 32 bytes are no private key (zero, or beyond the order). */
bool crypto_public_key(const uint8_t private_key[32], uint8_t public_key[65]);
void crypto_sign(const uint8_t private_key[32], const void *data, size_t len,
                 uint8_t signature[64]);
bool crypto_verify(const uint8_t public_key[65], const void *data, size_t len,
                   const uint8_t signature[64]);

/* The same with the signature in DER, and RSA PKCS #1 v1.5 over SHA-256 with
 * a key of 2048 to 4096 bits: what authenticators write. */
bool crypto_verify_der(const uint8_t public_key[65], const void *data,
                       size_t len, const uint8_t *signature,
                       size_t signature_len);
bool crypto_verify_rsa(const uint8_t *modulus, size_t modulus_len,
                       const uint8_t *exponent, size_t exponent_len,
                       const void *data, size_t len, const uint8_t *signature,
                       size_t signature_len);

/* Streaming SHA-256. */
struct crypto_hash {
    _Alignas(16) unsigned char state[256];
};
void crypto_hash_begin(struct crypto_hash *h);
void crypto_hash_add(struct crypto_hash *h, const void *data, size_t len);
void crypto_hash_end(struct crypto_hash *h, uint8_t out[32]);

#endif
