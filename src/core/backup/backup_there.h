/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_THERE_H
#define CORE_BACKUP_BACKUP_THERE_H

#include "core/backup/backup_place.h"

/* What lies at a place of copies, asked of the place itself. */
struct json;

/* The manifest of a generation there, and its SHA-256.  root NULL: it is not
 * one.  ERR_NOT_FOUND: there is none. */
MUST_USE enum err backup_there_read(const struct app *app,
                                    struct backup_place *p, struct arena *mem,
                                    const char *date, uint8_t sha256[32],
                                    const struct json **root);
/* Of the generations there that are past their time what is nobody's last
 * copy at the place goes, see backup_keep.h; what is here too is left to the
 * copying, which follows what is here. */
MUST_USE enum err backup_there_prune(const struct app *app,
                                     struct backup_place *p, struct arena *mem,
                                     int64_t now_us);

#endif
