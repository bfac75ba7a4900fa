/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_CONTRACT_H
#define CORE_CONTRACT_CONTRACT_H

#include "base/form.h"
#include "core/app.h"
#include "core/contract/termination.h"

/* A tenant's contract: its record, whether the tenant is suspended, and its
 * end.  After the last day (end_on) the tenant is closed: its master
 * administrators may still sign in, accept the terms and take everything
 * along; on delete_on, 30 days later at most, all of it is deleted, if the
 * operator and an administrator of the tenant's have confirmed it, or the
 * operator alone has 24 hours or more after setting the date. */
enum { CONTRACT_GRACE_DAYS = 30, CONTRACT_WARN_DAYS = 7 };
#define CONTRACT_ALONE_US INT64_C(86400000000)

struct contract {
    const char *number;         /* "" */
    int32_t starts_on, ends_on; /* DAY_NONE */
    const char *place;          /* "" */
    int64_t version;            /* 0: nothing written yet */
};
struct contract_view {
    const char *name; /* of the customer */
    struct contract contract;
    int64_t suspended_at; /* 0: it is not */
    const char *suspended_by, *suspended_why;
    struct termination termination;
};

extern const struct form contract_form;     /* number starts_on ends_on place */
extern const struct form suspension_form;   /* reason name */
extern const struct form termination_form;  /* end_on delete_on name */
extern const struct form confirmation_form; /* name delete_on */

/* Whether both sides, or the operator alone and late enough, agreed. */
bool termination_is_confirmed(const struct termination *t);

/* All open their own transactions; changes are in the operator's log, those
 * that concern the customer in the tenant's too.  ERR_NOT_FOUND "tenant" of
 * one that is not there or being deleted.  name: typed by the person and equal
 * to the customer's, ERR_INVALID "name_typed" else. */
MUST_USE enum err contract_get(struct ctx *c, const struct app *app,
                               const char *tenant, struct contract_view *out);
/* version 0: there is none yet. */
MUST_USE enum err contract_set(struct ctx *c, const struct app *app,
                               const char *tenant, int64_t version,
                               const struct values *v);
/* ERR_CONFLICT "suspended", "not_suspended". */
MUST_USE enum err contract_suspend(struct ctx *c, const struct app *app,
                                   const char *tenant, const struct values *v);
MUST_USE enum err contract_resume(struct ctx *c, const struct app *app,
                                  const char *tenant);

enum contract_side { CONTRACT_OPERATOR, CONTRACT_CUSTOMER };
/* Sets the end, or sets it anew; by the customer only where there is none
 * (ERR_CONFLICT "ending").  Whoever asks confirms by it. */
MUST_USE enum err contract_end(struct ctx *c, const struct app *app,
                               const char *tenant, enum contract_side side,
                               const struct values *v);
/* Each side its own; the customer until the last day, the operator until the
 * deletion begins.  ERR_CONFLICT "not_ending", "not_yours", "closed". */
MUST_USE enum err contract_withdraw(struct ctx *c, const struct app *app,
                                    const char *tenant,
                                    enum contract_side side);
/* The deletion is confirmed; the customer may ask for an earlier day by it,
 * which the operator then confirms again.  ERR_CONFLICT "too_early" for an
 * operator alone, less than 24 hours after the date was set. */
MUST_USE enum err contract_confirm(struct ctx *c, const struct app *app,
                                   const char *tenant, enum contract_side side,
                                   const struct values *v);

/* For the scheduler: mails that are due, and which deletions are. */
void contract_round(struct app *app, struct arena *mem);

/* ---- for contract_round.c ---- */
struct query;
#define TERMINATION_COLS                                                       \
    "t.end_on, t.delete_on, t.is_customers, t.asked_by, t.asked_at,"           \
    " t.operator_by, t.operator_at, t.customer_by, t.customer_at, t.told,"     \
    " t.version"
void termination_read(struct ctx *c, struct query *q, int first,
                      struct termination *out);

#endif
