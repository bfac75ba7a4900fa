/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_SEARCH_H
#define CORE_WORK_SEARCH_H

#include "base/ctx.h"

#include <stddef.h>

/* One box over everything one may see. */
enum search_kind { SEARCH_TICKET, SEARCH_PROJECT, SEARCH_PROGRAM };

struct search_hit {
    enum search_kind kind;
    int64_t id;
    const char *key, *subject;
    int64_t project_id; /* 0: none */
    const char *project_key, *project_name;
};

extern const char *const search_kind_words[];

/* A KEY-12 comes first, then programs and projects by name, then tickets,
 * newest first.  At most limit in all. */
MUST_USE enum err search_find(struct ctx *c, const char *text, int limit,
                              const struct search_hit **out, size_t *count);

#endif
