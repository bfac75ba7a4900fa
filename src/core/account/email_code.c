/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/email_code.h"

#include "base/crypto.h"
#include "base/secret.h"
#include "base/str.h"
#include "core/account/account_mail.h"
#include "core/core.h"
#include "db/query.h"

#include <string.h>

#define US_PER_MINUTE INT64_C(60000000)

enum { CODE_PUT, CODE_GET, CODE_MISS, CODE_RESEND, CODE_DROP };
static const char *const email_code_text[] = {
    [CODE_PUT] = "INSERT OR REPLACE INTO code (session_id, mac, expires_at,"
                 " tries, sends) VALUES (?1, ?2, ?3, ?4, ?5)",
    [CODE_GET] = "SELECT mac, expires_at, tries, sends FROM code"
                 " WHERE session_id = ?1",
    [CODE_MISS] = "UPDATE code SET tries = tries - 1 WHERE session_id = ?1",
    [CODE_RESEND] = "UPDATE code SET mac = ?2, expires_at = ?3,"
                    " sends = sends - 1 WHERE session_id = ?1",
    [CODE_DROP] = "DELETE FROM code WHERE session_id = ?1",
};
const struct query_set email_code_queries = {"mail_code", email_code_text,
                                             COUNT(email_code_text)};

static void make_mac(struct ctx *c, const struct app *app, int64_t session_id,
                     const char *code, uint8_t mac[32])
{
    const char *text = arena_printf(c->mem, "%s\n%lld\n%s", c->actor->tenant,
                                    (long long)session_id, code);

    crypto_hmac(app->code_key, text, strlen(text), mac);
}

static enum err write_and_mail(struct ctx *c, const struct app *app,
                               const char *statement, int64_t session_id,
                               const struct user_secret *u,
                               struct email_code *code)
{
    char text[9];
    struct query *q = query(c, statement);

    secret_make_code(text);
    make_mac(c, app, session_id, text, code->mac);
    code->expires_at = c->now_us + EMAIL_CODE_MINUTES * US_PER_MINUTE;
    bind_int(q, 1, session_id);
    bind_blob(q, 2, code->mac, sizeof(code->mac));
    bind_int(q, 3, code->expires_at);
    if (statement == email_code_text[CODE_PUT]) {
        bind_int(q, 4, code->tries);
        bind_int(q, 5, code->sends);
    }
    enum err e = query_run(c, q);
    if (!e)
        e = account_mail_send_code(c, app, u, text, EMAIL_CODE_MINUTES);
    crypto_wipe(text, sizeof(text));
    return e;
}

enum err email_code_send(struct ctx *c, const struct app *app,
                         int64_t session_id, const struct user_secret *u,
                         struct email_code *out)
{
    *out = (struct email_code){.tries = EMAIL_CODE_TRIES,
                               .sends = EMAIL_CODE_SENDS};
    return write_and_mail(c, app, email_code_text[CODE_PUT], session_id, u,
                          out);
}

enum err email_code_get(struct ctx *c, int64_t session_id,
                        struct email_code *out)
{
    struct query *q = query(c, email_code_text[CODE_GET]);
    size_t len;

    bind_int(q, 1, session_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    const void *mac = col_blob(c, q, 0, &len);
    must(len == sizeof(out->mac));
    memcpy(out->mac, mac, len);
    out->expires_at = col_int(q, 1);
    out->tries = col_int(q, 2);
    out->sends = col_int(q, 3);
    query_done(q);
    return OK;
}

enum err email_code_resend(struct ctx *c, const struct app *app,
                           int64_t session_id, const struct user_secret *u,
                           struct email_code *out)
{
    enum err e = email_code_get(c, session_id, out);

    if (e == ERR_NOT_FOUND)
        return email_code_send(c, app, session_id, u, out);
    if (e)
        return e;
    if (out->sends <= 0)
        return ctx_fail(
            c, ERR_LIMIT, "", "sends",
            "再送の回数を超えました。もう一度サインインしてください",
            "No more codes can be sent; sign in again");
    out->sends--;
    return write_and_mail(c, app, email_code_text[CODE_RESEND], session_id, u,
                          out);
}

enum err email_code_over(struct ctx *c)
{
    return ctx_fail(
        c, ERR_AUTH, "code", "code_expired",
        "確認コードは無効になりました。もう一度サインインしてください",
        "The code is no longer valid; sign in again");
}

enum err email_code_wrong(struct ctx *c, int64_t tries_left)
{
    if (tries_left <= 0)
        return email_code_over(c);
    enum err e = ctx_fail(c, ERR_AUTH, "code", "code",
                          "確認コードが違います。あと%d回入力できます",
                          "The code is wrong; %d tries left", (int)tries_left);
    ctx_fail_detail(c,
                    arena_printf(c->mem, "\"tries_left\":%d", (int)tries_left));
    return e;
}

static enum err run_on(struct ctx *c, int n, int64_t session_id)
{
    struct query *q = query(c, email_code_text[n]);

    bind_int(q, 1, session_id);
    return query_run(c, q);
}

enum err email_code_try(struct ctx *c, const struct app *app,
                        int64_t session_id, const char *text, enum err *answer)
{
    struct email_code code;
    uint8_t mac[32];
    enum err e = email_code_get(c, session_id, &code);

    if (e)
        return e == ERR_NOT_FOUND ? email_code_over(c) : e;
    if (c->now_us >= code.expires_at || code.tries <= 0)
        return email_code_over(c);
    make_mac(c, app, session_id, str_digits(c->mem, text), mac);
    if (crypto_equal(mac, code.mac, sizeof(mac)))
        return run_on(c, CODE_DROP, session_id);
    *answer = email_code_wrong(c, code.tries - 1);
    return run_on(c, CODE_MISS, session_id);
}
