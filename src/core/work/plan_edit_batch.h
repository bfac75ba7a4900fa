/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PLAN_EDIT_BATCH_H
#define CORE_WORK_PLAN_EDIT_BATCH_H

#include "base/buf.h"
#include "core/work/plan_edit.h"
#include "core/work/ticket_log.h"

/* Inside of plan_edit.c: the batch at hand, shared by what edits of tickets
 * (plan_edit_ticket.c, plan_edit_value.c) and of links (plan_edit_link.c) do. */
struct ref {
    const char *name;
    int64_t id;
};

struct plan_edit_batch {
    struct ctx *c;
    const struct catalogue *catalogue;
    int64_t project_id;
    const char *key;
    bool auto_dates, auto_parent;
    int64_t revision, next_no;
    unsigned rights;
    size_t index;               /* of the edit at hand */
    const struct plan_edit *it; /* the edit at hand */
    struct ref *refs;           /* open addressing */
    size_t ref_cap;
    struct buf changed, links, created;
    struct buf assignable; /* ids of people found to see the project */
    bool is_dirty;
    struct plan_edit_result *out;
};

/* An id in digits or an earlier ref; 0: none such. */
int64_t plan_edit_batch_resolve(struct plan_edit_batch *b, const char *name);
MUST_USE enum err plan_edit_batch_keep_ref(struct plan_edit_batch *b,
                                           const struct ticket *t);
/* The schedule looks at it at the end. */
void plan_edit_batch_add_changed(struct plan_edit_batch *b, int64_t id);
enum err plan_edit_batch_refuse(struct plan_edit_batch *b, const char *field,
                                const char *rule, const char *ja,
                                const char *en);
enum err plan_edit_batch_conflict(struct plan_edit_batch *b, const char *field,
                                  const char *rule, const char *ja,
                                  const char *en);
enum err plan_edit_batch_need(struct plan_edit_batch *b, bool may);
/* A ticket of this project outside the bin. */
MUST_USE enum err plan_edit_batch_is_alive(struct plan_edit_batch *b,
                                           int64_t id, bool *out);
/* Refuses who does not see the project's tickets; each is asked about once. */
MUST_USE enum err plan_edit_batch_need_assignable(struct plan_edit_batch *b,
                                                  const char *field,
                                                  int64_t user_id);

/* Takes what v says into t; every refused value is recorded. */
MUST_USE enum err plan_edit_batch_take_values(struct plan_edit_batch *b,
                                              struct ticket *t,
                                              const struct values *v);
/* Values a parent gets from its children are not for people to change. */
MUST_USE enum err plan_edit_batch_check_derived(struct plan_edit_batch *b,
                                                const struct ticket *before,
                                                struct ticket *t);

/* What hangs on a ticket besides its row. */
struct marks {
    bool has_labels, has_team; /* they change */
    const int64_t *labels;
    size_t label_count;
    int64_t team_id;
    struct buf fields; /* struct field_value */
    struct buf extras; /* struct ticket_extra, for history */
};
/* t: as it will be, id 0 when new; was: its classification before, or 0. */
MUST_USE enum err plan_edit_batch_take_marks(struct plan_edit_batch *b,
                                             const struct ticket *t,
                                             int64_t was, struct marks *out);
MUST_USE enum err plan_edit_batch_write_marks(struct plan_edit_batch *b,
                                              int64_t ticket_id,
                                              const struct marks *m);

MUST_USE enum err plan_edit_batch_create_ticket(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_update_ticket(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_delete_ticket(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_restore_ticket(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_create_link(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_update_link(struct plan_edit_batch *b);
MUST_USE enum err plan_edit_batch_delete_link(struct plan_edit_batch *b);

#endif
