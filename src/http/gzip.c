/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of replies.  The state lives in the request's arena, and it is
 * small on purpose (window 4 KB, 38 KB in all): then it fits the block that is
 * there, while the 100 KB of a wider window came from musl's malloc and halved
 * the replies a second, for the same size of a JSON list. */
#include "http/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

#define LEVEL      1
#define WINDOW     12 /* 4 KB */
#define MEMORY     5
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
