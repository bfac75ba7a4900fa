/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_REVIEW_DUE_H
#define CORE_REGISTER_REVIEW_DUE_H

#include "core/app.h"

/* Days of the operator's registers and documents that have come: told of by
 * mail once each.  An advisory is to be judged within ADVISORY_DAYS, and a
 * certification is told of CERTIFICATION_DAYS before its last day. */
enum review_due_kind {
    REVIEW_DUE_SUPPLIER,
    REVIEW_DUE_CERTIFICATION,
    REVIEW_DUE_REVIEW,
    REVIEW_DUE_DOCUMENT,
    REVIEW_DUE_ADVISORY,
    REVIEW_DUE_KINDS
};
enum { ADVISORY_DAYS = 7, ADVISORY_LOOK_DAYS = 31, CERTIFICATION_DAYS = 30 };

/* Opens its own transaction. */
MUST_USE enum err review_due_tell(struct ctx *c, const struct app *app);
/* Round of the caretaker. */
void review_due_look(struct app *app, struct arena *mem);

struct trust_list;
/* What the registers prove: rows 8, 14, 24, 26, 30 and 34 of the trust page;
 * in a transaction of control.db. */
MUST_USE enum err review_due_measure(struct ctx *c, struct trust_list *out);

/* In a write transaction of control.db: the operator has looked through the
 * sources of advisories; row 24 wants that monthly, entries or none. */
MUST_USE enum err review_due_note_look(struct ctx *c);
/* The last such look, whichever way it was recorded: an entry or a judgement is
 * one, too.  In a transaction of control.db. */
struct advisory_look {
    int64_t at;     /* 0: never */
    int64_t due_at; /* when the next one is; 0: at once */
    const char *by; /* name as it was then */
};
MUST_USE enum err review_due_read_look(struct ctx *c,
                                       struct advisory_look *out);

#endif
