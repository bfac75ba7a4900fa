/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant's row keeps only what was chosen; auth_policy_work_out() lays it over
 * the profile and the floor and takes the stricter of each. */
#include "core/account/auth_policy.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"

#define US_PER_DAY INT64_C(86400000000)

enum { AUTH_POLICY_GET, AUTH_POLICY_UPDATE };
static const char *const auth_policy_text[] = {
    [AUTH_POLICY_GET] =
        "SELECT password_profile, password_min, password_classes,"
        " password_days, factors, fresh_code, version, tokens FROM "
        "tenant WHERE id = 1",
    [AUTH_POLICY_UPDATE] =
        "UPDATE tenant SET password_profile = ?2, password_min = ?3,"
        " password_classes = ?4, password_days = ?5, factors = ?6,"
        " fresh_code = ?7, tokens = ?8, version = version + 1"
        " WHERE id = 1 AND version = ?1",
};
const struct query_set auth_policy_queries = {"policy", auth_policy_text,
                                              COUNT(auth_policy_text)};

/* The yen sign is written U+005C or U+00A5; both are accepted.  Three months
 * are at most 92 days. */
static const struct auth_policy profiles[] = {
    [AUTH_POLICY_WHITEPAPER] = {.profile = AUTH_POLICY_WHITEPAPER,
                                .min = 8,
                                .max = 16,
                                .classes = 3,
                                .days = 92,
                                .symbols =
                                    "@#$%^&*-_+=[]{}|\\\xc2\xa5:',?/`~\"();."},
    [AUTH_POLICY_MODERN] = {.profile = AUTH_POLICY_MODERN,
                            .min = 15,
                            .max = 128,
                            .classes = 1,
                            .refuses_guessable = true},
};
const char *const auth_policy_profile_words[] = {"whitepaper", "modern", NULL};

static const struct field auth_policy_fields[] = {
    {CHOICE("profile", auth_policy_profile_words, OPTIONAL, "プロファイル",
            "Profile")},
    {INT("min", 1, 128, OPTIONAL, "最小文字数", "Fewest characters")},
    {INT("classes", 1, 4, OPTIONAL, "文字の種類", "Kinds of characters")},
    {INT("days", 0, 3650, OPTIONAL, "有効日数", "Life in days")},
    {BOOL("totp", OPTIONAL, "認証アプリ", "Authenticator app")},
    {BOOL("passkey", OPTIONAL, "パスキー", "Passkeys")},
    {BOOL("fresh_code", OPTIONAL, "本人確認のコード",
          "Code before sensitive steps")},
    {BOOL("tokens", OPTIONAL, "APIトークン", "API tokens")},
};
const struct form auth_policy_form = {"SecurityEdit", auth_policy_fields,
                                      COUNT(auth_policy_fields)};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* The shorter life; 0 is none. */
static int shorter(int a, int b)
{
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

void auth_policy_work_out(const struct auth_policy_floor *floor,
                          const struct auth_policy_choice *choice,
                          struct auth_policy *out)
{
    bool modern = floor->is_modern || choice->profile == AUTH_POLICY_MODERN;

    *out = profiles[modern ? AUTH_POLICY_MODERN : AUTH_POLICY_WHITEPAPER];
    out->min = larger(out->min, larger(floor->min, choice->min));
    if (out->min > out->max)
        out->min = out->max;
    out->classes = larger(out->classes, choice->classes);
    out->days = shorter(out->days, shorter(floor->days, choice->days));
    out->factors = choice->factors;
    out->fresh_code = choice->fresh_code;
    out->tokens = choice->tokens;
}

static enum err read_choice(struct ctx *c, struct auth_policy_choice *out,
                            int64_t *version)
{
    struct query *q = query(c, auth_policy_text[AUTH_POLICY_GET]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    *out = (struct auth_policy_choice){
        .profile = col_int(q, 0) ? AUTH_POLICY_MODERN : AUTH_POLICY_WHITEPAPER,
        .min = (int)col_int(q, 1),
        .classes = (int)col_int(q, 2),
        .days = (int)col_int(q, 3),
        .factors = (unsigned)col_int(q, 4),
        .fresh_code = col_int(q, 5) != 0,
        .tokens = col_int(q, 7) != 0,
    };
    *version = col_int(q, 6);
    query_done(q);
    return OK;
}

enum err auth_policy_get(struct ctx *c, const struct app *app,
                         struct auth_policy *out)
{
    struct auth_policy_choice choice;
    int64_t version;
    enum err e = read_choice(c, &choice, &version);

    if (e)
        return e;
    auth_policy_work_out(&app->floor, &choice, out);
    out->version = version;
    return OK;
}

static enum err below(struct ctx *c, const char *field)
{
    return ctx_fail(c, ERR_INVALID, field, "policy_floor",
                    "運用者の定める下限より弱くはできません",
                    "This is weaker than the operator allows");
}

/* Every wish that the floor would silently override is refused instead. */
static enum err check_choice(struct ctx *c,
                             const struct auth_policy_floor *floor,
                             const struct values *v,
                             const struct auth_policy_choice *choice)
{
    struct auth_policy p;
    enum err e = OK;

    if (floor->is_modern && values_has(v, "profile") &&
        choice->profile != AUTH_POLICY_MODERN)
        return below(c, "profile");
    auth_policy_work_out(floor, choice, &p);
    if (values_has(v, "min") && choice->min > p.max)
        e = ctx_fail(c, ERR_INVALID, "min", "range",
                     "このプロファイルでは%d文字以下にしてください",
                     "This profile allows at most %d", p.max);
    else if (values_has(v, "min") && choice->min < p.min)
        e = below(c, "min");
    if (values_has(v, "classes") && choice->classes < p.classes)
        e = below(c, "classes");
    if (p.days && values_has(v, "days") &&
        (choice->days == 0 || choice->days > p.days))
        e = below(c, "days");
    return e;
}

static void take_wishes(const struct values *v,
                        struct auth_policy_choice *choice)
{
    int64_t profile = values_int(v, "profile", choice->profile);

    if (profile != (int64_t)choice->profile)
        choice->min = choice->classes = choice->days = 0;
    choice->profile = profile ? AUTH_POLICY_MODERN : AUTH_POLICY_WHITEPAPER;
    choice->min = (int)values_int(v, "min", choice->min);
    choice->classes = (int)values_int(v, "classes", choice->classes);
    choice->days = (int)values_int(v, "days", choice->days);
    bool totp = values_bool(v, "totp", choice->factors & AUTH_POLICY_TOTP);
    bool passkey =
        values_bool(v, "passkey", choice->factors & AUTH_POLICY_PASSKEY);
    choice->factors =
        (totp ? AUTH_POLICY_TOTP : 0U) | (passkey ? AUTH_POLICY_PASSKEY : 0U);
    choice->fresh_code = values_bool(v, "fresh_code", choice->fresh_code);
    choice->tokens = values_bool(v, "tokens", choice->tokens);
}

static const char *as_json(struct ctx *c, const struct auth_policy *p)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "profile", auth_policy_profile_words[p->profile]);
    json_int(&o, "min", p->min);
    json_int(&o, "classes", p->classes);
    json_int(&o, "days", p->days);
    json_bool(&o, "totp", p->factors & AUTH_POLICY_TOTP);
    json_bool(&o, "passkey", p->factors & AUTH_POLICY_PASSKEY);
    json_bool(&o, "fresh_code", p->fresh_code);
    json_bool(&o, "tokens", p->tokens);
    json_close(&o, '}');
    return b.data;
}

static enum err write_choice(struct ctx *c, int64_t version,
                             const struct auth_policy_choice *choice)
{
    struct query *q = query(c, auth_policy_text[AUTH_POLICY_UPDATE]);

    bind_int(q, 1, version);
    bind_int(q, 2, choice->profile);
    bind_id(q, 3, choice->min);
    bind_id(q, 4, choice->classes);
    bind_id(q, 5, choice->days);
    bind_int(q, 6, choice->factors);
    bind_int(q, 7, choice->fresh_code);
    bind_int(q, 8, choice->tokens);
    enum err e = query_run(c, q);
    if (!e && db_changes(c) == 0)
        return ctx_stale(c);
    return e;
}

enum err auth_policy_update(struct ctx *c, const struct app *app,
                            int64_t version, const struct values *v,
                            struct auth_policy *out)
{
    struct auth_policy_choice choice;
    struct auth_policy before;
    int64_t now;
    enum err e = read_choice(c, &choice, &now);

    if (e)
        return e;
    auth_policy_work_out(&app->floor, &choice, &before);
    take_wishes(v, &choice);
    if ((e = check_choice(c, &app->floor, v, &choice)) ||
        (e = write_choice(c, version, &choice)) ||
        (e = auth_policy_get(c, app, out)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "security",
                                                .object_id = 1,
                                                .object_name = "",
                                                .before = as_json(c, &before),
                                                .after = as_json(c, out)});
}

int64_t auth_policy_expires_at(const struct auth_policy *p, int64_t set_at_us)
{
    return p->days && set_at_us ? set_at_us + p->days * US_PER_DAY : 0;
}

bool auth_policy_is_expired(const struct auth_policy *p, int64_t set_at_us,
                            int64_t now_us)
{
    int64_t end = auth_policy_expires_at(p, set_at_us);

    return end && now_us >= end;
}
