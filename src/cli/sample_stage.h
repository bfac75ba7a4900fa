/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_STAGE_H
#define CLI_SAMPLE_STAGE_H

#include "core/app.h"

#include <stddef.h>

/* The sample company of an evaluation: 架空商事 with its people, programs and
 * projects, dated around today. */
struct sample_account {
    const char *email, *name, *role;
    char password[17]; /* random, of this evaluation alone */
    int64_t id;        /* while the sample is made */
    bool is_admin;
};

enum { SAMPLE_ACCOUNTS = 10 };
extern const char sample_tenant[]; /* "kaku" */
/* Where the sample is played: one request after the other, each by somebody,
 * at a moment, by the rules everybody has.  Moments only go forward, so that
 * the logs read as if it had happened then. */
struct sample_stage {
    struct ctx *c; /* of the scene */
    struct app *app;
    int64_t now_us; /* when the demo was made */
    const struct sample_account *oper;
    struct actor actor; /* of the scene */
};

/* So many days ago (before: of 0 days, the present moment), minutes after
 * midnight in Japan. */
struct sample_when {
    int days_ago, minute;
};
int64_t sample_moment(const struct sample_stage *s, struct sample_when when);

/* The next scene is the operator's, or a person's of the company; NULL: of
 * the system, in the company's file. */
void sample_as_operator(struct sample_stage *s, struct sample_when when);
void sample_as_person(struct sample_stage *s, struct sample_when when,
                      const struct sample_account *who);

/* What a form of the scene says. */
struct buf;
struct form;
struct values;
MUST_USE enum err sample_fill(struct sample_stage *s, const struct form *form,
                              const struct buf *json,
                              const struct values **out);

#endif
