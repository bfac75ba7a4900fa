/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_H
#define CORE_DESK_H

#include "core/enquiry.h"

/* The operator's desk: what control.db knows of all tenants' enquiries (never
 * what is said in them), and the desk's steps inside one tenant's thread.
 * Everything here opens its own transactions. */
struct desk_row {
    int64_t id, enquiry_id, opened_at, updated_at, due_at, answered_at;
    const char *tenant, *tenant_name;
    enum enquiry_category category;
    enum enquiry_state state;
    enum enquiry_decision decision;
};
/* -1, NULL, 0 mean any; newest first, below after_id. */
struct desk_filter {
    int state, category;
    const char *tenant;
    bool only_overdue;
    int64_t after_id;
    int limit;
};
MUST_USE enum err desk_list(struct ctx *c, struct store *s,
                            const struct desk_filter *filter,
                            const struct desk_row **out, size_t *count,
                            bool *more);

struct desk_summary {
    int64_t open, answered, closed, overdue;
    /* Of those opened in the last 90 days: how many were answered, and how
     * long that took on average. */
    int64_t answers, answer_minutes;
};
MUST_USE enum err desk_summary(struct ctx *c, struct store *s,
                               struct desk_summary *out);

struct desk_setting {
    int answer_hours;
    const char *contact_ja, *contact_en; /* intellectual property; "" */
    int64_t version;                     /* 0: as it comes */
};
extern const struct form desk_setting_form;
MUST_USE enum err desk_setting_get(struct ctx *c, struct store *s,
                                   struct desk_setting *out);
MUST_USE enum err desk_setting_set(struct ctx *c, struct store *s,
                                   int64_t version, const struct values *v,
                                   struct desk_setting *out);

/* After a step is committed: writes it into control.db, with a row of the
 * operator's log (action NULL: none), and mails the operators where an answer
 * is owed.  What a crash keeps from happening desk_settle() does. */
MUST_USE enum err desk_tell(struct ctx *c, const struct app *app,
                            const char *tenant, const struct enquiry *it,
                            const char *action);
MUST_USE enum err desk_settle(struct ctx *c, const struct app *app,
                              const char *tenant);

#endif
