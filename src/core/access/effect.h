/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_EFFECT_H
#define CORE_ACCESS_EFFECT_H

#include "core/access/member.h"

/* What a change of grants does to people's rights, told before it is made.  A
 * grant high up reaches many projects, a group many people, a role all grants
 * that name it. */
struct effect_person {
    int64_t user_id;
    const char *name;
    unsigned lost, gained; /* settled; together over all objects */
    int64_t lost_in;       /* projects on which something is lost */
    int64_t unseen;        /* of those: the ones no longer seen at all */
    int64_t gained_in;
};

/* Which grants change, and what each is worth afterwards. */
struct effect_change {
    int64_t principal;             /* those of a person or -group; 0: none */
    const struct member_place *at; /* of those the one here; NULL: all */
    int64_t role_id;               /* and all that name a role; 0: none */
    int64_t user_id;               /* for this person only; 0: for everybody */
    unsigned after;                /* rights afterwards, 0: taken away */
};

struct effect {
    const struct effect_person *people; /* whose rights change, by name */
    size_t count;
    int64_t lost_in; /* projects on which anybody loses something */
};

/* Reads only.  Master administrators keep what they have.  Time grows with the
 * people touched times the programs and projects there are. */
MUST_USE enum err effect_preview(struct ctx *c, const struct effect_change *ch,
                                 struct effect *out);
/* A grant taken away (role NULL), or given another role, which is named by id
 * or key.  Where none stands there nobody's rights change. */
MUST_USE enum err effect_of_grant(struct ctx *c, struct member_place at,
                                  int64_t principal, const char *role,
                                  struct effect *out);
/* A group deleted, or (user_id) one person taken out of it. */
MUST_USE enum err effect_of_group(struct ctx *c, int64_t id, int64_t user_id,
                                  struct effect *out);
/* A role with other rights: words by comma, as a role's form has them. */
MUST_USE enum err effect_of_role(struct ctx *c, int64_t id, const char *rights,
                                 struct effect *out);

#endif
