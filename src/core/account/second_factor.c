/* SPDX-License-Identifier: Apache-2.0 */
/* The app's secret is wrapped under a key of the tenant's and bound to its
 * owner; who reads the file without the key learns nothing, who moves the row
 * to another person gets nothing that opens. */
#include "core/account/second_factor.h"

#include "base/crypto.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/account/account_mail.h"
#include "core/account/totp.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

enum {
    SECOND_FACTOR_LIST,
    SECOND_FACTOR_KINDS,
    SECOND_FACTOR_OFFER,
    SECOND_FACTOR_DROP_OFFER,
    SECOND_FACTOR_TOTP_OF,
    SECOND_FACTOR_CONFIRM,
    SECOND_FACTOR_USE,
    SECOND_FACTOR_GET,
    SECOND_FACTOR_DELETE,
    SECOND_FACTOR_RESET,
    RECOVERY_RESET,
    SECOND_FACTOR_OWNERS
};
static const char *const second_factor_text[] = {
    [SECOND_FACTOR_LIST] =
        "SELECT id, user_id, kind, name, created_at, used_at FROM factor"
        " WHERE user_id = ?1 AND state = 1 ORDER BY kind, id LIMIT 20",
    [SECOND_FACTOR_KINDS] = "SELECT DISTINCT kind FROM factor"
                            " WHERE user_id = ?1 AND state = 1",
    [SECOND_FACTOR_OFFER] =
        "INSERT INTO factor (user_id, kind, name, state, secret,"
        " created_at) VALUES (?1, 0, '', 0, ?2, ?3)",
    [SECOND_FACTOR_DROP_OFFER] =
        "DELETE FROM factor WHERE user_id = ?1 AND kind = 0 AND state = 0",
    [SECOND_FACTOR_TOTP_OF] = "SELECT id, secret, counter FROM factor"
                              " WHERE user_id = ?1 AND kind = 0 AND state = ?2",
    [SECOND_FACTOR_CONFIRM] =
        "UPDATE factor SET state = 1, name = ?2, counter = ?3,"
        " created_at = ?4 WHERE id = ?1",
    [SECOND_FACTOR_USE] = "UPDATE factor SET counter = ?2, used_at = ?3"
                          " WHERE id = ?1 AND counter < ?2",
    [SECOND_FACTOR_GET] = "SELECT id, user_id, kind, name, created_at, used_at"
                          " FROM factor WHERE id = ?1 AND user_id = ?2",
    [SECOND_FACTOR_DELETE] = "DELETE FROM factor WHERE id = ?1",
    [SECOND_FACTOR_RESET] = "DELETE FROM factor WHERE user_id = ?1",
    [RECOVERY_RESET] = "DELETE FROM recovery WHERE user_id = ?1",
    [SECOND_FACTOR_OWNERS] =
        "SELECT f.user_id, u.name, u.email, sum(f.kind = 0), sum(f.kind = 1)"
        " FROM factor f INDEXED BY factor_user JOIN user u ON u.id = f.user_id"
        " WHERE f.user_id > ?1 AND f.state = 1 AND u.state < 3"
        " GROUP BY f.user_id ORDER BY f.user_id LIMIT ?2",
};
const struct query_set second_factor_queries = {"factor", second_factor_text,
                                                COUNT(second_factor_text)};
const char *const second_factor_kind_words[] = {"totp", "passkey", NULL};

static void read_factor(struct ctx *c, struct query *q,
                        struct second_factor *out)
{
    *out = (struct second_factor){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .kind = col_int(q, 2) ? SECOND_FACTOR_PASSKEY : SECOND_FACTOR_TOTP,
        .name = col_text(c, q, 3),
        .created_at = col_int(q, 4),
        .used_at = col_int(q, 5),
    };
}

enum err second_factor_list(struct ctx *c, int64_t user_id,
                            const struct second_factor **out, size_t *count)
{
    struct second_factor *list = arena_array(c->mem, struct second_factor, 20);
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, user_id);
    while (query_next(c, q, &e))
        read_factor(c, q, &list[(*count)++]);
    *out = list;
    return e;
}

enum err second_factor_find_allowed(struct ctx *c, const struct app *app,
                                    int64_t user_id, unsigned *out)
{
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    *out = 0;
    if (e)
        return e;
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_KINDS]);
    bind_int(q, 1, user_id);
    while (query_next(c, q, &e))
        *out |= col_int(q, 0) ? AUTH_POLICY_PASSKEY : AUTH_POLICY_TOTP;
    *out &= policy.factors;
    return e;
}

enum err second_factor_tell(struct ctx *c, const struct app *app,
                            const char *action, const struct second_factor *f,
                            const char *agent)
{
    bool added = strcmp(action, "add_factor") == 0;
    struct user_secret u;
    enum err e = user_get_secret(c, f->user_id, &u);

    if (e)
        return e;
    if ((e = account_mail_send_warning(c, app,
                                       added ? ACCOUNT_MAIL_FACTOR_ADDED
                                             : ACCOUNT_MAIL_FACTOR_REMOVED,
                                       &u, agent, f->name)))
        return e;
    const char *json = arena_printf(c->mem, "{\"kind\":\"%s\"}",
                                    second_factor_kind_words[f->kind]);
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "user",
                                                .object_id = u.id,
                                                .object_name = u.name,
                                                .before = added ? NULL : json,
                                                .after = added ? json : NULL});
}

/* ---- the authenticator app ---- */

static const char *wrap_context(struct ctx *c, int64_t user_id)
{
    return arena_printf(c->mem, "totp/%s/%lld", c->actor->tenant,
                        (long long)user_id);
}

struct totp_row {
    int64_t id, counter; /* id 0: there is none */
    uint8_t secret[CRYPTO_KEY_BYTES];
};

static enum err get_totp(struct ctx *c, struct tenant *t, int64_t user_id,
                         int state, struct totp_row *out)
{
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_TOTP_OF]);
    uint8_t key[32];
    size_t len;

    *out = (struct totp_row){0};
    bind_int(q, 1, user_id);
    bind_int(q, 2, state);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->id = col_int(q, 0);
    const void *wrapped = col_blob(c, q, 1, &len);
    out->counter = col_int(q, 2);
    query_done(q);
    if (len != CRYPTO_WRAPPED_BYTES)
        return ERR_INTERNAL;
    tenant_derive_key(t, "totp", key);
    e = crypto_unwrap(key, wrap_context(c, user_id), wrapped, out->secret);
    crypto_wipe(key, sizeof key);
    return e;
}

static enum err may_add(struct ctx *c, const struct app *app, unsigned kind)
{
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    if (e || (policy.factors & kind))
        return e;
    return ctx_fail(c, ERR_DENIED, "", "factor_off",
                    "このテナントでは使えない方法です",
                    "This tenant does not allow it");
}

enum err second_factor_offer_totp(struct ctx *c, const struct app *app,
                                  struct tenant *t,
                                  struct second_factor_offer *out)
{
    uint8_t key[32], secret[CRYPTO_KEY_BYTES], wrapped[CRYPTO_WRAPPED_BYTES];
    int64_t me = c->actor->user_id;
    struct totp_row used;
    struct user u;
    enum err e = may_add(c, app, AUTH_POLICY_TOTP);

    if (e || (e = user_get(c, me, &u)) || (e = get_totp(c, t, me, 1, &used)))
        return e;
    if (used.id)
        return ctx_fail(c, ERR_CONFLICT, "", "factor_exists",
                        "認証アプリは登録済みです。先に削除してください",
                        "There is an authenticator app already; remove it"
                        " first");
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_DROP_OFFER]);
    bind_int(q, 1, me);
    if ((e = query_run(c, q)))
        return e;
    crypto_random(secret, sizeof secret);
    tenant_derive_key(t, "totp", key);
    crypto_wrap(key, wrap_context(c, me), secret, wrapped);
    crypto_wipe(key, sizeof key);
    out->secret = totp_text(c->mem, secret);
    out->uri = totp_uri(c->mem, out->secret, u.email, c->actor->tenant);
    crypto_wipe(secret, sizeof secret);
    q = query(c, second_factor_text[SECOND_FACTOR_OFFER]);
    bind_int(q, 1, me);
    bind_blob(q, 2, wrapped, sizeof wrapped);
    bind_int(q, 3, c->now_us);
    return query_run(c, q);
}

enum err second_factor_confirm_totp(struct ctx *c, const struct app *app,
                                    struct tenant *t, const char *code,
                                    const char *name, const char *agent)
{
    struct second_factor f = {.user_id = c->actor->user_id,
                              .kind = SECOND_FACTOR_TOTP};
    struct totp_row row;
    enum err e = get_totp(c, t, f.user_id, 0, &row);

    if (e)
        return e;
    int64_t step = row.id ? totp_match(row.secret, c->now_us, row.counter,
                                       str_digits(c->mem, code))
                          : 0;
    crypto_wipe(row.secret, sizeof row.secret);
    if (!step)
        return ctx_fail(c, ERR_INVALID, "code", "factor_code",
                        "コードが違います。アプリの新しいコードを入力して"
                        "ください",
                        "The code is wrong; give the newest one of the app");
    f.name =
        name && *name ? name : ctx_text(c, "認証アプリ", "Authenticator app");
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_CONFIRM]);
    bind_int(q, 1, row.id);
    bind_text(q, 2, f.name);
    bind_int(q, 3, step);
    bind_int(q, 4, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    return second_factor_tell(c, app, "add_factor", &f, agent);
}

enum err second_factor_try_totp(struct ctx *c, struct tenant *t,
                                int64_t user_id, const char *code, bool *right)
{
    struct totp_row row;
    enum err e = get_totp(c, t, user_id, 1, &row);

    *right = false;
    if (e)
        return e;
    int64_t step = row.id ? totp_match(row.secret, c->now_us, row.counter,
                                       str_digits(c->mem, code))
                          : 0;
    crypto_wipe(row.secret, sizeof row.secret);
    if (!step)
        return OK;
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_USE]);
    bind_int(q, 1, row.id);
    bind_int(q, 2, step);
    bind_int(q, 3, c->now_us);
    e = query_run(c, q);
    *right = !e && db_changes(c) == 1;
    return e;
}

/* ---- leaving ---- */

enum err second_factor_delete(struct ctx *c, const struct app *app, int64_t id,
                              const char *agent)
{
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_GET]);
    struct second_factor f;

    bind_int(q, 1, id);
    bind_int(q, 2, c->actor->user_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? ctx_fail(c, e, "id", "not_found",
                                             "見つかりません", "Not found")
                                  : e;
    read_factor(c, q, &f);
    query_done(q);
    q = query(c, second_factor_text[SECOND_FACTOR_DELETE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)))
        return e;
    return second_factor_tell(c, app, "remove_factor", &f, agent);
}

static enum err run_for(struct ctx *c, int n, int64_t user_id)
{
    struct query *q = query(c, second_factor_text[n]);

    bind_int(q, 1, user_id);
    return query_run(c, q);
}

enum err second_factor_reset(struct ctx *c, const struct app *app,
                             int64_t user_id, const char *agent)
{
    const struct second_factor *list;
    struct user u;
    size_t count;
    enum err e = user_get(c, user_id, &u);

    if (e || (e = access_need_over(c, user_id)) ||
        (e = second_factor_list(c, user_id, &list, &count)))
        return e;
    if ((e = run_for(c, SECOND_FACTOR_RESET, user_id)) ||
        (e = run_for(c, RECOVERY_RESET, user_id)))
        return e;
    for (size_t i = 0; !e && i < count; i++)
        e = second_factor_tell(c, app, "remove_factor", &list[i], agent);
    return e;
}

enum err second_factor_list_owners(struct ctx *c, int64_t after_id, int limit,
                                   const struct second_factor_owner **out,
                                   size_t *count, bool *more)
{
    size_t max = (size_t)limit;
    struct second_factor_owner *list =
        arena_array(c->mem, struct second_factor_owner, max + 1);
    struct query *q = query(c, second_factor_text[SECOND_FACTOR_OWNERS]);
    enum err e;

    *count = 0;
    bind_int(q, 1, after_id);
    bind_int(q, 2, (int64_t)max + 1);
    while (query_next(c, q, &e))
        list[(*count)++] = (struct second_factor_owner){
            .user_id = col_int(q, 0),
            .name = col_text(c, q, 1),
            .email = col_text(c, q, 2),
            .totp = (int)col_int(q, 3),
            .passkeys = (int)col_int(q, 4),
        };
    *more = *count > max;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}
