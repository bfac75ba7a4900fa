/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_EVIDENCE_H
#define CORE_TRUST_EVIDENCE_H

#include "base/ctx.h"

#include <stddef.h>

/* What a module says of itself on the trust page.  Each noun measures itself
 * and adds lines to a list that the page (trust.c) hands it; this file knows
 * no noun, so that everybody may include it.  Everything that is added lives
 * in c->mem. */

/* One measurement, in the reader's language.  It says something of now only
 * while it is no older than its period: then it does not hold, and says so,
 * whatever was found at the time. */
struct trust_evidence {
    int no;
    bool holds;
    const char *text;
    const char *shown; /* to the others; NULL: only that it was looked at */
    int64_t at;        /* when it was measured; 0: never */
    int64_t period_us; /* how often it is measured at least */
};
/* Looks of the daily round: one may fail, or the server be off for a day. */
#define TRUST_AGE_US (48 * INT64_C(3600000000))
/* Judged by what it says of its own age, not by the page. */
#define TRUST_OWN_AGE INT64_MAX

struct trust_list {
    struct trust_evidence *items;
    size_t count, cap;
    /* in the tenant's operation log; its access log has them */
    int64_t sign_ins, first_sign_in;
    int64_t head_seq,
        head_at; /* of its operation log, in control.db; 0: none */
};
/* Adds a measurement, for the operator alone; both texts take the same
 * arguments. */
void trust_say(struct ctx *c, struct trust_list *list, int no, bool holds,
               const char *ja, const char *en, ...)
    __attribute__((format(printf, 5, 7), format(printf, 6, 7)));
/* The same for everybody who reads the row: it names nobody and nothing of the
 * machine, and of other tenants not even how many. */
void trust_show(struct ctx *c, struct trust_list *list, int no, bool holds,
                const char *ja, const char *en, ...)
    __attribute__((format(printf, 5, 7), format(printf, 6, 7)));
/* What the others read in place of the last trust_say(): a few words for what
 * should be so; whether it is, is added. */
void trust_tell_others(struct ctx *c, struct trust_list *list, const char *ja,
                       const char *en);
/* As the page itself writes them: "2026/11/28 (土) 13:25", "2026/11/28 (土)";
 * DAY_NONE: "-". */
const char *trust_moment(struct ctx *c, int64_t at);
const char *trust_day(struct ctx *c, int32_t day);
/* A tenant younger than this cannot have done all that is expected of it. */
#define TRUST_NEW_US (INT64_C(26) * 3600000000)
/* The last measurement was not taken now, as the page is read, but at that
 * moment: everything that is read from where a look wrote it down.  period_us:
 * its own, TRUST_AGE_US or TRUST_OWN_AGE. */
void trust_date(struct trust_list *list, int64_t at, int64_t period_us);

#endif
