/* SPDX-License-Identifier: Apache-2.0 */
/* Session or token: who a request comes from. */
#include "api/dispatch/visitor.h"

#include "api/dispatch/bearer.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/log.h"
#include "core/account/support_access.h"
#include "http/language.h"

enum { TOUCH_US = 60 * 1000000 };

bool visitor_lang(const struct request *r, enum lang *out)
{
    static const char *const words[] = {[LANG_JA] = "ja", [LANG_EN] = "en"};
    int chosen = language_choose(request_header(r, "Accept-Language"), words,
                                 COUNT(words));

    if (chosen >= 0)
        *out = (enum lang)chosen;
    return chosen >= 0;
}

static enum err find_token(struct ctx *c, struct call *k, struct visitor *v)
{
    enum err e = bearer_find(c, k->app, k->request, &v->token);

    if (e)
        return e;
    v->has_token = true;
    v->actor.user_id = v->token.user_id;
    v->actor.name = v->token.user_name;
    if (!visitor_lang(k->request, &v->actor.lang))
        v->actor.lang = v->token.user_lang;
    v->actor.is_admin = v->token.user_is_admin;
    v->actor.limit_token_id = v->token.is_limited ? v->token.id : 0;
    return OK;
}

enum err visitor_find(struct ctx *c, struct call *k, struct visitor *v)
{
    const char *token = request_cookie(k->request, k->place->cookie);

    if (bearer_header(k->request))
        return k->place->is_operator ? OK : find_token(c, k, v);
    if (!token)
        return OK;
    enum err e = session_find(c, token, &v->session);
    if (e)
        return e == ERR_AUTH ? OK : e;
    v->has_session = true;
    k->session = &v->session;
    v->actor.user_id = v->session.user_id;
    v->actor.session_id = v->session.id;
    v->actor.name = v->session.user_name;
    if (v->session.level == SESSION_FULL)
        v->actor.lang = v->session.user_lang;
    v->actor.is_admin = v->session.user_is_admin;
    v->actor.is_reader = v->session.support && !v->session.support->may_write;
    return OK;
}

enum err visitor_need_session(struct ctx *c, const struct visitor *v,
                              enum right right)
{
    bool half = right == RIGHT_HALF;

    if (!v->has_session)
        return ctx_fail(c, ERR_AUTH, "", "session", "サインインしてください",
                        "Please sign in");
    if (half)
        return OK;
    if (v->session.level == SESSION_HALF)
        return ctx_fail(c, ERR_AUTH, "", "code_required",
                        "確認コードを入力してください",
                        "The code sent by mail is still needed");
    if (v->session.is_locked)
        return ctx_fail(c, ERR_AUTH, "", "locked",
                        "しばらく操作がなかったためロックしました",
                        "Locked because nothing was done for a while");
    return OK;
}

static bool is_due(const struct ctx *c, const struct visitor *v)
{
    if (v->has_token)
        return c->now_us - v->token.used_at >= TOUCH_US;
    return v->has_session && v->session.level == SESSION_FULL &&
           !v->session.is_locked && c->now_us - v->session.seen_at >= TOUCH_US;
}

void visitor_touch(struct call *k, const struct visitor *v)
{
    struct ctx *c = k->c;

    if (!is_due(c, v) || tx_begin(c, k->tenant, TX_WRITE))
        return;
    if (tx_end(c, k->tenant,
               v->has_token ? token_touch(c, v->token.id)
                            : session_touch(c, v->session.id)))
        log_warn("session not touched request=%s", c->actor->request_id);
}
