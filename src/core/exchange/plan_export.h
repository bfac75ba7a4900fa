/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_PLAN_EXPORT_H
#define CORE_EXCHANGE_PLAN_EXPORT_H

#include "core/exchange/plan_file.h"

/* A project's tickets as CSV in the columns plan_csv_read() takes, in the
 * actor's language and the order of the tree: read back into the project it
 * changes nothing, read into an empty one it makes the same plan.  Labels,
 * teams and custom fields have no column.  In a read transaction of somebody
 * who sees the project.  ERR_LIMIT beyond what can be read back; with
 * PLAN_CP932 ERR_INVALID "cp932" for a character it does not have. */
MUST_USE enum err plan_export(struct ctx *c, int64_t project_id,
                              enum plan_encoding encoding, struct buf *out);

#endif
