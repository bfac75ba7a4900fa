/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_LOG_FILTER_H
#define CORE_LOG_LOG_FILTER_H

#include "base/form.h"

#include <stddef.h>

/* A person's saved filters of the operation log; nobody else sees them.  All
 * inside the caller's transaction on the tenant's file. */
struct log_filter {
    int64_t id;
    const char *name, *query; /* query: as in the log screen's address */
};
enum { LOG_FILTERS_MAX = 50 };
extern const struct form log_filter_form; /* name query */

MUST_USE enum err log_filter_list(struct ctx *c, const struct log_filter **out,
                                  size_t *count);
/* The same name again replaces what it says. */
MUST_USE enum err log_filter_save(struct ctx *c, const struct values *v,
                                  struct log_filter *out);
MUST_USE enum err log_filter_delete(struct ctx *c, int64_t id);

#endif
