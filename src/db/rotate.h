/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ROTATE_H
#define DB_ROTATE_H

#include "db/store.h"

/* A tenant gets fresh keys: its files are encrypted anew beside, take the names
 * of the old ones, and the old keys are erased with what they opened.  It
 * answers ERR_BUSY meanwhile.  What is derived for use inside the file and for
 * signing logs stays (tenant_folder.h); generations keep the keys they were
 * made with.  Killed at any moment it has the old keys or the new ones, and the
 * next start tidies up.  ERR_BUSY: somebody holds it; ERR_NOT_FOUND,
 * ERR_CONFLICT: it is being deleted; ERR_FULL. */
MUST_USE enum err rotate_tenant(struct store *s, const char *id);
/* After a kill, when all names are settled: before anybody opens a tenant. */
void rotate_sweep(const char *dir);

#endif
