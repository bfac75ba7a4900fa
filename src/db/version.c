/* SPDX-License-Identifier: Apache-2.0 */
/* What a fresh file of each kind is numbered, and the steps that lead older
 * ones there.  No release yet: every file is of version 1. */
#include "db/migrate.h"

const struct migrate_plan migrate_tenant = {"tenant", 1, NULL, 0};
const struct migrate_plan migrate_access = {"access", 1, NULL, 0};
const struct migrate_plan migrate_control = {"control", 1, NULL, 0};
const struct migrate_plan migrate_retained = {"retained", 1, NULL, 0};
