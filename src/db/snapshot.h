/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SNAPSHOT_H
#define DB_SNAPSHOT_H

#include "db/store.h"

/* A tenant's file as it was at one moment, for the customer's export: a copy
 * beside it, encrypted like it, from which everything that lets somebody in
 * is gone (sessions, codes, links, tokens, password hashes, second factors)
 * and what means nothing elsewhere (waiting mail, jobs, the search index).
 * Writers go on meanwhile. */
struct snapshot;

/* Asked now and then; false stops the work with ERR_CONFLICT. */
typedef bool snapshot_go_fn(void *arg);

MUST_USE enum err snapshot_take(struct tenant *t, snapshot_go_fn *go, void *arg,
                                struct snapshot **out);
void snapshot_close(struct snapshot *s); /* and removes it; NULL is allowed */
int64_t snapshot_bytes(const struct snapshot *s); /* as a plain file */
int snapshot_version(void);    /* of the tables: user_version, */
int64_t snapshot_schema(void); /* and application_id */

/* Statements run on it between the two; no transaction may be open. */
MUST_USE enum err snapshot_begin(struct ctx *c, struct snapshot *s);
void snapshot_end(struct ctx *c, struct snapshot *s);

/* Outside: the file as any SQLite reads it, in order. */
typedef enum err snapshot_sink_fn(void *arg, const void *data, size_t len);
MUST_USE enum err snapshot_write_plain(struct snapshot *s,
                                       snapshot_sink_fn *sink, void *arg);
/* Each table and its rows, by name. */
typedef void snapshot_count_fn(void *arg, const char *table, int64_t rows);
MUST_USE enum err snapshot_count(struct snapshot *s, snapshot_count_fn *visit,
                                 void *arg);

#endif
