/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ALERT_ALERT_H
#define CORE_ALERT_ALERT_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* Rules of a tenant by which chosen people are told by mail of what its logs
 * show.  What was told is decided by the numbers of the rows: nothing is lost
 * by a stop, nothing told twice.  Readers hold the log's right when the rule
 * is made, and when a mail goes. */
enum alert_source { ALERT_OPERATION, ALERT_SIGN_IN };
enum { ALERT_RULES_MAX = 50, ALERT_READERS_MAX = 20, ALERT_QUIET_MINUTES = 10 };

struct alert_reader {
    int64_t id;
    const char *name;
};
struct alert_rule {
    int64_t id, user_id, version, from_seq, seen_seq, mailed_at;
    const char *name, *kind, *action; /* kind, action NULL: any */
    const char *user_name;            /* NULL: anybody */
    enum alert_source source;
    int threshold; /* so many within an hour */
    bool is_on;
    const struct alert_reader *readers;
    size_t reader_count;
};
extern const char *const alert_source_words[];
extern const struct form alert_form;
extern const struct form alert_edit_form; /* a source stays what it is */

/* Inside the caller's transaction on the tenant's file.  last_entry: the last
 * row of the access log, where a rule of ALERT_SIGN_IN begins. */
MUST_USE enum err alert_list(struct ctx *c, const struct alert_rule **out,
                             size_t *count);
MUST_USE enum err alert_get(struct ctx *c, int64_t id, struct alert_rule *out);
MUST_USE enum err alert_create(struct ctx *c, const struct values *v,
                               int64_t last_entry, struct alert_rule *out);
MUST_USE enum err alert_update(struct ctx *c, int64_t id, int64_t version,
                               const struct values *v, int64_t last_entry,
                               struct alert_rule *out);
MUST_USE enum err alert_delete(struct ctx *c, int64_t id, int64_t version);
MUST_USE enum err alert_has_rules(struct ctx *c, bool *out); /* that are on */
/* For the round: the row was looked at up to there.  *won false: somebody
 * changed the rule meanwhile, look again. */
MUST_USE enum err alert_set_seen(struct ctx *c, const struct alert_rule *rule,
                                 int64_t from_seq, int64_t seen_seq,
                                 bool is_told, bool *won);
/* Whether the person may read the log: ERR_DENIED, ERR_NOT_FOUND. */
MUST_USE enum err alert_check_reader(struct ctx *c, int64_t user_id);

/* Row 23 of the trust page. */
struct trust_list;
MUST_USE enum err alert_measure(struct ctx *c, struct trust_list *out);

/* ---- the round; all below opens its own transactions ---- */

MUST_USE enum err alert_last_entry(struct ctx *c, const struct app *app,
                                   struct tenant *t, int64_t *out);
/* Looks at what is new in one tenant's logs and mails; c speaks for it. */
MUST_USE enum err alert_look(struct ctx *c, const struct app *app,
                             struct tenant *t);
/* After a change of rules: whether the round looks at this tenant. */
MUST_USE enum err alert_watch(struct ctx *c, const struct app *app,
                              const char *tenant, bool on);
/* For the daily round: the same by what the tenant's file says. */
MUST_USE enum err alert_settle(struct ctx *c, const struct app *app,
                               const char *tenant);
/* Tenants to look at now: those with rules whose file is open, and the others
 * every ALERT_WATCH_MINUTES (is_due: to be written down afterwards). */
enum { ALERT_WATCH_MINUTES = 15 };
struct alert_watched {
    const char *tenant;
    bool is_due;
};
size_t alert_list_watched(struct store *s, struct arena *mem, int64_t now_us,
                          const struct alert_watched **out);
MUST_USE enum err alert_set_looked(struct ctx *c, const struct app *app,
                                   const char *tenant);

#endif
