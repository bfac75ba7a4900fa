/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ERASE_H
#define DB_ERASE_H

#include "db/store.h"

/* ---- how a file of the data, backup and copy directories loses its name ----
 * What is not ciphertext as a whole, a wrapped key above all, is overwritten
 * with random bytes, synced and its blocks given back before it is unlinked;
 * there is no other way to remove one.  One that is gone is OK, one that has
 * another name loses this one alone.  The folder is not synced.  dir: open. */
MUST_USE enum err erase_drop_at(int dir, const char *name);
MUST_USE enum err erase_drop(const char *path);
/* rename() over a file whose bytes are to go in the same way.  Killed in
 * between, "."NAME".old" is left, for erase_sweep(). */
MUST_USE enum err erase_replace(const char *from, const char *to);
/* After a kill: what was being written into a folder or replaced in it. */
void erase_sweep(const char *folder);

/* The files of a tenant that is deleted: found by walking the whole data
 * directory for names that are its own, destroyed one by one.  The tenant was
 * retired: nobody has one of them open. */
enum erase_kind {
    ERASE_KEYS,  /* its key, wherever it lies: keys/, every generation */
    ERASE_FILES, /* databases, their logs, snapshots, what broken steps left */
    ERASE_BACKUPS, /* generations: unreadable without the key, due on day 8 */
    ERASE_LOGS,    /* the retained log and its key, due after 3 months */
    ERASE_KINDS
};

struct erase_found {
    const char *path; /* under the data directory */
    enum erase_kind kind;
};
/* Of all kinds; paths in mem. */
MUST_USE enum err erase_find(const struct store *s, const char *id,
                             struct arena *mem, const struct erase_found **out,
                             size_t *count);

struct erase_file {
    int64_t bytes;
    uint8_t sha256[32];
    bool is_discarded; /* the file system gave its blocks back */
};
/* false ends long work at the next step, with ERR_BUSY. */
typedef bool erase_go_on_fn(void *arg);
/* As it is now.  ERR_NOT_FOUND. */
MUST_USE enum err erase_hash(const struct store *s, const char *path,
                             erase_go_on_fn *go_on, void *arg,
                             struct erase_file *out);
/* Overwritten with random bytes, synced, its blocks given back, unlinked, the
 * folder synced.  One that is gone is OK. */
MUST_USE enum err erase_file(const struct store *s, const char *path,
                             erase_go_on_fn *go_on, void *arg,
                             struct erase_file *out);
/* Its folders, which are empty now. */
MUST_USE enum err erase_folders(const struct store *s, const char *id,
                                struct arena *mem);

/* Looks: what is left of keys and files, and handles of this process on
 * anything of the tenant's, deleted or not. */
struct erase_proof {
    size_t files, folders, handles;
};
MUST_USE enum err erase_prove(const struct store *s, const char *id,
                              struct arena *mem, struct erase_proof *out);

/* Whether neither its folder nor its key is there: a quick look. */
bool erase_is_gone(const struct store *s, const char *id);

/* What the data directory lies on: "ext4", "btrfs"; "0x…" when unknown. */
struct erase_medium {
    char name[24];
    bool is_copying; /* copy-on-write: overwriting goes to other blocks */
};
void erase_look_at_medium(const struct store *s, struct erase_medium *out);

/* A name for a key that tells nothing of it, in hex.  ERR_NOT_FOUND. */
#define ERASE_KEY_ID_CHARS 16
MUST_USE enum err erase_name_key(const struct store *s, const char *id,
                                 char out[ERASE_KEY_ID_CHARS + 1]);

#endif
