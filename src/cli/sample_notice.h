/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_NOTICE_H
#define CLI_SAMPLE_NOTICE_H

#include "cli/sample_stage.h"

/* What the sample's operator announced, in both languages, and one incident
 * from its detection to its end; in this order. */
MUST_USE enum err sample_early_notices(struct sample_stage *s);
MUST_USE enum err sample_incident(struct sample_stage *s);
MUST_USE enum err sample_late_notices(struct sample_stage *s);
MUST_USE enum err sample_coming_notices(struct sample_stage *s);

#endif
