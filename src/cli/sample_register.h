/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_REGISTER_H
#define CLI_SAMPLE_REGISTER_H

#include "core/app.h"

/* Publishes what an installation begins with and fills the registers, as the
 * operator of that name.  Opens its own transaction. */
MUST_USE enum err sample_register(struct ctx *c, const struct app *app,
                                  const char *name);

#endif
