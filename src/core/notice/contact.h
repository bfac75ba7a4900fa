/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_CONTACT_H
#define CORE_NOTICE_CONTACT_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* Whom the operator reaches about notices and incidents: people a tenant's
 * master administrator names.  They are in the tenant's file; control.db has a
 * copy, so that the operator need not open the file. */
enum { CONTACTS_MAX = 10 };
struct contact {
    int64_t id, version;
    const char *name, *role, *email, *phone; /* role: "" allowed */
};
extern const struct form contact_form, contact_edit_form;

/* In a transaction of the tenant's file; changes are logged. */
MUST_USE enum err contact_list(struct ctx *c, const struct contact **out,
                               size_t *count);
MUST_USE enum err contact_create(struct ctx *c, const struct values *v,
                                 struct contact *out);
MUST_USE enum err contact_update(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v, struct contact *out);
MUST_USE enum err contact_delete(struct ctx *c, int64_t id, int64_t version);

/* Makes the copy; opens its own transactions.  After each change, and daily
 * for what a stop kept from happening. */
MUST_USE enum err contact_copy(struct ctx *c, const struct app *app,
                               const char *tenant);
/* The copy; in a transaction of control.db. */
MUST_USE enum err contact_list_copied(struct ctx *c, const char *tenant,
                                      const struct contact **out,
                                      size_t *count);

/* The operator spoke to a customer about a notice or an incident: a record
 * that is only ever added to.  In a transaction of control.db. */
enum contact_means {
    CONTACT_PHONE,
    CONTACT_MAIL,
    CONTACT_VISIT,
    CONTACT_OTHER,
};
extern const char *const contact_means_words[];
struct direct_contact {
    int64_t id, at, recorded_at;
    const char *tenant, *tenant_name, *person, *answer, *recorded_by;
    enum contact_means means;
};
extern const struct form direct_contact_form;
/* One of both ids is 0. */
struct direct_contact_of {
    int64_t notice_id, incident_id;
};
MUST_USE enum err direct_contact_add(struct ctx *c, struct direct_contact_of of,
                                     const struct values *v,
                                     struct direct_contact *out);
MUST_USE enum err direct_contact_list(struct ctx *c,
                                      struct direct_contact_of of,
                                      const struct direct_contact **out,
                                      size_t *count);

/* Row 17 of the trust page, in the tenant's file. */
struct trust_list;
MUST_USE enum err contact_measure(struct ctx *c, struct trust_list *out);

#endif
