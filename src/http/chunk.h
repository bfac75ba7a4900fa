/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "base/buf.h"
#include "base/err.h"

/* Takes a chunked body apart as its bytes come.  Strict: sizes of 1-8 hex
 * digits, no extensions, no trailers. */
struct chunk {
    enum {
        CHUNK_SIZE,
        CHUNK_SIZE_LF,
        CHUNK_DATA,
        CHUNK_DATA_CR,
        CHUNK_DATA_LF,
        CHUNK_END_CR,
        CHUNK_END_LF,
        CHUNK_DONE
    } state;
    int digits;
    size_t left; /* of this chunk */
};

/* Appends the data to out, at most limit bytes in all (else ERR_LIMIT);
 * *used is how many bytes of input were taken, fewer than len only once the
 * state is CHUNK_DONE.  ERR_INVALID when malformed. */
MUST_USE enum err chunk_feed(struct chunk *c, const char *data, size_t len,
                             size_t limit, struct buf *out, size_t *used);

#endif
