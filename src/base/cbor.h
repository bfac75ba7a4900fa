/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CBOR_H
#define BASE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reading CBOR as authenticators write it (CTAP2 canonical form): definite
 * lengths, shortest integers, no tags, no floats, nesting to 4.  Nothing is
 * copied; a reader that met something else is bad for good and gives zeros,
 * so one look at the end is enough. */
struct cbor {
    const uint8_t *at;
    size_t left;
    bool is_bad;
};

struct cbor cbor_open(const void *data, size_t len);
size_t cbor_map(struct cbor *c); /* number of pairs that follow */
int64_t cbor_int(struct cbor *c);
const uint8_t *cbor_bytes(struct cbor *c, size_t *len);
const char *cbor_text(struct cbor *c, size_t *len);
bool cbor_is_int(const struct cbor *c); /* the next item; positive or not */
void cbor_skip(struct cbor *c);         /* one item of any kind */
bool cbor_at_end(const struct cbor *c); /* all read, nothing bad */

#endif
