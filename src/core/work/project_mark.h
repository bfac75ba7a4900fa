/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PROJECT_MARK_H
#define CORE_WORK_PROJECT_MARK_H

#include "core/work/project.h"

/* What a project names of the tenant's master data. */

/* Labels and teams into p. */
MUST_USE enum err project_load_marks(struct ctx *c, struct project *p);
/* Those v says; before: as loaded, or a new project's id alone. */
MUST_USE enum err project_write_marks(struct ctx *c,
                                      const struct project *before,
                                      const struct values *v);
/* Another of the tenant's calendars, if v says so; its own, if it had one, is
 * gone.  The plan is not worked out yet. */
MUST_USE enum err project_follow_calendar(struct ctx *c,
                                          const struct project *before,
                                          const struct values *v);

#endif
