/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_CATALOGUE_H
#define CORE_MASTER_CATALOGUE_H

#include "base/json.h"
#include "core/master/color.h"

#include <stddef.h>

/* The master data every ticket refers to: classifications with their
 * statuses, and roles. */
enum family { FAMILY_WBS, FAMILY_MANAGEMENT, FAMILY_AGILE };
enum category { CATEGORY_TODO, CATEGORY_DOING, CATEGORY_DONE };

struct status {
    int64_t id;
    const char *ja, *en, *color;
    enum category category;
    bool is_hidden; /* stays where it is, is chosen no more */
};
enum { CATALOGUE_STATUSES_MAX = 32 };

struct classification {
    int64_t id;
    const char *key, *ja, *en, *color;
    enum family family;
    bool is_hidden;
    int64_t version;
    struct status *statuses;
    size_t status_count;
};

struct catalogue {
    struct classification *classifications;
    size_t count;
};

extern const char *const family_words[];
extern const char *const category_words[];
extern const char *const priority_words[]; /* urgent high medium low */

/* Everything, in the request's arena. */
MUST_USE enum err catalogue_load(struct ctx *c, const struct catalogue **out);
/* NULL when there is none. */
const struct classification *catalogue_find(const struct catalogue *k,
                                            int64_t id);
const struct classification *catalogue_find_key(const struct catalogue *k,
                                                const char *key);
const struct status *classification_find_status(const struct classification *k,
                                                int64_t id);
/* The first visible one of that category, or the first of all. */
const struct status *classification_first(const struct classification *k,
                                          enum category category);

/* {classifications, roles, priorities, labels, teams, fields,
 * standard} */
MUST_USE enum err catalogue_write(struct ctx *c, struct json_out *o);

/* What a new tenant starts with: roles, classifications with statuses, the
 * calendar, the tenant's own row. */
MUST_USE enum err seed_tenant(struct ctx *c, const char *name, enum lang lang);

#endif
