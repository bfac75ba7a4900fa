/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_STAGE_H
#define CLI_SAMPLE_STAGE_H

#include "cli/sample.h"

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
