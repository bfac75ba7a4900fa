/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_PLAN_H
#define CLI_SAMPLE_PLAN_H

#include <stddef.h>

/* The plans of the sample company, as data.  A row follows the one before it
 * (finish to start) inside its parent, unless it is parallel to it. */
struct sample_row {
    int level; /* 1: top */
    char kind; /* P phase, T task, D deliverable, M milestone, S story */
    int days;  /* working days; 0 for milestones and parents */
    int owner; /* index into the people, -1: nobody */
    char link; /* '>' after the one before, '=' beside it, '+' two days
                       * after it, '~' no link at all */
    const char *subject;
};

extern const struct sample_row sample_erp[], sample_portal[], sample_app[];
extern const size_t sample_erp_count, sample_portal_count, sample_app_count;

#endif
