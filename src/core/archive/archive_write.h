/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ARCHIVE_ARCHIVE_WRITE_H
#define CORE_ARCHIVE_ARCHIVE_WRITE_H

#include "base/zip.h"
#include "core/app.h"

/* The archive of a whole tenant as one ZIP, as the tenant was at one moment:
 * its tables as a plain SQLite file, as CSV and as NDJSON, the attached files,
 * a README, a manifest, and checksums that `sha256sum -c` takes.  Nothing in
 * it lets anybody in. */
#define ARCHIVE_FORMAT   "yagura-archive"
#define ARCHIVE_MANIFEST "manifest.json"
#define ARCHIVE_DATABASE "tenant.db"
#define ARCHIVE_SUMS     "SHA256SUMS"
#define ARCHIVE_README   "README.txt"
enum { ARCHIVE_VERSION = 1, ARCHIVE_STEPS = 100 };

struct archive_order {
    struct tenant *tenant;
    zip_sink_fn *sink;
    void *sink_arg;
    /* How far it is, of ARCHIVE_STEPS; false stops it. */
    bool (*step)(void *arg, int64_t done);
    void *step_arg;
};
struct archive_totals {
    int64_t bytes, rows, files; /* rows: of all tables; files: attached ones */
};

/* No transaction may be open.  ERR_FULL with its reason when the disk is
 * full, ERR_CONFLICT when step() said stop. */
MUST_USE enum err archive_write(struct ctx *c, const struct archive_order *o,
                                struct archive_totals *out);

#endif
