/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db;
struct work_mail;

enum lang { LANG_JA, LANG_EN };
extern const char *const lang_words[]; /* "ja" "en", ends with NULL */

/* One refused value.  The message is in the reader's language; field names
 * the input (dotted for nested rows, "edits.3.start"), rule is a stable word
 * a program can test. */
struct failure {
    enum err err;
    const char *field, *rule, *message;
    const char *detail_json; /* extra members for the reply, or NULL */
    struct failure *next;
};

/* Who asks, from where.  user_id 0: nobody is signed in, or the system. */
struct actor {
    int64_t user_id, session_id;
    bool is_reader; /* of an administrator's rights only those of looking */
    int64_t limit_token_id; /* a token that reaches only its projects, or 0 */
    const char *name;
    const char *ip;         /* textual, IPv4-mapped folded */
    const char *request_id; /* 16 hex digits */
    const char *tenant;     /* tenant id */
    const char *base_url;   /* of links in mails: see core/tenant/link_base.h */
    enum lang lang;
    bool is_admin; /* master administrator of the tenant */
};

/* First parameter of every core and api function: the life of one request. */
struct ctx {
    struct arena *mem;
    struct db *db;             /* this tenant's connection, in a transaction */
    const struct actor *actor; /* never NULL */
    int64_t now_us;            /* the one moment of this request, UTC */
    struct failure *fail;      /* first wins; NULL while all is well */
    struct work_mail
        *work_mails; /* mails this change asks for (core/work/work_mail.h) */
};

/* Records why and returns e.  Both texts take the same arguments in the same
 * order; the one of the actor's language is formatted.  The first failure
 * decides the reply; later ones of ERR_INVALID are appended to its list. */
void ctx_record(struct ctx *c, enum err e, const char *field, const char *rule,
                const char *ja, const char *en, ...)
    __attribute__((format(printf, 5, 7), format(printf, 6, 7)));
/* The value is seen by compilers and analysers: it is e, never OK. */
#define ctx_fail(c, e, ...) (ctx_record((c), (e), __VA_ARGS__), (e))

/* ERR_STALE: the version named is not the current one. */
enum err ctx_stale(struct ctx *c);

/* Attaches extra JSON members ("\"path\":[…]") to the recorded failure. */
void ctx_fail_detail(struct ctx *c, const char *members_json);

/* ja or en, by the actor's language. */
const char *ctx_text(const struct ctx *c, const char *ja, const char *en);

#endif
