/* SPDX-License-Identifier: Apache-2.0 */
/* A copy counts when the manifest and all files of it are listed; the bytes
 * were compared when they were put. */
#include "core/backup/backup_there.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/backup_keep.h"
#include "core/backup/backup_work.h"

#include <string.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
enum { MANIFEST_MAX = 8 << 20 };

/* ---- a manifest ---- */

static enum err read_all(struct arena *mem, int fd, const char **text,
                         size_t *len)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = arena_alloc(mem, (size_t)(size < 0 ? 0 : size) + 1);

    if (size < 0 || pread(fd, bytes, (size_t)size, 0) != size)
        return ERR_INTERNAL;
    *text = bytes;
    *len = (size_t)size;
    return OK;
}

enum err backup_there_read(const struct app *app, struct backup_place *p,
                           struct arena *mem, const char *date,
                           uint8_t sha256[32], const struct json **root)
{
    const char *text = NULL;
    size_t len = 0;
    int fd;
    enum err e = generation_open_scratch(app->store, &fd);

    *root = NULL;
    if (e)
        return e;
    e = backup_place_get(p, date, MANIFEST, fd, MANIFEST_MAX);
    if (!e)
        e = read_all(mem, fd, &text, &len);
    (void)close(fd);
    if (e)
        return e;
    crypto_sha256(text, len, sha256);
    const struct json *found = json_parse_own(mem, text, len);
    if (found && json_get(found, "files"))
        *root = found;
    return OK;
}

/* ---- what is past its time ---- */

struct day {
    const char *date;
    const struct backup_mirror_file *files;
    size_t count;
};
struct prune {
    const struct app *app;
    struct backup_place *place;
    struct arena *mem;
    struct backup_stock *stock;
    struct day *days;
    size_t count;
};

static bool has(const struct day *d, const char *id, const char *end)
{
    size_t len = strlen(id);

    for (size_t i = 0; i < d->count; i++)
        if (strncmp(d->files[i].name, id, len) == 0 &&
            strcmp(d->files[i].name + len, end) == 0)
            return d->files[i].bytes > 0;
    return false;
}

static bool is_held(const struct day *d, const char *id)
{
    bool is_control = strcmp(id, GENERATION_CONTROL) == 0;

    return has(d, MANIFEST, "") && has(d, id, ".db") && has(d, id, ".key") &&
           (is_control || (has(d, id, ".access.db") && has(d, id, ".log.key")));
}

static bool is_kept(const struct prune *x, const struct day *d, const char *id)
{
    if (!is_held(d, id) || backup_stock_is_ended(x->stock, id))
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->days[i].date, d->date) > 0 && is_held(&x->days[i], id))
            return false;
    return true;
}

static bool is_among(const char *name, const char *const *ids, size_t count)
{
    size_t len = strcspn(name, "."); /* no id contains a full stop */

    for (size_t i = 0; i < count; i++)
        if (strlen(ids[i]) == len && memcmp(ids[i], name, len) == 0)
            return true;
    return false;
}

/* All of it: the manifest first, without which it is no generation. */
static enum err remove_day(struct prune *x, const struct day *d)
{
    enum err e = backup_place_delete(x->place, d->date, MANIFEST);

    for (size_t i = 0; !e && i < d->count; i++)
        e = backup_place_delete(x->place, d->date, d->files[i].name);
    if (e)
        log_error("backup copy not removed date=%s err=%s", d->date,
                  err_name(e));
    else
        log_info("backup copy removed date=%s", d->date);
    return e;
}

static enum err put_text(struct prune *x, const char *date, const char *text)
{
    uint8_t hash[32];
    size_t len = strlen(text);
    int fd;
    enum err e = generation_open_scratch(x->app->store, &fd);

    if (e)
        return e;
    crypto_sha256(text, len, hash);
    if (write(fd, text, len) != (ssize_t)len)
        e = ERR_FULL;
    if (!e)
        e = backup_place_put(x->place, date, MANIFEST, fd, (int64_t)len, hash);
    (void)close(fd);
    return e;
}

/* Only these stay; what is said of them goes before what is not theirs. */
static enum err thin_day(struct prune *x, const struct day *d,
                         const struct json *root, const char *const *ids,
                         size_t count)
{
    enum err e =
        put_text(x, d->date, backup_manifest_thin(x->mem, root, ids, count));

    for (size_t i = 0; !e && i < d->count; i++)
        if (strcmp(d->files[i].name, MANIFEST) != 0 &&
            !is_among(d->files[i].name, ids, count))
            e = backup_place_delete(x->place, d->date, d->files[i].name);
    if (e)
        log_error("backup copy not thinned date=%s err=%s", d->date,
                  err_name(e));
    else
        log_info("backup copy thinned date=%s", d->date);
    return e;
}

static bool is_there_only_for(const struct day *d, const char *const *ids,
                              size_t count)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->files[i].name, MANIFEST) != 0 &&
            !is_among(d->files[i].name, ids, count))
            return false;
    return true;
}

static enum err prune_day(struct prune *x, const struct day *d)
{
    const struct json *root = NULL;
    struct buf list = buf_in(x->mem);
    const char *last = "";
    uint8_t hash[32];
    enum err e =
        backup_there_read(x->app, x->place, x->mem, d->date, hash, &root);

    if (e && e != ERR_NOT_FOUND)
        return e;
    const struct json *files = root ? json_get(root, "files") : NULL;
    for (const struct json *f = files ? files->child : NULL; f; f = f->next) {
        const char *id = backup_manifest_text(f, "tenant");
        if (*id && strcmp(id, last) != 0 && is_kept(x, d, id))
            buf_put(&list, &id, sizeof id);
        last = id;
    }
    const char *const *ids = (const void *)list.data;
    size_t count = list.len / sizeof *ids;
    if (count == 0)
        return remove_day(x, d);
    return is_there_only_for(d, ids, count) ? OK
                                            : thin_day(x, d, root, ids, count);
}

static enum err list_days(struct prune *x)
{
    const char *const *dates;
    enum err e = backup_place_list(x->place, x->mem, &dates, &x->count);

    x->days = arena_array(x->mem, struct day, x->count + 1);
    for (size_t i = 0; !e && i < x->count; i++) {
        x->days[i].date = dates[i];
        e = backup_place_list_files(x->place, x->mem, dates[i],
                                    &x->days[i].files, &x->days[i].count);
    }
    return e;
}

enum err backup_there_prune(const struct app *app, struct backup_place *p,
                            struct arena *mem, int64_t now_us)
{
    static const struct actor actor = {
        .name = "", .ip = "", .request_id = "backup", .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = now_us};
    struct prune x = {.app = app, .place = p, .mem = mem};
    char oldest[11];
    enum err e = backup_stock_open(&c, app, &x.stock);

    civil_format(clock_today(now_us) - BACKUP_KEEP_DAYS + 1, oldest);
    if (!e)
        e = list_days(&x);
    for (size_t i = 0; !e && i < x.count; i++)
        if (strcmp(x.days[i].date, oldest) < 0 &&
            !generation_stamp(app->store, x.days[i].date))
            e = prune_day(&x, &x.days[i]);
    return e;
}
