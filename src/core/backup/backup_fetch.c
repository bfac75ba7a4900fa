/* SPDX-License-Identifier: Apache-2.0 */
/* A copy comes back file by file into the folder of the generation being
 * written, and gets its name only when all of it is as its manifest says. */
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"
#include "core/backup/backup_copy.h"
#include "core/backup/backup_work.h"
#include "core/core.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
enum { MANIFEST_MAX = 8 << 20, KEY_MAX = 4096 };

static enum err complain(struct ctx *c, const struct backup_place *p,
                         const char *file, enum err e)
{
    struct backup_reason why = backup_place_why(p, e);

    return ctx_fail(c, e, file, "place", "写しの場所から読めません: %s",
                    "The place of the copies cannot be read: %s",
                    backup_reason_text(c, &why));
}

static enum err no_such_date(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "date", "generation",
                    "その日の写しはありません", "There is no copy of that day");
}

static enum err no_such_place(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "from", "place",
                    "この写しの場所は設定されていません",
                    "This place of copies is not configured");
}

enum err backup_copy_list(struct ctx *c, const struct app *app,
                          enum backup_place_kind kind,
                          const char *const **dates, size_t *count)
{
    struct backup_place p;

    *count = 0;
    if (!backup_place_is_set(app, kind))
        return no_such_place(c);
    backup_place_open(app, c->mem, kind, &p);
    enum err e = backup_place_list(&p, c->mem, dates, count);
    if (e)
        e = complain(c, &p, "from", e);
    backup_place_close(&p);
    return e;
}

/* ---- one file ---- */

static enum err get(struct ctx *c, const struct app *app,
                    struct backup_place *p, const char *date, const char *file,
                    int64_t max, const char **text)
{
    int fd;
    enum err e = generation_make_file(app->store, file, &fd);

    if (e)
        return e;
    e = backup_place_get(p, date, file, fd, max);
    off_t size = lseek(fd, 0, SEEK_END);
    if (!e && (fsync(fd) || size < 0))
        e = ERR_INTERNAL;
    if (!e && text) {
        char *bytes = arena_alloc(c->mem, (size_t)size + 1);
        if (pread(fd, bytes, (size_t)size, 0) != size)
            e = ERR_INTERNAL;
        *text = bytes;
    }
    (void)close(fd);
    return e;
}

static const char *text_of(const struct json *o, const char *name)
{
    const struct json *j = json_get(o, name);

    return j && j->text ? j->text : "";
}

static enum err get_file(struct ctx *c, const struct app *app,
                         struct backup_place *p, const char *date,
                         const struct json *f)
{
    const char *id = text_of(f, "tenant"), *suffix = text_of(f, "suffix");
    const char *file = arena_printf(c->mem, "%s%s", id, suffix);
    int64_t wanted = 0, bytes;
    uint8_t hash[32];
    char hex[65];

    if ((strcmp(id, GENERATION_CONTROL) != 0 && !tenant_is_id(id)) ||
        (strcmp(suffix, ".db") != 0 && strcmp(suffix, ".access.db") != 0) ||
        !str_parse_int(text_of(f, "bytes"), 0, INT64_MAX, &wanted))
        return ctx_fail(c, ERR_INTERNAL, MANIFEST, "broken",
                        "目録が壊れています", "The manifest is broken");
    enum err e = get(c, app, p, date, file, wanted, NULL);
    if (e)
        return complain(c, p, file, e);
    if ((e = generation_hash(app->store, NULL, file, hash, &bytes)))
        return e;
    str_to_hex(hash, sizeof hash, hex);
    if (bytes != wanted || strcmp(hex, text_of(f, "sha256")) != 0)
        return ctx_fail(c, ERR_CONFLICT, file, "altered",
                        "書き込まれたときと異なります (SHA-256)",
                        "It is not as it was written (SHA-256)");
    return OK;
}

/* The key of a deleted tenant is gone from every copy; the rest of the
 * generation is still of use. */
static enum err get_key(struct ctx *c, const struct app *app,
                        struct backup_place *p, const char *date,
                        const struct json *f, struct buf *notes)
{
    bool is_log = strcmp(text_of(f, "suffix"), ".access.db") == 0;
    const char *file = arena_printf(c->mem, "%s%s.key", text_of(f, "tenant"),
                                    is_log ? ".log" : "");
    enum err e = get(c, app, p, date, file, KEY_MAX, NULL);

    if (e == ERR_NOT_FOUND) {
        buf_printf(notes, "%s: the key is no longer there\n", file);
        return generation_drop_file(app->store, file);
    }
    return e ? complain(c, p, file, e) : OK;
}

static enum err get_all(struct ctx *c, const struct app *app,
                        struct backup_place *p, const char *date,
                        struct buf *notes, size_t *files)
{
    const char *text = NULL;
    enum err e = get(c, app, p, date, MANIFEST, MANIFEST_MAX, &text);

    if (e == ERR_NOT_FOUND)
        return no_such_date(c);
    if (e)
        return complain(c, p, MANIFEST, e);
    const struct json *root = json_parse_own(c->mem, text, strlen(text));
    const struct json *list = json_get(root, "files");
    if (!list)
        return ctx_fail(c, ERR_INTERNAL, MANIFEST, "broken",
                        "目録が壊れています", "The manifest is broken");
    for (const struct json *f = list->child; f && !e; f = f->next) {
        e = get_file(c, app, p, date, f);
        if (!e)
            e = get_key(c, app, p, date, f, notes);
        (*files)++;
    }
    return e ? e : generation_seal(app->store, date, text, strlen(text));
}

enum err backup_copy_fetch(struct ctx *c, const struct app *app,
                           enum backup_place_kind kind, const char *date,
                           struct buf *notes, size_t *files)
{
    struct backup_place p;

    *files = 0;
    if (!backup_place_is_set(app, kind))
        return no_such_place(c);
    if (!generation_is_name(date))
        return no_such_date(c);
    backup_place_open(app, c->mem, kind, &p);
    backup_hold();
    enum err e = generation_begin(app->store);
    if (!e)
        e = get_all(c, app, &p, date, notes, files);
    backup_let();
    backup_place_close(&p);
    return e;
}
