/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_WORK_H
#define CORE_BACKUP_BACKUP_WORK_H

#include "core/backup/backup.h"

/* One run, drill, check, restore or return at a time: they share a folder,
 * and read what a run replaces. */
void backup_hold(void); /* backup_let() ends it */

/* Between backup.c (what is written down, in transactions of control.db) and
 * backup_run.c (the work with the files). */
struct backup_due {
    int64_t run_id; /* somebody asked; 0: nobody */
    bool is_hour, is_drill;
};
MUST_USE enum err backup_find_due(struct ctx *c, const struct app *app,
                                  struct backup_due *out);
const char *backup_name_today(struct ctx *c);
MUST_USE enum err backup_note_start(struct ctx *c, const char *asked_by,
                                    int64_t *id);
MUST_USE enum err backup_note_step(struct ctx *c, int64_t id, int64_t done,
                                   int64_t total, int64_t bytes);
MUST_USE enum err backup_note_tenant(struct ctx *c, const char *tenant,
                                     const char *date, int64_t bytes,
                                     int64_t rows);
/* The last try at a tenant failed; backup_note_tenant() ends that. */
MUST_USE enum err backup_note_fault(struct ctx *c, const char *tenant,
                                    const struct backup_reason *why);
/* Days on which good ones were made after the last of this date: how old a
 * generation is that a wrong clock dated ahead. */
MUST_USE enum err backup_count_since(struct ctx *c, const char *date,
                                     int64_t *days);
MUST_USE enum err backup_note_end(struct ctx *c, int64_t id,
                                  const struct backup_reason *why);
MUST_USE enum err backup_note_drill(struct ctx *c,
                                    const struct backup_drill *d);
/* The lines about the files of a generation.  ERR_NOT_FOUND "generation",
 * ERR_INTERNAL "broken". */
struct json;
MUST_USE enum err backup_read_manifest(struct ctx *c, const struct app *app,
                                       const char *name,
                                       const struct json **files);
/* Of such a line; "" when it has none of that name. */
const char *backup_manifest_text(const struct json *line, const char *name);
/* A manifest without all but these tenants, for a generation past its time. */
const char *backup_manifest_thin(struct arena *mem, const struct json *root,
                                 const char *const *ids, size_t count);
/* Of a tenant that is being deleted, or was. */
bool backup_is_deleted(struct ctx *c, const struct app *app, const char *id);

MUST_USE enum err backup_check_list(struct ctx *c,
                                    const struct backup_check **out,
                                    size_t *count);
/* Mails the operators about today's first failure, once. */
MUST_USE enum err backup_tell(struct ctx *c, const struct app *app);

#endif
