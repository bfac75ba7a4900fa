/* SPDX-License-Identifier: Apache-2.0 */
#include "api/account/session_reply.h"

#include "api/account/support_access_reply.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/civil.h"
#include "core/access/access.h"
#include "core/account/auth_policy.h"
#include "core/account/user.h"
#include "core/document/consent.h"
#include "core/tenant/tenant_settings.h"

#include <string.h>

void session_put_cookie(struct call *k, const char *name, const char *value,
                        int max_age_s)
{
    reply_cookie(k->reply, &(struct cookie){.name = name,
                                            .value = value,
                                            .path = k->place->cookie_path,
                                            .max_age_s = max_age_s,
                                            .is_secure = k->request->is_tls});
}

struct sign_in_from session_from(struct call *k)
{
    const char *agent = request_header(k->request, "User-Agent");

    return (struct sign_in_from){
        .agent = agent ? agent : "",
        .device = request_cookie(k->request, k->place->device_cookie),
        .session_id = k->session ? k->session->id : 0,
    };
}

/* "m***@example.jp" */
static const char *hint(struct call *k, const char *email)
{
    const char *at = strchr(email, '@');

    return arena_printf(k->c->mem, "%.1s***%s", email, at ? at : "");
}

static const char *step_word(unsigned owed)
{
    if (owed & OWES_EITHER)
        return "factor";
    return owed & OWES_CODE     ? "code"
           : owed & OWES_FACTOR ? "factor"
                                : "password";
}

void session_put_step(struct call *k, const struct sign_in *s)
{
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "step", step_word(s->owed));
    json_bool(&k->out, "totp", s->factors & AUTH_POLICY_TOTP);
    json_bool(&k->out, "passkey", s->factors & AUTH_POLICY_PASSKEY);
    json_bool(&k->out, "is_choice", s->owed & OWES_EITHER);
    json_moment(&k->out, "expires_at", s->expires_at);
    json_int(&k->out, "sends_left", s->sends_left);
    json_text(&k->out, "email_hint", hint(k, s->email));
    json_close(&k->out, '}');
}

/* What the session's owner may do everywhere.  A session just made has no
 * actor yet. */
static enum err own_rights(struct call *k, const struct session *s,
                           unsigned *rights)
{
    struct actor actor = *k->c->actor;
    struct ctx whose = *k->c;

    actor.user_id = s->user_id;
    actor.is_admin = s->user_is_admin;
    whose.actor = &actor;
    return access_tenant(&whose, rights);
}

/* How the contract ends, if it does. */
static void put_ending(struct call *k)
{
    const struct tenant_status *s = &k->standing;

    if (s->end_on == DAY_NONE) {
        json_null(&k->out, "ending");
        return;
    }
    json_open(&k->out, "ending", '{');
    json_day(&k->out, "end_on", s->end_on);
    json_day(&k->out, "delete_on", s->delete_on);
    json_bool(&k->out, "is_closed", tenant_status_is_closed(s, k->c->now_us));
    json_close(&k->out, '}');
}

/* What the page has to tell, and to ask for, before anything else. */
static enum err put_of_tenant(struct call *k, const struct session *s)
{
    struct actor actor = *k->c->actor;
    struct ctx whose = *k->c;
    struct consent_state state = {0};
    enum err e;

    actor.user_id = s->user_id;
    whose.actor = &actor;
    if (!s->support && (e = consent_find(&whose, k->terms.owed, &state)))
        return e;
    json_bool(&k->out, "terms_owed", state.is_whole_owed || state.is_own_owed);
    put_ending(k);
    return support_access_put_open(k, "support");
}

enum err session_put(struct call *k, const struct session *s)
{
    struct auth_policy policy;
    struct tenant_settings t;
    unsigned rights;
    enum err e = tenant_settings_get(k->c, &t);

    if (e || (e = auth_policy_get(k->c, k->app, &policy)) ||
        (e = own_rights(k, s, &rights)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "user", '{');
    json_id(&k->out, "id", s->user_id);
    json_text(&k->out, "name", s->user_name);
    json_text(&k->out, "email", s->user_email);
    json_text(&k->out, "lang", lang_words[s->user_lang]);
    json_bool(&k->out, "is_admin", s->user_is_admin);
    access_put_rights(&k->out, "rights", rights);
    json_close(&k->out, '}');
    json_open(&k->out, "tenant", '{');
    json_text(&k->out, "id", k->c->actor->tenant);
    json_text(&k->out, "name", t.name);
    json_close(&k->out, '}');
    json_moment(&k->out, "expires_at", s->expires_at);
    json_int(&k->out, "idle_minutes", SESSION_IDLE_MINUTES);
    json_moment(&k->out, "password_expires_at",
                auth_policy_expires_at(&policy, s->password_at));
    json_bool(&k->out, "password_expired",
              auth_policy_is_expired(&policy, s->password_at, k->c->now_us));
    json_bool(&k->out, "is_demo", k->app->is_demo);
    json_bool(&k->out, "is_support", s->support != NULL);
    if (!k->place->is_operator)
        e = put_of_tenant(k, s);
    json_close(&k->out, '}');
    return e;
}

/* The session behind a new token, as its owner sees it. */
enum err session_put_new(struct call *k, const char *token)
{
    struct session s;
    enum err e = tx_begin(k->c, k->tenant, TX_READ);

    if (e)
        return e;
    if (!(e = session_find(k->c, token, &s)))
        e = session_put(k, &s);
    return tx_end(k->c, k->tenant, e);
}

/* The reply to a proof: the next step, or the session. */
enum err session_reply_proof(struct call *k, const struct sign_in *s)
{
    session_put_cookie(k, k->place->cookie, s->token, 0);
    if (s->owed) {
        session_put_step(k, s);
        return OK;
    }
    session_put_cookie(k, k->place->device_cookie, s->device, 90 * 86400);
    return session_put_new(k, s->token);
}
