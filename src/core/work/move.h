/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_MOVE_H
#define CORE_WORK_MOVE_H

#include "core/access/member.h"

/* A program or project under another program: grants from above no longer
 * reach it, others begin to.  Nobody's rights change in silence: whoever moves
 * it is told beforehand, and says what becomes of those who would lose. */
struct moved_person {
    int64_t user_id;
    const char *name;
    unsigned lost, gained; /* on the object itself, settled */
};
enum move_choice { MOVE_KEEP, MOVE_LEAVE, MOVE_UNSAID = -1 };
extern const char *const move_choice_words[];
/* The field of the edit forms that says it. */
#define MOVE_FIELD                                                             \
    {                                                                          \
        CHOICE("members", move_choice_words, OPTIONAL, "移動前のメンバー",     \
               "Members of before")                                            \
    }

/* Everybody whose rights the move changes, by name; master administrators keep
 * theirs.  to: the program it is to stand in, 0 for the top. */
MUST_USE enum err move_preview(struct ctx *c, struct member_place at,
                               int64_t to, const struct moved_person **out,
                               size_t *count);
/* Before the row changes.  ERR_CONFLICT "move_choice" when somebody's rights
 * change and nothing was said; MOVE_KEEP turns the grants that are lost into
 * grants on the object, each with the role it had. */
MUST_USE enum err move_apply(struct ctx *c, struct member_place at, int64_t to,
                             enum move_choice choice);

#endif
