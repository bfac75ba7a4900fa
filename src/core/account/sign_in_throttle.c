/* SPDX-License-Identifier: Apache-2.0 */
/* Which counts a try falls into.  What counts against an account is kept by
 * throttle.c in the tenant's file, what counts against an address by rate_limiter.c
 * in memory.  The one hard idea: a try is counted before it is made, since
 * between the look and the answer lies a tenth of a second of argon2 in which
 * a hundred others could have looked too. */
#include "core/account/sign_in_throttle.h"

#include "base/crypto.h"
#include "base/secret.h"
#include "base/str.h"
#include "core/account/rate_limiter.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_DAY INT64_C(86400000000)

/* ---- the known device ---- */

static const char *mark_of_day(struct ctx *c, const struct app *app,
                               const char *email, int64_t day)
{
    uint8_t key[32], mac[32];
    const char *text =
        arena_printf(c->mem, "%s\n%s\n%lld", c->actor->tenant,
                     user_fold_email(c->mem, email), (long long)day);

    crypto_derive(app->code_key, "known device", key);
    crypto_hmac(key, text, strlen(text), mac);
    crypto_wipe(key, sizeof key);
    return arena_printf(c->mem, "%lld.%s", (long long)day,
                        str_to_base64url(c->mem, mac, sizeof(mac)));
}

const char *sign_in_throttle_make_mark(struct ctx *c, const struct app *app,
                                       const char *email)
{
    return mark_of_day(c, app, email, c->now_us / US_PER_DAY);
}

bool sign_in_throttle_knows_mark(struct ctx *c, const struct app *app,
                                 const char *email, const char *mark)
{
    const char *dot = mark ? strchr(mark, '.') : NULL;
    int64_t day, today = c->now_us / US_PER_DAY;

    if (!dot ||
        !str_parse_int(arena_strndup(c->mem, mark, (size_t)(dot - mark)), 0,
                       INT32_MAX, &day) ||
        day > today + 1 || today - day > SIGN_IN_THROTTLE_DEVICE_DAYS)
        return false;
    const char *right = mark_of_day(c, app, email, day);
    return strlen(mark) == strlen(right) &&
           crypto_equal(mark, right, strlen(right));
}

/* ---- which counts ---- */

struct sign_in_throttle sign_in_throttle_of(struct ctx *c,
                                            const struct app *app,
                                            const char *email, int64_t user_id,
                                            const char *mark)
{
    bool is_known = sign_in_throttle_knows_mark(c, app, email, mark);
    const char *folded = user_fold_email(c->mem, email);

    return (struct sign_in_throttle){
        .scope = is_known ? THROTTLE_DEVICE : THROTTLE_PASSWORD,
        .subject = user_id ? user_id : throttle_bucket(c, app, folded),
        .is_strange = !is_known,
    };
}

struct sign_in_throttle sign_in_throttle_of_step(struct ctx *c,
                                                 const struct app *app,
                                                 const struct user_secret *u,
                                                 const char *mark)
{
    return (struct sign_in_throttle){
        .scope = sign_in_throttle_knows_mark(c, app, u->email, mark)
                     ? THROTTLE_STEP_DEVICE
                     : THROTTLE_STEP,
        .subject = u->id,
    };
}

struct sign_in_throttle sign_in_throttle_of_session(enum throttle_scope scope,
                                                    int64_t user_id)
{
    return (struct sign_in_throttle){.scope = scope, .subject = user_id};
}

static struct rate_limiter_from from_of(const struct ctx *c)
{
    return (struct rate_limiter_from){c->actor->tenant, c->actor->ip};
}

/* ---- waiting and counting ---- */

enum err sign_in_throttle_throttled(struct ctx *c, int wait_s)
{
    enum err e =
        ctx_fail(c, ERR_LIMIT, "", "throttled",
                 "試行回数が多すぎます。%d秒後にもう一度お試しください",
                 "Too many tries. Try again in %d seconds", wait_s);

    ctx_fail_detail(c, arena_printf(c->mem, "\"retry_after\":%d", wait_s));
    return e;
}

static enum err stopped(struct ctx *c)
{
    return ctx_fail(c, ERR_LIMIT, "", "stopped",
                    "誤りが100回続いたため、受け付けを止めています。"
                    "「パスワードを忘れた場合」から新しいパスワードを"
                    "設定してください",
                    "Stopped after 100 wrong tries in a row. Set a new "
                    "password by \"Forgot your password?\"");
}

enum err sign_in_throttle_wait(struct ctx *c, const struct app *app,
                               const struct sign_in_throttle *g)
{
    const struct rate_limiter_from from = from_of(c);
    int wait = 0;
    enum err e = throttle_wait_s(c, g->scope, g->subject, &wait);
    int other = g->is_strange
                    ? rate_limiter_wait_s(app->limiter, LIMIT_SIGN_IN, &from)
                    : 0;

    if (e)
        return e;
    if (wait == THROTTLE_STOPPED)
        return stopped(c);
    if (other > wait)
        wait = other;
    return wait ? sign_in_throttle_throttled(c, wait) : OK;
}

enum err sign_in_throttle_take(struct ctx *c, const struct app *app,
                               struct sign_in_throttle *g)
{
    const struct rate_limiter_from from = from_of(c);
    enum err e = sign_in_throttle_wait(c, app, g);

    if (e || (e = throttle_count(c, g->scope, g->subject, &g->before)))
        return e;
    if (g->is_strange)
        rate_limiter_fail(app->limiter, LIMIT_SIGN_IN, &from);
    return OK;
}

enum err sign_in_throttle_return(struct ctx *c, const struct app *app,
                                 const struct sign_in_throttle *g)
{
    const struct rate_limiter_from from = from_of(c);

    if (g->is_strange)
        rate_limiter_unfail(app->limiter, LIMIT_SIGN_IN, &from);
    return throttle_uncount(c, g->scope, g->subject, &g->before);
}

/* The look comes first, so that who has to wait writes nothing. */
enum err sign_in_throttle_enter(struct ctx *c, const struct app *app,
                                struct tenant *t, struct sign_in_throttle *g)
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, sign_in_throttle_wait(c, app, g))) ||
        (e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, sign_in_throttle_take(c, app, g));
}

enum err sign_in_throttle_leave(struct ctx *c, const struct app *app,
                                struct tenant *t,
                                const struct sign_in_throttle *g)
{
    enum err e = tx_begin(c, t, TX_WRITE);

    return e ? e : tx_end(c, t, sign_in_throttle_return(c, app, g));
}

enum err sign_in_throttle_answer(struct ctx *c, const struct app *app,
                                 struct tenant *t,
                                 const struct sign_in_throttle *g,
                                 enum err answer)
{
    enum err e = answer == ERR_AUTH ? OK : sign_in_throttle_leave(c, app, t, g);

    return e && !answer ? e : answer;
}

static enum err forget(struct ctx *c, const enum throttle_scope *scopes,
                       size_t count, int64_t user_id)
{
    enum err e = OK;

    for (size_t i = 0; !e && i < count; i++)
        e = throttle_forget(c, scopes[i], user_id);
    return e;
}

enum err sign_in_throttle_passed(struct ctx *c, const struct app *app,
                                 int64_t user_id, bool is_known_device)
{
    static const enum throttle_scope of_device[] = {
        THROTTLE_DEVICE, THROTTLE_STEP_DEVICE, THROTTLE_SESSION,
        THROTTLE_PROOF};
    static const enum throttle_scope of_others[] = {
        THROTTLE_PASSWORD, THROTTLE_STEP, THROTTLE_SESSION, THROTTLE_PROOF};
    const struct rate_limiter_from from = from_of(c);

    rate_limiter_ease(app->limiter, LIMIT_SIGN_IN, &from);
    return is_known_device ? forget(c, of_device, COUNT(of_device), user_id)
                           : forget(c, of_others, COUNT(of_others), user_id);
}

enum err sign_in_throttle_clear(struct ctx *c, int64_t user_id)
{
    static const enum throttle_scope all[] = {
        THROTTLE_PASSWORD,    THROTTLE_DEVICE,  THROTTLE_STEP,
        THROTTLE_STEP_DEVICE, THROTTLE_SESSION, THROTTLE_PROOF};

    return forget(c, all, COUNT(all), user_id);
}

/* ---- links ---- */

enum err sign_in_throttle_link_wait(struct ctx *c, const struct app *app)
{
    const struct rate_limiter_from from = from_of(c);
    int wait = rate_limiter_wait_s(app->limiter, LIMIT_LINK, &from);

    return wait ? sign_in_throttle_throttled(c, wait) : OK;
}

void sign_in_throttle_link_wrong(struct ctx *c, const struct app *app)
{
    const struct rate_limiter_from from = from_of(c);

    rate_limiter_fail(app->limiter, LIMIT_LINK, &from);
}

/* ---- asking for a mail ---- */

/* The bucket is taken for known and unknown addresses alike: nothing is looked
 * up, so nothing can be measured. */
enum err sign_in_throttle_take_reset(struct ctx *c, const struct app *app,
                                     const char *email, const char *mark,
                                     bool *is_dropped)
{
    const struct rate_limiter_from from = from_of(c);
    bool is_known = sign_in_throttle_knows_mark(c, app, email, mark);
    const char *folded = user_fold_email(c->mem, email);
    int64_t bucket = throttle_bucket(
        c, app, is_known ? arena_join(c->mem, folded, "\n", "device") : folded);
    struct throttle_mark before;
    int wait = 0;
    enum err e;

    *is_dropped = false;
    if (!is_known &&
        (wait = rate_limiter_wait_s(app->limiter, LIMIT_MAIL, &from)) > 0)
        return sign_in_throttle_throttled(c, wait);
    if ((e = throttle_wait_s(c, THROTTLE_RESET, bucket, &wait)))
        return e;
    if (!is_known)
        rate_limiter_fail(app->limiter, LIMIT_MAIL, &from);
    *is_dropped = wait > 0;
    return *is_dropped ? OK
                       : throttle_count(c, THROTTLE_RESET, bucket, &before);
}

/* ---- the password ---- */

static enum err refuse(struct ctx *c)
{
    return ctx_fail(c, ERR_AUTH, "", "credentials",
                    "メールアドレスまたはパスワードが正しくありません",
                    "The e-mail address or the password is wrong");
}

enum err sign_in_throttle_check_password(struct ctx *c, const struct app *app,
                                         const struct user_secret *u,
                                         bool is_known, const char *password,
                                         const char **new_hash)
{
    bool right = false, old = false;
    bool usable = is_known && u->state == USER_ACTIVE && u->password;
    enum err e = secret_verify(app->pepper, password,
                               usable ? u->password : NULL, &right, &old);

    *new_hash = NULL;
    if (e == ERR_BUSY)
        return ctx_fail(c, ERR_BUSY, "", "busy",
                        "混み合っています。少し待ってからお試しください",
                        "The server is busy; try again in a moment");
    if (e)
        return e;
    if (!usable || !right)
        return refuse(c);
    return old ? secret_hash(c->mem, app->pepper, password, new_hash) : OK;
}
