/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a generation as bytes, for copies elsewhere and back. */
#include "base/buf.h"
#include "base/log.h"
#include "db/backup_mirror.h"
#include "db/erase.h"
#include "db/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static void place_of(char out[PATH_BYTES], const struct store *s)
{
    must(snprintf(out, PATH_BYTES, "%s/backups", store_place(s).dir) <
         PATH_BYTES);
}

/* What SQLite keeps beside a file while a check has it open. */
static bool is_passing(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && (strcmp(name + len - 4, "-wal") == 0 ||
                       strcmp(name + len - 4, "-shm") == 0);
}

enum err generation_list_files(const struct store *s, const char *name,
                               struct arena *mem,
                               const struct generation_file **out,
                               size_t *count)
{
    const struct backup_mirror_file *files;
    size_t found;
    char place[PATH_BYTES];

    must(generation_is_name(name));
    place_of(place, s);
    *count = 0;
    enum err e = backup_mirror_list(place, name, mem, &files, &found);
    struct generation_file *list =
        arena_array(mem, struct generation_file, found + 1);
    for (size_t i = 0; !e && i < found; i++)
        if (!is_passing(files[i].name))
            list[(*count)++] =
                (struct generation_file){files[i].name, files[i].bytes};
    *out = list;
    return e;
}

int64_t generation_stamp(const struct store *s, const char *name)
{
    char place[PATH_BYTES], path[PATH_BYTES + 16];
    struct stat st;

    must(generation_is_name(name));
    place_of(place, s);
    (void)snprintf(path, sizeof path, "%s/%s", place, name);
    return stat(path, &st)
               ? 0
               : st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
}

static enum err open_in(const struct store *s, const char *folder,
                        const char *file, int flags, int *fd)
{
    char place[PATH_BYTES], path[PATH_BYTES];

    must(*file && *file != '.' && !strchr(file, '/'));
    place_of(place, s);
    must(snprintf(path, sizeof path, "%s/%s/%s", place, folder, file) <
         PATH_BYTES);
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd >= 0)
        return OK;
    log_error("db: opening %s: errno=%d", path, errno);
    return errno == ENOENT   ? ERR_NOT_FOUND
           : errno == ENOSPC ? ERR_FULL
                             : ERR_INTERNAL;
}

enum err generation_open_file(const struct store *s, const char *name,
                              const char *file, int *fd)
{
    must(generation_is_name(name));
    return open_in(s, name, file, O_RDONLY, fd);
}

enum err generation_open_scratch(const struct store *s, int *fd)
{
    char place[PATH_BYTES], path[PATH_BYTES + 32];

    place_of(place, s);
    if (mkdir(place, 0700) && errno != EEXIST)
        return ERR_INTERNAL;
    (void)snprintf(path, sizeof path, "%s/.scratch-XXXXXX", place);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd >= 0)
        (void)!erase_drop(path);
    if (*fd >= 0)
        return OK;
    log_error("db: making %s: errno=%d", path, errno);
    return errno == ENOSPC ? ERR_FULL : ERR_INTERNAL;
}

enum err generation_make_file(const struct store *s, const char *file, int *fd)
{
    return open_in(s, ".writing", file, O_RDWR | O_CREAT | O_EXCL, fd);
}

enum err generation_drop_file(const struct store *s, const char *file)
{
    char path[PATH_BYTES];

    must(*file && *file != '.' && !strchr(file, '/'));
    must(snprintf(path, sizeof path, "%s/backups/.writing/%s",
                  store_place(s).dir, file) < PATH_BYTES);
    return erase_drop(path);
}
