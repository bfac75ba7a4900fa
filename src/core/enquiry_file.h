/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ENQUIRY_FILE_H
#define CORE_ENQUIRY_FILE_H

#include "base/buf.h"
#include "base/crypto.h"
#include "core/enquiry.h"

/* Files that hang on a message of a thread, inside the tenant's file; in the
 * caller's transaction. */
enum {
    ENQUIRY_FILE_BYTES = 10 << 20,
    ENQUIRY_FILES_MAX = 30, /* of a thread */
    ENQUIRY_NAME_MAX = 200,
};

struct enquiry_file {
    int64_t id, enquiry_id, message_id, size;
    const char *name;
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

MUST_USE enum err enquiry_file_list(struct ctx *c, int64_t enquiry_id,
                                    const struct enquiry_file **out,
                                    size_t *count);
/* To one's own message: ERR_NOT_FOUND for another's.  ERR_INVALID "name",
 * "empty", ERR_CONFLICT "files". */
MUST_USE enum err enquiry_file_add(struct ctx *c, const struct enquiry_side *by,
                                   const struct enquiry_file *file,
                                   const char *data, struct enquiry_file *out);
/* Its bytes go to the end of b. */
MUST_USE enum err enquiry_file_read(struct ctx *c,
                                    const struct enquiry_side *by,
                                    int64_t enquiry_id, int64_t id,
                                    struct enquiry_file *out, struct buf *b);

#endif
