/* SPDX-License-Identifier: Apache-2.0 */
/* The banner is seen by who is signed in; who comes seldom would learn of the
 * end only when it has come.  The row remembers which password was told of, so
 * a new one is told of again and the same one never. */
#include "core/account/expiry_mail.h"

#include "base/clock.h"
#include "core/account/account_mail.h"
#include "core/account/auth_policy.h"
#include "core/account/user.h"
#include "core/core.h"
#include "db/query.h"

#define US_PER_DAY INT64_C(86400000000)

enum { EXPIRY_NEXT, EXPIRY_TOLD };
static const char *const expiry_text[] = {
    [EXPIRY_NEXT] = "SELECT id FROM user WHERE id > ?1 AND state = 1"
                    " AND password_at > ?2 AND password_at <= ?3"
                    " AND expiry_told <> password_at ORDER BY id LIMIT 1",
    [EXPIRY_TOLD] = "UPDATE user SET expiry_told = password_at WHERE id = ?1",
};
const struct query_set expiry_mail_queries = {"expiry_mail", expiry_text,
                                              COUNT(expiry_text)};

static int days_before(const struct auth_policy *p)
{
    return p->days / 4 < EXPIRY_MAIL_DAYS ? p->days / 4 : EXPIRY_MAIL_DAYS;
}

static enum err next_person(struct ctx *c, const struct auth_policy *p,
                            int64_t after, struct user_secret *out)
{
    int64_t oldest = c->now_us - p->days * US_PER_DAY;
    struct query *q = query(c, expiry_text[EXPIRY_NEXT]);

    bind_int(q, 1, after);
    bind_int(q, 2, oldest);
    bind_int(q, 3, oldest + days_before(p) * US_PER_DAY);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t id = col_int(q, 0);
    query_done(q);
    return user_get_secret(c, id, out);
}

enum err expiry_mail_send(struct ctx *c, const struct app *app)
{
    struct user_secret u = {.id = 0};
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    if (e || policy.days == 0)
        return e;
    while (!(e = next_person(c, &policy, u.id, &u))) {
        struct query *q = query(c, expiry_text[EXPIRY_TOLD]);
        bind_int(q, 1, u.id);
        if ((e = query_run(c, q)) ||
            (e = account_mail_send_expiry(
                 c, app, &u,
                 clock_today(auth_policy_expires_at(&policy, u.password_at)))))
            return e;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
