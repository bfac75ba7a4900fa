/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Both append to out; all memory is the arena's. */
void gzip_pack(struct buf *out, const void *data, size_t len);

/* Unpacks what lasts as long as the arena does, piece by piece, so that only
 * the pieces are ever in memory. */
struct gzip_reader;
/* NULL when it is no gzip of a single member; bytes: how many it unpacks to. */
struct gzip_reader *gzip_open(struct arena *mem, const void *data, size_t len,
                              int64_t *bytes);
/* As reply_stream.read; pieces in order cost their own length, one that begins
 * before the last one's end costs all that is before it again. */
MUST_USE enum err gzip_read(void *reader, int64_t at, void *data, size_t len);

#endif
