/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, is said twice: by the ending of its name and by its first
 * bytes.  Where the ending is one we know, both must agree; where it is none
 * we know, the file is bytes and nothing else, whatever it holds. */
#include "core/work/ticket_file.h"

#include "base/image_metadata.h"
#include "base/json.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/ticket_history.h"
#include "core/tenant/blob.h"
#include "db/query.h"

#include <string.h>
#include <strings.h>

#define FILE_COLS                                                              \
    "SELECT f.id, f.ticket_id, f.user_id, f.size, f.created_at, f.kind,"       \
    " u.name, f.name, f.sha256 FROM ticket_file f"                             \
    " JOIN user u ON u.id = f.user_id"

enum { FILE_LIST, FILE_GET, FILE_ROOM, FILE_ADD, FILE_DELETE, FILE_TICKET };
static const char *const ticket_file_text[] = {
    [FILE_LIST] = FILE_COLS " WHERE f.ticket_id = ?1 AND f.id > ?2"
                            " ORDER BY f.id LIMIT ?3",
    [FILE_GET] = FILE_COLS " WHERE f.id = ?1 AND f.ticket_id = ?2",
    [FILE_ROOM] = "SELECT count(*), coalesce(sum(size), 0) FROM ticket_file"
                  " WHERE ticket_id = ?1",
    [FILE_ADD] = "INSERT INTO ticket_file (ticket_id, user_id, name, kind,"
                 " size, sha256, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                 " ?7)",
    [FILE_DELETE] = "DELETE FROM ticket_file WHERE id = ?1",
    [FILE_TICKET] = "SELECT p.key || '-' || t.no || ' ' || t.subject"
                    " FROM ticket t JOIN project p ON p.id = t.project_id"
                    " WHERE t.id = ?1",
};
const struct query_set ticket_file_queries = {"ticket_file", ticket_file_text,
                                              COUNT(ticket_file_text)};

static const struct field upload_fields[] = {
    {TEXT("name", 1, TICKET_FILE_NAME_MAX, REQUIRED, "ファイル名",
          "File name")},
};
const struct form ticket_file_upload_form = {"TicketFileUpload", upload_fields,
                                             COUNT(upload_fields)};

/* ---- what a file is ---- */

/* Kept in the file by index: only ever added to.  One ending a line. */
static const struct {
    const char *ending, *type;
    const char *magic;
    size_t at, len; /* of the magic; 0: any bytes */
    enum image_metadata_kind picture;
} kinds[] = {
    {"", "application/octet-stream", "", 0, 0, IMAGE_NONE},
    {".png", "image/png", "\x89PNG\r\n\x1a\n", 0, 8, IMAGE_PNG},
    {".jpg", "image/jpeg", "\xff\xd8\xff", 0, 3, IMAGE_JPEG},
    {".jpeg", "image/jpeg", "\xff\xd8\xff", 0, 3, IMAGE_JPEG},
    {".gif", "image/gif", "GIF8", 0, 4, IMAGE_GIF},
    {".webp", "image/webp", "WEBP", 8, 4, IMAGE_WEBP},
    {".pdf", "application/pdf", "%PDF-", 0, 5, IMAGE_NONE},
    {".zip", "application/zip", "PK", 0, 2, IMAGE_NONE},
    {".docx", "application/zip", "PK\x03\x04", 0, 4, IMAGE_NONE},
    {".xlsx", "application/zip", "PK\x03\x04", 0, 4, IMAGE_NONE},
    {".pptx", "application/zip", "PK\x03\x04", 0, 4, IMAGE_NONE},
};

static bool has_magic(size_t kind, const char *data, size_t len)
{
    return len >= kinds[kind].at + kinds[kind].len &&
           memcmp(data + kinds[kind].at, kinds[kind].magic, kinds[kind].len) ==
               0;
}

static size_t kind_of(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 1; i < COUNT(kinds); i++) {
        size_t ending = strlen(kinds[i].ending);
        if (len > ending &&
            strcasecmp(name + len - ending, kinds[i].ending) == 0)
            return i;
    }
    return 0;
}

/* Control marks are refused by the form. */
static enum err check_name(struct ctx *c, const char *name)
{
    if (strpbrk(name, "/\\"))
        return ctx_fail(c, ERR_INVALID, "name", "name_path",
                        "ファイル名に / と \\ は使えません",
                        "A file's name holds neither / nor \\");
    return OK;
}

static enum err check_bytes(struct ctx *c, const struct ticket_upload *up)
{
    if (up->len == 0)
        return ctx_fail(c, ERR_INVALID, "", "empty", "ファイルが空です",
                        "The file is empty");
    if (!has_magic(up->kind, up->data, up->len))
        return ctx_fail(
            c, ERR_INVALID, "name", "type",
            "ファイルの中身が、名前の末尾（%s）の形式ではありません",
            "The file is not what the end of its name (%s) says",
            kinds[up->kind].ending);
    return OK;
}

/* Without what tells of its maker, and of a size that a browser can draw. */
static enum err clean_picture(struct ctx *c, struct ticket_upload *up)
{
    struct image_metadata p;
    struct buf left = buf_in(c->mem);

    if (kinds[up->kind].picture == IMAGE_NONE)
        return OK;
    if (!image_metadata_strip(kinds[up->kind].picture, up->data, up->len, &left,
                              &p))
        return ctx_fail(c, ERR_INVALID, "name", "damaged",
                        "画像（%s）が壊れているため読み取れません",
                        "The picture (%s) is damaged and cannot be read",
                        kinds[up->kind].ending);
    if ((uint64_t)p.width * p.height > TICKET_PICTURE_PIXELS)
        return ctx_fail(c, ERR_INVALID, "name", "pixels",
                        "画像が大きすぎます（%u×%u、上限 1億画素）",
                        "The picture is too large (%u × %u, at most 100"
                        " megapixels)",
                        p.width, p.height);
    if (left.len) {
        up->data = left.data;
        up->len = left.len;
    }
    return OK;
}

static enum err check_room(struct ctx *c, int64_t ticket_id, size_t len)
{
    struct query *q = query(c, ticket_file_text[FILE_ROOM]);

    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0), bytes = col_int(q, 1);
    query_done(q);
    if (count >= TICKET_FILES_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "files",
                        "添付ファイルは1件のチケットに %d 個までです",
                        "A ticket holds at most %d files", TICKET_FILES_MAX);
    if (bytes + (int64_t)len > TICKET_FILES_BYTES)
        return ctx_fail(c, ERR_CONFLICT, "", "files_size",
                        "1件のチケットの添付ファイルは合わせて 200 MB までです",
                        "The files of a ticket are at most 200 MB together");
    return OK;
}

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q, struct ticket_file *out)
{
    size_t kind = (size_t)col_int(q, 5), len;

    if (kind >= COUNT(kinds))
        kind = 0;
    *out = (struct ticket_file){
        .id = col_int(q, 0),
        .ticket_id = col_int(q, 1),
        .user_id = col_int(q, 2),
        .size = col_int(q, 3),
        .created_at = col_int(q, 4),
        .user_name = col_text(c, q, 6),
        .name = col_text(c, q, 7),
        .type = kinds[kind].type,
        .is_picture = kinds[kind].picture != IMAGE_NONE,
    };
    const void *hash = col_blob(c, q, 8, &len);
    if (len == sizeof out->sha256)
        memcpy(out->sha256, hash, len);
}

enum err ticket_file_list(struct ctx *c, int64_t ticket_id, int64_t after_id,
                          int limit, const struct ticket_file **out,
                          size_t *count, bool *more)
{
    size_t max = (size_t)limit, n = 0;
    struct ticket_file *list = arena_array(c->mem, struct ticket_file, max + 1);
    struct query *q = query(c, ticket_file_text[FILE_LIST]);
    enum err e;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, after_id);
    bind_int(q, 3, (int64_t)max + 1);
    while (query_next(c, q, &e))
        read_row(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

static enum err get(struct ctx *c, int64_t ticket_id, int64_t id,
                    struct ticket_file *out)
{
    struct query *q = query(c, ticket_file_text[FILE_GET]);

    bind_int(q, 1, id);
    bind_int(q, 2, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND
                   ? ctx_fail(c, e, "file", "not_found",
                              "ファイルが見つかりません", "No such file")
                   : e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err ticket_file_read(struct ctx *c, int64_t ticket_id, int64_t id,
                          struct ticket_file *out, struct buf *b)
{
    size_t from = b->len;
    enum err e = get(c, ticket_id, id, out);

    if (!e)
        buf_reserve(b, (size_t)out->size); /* once, not doubling up to it */
    if (e || (e = blob_read(c, BLOB_OF_TICKET, id, b)))
        return e;
    out->is_picture =
        out->is_picture &&
        has_magic(kind_of(out->name), b->data + from, b->len - from);
    return OK;
}

/* ---- changing ---- */

static enum err log_file(struct ctx *c, const struct ticket_file *f,
                         bool is_added)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    struct query *q = query(c, ticket_file_text[FILE_TICKET]);

    bind_int(q, 1, f->ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    const char *ticket = col_text(c, q, 0);
    query_done(q);
    str_to_hex(f->sha256, sizeof f->sha256, hash);
    json_open(&o, NULL, '{');
    json_text(&o, "file", f->name);
    json_int(&o, "size", f->size);
    json_text(&o, "sha256", hash);
    json_close(&o, '}');
    if ((e = ticket_history_add(c, f->ticket_id, "file",
                                is_added ? NULL : f->name,
                                is_added ? f->name : NULL)))
        return e;
    return operation_log(
        c, &(struct operation){.action = is_added ? "create" : "delete",
                               .kind = "ticket_file",
                               .object_id = f->ticket_id,
                               .object_name = ticket,
                               .before = is_added ? NULL : b.data,
                               .after = is_added ? b.data : NULL});
}

enum err ticket_file_prepare(struct ctx *c, const struct values *v,
                             const char *data, size_t len,
                             struct ticket_upload *out)
{
    const char *name = values_text(v, "name");
    enum err e = check_name(c, name);

    *out = (struct ticket_upload){
        .name = name, .kind = kind_of(name), .data = data, .len = len};
    if (e || (e = check_bytes(c, out)) || (e = clean_picture(c, out)))
        return e;
    crypto_sha256(out->data, out->len, out->sha256);
    return OK;
}

enum err ticket_file_add(struct ctx *c, int64_t ticket_id,
                         const struct ticket_upload *up,
                         struct ticket_file *out)
{
    enum err e = check_room(c, ticket_id, up->len);

    if (e)
        return e;
    struct query *q = query(c, ticket_file_text[FILE_ADD]);
    bind_int(q, 1, ticket_id);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, up->name);
    bind_int(q, 4, (int64_t)up->kind);
    bind_int(q, 5, (int64_t)up->len);
    bind_blob(q, 6, up->sha256, sizeof up->sha256);
    bind_int(q, 7, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if ((e = blob_write(c, BLOB_OF_TICKET, id, up->data, up->len)) ||
        (e = get(c, ticket_id, id, out)))
        return e;
    return log_file(c, out, true);
}

enum err ticket_file_delete(struct ctx *c, int64_t ticket_id, int64_t id)
{
    struct ticket_file f;
    unsigned rights;
    enum err e = get(c, ticket_id, id, &f);

    if (e || (e = access_ticket(c, ticket_id, &rights)))
        return e;
    if (f.user_id != c->actor->user_id && !(rights & MAY_TICKET_EDIT))
        return ctx_fail(c, ERR_DENIED, "", "denied",
                        "ほかの人の添付ファイルは削除できません",
                        "You may not delete somebody else's file");
    struct query *q = query(c, ticket_file_text[FILE_DELETE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)))
        return e;
    return log_file(c, &f, false);
}
