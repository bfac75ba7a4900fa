/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_ACCESS_REVIEW_H
#define CORE_ACCESS_ACCESS_REVIEW_H

#include "base/form.h"
#include "base/json.h"
#include "core/app.h"

/* That somebody went through who may do what, and when: kept for good, as the
 * operation log is not.  Once a year is due. */
enum { ACCESS_REVIEW_DAYS = 366, ACCESS_REVIEWS_MAX = 50 };

struct access_review {
    int64_t id, at, people, grants; /* as many as there were then */
    const char *user_name, *note;
};

extern const struct form access_review_form; /* note */
extern const struct form access_review_reply_form;

/* By the actor, now; logged. */
MUST_USE enum err access_review_add(struct ctx *c, const struct values *v,
                                    struct access_review *out);
/* Newest first, at most ACCESS_REVIEWS_MAX. */
MUST_USE enum err access_review_list(struct ctx *c,
                                     const struct access_review **out,
                                     size_t *count);
/* When the last one was, or the tenant began; *is_review says which. */
MUST_USE enum err access_review_last(struct ctx *c, int64_t *at,
                                     bool *is_review);
void access_review_put_json(struct json_out *o, const struct access_review *r);

#endif
