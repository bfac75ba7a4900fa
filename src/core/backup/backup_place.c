/* SPDX-License-Identifier: Apache-2.0 */
#include "core/backup/backup_place.h"

#include "base/buf.h"
#include "base/str.h"
#include "db/generation.h"

#include <string.h>

const char *const backup_place_words[] = {"dir", "s3", NULL};

bool backup_place_is_set(const struct app *app, enum backup_place_kind kind)
{
    return kind == BACKUP_DIR ? app->backup.dir != NULL
                              : app->backup.s3 != NULL;
}

const char *backup_place_name(const struct app *app, struct arena *mem,
                              enum backup_place_kind kind)
{
    const struct s3_config *s3 = app->backup.s3;

    if (kind == BACKUP_DIR)
        return app->backup.dir;
    return arena_printf(mem, "%s %s/%s", s3->place.host, s3->bucket,
                        s3->prefix);
}

void backup_place_open(const struct app *app, struct arena *mem,
                       enum backup_place_kind kind, struct backup_place *out)
{
    *out =
        (struct backup_place){.kind = kind, .dir = app->backup.dir, .mem = mem};
    if (kind == BACKUP_S3)
        out->s3 = s3_open(mem, app->backup.s3);
}

void backup_place_close(struct backup_place *p)
{
    s3_close(p->s3);
}

/* ---- listing ---- */

static enum err list_any(struct backup_place *p, struct arena *mem,
                         const char *folder,
                         const struct backup_mirror_file **out, size_t *count)
{
    const struct s3_object *objects;

    if (p->kind == BACKUP_DIR)
        return backup_mirror_list(p->dir, folder, mem, out, count);
    const char *under = *folder ? arena_printf(mem, "%s/", folder) : "";
    enum err e = s3_list(p->s3, mem, under, &objects, count);
    if (e)
        return e;
    struct backup_mirror_file *list =
        arena_array(mem, struct backup_mirror_file, *count + 1);
    for (size_t i = 0; i < *count; i++)
        list[i] = (struct backup_mirror_file){objects[i].name + strlen(under),
                                              objects[i].bytes};
    *out = list;
    return OK;
}

enum err backup_place_list(struct backup_place *p, struct arena *mem,
                           const char *const **dates, size_t *count)
{
    const struct backup_mirror_file *found = NULL;
    size_t n = 0;
    enum err e = list_any(p, mem, "", &found, &n);
    const char **list = arena_array(mem, const char *, n + 1);

    *count = 0;
    *dates = list;
    for (size_t i = 0; !e && i < n; i++) {
        const char *name = found[i].name;
        size_t len = strlen(name);
        const char *bare = arena_strndup(
            mem, name, len && name[len - 1] == '/' ? len - 1 : len);
        if (generation_is_name(bare))
            list[(*count)++] = bare;
    }
    return e;
}

/* Only what a generation may hold: nothing that leads elsewhere. */
static bool is_file_name(const char *name)
{
    return *name && *name != '.' &&
           !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"
                              "vwxyz0123456789.-_")];
}

enum err backup_place_list_files(struct backup_place *p, struct arena *mem,
                                 const char *date,
                                 const struct backup_mirror_file **out,
                                 size_t *count)
{
    const struct backup_mirror_file *found = NULL;
    size_t n = 0;

    must(generation_is_name(date));
    enum err e = list_any(p, mem, date, &found, &n);
    struct backup_mirror_file *list =
        arena_array(mem, struct backup_mirror_file, n + 1);
    *count = 0;
    *out = list;
    for (size_t i = 0; !e && i < n; i++)
        if (is_file_name(found[i].name))
            list[(*count)++] = found[i];
    return e;
}

void backup_place_sweep(const struct backup_place *p, const char *date)
{
    if (p->kind == BACKUP_DIR)
        backup_mirror_sweep(p->dir, date);
}

/* ---- files ---- */

static const char *key_of(struct backup_place *p, const char *date,
                          const char *file)
{
    must(generation_is_name(date) && is_file_name(file));
    return arena_printf(p->mem, "%s/%s", date, file);
}

enum err backup_place_put(struct backup_place *p, const char *date,
                          const char *file, int fd, int64_t bytes,
                          const uint8_t sha256[32])
{
    const char *key = key_of(p, date, file);

    return p->kind == BACKUP_DIR
               ? backup_mirror_put(p->dir, date, file, fd, bytes, sha256)
               : s3_put(p->s3, key, fd, bytes, sha256);
}

enum err backup_place_get(struct backup_place *p, const char *date,
                          const char *file, int fd, int64_t max)
{
    const char *key = key_of(p, date, file);

    return p->kind == BACKUP_DIR
               ? backup_mirror_get(p->dir, date, file, fd, max)
               : s3_get(p->s3, key, fd, max);
}

enum err backup_place_delete(struct backup_place *p, const char *date,
                             const char *file)
{
    const char *key = key_of(p, date, file);

    return p->kind == BACKUP_DIR ? backup_mirror_delete(p->dir, date, file)
                                 : s3_delete(p->s3, key);
}

struct backup_reason backup_place_why(const struct backup_place *p, enum err e)
{
    static const struct backup_reason gone = {"フォルダーがありません",
                                              "the folder is not there"};
    static const struct backup_reason odd = {
        "書いたものを読み直すと違っています",
        "what was written reads differently"};
    struct http_why why = {"", ""};

    if (p->kind == BACKUP_S3)
        why = s3_why(p->s3);
    if (*why.en)
        return (struct backup_reason){arena_strdup(p->mem, why.ja),
                                      arena_strdup(p->mem, why.en)};
    return e == ERR_NOT_FOUND  ? gone
           : e == ERR_CONFLICT ? odd
                               : backup_reason_of(e);
}
