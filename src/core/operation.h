/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OPERATION_H
#define CORE_OPERATION_H

#include "base/ctx.h"

/* The operation log: the audit record of a tenant.  Each row is chained to
 * the one before by SHA-256 and commits with the change it describes. */
struct operation {
    const char *action;      /* "create", "update", "delete", "sign_in", … */
    const char *kind;        /* "ticket", "user", "project", … */
    int64_t object_id;       /* 0: none */
    const char *object_name; /* as the reader knows it; "" when none */
    const char *before;      /* JSON object of the changed fields, or NULL */
    const char *after;
};

/* Appends a row in the current write transaction. */
MUST_USE enum err operation_log(struct ctx *c, const struct operation *op);

#endif
