/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANCY_H
#define CORE_TENANCY_H

#include "base/value.h"

/* The tenant's own row: what its administrator sets for everybody. */
struct tenancy {
    const char *name;
    enum lang lang; /* of new users */
    int first_weekday, fiscal_month;
    int64_t calendar_id, version;
};

extern const struct form tenancy_form; /* name lang first_weekday … */

MUST_USE enum err tenancy_get(struct ctx *c, struct tenancy *out);
MUST_USE enum err tenancy_update(struct ctx *c, int64_t version,
                                 const struct values *v, struct tenancy *out);

#endif
