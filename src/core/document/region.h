/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DOCUMENT_REGION_H
#define CORE_DOCUMENT_REGION_H

#include "core/document/region_tag.h"

#include "base/ctx.h"

/* In a transaction of control.db: what the published statement of where data
 * is kept names, or REGION_DEFAULT while there is none. */
MUST_USE enum err region_list_stated(struct ctx *c, const char **out);
/* In a transaction of control.db, for a place that is to hold data (a backup
 * target).  ERR_INVALID "region" for what is no tag, "outside" for what the
 * statement does not name. */
MUST_USE enum err region_check(struct ctx *c, const char *field,
                               const char *tag);

#endif
