/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_TRUST_H
#define CORE_TRUST_TRUST_H

#include "base/form.h"
#include "core/app.h"
#include "core/trust_evidence.h"

#include <stddef.h>

/* The trust page: the promises of the white paper (controls.md), each with
 * what was measured.  Nothing here is typed in: a promise holds only if
 * something was measured and all that was measured holds; the operator may
 * say that one does not apply, and why. */
enum { TRUST_COUNT = 38 };

struct trust_promise {
    int no;
    const char *clause; /* of ISO/IEC 27017 */
    const char *title_ja, *title_en, *statement_ja, *statement_en;
};
extern const struct trust_promise trust_promises[TRUST_COUNT];

enum trust_state { TRUST_HOLDS, TRUST_ATTENTION, TRUST_NOT_APPLICABLE };
extern const char *const trust_state_words[];

/* What a measurement says may name paths, people, hosts, other tenants and
 * what is not mended yet: all of it is the operator's alone, but for what was
 * marked to be shown. */
enum trust_reader { TRUST_ANYONE, TRUST_TENANT, TRUST_OPERATOR };

struct trust_change {
    int64_t at;
    enum trust_state state;
};
struct trust_row {
    const struct trust_promise *promise;
    enum trust_state state;
    bool is_public;
    const char *reason_ja, *reason_en; /* why it does not apply, or NULL */
    int64_t version;
    const struct trust_evidence *evidence;
    size_t evidence_count;
    const struct trust_change *history; /* newest first, at most 10 */
    size_t history_count;
};

/* All rows as the reader may see them.  TRUST_TENANT: with this tenant's own
 * evidence in place of the sums over all; tenant is used only then.  Opens its
 * own transactions; rows out[0 … TRUST_COUNT - 1]. */
MUST_USE enum err trust_read(struct ctx *c, const struct app *app,
                             enum trust_reader reader, struct tenant *tenant,
                             struct trust_row out[TRUST_COUNT]);

extern const struct form trust_form; /* is_public reason_ja reason_en */
/* In a write transaction of control.db; logged.  ERR_NOT_FOUND. */
MUST_USE enum err trust_set(struct ctx *c, int64_t no, int64_t version,
                            const struct values *v);

/* Rounds of the scheduler: what changed since the last look goes into the
 * history; a tenant that was not measured for a day is, chains verified. */
void trust_look(struct app *app, struct arena *mem);
void trust_look_at_tenants(struct app *app, struct arena *mem);

/* ---- for trust.c: the measuring itself (trust_check.c) ---- */

/* In a transaction of control.db.  tenant NULL: of the installation, else what
 * stands there of this one. */
MUST_USE enum err trust_measure(struct ctx *c, const struct app *app,
                                const char *tenant, struct trust_list *out);
/* In one of the tenant's file, then in one of its access log.  terms_owed:
 * the version that must be accepted, 0: none. */
MUST_USE enum err trust_measure_tenant(struct ctx *c, const struct app *app,
                                       int64_t terms_owed,
                                       struct trust_list *out);
/* Part of it (trust_people.c): rows 2, 6 to 11 and 29. */
MUST_USE enum err trust_measure_people(struct ctx *c, const struct app *app,
                                       int64_t terms_owed,
                                       struct trust_list *out);
MUST_USE enum err trust_measure_accesses(struct ctx *c, struct trust_list *out);

#endif
