/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ARCHIVE_ARCHIVE_H
#define CORE_ARCHIVE_ARCHIVE_H

#include "base/crypto.h"
#include "base/zip.h"
#include "core/exchange/worker.h"

/* The customer's exports of everything: asked for by a master administrator,
 * made by a job, kept sealed beside the tenant's file for ARCHIVE_DAYS and at
 * most ARCHIVE_MAX of them, then gone.  Asking, making, each download and the
 * removal are in the tenant's operation log. */
enum { ARCHIVE_DAYS = 7, ARCHIVE_MAX = 3 };

struct archive {
    int64_t id;
    const char *name; /* of the sealed file */
    const char *user_name;
    int64_t made_at, expires_at, bytes, removed_at;
    uint8_t sha256[CRYPTO_HASH_BYTES];
};

/* In a write transaction.  ERR_CONFLICT "job_active", ERR_FULL "disk_full"
 * when there is no room for it.  worker_wake() after the commit. */
MUST_USE enum err archive_ask(struct ctx *c, const struct app *app,
                              const struct tenant *t, struct job *out);
/* Newest first, the last 20, those that are gone included. */
MUST_USE enum err archive_list(struct ctx *c, const struct archive **out,
                               size_t *count);
/* ERR_NOT_FOUND, also "gone" once it was removed or is over its time. */
MUST_USE enum err archive_get(struct ctx *c, int64_t id, struct archive *out);
/* Its bytes, from anywhere; ERR_INTERNAL, logged, when they were changed. */
struct archive_file;
MUST_USE enum err archive_open(struct tenant *t, const struct archive *a,
                               struct archive_file **out);
MUST_USE enum err archive_read(struct archive_file *f, int64_t at, void *data,
                               size_t len);
void archive_leave(struct archive_file *f);
/* That somebody takes it along; range: as asked for, or NULL: all of it. */
MUST_USE enum err archive_note_download(struct ctx *c, const struct archive *a,
                                        const char *range);
/* The file first: what cannot be removed stays listed. */
MUST_USE enum err archive_remove(struct ctx *c, struct tenant *t, int64_t id);

/* For the worker: the whole job with its own transactions. */
MUST_USE enum err archive_run(struct ctx *c, const struct app *app,
                              struct worker *w, struct tenant *t,
                              const struct job_order *order,
                              const char **result);
/* Opens its own transaction: those over their time, and files that no row
 * names, which a crash left. */
MUST_USE enum err archive_tidy(struct ctx *c, struct tenant *t);

/* From the command line, written as it grows; noted in the tenant's log. */
MUST_USE enum err archive_export(struct ctx *c, struct app *app,
                                 struct tenant *t, zip_sink_fn *sink, void *arg,
                                 int64_t *bytes);

#endif
