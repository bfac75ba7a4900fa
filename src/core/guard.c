/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets live in the limiter; here is only which of them a try falls into.
 * The order is the caller's: wait, then argon2 with nothing held. */
#include "core/guard.h"

#include "base/crypto.h"
#include "base/secret.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>

/* IPv4 whole, IPv6 by its first 64 bits as text. */
static const char *address_bucket(struct ctx *c)
{
    const char *ip = c->actor->ip, *p = ip;

    for (int colons = 0; *p; p++)
        if (*p == ':' && ++colons == 4)
            return arena_strndup(c->mem, ip, (size_t)(p - ip));
    return ip;
}

const char *guard_device_mark(struct ctx *c, const struct app *app,
                              const char *email)
{
    uint8_t key[32], mac[32];
    char *text = arena_printf(c->mem, "%s\n%s", c->actor->tenant, email);

    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    crypto_derive(app->code_key, "known device", key);
    crypto_hmac(key, text, strlen(text), mac);
    return str_to_base64url(c->mem, mac, sizeof(mac));
}

struct guard guard_of(struct ctx *c, const struct app *app, const char *email,
                      const char *mark)
{
    struct guard g = {
        .account = arena_printf(c->mem, "%s\n%s", c->actor->tenant,
                                str_fold(c->mem, email)),
        .address = address_bucket(c),
    };
    const char *right = guard_device_mark(c, app, email);

    if (mark && strlen(mark) == strlen(right) &&
        crypto_equal(mark, right, strlen(right)))
        g.device = arena_printf(c->mem, "%s\n%s", g.account, right);
    return g;
}

struct guard guard_of_step(struct ctx *c, const struct app *app,
                           const char *email, const char *mark)
{
    struct guard g = guard_of(c, app, email, mark);

    g.scope = LIMIT_STEP;
    g.address = NULL;
    if (g.device)
        g.device = arena_printf(c->mem, "%s\nstep", g.device);
    return g;
}

struct guard guard_of_session(struct ctx *c, const char *email)
{
    const char *account = arena_printf(c->mem, "%s\n%s", c->actor->tenant,
                                       str_fold(c->mem, email));

    return (struct guard){
        .account = account,
        .address = address_bucket(c),
        .device = arena_printf(c->mem, "%s\nsession", account),
    };
}

enum err guard_wait(struct ctx *c, const struct app *app, const struct guard *g)
{
    int wait = g->device ? limiter_wait_s(app->limiter, LIMIT_DEVICE, g->device)
                         : limiter_wait_s(app->limiter, g->scope, g->account);
    int other = g->device || !g->address
                    ? 0
                    : limiter_wait_s(app->limiter, LIMIT_ADDRESS, g->address);

    if (other > wait)
        wait = other;
    if (wait == 0)
        return OK;
    enum err e =
        ctx_fail(c, ERR_LIMIT, "", "throttled",
                 "試行回数が多すぎます。%d秒後にもう一度お試しください",
                 "Too many tries. Try again in %d seconds", wait);
    ctx_fail_detail(c, arena_printf(c->mem, "\"retry_after\":%d", wait));
    return e;
}

void guard_failed(const struct app *app, const struct guard *g)
{
    if (g->device) {
        limiter_fail(app->limiter, LIMIT_DEVICE, g->device);
        return;
    }
    limiter_fail(app->limiter, g->scope, g->account);
    if (g->address)
        limiter_fail(app->limiter, LIMIT_ADDRESS, g->address);
}

void guard_passed(const struct app *app, const struct guard *g)
{
    limiter_forget(app->limiter, g->scope, g->account);
    if (g->address)
        limiter_ease(app->limiter, LIMIT_ADDRESS, g->address);
    if (g->device)
        limiter_forget(app->limiter, LIMIT_DEVICE, g->device);
}

static enum err refuse(struct ctx *c)
{
    return ctx_fail(c, ERR_AUTH, "", "credentials",
                    "メールアドレスまたはパスワードが正しくありません",
                    "The e-mail address or the password is wrong");
}

enum err guard_check_password(struct ctx *c, const struct app *app,
                              const struct user_secret *u, bool is_known,
                              const char *password, const char **new_hash)
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
