/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_DELETION_H
#define CORE_CONTRACT_DELETION_H

#include "core/app.h"

#include <stddef.h>

/* The deletion of a tenant: steps that are kept in control.db, each of which
 * may be done again, so that a deletion killed at any moment goes on at the
 * next start.  It begins once and never goes back. */
enum deletion_step {
    DELETION_LOGS,  /* nobody opens it any more; the logs are moved */
    DELETION_LIST,  /* every file with size and hash, the key by its name */
    DELETION_KEYS,  /* every copy of its key: from here on nobody can read it */
    DELETION_FILES, /* overwritten, given back, unlinked, synced */
    DELETION_PROVE, /* looked for, and not found */
    DELETION_CERTIFY,
    DELETION_DERIVED, /* backups and logs, which have their time */
};
extern const char *const deletion_step_words[];

struct deletion {
    const char *tenant, *name;
    enum deletion_step step;
    int64_t started_at, tries;
    const char *error; /* of the last try; NULL: none */
    const char *basis, *admins, *key_id, *log_note, *proof; /* NULL: not yet */
    int64_t key_gone_at, log_rows, done_at;
    int32_t backups_on, logs_on; /* DAY_NONE: not yet */
    int64_t backups_at, logs_at; /* 0: not yet */
    int64_t rewrap_at;           /* all keys got another master key; 0: no */
};

/* Opens its own transactions.  Also of what was restored beside it. */
MUST_USE enum err deletion_begin(struct ctx *c, struct app *app,
                                 const char *tenant);
/* In a transaction of control.db: those that are not over, copies before what
 * they are copies of, else oldest first. */
MUST_USE enum err deletion_list_open(struct ctx *c, const struct deletion **out,
                                     size_t *count);
/* ERR_NOT_FOUND. */
MUST_USE enum err deletion_get(struct ctx *c, const char *tenant,
                               struct deletion *out);

/* The scheduler's: the next steps of all of them; and, once a day, the
 * retained logs row by row. */
void deletion_round(struct app *app, struct arena *mem);
void deletion_prune_logs(struct app *app, struct arena *mem);
/* In a write transaction of control.db: every key was wrapped by a fresh master
 * key since, which their certificates say from now on. */
MUST_USE enum err deletion_note_rewrap(struct ctx *c, const struct app *app);

/* ---- between deletion.c, deletion_work.c and deletion_paper.c ---- */

struct deletion_file_row {
    const char *path;
    int kind; /* enum erase_kind */
    int64_t bytes, erased_at;
    const char *sha256; /* hex */
    bool is_discarded;
};
/* All of a tenant's, by path; in a transaction of control.db. */
MUST_USE enum err deletion_list_files(struct ctx *c, const char *tenant,
                                      const struct deletion_file_row **out,
                                      size_t *count);
/* The certificate as it stands now, in a write transaction of control.db;
 * whoever was to be told is told by it. */
MUST_USE enum err deletion_certify(struct ctx *c, const struct app *app,
                                   const struct deletion *e);

#endif
