/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ENQUIRY_H
#define CORE_ENQUIRY_H

#include "base/value.h"
#include "core/app.h"

#include <stddef.h>

/* A thread between a customer and the operator's desk, in the tenant's file.
 * Everybody asks for support and reports events; the other categories are
 * opened, and seen, by master administrators, who see all threads. */
enum enquiry_category {
    ENQUIRY_SUPPORT,
    ENQUIRY_EVENT,
    ENQUIRY_PROPERTY,
    ENQUIRY_DISCLOSURE,
    ENQUIRY_AUDIT,
    ENQUIRY_ACCESS_LOG, /* days and format say what is asked for */
};
enum enquiry_state { ENQUIRY_OPEN, ENQUIRY_ANSWERED, ENQUIRY_CLOSED };
enum enquiry_decision { ENQUIRY_UNDECIDED, ENQUIRY_RELEASED, ENQUIRY_REFUSED };

struct enquiry {
    int64_t id, user_id, version; /* user_id 0: a mail of somebody unknown */
    const char *user_name, *subject;
    enum enquiry_category category;
    enum enquiry_state state;
    /* due_at: an answer is owed by then; answered_at: the first; 0: none */
    int64_t opened_at, updated_at, due_at, answered_at, closed_at;
    int32_t from_day, to_day; /* DAY_NONE but for ENQUIRY_ACCESS_LOG */
    int format;               /* enum log_format */
    enum enquiry_decision decision;
};
struct enquiry_message {
    int64_t id, at, author_id, sent_at;
    bool is_desk;
    const char *author, *sender, *body; /* sender NULL: no mail */
};

enum { ENQUIRY_MESSAGES_MAX = 300, ENQUIRY_OPEN_MAX = 30 };
extern const char *const enquiry_category_words[];
extern const char *const enquiry_state_words[];
extern const char *const enquiry_decision_words[];
extern const char *const enquiry_format_words[];
extern const struct form enquiry_form;     /* category subject body … */
extern const struct form enquiry_say_form; /* body */
extern const struct form enquiry_mail_form;

/* Who acts: the actor, or an operator through an errand. */
struct enquiry_side {
    bool is_desk;
    int64_t operator_id; /* of is_desk */
    const char *name;    /* of is_desk, as the customer reads it */
    int answer_hours;    /* what an open thread is given */
};

/* All inside the caller's transaction on the tenant's file.  Of customers:
 * ERR_NOT_FOUND for what the actor may not see. */
MUST_USE enum err enquiry_get(struct ctx *c, const struct enquiry_side *by,
                              int64_t id, struct enquiry *out);
/* Newest first, below after_id (0: all); state -1: any. */
MUST_USE enum err enquiry_list(struct ctx *c, int state, int64_t after_id,
                               int limit, const struct enquiry **out,
                               size_t *count, bool *more);
/* All of a category that are not closed, at most 100. */
MUST_USE enum err enquiry_list_unclosed(struct ctx *c,
                                        enum enquiry_category category,
                                        const struct enquiry **out,
                                        size_t *count);
MUST_USE enum err enquiry_list_messages(struct ctx *c, int64_t id,
                                        const struct enquiry_message **out,
                                        size_t *count);
/* ERR_DENIED "category", ERR_LIMIT "enquiries" with too many open. */
MUST_USE enum err enquiry_open(struct ctx *c, const struct enquiry_side *by,
                               const struct values *v, struct enquiry *out);
/* A customer's word opens the thread again, the desk's answers it. */
MUST_USE enum err enquiry_say(struct ctx *c, const struct enquiry_side *by,
                              int64_t id, const char *body, struct enquiry *out,
                              int64_t *message_id);
MUST_USE enum err enquiry_close(struct ctx *c, const struct enquiry_side *by,
                                int64_t id, int64_t version,
                                struct enquiry *out);
/* By the desk: a mail that came, as a thread of its own or in one.  It belongs
 * to the person whose address sent it, if there is one. */
MUST_USE enum err enquiry_take_mail(struct ctx *c,
                                    const struct enquiry_side *by,
                                    const struct values *v,
                                    struct enquiry *out);
/* By the desk, once, of an access-log request: with the word for it.
 * ERR_CONFLICT "decided", "not_request". */
MUST_USE enum err enquiry_need_undecided(struct ctx *c,
                                         const struct enquiry *it);
MUST_USE enum err enquiry_decide(struct ctx *c, const struct enquiry_side *by,
                                 int64_t id, enum enquiry_decision decision,
                                 const char *body, struct enquiry *out,
                                 int64_t *message_id);

/* What control.db has not been told of, at most 100; and that it has. */
MUST_USE enum err enquiry_list_untold(struct ctx *c, const struct enquiry **out,
                                      size_t *count);
MUST_USE enum err enquiry_set_told(struct ctx *c, const struct enquiry *it);

/* To who asked, or else to the master administrators: that there is an
 * answer, by number and link alone. */
MUST_USE enum err enquiry_mail_customer(struct ctx *c, const struct app *app,
                                        const struct enquiry *it);
/* To every operator, in a transaction on control.db: of this tenant's. */
MUST_USE enum err enquiry_mail_desk(struct ctx *c, const struct app *app,
                                    const char *tenant,
                                    const struct enquiry *it);

#endif
