/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_WEBAUTHN_H
#define CORE_ACCOUNT_WEBAUTHN_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an authenticator and the browser before it say (Web Authentication,
 * level 2), read and checked without any state: ES256 and RS256, attestation
 * not asked for and not looked at. */
enum { WEBAUTHN_ES256 = -7, WEBAUTHN_RS256 = -257 };
enum {
    WEBAUTHN_CHALLENGE_BYTES = 32,
    WEBAUTHN_ID_MAX = 1023,
    WEBAUTHN_DATA_MAX = 4096,
};

/* Who asks: the origin as the browser writes it, and its host name. */
struct webauthn_site {
    const char *origin, *rp_id;
};

struct webauthn_bytes {
    const uint8_t *data;
    size_t len;
};

/* A COSE key: point, or modulus and exponent, inside the bytes it is read
 * from. */
struct webauthn_key {
    int algorithm;
    uint8_t point[65];
    struct webauthn_bytes modulus, exponent;
};

struct webauthn_data {
    uint8_t rp_hash[32];
    bool is_present, is_verified; /* a person touched; and proved itself */
    uint32_t counter;
    struct webauthn_bytes id, key; /* of a new credential, or empty */
};

/* All of the bytes must be used up; false otherwise. */
bool webauthn_parse_data(struct webauthn_bytes in, struct webauthn_data *out);
bool webauthn_parse_key(struct webauthn_bytes in, struct webauthn_key *out);
/* The authenticator data inside an attestation object. */
bool webauthn_parse_attestation(struct webauthn_bytes in,
                                struct webauthn_bytes *out);

/* type: "webauthn.create" or "webauthn.get"; the challenge and origin are
 * ours, and no other page embeds this one. */
bool webauthn_is_client_data(struct arena *mem, struct webauthn_bytes json,
                             const char *type, const uint8_t challenge[32],
                             const char *origin);
/* Our site's, with a person present and verified. */
bool webauthn_is_for_site(const struct webauthn_data *d, const char *rp_id);
/* Over the authenticator's data and the hash of the browser's. */
bool webauthn_is_signed(const struct webauthn_key *key, struct arena *mem,
                        struct webauthn_bytes data, struct webauthn_bytes json,
                        struct webauthn_bytes signature);

#endif
