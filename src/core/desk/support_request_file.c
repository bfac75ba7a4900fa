/* SPDX-License-Identifier: Apache-2.0 */
#include "core/desk/support_request_file.h"

#include "base/json.h"
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/tenant/blob.h"
#include "db/query.h"

#include <string.h>

#define FILE_COLS "id, enquiry_id, message_id, size, name, sha256"

enum {
    FILE_LIST,
    FILE_GET,
    FILE_COUNT,
    FILE_ADD,
    FILE_OWN_MESSAGE,
};
static const char *const support_request_file_text[] = {
    [FILE_LIST] = "SELECT " FILE_COLS " FROM enquiry_file WHERE enquiry_id = ?1"
                  " ORDER BY message_id, id",
    [FILE_GET] = "SELECT " FILE_COLS " FROM enquiry_file WHERE id = ?1"
                 " AND enquiry_id = ?2",
    [FILE_COUNT] = "SELECT count(*) FROM enquiry_file WHERE enquiry_id = ?1",
    [FILE_ADD] =
        "INSERT INTO enquiry_file (enquiry_id, message_id, name, size, sha256)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [FILE_OWN_MESSAGE] = "SELECT 1 FROM enquiry_message WHERE id = ?1"
                         " AND enquiry_id = ?2 AND is_desk = ?3"
                         " AND author_id = ?4",
};
const struct query_set support_request_file_queries = {
    "enquiry_file", support_request_file_text,
    COUNT(support_request_file_text)};

static void read_row(struct ctx *c, struct query *q,
                     struct support_request_file *out)
{
    size_t len;

    *out = (struct support_request_file){
        .id = col_int(q, 0),
        .support_request_id = col_int(q, 1),
        .message_id = col_int(q, 2),
        .size = col_int(q, 3),
        .name = col_text(c, q, 4),
    };
    const void *hash = col_blob(c, q, 5, &len);
    if (len == sizeof out->sha256)
        memcpy(out->sha256, hash, len);
}

enum err support_request_file_list(struct ctx *c, int64_t support_request_id,
                                   const struct support_request_file **out,
                                   size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, support_request_file_text[FILE_LIST]);
    enum err e;

    bind_int(q, 1, support_request_id);
    while (query_next(c, q, &e)) {
        struct support_request_file f;
        read_row(c, q, &f);
        buf_put(&rows, &f, sizeof f);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err check_room(struct ctx *c,
                           const struct support_request_file *file)
{
    struct query *q = query(c, support_request_file_text[FILE_COUNT]);

    bind_int(q, 1, file->support_request_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count >= SUPPORT_REQUEST_FILES_MAX)
        return ctx_fail(
            c, ERR_CONFLICT, "", "files", "添付ファイルは %d 個までです",
            "A thread holds at most %d files", SUPPORT_REQUEST_FILES_MAX);
    if (file->size == 0)
        return ctx_fail(c, ERR_INVALID, "", "empty", "ファイルが空です",
                        "The file is empty");
    return OK;
}

static enum err need_own_message(struct ctx *c,
                                 const struct support_request_side *by,
                                 const struct support_request_file *file)
{
    struct query *q = query(c, support_request_file_text[FILE_OWN_MESSAGE]);

    bind_int(q, 1, file->message_id);
    bind_int(q, 2, file->support_request_id);
    bind_int(q, 3, by->is_desk);
    bind_int(q, 4, by->is_desk ? by->operator_id : c->actor->user_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "message", "not_found", "見つかりません",
                        "Not found");
    if (!e)
        query_done(q);
    return e;
}

static enum err log_file(struct ctx *c, const struct support_request *it,
                         const struct support_request_file *f)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    str_to_hex(f->sha256, sizeof f->sha256, hash);
    json_open(&o, NULL, '{');
    json_text(&o, "file", f->name);
    json_int(&o, "size", f->size);
    json_text(&o, "sha256", hash);
    json_close(&o, '}');
    return operation_log(
        c, &(struct operation){.action = "attach",
                               .kind = "enquiry",
                               .object_id = it->id,
                               .object_name =
                                   arena_printf(c->mem, "#%lld %s",
                                                (long long)it->id, it->subject),
                               .after = b.data});
}

enum err support_request_file_add(struct ctx *c,
                                  const struct support_request_side *by,
                                  const struct support_request_file *file,
                                  const char *data,
                                  struct support_request_file *out)
{
    struct support_request it;
    enum err e = support_request_get(c, by, file->support_request_id, &it);

    if (e || (e = need_own_message(c, by, file)) || (e = check_room(c, file)))
        return e;
    *out = *file;
    crypto_sha256(data, (size_t)file->size, out->sha256);
    struct query *q = query(c, support_request_file_text[FILE_ADD]);
    bind_int(q, 1, file->support_request_id);
    bind_int(q, 2, file->message_id);
    bind_text(q, 3, file->name);
    bind_int(q, 4, file->size);
    bind_blob(q, 5, out->sha256, sizeof out->sha256);
    if ((e = query_run(c, q)))
        return e;
    out->id = db_last_id(c);
    if ((e = blob_write(c, BLOB_OF_ENQUIRY, out->id, data, (size_t)file->size)))
        return e;
    return log_file(c, &it, out);
}

enum err support_request_file_read(struct ctx *c,
                                   const struct support_request_side *by,
                                   int64_t support_request_id, int64_t id,
                                   struct support_request_file *out,
                                   struct buf *b)
{
    struct support_request it;
    enum err e = support_request_get(c, by, support_request_id, &it);

    if (e)
        return e;
    struct query *q = query(c, support_request_file_text[FILE_GET]);
    bind_int(q, 1, id);
    bind_int(q, 2, support_request_id);
    if ((e = query_one(c, q)))
        return e == ERR_NOT_FOUND ? ctx_fail(c, e, "id", "not_found",
                                             "見つかりません", "Not found")
                                  : e;
    read_row(c, q, out);
    query_done(q);
    return blob_read(c, BLOB_OF_ENQUIRY, id, b);
}
