/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_KEEP_H
#define CORE_BACKUP_BACKUP_KEEP_H

#include "core/app.h"

/* Which generation holds a good copy of whom, and what of them goes when.
 *
 * A generation lives seven days.  What of it is the newest good copy of a
 * tenant stays beyond that, alone, until a newer good one is there: as it was
 * checked when it was written, its files as long as its manifest says, and not
 * found damaged since.  So does control.db.  Of a tenant whose contract has
 * ended, or that is deleted, nothing stays beyond its time. */
struct backup_stock;

/* As it is on the disk and in control.db now; lives in c->mem.  In a
 * transaction of control.db, or (open) in one of its own. */
MUST_USE enum err backup_stock_read(struct ctx *c, const struct app *app,
                                    struct backup_stock **out);
MUST_USE enum err backup_stock_open(struct ctx *c, const struct app *app,
                                    struct backup_stock **out);
/* The newest generation with a good copy of a tenant (or GENERATION_CONTROL),
 * none later than this date (NULL: today); NULL: there is none. */
const char *backup_stock_newest(struct backup_stock *s, const char *tenant,
                                const char *until);
/* Ids that any generation up to this date holds a good copy of, sorted. */
size_t backup_stock_ids(struct backup_stock *s, const char *until,
                        const char *const **out);
/* Whether the contract of a tenant has ended, or it is deleted: its copies
 * have their seven days, whatever follows them. */
bool backup_stock_is_ended(const struct backup_stock *s, const char *tenant);

/* The generations that are past their time, and whose copies they keep. */
struct backup_kept {
    const char *date;
    const char *const *tenants;
    size_t count;
};
size_t backup_stock_kept(struct backup_stock *s,
                         const struct backup_kept **out);

/* Of a generation that a check looked at: those whose copy it found damaged,
 * in the place of what was known.  What control.db calls a tenant's last good
 * copy follows.  Opens its own transactions. */
MUST_USE enum err backup_note_damage(struct ctx *c, const struct app *app,
                                     const char *date, const char *const *ids,
                                     size_t count);
/* In a write transaction of control.db: a generation made anew is good. */
MUST_USE enum err backup_forget_damage(struct ctx *c, const char *date);

/* What is past its time goes, see above; nothing while the clock is in doubt.
 * The caller holds the backups. */
void backup_rotate(struct app *app, struct arena *mem, int64_t now_us);

#endif
