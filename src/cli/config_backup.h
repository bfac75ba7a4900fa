/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIG_BACKUP_H
#define CLI_CONFIG_BACKUP_H

#include "cli/config.h"
#include "core/app.h"

/* For config_check(): the keys of copies of backups, a line on stderr for
 * each problem. */
bool config_check_backup(const struct config *c);

/* Copies of backups as the rest of the program takes them; says on stderr
 * what is wrong. */
MUST_USE enum err config_set_up_backup(struct arena *mem,
                                       const struct config *c,
                                       struct backup_places *out);

#endif
