/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_TENANT_SETTINGS_H
#define CORE_TENANT_TENANT_SETTINGS_H

#include "base/form.h"

/* The tenant's own row: what its administrator sets for everybody. */
struct tenant_settings {
    const char *name;
    enum lang lang; /* of new users */
    int first_weekday, fiscal_month;
    int64_t calendar_id, version;
};

extern const struct form tenant_settings_form; /* name lang first_weekday … */

MUST_USE enum err tenant_settings_get(struct ctx *c,
                                      struct tenant_settings *out);
MUST_USE enum err tenant_settings_update(struct ctx *c, int64_t version,
                                         const struct values *v,
                                         struct tenant_settings *out);

#endif
