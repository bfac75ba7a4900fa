/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TENANT_SWAP_H
#define DB_TENANT_SWAP_H

#include "base/err.h"

#include <stdbool.h>

/* A tenant that was restored beside gets the names it is found by, under the
 * data directory dir: the folder tenants/.new-ID, the keys keys/.new-ID.key
 * and keys/.new-ID.log.key.  Nobody has the tenant open.  Inside db/ only. */
#define TENANT_NEW ".new-"
/* What stood there, while the names change hands. */
#define TENANT_ASIDE ".aside-"
/* The same afterwards; from then on its age counts, see stale_files.h. */
#define TENANT_REPLACED ".replaced-"

/* Files, a key, or the logs kept of a deleted tenant have this id. */
bool tenant_swap_is_taken(const char *dir, const char *id);
/* is_over: what is there, whole or in parts, goes to .replaced-ID, and what an
 * earlier restore put there to .replaced-ID.MOMENT; else
 * ERR_CONFLICT when anything is there.  On failure all that was there is back
 * under its names, and what lay beside is gone. */
MUST_USE enum err tenant_swap(const char *dir, const char *id, bool is_over);
/* Takes away what lies beside: before it is written, or since it cannot be. */
void tenant_swap_forget(const char *dir, const char *id);
/* After a kill, before anybody opens a tenant: a change of names that was not
 * finished is undone, or finished where only tidying was left. */
void tenant_swap_sweep(const char *dir);
/* It could not be: the next start tries again, and nobody tidies up. */
bool tenant_swap_is_pending(const char *dir, const char *id);

#endif
