/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for an address is written back and read as the same; a range
 * holds its own base and has no bits beyond its prefix. */
#include "base/ip_address.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const char *text = arena_strndup(mem, (const char *)data, size);
    struct ip_address a, again;
    struct ip_address_range range;
    char out[IP_ADDRESS_TEXT_BYTES];

    if (ip_address_parse(text, &a)) {
        ip_address_format(&a, out);
        must(strlen(out) < sizeof out && ip_address_parse(out, &again));
        must(memcmp(&a, &again, sizeof a) == 0);
    }
    if (ip_address_parse_range(text, &range)) {
        must(range.prefix >= 0 && range.prefix <= 128);
        must(ip_address_in(&range.base, &range));
        for (int i = range.prefix; i < 128; i++)
            must(!(range.base.bytes[i / 8] & 0x80 >> i % 8));
    }
    arena_close(mem);
    return 0;
}
