/* SPDX-License-Identifier: Apache-2.0 */
/* Thin and boring on purpose: each function is one primitive with its
 * parameters fixed.  Randomness is the kernel's alone, so there is no
 * generator state to share between threads or to copy into a clone of the
 * machine.  A primitive that fails on valid input is a broken build: abort. */
#include "base/crypto.h"

#include <errno.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <psa/crypto.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"

#define WRAP_VERSION  1
#define NONCE_BYTES   12
#define TAG_BYTES     16
#define CONTEXT_BYTES 255
#define LABEL_BYTES   255

_Static_assert(sizeof(mbedtls_sha256_context) <=
                   sizeof((struct crypto_hash *)0)->state,
               "crypto_hash must hold the library's state");

void crypto_random(void *out, size_t len)
{
    unsigned char *byte = out;
    while (len > 0) {
        ssize_t got = getrandom(byte, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0);
        byte += got;
        len -= (size_t)got;
    }
}

static int random_for_mbedtls(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    crypto_random(out, len);
    return 0;
}

/* The name is PSA's: what TLS 1.3 draws comes from here too.  The library's
 * own generator would read a device file after each 10,000 draws, which a
 * confined server may not. */
psa_status_t
mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *unused,
                                uint8_t *out, size_t size, size_t *out_len)
{
    (void)unused;
    crypto_random(out, size);
    *out_len = size;
    return PSA_SUCCESS;
}

void crypto_sha256(const void *data, size_t len, uint8_t out[32])
{
    must(mbedtls_sha256(data, len, out, 0) == 0);
}

/* The state is copied in and out, never aliased: it holds no pointers. */
void crypto_hash_begin(struct crypto_hash *h)
{
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    must(mbedtls_sha256_starts(&sha, 0) == 0);
    memcpy(h->state, &sha, sizeof sha);
}

void crypto_hash_add(struct crypto_hash *h, const void *data, size_t len)
{
    mbedtls_sha256_context sha;
    memcpy(&sha, h->state, sizeof sha);
    must(mbedtls_sha256_update(&sha, data, len) == 0);
    memcpy(h->state, &sha, sizeof sha);
}

void crypto_hash_end(struct crypto_hash *h, uint8_t out[32])
{
    mbedtls_sha256_context sha;
    memcpy(&sha, h->state, sizeof sha);
    must(mbedtls_sha256_finish(&sha, out) == 0);
    mbedtls_sha256_free(&sha);
    crypto_wipe(h->state, sizeof h->state);
}

void crypto_hmac(const uint8_t key[32], const void *data, size_t len,
                 uint8_t out[32])
{
    crypto_hmac_any(key, CRYPTO_KEY_BYTES, data, len, out);
}

void crypto_hmac_any(const void *key, size_t key_len, const void *data,
                     size_t len, uint8_t out[32])
{
    const mbedtls_md_info_t *sha = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    must(mbedtls_md_hmac(sha, key, key_len, data, len, out) == 0);
}

void crypto_hmac_sha1(const void *key, size_t key_len, const void *data,
                      size_t len, uint8_t out[20])
{
    const mbedtls_md_info_t *sha = mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);
    must(mbedtls_md_hmac(sha, key, key_len, data, len, out) == 0);
}

/* One block of output needs only the first round of the expansion. */
void crypto_derive(const uint8_t key[32], const char *label, uint8_t out[32])
{
    static const uint8_t empty_salt[32];
    uint8_t extracted[32], info[LABEL_BYTES + 1];
    size_t len = strlen(label);
    must(len <= LABEL_BYTES);
    memcpy(info, label, len);
    info[len] = 1;
    crypto_hmac(empty_salt, key, CRYPTO_KEY_BYTES, extracted);
    crypto_hmac(extracted, info, len + 1, out);
    crypto_wipe(extracted, sizeof extracted);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return mbedtls_ct_memcmp(a, b, len) == 0;
}

void crypto_lock(void *data, size_t len)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)data & ~(page - 1);
    size_t size = (uintptr_t)data + len - from;

    (void)madvise((void *)from, size, MADV_DONTDUMP);
    if (mlock((void *)from, size))
        log_warn("a key cannot be locked in memory, errno=%d", errno);
}

void crypto_wipe(void *data, size_t len)
{
    mbedtls_platform_zeroize(data, len);
}

/* Authenticates the version too, so that it cannot be turned back. */
static size_t build_context(const char *context, uint8_t out[CONTEXT_BYTES + 1])
{
    size_t len = strlen(context);
    must(len <= CONTEXT_BYTES);
    out[0] = WRAP_VERSION;
    memcpy(out + 1, context, len);
    return len + 1;
}

void crypto_wrap(const uint8_t master[32], const char *context,
                 const uint8_t key[32], uint8_t out[CRYPTO_WRAPPED_BYTES])
{
    uint8_t extra[CONTEXT_BYTES + 1];
    size_t extra_len = build_context(context, extra);
    uint8_t *nonce = out + 1, *sealed = nonce + NONCE_BYTES;
    mbedtls_gcm_context gcm;
    out[0] = WRAP_VERSION;
    crypto_random(nonce, NONCE_BYTES);
    mbedtls_gcm_init(&gcm);
    must(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, master, 256) == 0);
    must(mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, CRYPTO_KEY_BYTES,
                                   nonce, NONCE_BYTES, extra, extra_len, key,
                                   sealed, TAG_BYTES,
                                   sealed + CRYPTO_KEY_BYTES) == 0);
    mbedtls_gcm_free(&gcm);
}

enum err crypto_unwrap(const uint8_t master[32], const char *context,
                       const uint8_t in[CRYPTO_WRAPPED_BYTES], uint8_t out[32])
{
    uint8_t extra[CONTEXT_BYTES + 1];
    size_t extra_len = build_context(context, extra);
    const uint8_t *nonce = in + 1, *sealed = nonce + NONCE_BYTES;
    mbedtls_gcm_context gcm;
    if (in[0] != WRAP_VERSION)
        return ERR_INVALID;
    mbedtls_gcm_init(&gcm);
    must(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, master, 256) == 0);
    int failed = mbedtls_gcm_auth_decrypt(
        &gcm, CRYPTO_KEY_BYTES, nonce, NONCE_BYTES, extra, extra_len,
        sealed + CRYPTO_KEY_BYTES, TAG_BYTES, sealed, out);
    mbedtls_gcm_free(&gcm);
    if (failed)
        crypto_wipe(out, CRYPTO_KEY_BYTES);
    return failed ? ERR_INVALID : OK;
}

static void number_nonce(uint64_t no, uint8_t out[NONCE_BYTES])
{
    memset(out, 0, NONCE_BYTES);
    for (size_t i = 0; i < sizeof no; i++)
        out[NONCE_BYTES - 1 - i] = (uint8_t)(no >> 8 * i);
}

void crypto_seal(const uint8_t key[32], uint64_t no, bool is_last,
                 const void *data, size_t len, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES], extra = is_last;
    mbedtls_gcm_context gcm;

    number_nonce(no, nonce);
    mbedtls_gcm_init(&gcm);
    must(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) == 0);
    must(mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce,
                                   NONCE_BYTES, &extra, 1, data, out, TAG_BYTES,
                                   out + len) == 0);
    mbedtls_gcm_free(&gcm);
}

enum err crypto_unseal(const uint8_t key[32], uint64_t no, bool is_last,
                       const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t nonce[NONCE_BYTES], extra = is_last;
    mbedtls_gcm_context gcm;

    number_nonce(no, nonce);
    mbedtls_gcm_init(&gcm);
    must(mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) == 0);
    int failed = mbedtls_gcm_auth_decrypt(&gcm, len, nonce, NONCE_BYTES, &extra,
                                          1, in + len, TAG_BYTES, in, out);
    mbedtls_gcm_free(&gcm);
    return failed ? ERR_INVALID : OK;
}

/* P-256 with room for one key and one signature. */
struct curve {
    mbedtls_ecp_group group;
    mbedtls_mpi secret, r, s;
    mbedtls_ecp_point point;
};

static void open_curve(struct curve *v)
{
    mbedtls_ecp_group_init(&v->group);
    mbedtls_mpi_init(&v->secret);
    mbedtls_mpi_init(&v->r);
    mbedtls_mpi_init(&v->s);
    mbedtls_ecp_point_init(&v->point);
    must(mbedtls_ecp_group_load(&v->group, MBEDTLS_ECP_DP_SECP256R1) == 0);
}

static void close_curve(struct curve *v)
{
    mbedtls_ecp_point_free(&v->point);
    mbedtls_mpi_free(&v->s);
    mbedtls_mpi_free(&v->r);
    mbedtls_mpi_free(&v->secret);
    mbedtls_ecp_group_free(&v->group);
}

void crypto_sign_key(uint8_t private_key[32], uint8_t public_key[65])
{
    struct curve v;
    size_t len = 0;
    open_curve(&v);
    must(mbedtls_ecp_gen_keypair(&v.group, &v.secret, &v.point,
                                 random_for_mbedtls, NULL) == 0);
    must(mbedtls_mpi_write_binary(&v.secret, private_key, 32) == 0);
    must(mbedtls_ecp_point_write_binary(&v.group, &v.point,
                                        MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
                                        public_key, 65) == 0 &&
         len == 65);
    close_curve(&v);
}

bool crypto_public_key(const uint8_t private_key[32], uint8_t public_key[65])
{
    struct curve v;
    size_t len = 0;
    open_curve(&v);
    must(mbedtls_mpi_read_binary(&v.secret, private_key, 32) == 0);
    bool is_key = mbedtls_ecp_check_privkey(&v.group, &v.secret) == 0 &&
                  mbedtls_ecp_mul(&v.group, &v.point, &v.secret, &v.group.G,
                                  random_for_mbedtls, NULL) == 0 &&
                  mbedtls_ecp_point_write_binary(&v.group, &v.point,
                                                 MBEDTLS_ECP_PF_UNCOMPRESSED,
                                                 &len, public_key, 65) == 0;
    close_curve(&v);
    return is_key;
}

void crypto_sign(const uint8_t private_key[32], const void *data, size_t len,
                 uint8_t signature[64])
{
    struct curve v;
    uint8_t hash[32];
    crypto_sha256(data, len, hash);
    open_curve(&v);
    must(mbedtls_mpi_read_binary(&v.secret, private_key, 32) == 0);
    must(mbedtls_ecdsa_sign(&v.group, &v.r, &v.s, &v.secret, hash, sizeof hash,
                            random_for_mbedtls, NULL) == 0);
    must(mbedtls_mpi_write_binary(&v.r, signature, 32) == 0);
    must(mbedtls_mpi_write_binary(&v.s, signature + 32, 32) == 0);
    close_curve(&v);
}

bool crypto_verify(const uint8_t public_key[65], const void *data, size_t len,
                   const uint8_t signature[64])
{
    struct curve v;
    uint8_t hash[32];
    crypto_sha256(data, len, hash);
    open_curve(&v);
    must(mbedtls_mpi_read_binary(&v.r, signature, 32) == 0);
    must(mbedtls_mpi_read_binary(&v.s, signature + 32, 32) == 0);
    bool is_good = mbedtls_ecp_point_read_binary(&v.group, &v.point, public_key,
                                                 65) == 0 &&
                   mbedtls_ecp_check_pubkey(&v.group, &v.point) == 0 &&
                   mbedtls_ecdsa_verify(&v.group, hash, sizeof hash, &v.point,
                                        &v.r, &v.s) == 0;
    close_curve(&v);
    return is_good;
}

bool crypto_verify_der(const uint8_t public_key[65], const void *data,
                       size_t len, const uint8_t *signature,
                       size_t signature_len)
{
    mbedtls_ecdsa_context key;
    uint8_t hash[32];
    crypto_sha256(data, len, hash);
    mbedtls_ecdsa_init(&key);
    must(mbedtls_ecp_group_load(&key.MBEDTLS_PRIVATE(grp),
                                MBEDTLS_ECP_DP_SECP256R1) == 0);
    bool is_good = mbedtls_ecp_point_read_binary(&key.MBEDTLS_PRIVATE(grp),
                                                 &key.MBEDTLS_PRIVATE(Q),
                                                 public_key, 65) == 0 &&
                   mbedtls_ecp_check_pubkey(&key.MBEDTLS_PRIVATE(grp),
                                            &key.MBEDTLS_PRIVATE(Q)) == 0 &&
                   mbedtls_ecdsa_read_signature(&key, hash, sizeof hash,
                                                signature, signature_len) == 0;
    mbedtls_ecdsa_free(&key);
    return is_good;
}

bool crypto_verify_rsa(const uint8_t *modulus, size_t modulus_len,
                       const uint8_t *exponent, size_t exponent_len,
                       const void *data, size_t len, const uint8_t *signature,
                       size_t signature_len)
{
    mbedtls_rsa_context key;
    uint8_t hash[32];
    crypto_sha256(data, len, hash);
    mbedtls_rsa_init(&key);
    bool is_good =
        modulus_len <= 512 &&
        mbedtls_rsa_import_raw(&key, modulus, modulus_len, NULL, 0, NULL, 0,
                               NULL, 0, exponent, exponent_len) == 0 &&
        mbedtls_rsa_complete(&key) == 0 && mbedtls_rsa_get_len(&key) >= 256 &&
        mbedtls_rsa_get_len(&key) == signature_len &&
        mbedtls_rsa_check_pubkey(&key) == 0 &&
        mbedtls_rsa_pkcs1_verify(&key, MBEDTLS_MD_SHA256, sizeof hash, hash,
                                 signature) == 0;
    mbedtls_rsa_free(&key);
    return is_good;
}

/* SHA-256 of "abc" (FIPS 180-4), and AES-256-GCM of a zero block under a zero
 * key (McGrew and Viega, test case 14): compilers have broken both. */
static bool is_sha_right(void)
{
    static const uint8_t right[32] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t hash[32];
    crypto_sha256("abc", 3, hash);
    return crypto_equal(hash, right, sizeof right);
}

static bool is_gcm_right(void)
{
    static const uint8_t zero[32];
    static const uint8_t right[32] = {
        0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
        0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
        0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    uint8_t sealed[32];
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    bool is_right =
        mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, zero, 256) == 0 &&
        mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, 16, zero, 12, NULL,
                                  0, zero, sealed, 16, sealed + 16) == 0 &&
        crypto_equal(sealed, right, sizeof right);
    mbedtls_gcm_free(&gcm);
    return is_right;
}

static bool is_signing_right(void)
{
    uint8_t secret[32], public_key[65], signature[64];
    crypto_sign_key(secret, public_key);
    crypto_sign(secret, "abc", 3, signature);
    crypto_wipe(secret, sizeof secret);
    return crypto_verify(public_key, "abc", 3, signature) &&
           !crypto_verify(public_key, "abd", 3, signature);
}

enum err crypto_init(void)
{
    if (psa_crypto_init() != PSA_SUCCESS) {
        log_error("crypto start failed at=%s:%d", __FILE__, __LINE__);
        return ERR_INTERNAL;
    }
    if (is_sha_right() && is_gcm_right() && is_signing_right())
        return OK;
    log_error("crypto self-test failed at=%s:%d", __FILE__, __LINE__);
    return ERR_INTERNAL;
}
