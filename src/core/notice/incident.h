/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_INCIDENT_H
#define CORE_NOTICE_INCIDENT_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* The register of incidents, in control.db.  From the moment one is detected
 * 24 hours run, in which every tenant concerned gets a first report: a notice
 * of kind incident.  It counts for a tenant when that tenant was told, not when
 * it was published: one that is withdrawn before counts for nobody, one that is
 * withdrawn after stays counted.  A tenant found later has 24 hours from then;
 * the first ones found have what is left.  Where the deletion of a tenant
 * begins, nobody is left to tell: it owes nothing more.  What was late stays
 * late, and nothing is ever deleted here. */
enum { INCIDENT_REPORT_HOURS = 24 };
enum incident_severity {
    INCIDENT_LOW,
    INCIDENT_MEDIUM,
    INCIDENT_HIGH,
    INCIDENT_CRITICAL,
};
extern const char *const incident_severity_words[];

struct incident {
    int64_t id, detected_at;
    int64_t due_at; /* the first report is owed by then; 0: none is */
    int64_t first_report_at, recovered_at, closed_at;
    int64_t recorded_at, version;
    enum incident_severity severity;
    const char *title, *what, *cause, *measure; /* the last two: when closed */
    const char *nobody_reason; /* closed without tenants: why, else NULL */
    const char *recorded_by, *closed_by;
    int64_t tenants, unreported, gone; /* gone: of tenants, never told */
};
struct incident_tenant {
    const char *tenant, *name;
    int64_t since, reported_at, gone_at;
};

/* title what severity detected_at tenants is_for_all; cause measure
 * nobody_reason */
extern const struct form incident_form, incident_edit_form,
    incident_tenants_form, incident_close_form;

/* All in a transaction of control.db; changes go into the operator's log. */
MUST_USE enum err incident_list(struct ctx *c, bool only_open, int64_t after_id,
                                int limit, const struct incident **out,
                                size_t *count, bool *more);
MUST_USE enum err incident_get(struct ctx *c, int64_t id, struct incident *out);
MUST_USE enum err incident_list_tenants(struct ctx *c, int64_t id,
                                        const struct incident_tenant **out,
                                        size_t *count);
MUST_USE enum err incident_create(struct ctx *c, const struct values *v,
                                  struct incident *out);
/* ERR_CONFLICT "later": its 24 hours cannot be put off. */
MUST_USE enum err incident_update(struct ctx *c, int64_t id, int64_t version,
                                  const struct values *v, struct incident *out);
/* Tenants found to be concerned too. */
MUST_USE enum err incident_add_tenants(struct ctx *c, int64_t id,
                                       int64_t version, const struct values *v,
                                       struct incident *out);
/* Not before every tenant concerned has its report; without any tenant it
 * takes a reason, and that reason is owed within the 24 hours too. */
MUST_USE enum err incident_close(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v, struct incident *out);

/* A tenant was told of it just now, by a report. */
MUST_USE enum err incident_note_told(struct ctx *c, int64_t id,
                                     const char *tenant);
/* Its notices of recovery are others now. */
MUST_USE enum err incident_note_recovery(struct ctx *c, int64_t id);
/* The deletion of a tenant began. */
MUST_USE enum err incident_note_gone(struct ctx *c, const char *tenant);

/* How many wait for their report, and the soonest moment (0: none). */
struct incident_summary {
    int64_t open, unreported, overdue, next_due_at;
};
MUST_USE enum err incident_summary(struct ctx *c, struct incident_summary *out);

struct incident_setting {
    const char *contact_ja, *contact_en; /* shown to customers; "" */
    int warn_hours;                      /* before a report is due */
    int64_t version;                     /* 0: as it comes */
};
extern const struct form incident_setting_form;
MUST_USE enum err incident_setting_get(struct ctx *c,
                                       struct incident_setting *out);
MUST_USE enum err incident_setting_set(struct ctx *c, int64_t version,
                                       const struct values *v,
                                       struct incident_setting *out);

/* A round of the scheduler: mails to the operators before a first report is
 * due and after, each once. */
void incident_look(struct app *app, struct arena *mem);

/* Row 31 of the trust page. */
struct trust_list;
MUST_USE enum err incident_measure(struct ctx *c, struct trust_list *out);

#endif
