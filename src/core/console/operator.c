/* SPDX-License-Identifier: Apache-2.0 */
/* The set-up token is kept only as a hash, only in memory, and only while
 * there is nobody: every start without an operator prints another one. */
#include "core/console/operator.h"

#include "base/crypto.h"
#include "base/secret.h"
#include "base/str.h"
#include "core/account/password.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "core/document/document.h"
#include "core/log/operation.h"
#include "core/trust/trust_version.h"
#include "db/query.h"

#include <string.h>

enum { OP_CALENDAR, OP_OWN_ROW, OP_COUNT, OP_ADD_FIRST, OP_LIST };
static const char *const operator_text[] = {
    [OP_CALENDAR] = "INSERT OR IGNORE INTO calendar (id, name) VALUES (1, '')",
    [OP_OWN_ROW] = "INSERT OR IGNORE INTO tenant (id, name, calendar_id,"
                   " created_at) VALUES (1, 'Yagura', 1, ?1)",
    [OP_COUNT] = "SELECT EXISTS (SELECT 1 FROM user WHERE state < 3)",
    [OP_ADD_FIRST] =
        "INSERT INTO user (email, email_fold, name, search, lang, state,"
        " is_admin, created_at) VALUES (?1, lower(?1), ?2, ?3, ?4, 1, 1, ?5)",
    [OP_LIST] =
        "SELECT id, email, name, lang, state, is_admin, created_at,"
        " signed_in_at, version, " REFUSED_COLS " FROM user WHERE state < 3"
        " ORDER BY name, id",
};
const struct query_set operator_queries = {"operator", operator_text,
                                           COUNT(operator_text)};

const char *const operator_role_words[] = {"auditor", "operator", NULL};

static const struct field operator_fields[] = {
    {TEXT("email", 3, 254, REQUIRED, "メールアドレス", "E-mail")},
    {TEXT("name", 1, 100, REQUIRED, "氏名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
    {CHOICE("role", operator_role_words, REQUIRED, "役割", "Role")},
};
const struct form operator_form = {"OperatorCreate", operator_fields,
                                   COUNT(operator_fields)};

static const struct field operator_edit_fields[] = {
    {TEXT("name", 1, 100, OPTIONAL, "氏名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
    {CHOICE("role", operator_role_words, OPTIONAL, "役割", "Role")},
    {CHOICE("state", user_state_words, OPTIONAL, "状態", "State")},
};
const struct form operator_edit_form = {"OperatorEdit", operator_edit_fields,
                                        COUNT(operator_edit_fields)};

static const struct field setup_fields[] = {
    {SECRET("token", 1, 128, REQUIRED, "設定用トークン", "Set-up token")},
    {TEXT("email", 3, 254, REQUIRED, "メールアドレス", "E-mail")},
    {TEXT("name", 1, 100, REQUIRED, "氏名", "Name")},
    {SECRET("password", 1, 512, REQUIRED, "パスワード", "Password")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
};
const struct form operator_setup_form = {"OperatorSetUp", setup_fields,
                                         COUNT(setup_fields)};

/* ---- the first one ---- */

enum err operator_is_needed(struct ctx *c, bool *out)
{
    struct query *q = query(c, operator_text[OP_COUNT]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0) == 0;
    query_done(q);
    return OK;
}

static enum err seed(struct ctx *c, bool *is_needed)
{
    enum err e = query_run(c, query(c, operator_text[OP_CALENDAR]));

    if (e)
        return e;
    struct query *q = query(c, operator_text[OP_OWN_ROW]);
    bind_int(q, 1, c->now_us);
    e = query_run(c, q);
    if (!e && db_changes(c) > 0) /* a new installation */
        e = document_seed(c);
    if (!e)
        e = trust_version_note(c);
    return e ? e : operator_is_needed(c, is_needed);
}

enum err operator_prepare(struct ctx *c, struct app *app,
                          char token[SECRET_TOKEN_CHARS + 1])
{
    bool is_needed = false;
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    *token = 0;
    if (e)
        return e;
    if ((e = tx_end_control(c, app->store, seed(c, &is_needed))))
        return e;
    if (is_needed) {
        secret_make_token(token);
        secret_hash_token(token, app->setup_hash);
    }
    return OK;
}

static enum err check_token(struct ctx *c, const struct app *app,
                            const char *token)
{
    static const uint8_t none[32];
    uint8_t hash[32];
    enum err e = sign_in_throttle_link_wait(c, app);

    if (e)
        return e;
    secret_hash_token(token, hash);
    if (!crypto_equal(app->setup_hash, none, sizeof(none)) &&
        crypto_equal(app->setup_hash, hash, sizeof(hash)))
        return OK;
    sign_in_throttle_link_wrong(c, app);
    return ctx_fail(c, ERR_AUTH, "token", "token",
                    "設定用トークンが正しくありません",
                    "The set-up token is wrong");
}

static enum err need_nobody(struct ctx *c)
{
    bool is_needed;
    enum err e = operator_is_needed(c, &is_needed);

    if (e || is_needed)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "", "set_up",
                    "最初の運用者はすでに登録されています",
                    "The first operator is set up already");
}

static enum err add_first(struct ctx *c, const struct values *v,
                          const char *hash)
{
    const char *email = values_text(v, "email"), *name = values_text(v, "name");
    const char *both = arena_printf(c->mem, "%s %s", name, email);
    enum err e = need_nobody(c);

    if (e)
        return e;
    struct query *q = query(c, operator_text[OP_ADD_FIRST]);
    bind_text(q, 1, email);
    bind_text(q, 2, name);
    bind_text(q, 3, str_fold(c->mem, both));
    bind_int(q, 4, values_int(v, "lang", LANG_JA));
    bind_int(q, 5, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if ((e = password_store(c, id, hash)))
        return e;
    return operation_log(c, &(struct operation){.action = "set_up",
                                                .kind = "operator",
                                                .object_id = id,
                                                .object_name = name});
}

enum err operator_set_up(struct ctx *c, const struct app *app, struct tenant *t,
                         const struct values *v)
{
    const struct user_secret u = {.name = values_text(v, "name"),
                                  .email = values_text(v, "email")};
    const char *hash;
    enum err e = check_token(c, app, values_text(v, "token"));

    if (e)
        return e;
    if (!str_is_email(u.email))
        return ctx_fail(c, ERR_INVALID, "email", "email",
                        "メールアドレスの形が正しくありません",
                        "This is not an e-mail address");
    if ((e = tx_begin(c, t, TX_READ)))
        return e;
    if ((e = tx_end(c, t, need_nobody(c))))
        return e;
    if ((e = password_make(c, app, t, &u, values_text(v, "password"), &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, add_first(c, v, hash));
}

/* ---- the others ---- */

enum err operator_list(struct ctx *c, const struct user **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, operator_text[OP_LIST]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct user u = {
            .id = col_int(q, 0),
            .email = col_text(c, q, 1),
            .name = col_text(c, q, 2),
            .lang = col_int(q, 3) ? LANG_EN : LANG_JA,
            .state = (enum user_state)col_int(q, 4),
            .is_admin = col_int(q, 5) != 0,
            .created_at = col_int(q, 6),
            .signed_in_at = col_int(q, 7),
            .version = col_int(q, 8),
            .refused_at = col_int(q, 9),
            .refused_why = col_text(c, q, 10),
        };
        buf_put(&rows, &u, sizeof u);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

/* The operator's form in the words of user's. */
static enum err as_user(struct ctx *c, const struct form *form,
                        const struct values *v, const struct values **out)
{
    const char *cells[16] = {0};

    must(form->count <= COUNT(cells));
    for (size_t i = 0; i < form->count; i++) {
        const char *name = form->fields[i].name;
        if (strcmp(name, "is_admin") == 0)
            cells[i] = !values_has(v, "role")          ? NULL
                       : values_int(v, "role", 0) != 0 ? "true"
                                                       : "false";
        else if (values_has(v, name))
            cells[i] = form->fields[i].choices
                           ? form->fields[i].choices[values_int(v, name, 0)]
                           : values_text(v, name);
    }
    return values_parse_cells(c, form, cells, out);
}

enum err operator_create(struct ctx *c, const struct app *app,
                         const struct values *v, struct user *out)
{
    const struct values *person;
    enum err e = as_user(c, &user_form, v, &person);

    return e ? e : user_create(c, app, person, out);
}

enum err operator_update(struct ctx *c, const struct app *app, int64_t id,
                         int64_t version, const struct values *v,
                         struct user *out)
{
    const struct values *person;
    enum err e = as_user(c, &user_edit_form, v, &person);

    return e ? e : user_update(c, app, id, version, person, out);
}

/* ---- rights ---- */

/* Of the routes that both places answer, an auditor may use those that read
 * and those of one's own account. */
enum err operator_check(struct ctx *c, enum right right, bool is_reading)
{
    if (c->actor->user_id == 0)
        return ctx_fail(c, ERR_AUTH, "", "session", "サインインしてください",
                        "Please sign in");
    if (right == RIGHT_AUDITOR || right == RIGHT_SIGNED_IN)
        return OK;
    if (right >= RIGHT_ADMIN && right <= RIGHT_ADMIN_LOG && is_reading)
        return OK;
    if (c->actor->is_admin &&
        (right == RIGHT_OPERATOR ||
         (right >= RIGHT_ADMIN && right <= RIGHT_ADMIN_LOG)))
        return OK;
    return ctx_fail(c, ERR_DENIED, "", "denied", "この操作の権限がありません",
                    "You may not do this");
}
