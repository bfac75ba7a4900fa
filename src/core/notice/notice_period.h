/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_NOTICE_PERIOD_H
#define CORE_NOTICE_NOTICE_PERIOD_H

#include "base/form.h"

#include <stdint.h>

/* How long before it begins planned work is announced at least, in hours, by
 * kind; three days until the operator sets something else.  Work announced
 * later turns row 17 of the trust page, unless it is named an emergency. */
struct notice_period {
    int change_hours, maintenance_hours;
    int64_t version; /* of the row that the incident setting is in, too */
};
enum { NOTICE_PERIOD_HOURS = 72 };
extern const struct form notice_period_form;

/* In a transaction of control.db; the change is logged. */
MUST_USE enum err notice_period_get(struct ctx *c, struct notice_period *out);
MUST_USE enum err notice_period_set(struct ctx *c, int64_t version,
                                    const struct values *v,
                                    struct notice_period *out);

#endif
