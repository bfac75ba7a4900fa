/* SPDX-License-Identifier: Apache-2.0 */
/* A statement names its table in its text, so each kind of file has its own
 * pair.  Those of audit reports are in control.db, the others in a tenant's
 * file: two sets. */
#include "core/tenant/blob.h"

#include "core/core.h"
#include "db/query.h"

enum { CHUNK_BYTES = 256 << 10 };

static const char *const blob_add_text[] = {
    [BLOB_OF_ENQUIRY] =
        "INSERT INTO enquiry_chunk (file_id, no, data) VALUES (?1, ?2, ?3)",
    [BLOB_OF_TICKET] =
        "INSERT INTO ticket_chunk (file_id, no, data) VALUES (?1, ?2, ?3)",
};
static const char *const blob_read_text[] = {
    [BLOB_OF_ENQUIRY] =
        "SELECT data FROM enquiry_chunk WHERE file_id = ?1 ORDER BY no",
    [BLOB_OF_TICKET] =
        "SELECT data FROM ticket_chunk WHERE file_id = ?1 ORDER BY no",
};
enum { AUDIT_ADD, AUDIT_READ };
static const char *const blob_audit_text[] = {
    [AUDIT_ADD] =
        "INSERT INTO audit_chunk (report_id, no, data) VALUES (?1, ?2, ?3)",
    [AUDIT_READ] =
        "SELECT data FROM audit_chunk WHERE report_id = ?1 ORDER BY no",
};
const struct query_set blob_add_queries = {"blob_add", blob_add_text,
                                           COUNT(blob_add_text)};
const struct query_set blob_read_queries = {"blob_read", blob_read_text,
                                            COUNT(blob_read_text)};
const struct query_set blob_audit_queries = {"blob_audit", blob_audit_text,
                                             COUNT(blob_audit_text)};

enum err blob_write(struct ctx *c, enum blob_of of, int64_t id,
                    const char *data, size_t len)
{
    enum err e = OK;

    for (size_t at = 0, no = 0; !e && at < len; at += CHUNK_BYTES, no++) {
        size_t part = len - at < CHUNK_BYTES ? len - at : CHUNK_BYTES;
        struct query *q =
            query(c, of == BLOB_OF_AUDIT ? blob_audit_text[AUDIT_ADD]
                                         : blob_add_text[of]);
        bind_int(q, 1, id);
        bind_int(q, 2, (int64_t)no);
        bind_blob(q, 3, data + at, part);
        e = query_run(c, q);
    }
    return e;
}

enum err blob_read(struct ctx *c, enum blob_of of, int64_t id, struct buf *out)
{
    struct query *q = query(c, of == BLOB_OF_AUDIT ? blob_audit_text[AUDIT_READ]
                                                   : blob_read_text[of]);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        size_t len;
        const void *data = col_blob(c, q, 0, &len);
        buf_put(out, data, len);
    }
    return e;
}
