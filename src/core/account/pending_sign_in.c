/* SPDX-License-Identifier: Apache-2.0 */
/* Each step up makes a new token in the same transaction that ends the old
 * one; the last one makes another session altogether. */
#include "core/account/pending_sign_in.h"

#include "base/str.h"
#include "core/account/account_mail.h"
#include "core/account/email_code.h"
#include "core/account/second_factor.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define US_PER_MINUTE INT64_C(60000000)

enum {
    PENDING_SIGN_IN_GET,
    PENDING_SIGN_IN_OWES,
    PENDING_SIGN_IN_PROVED,
    PENDING_SIGN_IN_MISS
};
static const char *const pending_sign_in_text[] = {
    [PENDING_SIGN_IN_GET] =
        "SELECT owed, user_id, tries, proved FROM session WHERE id = ?1"
        " AND level = 0",
    [PENDING_SIGN_IN_OWES] = "UPDATE session SET owed = ?2 WHERE id = ?1",
    [PENDING_SIGN_IN_PROVED] = "UPDATE session SET proved = ?2 WHERE id = ?1",
    [PENDING_SIGN_IN_MISS] =
        "UPDATE session SET tries = tries - 1 WHERE id = ?1",
};
const struct query_set pending_sign_in_queries = {"half", pending_sign_in_text,
                                                  COUNT(pending_sign_in_text)};

enum err pending_sign_in_owes(struct ctx *c, int64_t half_id, unsigned owed)
{
    struct query *q = query(c, pending_sign_in_text[PENDING_SIGN_IN_OWES]);

    bind_int(q, 1, half_id);
    bind_int(q, 2, owed);
    return query_run(c, q);
}

static enum err note_proved(struct ctx *c, int64_t id, unsigned proved)
{
    struct query *q = query(c, pending_sign_in_text[PENDING_SIGN_IN_PROVED]);

    bind_int(q, 1, id);
    bind_int(q, 2, proved);
    return query_run(c, q);
}

enum err pending_sign_in_get(struct ctx *c, int64_t id,
                             struct pending_sign_in *out)
{
    struct query *q = query(c, pending_sign_in_text[PENDING_SIGN_IN_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? email_code_over(c) : e;
    out->id = id;
    out->owed = (unsigned)col_int(q, 0);
    out->tries = (int)col_int(q, 2);
    out->proved = (unsigned)col_int(q, 3);
    int64_t user_id = col_int(q, 1);
    query_done(q);
    return user_get_secret(c, user_id, &out->user);
}

enum err pending_sign_in_log(struct ctx *c, const struct user_secret *u,
                             const char *action, const char *kind)
{
    struct actor who = *c->actor;
    struct ctx as_user = *c;

    who.user_id = u->id;
    who.name = u->name;
    as_user.actor = &who;
    return operation_log(&as_user, &(struct operation){.action = action,
                                                       .kind = kind,
                                                       .object_id = u->id,
                                                       .object_name = u->name});
}

/* Nothing is owed any more: a full session takes the place of the half one.
 * The first sign-in of all is no news to anybody. */
static enum err step_up(struct ctx *c, const struct app *app,
                        const struct pending_sign_in *half,
                        const struct sign_in_from *from, struct sign_in *out)
{
    const struct user_secret *u = &half->user;
    bool is_known = sign_in_throttle_knows_mark(c, app, u->email, from->device);
    int64_t id;
    enum err e = session_delete(c, half->id);

    if (e)
        return e;
    out->expires_at = c->now_us + SESSION_HOURS * 60 * US_PER_MINUTE;
    if ((e = session_create(c, u->id, SESSION_FULL, from->agent, out->token,
                            &id)) ||
        (e = note_proved(c, id, half->proved)) ||
        (e = user_note_sign_in(c, u->id)) ||
        (e = sign_in_throttle_passed(c, app, u->id, is_known)))
        return e;
    if (!is_known && u->signed_in_at &&
        (e = account_mail_send_warning(c, app, ACCOUNT_MAIL_DEVICE, u,
                                       from->agent, "")))
        return e;
    return pending_sign_in_log(c, u, "sign_in", "session");
}

/* This much of what was owed has been paid. */
enum err pending_sign_in_advance(struct ctx *c, const struct app *app,
                                 struct pending_sign_in *half, unsigned paid,
                                 const struct sign_in_from *from,
                                 struct sign_in *out)
{
    half->proved |= paid & (OWES_CODE | OWES_FACTOR);
    if ((half->owed & OWES_EITHER) && (paid & (OWES_CODE | OWES_FACTOR)))
        paid |= OWES_CODE | OWES_FACTOR | OWES_EITHER;
    half->owed &= ~paid;
    out->owed = half->owed;
    out->email = half->user.email;
    out->device = sign_in_throttle_make_mark(c, app, half->user.email);
    if (!half->owed)
        return step_up(c, app, half, from, out);
    enum err e =
        second_factor_find_allowed(c, app, half->user.id, &out->factors);
    if (!e)
        e = pending_sign_in_owes(c, half->id, half->owed);
    if (!e)
        e = note_proved(c, half->id, half->proved);
    return e ? e : session_renew(c, half->id, out->token);
}

/* Five wrong ones end the sign-in; the caller commits. */
enum err pending_sign_in_miss(struct ctx *c, const struct pending_sign_in *half,
                              enum err *answer)
{
    *answer = email_code_wrong(c, half->tries - 1);
    if (half->tries <= 1)
        return session_delete(c, half->id);
    struct query *q = query(c, pending_sign_in_text[PENDING_SIGN_IN_MISS]);
    bind_int(q, 1, half->id);
    return query_run(c, q);
}
