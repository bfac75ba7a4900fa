/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_WORK_MAIL_H
#define CORE_WORK_WORK_MAIL_H

#include "base/form.h"
#include "core/app.h"
#include "core/work/ticket.h"

/* Mails that tell a person of work.  What happens is noted in the context
 * while the change is made, and turned into mails at its end, in the same
 * transaction: one a person and kind, however many tickets it touches.  Such a
 * mail names tickets by their keys only, and leaves only if the person may
 * still see them at that moment.  Imports and the command line tell nobody. */
enum work_mail_kind { WORK_MAIL_ASSIGNED, WORK_MAIL_COMMENTED, WORK_MAIL_DUE };

struct work_mail {
    enum work_mail_kind kind;
    int64_t user_id; /* 0: who the ticket concerns, of WORK_MAIL_COMMENTED */
    int64_t ticket_id, project_id;
    const char *key; /* "ERP-12" */
    struct work_mail *next;
};

/* Those assigned by this change.  before NULL: the ticket is new; both with
 * their assignees loaded. */
void work_mail_assigned(struct ctx *c, const char *project_key,
                        const struct ticket *before,
                        const struct ticket *after);
MUST_USE enum err work_mail_commented(struct ctx *c, int64_t ticket_id);
/* Writes the mails; for the dispatcher, before the commit. */
MUST_USE enum err work_mail_flush(struct ctx *c, const struct app *app);

/* Whether a mail about tickets of this project may go to this person now. */
MUST_USE enum err work_mail_may_go(struct ctx *c, int64_t user_id,
                                   int64_t project_id, bool *out);

/* Which of them the actor wants. */
struct work_mail_wishes {
    bool assigned, commented, due; /* due: see due_mail.h */
};
extern const struct form work_mail_form;
MUST_USE enum err work_mail_get_wishes(struct ctx *c,
                                       struct work_mail_wishes *out);
MUST_USE enum err work_mail_set_wishes(struct ctx *c, const struct values *v,
                                       struct work_mail_wishes *out);

#endif
