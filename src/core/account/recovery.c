/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/recovery.h"

#include "base/crypto.h"
#include "base/str.h"
#include "core/account/auth_policy.h"
#include "core/account/email_code.h"
#include "core/account/pending_sign_in.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <ctype.h>
#include <string.h>

enum { RECOVERY_DROP, RECOVERY_PUT, RECOVERY_GET, RECOVERY_USE, RECOVERY_LEFT };
static const char *const recovery_text[] = {
    [RECOVERY_DROP] = "DELETE FROM recovery WHERE user_id = ?1",
    [RECOVERY_PUT] =
        "INSERT INTO recovery (user_id, no, hash) VALUES (?1, ?2, ?3)",
    [RECOVERY_GET] = "SELECT hash FROM recovery WHERE user_id = ?1 AND no = ?2"
                     " AND used_at IS NULL",
    [RECOVERY_USE] = "UPDATE recovery SET used_at = ?3 WHERE user_id = ?1"
                     " AND no = ?2 AND used_at IS NULL",
    [RECOVERY_LEFT] = "SELECT count(*) FROM recovery WHERE user_id = ?1"
                      " AND used_at IS NULL",
};
const struct query_set recovery_queries = {"recovery", recovery_text,
                                           COUNT(recovery_text)};

/* 31 letters that are not mistaken for each other: 10 of them are 49 bits. */
static const char letters[] = "23456789abcdefghjkmnpqrstuvwxyz";

static void make_code(int no, char out[RECOVERY_CHARS + 1])
{
    uint8_t byte;

    for (int i = 0; i < RECOVERY_CHARS; i++) {
        if (i == 0) {
            out[i] = (char)('0' + no);
        } else if (i == 1 || i == 7) {
            out[i] = '-';
        } else {
            do /* no letter may be likelier than another */
                crypto_random(&byte, 1);
            while (byte >= 31 * 8);
            out[i] = letters[byte % 31];
        }
    }
    out[RECOVERY_CHARS] = 0;
}

static enum err need_modern(struct ctx *c, const struct app *app)
{
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    if (e || policy.profile == AUTH_POLICY_MODERN)
        return e;
    return ctx_fail(c, ERR_DENIED, "", "recovery_off",
                    "このテナントでは復旧コードは使えません",
                    "This tenant has no recovery codes");
}

static enum err store(struct ctx *c, const char *const *hashes)
{
    struct query *q = query(c, recovery_text[RECOVERY_DROP]);

    bind_int(q, 1, c->actor->user_id);
    enum err e = query_run(c, q);
    for (int i = 0; !e && i < RECOVERY_CODES; i++) {
        q = query(c, recovery_text[RECOVERY_PUT]);
        bind_int(q, 1, c->actor->user_id);
        bind_int(q, 2, i + 1);
        bind_text(q, 3, hashes[i]);
        e = query_run(c, q);
    }
    if (e)
        return e;
    return operation_log(c, &(struct operation){.action = "make_recovery_codes",
                                                .kind = "user",
                                                .object_id = c->actor->user_id,
                                                .object_name = c->actor->name});
}

enum err recovery_make(struct ctx *c, const struct app *app, struct tenant *t,
                       char out[RECOVERY_CODES][RECOVERY_CHARS + 1])
{
    const char *hashes[RECOVERY_CODES];
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(c, t, need_modern(c, app))))
        return e;
    for (int i = 0; i < RECOVERY_CODES; i++) {
        make_code(i + 1, out[i]);
        if ((e = secret_hash(c->mem, app->pepper, out[i], &hashes[i])))
            return e;
    }
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store(c, hashes));
}

enum err recovery_count(struct ctx *c, int64_t user_id, int *left)
{
    struct query *q = query(c, recovery_text[RECOVERY_LEFT]);

    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *left = (int)col_int(q, 0);
    query_done(q);
    return OK;
}

/* As printed, whatever a person typed around the letters. */
static const char *tidy(struct ctx *c, const char *text)
{
    char *out = arena_alloc(c->mem, RECOVERY_CHARS + 1);
    size_t n = 0;

    for (text = str_fold(c->mem, text); *text && n < RECOVERY_CHARS; text++) {
        if (!isalnum((unsigned char)*text))
            continue;
        out[n++] = *text;
        if (n == 1 || n == 7)
            out[n++] = '-';
    }
    out[n] = 0;
    return out;
}

struct
try {
    struct pending_sign_in half;
    const char *hash; /* NULL: no such code */
    int no;
    struct sign_in_throttle guard;
};

static enum err look(struct ctx *c, const struct app *app, int64_t half_id,
                     const char *code, const char *device, struct try *out)
{
    enum err e = pending_sign_in_get(c, half_id, &out->half);

    if (e || (e = need_modern(c, app)))
        return e;
    if (!(out->half.owed & (OWES_CODE | OWES_FACTOR)))
        return email_code_over(c);
    out->guard = sign_in_throttle_of_step(c, app, &out->half.user, device);
    out->no = isdigit((unsigned char)*code) ? *code - '0' : 0;
    struct query *q = query(c, recovery_text[RECOVERY_GET]);
    bind_int(q, 1, out->half.user.id);
    bind_int(q, 2, out->no);
    e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->hash = col_text(c, q, 0);
    query_done(q);
    return OK;
}

static enum err spend(struct ctx *c, const struct app *app, bool right,
                      const struct try *t, const struct sign_in_from *from,
                      struct sign_in *out, enum err *answer)
{
    struct pending_sign_in half;
    enum err e = pending_sign_in_get(c, t->half.id, &half);

    if (e)
        return e;
    if (right) {
        struct query *q = query(c, recovery_text[RECOVERY_USE]);
        bind_int(q, 1, half.user.id);
        bind_int(q, 2, t->no);
        bind_int(q, 3, c->now_us);
        if ((e = query_run(c, q)))
            return e;
        right = db_changes(c) == 1;
    }
    if (!right)
        return pending_sign_in_miss(c, &half, answer);
    if ((e = sign_in_throttle_return(c, app, &t->guard)) ||
        (e = pending_sign_in_log(c, &half.user, "use_recovery_code", "user")))
        return e;
    return pending_sign_in_advance(c, app, &half, OWES_CODE | OWES_FACTOR, from,
                                   out);
}

enum err recovery_sign_in(struct ctx *c, const struct app *app,
                          struct tenant *t, int64_t half_session_id,
                          const char *code, const struct sign_in_from *from,
                          struct sign_in *out)
{
    struct try found = {.hash = NULL};
    bool right = false, old;
    enum err answer = OK;
    const char *text = tidy(c, code);
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(c, t,
                    look(c, app, half_session_id, text, from->device, &found))))
        return e;
    if ((e = sign_in_throttle_enter(c, app, t, &found.guard)))
        return e;
    if ((e = secret_verify(app->pepper, text, found.hash, &right, &old)))
        return sign_in_throttle_answer(c, app, t, &found.guard, e);
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = spend(c, app, found.hash && right, &found, from, out, &answer);
    e = tx_end(c, t, e);
    return e ? e : answer;
}
