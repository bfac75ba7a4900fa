/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_DOCTOR_CHECK_H
#define CORE_HEALTH_DOCTOR_CHECK_H

#include "core/health/doctor.h"

/* One run.  A check reads what it is about and says what it found; it fails
 * in nothing. */
enum { DOCTOR_FINDINGS_MAX = 32 };
struct doctor {
    struct ctx *c;
    struct app *app;
    const struct doctor_host *host; /* NULL: nobody asked */
    bool is_key_copied;             /* this key, confirmed */
    char key_mark[17];
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t count;
};

/* Both texts take the same arguments in the same order. */
void doctor_say(struct doctor *d, const char *name, enum doctor_state state,
                const char *ja, const char *en, ...);

/* Of the machine and this process, and of the service in it. */
void doctor_check_machine(struct doctor *d);
void doctor_check_service(struct doctor *d);
/* And what deletions left to be done. */
void doctor_check_remains(struct doctor *d);

#endif
