/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_STRAY_H
#define DB_STRAY_H

#include "db/erase.h"
#include "db/store.h"

/* Everything that lies in the data directory, in its generations and in folders
 * of their copies, by its name alone: whose it is, and what.  Whether somebody
 * of that id may have such a thing is the caller's to judge. */
struct stray_file {
    const char *path; /* under the data directory, or whole in a copy */
    const char *id;   /* NULL: no file of ours is called so */
    enum erase_kind kind;
};
enum { STRAY_FILES_MAX = 200000 };
/* What is the installation's own is left out.  own: paths, up to NULL, that lie
 * there on somebody's word, such as a spool.  paths in mem.  ERR_INTERNAL when
 * a folder cannot be read, ERR_LIMIT beyond the maximum; what was found until
 * then is there. */
MUST_USE enum err stray_list(const struct store *s, const char *const *copies,
                             const char *const *own, struct arena *mem,
                             const struct stray_file **out, size_t *count);

#endif
