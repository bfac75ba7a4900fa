/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_NOTICE_H
#define CORE_NOTICE_NOTICE_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* Notices of the service dashboard, as their operator writes them: drafts,
 * what is scheduled, and what was published, which stays.  They are in
 * control.db; who read them is in the tenants' files (notice_board.h). */
enum notice_kind {
    NOTICE_CHANGE,
    NOTICE_MAINTENANCE,
    NOTICE_VULNERABILITY,
    NOTICE_INCIDENT, /* reports of an incident of the register */
    NOTICE_RECOVERY,
};
enum notice_state {
    NOTICE_DRAFT,
    NOTICE_SCHEDULED,
    NOTICE_PUBLISHED,
    NOTICE_WITHDRAWN,
};
enum notice_mail_to { NOTICE_NOBODY, NOTICE_ADMINS, NOTICE_EVERYBODY };
/* GONE: its deletion has begun.  CLOSED: suspended, or its contract is over;
 * of an incident it is told all the same while its data is here. */
enum notice_skipped { NOTICE_TOLD, NOTICE_TENANT_GONE, NOTICE_TENANT_CLOSED };
extern const char *const notice_kind_words[];
extern const char *const notice_state_words[];
extern const char *const notice_mail_words[];
extern const char *const notice_skipped_words[];

struct notice {
    int64_t id, incident_id, follows_id; /* 0: of none */
    enum notice_kind kind;
    enum notice_state state;
    enum notice_mail_to mail_to;
    bool is_for_all;
    bool is_emergency; /* planned work that cannot wait for its period */
    const char *title_ja, *title_en, *body_ja, *body_en; /* Markdown */
    const char *reason_ja, *reason_en; /* of the withdrawal, or NULL */
    int64_t starts_at, ends_at;        /* what is affected; 0: not known */
    int64_t publish_at, published_at, corrected_at, withdrawn_at;
    int64_t created_at, revision, mail_revision, version;
    const char *written_by, *published_by;
};

/* What became of it. */
struct notice_sums {
    int64_t tenants, owed, told, skipped, mails, readers;
    int64_t waiting, failed; /* of its mails: not yet at the relay; given up */
};
struct notice_row {
    struct notice notice;
    struct notice_sums sums;
};
struct notice_target {
    const char *tenant, *name; /* name: the id where the tenant is gone */
    bool is_owed;
    int64_t told_at, mails, readers, waiting, failed;
    enum notice_skipped skipped;
};

/* SQL: the columns notice_read_row() reads, of a table called n. */
#define NOTICE_COLS                                                            \
    "n.id, n.incident_id, n.follows_id, n.kind, n.state, n.mail_to,"           \
    " n.is_for_all, n.title_ja, n.title_en, n.body_ja, n.body_en,"             \
    " n.reason_ja, n.reason_en, n.starts_at, n.ends_at, n.publish_at,"         \
    " n.published_at, n.corrected_at, n.withdrawn_at, n.created_at,"           \
    " n.revision, n.mail_revision, n.version, n.written_by, n.published_by,"   \
    " n.is_emergency"
enum { NOTICE_COL_COUNT = 26 };
struct query;
void notice_read_row(struct ctx *c, struct query *q, struct notice *out);

/* All below in a transaction of control.db; changes are written into the
 * operator's log.  Forms: a draft; a correction; a withdrawal. */
extern const struct form notice_form, notice_edit_form, notice_schedule_form,
    notice_correct_form, notice_withdraw_form;

struct notice_filter {
    int state, kind;               /* -1: any */
    int64_t incident_id, after_id; /* 0: any, from the newest */
    int limit;
};
MUST_USE enum err notice_list(struct ctx *c, const struct notice_filter *filter,
                              const struct notice_row **out, size_t *count,
                              bool *more);
MUST_USE enum err notice_get(struct ctx *c, int64_t id, struct notice_row *out);
/* Whom it is for, by id; after: the last one seen, NULL from the first. */
MUST_USE enum err notice_list_targets(struct ctx *c, int64_t id,
                                      const char *after, int limit,
                                      const struct notice_target **out,
                                      size_t *count, bool *more);

MUST_USE enum err notice_create(struct ctx *c, const struct values *v,
                                struct notice_row *out);
/* Of a draft, or of one that is scheduled, which it stays. */
MUST_USE enum err notice_update(struct ctx *c, int64_t id, int64_t version,
                                const struct values *v, struct notice_row *out);
MUST_USE enum err notice_delete(struct ctx *c, int64_t id, int64_t version);

/* ---- notice_publish.c ---- */

/* At publish_at, or now when that is not given.  ERR_CONFLICT "nobody" when no
 * tenant is left that could be told; one that was scheduled becomes a draft
 * again then. */
MUST_USE enum err notice_schedule(struct ctx *c, int64_t id, int64_t version,
                                  const struct values *v,
                                  struct notice_row *out);
/* Back to a draft. */
MUST_USE enum err notice_unschedule(struct ctx *c, int64_t id, int64_t version,
                                    struct notice_row *out);
MUST_USE enum err notice_correct(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v,
                                 struct notice_row *out);
MUST_USE enum err notice_withdraw(struct ctx *c, int64_t id, int64_t version,
                                  const struct values *v,
                                  struct notice_row *out);
/* The round of notice_mail.c has written a tenant's mails. */
MUST_USE enum err notice_note_told(struct ctx *c, const struct notice *n,
                                   const char *tenant);
/* Row 31: the mails of incidents alone. */
MUST_USE enum err notice_count_undelivered(struct ctx *c, enum notice_kind kind,
                                           int64_t *waiting, int64_t *failed);
/* What is due by now; each once, whatever the clock does. */
MUST_USE enum err notice_publish_due(struct ctx *c, size_t *count);

/* ---- inside core ---- */

/* The rules of what a notice may say. */
MUST_USE enum err notice_check(struct ctx *c, const struct notice *n);
MUST_USE enum err notice_log(struct ctx *c, const char *action,
                             const struct notice *before,
                             const struct notice *n);
/* Those of the last 90 days, for row 17 of the trust page: how long before
 * it began planned work was announced, as that stood when it was said.  A
 * correction to an earlier beginning counts from its own moment; one that was
 * withdrawn after it had begun still counts. */
struct trust_list;
MUST_USE enum err notice_measure(struct ctx *c, struct trust_list *out);

#endif
