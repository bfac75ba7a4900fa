/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_REGISTER_H
#define CORE_REGISTER_REGISTER_H

#include "base/form.h"
#include "base/json.h"

#include <stddef.h>

/* A register the operator keeps in control.db: rows of declared fields, each
 * change in the operator's log with the row before and after.  What a register
 * is made of is data; supplier.c, certification.c, review.c and advisory.c
 * hold one each.  Everything happens inside the caller's transaction. */
enum {
    REGISTER_LIST, /* … id < ?1 ORDER BY id DESC LIMIT ?2, or all in its order */
    REGISTER_GET,    /* … id = ?1 */
    REGISTER_ADD,    /* ?3 now, ?4 who, ?5 … the form's fields in order */
    REGISTER_UPDATE, /* the same; WHERE id = ?1 AND version = ?2 */
    REGISTER_DELETE, /* ?1 id, ?2 version */
    REGISTER_STATEMENTS
};
struct register_cell {
    int64_t n;
    const char *text; /* of FIELD_TEXT and FIELD_LINES */
    bool is_null;
};
struct register_row {
    int64_t id, version;
    const struct register_cell *cells; /* as the row form has fields */
};
struct register_kind {
    const char *path;         /* "suppliers" */
    const char *kind;         /* "supplier": in the log */
    const struct form *form;  /* what is written, whole each time */
    const struct form *shown; /* what the statements select, from id to
                                 version; names ending in _at are moments */
    const char *title;        /* the field that names a row */
    const char *const *text;  /* REGISTER_STATEMENTS of them */
    /* NULL: all is allowed.  before NULL: a new row; v NULL: it goes. */
    enum err (*check)(struct ctx *c, const struct register_row *before,
                      const struct values *v);
    /* NULL: nothing follows a change. */
    enum err (*follow)(struct ctx *c, const struct register_row *row);
};
extern const struct register_kind supplier_register, certification_register,
    review_register, advisory_register;
extern const struct form supplier_form, certification_form, review_form,
    advisory_form;
extern const struct form supplier_shown, certification_shown, review_shown,
    advisory_shown;
enum { REGISTER_ROWS_MAX = 500 };

MUST_USE enum err register_list(struct ctx *c, const struct register_kind *l,
                                const struct register_row **out, size_t *count);
MUST_USE enum err register_create(struct ctx *c, const struct register_kind *l,
                                  const struct values *v,
                                  struct register_row *out);
MUST_USE enum err register_update(struct ctx *c, const struct register_kind *l,
                                  int64_t id, int64_t version,
                                  const struct values *v,
                                  struct register_row *out);
MUST_USE enum err register_delete(struct ctx *c, const struct register_kind *l,
                                  int64_t id, int64_t version);
/* The cell of a shown field, which must be one. */
const struct register_cell *register_cell(const struct register_kind *l,
                                          const struct register_row *row,
                                          const char *name);
/* The members of one row, into an object that is open. */
void register_put(struct json_out *o, const struct register_kind *l,
                  const struct register_row *row);

#endif
