/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ERRAND_H
#define CORE_ERRAND_H

#include "core/app.h"

/* A step of the operator's inside one tenant's file, from the console: the
 * file is opened for this step alone, which acts there under a name that says
 * whose it is.  A step touches only the tables it is made for. */
struct errand {
    const struct app *app;
    const char *tenant;
    const char *name; /* "support: 運用 一郎" */
};
typedef enum err errand_fn(struct ctx *there, void *arg);

/* ERR_NOT_FOUND "tenant" unless it is open. */
MUST_USE enum err errand_run(struct ctx *c, const struct errand *d,
                             enum tx_mode mode, errand_fn *step, void *arg);

#endif
