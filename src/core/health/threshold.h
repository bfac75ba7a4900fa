/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_THRESHOLD_H
#define CORE_HEALTH_THRESHOLD_H

#include "base/form.h"
#include "core/app.h"
#include "core/health/measure.h"

/* From which value on a measure is a warning.  Three samples in a row at or
 * above it cross it: one mail to the operators.  Three below nine tenths of it
 * end that, and the next crossing is told again.  All of it stands in rows. */
struct threshold {
    enum measure measure;
    double level;
    bool is_on;
    int64_t crossed_at; /* 0: it is not */
    int64_t version;
};
enum { THRESHOLD_STREAK = 3 };

extern const struct form threshold_form; /* level is_on */

/* What is measured, in the reader's language; "" of one without a level. */
const char *threshold_title(const struct ctx *c, enum measure measure);

/* In a write transaction on control.db, with the values of one sample. */
MUST_USE enum err threshold_judge(struct ctx *c, const struct app *app,
                                  const double values[MEASURE_COUNT]);
/* All of those that have a level. */
MUST_USE enum err threshold_list(struct ctx *c, struct threshold *out,
                                 size_t *count); /* MEASURE_COUNT places */
/* name: of measure_words.  ERR_NOT_FOUND, ERR_STALE. */
MUST_USE enum err threshold_set(struct ctx *c, const char *name,
                                int64_t version, const struct values *v,
                                struct threshold *out);

#endif
