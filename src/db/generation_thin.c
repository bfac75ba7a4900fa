/* SPDX-License-Identifier: Apache-2.0 */
/* What goes before a generation gets its name, or stays after its time. */
#include "base/log.h"
#include "db/erase.h"
#include "db/generation_part.h"
#include "db/key.h"

#include <dirent.h>
#include <string.h>

#define MANIFEST "manifest.json"

enum err generation_give_up(const struct store *s)
{
    char folder[PART_PATH_BYTES];

    part_folder(folder, s, NULL);
    return part_remove_folder(folder);
}

enum err generation_drop_tenant(const struct store *s, const char *id)
{
    static const char *const ends[] = {".db", ".access.db", ".key", ".log.key"};
    enum err e = OK;

    for (size_t i = 0; i < COUNT(ends); i++) {
        char name[PART_KEY_CHARS];
        must(strlen(id) + strlen(ends[i]) < sizeof name);
        memcpy(name, id, strlen(id) + 1);
        memcpy(name + strlen(id), ends[i], strlen(ends[i]) + 1);
        enum err dropped = generation_drop_file(s, name);
        if (!e)
            e = dropped;
    }
    return e;
}

/* "acme.log.key" is acme's: no id contains a full stop. */
static bool is_kept(const char *name, const char *const *ids, size_t count)
{
    size_t len = strcspn(name, ".");

    if (strcmp(name, MANIFEST) == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strlen(ids[i]) == len && memcmp(ids[i], name, len) == 0)
            return true;
    return false;
}

enum err generation_thin(const struct store *s, const char *name,
                         const char *const *ids, size_t count,
                         const char *manifest, size_t len)
{
    char folder[PART_PATH_BYTES], path[PART_PATH_BYTES];
    const struct dirent *entry;
    enum err e = OK;

    must(generation_is_name(name));
    part_folder(folder, s, name);
    if (manifest)
        e = key_write_file(folder, MANIFEST, manifest, len, 0600);
    DIR *d = e ? NULL : opendir(folder);
    if (!e && !d)
        e = part_errno("opening", folder);
    while (!e && d && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0 ||
            is_kept(entry->d_name, ids, count))
            continue;
        part_name_path(path, folder, "/", entry->d_name, "");
        e = erase_drop(path);
    }
    if (d)
        (void)closedir(d);
    return e ? e : key_sync_dir(folder);
}
