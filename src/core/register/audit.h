/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_AUDIT_H
#define CORE_REGISTER_AUDIT_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* Audit reports: filed by the operator in control.db, released to one tenant
 * at a time, downloaded by that tenant's master administrators.  Filing,
 * release and download are in the operator's log, release and download in the
 * tenant's too; what asks for one is an enquiry (support_request.h). */
enum { AUDIT_FILE_BYTES = 20 << 20, AUDIT_REPORTS_MAX = 200 };

struct audit_report {
    int64_t id, size, filed_at, version, released_at; /* released_at: to whom
                                                         it is listed for */
    int64_t releases;
    const char *title, *file, *filed_by;
    int32_t issued_on;
    uint8_t sha256[CRYPTO_HASH_BYTES];
};
struct audit_release {
    int64_t report_id, released_at, downloads, downloaded_at;
    const char *tenant, *tenant_name, *released_by;
};
extern const struct form audit_form;         /* query: title issued_on name */
extern const struct form audit_release_form; /* tenant */

/* For the console, in its transaction on control.db. */
MUST_USE enum err audit_list(struct ctx *c, const struct audit_report **out,
                             size_t *count);
MUST_USE enum err audit_list_releases(struct ctx *c,
                                      const struct audit_release **out,
                                      size_t *count);
/* ERR_INVALID "empty", "future"; ERR_LIMIT "reports". */
MUST_USE enum err audit_create(struct ctx *c, const struct values *v,
                               const char *data, size_t len,
                               struct audit_report *out);
/* ERR_CONFLICT "released": what a customer was given stays. */
MUST_USE enum err audit_delete(struct ctx *c, int64_t id, int64_t version);
MUST_USE enum err audit_read(struct ctx *c, int64_t id,
                             struct audit_report *out, struct buf *b);

/* These open their own transactions.  The release closes what the tenant asked
 * for (audit_request.h); of what was released before, it is that alone.
 * ERR_INVALID "tenant". */
MUST_USE enum err audit_give(struct ctx *c, const struct app *app, int64_t id,
                             const char *tenant);
/* Mails what a stop kept from being told. */
MUST_USE enum err audit_settle(struct ctx *c, const struct app *app);
MUST_USE enum err audit_list_given(struct ctx *c, const struct app *app,
                                   const char *tenant,
                                   const struct audit_report **out,
                                   size_t *count);
/* By an administrator of the tenant t; both logs have it before it leaves.
 * ERR_NOT_FOUND for what was not released to it. */
MUST_USE enum err audit_download(struct ctx *c, const struct app *app,
                                 struct tenant *t, int64_t id,
                                 struct audit_report *out, struct buf *b);

struct trust_list;
/* Row 38 of the trust page; in a transaction of control.db. */
MUST_USE enum err audit_measure(struct ctx *c, struct trust_list *out);

#endif
