/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-in, sessions and one's own account. */
#include "api/account/session_reply.h"
#include "api/dispatch/routes.h"
#include "api/dispatch/tenant_resolver.h"
#include "core/account/auth_policy.h"
#include "core/account/invite.h"
#include "core/account/password.h"
#include "core/account/reauthenticate.h"
#include "core/account/recovery.h"
#include "core/account/sign_factor.h"
#include "core/account/user.h"
#include "core/tenant/tenant_settings.h"

#include <string.h>

/* ---- forms ---- */

static const struct field sign_in_fields[] = {
    {TEXT("email", 1, 254, REQUIRED, "メールアドレス", "E-mail")},
    {SECRET("password", 1, 512, REQUIRED, "パスワード", "Password")},
};
static const struct form sign_in_form = {"SignIn", sign_in_fields,
                                         COUNT(sign_in_fields)};
static const struct field code_fields[] = {
    {TEXT("code", 1, 32, REQUIRED, "確認コード", "Code")},
};
static const struct form code_form = {"SignInCode", code_fields,
                                      COUNT(code_fields)};
static const struct form empty_form = {"Empty", NULL, 0};
static const struct field unlock_fields[] = {
    {SECRET("password", 1, 512, REQUIRED, "パスワード", "Password")},
};
static const struct form unlock_form = {"Unlock", unlock_fields,
                                        COUNT(unlock_fields)};
static const struct field token_fields[] = {
    {SECRET("token", 1, 128, REQUIRED, "リンク", "Link")},
};
static const struct form token_form = {"LinkToken", token_fields,
                                       COUNT(token_fields)};
static const struct field accept_fields[] = {
    {SECRET("token", 1, 128, REQUIRED, "リンク", "Link")},
    {SECRET("password", 1, 512, REQUIRED, "パスワード", "Password")},
};
static const struct form accept_form = {"LinkAccept", accept_fields,
                                        COUNT(accept_fields)};
static const struct field reset_fields[] = {
    {TEXT("email", 1, 254, REQUIRED, "メールアドレス", "E-mail")},
};
static const struct form reset_form = {"PasswordReset", reset_fields,
                                       COUNT(reset_fields)};
static const struct field me_fields[] = {
    {TEXT("name", 1, 100, OPTIONAL, "氏名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
};
static const struct form me_form = {"Me", me_fields, COUNT(me_fields)};
static const struct field change_fields[] = {
    {SECRET("current", 1, 512, REQUIRED, "現在のパスワード",
            "Current password")},
    {SECRET("password", 1, 512, REQUIRED, "新しいパスワード", "New password")},
};
static const struct form change_form = {"PasswordChange", change_fields,
                                        COUNT(change_fields)};

static enum err post_sign_in(struct call *k)
{
    struct sign_in_from from = session_from(k);
    struct sign_in s = {0};
    enum err e =
        sign_in_password(k->c, k->app, k->tenant, values_text(k->body, "email"),
                         values_text(k->body, "password"), &from, &s);

    if (e)
        return e;
    session_put_cookie(k, k->place->cookie, s.token, 0);
    session_put_step(k, &s);
    return OK;
}

static enum err post_code(struct call *k)
{
    struct sign_in_from from = session_from(k);
    struct sign_in s = {0};
    enum err e = sign_in_code(k->c, k->app, k->tenant, k->session->id,
                              values_text(k->body, "code"), &from, &s);

    return e ? e : session_reply_proof(k, &s);
}

static enum err post_new_password(struct call *k)
{
    struct sign_in_from from = session_from(k);
    struct sign_in s = {0};
    enum err e =
        sign_in_new_password(k->c, k->app, k->tenant, k->session->id,
                             values_text(k->body, "password"), &from, &s);

    return e ? e : session_reply_proof(k, &s);
}

static enum err post_totp(struct call *k)
{
    struct sign_in_from from = session_from(k);
    struct sign_in s = {0};
    enum err e = sign_in_totp(k->c, k->app, k->tenant, k->session->id,
                              values_text(k->body, "code"), &from, &s);

    return e ? e : session_reply_proof(k, &s);
}

static enum err post_recovery(struct call *k)
{
    struct sign_in_from from = session_from(k);
    struct sign_in s = {0};
    enum err e = recovery_sign_in(k->c, k->app, k->tenant, k->session->id,
                                  values_text(k->body, "code"), &from, &s);

    return e ? e : session_reply_proof(k, &s);
}

static enum err get_sign_in(struct call *k)
{
    struct sign_in s;
    enum err e = sign_in_get(k->c, k->app, k->session->id, &s);

    if (!e)
        session_put_step(k, &s);
    return e;
}

static enum err post_resend(struct call *k)
{
    struct sign_in s = {0};
    enum err e = sign_in_resend(k->c, k->app, k->tenant, k->session->id, &s);

    if (!e)
        session_put_step(k, &s);
    return e;
}

static enum err post_unlock(struct call *k)
{
    struct sign_in s = {0};

    if (k->session->level != SESSION_FULL)
        return ctx_fail(k->c, ERR_AUTH, "", "code_required",
                        "確認コードを入力してください",
                        "The code sent by mail is still needed");
    enum err e = reauthenticate_unlock(k->c, k->app, k->tenant, k->session->id,
                                       values_text(k->body, "password"), &s);

    if (e)
        return e;
    session_put_cookie(k, k->place->cookie, s.token, 0);
    return session_put_new(k, s.token);
}

static enum err post_fresh(struct call *k)
{
    struct sign_in s = {0};
    enum err e = reauthenticate_freshen(k->c, k->app, k->tenant, k->session->id,
                                        values_text(k->body, "password"), &s);

    if (e)
        return e;
    if (s.owed)
        session_put_step(k, &s);
    else
        session_put_cookie(k, k->place->cookie, s.token, 0);
    return OK;
}

static enum err post_fresh_code(struct call *k)
{
    struct sign_in s = {0};
    enum err e = reauthenticate_code(k->c, k->app, k->tenant, k->session->id,
                                     values_text(k->body, "code"), &s);

    if (!e)
        session_put_cookie(k, k->place->cookie, s.token, 0);
    return e;
}

static enum err get_session(struct call *k)
{
    return session_put(k, k->session);
}

static enum err delete_session(struct call *k)
{
    session_put_cookie(k, k->place->cookie, "", -1);
    reply_header(k->reply, "Clear-Site-Data", "\"cache\", \"storage\"");
    return session_delete(k->c, k->session->id);
}

static enum err post_check_link(struct call *k)
{
    struct invite i;
    enum err e = invite_find(k->c, k->app, values_text(k->body, "token"), &i);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "purpose",
              i.purpose == INVITE_FIRST ? "invitation" : "reset");
    json_text(&k->out, "email", i.user_email);
    json_text(&k->out, "name", i.user_name);
    json_text(&k->out, "tenant", k->c->actor->tenant);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_accept_link(struct call *k)
{
    const char *device;
    enum err e = invite_accept(
        k->c, k->app, k->tenant, values_text(k->body, "token"),
        values_text(k->body, "password"), session_from(k).agent, &device);

    if (!e)
        session_put_cookie(k, k->place->device_cookie, device, 90 * 86400);
    return e;
}

static enum err post_reset(struct call *k)
{
    k->reply->status = 202;
    return invite_reset(k->c, k->app, values_text(k->body, "email"),
                        session_from(k).device);
}

static enum err get_policy(struct call *k)
{
    struct auth_policy p;
    enum err e = auth_policy_get(k->c, k->app, &p);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "profile", auth_policy_profile_words[p.profile]);
    json_int(&k->out, "min", p.min);
    json_int(&k->out, "max", p.max);
    json_int(&k->out, "classes", p.classes);
    json_text(&k->out, "symbols", p.symbols ? p.symbols : "");
    json_int(&k->out, "expiry_days", p.days);
    json_int(&k->out, "history", AUTH_POLICY_HISTORY);
    json_close(&k->out, '}');
    return OK;
}

static enum err patch_me(struct call *k)
{
    struct session s = *k->session;
    struct user u;
    enum err e = user_update_self(k->c, k->body);

    if (e || (e = user_get(k->c, s.user_id, &u)))
        return e;
    s.user_name = u.name;
    s.user_lang = u.lang;
    return session_put(k, &s);
}

static enum err post_password(struct call *k)
{
    struct sign_in s = {0};
    enum err e = reauthenticate_change_password(
        k->c, k->app, k->tenant, values_text(k->body, "current"),
        values_text(k->body, "password"), session_from(k).agent, &s);

    if (!e)
        session_put_cookie(k, k->place->cookie,
                           arena_strdup(k->c->mem, s.token), 0);
    return e;
}

static enum err list_sessions(struct call *k)
{
    const struct session *list;
    size_t count;
    enum err e = session_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_moment(&k->out, "created_at", list[i].created_at);
        json_moment(&k->out, "seen_at", list[i].seen_at);
        json_text(&k->out, "ip", list[i].ip);
        json_text(&k->out, "agent", list[i].agent);
        json_bool(&k->out, "is_current", list[i].id == k->session->id);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err end_session(struct call *k)
{
    return session_end(k->c, call_id(k, 0));
}

static const struct route routes[] = {
    {POST("/sign-in", post_sign_in, RIGHT_ANYONE,
          "Give the password; a code is mailed", .form = &sign_in_form,
          .flags = ROUTE_NO_TX)},
    {POST("/sign-in/code", post_code, RIGHT_HALF, "Give the mailed code",
          .form = &code_form, .flags = ROUTE_NO_TX)},
    {GET("/sign-in", get_sign_in, RIGHT_HALF, "What this sign-in still owes")},
    {POST("/sign-in/new-password", post_new_password, RIGHT_HALF,
          "Replace a password that is too old, as the last step",
          .form = &unlock_form, .flags = ROUTE_NO_TX)},
    {POST("/sign-in/resend", post_resend, RIGHT_HALF, "Send a new code",
          .form = &empty_form, .flags = ROUTE_NO_TX)},
    {POST("/sign-in/totp", post_totp, RIGHT_HALF,
          "Give the code of the authenticator app", .form = &code_form,
          .flags = ROUTE_NO_TX)},
    {POST("/sign-in/recovery", post_recovery, RIGHT_HALF,
          "Give a recovery code (profile modern)", .form = &code_form,
          .flags = ROUTE_NO_TX)},
    {POST("/session/fresh/code", post_fresh_code, RIGHT_SIGNED_IN,
          "Give the code that the password alone did not do for",
          .form = &code_form, .flags = ROUTE_NO_TX | ROUTE_TERMS)},
    {POST("/session/unlock", post_unlock, RIGHT_HALF, "Resume an idle session",
          .form = &unlock_form, .flags = ROUTE_NO_TX)},
    {POST("/session/fresh", post_fresh, RIGHT_SIGNED_IN,
          "Give the password again before a sensitive step",
          .form = &unlock_form, .flags = ROUTE_NO_TX | ROUTE_TERMS)},
    {GET("/session", get_session, RIGHT_SIGNED_IN, "Who is signed in",
         .flags = ROUTE_QUIET | ROUTE_TERMS)},
    {DELETE("/session", delete_session, RIGHT_HALF, "Sign out")},
    {POST("/links/check", post_check_link, RIGHT_ANYONE,
          "What a mailed link is for", .form = &token_form,
          .flags = ROUTE_READ)},
    {POST("/links/accept", post_accept_link, RIGHT_ANYONE,
          "Set the password by a link", .form = &accept_form,
          .flags = ROUTE_NO_TX)},
    {POST("/password-reset", post_reset, RIGHT_ANYONE, "Ask for a reset link",
          .form = &reset_form)},
    {GET("/password-policy", get_policy, RIGHT_ANYONE,
         "The password policy in force")},
    {PATCH("/me", patch_me, RIGHT_SIGNED_IN,
           "Change one's own name and language", .form = &me_form)},
    {POST("/me/password", post_password, RIGHT_SIGNED_IN,
          "Change one's own password", .form = &change_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {GET("/me/sessions", list_sessions, RIGHT_SIGNED_IN, "One's own sessions",
         .flags = ROUTE_LIST)},
    {DELETE("/me/sessions/:id", end_session, RIGHT_SIGNED_IN,
            "End one of one's own sessions")},
};
const struct route_set session_routes = {routes, COUNT(routes),
                                         SET_EVERYWHERE | SET_OWN};
