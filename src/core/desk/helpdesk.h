/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_HELPDESK_H
#define CORE_DESK_HELPDESK_H

#include "core/desk/support_request.h"

/* The operator's desk: what control.db knows of all tenants' enquiries (never
 * what is said in them), and the desk's steps inside one tenant's thread.
 * Everything here opens its own transactions. */
struct helpdesk_row {
    int64_t id, support_request_id, opened_at, updated_at, due_at, answered_at;
    const char *tenant, *tenant_name;
    enum support_request_category category;
    enum support_request_state state;
    enum support_request_decision decision;
};
/* -1, NULL, 0 mean any; newest first, below after_id. */
struct helpdesk_filter {
    int state, category;
    const char *tenant;
    bool only_overdue;
    int64_t after_id;
    int limit;
};
MUST_USE enum err helpdesk_list(struct ctx *c, struct store *s,
                                const struct helpdesk_filter *filter,
                                const struct helpdesk_row **out, size_t *count,
                                bool *more);

struct helpdesk_summary {
    int64_t open, answered, closed, overdue;
    /* Of those opened in the last 90 days: how many were answered, and how
     * long that took on average. */
    int64_t answers, answer_minutes;
};
MUST_USE enum err helpdesk_summary(struct ctx *c, struct store *s,
                                   struct helpdesk_summary *out);

struct helpdesk_setting {
    int answer_hours;
    const char *contact_ja, *contact_en; /* intellectual property; "" */
    int64_t version;                     /* 0: as it comes */
};
extern const struct form helpdesk_setting_form;
MUST_USE enum err helpdesk_setting_get(struct ctx *c, struct store *s,
                                       struct helpdesk_setting *out);
MUST_USE enum err helpdesk_setting_set(struct ctx *c, struct store *s,
                                       int64_t version, const struct values *v,
                                       struct helpdesk_setting *out);

/* After a step is committed: writes it into control.db, with a row of the
 * operator's log (action NULL: none), and mails the operators where an answer
 * is owed.  What a crash keeps from happening helpdesk_settle() does. */
MUST_USE enum err helpdesk_tell(struct ctx *c, const struct app *app,
                                const char *tenant,
                                const struct support_request *it,
                                const char *action);
MUST_USE enum err helpdesk_settle(struct ctx *c, const struct app *app,
                                  const char *tenant);

#endif
