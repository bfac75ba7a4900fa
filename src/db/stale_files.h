/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_STALE_FILES_H
#define DB_STALE_FILES_H

#include "db/store.h"

/* Removes what was kept for going back and is older than before_us: snapshots
 * from before a migration (FILE.before-N), tenants that a restore replaced
 * (tenants/.replaced-ID) with the keys that open them.  They hold what was
 * since deleted, so they live no longer than a backup.  How many went. */
MUST_USE enum err stale_files_drop(const struct store *s, int64_t before_us,
                                   size_t *removed);

#endif
