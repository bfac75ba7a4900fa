/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_BACKUP_MIRROR_H
#define DB_BACKUP_MIRROR_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A second folder, on another disk or machine, that holds copies of
 * generations as they are: PLACE/DATE/file.  The place itself is never made:
 * one that is missing is a disk that is not mounted.  Names are of the
 * letters of generations and their files, checked by the caller. */
struct backup_mirror_file {
    const char *name;
    int64_t bytes;
};

/* Files of a folder, or the folders of the place (folder ""), sorted; a
 * folder that is not there is empty.  ERR_NOT_FOUND: the place is not there. */
MUST_USE enum err backup_mirror_list(const char *place, const char *folder,
                                     struct arena *mem,
                                     const struct backup_mirror_file **out,
                                     size_t *count);
/* Copies all of fd beside, reads it again from the disk, compares its
 * SHA-256, and only then gives it the name.  ERR_CONFLICT: not the same. */
MUST_USE enum err backup_mirror_put(const char *place, const char *folder,
                                    const char *name, int fd, int64_t bytes,
                                    const uint8_t sha256[32]);
MUST_USE enum err backup_mirror_get(const char *place, const char *folder,
                                    const char *name, int fd, int64_t max);
/* The folder goes with its last file. */
MUST_USE enum err backup_mirror_delete(const char *place, const char *folder,
                                       const char *name);

/* The key of a deleted tenant, in every folder of the place. */
MUST_USE enum err backup_mirror_drop_keys(const char *place, const char *id);
/* After a kill: what was being put there or replaced.  Nobody puts now. */
void backup_mirror_sweep(const char *place, const char *folder);

#endif
