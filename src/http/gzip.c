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

enum { TRAILER_BYTES = 8 };

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

struct gzip_reader {
    z_stream z;
    const unsigned char *packed;
    size_t packed_len;
    int64_t at; /* of the plain text: what comes next */
};

/* The length of the plain text is the last word of the format (RFC 1952). */
struct gzip_reader *gzip_open(struct arena *mem, const void *data, size_t len,
                              int64_t *bytes)
{
    const unsigned char *end = (const unsigned char *)data + len;
    struct gzip_reader *g = arena_new(mem, struct gzip_reader);
    if (len < TRAILER_BYTES || len > UINT32_MAX)
        return NULL;
    g->z = (z_stream){.zalloc = take, .zfree = leave, .opaque = mem};
    g->packed = data;
    g->packed_len = len;
    *bytes = (int64_t)end[-4] | (int64_t)end[-3] << 8 | (int64_t)end[-2] << 16 |
             (int64_t)end[-1] << 24;
    if (inflateInit2(&g->z, MAX_WBITS + GZIP_FRAME) != Z_OK)
        return NULL;
    g->z.next_in = g->packed;
    g->z.avail_in = (uInt)len;
    return g;
}

static enum err read_next(struct gzip_reader *g, void *data, size_t len)
{
    g->z.next_out = data;
    g->z.avail_out = (uInt)len;
    int rc = inflate(&g->z, Z_SYNC_FLUSH);
    if ((rc != Z_OK && rc != Z_STREAM_END) || g->z.avail_out)
        return ERR_INVALID;
    g->at += (int64_t)len;
    return OK;
}

enum err gzip_read(void *reader, int64_t at, void *data, size_t len)
{
    struct gzip_reader *g = reader;
    enum err e = OK;
    if (at < g->at) {
        if (inflateReset(&g->z) != Z_OK)
            return ERR_INTERNAL;
        g->z.next_in = g->packed;
        g->z.avail_in = (uInt)g->packed_len;
        g->at = 0;
    }
    while (!e && g->at < at) {
        int64_t skipped = at - g->at < (int64_t)len ? at - g->at : (int64_t)len;
        e = read_next(g, data, (size_t)skipped);
    }
    return e ? e : read_next(g, data, len);
}
