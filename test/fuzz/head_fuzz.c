/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a request head, and as a chunked body; what passes must hold
 * what the rest of the server relies on. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "http/chunk.h"
#include "http/request_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request_head head;
    const char *text = (const char *)data;
    if (request_head_check(text, size, &head) == 0) {
        must(size >= 4 && memcmp(text + size - 4, "\r\n\r\n", 4) == 0);
        must(memchr(text, '\0', size) == NULL);
        must(head.method != METHOD_OTHER);
        must(!head.is_chunked || head.body_bytes < 0);
    }
    struct arena *mem = arena_open(0);
    struct buf whole = buf_in(mem), parts = buf_in(mem);
    struct chunk once = {0}, twice = {0};
    size_t used = 0, first = 0, second = 0, half = size / 2;
    enum err e = chunk_feed(&once, text, size, 4096, &whole, &used);
    must(used <= size && whole.len <= 4096);
    enum err f = chunk_feed(&twice, text, half, 4096, &parts, &first);
    if (!f)
        f = chunk_feed(&twice, text + first, size - first, 4096, &parts,
                       &second);
    must(e == f && whole.len == parts.len);
    must(e || once.state == twice.state);
    arena_close(mem);
    return 0;
}
