/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from anywhere: what is left is no longer than before but for the
 * way up, tells nothing more when asked again, and says the same size. */
#include "base/image_metadata.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAY_UP_BYTES = 36 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    struct buf once = buf_in(mem), twice = buf_in(mem);
    struct image_metadata p, q;

    if (size &&
        image_metadata_strip(data[0] % 5, data + 1, size - 1, &once, &p) &&
        once.len) {
        must(once.len <= size - 1 + WAY_UP_BYTES);
        must(
            image_metadata_strip(data[0] % 5, once.data, once.len, &twice, &q));
        must(p.width == q.width && p.height == q.height);
        must(twice.len == 0 || (twice.len == once.len &&
                                memcmp(twice.data, once.data, once.len) == 0));
    }
    arena_close(mem);
    return 0;
}
