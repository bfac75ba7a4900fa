/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Both append to out; all memory is the arena's. */
void gzip_pack(struct buf *out, const void *data, size_t len);
/* ERR_INVALID for broken input, ERR_LIMIT beyond limit_bytes. */
MUST_USE enum err gzip_unpack(struct buf *out, const void *data, size_t len,
                              size_t limit_bytes);

#endif
