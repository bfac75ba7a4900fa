/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_H
#define CORE_BACKUP_BACKUP_H

#include "base/buf.h"
#include "core/backup/backup_copy.h"
#include "core/backup/backup_keep.h"
#include "core/tenant/tenant_directory.h"
#include "db/generation.h"

/* Backups of the whole service: one generation a day, checked after writing,
 * seven kept, gone on the eighth day; a monthly drill that opens one for real.
 * What is due is decided by the rows in control.db, so that a stopped server
 * or a moved clock does each thing once. */
enum { BACKUP_HOUR = 2, BACKUP_KEEP_DAYS = 7, BACKUP_LATE_HOURS = 26 };
enum backup_state { BACKUP_ASKED, BACKUP_RUNNING, BACKUP_GOOD, BACKUP_FAILED };
extern const char *const backup_state_words[];

struct backup_run {
    int64_t id;
    const char *date; /* "2026-11-24" */
    enum backup_state state;
    const char *asked_by; /* NULL: the hour */
    int64_t asked_at, ended_at;
    int64_t tenants, total, bytes;
    struct backup_reason why;
};
struct backup_tenant {
    const char *id, *name, *date; /* date NULL: never */
    int64_t at, bytes, rows;
    bool is_there;            /* its files are in that generation */
    bool is_damaged;          /* a check found so, and no other is good */
    struct backup_reason why; /* of the last try, when that failed */
};
struct backup_drill {
    int64_t at, us, rows;
    const char *date, *tenant;
    struct backup_reason why;
};
/* A generation looked at against its manifest. */
enum { BACKUP_CHECKS = 10 };
struct backup_check {
    int64_t id;
    const char *date, *asked_by; /* asked_by NULL: the week */
    enum backup_state state;
    int64_t asked_at, ended_at;
    int64_t done, total;      /* files */
    struct backup_reason why; /* a line for each that does not fit */
};
struct backup_view {
    const struct backup_run *runs; /* newest first, at most 30 */
    const struct backup_tenant *tenants;
    const struct backup_drill *drills; /* newest first, at most 12 */
    const struct backup_check *checks; /* newest first, BACKUP_CHECKS */
    const char *const *names;          /* generations there, newest first */
    const char *const *gone;        /* made in their seven days and not whole */
    const struct backup_kept *kept; /* past their seven days */
    struct backup_copies copies[BACKUP_PLACES];
    size_t run_count, tenant_count, drill_count, name_count, copy_count,
        check_count, gone_count, kept_count;
};
/* In a transaction of control.db. */
MUST_USE enum err backup_read(struct ctx *c, const struct app *app,
                              struct backup_view *out);
/* For /metrics: cheap, but for the names of the generations.  Opens its own
 * transaction. */
struct backup_figures {
    bool is_last_good;
    int64_t good_at;   /* the last run that went well; 0: never */
    int64_t late;      /* tenants without a good copy of the last 26 hours */
    int64_t oldest_at; /* of the tenants' newest good copies; 0: none */
    int64_t generations;
    struct backup_copies places[BACKUP_PLACES];
    size_t place_count;
};
MUST_USE enum err backup_read_figures(struct ctx *c, const struct app *app,
                                      struct backup_figures *out);
/* Asks for one now; the scheduler does it.  ERR_CONFLICT while one runs.  In
 * a write transaction of control.db, logged. */
MUST_USE enum err backup_ask(struct ctx *c);

/* The same without anybody: what was just written down must not be lost with
 * this disk.  One more is made even while one runs. */
MUST_USE enum err backup_ask_soon(struct ctx *c);

/* All of these open their own transactions. */

/* Asks for a generation to be checked; the scheduler does it.  ERR_NOT_FOUND
 * "generation", ERR_CONFLICT "busy" while one runs.  Logged, as is the end. */
MUST_USE enum err backup_check_ask(struct ctx *c, const struct app *app,
                                   const char *name, int64_t *id);

/* One run, now, by whoever asked; ERR_INTERNAL when any tenant failed. */
MUST_USE enum err backup_run_now(struct app *app, struct arena *mem,
                                 const char *asked_by, bool is_throttled);
/* Every file of a generation against its manifest.  What does not fit is told
 * in bad, a line each. */
MUST_USE enum err backup_verify(struct ctx *c, const struct app *app,
                                const char *name, struct buf *bad,
                                size_t *files);
/* Restores a tenant (NULL: one by lot) into a scratch name and removes it
 * again; noted. */
MUST_USE enum err backup_drill_now(struct app *app, struct arena *mem,
                                   const char *name, const char *tenant,
                                   struct backup_drill *out);
/* A tenant of a generation beside the live ones, under a free id, with the name
 * it had and "(date)": as open, suspended or ended as the one it is a copy of.
 * The id is taken first, against all that are known and against files; what
 * fails afterwards removes what this restore made, and nothing else. */
struct restored {
    const char *date, *id, *as;
    struct tenant_directory_row row; /* out: as it stands now */
};
MUST_USE enum err backup_restore_beside(struct ctx *c, struct app *app,
                                        struct restored *r);
/* For a data directory no server holds: in the place of what is there. */
MUST_USE enum err backup_restore_over(struct ctx *c, const struct app *app,
                                      const char *name, const char *id);
/* The whole service into a new data directory: control.db as
 * generation_merge.h says, each tenant that is open from its newest good copy
 * up to this day.  said: a line for whatever is not of this generation. */
MUST_USE enum err backup_restore_whole(struct ctx *c, const struct app *app,
                                       const char *name, const char *to,
                                       struct buf *said, size_t *tenants);

/* While a deletion works no run, drill, check, restore or return does: false
 * when one is at it. */
bool backup_try_hold(void);
void backup_let(void);

/* The scheduler's: what was asked for, what the hour wants, what is too old,
 * the month's drill, and mail to the operators about a failure. */
void backup_round(struct app *app, struct arena *mem);
/* The scheduler's: the check that was asked for, or is due: the newest
 * generation a week after the last check.  Damage is mailed to the operators. */
void backup_check_round(struct app *app, struct arena *mem);
/* Of another thread, so that a run that hangs is seen too: mails the operators
 * once when a tenant has had no good copy for 26 hours. */
void backup_watch(struct app *app, struct arena *mem);

/* Days of the last seven whose generation was made and is not on the disk, or
 * lacks what a whole restore begins with; newest first.  In a transaction of
 * control.db. */
MUST_USE enum err backup_list_gone(struct ctx *c, const struct app *app,
                                   const char *const **out, size_t *count);
/* For the trust page: how the copies elsewhere stand. */
struct trust_list;
MUST_USE enum err backup_measure_copies(struct ctx *c, const struct app *app,
                                        struct trust_list *out);

#endif
