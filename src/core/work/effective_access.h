/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_EFFECTIVE_ACCESS_H
#define CORE_WORK_EFFECTIVE_ACCESS_H

#include "core/access/member.h"

/* Who can see this and why; what can this person see and why.  One row a
 * reason: rows of one person (one object) follow each other. */
enum effective_access_via {
    EFFECTIVE_ACCESS_MASTER,
    EFFECTIVE_ACCESS_TENANT,
    EFFECTIVE_ACCESS_PROGRAM,
    EFFECTIVE_ACCESS_DIRECT
};

struct effective_access {
    int64_t user_id;
    const char *user_name, *user_email;
    int user_state; /* enum user_state */
    bool is_program;
    int64_t object_id;
    const char *object_key, *object_name;
    enum effective_access_via via;
    int64_t
        program_id; /* EFFECTIVE_ACCESS_PROGRAM: which, 0 where it is hidden */
    const char *program_name;
    int64_t group_id; /* 0: granted to the person */
    const char *group_name;
    const char *role_key, *role_ja, *role_en; /* NULL: master administrator */
    unsigned rights;
};

/* People who can see a program or project, by name; q: part of name or
 * address; after: id of the last one seen; limit counts people. */
MUST_USE enum err effective_access_of_place(
    struct ctx *c, struct member_place at, const char *q, int64_t after,
    int limit, const struct effective_access **out, size_t *count, bool *more);
/* Programs and projects a person can see, by KEY; after: the last KEY seen,
 * or NULL; limit counts objects. */
MUST_USE enum err effective_access_of_user(struct ctx *c, int64_t user_id,
                                           const char *after, int limit,
                                           const struct effective_access **out,
                                           size_t *count, bool *more);

extern const char *const effective_access_via_words[];

#endif
