/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_BLOB_H
#define CORE_TENANT_BLOB_H

#include "base/buf.h"
#include "base/ctx.h"

#include <stddef.h>

/* The bytes of files, 256 KB a row, in the table of what they hang on; in the
 * caller's transaction, whose commit makes all of them visible at once. */
enum blob_of { BLOB_OF_ENQUIRY, BLOB_OF_TICKET, BLOB_OF_AUDIT };

MUST_USE enum err blob_write(struct ctx *c, enum blob_of of, int64_t id,
                             const char *data, size_t len);
/* To the end of out. */
MUST_USE enum err blob_read(struct ctx *c, enum blob_of of, int64_t id,
                            struct buf *out);

#endif
