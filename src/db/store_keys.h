/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_STORE_KEYS_H
#define DB_STORE_KEYS_H

#include "db/key.h"
#include "db/store.h"

/* Between store.c, which loads the keys, and rewrap.c, which gives them
 * another master key.  What was derived from the first master key stays as it
 * was: it is kept in control.key, behind the key of control.db. */
enum store_use { USE_OPERATOR, USE_PEPPER, USE_CODE, STORE_USES };

/* Kept apart from the heap: locked in memory, left out of core dumps.  Master
 * and next change under the ring's lock. */
struct store_keys {
    uint8_t master[32], control[32], use[STORE_USES][32];
    uint8_t next[32]; /* the master key of a rewrap that is under way */
    struct key_ring ring;
};
struct store_keys *store_keys(const struct store *s);
const char *store_master_path(const struct store *s);

/* Under keys/: the next master key, wrapped by the one that is used.  No id of
 * a tenant looks like this. */
#define REWRAP_NEXT    "MASTER.next"
#define REWRAP_CONTEXT "master"
/* At the start, with the ring opened by the master key: a rewrap that was
 * broken off is found, and both keys are at hand until it goes on. */
MUST_USE enum err rewrap_recover(const char *dir, struct store_keys *keys);

#endif
