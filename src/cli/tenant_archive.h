/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TENANT_ARCHIVE_H
#define CLI_TENANT_ARCHIVE_H

#include "cli/command.h"

/* `yagura tenant export ID --out FILE` and `tenant import FILE --id NEW`.  The
 * file is opened by whoever typed the command and handed to the process that
 * holds the data directory. */
MUST_USE enum err tenant_archive_export(struct command *c, const char *id);
MUST_USE enum err tenant_archive_import(struct command *c, const char *id,
                                        const char *host);

/* A file that has no name yet, so that nothing half written is ever seen;
 * -1: said on stderr why not. */
int tenant_archive_create(const char *path);
/* Gives it its name; 1: said on stderr why not. */
int tenant_archive_name(int file, const char *path);

#endif
