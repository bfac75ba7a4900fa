/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PLAN_EDIT_H
#define CORE_WORK_PLAN_EDIT_H

#include "base/form.h"
#include "base/json.h"
#include "core/work/ticket.h"

#include <stddef.h>

/* Changes to the plan of one project: many at once, all or nothing, with the
 * schedule calculated once at the end.  The only way tickets are changed: the
 * Gantt, the ticket page and imports all come through here. */
enum plan_edit_op {
    PLAN_EDIT_CREATE,
    PLAN_EDIT_UPDATE,
    PLAN_EDIT_DELETE,  /* with everything below it */
    PLAN_EDIT_RESTORE, /* what one delete took away */
    PLAN_EDIT_LINK,
    PLAN_EDIT_RELINK,
    PLAN_EDIT_UNLINK,
};

/* Tickets are named by an id in digits or by the ref of an earlier create.  A
 * ref that reads as a number hides the ticket of that id. */
struct plan_edit {
    enum plan_edit_op op;
    const char *where;  /* before the fields of failures: "edits.3.", or NULL */
    const char *ref;    /* create: a name for later edits, or NULL */
    const char *target; /* update, delete, restore: the ticket */
    int64_t version;    /* update, delete: 0 takes any */
    /* create, update: of a form with the fields of ticket_edit_form; may be
     * one that has more. */
    const struct values *values;
    const char *predecessor, *successor; /* link */
    int64_t link_id;                     /* relink, unlink */
    int kind;                            /* link, relink: -1 FS or unchanged */
    int64_t lag;
    bool has_lag;
    bool is_import; /* values the schedule derives are taken, not refused */
    int64_t seen; /* delete: the last revision seen of what is below; 0: any */
};

struct plan_edit_created {
    const char *ref;
    int64_t id, no;
};
struct plan_edit_conflict {
    int64_t link_id, ticket_id; /* a manual ticket against its link */
};
struct plan_edit_result {
    int64_t since, revision; /* changed is what has a revision > since */
    const struct plan_edit_created *created;
    size_t created_count;
    const struct plan_edit_conflict *conflicts;
    size_t conflict_count;
    size_t updated, deleted, linked, cascaded; /* for reports */
};

extern const char *const plan_edit_op_words[];
extern const struct form plan_edit_form; /* {edits: [...]}, at most 2,000 */

/* In a write transaction, which the caller rolls back on failure.  The actor
 * needs rights in the project (or is_admin).  Every refused value of every
 * edit is reported; the first failure of another kind ends it.  No ceiling on
 * n; O(n log n). */
MUST_USE enum err plan_edit_apply(struct ctx *c, int64_t project_id,
                                  const struct plan_edit *edits, size_t n,
                                  struct plan_edit_result *out);
/* The rows of edit_form.  since: the revision the editor's screen shows, or
 * -1: what he has not seen changed below a ticket, he does not delete
 * (ERR_STALE, of the row below). */
MUST_USE enum err plan_edit_apply_form(struct ctx *c, int64_t project_id,
                                       const struct values *body, int64_t since,
                                       struct plan_edit_result *out);
/* The revision the project is at. */
MUST_USE enum err plan_edit_revision(struct ctx *c, int64_t project_id,
                                     int64_t *out);
/* Whether a body of plan_edit_form takes things away and does nothing else. */
bool plan_edit_is_deleting(const struct values *body);
/* One edit of the project the ticket is in. */
MUST_USE enum err plan_edit_apply_ticket(struct ctx *c, int64_t ticket_id,
                                         const struct plan_edit *edit,
                                         struct plan_edit_result *out);

/* After a switch or a calendar of the project changed: everything is worked
 * out anew, without asking for rights to tickets. */
MUST_USE enum err plan_edit_reschedule(struct ctx *c, int64_t project_id);

#endif
