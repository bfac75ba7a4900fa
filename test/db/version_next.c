/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of src/db/version.c this makes the release after this one, as
 * far as a data directory can tell: build/asan/next/yagura.  The tenant's step
 * takes long enough to be killed, and room enough to lack it. */
#include "db/migrate.h"

#include "base/err.h"

#include <stddef.h>

static const struct migrate_step tenant_steps[] = {
    {2, "CREATE TABLE next_line (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"
        " STRICT;"
        "INSERT INTO next_line (text) WITH RECURSIVE n (i) AS (SELECT 1 UNION"
        " ALL SELECT i + 1 FROM n WHERE i < 40000)"
        " SELECT hex(randomblob(100)) FROM n;"
        "UPDATE ticket SET subject = subject || '';"
        "CREATE INDEX next_line_text ON next_line (text)"},
};
static const struct migrate_step small_steps[] = {
    {2, "CREATE TABLE next_mark (id INTEGER PRIMARY KEY) STRICT"},
};

const struct migrate_plan migrate_tenant = {"tenant", 3, tenant_steps,
                                            COUNT(tenant_steps)};
const struct migrate_plan migrate_access = {"access", 3, small_steps,
                                            COUNT(small_steps)};
const struct migrate_plan migrate_control = {"control", 3, small_steps,
                                             COUNT(small_steps)};
const struct migrate_plan migrate_retained = {"retained", 3, small_steps,
                                              COUNT(small_steps)};
