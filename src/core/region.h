/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include "base/ctx.h"

#include <stdbool.h>

/* Where data is kept, in short: a country's two letters, and what the operator
 * says more exactly after a hyphen: "jp", "jp-tokyo".  A list has blanks
 * between. */
enum { REGION_CHARS = 40, REGION_LIST_CHARS = 400 };
#define REGION_DEFAULT "jp"

bool region_is_tag(const char *text);
bool region_is_list(const char *text); /* at least one */
/* "jp" covers "jp" and "jp-tokyo"; "jp-tokyo" covers itself alone. */
bool region_list_covers(const char *list, const char *tag);

/* In a transaction of control.db: what the published statement of where data
 * is kept names, or REGION_DEFAULT while there is none. */
MUST_USE enum err region_list_stated(struct ctx *c, const char **out);
/* In a transaction of control.db, for a place that is to hold data (a backup
 * target).  ERR_INVALID "region" for what is no tag, "outside" for what the
 * statement does not name. */
MUST_USE enum err region_check(struct ctx *c, const char *field,
                               const char *tag);

#endif
