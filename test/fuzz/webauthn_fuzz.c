/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticator data, keys, attestation objects and CBOR from anywhere: what
 * is taken points inside the input, and keeps the promises of the header. */
#include "core/account/webauthn.h"

#include <stdint.h>

#include "base/cbor.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct webauthn_bytes in, struct webauthn_bytes part)
{
    must(part.len == 0 || (part.data >= in.data && part.len <= in.len &&
                           part.data + part.len <= in.data + in.len));
}

static void check_key(struct webauthn_bytes in)
{
    struct webauthn_key key;

    if (!webauthn_parse_key(in, &key))
        return;
    must(key.algorithm == WEBAUTHN_ES256 || key.algorithm == WEBAUTHN_RS256);
    check_inside(in, key.modulus);
    check_inside(in, key.exponent);
    must(key.modulus.len <= 512);
}

static void check_data(struct webauthn_bytes in)
{
    struct webauthn_data d;

    if (!webauthn_parse_data(in, &d))
        return;
    check_inside(in, d.id);
    check_inside(in, d.key);
    must(d.id.len <= WEBAUTHN_ID_MAX);
    check_key(d.key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct webauthn_bytes in = {data, size}, inner;
    struct cbor c = cbor_open(data, size);

    cbor_skip(&c);
    must(c.left <= size && (!c.is_bad || c.left == 0));
    check_data(in);
    check_key(in);
    if (webauthn_parse_attestation(in, &inner)) {
        check_inside(in, inner);
        check_data(inner);
    }
    return 0;
}
