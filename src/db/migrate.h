/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "base/err.h"
#include "db/conn.h"

/* One step: from this user_version to the next. */
struct migrate_step {
    int from;
    const char *sql;
};

/* The road of one kind of file: its section of schema.sql, what a fresh file
 * is numbered, and the steps that lead older ones there. */
struct migrate_plan {
    const char *section; /* "tenant", "access", "control", "retained" */
    int version;
    const struct migrate_step *steps;
    size_t count;
};

/* version.c; a test puts the next release's in its place. */
extern const struct migrate_plan migrate_tenant, migrate_access,
    migrate_control, migrate_retained;

/* The parts of a schema text for this kind of file, one after the other; ""
 * when it has none.  The caller frees it. */
char *migrate_sections(const char *schema, const char *kind);
/* What the tables of plan->version are, in 31 bits: kept in application_id. */
int64_t migrate_fingerprint(const struct migrate_plan *plan);
/* Gives an empty file its tables, in one transaction. */
MUST_USE enum err migrate_create(struct db *db,
                                 const struct migrate_plan *plan);
/* ERR_BUSY, logged, for a file of plan->version that a build between two
 * versions made: its tables are others. */
MUST_USE enum err migrate_check(struct db *db, const struct migrate_plan *plan);
/* Brings a file to plan->version: nothing to do for a current one.  Before a
 * step a snapshot "<path>.before-<version>" is written and checked.  On
 * failure the file is as it was, logged: ERR_FULL without room for that, which
 * may be tried again; ERR_BUSY else. */
MUST_USE enum err migrate_file(const struct conn_place *place,
                               const struct migrate_plan *plan);

#endif
