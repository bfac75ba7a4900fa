/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ERASURE_H
#define CORE_ERASURE_H

#include "core/app.h"

#include <stddef.h>

/* The deletion of a tenant: steps that are kept in control.db, each of which
 * may be done again, so that a deletion killed at any moment goes on at the
 * next start.  It begins once and never goes back. */
enum erasure_step {
    ERASURE_LOGS,  /* nobody opens it any more; the logs are moved */
    ERASURE_LIST,  /* every file with size and hash, the key by its name */
    ERASURE_KEYS,  /* every copy of its key: from here on nobody can read it */
    ERASURE_FILES, /* overwritten, given back, unlinked, synced */
    ERASURE_PROVE, /* looked for, and not found */
    ERASURE_CERTIFY,
    ERASURE_DERIVED, /* backups and logs, which have their time */
};
extern const char *const erasure_step_words[];

struct erasure {
    const char *tenant, *name;
    enum erasure_step step;
    int64_t started_at, tries;
    const char *error; /* of the last try; NULL: none */
    const char *basis, *admins, *key_id, *log_note, *proof; /* NULL: not yet */
    int64_t key_gone_at, log_rows, done_at;
    int32_t backups_on, logs_on; /* DAY_NONE: not yet */
    int64_t backups_at, logs_at; /* 0: not yet */
    int64_t rewrap_at;           /* all keys got another master key; 0: no */
};

/* Opens its own transactions.  Also of what was restored beside it. */
MUST_USE enum err erasure_begin(struct ctx *c, struct app *app,
                                const char *tenant);
/* In a transaction of control.db: those that are not over, copies before what
 * they are copies of, else oldest first. */
MUST_USE enum err erasure_list_open(struct ctx *c, const struct erasure **out,
                                    size_t *count);
/* ERR_NOT_FOUND. */
MUST_USE enum err erasure_get(struct ctx *c, const char *tenant,
                              struct erasure *out);

/* The caretaker's: the next steps of all of them; and, once a day, the
 * retained logs row by row. */
void erasure_round(struct app *app, struct arena *mem);
void erasure_prune_logs(struct app *app, struct arena *mem);
/* In a write transaction of control.db: every key was wrapped by a fresh master
 * key since, which their certificates say from now on. */
MUST_USE enum err erasure_note_rewrap(struct ctx *c, const struct app *app);

/* ---- between erasure.c, erasure_work.c and erasure_paper.c ---- */

struct erasure_file_row {
    const char *path;
    int kind; /* enum erase_kind */
    int64_t bytes, erased_at;
    const char *sha256; /* hex */
    bool is_discarded;
};
/* All of a tenant's, by path; in a transaction of control.db. */
MUST_USE enum err erasure_list_files(struct ctx *c, const char *tenant,
                                     const struct erasure_file_row **out,
                                     size_t *count);
/* The certificate as it stands now, in a write transaction of control.db;
 * whoever was to be told is told by it. */
MUST_USE enum err erasure_certify(struct ctx *c, const struct app *app,
                                  const struct erasure *e);

#endif
