/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "base/json.h"
#include "base/value.h"

#include <stddef.h>

/* A register the operator keeps in control.db: rows of declared fields, each
 * change in the operator's log with the row before and after.  What a register
 * is made of is data; supplier.c, certification.c, review.c and advisory.c
 * hold one each.  Everything happens inside the caller's transaction. */
enum {
    LEDGER_LIST, /* … id < ?1 ORDER BY id DESC LIMIT ?2, or all in its order */
    LEDGER_GET,  /* … id = ?1 */
    LEDGER_ADD,  /* ?3 now, ?4 who, ?5 … the form's fields in order */
    LEDGER_UPDATE, /* the same; WHERE id = ?1 AND version = ?2 */
    LEDGER_DELETE, /* ?1 id, ?2 version */
    LEDGER_STATEMENTS
};
struct ledger_cell {
    int64_t n;
    const char *text; /* of FIELD_TEXT and FIELD_LINES */
    bool is_null;
};
struct ledger_row {
    int64_t id, version;
    const struct ledger_cell *cells; /* as the row form has fields */
};
struct ledger {
    const char *path;         /* "suppliers" */
    const char *kind;         /* "supplier": in the log */
    const struct form *form;  /* what is written, whole each time */
    const struct form *shown; /* what the statements select, from id to
                                 version; names ending in _at are moments */
    const char *title;        /* the field that names a row */
    const char *const *text;  /* LEDGER_STATEMENTS of them */
    /* NULL: all is allowed.  before NULL: a new row; v NULL: it goes. */
    enum err (*check)(struct ctx *c, const struct ledger_row *before,
                      const struct values *v);
    /* NULL: nothing follows a change. */
    enum err (*follow)(struct ctx *c, const struct ledger_row *row);
};
extern const struct ledger supplier_ledger, certification_ledger, review_ledger,
    advisory_ledger;
extern const struct form supplier_form, certification_form, review_form,
    advisory_form;
extern const struct form supplier_shown, certification_shown, review_shown,
    advisory_shown;
enum { LEDGER_ROWS_MAX = 500 };

MUST_USE enum err ledger_list(struct ctx *c, const struct ledger *l,
                              const struct ledger_row **out, size_t *count);
MUST_USE enum err ledger_create(struct ctx *c, const struct ledger *l,
                                const struct values *v, struct ledger_row *out);
MUST_USE enum err ledger_update(struct ctx *c, const struct ledger *l,
                                int64_t id, int64_t version,
                                const struct values *v, struct ledger_row *out);
MUST_USE enum err ledger_delete(struct ctx *c, const struct ledger *l,
                                int64_t id, int64_t version);
/* The cell of a shown field, which must be one. */
const struct ledger_cell *ledger_cell(const struct ledger *l,
                                      const struct ledger_row *row,
                                      const char *name);
/* The members of one row, into an object that is open. */
void ledger_put(struct json_out *o, const struct ledger *l,
                const struct ledger_row *row);

#endif
