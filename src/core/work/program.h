/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PROGRAM_H
#define CORE_WORK_PROGRAM_H

#include "base/civil.h"
#include "base/form.h"

#include <stddef.h>

/* Programs hold projects and other programs, 10 levels deep.  The KEY is
 * unique together with those of projects and never changes. */
enum { PROGRAM_LEVELS = 10 };
enum program_state { PROGRAM_OPEN, PROGRAM_ARCHIVED };

struct program {
    int64_t id, parent_id, manager_id;
    const char *key, *name, *details, *manager_name;
    int32_t start_day, end_day;
    enum program_state state;
    int64_t version;
    const int64_t *labels; /* not in lists: label_list_pairs() */
    size_t label_count;
    const char *label_names;
    unsigned rights; /* the actor's; in lists and program_get */
};

extern const struct form program_form;      /* create */
extern const struct form program_edit_form; /* all optional, no key */
extern const char *const program_state_words[];

/* What the actor may see, by name; parents the actor may not see read 0. */
MUST_USE enum err program_list(struct ctx *c, const struct program **out,
                               size_t *count);
MUST_USE enum err program_get(struct ctx *c, int64_t id, struct program *out);
/* Where a program may stand: rights there, no loop, not too deep.  id 0: a new
 * one. */
MUST_USE enum err program_check_parent(struct ctx *c, int64_t id,
                                       int64_t parent_id);
MUST_USE enum err program_create(struct ctx *c, const struct values *v,
                                 struct program *out);
MUST_USE enum err program_update(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v, struct program *out);
/* Into the bin; ERR_CONFLICT "not_empty" while something is in it. */
MUST_USE enum err program_delete(struct ctx *c, int64_t id, int64_t version);

/* A KEY of either kind, reserved for the tenant: ERR_INVALID "key",
 * ERR_CONFLICT "key_taken". */
MUST_USE enum err program_take_key(struct ctx *c, const char *key);
/* start <= end, recorded as "end_before_start". */
MUST_USE enum err program_check_days(struct ctx *c, int32_t start, int32_t end);

#endif
