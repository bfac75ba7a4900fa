/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PASSWORD_COST_H
#define CLI_PASSWORD_COST_H

#include "base/arena.h"

/* Sets what a password hash costs from now on.  Measuring takes most of a
 * start, so the result stays in DIR/password.cost, for this machine only and
 * for a week.  A file that is missing, damaged or of another machine is made
 * anew; one that cannot be written is logged and costs the next start. */
void password_cost_set(struct arena *mem, const char *dir);

#endif
