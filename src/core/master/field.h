/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_FIELD_H
#define CORE_MASTER_FIELD_H

#include "base/form.h"
#include "base/json.h"

#include <stddef.h>

/* Fields an administrator adds to the tickets of a classification, and how
 * its form is laid out. */
enum field_type { /* the words of field_type_words, the kinds in the file */
                  FIELD_TYPE_TEXT,
                  FIELD_TYPE_LINES,
                  FIELD_TYPE_INTEGER,
                  FIELD_TYPE_DECIMAL,
                  FIELD_TYPE_DAY,
                  FIELD_TYPE_CHOICE,
                  FIELD_TYPE_CHOICES,
                  FIELD_TYPE_USER,
                  FIELD_TYPE_CHECK,
                  FIELD_TYPE_URL
};
enum {
    FIELD_PER_KIND = 50,     /* fields of a classification */
    FIELD_CHOICES_MAX = 100, /* choices of a field */
    FIELD_VALUE_MAX = 20000  /* characters of a value */
};

struct field_choice {
    int64_t id;
    const char *ja, *en;
    bool is_hidden;
};
struct custom_field {
    int64_t id, classification_id;
    enum field_type type;
    const char *ja, *en, *help;
    const char *initial; /* as field_value.h takes values; NULL: none */
    bool is_required, is_hidden;
    int column; /* of the information area: 1 or 2 */
    struct field_choice *choices;
    size_t choice_count;
};

extern const char *const field_type_words[];
extern const struct form field_set_form;    /* {fields: […]} */
extern const struct form field_layout_form; /* {standard: […]} */

/* Of one classification in order; 0: of all. */
MUST_USE enum err field_list(struct ctx *c, int64_t classification_id,
                             struct custom_field **out, size_t *count);
/* Replaces the fields of a classification, in this order; their choices, too.
 * What has values is hidden, not left out: ERR_CONFLICT "in_use".  version is
 * the classification's. */
MUST_USE enum err field_put(struct ctx *c, int64_t classification_id,
                            int64_t version, const struct values *v);
/* Help texts of the standard fields, and which optional ones are hidden. */
MUST_USE enum err field_put_layout(struct ctx *c, int64_t classification_id,
                                   int64_t version, const struct values *v);
/* The members fields and standard of the catalogue. */
MUST_USE enum err field_put_catalogue(struct ctx *c, struct json_out *o);

#endif
