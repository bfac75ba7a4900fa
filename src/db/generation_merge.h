/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_GENERATION_MERGE_H
#define DB_GENERATION_MERGE_H

#include "db/generation.h"

/* A restore of the whole brings the tenants' files back to a day.  control.db
 * is not only theirs: what happened since that day did happen.  So of its
 * tables
 *   kept      are as they stand now: deletions and their certificates, the
 *             operator's log, what customers were told, agreed to and were
 *             promised, and the operators' accounts, so that nobody gets in by
 *             what was taken from him since;
 *   emptied   are ways in, mail and work that must not live twice, and what
 *             was found out about files that are others now;
 *   restored  are as they were: settings, and what copies the tenants' files.
 * "Now" is the control.db of the data directory that the restore is made from;
 * where that is not of the same installation (a new machine), the one of the
 * newest generation there. */
extern const char *const generation_kept_tables[]; /* each ends with NULL */
extern const char *const generation_emptied_tables[];
extern const char *const generation_restored_tables[];

enum generation_source {
    GENERATION_FROM_NOTHING, /* nothing newer is here */
    GENERATION_FROM_LIVE,
    GENERATION_FROM_NEWER,
};
struct generation_merged {
    enum generation_source from;
    const char *newer;       /* GENERATION_FROM_NEWER: which */
    const char *const *open; /* tenants that are open by what was merged */
    size_t count;
};
/* After generation_restore_control(), in what that began. */
MUST_USE enum err generation_merge_control(const struct store *s,
                                           const char *name, const char *to,
                                           struct arena *mem,
                                           struct generation_merged *out);
/* The kept logs of deleted tenants, with their keys. */
MUST_USE enum err generation_restore_retained(const struct store *s,
                                              const char *to);

#endif
