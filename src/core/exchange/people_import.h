/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_PEOPLE_IMPORT_H
#define CORE_EXCHANGE_PEOPLE_IMPORT_H

#include "base/json.h"
#include "core/exchange/people_csv.h"
#include "core/exchange/worker.h"

/* All rows or none; the file is judged again in the transaction that writes.
 * New people's invitations leave with the commit.  *result is the report,
 * also when it fails because of the file. */
MUST_USE enum err people_import_run(struct ctx *c, const struct app *app,
                                    struct worker *w,
                                    const struct job_order *order,
                                    const char **result);
/* added, changed, deleted, kept, errors: members of an open object. */
void people_import_put(struct json_out *o, const struct people_file *f);

#endif
