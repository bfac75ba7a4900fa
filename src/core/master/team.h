/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_TEAM_H
#define CORE_MASTER_TEAM_H

#include "base/form.h"
#include "base/json.h"

#include <stddef.h>

/* Who works together: people, named on projects (several) and tickets (one).
 * A team gives no rights; grants do that. */
struct team_person {
    int64_t id;
    const char *name;
};
struct team {
    int64_t id;
    const char *name, *color;
    bool is_archived;
    int64_t version, tickets, projects;
    const struct team_person *members;
    size_t member_count;
};

extern const struct form team_form, team_edit_form, team_reply_form;

MUST_USE enum err team_list(struct ctx *c, const struct team **out,
                            size_t *count);
MUST_USE enum err team_get(struct ctx *c, int64_t id, struct team *out);
MUST_USE enum err team_create(struct ctx *c, const struct values *v,
                              struct team *out);
MUST_USE enum err team_update(struct ctx *c, int64_t id, int64_t version,
                              const struct values *v, struct team *out);
/* ERR_CONFLICT "in_use" while a project or ticket names it. */
MUST_USE enum err team_delete(struct ctx *c, int64_t id, int64_t version);
void team_put_json(struct json_out *o, const struct team *t);
/* The member teams of the catalogue: without people. */
MUST_USE enum err team_put_catalogue(struct ctx *c, struct json_out *o);

/* Of a ticket: 0 and NULL for none. */
MUST_USE enum err team_get_of_ticket(struct ctx *c, int64_t ticket_id,
                                     int64_t *id, const char **name);
MUST_USE enum err team_set_of_ticket(struct ctx *c, int64_t ticket_id,
                                     int64_t team_id);
MUST_USE enum err team_list_of_project(struct ctx *c, int64_t project_id,
                                       const int64_t **ids, size_t *count,
                                       const char **names);
/* Checks, too: an archived team only where it was before. */
MUST_USE enum err team_write_of_project(struct ctx *c, int64_t project_id,
                                        const int64_t *ids, size_t count,
                                        const int64_t *had, size_t had_count);
/* Unknown, or archived and not had: ERR_INVALID on field. */
MUST_USE enum err team_check(struct ctx *c, const char *field, int64_t id,
                             bool had, const char **name);

#endif
