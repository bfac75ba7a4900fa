/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DOCUMENT_DOCUMENT_H
#define CORE_DOCUMENT_DOCUMENT_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* What the operator says in writing, in control.db: policies and statements,
 * each kind with its own versions, in Japanese and English.  A draft may
 * change; of a published version only the date of the next review does.  (The
 * terms of use, which are accepted, are terms.h's.) */
enum document_kind {
    DOCUMENT_BASIC,      /* basic information-security policy */
    DOCUMENT_INDIVIDUAL, /* individual policies */
    DOCUMENT_CLOUD,      /* cloud-service policy */
    DOCUMENT_PRIVACY,
    DOCUMENT_LAW,
    DOCUMENT_LOCATION, /* the only one with regions */
    DOCUMENT_RESPONSIBILITY,
    DOCUMENT_PLATFORM, /* what lies beneath */
    DOCUMENT_KINDS
};
extern const char *const document_kind_words[];
extern const char *const document_titles[DOCUMENT_KINDS][2]; /* ja en */

struct document {
    int64_t id, no, published_at, reviewed_at, version; /* no 0: a draft */
    enum document_kind kind;
    const char *ja, *en, *regions, *published_by, *reviewed_by;
    bool is_public;
    int32_t review_on;
};

extern const struct form document_form;
extern const struct form document_edit_form; /* the same, all optional */
extern const struct form document_review_form;

/* For the console, inside its transaction on control.db.  The list: drafts
 * first, then the newest, without texts. */
MUST_USE enum err document_list(struct ctx *c, const struct document **out,
                                size_t *count);
MUST_USE enum err document_get(struct ctx *c, int64_t id, struct document *out);
/* ERR_INVALID "regions". */
MUST_USE enum err document_create(struct ctx *c, const struct values *v,
                                  struct document *out);
/* ERR_CONFLICT "published" in these two for what is no draft any more. */
MUST_USE enum err document_update(struct ctx *c, int64_t id, int64_t version,
                                  const struct values *v, struct document *out);
MUST_USE enum err document_delete(struct ctx *c, int64_t id, int64_t version);
/* ERR_INVALID "past": the next review must be to come. */
MUST_USE enum err document_publish(struct ctx *c, int64_t id, int64_t version,
                                   struct document *out);
/* Looked at and still right: a published version gets another date. */
MUST_USE enum err document_confirm(struct ctx *c, int64_t id, int64_t version,
                                   int32_t review_on, struct document *out);

/* For readers; these open transactions of their own on control.db.  Newest
 * version of each kind without its texts; only_public: for who is not a
 * master administrator. */
MUST_USE enum err document_list_current(struct ctx *c, const struct app *app,
                                        bool only_public,
                                        const struct document **out,
                                        size_t *count);
/* no 0: the newest.  ERR_NOT_FOUND, also for what is not public. */
MUST_USE enum err document_read(struct ctx *c, const struct app *app,
                                enum document_kind kind, int64_t no,
                                bool only_public, struct document *out);

/* All published ones of a kind, newest first, without texts. */
MUST_USE enum err document_list_versions(struct ctx *c, const struct app *app,
                                         enum document_kind kind,
                                         bool only_public,
                                         const struct document **out,
                                         size_t *count);

/* The drafts a new installation begins with, those of the terms too; in a
 * write transaction of control.db. */
MUST_USE enum err document_seed(struct ctx *c);
/* For the sample: publishes every draft of a document. */
MUST_USE enum err document_publish_drafts(struct ctx *c);

/* In a transaction of control.db: the published version in force.
 * ERR_NOT_FOUND, with nothing recorded. */
MUST_USE enum err document_get_newest(struct ctx *c, enum document_kind kind,
                                      struct document *out);

struct trust_list;
/* Rows 1, 3, 4, 26 and 34 of the trust page; in a transaction of control.db. */
MUST_USE enum err document_measure(struct ctx *c, const struct app *app,
                                   struct trust_list *out);

#endif
