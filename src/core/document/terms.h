/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DOCUMENT_TERMS_H
#define CORE_DOCUMENT_TERMS_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* The operator's terms of use, in control.db: drafts that may change, and
 * published versions that never do.  Which of them a tenant has accepted is
 * consent.h's. */
struct terms {
    int64_t id, no; /* no 0: a draft */
    const char *ja, *en;
    int32_t valid_from;
    bool is_material;
    int64_t published_at;
    const char *published_by;
    int64_t version;
};
/* Versions in force: the newest, and the newest that had to be accepted; 0
 * while there is none. */
struct terms_now {
    int64_t current, owed;
};

extern const struct form terms_form;      /* ja en valid_from is_material */
extern const struct form terms_edit_form; /* the same, all optional */

struct terms_cache *terms_open(void);
void terms_close(struct terms_cache *t); /* NULL is allowed */

/* Outside any transaction, at every request: remembered in app->terms until a
 * version is published or one comes into force. */
MUST_USE enum err terms_find_now(struct ctx *c, const struct app *app,
                                 struct terms_now *out);
/* The same, read inside a transaction of control.db. */
MUST_USE enum err terms_read_now(struct ctx *c, struct terms_now *out);
/* A published version; opens its own transaction.  ERR_NOT_FOUND. */
MUST_USE enum err terms_read(struct ctx *c, const struct app *app, int64_t no,
                             struct terms *out);
/* Published ones in force, newest first, without their texts. */
MUST_USE enum err terms_list_published(struct ctx *c, const struct app *app,
                                       const struct terms **out, size_t *count);

/* For the console, inside its transaction: drafts first, then the newest. */
MUST_USE enum err terms_list(struct ctx *c, const struct terms **out,
                             size_t *count);
MUST_USE enum err terms_get(struct ctx *c, int64_t id, struct terms *out);
MUST_USE enum err terms_create(struct ctx *c, const struct values *v,
                               struct terms *out);
/* The draft a new installation begins with. */
MUST_USE enum err terms_seed(struct ctx *c, const char *ja, const char *en);
/* ERR_CONFLICT "published" in these three for what is no draft any more. */
MUST_USE enum err terms_update(struct ctx *c, int64_t id, int64_t version,
                               const struct values *v, struct terms *out);
MUST_USE enum err terms_delete(struct ctx *c, int64_t id, int64_t version);
/* Opens its own transaction.  ERR_INVALID "past", "order": it may not come
 * into force before today, nor before a version published earlier.  The first
 * one is always material. */
MUST_USE enum err terms_publish(struct ctx *c, const struct app *app,
                                int64_t id, int64_t version, struct terms *out);

#endif
