/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_IMPORT_H
#define CORE_EXCHANGE_IMPORT_H

#include "base/json.h"
#include "core/exchange/plan_file.h"

/* A file's plan becomes tickets: all of it or nothing.  Every problem is
 * reported with its line and column, not only the first. */
enum { IMPORT_ERRORS_MAX = 200 };

struct import_report {
    int64_t rows, added, changed, deleted, links;
    const struct plan_error *errors;
    size_t error_count;
    int64_t errors_total;         /* those beyond IMPORT_ERRORS_MAX too */
    const struct plan_file *file; /* losses */
};

/* In a write transaction.  ERR_INVALID: out->errors says why, and nothing is
 * left to commit.  dry: everything is tried, then taken back. */
MUST_USE enum err import_plan(struct ctx *c, int64_t project_id,
                              struct plan_file *file, bool dry,
                              struct import_report *out);

void import_write_report(struct json_out *o, const struct ctx *c, bool dry,
                         const struct import_report *report);

#endif
