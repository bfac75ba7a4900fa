/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TICKET_H
#define CORE_WORK_TICKET_H

#include "base/civil.h"
#include "base/form.h"
#include "base/json.h"
#include "core/master/catalogue.h"

#include <stddef.h>

/* One ticket's row, and the statements that read and write it.  The rules of
 * changing it are in plan_edit.c. */
enum { TICKET_MINUTES_NONE = -1 };
enum priority { PRIORITY_URGENT, PRIORITY_HIGH, PRIORITY_MEDIUM, PRIORITY_LOW };

struct ticket {
    int64_t id, project_id, no, classification_id, status_id;
    const char *subject, *details;
    enum priority priority;
    int64_t parent_id, rank;
    int32_t planned_start, planned_end, actual_start, actual_end, due;
    int progress;
    int64_t estimate, actual; /* minutes, TICKET_MINUTES_NONE */
    bool is_manual;
    int64_t reporter_id, assignee_id; /* assignee_id: the first of them */
    int64_t created_at, updated_at, deleted_at;
    int64_t version, revision;
    /* Everybody assigned, the first one included; only after
     * ticket_load_assignees(). */
    const int64_t *assignees;
    size_t assignee_count;
};

extern const struct form ticket_form;      /* create */
extern const struct form ticket_edit_form; /* update: all optional */
extern const struct form ticket_reply_form;

/* Not in the bin: ERR_NOT_FOUND, recorded. */
MUST_USE enum err ticket_get(struct ctx *c, int64_t id, struct ticket *out);
/* Those in the bin too; ERR_NOT_FOUND is not recorded. */
MUST_USE enum err ticket_read(struct ctx *c, int64_t id, struct ticket *out);
/* "12" or "KEY-12"; ERR_NOT_FOUND, recorded, also without the right to see. */
MUST_USE enum err ticket_find(struct ctx *c, const char *word, int64_t *id);
/* Members "WHAT_by" {name} and "WHAT_at": of the newest row of its history;
 * *name is never NULL. */
MUST_USE enum err ticket_put_last_change(struct ctx *c, const struct ticket *t,
                                         const char *what, struct json_out *o,
                                         const char **name);
/* ERR_NOT_FOUND "deleted" of a ticket in the bin, with deleted_by and
 * deleted_at: for those who may see tickets of its project. */
MUST_USE enum err ticket_fail_deleted(struct ctx *c, const struct ticket *t);
/* out->id is set. */
MUST_USE enum err ticket_insert(struct ctx *c, struct ticket *t);
/* All columns; counts version up in the row and in t. */
MUST_USE enum err ticket_write(struct ctx *c, struct ticket *t);
MUST_USE enum err ticket_load_assignees(struct ctx *c, struct ticket *t);
MUST_USE enum err ticket_write_assignees(struct ctx *c, const struct ticket *t);
/* What search finds it by: key, subject, details. */
MUST_USE enum err ticket_index(struct ctx *c, const char *project_key,
                               const struct ticket *t, bool is_new);

/* A ticket as its page shows it, with everything around it. */
struct ticket_person {
    int64_t id;
    const char *name;
};
struct ticket_link {
    int64_t link_id, id;
    const char *key, *subject;
    int kind;
    int64_t lag;
};
struct ticket_child {
    int64_t id;
    const char *key, *subject;
    int64_t status_id;
    int progress;
};
struct ticket_page {
    struct ticket t;
    const char *key; /* "ERP-12" */
    const char *classification_key;
    enum category category;
    const char *project_key, *project_name;
    struct ticket_person reporter;
    const struct ticket_person *assignees;
    size_t assignee_count;
    const struct ticket_link *predecessors, *successors;
    size_t predecessor_count, successor_count;
    const struct ticket_child *children, *path; /* path: from the top */
    size_t child_count, path_count;
    const int64_t *labels;
    size_t label_count;
    int64_t team_id;
    unsigned rights;
};
MUST_USE enum err ticket_get_page(struct ctx *c, int64_t id,
                                  struct ticket_page *out);
/* By "12" or "KEY-12", as ticket_find(). */
MUST_USE enum err ticket_find_page(struct ctx *c, const char *word,
                                   struct ticket_page *out);

/* SQL: ticket t has nothing below it.  What is late is counted by these: a
 * parent is late by its children alone. */
#define TICKET_IS_LEAF                                                         \
    "NOT EXISTS (SELECT 1 FROM ticket below WHERE below.project_id ="          \
    " t.project_id AND below.parent_id = t.id AND below.deleted_at IS NULL)"

#endif
