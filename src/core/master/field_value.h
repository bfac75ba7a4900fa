/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_FIELD_VALUE_H
#define CORE_MASTER_FIELD_VALUE_H

#include "core/master/field.h"

/* Values of custom fields.  One text on the way in and out: "12", "1.5",
 * "2026-11-22", "true", a choice's or user's id, several choices' ids with
 * "||" between.  In the file they lie in typed columns, which filters use. */
struct field_value {
    const struct custom_field *field;
    const char *text;  /* as above; NULL: empty */
    const char *words; /* for history, in the actor's language; NULL: empty */
};

/* {field, value}: rows of the forms of tickets and edits. */
extern const struct form field_value_form;

/* Checks and brings into one form.  ERR_INVALID on "fields.ID", with a
 * message that names the field. */
MUST_USE enum err field_value_take(struct ctx *c, const struct custom_field *f,
                                   const char *text, struct field_value *out);
MUST_USE enum err field_value_get(struct ctx *c, int64_t ticket_id,
                                  const struct custom_field *f,
                                  struct field_value *out);
/* Replaces the ticket's value of v->field; v was taken. */
MUST_USE enum err field_value_write(struct ctx *c, int64_t ticket_id,
                                    const struct field_value *v);
/* The member fields: [{field, value, name}] of a ticket; name: of a user. */
MUST_USE enum err field_value_put_json(struct ctx *c, int64_t ticket_id,
                                       int64_t classification_id,
                                       struct json_out *o);

#endif
