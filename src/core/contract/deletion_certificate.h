/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_DELETION_CERTIFICATE_H
#define CORE_CONTRACT_DELETION_CERTIFICATE_H

#include "core/app.h"

#include <stddef.h>

/* The signed certificate of a deletion: one line of JSON whose last two
 * members are the public key of the installation and the signature (ECDSA
 * P-256, r||s in hex) over SHA-256 of all the bytes before the signature's own
 * member.  Each addition is a new revision of the whole. */
struct deletion_certificate {
    int64_t id, at;
    const char *tenant, *name;
    int64_t revision;
    const char *text; /* NULL in lists */
};

/* Signs and keeps it; body: the members without braces.  In a write
 * transaction of control.db, noted in the operator's log with its SHA-256. */
MUST_USE enum err deletion_certificate_issue(struct ctx *c,
                                             const struct app *app,
                                             const char *tenant,
                                             const char *body,
                                             struct deletion_certificate *out);
/* In a transaction of control.db.  The newest revision of each, newest first,
 * below after_id (0: all); tenant NULL: of all. */
MUST_USE enum err
deletion_certificate_list(struct ctx *c, int64_t after_id, int limit,
                          const struct deletion_certificate **out,
                          size_t *count, bool *more);
/* The newest revision of a tenant's.  ERR_NOT_FOUND. */
MUST_USE enum err deletion_certificate_get(struct ctx *c, const char *tenant,
                                           struct deletion_certificate *out);

/* The key of this installation. */
void deletion_certificate_public_key(const struct app *app, uint8_t out[65]);

/* What a file shows.  rule NULL: whole; "form": it is no certificate; "key":
 * signed by another key; "signature": changed, or not signed by it. */
struct deletion_certificate_report {
    const char *rule;
    const char *tenant, *name, *issued_at;
    int64_t revision;
    uint8_t public_key[65];
};
/* public_key NULL: the one in the file is believed, which shows damage but no
 * forger. */
void deletion_certificate_check(struct arena *mem, const char *text, size_t len,
                                const uint8_t *public_key,
                                struct deletion_certificate_report *out);

#endif
