/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_TRUST_VERSION_H
#define CORE_TRUST_TRUST_VERSION_H

#include "base/ctx.h"

#include <stddef.h>

/* The revision history of the trust page, in control.db. */
struct trust_version {
    int64_t no, at;
    const char *version; /* of the product */
    const char *changed; /* "3, 17": promises worded anew; "" in the first */
};

/* At each start: begins a new edition where a promise's words or the product's
 * version are not those of the last one.  In a write transaction. */
MUST_USE enum err trust_version_note(struct ctx *c);
/* Newest first, at most 20. */
MUST_USE enum err trust_version_list(struct ctx *c,
                                     const struct trust_version **out,
                                     size_t *count);

#endif
