/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of replies.  The state lives in the request's arena: zlib asks
 * for five pieces, and musl's malloc is slow when threads share it.  Level 1
 * with a window of 8 KB: JSON lists repeat themselves at short distances, so
 * more buys a few percent of size for twice the time. */
#include "http/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

#define LEVEL      1
#define WINDOW     13 /* 8 KB */
#define MEMORY     7
#define GZIP_FRAME 16 /* zlib's way to ask for a gzip header */

static voidpf take(voidpf mem, uInt count, uInt size_bytes)
{
    return arena_alloc(mem, (size_t)count * size_bytes);
}

static void leave(voidpf mem, voidpf at)
{
    (void)mem;
    (void)at; /* the arena is dropped as a whole */
}

void gzip_pack(struct buf *out, const void *data, size_t len)
{
    z_stream z = {.zalloc = take, .zfree = leave, .opaque = out->mem};
    must(len <= UINT32_MAX / 2);
    int rc = deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW + GZIP_FRAME, MEMORY,
                          Z_DEFAULT_STRATEGY);
    must(rc == Z_OK);
    size_t room = deflateBound(&z, (uLong)len);
    buf_reserve(out, room);
    z.next_in = data;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)out->data + out->len;
    z.avail_out = (uInt)room;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->len += z.total_out;
    out->data[out->len] = '\0';
    deflateEnd(&z);
}

enum err gzip_unpack(struct buf *out, const void *data, size_t len,
                     size_t limit_bytes)
{
    z_stream z = {.zalloc = take, .zfree = leave, .opaque = out->mem};
    if (len > UINT32_MAX || inflateInit2(&z, MAX_WBITS + GZIP_FRAME) != Z_OK)
        return ERR_INVALID;
    z.next_in = data;
    z.avail_in = (uInt)len;
    int rc = Z_OK;
    while (rc == Z_OK && out->len <= limit_bytes) {
        const size_t room = 65536;
        buf_reserve(out, room);
        z.next_out = (Bytef *)out->data + out->len;
        z.avail_out = (uInt)room;
        rc = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
    }
    inflateEnd(&z);
    if (out->len > limit_bytes)
        return ERR_LIMIT;
    return rc == Z_STREAM_END ? OK : ERR_INVALID;
}
