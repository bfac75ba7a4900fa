/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/passkey.h"

#include "base/crypto.h"
#include "core/core.h"
#include "db/query.h"

#include <string.h>

enum {
    CHALLENGE_PUT,
    CHALLENGE_GET,
    CHALLENGE_DROP,
    PASSKEY_IDS,
    PASSKEY_ADD,
    PASSKEY_GET,
    PASSKEY_USE
};
static const char *const passkey_text[] = {
    [CHALLENGE_PUT] = "UPDATE session SET challenge = ?2 WHERE id = ?1",
    [CHALLENGE_GET] = "SELECT challenge FROM session WHERE id = ?1"
                      " AND challenge IS NOT NULL",
    [CHALLENGE_DROP] = "UPDATE session SET challenge = NULL WHERE id = ?1",
    [PASSKEY_IDS] = "SELECT credential FROM factor WHERE user_id = ?1"
                    " AND kind = 1 ORDER BY id LIMIT 10",
    [PASSKEY_ADD] =
        "INSERT INTO factor (user_id, kind, name, state, credential,"
        " public_key, counter, created_at) VALUES (?1, 1, ?2, 1, ?3, ?4, ?5,"
        " ?6)",
    [PASSKEY_GET] = "SELECT id, public_key, counter FROM factor"
                    " WHERE credential = ?1 AND user_id = ?2",
    [PASSKEY_USE] =
        "UPDATE factor SET counter = ?2, used_at = ?3 WHERE id = ?1",
};
const struct query_set passkey_queries = {"passkey", passkey_text,
                                          COUNT(passkey_text)};

enum err passkey_ask(struct ctx *c, int64_t session_id, int64_t user_id,
                     struct passkey_question *out)
{
    struct query *q = query(c, passkey_text[PASSKEY_IDS]);
    enum err e;

    *out = (struct passkey_question){0};
    bind_int(q, 1, user_id);
    while (query_next(c, q, &e)) {
        struct webauthn_bytes *id = &out->ids[out->count++];
        id->data = col_blob(c, q, 0, &id->len);
    }
    if (e)
        return e;
    crypto_random(out->challenge, sizeof out->challenge);
    q = query(c, passkey_text[CHALLENGE_PUT]);
    bind_int(q, 1, session_id);
    bind_blob(q, 2, out->challenge, sizeof out->challenge);
    return query_run(c, q);
}

enum err passkey_offer(struct ctx *c, const struct app *app,
                       struct passkey_question *out)
{
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    if (e)
        return e;
    if (!(policy.factors & AUTH_POLICY_PASSKEY))
        return ctx_fail(c, ERR_DENIED, "", "factor_off",
                        "このテナントでは使えない方法です",
                        "This tenant does not allow it");
    e = passkey_ask(c, c->actor->session_id, c->actor->user_id, out);
    if (!e && out->count == SECOND_FACTOR_PASSKEYS_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "factor_count",
                        "パスキーは%d個まで登録できます",
                        "There can be no more than %d passkeys",
                        SECOND_FACTOR_PASSKEYS_MAX);
    return e;
}

/* *has false: nothing was asked, or it was answered already. */
static enum err take_challenge(struct ctx *c, int64_t session_id,
                               uint8_t out[WEBAUTHN_CHALLENGE_BYTES], bool *has)
{
    struct query *q = query(c, passkey_text[CHALLENGE_GET]);
    size_t len;

    *has = false;
    bind_int(q, 1, session_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    const void *data = col_blob(c, q, 0, &len);
    must(len == WEBAUTHN_CHALLENGE_BYTES);
    memcpy(out, data, len);
    query_done(q);
    *has = true;
    q = query(c, passkey_text[CHALLENGE_DROP]);
    bind_int(q, 1, session_id);
    return query_run(c, q);
}

/* ---- a new one ---- */

static enum err no_passkey(struct ctx *c)
{
    return ctx_fail(c, ERR_INVALID, "", "passkey",
                    "パスキーを登録できませんでした。もう一度お試しください",
                    "The passkey could not be added; try again");
}

static bool is_sound(struct ctx *c, const struct webauthn_site *site,
                     const uint8_t challenge[32],
                     const struct passkey_new *new_one,
                     struct webauthn_data *out)
{
    struct webauthn_bytes data;
    struct webauthn_key key;

    return webauthn_is_client_data(c->mem, new_one->client_data,
                                   "webauthn.create", challenge,
                                   site->origin) &&
           webauthn_parse_attestation(new_one->attestation, &data) &&
           webauthn_parse_data(data, out) && out->id.len > 0 &&
           webauthn_is_for_site(out, site->rp_id) &&
           webauthn_parse_key(out->key, &key);
}

static enum err store(struct ctx *c, const struct app *app,
                      const struct webauthn_data *d, const char *name,
                      const char *agent)
{
    struct second_factor f = {
        .user_id = c->actor->user_id,
        .kind = SECOND_FACTOR_PASSKEY,
        .name = name && *name ? name : ctx_text(c, "パスキー", "Passkey")};
    struct query *q = query(c, passkey_text[PASSKEY_ADD]);

    bind_int(q, 1, f.user_id);
    bind_text(q, 2, f.name);
    bind_blob(q, 3, d->id.data, d->id.len);
    bind_blob(q, 4, d->key.data, d->key.len);
    bind_int(q, 5, d->counter);
    bind_int(q, 6, c->now_us);
    enum err e = query_run(c, q);
    if (e == ERR_CONFLICT) /* somebody's already */
        return no_passkey(c);
    return e ? e : second_factor_tell(c, app, "add_factor", &f, agent);
}

enum err passkey_add(struct ctx *c, const struct app *app, struct tenant *t,
                     const struct webauthn_site *site,
                     const struct passkey_new *new_one, const char *agent)
{
    uint8_t challenge[WEBAUTHN_CHALLENGE_BYTES];
    struct webauthn_data data;
    bool has;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    e = take_challenge(c, c->actor->session_id, challenge, &has);
    if ((e = tx_end(c, t, e)))
        return e;
    if (!has || !is_sound(c, site, challenge, new_one, &data))
        return no_passkey(c);
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store(c, app, &data, new_one->name, agent));
}

/* ---- the proof ---- */

struct known {
    int64_t id, counter;
    struct webauthn_bytes key;
};

/* Some authenticators do not count; one that does never goes back, or there
 * are two of them. */
static bool is_newer(int64_t before, uint32_t now)
{
    return (before == 0 && now == 0) || now > before;
}

static bool is_right(struct ctx *c, const struct known *k,
                     const uint8_t challenge[32],
                     const struct webauthn_site *site,
                     const struct passkey_proof *p, struct webauthn_data *data)
{
    struct webauthn_key key;

    return webauthn_is_client_data(c->mem, p->client_data, "webauthn.get",
                                   challenge, site->origin) &&
           webauthn_parse_data(p->data, data) &&
           webauthn_is_for_site(data, site->rp_id) &&
           webauthn_parse_key(k->key, &key) &&
           webauthn_is_signed(&key, c->mem, p->data, p->client_data,
                              p->signature) &&
           is_newer(k->counter, data->counter);
}

static enum err find_known(struct ctx *c, int64_t user_id,
                           struct webauthn_bytes id, struct known *out)
{
    struct query *q = query(c, passkey_text[PASSKEY_GET]);

    bind_blob(q, 1, id.data, id.len);
    bind_int(q, 2, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    out->id = col_int(q, 0);
    out->key.data = col_blob(c, q, 1, &out->key.len);
    out->counter = col_int(q, 2);
    query_done(q);
    return OK;
}

enum err passkey_try(struct ctx *c, int64_t session_id, int64_t user_id,
                     const struct webauthn_site *site,
                     const struct passkey_proof *proof, bool *right)
{
    uint8_t challenge[WEBAUTHN_CHALLENGE_BYTES];
    struct webauthn_data data;
    struct known known;
    bool has;
    enum err e = take_challenge(c, session_id, challenge, &has);

    *right = false;
    if (e || !has)
        return e;
    if ((e = find_known(c, user_id, proof->id, &known)))
        return e == ERR_NOT_FOUND ? OK : e;
    if (!is_right(c, &known, challenge, site, proof, &data))
        return OK;
    struct query *q = query(c, passkey_text[PASSKEY_USE]);
    bind_int(q, 1, known.id);
    bind_int(q, 2, data.counter);
    bind_int(q, 3, c->now_us);
    e = query_run(c, q);
    *right = !e;
    return e;
}
