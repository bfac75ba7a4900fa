/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/webauthn.h"

#include "base/cbor.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

#include <string.h>

enum {
    FLAG_PRESENT = 0x01,
    FLAG_VERIFIED = 0x04,
    FLAG_CREDENTIAL = 0x40,
    FLAG_EXTENSIONS = 0x80,
    HEAD_BYTES = 32 + 1 + 4,
    AAGUID_BYTES = 16,
};
/* COSE (RFC 9053): labels of a key, and their values. */
enum {
    COSE_TYPE = 1,
    COSE_ALGORITHM = 3,
    COSE_CURVE_OR_MODULUS = -1,
    COSE_X_OR_EXPONENT = -2,
    COSE_Y = -3,
    COSE_EC2 = 2,
    COSE_RSA = 3,
    COSE_P256 = 1,
};

static size_t read_credential(struct webauthn_bytes in,
                              struct webauthn_data *out)
{
    if (in.len < AAGUID_BYTES + 2)
        return 0;
    const uint8_t *p = in.data + AAGUID_BYTES;
    size_t id_len = (size_t)p[0] << 8 | p[1], head = AAGUID_BYTES + 2 + id_len;

    if (id_len == 0 || id_len > WEBAUTHN_ID_MAX || in.len <= head)
        return 0;
    out->id = (struct webauthn_bytes){p + 2, id_len};
    struct cbor c = cbor_open(in.data + head, in.len - head);
    cbor_skip(&c);
    if (c.is_bad)
        return 0;
    out->key = (struct webauthn_bytes){in.data + head, in.len - head - c.left};
    return in.len - c.left;
}

bool webauthn_parse_data(struct webauthn_bytes in, struct webauthn_data *out)
{
    *out = (struct webauthn_data){0};
    if (in.len < HEAD_BYTES || in.len > WEBAUTHN_DATA_MAX)
        return false;
    const uint8_t *p = in.data + 32;
    unsigned flags = p[0];

    memcpy(out->rp_hash, in.data, 32);
    out->is_present = flags & FLAG_PRESENT;
    out->is_verified = flags & FLAG_VERIFIED;
    out->counter = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 |
                   (uint32_t)p[3] << 8 | p[4];
    struct webauthn_bytes rest = {in.data + HEAD_BYTES, in.len - HEAD_BYTES};
    if (flags & FLAG_CREDENTIAL) {
        size_t used = read_credential(rest, out);
        if (used == 0)
            return false;
        rest = (struct webauthn_bytes){rest.data + used, rest.len - used};
    }
    struct cbor c = cbor_open(rest.data, rest.len);
    if (flags & FLAG_EXTENSIONS)
        cbor_skip(&c);
    return cbor_at_end(&c);
}

struct cose {
    int64_t type, algorithm, curve;
    struct webauthn_bytes first, second, third; /* labels -1, -2, -3 */
};

static struct webauthn_bytes read_bytes(struct cbor *c)
{
    struct webauthn_bytes b;

    b.data = cbor_bytes(c, &b.len);
    return b;
}

static bool read_cose(struct webauthn_bytes in, struct cose *k)
{
    struct cbor c = cbor_open(in.data, in.len);
    size_t pairs = cbor_map(&c);
    unsigned seen = 0;

    *k = (struct cose){0};
    while (pairs-- > 0 && !c.is_bad) {
        int64_t label = cbor_int(&c);
        unsigned bit = label >= -3 && label <= 3 ? 1U << (label + 3) : 0;
        if (seen & bit)
            return false;
        seen |= bit;
        if (label == COSE_TYPE)
            k->type = cbor_int(&c);
        else if (label == COSE_ALGORITHM)
            k->algorithm = cbor_int(&c);
        else if (label == COSE_CURVE_OR_MODULUS && cbor_is_int(&c))
            k->curve = cbor_int(&c);
        else if (label == COSE_CURVE_OR_MODULUS)
            k->first = read_bytes(&c);
        else if (label == COSE_X_OR_EXPONENT)
            k->second = read_bytes(&c);
        else if (label == COSE_Y)
            k->third = read_bytes(&c);
        else
            cbor_skip(&c);
    }
    return cbor_at_end(&c);
}

bool webauthn_parse_key(struct webauthn_bytes in, struct webauthn_key *out)
{
    struct cose k;

    *out = (struct webauthn_key){0};
    if (!read_cose(in, &k))
        return false;
    if (k.type == COSE_EC2 && k.algorithm == WEBAUTHN_ES256 &&
        k.curve == COSE_P256 && k.second.len == 32 && k.third.len == 32) {
        out->algorithm = WEBAUTHN_ES256;
        out->point[0] = 4;
        memcpy(out->point + 1, k.second.data, 32);
        memcpy(out->point + 33, k.third.data, 32);
        return true;
    }
    if (k.type == COSE_RSA && k.algorithm == WEBAUTHN_RS256 &&
        k.first.len >= 256 && k.first.len <= 512 && k.second.len >= 1 &&
        k.second.len <= 8) {
        out->algorithm = WEBAUTHN_RS256;
        out->modulus = k.first;
        out->exponent = k.second;
        return true;
    }
    return false;
}

bool webauthn_parse_attestation(struct webauthn_bytes in,
                                struct webauthn_bytes *out)
{
    struct cbor c = cbor_open(in.data, in.len);
    size_t pairs = cbor_map(&c), len;

    *out = (struct webauthn_bytes){0};
    while (pairs-- > 0 && !c.is_bad) {
        const char *name = cbor_text(&c, &len);
        if (len == 8 && memcmp(name, "authData", 8) == 0)
            *out = read_bytes(&c);
        else
            cbor_skip(&c); /* fmt, attStmt: nothing was asked for */
    }
    return cbor_at_end(&c) && out->len > 0;
}

static bool has_text(const struct json *object, const char *name,
                     const char *text)
{
    const struct json *j = json_get(object, name);

    return j && j->kind == JSON_TEXT && strcmp(j->text, text) == 0;
}

bool webauthn_is_client_data(struct arena *mem, struct webauthn_bytes json,
                             const char *type, const uint8_t challenge[32],
                             const char *origin)
{
    const char *ours =
        str_to_base64url(mem, challenge, WEBAUTHN_CHALLENGE_BYTES);

    if (json.len == 0 || json.len > WEBAUTHN_DATA_MAX)
        return false;
    const struct json *root =
        json_parse(mem, (const char *)json.data, json.len, NULL);
    if (!root || root->kind != JSON_OBJECT)
        return false;
    const struct json *cross = json_get(root, "crossOrigin");
    if (cross && (cross->kind != JSON_BOOL || cross->truth))
        return false;
    const struct json *given = json_get(root, "challenge");
    return given && given->kind == JSON_TEXT &&
           strlen(given->text) == strlen(ours) &&
           crypto_equal(given->text, ours, strlen(ours)) &&
           has_text(root, "type", type) && has_text(root, "origin", origin);
}

bool webauthn_is_for_site(const struct webauthn_data *d, const char *rp_id)
{
    uint8_t hash[32];

    crypto_sha256(rp_id, strlen(rp_id), hash);
    return crypto_equal(hash, d->rp_hash, sizeof hash) && d->is_present &&
           d->is_verified;
}

bool webauthn_is_signed(const struct webauthn_key *key, struct arena *mem,
                        struct webauthn_bytes data, struct webauthn_bytes json,
                        struct webauthn_bytes signature)
{
    uint8_t *text = arena_alloc(mem, data.len + 32);

    memcpy(text, data.data, data.len);
    crypto_sha256(json.data, json.len, text + data.len);
    if (key->algorithm == WEBAUTHN_ES256)
        return crypto_verify_der(key->point, text, data.len + 32,
                                 signature.data, signature.len);
    return crypto_verify_rsa(key->modulus.data, key->modulus.len,
                             key->exponent.data, key->exponent.len, text,
                             data.len + 32, signature.data, signature.len);
}
