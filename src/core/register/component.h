/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_COMPONENT_H
#define CORE_REGISTER_COMPONENT_H

#include "base/build.h"
#include "base/ctx.h"
#include "core/app.h"

/* The parts of the binary against the rule for their age: one released more
 * than COMPONENT_DAYS ago is named with the reason why it is still used. */
enum { COMPONENT_DAYS = 730 };

struct component_age {
    int32_t days;
    bool is_old, is_fine; /* is_fine: young enough, or with a reason */
};
struct component_age component_age(const struct build_part *part,
                                   int64_t now_us);

struct trust_list;
/* What the inventory in the binary says: rows 24, 28 and 30 of the trust page. */
void component_measure_parts(struct ctx *c, struct trust_list *out);
/* How the sources were kept and checked: row 28. */
void component_measure(struct ctx *c, const struct app *app,
                       struct trust_list *out);

#endif
