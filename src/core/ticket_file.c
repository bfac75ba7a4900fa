/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, is said twice: by the ending of its name and by its first
 * bytes.  Where the ending is one we know, both must agree; where it is none
 * we know, the file is bytes and nothing else, whatever it holds. */
#include "core/ticket_file.h"

#include "base/json.h"
#include "base/str.h"
#include "core/access.h"
#include "core/blob.h"
#include "core/change.h"
#include "core/core.h"
#include "core/operation.h"
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
    {"name", FIELD_TEXT, 1, TICKET_FILE_NAME_MAX, FIELD_REQUIRED, NULL, NULL,
     "ファイル名", "File name"},
};
const struct form ticket_file_upload_form = {"TicketFileUpload", upload_fields,
                                             COUNT(upload_fields)};

/* ---- what a file is ---- */

/* Kept in the file by index: only ever added to.  One ending a line. */
static const struct {
    const char *ending, *type;
    const char *magic;
    size_t at, len; /* of the magic; 0: any bytes */
    bool is_picture;
} kinds[] = {
    {"",      "application/octet-stream", "",                  0, 0, false},
    {".png",  "image/png",                "\x89PNG\r\n\x1a\n", 0, 8, true },
    {".jpg",  "image/jpeg",               "\xff\xd8\xff",      0, 3, true },
    {".jpeg", "image/jpeg",               "\xff\xd8\xff",      0, 3, true },
    {".gif",  "image/gif",                "GIF8",              0, 4, true },
    {".webp", "image/webp",               "WEBP",              8, 4, true },
    {".pdf",  "application/pdf",          "%PDF-",             0, 5, false},
    {".zip",  "application/zip",          "PK",                0, 2, false},
    {".docx", "application/zip",          "PK\x03\x04",        0, 4, false},
    {".xlsx", "application/zip",          "PK\x03\x04",        0, 4, false},
    {".pptx", "application/zip",          "PK\x03\x04",        0, 4, false},
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

static enum err check_bytes(struct ctx *c, const char *name, const char *data,
                            size_t len, size_t *kind)
{
    *kind = kind_of(name);
    if (len == 0)
        return ctx_fail(c, ERR_INVALID, "", "empty", "ファイルが空です",
                        "The file is empty");
    if (!has_magic(*kind, data, len))
        return ctx_fail(
            c, ERR_INVALID, "name", "type",
            "ファイルの中身が、名前の末尾（%s）の形式ではありません",
            "The file is not what the end of its name (%s) says",
            kinds[*kind].ending);
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
        .is_picture = kinds[kind].is_picture,
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
    if ((e = change_add(c, f->ticket_id, "file", is_added ? NULL : f->name,
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

enum err ticket_file_add(struct ctx *c, int64_t ticket_id,
                         const struct values *v, const char *data, size_t len,
                         struct ticket_file *out)
{
    const char *name = values_text(v, "name");
    uint8_t hash[CRYPTO_HASH_BYTES];
    size_t kind;
    enum err e = check_name(c, name);

    if (e || (e = check_bytes(c, name, data, len, &kind)) ||
        (e = check_room(c, ticket_id, len)))
        return e;
    crypto_sha256(data, len, hash);
    struct query *q = query(c, ticket_file_text[FILE_ADD]);
    bind_int(q, 1, ticket_id);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, name);
    bind_int(q, 4, (int64_t)kind);
    bind_int(q, 5, (int64_t)len);
    bind_blob(q, 6, hash, sizeof hash);
    bind_int(q, 7, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if ((e = blob_write(c, BLOB_OF_TICKET, id, data, len)) ||
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
