/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_REWRAP_H
#define DB_REWRAP_H

#include "db/store.h"

/* A fresh master key: every wrapped key of the data directory, of its
 * generations and of copies beside is wrapped by it, then it takes the old
 * one's place in the master key's file.  May be killed at any moment and run
 * again, which goes on; until then both keys open what they wrapped. */

/* Whether this process may write the master key's file: not when it is a
 * credential, on a read-only disk, or another user's. */
bool rewrap_is_possible(const struct store *s);
/* Begun and not finished. */
bool rewrap_is_pending(const struct store *s);

struct rewrap_done {
    size_t keys;     /* wrapped keys that were found */
    size_t wrapped;  /* anew */
    size_t unopened; /* that neither key opens: left as they are */
};
/* copies: folders that hold copies of generations, up to NULL.  The caller
 * sees to it that nobody backs up or restores.  ERR_DENIED when it is not
 * possible, ERR_NOT_FOUND when a folder of copies is not there; nothing is
 * begun then. */
MUST_USE enum err rewrap_run(struct store *s, const char *const *copies,
                             struct rewrap_done *out);

#endif
