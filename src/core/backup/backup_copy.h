/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_COPY_H
#define CORE_BACKUP_BACKUP_COPY_H

#include "base/buf.h"
#include "core/backup/backup_place.h"

/* Copies of whole generations at a second place.  What lies there follows
 * what is here: files that are gone here (the keys of a deleted tenant) go
 * there too, and a generation goes on its eighth day even if it is no longer
 * here.  The manifest is put last and removed first: without it a folder is
 * no generation. */
struct backup_copied {
    const char *date;
    int64_t files, bytes, at;
};
struct backup_copies {
    enum backup_place_kind kind;
    const char *name;                 /* as the operator knows it */
    int64_t tried_at, good_at;        /* 0: never */
    struct backup_reason why;         /* of the failure that lasts */
    const struct backup_copied *list; /* newest first */
    size_t count;
};
/* In a transaction of control.db; out has room for BACKUP_PLACES. */
MUST_USE enum err backup_copy_read(struct ctx *c, const struct app *app,
                                   struct backup_copies *out, size_t *count);

/* Whether the newest was copied within the hours in which a tenant's own copy
 * counts as new. */
bool backup_copy_is_young(const struct backup_copies *p, int64_t now_us);

/* The scheduler's: what is not there yet or no longer wanted; a failure is
 * mailed once a day and tried again after an hour. */
void backup_copy_round(struct app *app, struct arena *mem);
/* In a write transaction of control.db: the next round tries at once. */
MUST_USE enum err backup_copy_hurry(struct ctx *c);

/* Dates of the generations at a place. */
MUST_USE enum err backup_copy_list(struct ctx *c, const struct app *app,
                                   enum backup_place_kind kind,
                                   const char *const **dates, size_t *count);
/* Brings one back among the generations here, each file checked by the
 * manifest.  A key that is not there is told in notes, a line each. */
MUST_USE enum err backup_copy_fetch(struct ctx *c, const struct app *app,
                                    enum backup_place_kind kind,
                                    const char *date, struct buf *notes,
                                    size_t *files);

/* Who changes what is copied, or the copies, sees to it that none is made
 * meanwhile: waits for the round that is.  Taken after backup_hold(). */
void backup_copy_hold(void);
void backup_copy_let(void);

#endif
