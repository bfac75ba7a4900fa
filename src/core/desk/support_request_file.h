/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_SUPPORT_REQUEST_FILE_H
#define CORE_DESK_SUPPORT_REQUEST_FILE_H

#include "base/buf.h"
#include "base/crypto.h"
#include "core/desk/support_request.h"

/* Files that hang on a message of a thread, inside the tenant's file; in the
 * caller's transaction. */
enum {
    SUPPORT_REQUEST_FILE_BYTES = 10 << 20,
    SUPPORT_REQUEST_FILES_MAX = 30, /* of a thread */
    SUPPORT_REQUEST_NAME_MAX = 200,
};

struct support_request_file {
    int64_t id, support_request_id, message_id, size;
    const char *name;
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

MUST_USE enum err
support_request_file_list(struct ctx *c, int64_t support_request_id,
                          const struct support_request_file **out,
                          size_t *count);
/* To one's own message: ERR_NOT_FOUND for another's.  ERR_INVALID "name",
 * "empty", ERR_CONFLICT "files". */
MUST_USE enum err
support_request_file_add(struct ctx *c, const struct support_request_side *by,
                         const struct support_request_file *file,
                         const char *data, struct support_request_file *out);
/* Its bytes go to the end of b. */
MUST_USE enum err
support_request_file_read(struct ctx *c, const struct support_request_side *by,
                          int64_t support_request_id, int64_t id,
                          struct support_request_file *out, struct buf *b);

#endif
