/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ARCHIVE_RESTORE_H
#define DB_ARCHIVE_RESTORE_H

#include "db/snapshot.h"
#include "db/store.h"

/* A tenant made of a plain SQLite file that somebody brings: built in a folder
 * aside, which gets its name when all is right, so that a crash leaves nothing.
 * The foreign file is only ever read, with its own rules off (one of an older
 * version is migrated first); its rows are copied into tables of ours.  What lets somebody in is not taken over. */
struct archive_restore;

/* ERR_CONFLICT when the id is in use. */
MUST_USE enum err archive_restore_begin(struct store *s, const char *id,
                                        struct archive_restore **out);
/* What is not finished is removed.  NULL is allowed. */
void archive_restore_close(struct archive_restore *n);

/* The foreign file, from front to back. */
MUST_USE enum err archive_restore_put(struct archive_restore *n,
                                      const void *data, size_t len);
/* Leads an older file here.  ERR_INVALID with *rule: "schema_newer", "schema_other", "database" it is
 * damaged, or its rows do not belong together. */
MUST_USE enum err archive_restore_check(struct archive_restore *n,
                                        const char **rule);
/* Each of our tables and its rows there, by name. */
MUST_USE enum err archive_restore_count(struct archive_restore *n,
                                        snapshot_count_fn *visit, void *arg);
/* ERR_INVALID "rows" when a row breaks a rule of ours. */
MUST_USE enum err archive_restore_copy(struct archive_restore *n,
                                       const char **rule);

/* Then our own statements, in one transaction of the new file. */
typedef enum err archive_restore_fill_fn(struct ctx *c, void *arg);
MUST_USE enum err archive_restore_fill(struct ctx *c, struct archive_restore *n,
                                       archive_restore_fill_fn *fill,
                                       void *arg);
/* As tenant_derive_log_key() of what is being made. */
void archive_restore_derive_log_key(const struct archive_restore *n,
                                    const char *label, uint8_t out[32]);
/* It is a tenant from now on. */
MUST_USE enum err archive_restore_finish(struct archive_restore *n);

#endif
