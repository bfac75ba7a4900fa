/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_KEY_H
#define DB_KEY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small files that must be there wholly or not at all, and the keys kept in
 * them.  Inside db/ only. */

/* Writes beside, syncs, renames, syncs the folder. */
MUST_USE enum err key_write_file(const char *dir, const char *name,
                                 const void *data, size_t len, unsigned mode);
/* Bytes read, -1 when it cannot be read or is longer than max. */
long key_read_file(const char *dir, const char *name, void *data, size_t max);
MUST_USE enum err key_sync_dir(const char *dir);
/* A key that lies in dir gets another name there.  The one place where a key
 * gets the name it is found by: ERR_CONFLICT (logged) when there is one, unless
 * it may be replaced. */
MUST_USE enum err key_name(const char *dir, const char *from, const char *to,
                           bool may_replace);

/* The master key: 32 bytes in a file nobody else may read.  Without
 * may_create a missing file is ERR_NOT_FOUND.  Logged. */
MUST_USE enum err key_load_master(const char *path, bool may_create,
                                  uint8_t out[32]);
/* A data key, wrapped under the master key in dir/name; context binds it to
 * its owner.  ERR_CONFLICT when there is one: no key is ever written over. */
MUST_USE enum err key_make(const char *dir, const char *name,
                           const uint8_t wrapping[32], const char *context,
                           uint8_t out[32]);
/* One that is there already. */
MUST_USE enum err key_keep(const char *dir, const char *name,
                           const uint8_t wrapping[32], const char *context,
                           const uint8_t key[32]);
/* ERR_NOT_FOUND when there is none, ERR_INTERNAL (logged) when it does not
 * open. */
MUST_USE enum err key_load(const char *dir, const char *name,
                           const uint8_t wrapping[32], const char *context,
                           uint8_t out[32]);

#endif
