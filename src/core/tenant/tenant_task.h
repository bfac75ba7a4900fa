/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_TENANT_TASK_H
#define CORE_TENANT_TENANT_TASK_H

#include "core/app.h"

/* A step of the operator's inside one tenant's file, from the console: the
 * file is opened for this step alone, which acts there under a name that says
 * whose it is.  A step touches only the tables it is made for. */
struct tenant_task {
    const struct app *app;
    const char *tenant;
    const char *name; /* "support: 運用 一郎" */
};
typedef enum err tenant_task_fn(struct ctx *there, void *arg);

/* ERR_NOT_FOUND "tenant" unless it is open. */
MUST_USE enum err tenant_task_run(struct ctx *c, const struct tenant_task *d,
                                  enum tx_mode mode, tenant_task_fn *step,
                                  void *arg);

#endif
