/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ARCHIVE_ARCHIVE_INTAKE_H
#define CORE_ARCHIVE_ARCHIVE_INTAKE_H

#include "core/app.h"

/* An archive becomes a tenant of this installation: all of it, or nothing.
 * The file is believed in nothing: the ZIP is read strictly, every checksum
 * compared, the database opened read-only with its own rules off, and its
 * rows copied one by one into tables of ours, which check them. */
struct archive_intake_report {
    int64_t rows, invited;
    int64_t broken_seq; /* where its operation log did not verify, 0: whole */
};

/* file: open for reading.  The context is the system's, its tenant the new
 * id.  ERR_INVALID with the rule: what of the ZIP is refused (base/zip.h),
 * "manifest", "checksum", "schema_newer", "schema_other", "database",
 * "rows"; ERR_CONFLICT "taken"; ERR_FULL. */
MUST_USE enum err archive_intake(struct ctx *c, struct app *app, int file,
                                 const char *id, const char *host,
                                 struct archive_intake_report *out);

#endif
