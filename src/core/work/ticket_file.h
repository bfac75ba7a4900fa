/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TICKET_FILE_H
#define CORE_WORK_TICKET_FILE_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/form.h"

#include <stddef.h>

/* Files attached to a ticket.  Rights follow the ticket: who sees it reads
 * them, who may comment on it or edit it adds; the caller has checked that. */
enum {
    TICKET_FILE_BYTES = 25 << 20,
    TICKET_FILES_BYTES = 200 << 20, /* of a ticket, */
    TICKET_FILES_MAX = 200,
    TICKET_FILE_NAME_MAX = 200,
    TICKET_PICTURE_PIXELS = 100 * 1000 * 1000,
};

struct ticket_file {
    int64_t id, ticket_id, user_id, size, created_at;
    const char *user_name, *name;
    const char *type; /* "image/png"; by the name's ending and first bytes */
    bool is_picture;  /* a browser may show it */
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

struct ticket_upload {
    const char *name, *data;
    size_t len, kind; /* an index of its own */
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

extern const struct form ticket_file_upload_form; /* name */

/* Oldest first; after_id pages upwards. */
MUST_USE enum err ticket_file_list(struct ctx *c, int64_t ticket_id,
                                   int64_t after_id, int limit,
                                   const struct ticket_file **out,
                                   size_t *count, bool *more);
/* What is to be kept of an upload, before any transaction: of a picture all but
 * what tells of its maker (image_metadata_strip()).  out lives in c->mem beside data.
 * ERR_INVALID "empty", "type" (the bytes are not what the name's ending says),
 * "name_path", "damaged", "pixels". */
MUST_USE enum err ticket_file_prepare(struct ctx *c, const struct values *v,
                                      const char *data, size_t len,
                                      struct ticket_upload *out);
/* With its history row and its row of the operation log.  ERR_CONFLICT
 * "files", "files_size". */
MUST_USE enum err ticket_file_add(struct ctx *c, int64_t ticket_id,
                                  const struct ticket_upload *up,
                                  struct ticket_file *out);
/* Its bytes go to the end of b.  is_picture is by these very bytes. */
MUST_USE enum err ticket_file_read(struct ctx *c, int64_t ticket_id, int64_t id,
                                   struct ticket_file *out, struct buf *b);
/* One's own, or anybody's for who may edit the ticket: ERR_DENIED. */
MUST_USE enum err ticket_file_delete(struct ctx *c, int64_t ticket_id,
                                     int64_t id);

#endif
