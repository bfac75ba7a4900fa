/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_GENERATION_PART_H
#define DB_GENERATION_PART_H

#include "db/conn.h"
#include "db/generation.h"
#include "db/migrate.h"

/* Between generation.c, which makes and looks at generations, and
 * generation_restore.c, which puts them back. */
enum { PART_PATH_BYTES = 4096, PART_KEY_CHARS = 64, PART_COUNT = 2 };

/* A file of a generation, and what opens it. */
struct part {
    const char *suffix, *live, *key_suffix, *label;
    const struct migrate_plan *plan;
};
extern const struct part part_of_tenant[PART_COUNT];
extern const struct part part_of_control;

void part_name_path(char out[PART_PATH_BYTES], const char *a, const char *b,
                    const char *c, const char *d);
/* Of a generation; NULL: the one being written. */
void part_folder(char out[PART_PATH_BYTES], const struct store *s,
                 const char *name);
void part_name_key(char out[PART_KEY_CHARS], const char *id,
                   const struct part *p);
/* What errno means, logged. */
MUST_USE enum err part_errno(const char *doing, const char *path);

/* The key of a file, wrapped in folder/name, as its owner's context opens
 * it. */
MUST_USE enum err part_load_key(const struct store *s, const char *folder,
                                const char *name, const char *id,
                                const struct part *p, uint8_t out[32]);
/* Onto the disk; nothing may be there. */
MUST_USE enum err part_copy_file(const char *from, const char *to);
MUST_USE enum err part_copy_key(const char *from, const char *from_name,
                                const char *to, const char *to_name);
MUST_USE enum err part_make_folder(const char *path);
/* With the files in it; one that is not there is no matter. */
MUST_USE enum err part_remove_folder(const char *dir);
/* Opens a file that nobody writes, checks it wholly, counts its rows. */
MUST_USE enum err part_look_at(const struct conn_place *place,
                               const struct migrate_plan *plan,
                               struct generation_found *out);
/* What opening left beside the file. */
void part_drop_traces(const char *path);

#endif
