/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_SUPPORT_REQUEST_H
#define CORE_DESK_SUPPORT_REQUEST_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* A thread between a customer and the operator's desk, in the tenant's file.
 * Everybody asks for support and reports events; the other categories are
 * opened, and seen, by master administrators, who see all threads. */
enum support_request_category {
    SUPPORT_REQUEST_SUPPORT,
    SUPPORT_REQUEST_EVENT,
    SUPPORT_REQUEST_PROPERTY,
    SUPPORT_REQUEST_DISCLOSURE,
    SUPPORT_REQUEST_AUDIT,
    SUPPORT_REQUEST_ACCESS_LOG, /* days and format say what is asked for */
};
enum support_request_state {
    SUPPORT_REQUEST_OPEN,
    SUPPORT_REQUEST_ANSWERED,
    SUPPORT_REQUEST_CLOSED
};
enum support_request_decision {
    SUPPORT_REQUEST_UNDECIDED,
    SUPPORT_REQUEST_RELEASED,
    SUPPORT_REQUEST_REFUSED
};

struct support_request {
    int64_t id, user_id, version; /* user_id 0: a mail of somebody unknown */
    const char *user_name, *subject;
    enum support_request_category category;
    enum support_request_state state;
    /* due_at: an answer is owed by then; answered_at: the first; 0: none */
    int64_t opened_at, updated_at, due_at, answered_at, closed_at;
    int32_t from_day, to_day; /* DAY_NONE but for SUPPORT_REQUEST_ACCESS_LOG */
    int format;               /* enum log_format */
    enum support_request_decision decision;
};
struct support_request_message {
    int64_t id, at, author_id, sent_at;
    bool is_desk;
    const char *author, *sender, *body; /* sender NULL: no mail */
};

enum { SUPPORT_REQUEST_MESSAGES_MAX = 300, SUPPORT_REQUEST_OPEN_MAX = 30 };
extern const char *const support_request_category_words[];
extern const char *const support_request_state_words[];
extern const char *const support_request_decision_words[];
extern const char *const support_request_format_words[];
extern const struct form support_request_form; /* category subject body … */
extern const struct form support_request_say_form; /* body */
extern const struct form support_request_mail_form;

/* Who acts: the actor, or an operator through an errand. */
struct support_request_side {
    bool is_desk;
    int64_t operator_id; /* of is_desk */
    const char *name;    /* of is_desk, as the customer reads it */
    int answer_hours;    /* what an open thread is given */
};

/* All inside the caller's transaction on the tenant's file.  Of customers:
 * ERR_NOT_FOUND for what the actor may not see. */
MUST_USE enum err support_request_get(struct ctx *c,
                                      const struct support_request_side *by,
                                      int64_t id, struct support_request *out);
/* Newest first, below after_id (0: all); state -1: any. */
MUST_USE enum err support_request_list(struct ctx *c, int state,
                                       int64_t after_id, int limit,
                                       const struct support_request **out,
                                       size_t *count, bool *more);
/* All of a category that are not closed, at most 100. */
MUST_USE enum err support_request_list_unclosed(
    struct ctx *c, enum support_request_category category,
    const struct support_request **out, size_t *count);
MUST_USE enum err
support_request_list_messages(struct ctx *c, int64_t id,
                              const struct support_request_message **out,
                              size_t *count);
/* ERR_DENIED "category", ERR_LIMIT "enquiries" with too many open. */
MUST_USE enum err support_request_open(struct ctx *c,
                                       const struct support_request_side *by,
                                       const struct values *v,
                                       struct support_request *out);
/* A customer's word opens the thread again, the desk's answers it. */
MUST_USE enum err support_request_say(struct ctx *c,
                                      const struct support_request_side *by,
                                      int64_t id, const char *body,
                                      struct support_request *out,
                                      int64_t *message_id);
MUST_USE enum err support_request_close(struct ctx *c,
                                        const struct support_request_side *by,
                                        int64_t id, int64_t version,
                                        struct support_request *out);
/* By the desk: a mail that came, as a thread of its own or in one.  It belongs
 * to the person whose address sent it, if there is one. */
MUST_USE enum err
support_request_take_mail(struct ctx *c, const struct support_request_side *by,
                          const struct values *v, struct support_request *out);
/* By the desk, once, of an access-log request: with the word for it.
 * ERR_CONFLICT "decided", "not_request". */
MUST_USE enum err
support_request_need_undecided(struct ctx *c, const struct support_request *it);
MUST_USE enum err
support_request_decide(struct ctx *c, const struct support_request_side *by,
                       int64_t id, enum support_request_decision decision,
                       const char *body, struct support_request *out,
                       int64_t *message_id);

/* What control.db has not been told of, at most 100; and that it has. */
MUST_USE enum err
support_request_list_untold(struct ctx *c, const struct support_request **out,
                            size_t *count);
MUST_USE enum err support_request_set_told(struct ctx *c,
                                           const struct support_request *it);

/* To who asked, or else to the master administrators: that there is an
 * answer, by number and link alone. */
MUST_USE enum err
support_request_mail_customer(struct ctx *c, const struct app *app,
                              const struct support_request *it);
/* To every operator, in a transaction on control.db: of this tenant's. */
MUST_USE enum err support_request_mail_desk(struct ctx *c,
                                            const struct app *app,
                                            const char *tenant,
                                            const struct support_request *it);

#endif
