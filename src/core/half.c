/* SPDX-License-Identifier: Apache-2.0 */
/* Each step up makes a new token in the same transaction that ends the old
 * one; the last one makes another session altogether. */
#include "core/half.h"

#include "base/str.h"
#include "core/core.h"
#include "core/factor.h"
#include "core/guard.h"
#include "core/letter.h"
#include "core/mail_code.h"
#include "core/operation.h"
#include "db/query.h"

#define US_PER_MINUTE INT64_C(60000000)

enum { HALF_GET, HALF_OWES, HALF_PROVED, HALF_MISS };
static const char *const half_text[] = {
    [HALF_GET] =
        "SELECT owed, user_id, tries, proved FROM session WHERE id = ?1"
        " AND level = 0",
    [HALF_OWES] = "UPDATE session SET owed = ?2 WHERE id = ?1",
    [HALF_PROVED] = "UPDATE session SET proved = ?2 WHERE id = ?1",
    [HALF_MISS] = "UPDATE session SET tries = tries - 1 WHERE id = ?1",
};
const struct query_set half_queries = {"half", half_text, COUNT(half_text)};

enum err half_owes(struct ctx *c, int64_t half_id, unsigned owed)
{
    struct query *q = query(c, half_text[HALF_OWES]);

    bind_int(q, 1, half_id);
    bind_int(q, 2, owed);
    return query_run(c, q);
}

static enum err note_proved(struct ctx *c, int64_t id, unsigned proved)
{
    struct query *q = query(c, half_text[HALF_PROVED]);

    bind_int(q, 1, id);
    bind_int(q, 2, proved);
    return query_run(c, q);
}

enum err half_get(struct ctx *c, int64_t id, struct half *out)
{
    struct query *q = query(c, half_text[HALF_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? mail_code_over(c) : e;
    out->id = id;
    out->owed = (unsigned)col_int(q, 0);
    out->tries = (int)col_int(q, 2);
    out->proved = (unsigned)col_int(q, 3);
    int64_t user_id = col_int(q, 1);
    query_done(q);
    return user_get_secret(c, user_id, &out->user);
}

enum err half_log(struct ctx *c, const struct user_secret *u,
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
                        const struct half *half,
                        const struct sign_in_from *from, struct sign_in *out)
{
    const struct user_secret *u = &half->user;
    bool is_known = guard_knows_mark(c, app, u->email, from->device);
    int64_t id;
    enum err e = session_delete(c, half->id);

    if (e)
        return e;
    out->expires_at = c->now_us + SESSION_HOURS * 60 * US_PER_MINUTE;
    if ((e = session_create(c, u->id, SESSION_FULL, from->agent, out->token,
                            &id)) ||
        (e = note_proved(c, id, half->proved)) ||
        (e = user_note_sign_in(c, u->id)) ||
        (e = guard_passed(c, app, u->id, is_known)))
        return e;
    if (!is_known && u->signed_in_at &&
        (e = letter_send_warning(c, app, LETTER_DEVICE, u, from->agent, "")))
        return e;
    return half_log(c, u, "sign_in", "session");
}

/* This much of what was owed has been paid. */
enum err half_advance(struct ctx *c, const struct app *app, struct half *half,
                      unsigned paid, const struct sign_in_from *from,
                      struct sign_in *out)
{
    half->proved |= paid & (OWES_CODE | OWES_FACTOR);
    if ((half->owed & OWES_EITHER) && (paid & (OWES_CODE | OWES_FACTOR)))
        paid |= OWES_CODE | OWES_FACTOR | OWES_EITHER;
    half->owed &= ~paid;
    out->owed = half->owed;
    out->email = half->user.email;
    out->device = guard_make_mark(c, app, half->user.email);
    if (!half->owed)
        return step_up(c, app, half, from, out);
    enum err e = factor_find_allowed(c, app, half->user.id, &out->factors);
    if (!e)
        e = half_owes(c, half->id, half->owed);
    if (!e)
        e = note_proved(c, half->id, half->proved);
    return e ? e : session_renew(c, half->id, out->token);
}

/* Five wrong ones end the sign-in; the caller commits. */
enum err half_miss(struct ctx *c, const struct half *half, enum err *answer)
{
    *answer = mail_code_wrong(c, half->tries - 1);
    if (half->tries <= 1)
        return session_delete(c, half->id);
    struct query *q = query(c, half_text[HALF_MISS]);
    bind_int(q, 1, half->id);
    return query_run(c, q);
}
