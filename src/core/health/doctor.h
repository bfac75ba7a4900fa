/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HEALTH_DOCTOR_H
#define CORE_HEALTH_DOCTOR_H

#include "core/app.h"
#include "core/trust_evidence.h"

/* What is in force and what is not, on this machine and in this process: each
 * start, each day and on request.  The findings are rows of control.db, so
 * that console and trust page show what was found and when. */
enum doctor_state { DOCTOR_GOOD, DOCTOR_WARNING, DOCTOR_BAD };
extern const char *const doctor_state_words[]; /* "good", … and NULL */

struct doctor_finding {
    const char *name; /* "landlock" */
    enum doctor_state state;
    const char *ja, *en; /* what was found, and what to do */
    int64_t at;
};
struct doctor_view {
    const struct doctor_finding *findings;
    size_t count;
    int64_t ran_at, asked_at; /* 0: never */
    int64_t key_copy_at;      /* 0: no copy of this key is confirmed */
    const char *key_copy_by;  /* NULL: nobody */
    char key_mark[17];        /* sha256sum of the master key begins so */
};

/* What only a command outside can find out: it asks the package manager. */
struct doctor_host {
    int64_t updates, security; /* waiting */
};

/* Looks at everything; host may be NULL.  Takes as long as the mail relay;
 * opens its own transactions.  What cannot be kept is told all the same, as a
 * finding too. */
MUST_USE enum err doctor_run(struct ctx *c, struct app *app,
                             const struct doctor_host *host,
                             struct doctor_view *out);
/* In a transaction on control.db. */
MUST_USE enum err doctor_read(struct ctx *c, const struct app *app,
                              struct doctor_view *out);
/* In write transactions on control.db: a look soon, by the scheduler; and that
 * a copy of the master key lies elsewhere, logged. */
MUST_USE enum err doctor_ask(struct ctx *c);
MUST_USE enum err doctor_confirm_copy(struct ctx *c, const struct app *app);

/* The scheduler's. */
void doctor_look_daily(struct app *app, struct arena *mem);
void doctor_look_asked(struct app *app, struct arena *mem);

/* Evidence of rows 14, 15, 16 and 37. */
MUST_USE enum err doctor_tell_trust(struct ctx *c, struct trust_list *out);

#endif
