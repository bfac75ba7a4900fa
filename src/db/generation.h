/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_GENERATION_H
#define DB_GENERATION_H

#include "db/store.h"

/* Generations of the whole data directory: <dir>/backups/<name>/ with, for
 * each tenant, <id>.db, <id>.access.db and the wrapped keys that open them
 * (<id>.key, <id>.log.key); CONTROL.db and CONTROL.key for control.db.  Files
 * are written by VACUUM INTO: one reading transaction, so that writers go on,
 * and encrypted under the same key.  Nothing here touches a live file. */
#define GENERATION_CONTROL "CONTROL"

/* "YYYY-MM-DD", nothing else, so that no name leads elsewhere. */
bool generation_is_name(const char *name);

/* Makes the folder a generation is written into, emptied if one is left of a
 * broken run; it becomes a generation only by generation_seal(), which replaces
 * the one of the same name. */
MUST_USE enum err generation_begin(const struct store *s);
/* id: a tenant's or GENERATION_CONTROL.  bytes: what was written is added. */
MUST_USE enum err generation_copy(const struct store *s, const char *id,
                                  const char *suffix, int64_t *bytes);
/* How a tenant's file stands, in a word that changes with every write to it
 * or to its log; "" while it was written a moment ago, or on failure.  Taken
 * before the copy it speaks of. */
enum { GENERATION_SEEN_CHARS = 160 };
void generation_look(const struct store *s, const char *id, const char *suffix,
                     char out[GENERATION_SEEN_CHARS]);
/* Instead of a copy: the file of an earlier generation once more (a link), and
 * the key.  For what did not change since; the caller compares its hash. */
MUST_USE enum err generation_reuse(const struct store *s, const char *from,
                                   const char *id, const char *suffix,
                                   int64_t *bytes);
/* The manifest, last of all; then everything is on the disk. */
MUST_USE enum err generation_seal(const struct store *s, const char *name,
                                  const char *manifest, size_t len);

/* What was written of a tenant (or GENERATION_CONTROL) goes again: all of it
 * is in a generation, or nothing. */
MUST_USE enum err generation_drop_tenant(const struct store *s, const char *id);
/* Nothing of what was written becomes a generation. */
MUST_USE enum err generation_give_up(const struct store *s);
/* Of a generation only the files of these tenants stay.  manifest: what is
 * said of them, written first; NULL: what is there says so already, and only
 * what a kill left behind goes. */
MUST_USE enum err generation_thin(const struct store *s, const char *name,
                                  const char *const *ids, size_t count,
                                  const char *manifest, size_t len);

/* A file of a generation: name NULL is the one being written.  suffix: ".db"
 * or ".access.db".  Opens it under its key, checks it wholly, counts the rows
 * of all tables.  ERR_INTERNAL when it is not sound, ERR_NOT_FOUND without
 * file or key, ERR_BUSY when its schema is newer than this program. */
enum generation_fault {
    GENERATION_FILE_GONE,
    GENERATION_FILE_BAD, /* damaged, or of another key */
    GENERATION_KEY_GONE,
    GENERATION_KEY_BAD, /* damaged, or wrapped by another master key */
};
struct generation_found {
    enum generation_fault fault; /* when it is not sound, or not there */
    int64_t rows;
    int64_t version; /* of its schema */
    int known;       /* the newest of that kind that this program knows */
};
MUST_USE enum err generation_check(const struct store *s, const char *name,
                                   const char *id, const char *suffix,
                                   struct generation_found *out);
/* SHA-256 of any file of it, and its size. */
MUST_USE enum err generation_hash(const struct store *s, const char *name,
                                  const char *file, uint8_t out[32],
                                  int64_t *bytes);
MUST_USE enum err generation_read_manifest(const struct store *s,
                                           const char *name, struct arena *mem,
                                           const char **out);
/* Newest first. */
size_t generation_list(const struct store *s, struct arena *mem,
                       const char *const **names);
MUST_USE enum err generation_remove(const struct store *s, const char *name);
/* The size of a tenant's files (or GENERATION_CONTROL's); 0 unless all are
 * there with something in them, their keys and the manifest too.  What is in
 * them generation_check() looks at. */
int64_t generation_tenant_bytes(const struct store *s, const char *name,
                                const char *id);
/* Whether the tenant's key is there: a deletion takes it out of every
 * generation, and nothing opens the tenant again. */
bool generation_has_key(const struct store *s, const char *name,
                        const char *id);

/* ---- for copies elsewhere: files as they are ---- */

struct generation_file {
    const char *name;
    int64_t bytes;
};
/* Every file of it, the manifest among them, sorted. */
MUST_USE enum err generation_list_files(const struct store *s, const char *name,
                                        struct arena *mem,
                                        const struct generation_file **out,
                                        size_t *count);
/* Changes when a file comes or goes; 0: there is no such generation. */
int64_t generation_stamp(const struct store *s, const char *name);
MUST_USE enum err generation_open_file(const struct store *s, const char *name,
                                       const char *file, int *fd);
/* An empty one without a name. */
MUST_USE enum err generation_open_scratch(const struct store *s, int *fd);
/* An empty one in the generation being written, for what comes back. */
MUST_USE enum err generation_make_file(const struct store *s, const char *file,
                                       int *fd);
MUST_USE enum err generation_drop_file(const struct store *s, const char *file);

/* Puts a tenant of a generation, which generation_check() found good, into
 * this store or into what generation_restore_control() began; sessions, codes,
 * links, tokens and waiting mail do not come along.  All of it is written
 * before anything there is touched, and what fails changes nothing.
 * ERR_CONFLICT when the id is taken by files, a key or kept logs, ERR_FULL
 * without room. */
struct generation_aim {
    const char *name, *id;
    const char *as; /* another id, or its own */
    const char *to; /* NULL: this store */
    bool is_over;   /* what nobody has open goes to tenants/.replaced-ID, its
                     * keys beside: of either there may be parts only */
};
MUST_USE enum err generation_restore(const struct store *s,
                                     const struct generation_aim *aim);
/* Opens a tenant that was restored for a try, counts its rows, removes it. */
MUST_USE enum err generation_drop(const struct store *s, const char *as,
                                  int64_t *rows);
/* A whole restore: begun by control.db in "<to>.part", an empty data directory
 * of the same kind; named by generation_finish(), or removed by
 * generation_abandon().  ERR_CONFLICT unless both are new, or left by a
 * restore that was broken off. */
MUST_USE enum err generation_restore_control(const struct store *s,
                                             const char *name, const char *to);
MUST_USE enum err generation_finish(const char *to);
MUST_USE enum err generation_abandon(const char *to);

#endif
