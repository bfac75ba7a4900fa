/* SPDX-License-Identifier: Apache-2.0 */
/* A generation against its manifest: every file there, as it was written, and
 * sound. */
#include "base/json.h"
#include "base/str.h"
#include "core/backup_work.h"
#include "core/core.h"
#include "core/registry.h"

#include <stdlib.h>
#include <string.h>

const char *backup_manifest_text(const struct json *o, const char *name)
{
    const struct json *j = json_get(o, name);

    return j && j->text ? j->text : "";
}

enum err backup_read_manifest(struct ctx *c, const struct app *app,
                              const char *name, const struct json **files)
{
    const char *text = NULL;

    if (!generation_is_name(name))
        return ctx_fail(c, ERR_NOT_FOUND, "date", "generation",
                        "その日のバックアップはありません",
                        "There is no backup of that day");
    enum err e = generation_read_manifest(app->store, name, c->mem, &text);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "date", "generation",
                        "その日のバックアップはありません",
                        "There is no backup of that day");
    if (e)
        return e;
    const struct json *root = json_parse_own(c->mem, text, strlen(text));
    *files = json_get(root, "files");
    if (!*files)
        return ctx_fail(c, ERR_INTERNAL, "manifest.json", "broken",
                        "目録が壊れています", "The manifest is broken");
    return OK;
}

/* Of a tenant that is being deleted, or was. */
bool backup_is_deleted(struct ctx *c, const struct app *app, const char *id)
{
    struct registry_row row;

    return registry_get(c, app->store, id, &row) == OK &&
           row.state == REGISTRY_CLOSED;
}

static void verify_one(struct ctx *c, const struct app *app, const char *name,
                       const struct json *f, struct buf *bad)
{
    const char *id = backup_manifest_text(f, "tenant"),
               *suffix = backup_manifest_text(f, "suffix");
    const char *file = arena_printf(c->mem, "%s%s", id, suffix);
    uint8_t hash[32];
    char hex[65] = "";
    int64_t bytes;
    struct generation_found found;

    if (strcmp(id, GENERATION_CONTROL) != 0 && !tenant_is_id(id)) {
        buf_printf(bad, "%s: no such file\n", file);
        return;
    }
    enum err e = generation_hash(app->store, name, file, hash, &bytes);
    if (!e)
        str_to_hex(hash, sizeof hash, hex);
    if (e == ERR_NOT_FOUND && backup_is_deleted(c, app, id))
        return; /* it had its time */
    if (e)
        buf_printf(bad, "%s: %s\n", file, err_name(e));
    else if (strcmp(hex, backup_manifest_text(f, "sha256")) != 0)
        buf_printf(bad, "%s: not as it was written (SHA-256)\n", file);
    else if (backup_is_deleted(c, app, id))
        return; /* what its certificate says: nobody opens it again */
    else if ((e = generation_check(app->store, name, id, suffix, &found)))
        buf_printf(bad, "%s: does not open or is not sound (%s)\n", file,
                   err_name(e));
    else if (found.rows != strtoll(backup_manifest_text(f, "rows"), NULL, 10))
        buf_printf(bad, "%s: %lld rows, not %s\n", file, (long long)found.rows,
                   backup_manifest_text(f, "rows"));
}

enum err backup_verify(struct ctx *c, const struct app *app, const char *name,
                       struct buf *bad, size_t *files)
{
    const struct json *list = NULL;

    *files = 0;
    backup_hold();
    enum err e = backup_read_manifest(c, app, name, &list);
    for (const struct json *f = e ? NULL : list->child; f; f = f->next) {
        verify_one(c, app, name, f, bad);
        (*files)++;
    }
    backup_let();
    return e;
}
