/* SPDX-License-Identifier: Apache-2.0 */
/* One check for every profile.  The text is compared and hashed exactly as
 * typed: nothing is trimmed, folded or cut. */
#include "core/account/password.h"

#include "base/common_password.h"
#include "base/secret.h"
#include "base/str.h"
#include "core/core.h"
#include "db/query.h"

#include <ctype.h>
#include <string.h>

#define US_PER_DAY INT64_C(86400000000)

enum { WORD_BYTES_MIN = 4 };
enum {
    HISTORY_LIST,
    HISTORY_ADD,
    HISTORY_TRIM,
    HISTORY_COUNT,
    USER_SET,
    SESSION_END
};
#define LAST_FIVE                                                              \
    "(SELECT set_at FROM password_history WHERE user_id = ?1"                  \
    " ORDER BY set_at DESC LIMIT 5)"
static const char *const password_text[] = {
    [HISTORY_LIST] = "SELECT hash FROM password_history WHERE user_id = ?1 "
                     "AND (set_at > ?2 OR set_at IN " LAST_FIVE ")"
                     " ORDER BY set_at DESC LIMIT ?3",
    [HISTORY_ADD] = "INSERT OR REPLACE INTO password_history"
                    " (user_id, set_at, hash) VALUES (?1, ?2, ?3)",
    [HISTORY_TRIM] = "DELETE FROM password_history WHERE user_id = ?1 AND"
                     " set_at <= ?2 AND set_at NOT IN " LAST_FIVE,
    [HISTORY_COUNT] = "SELECT count(*) FROM password_history"
                      " WHERE user_id = ?1 AND set_at > ?2",
    [USER_SET] = "UPDATE user SET password = ?2, password_at = ?3,"
                 " state = max(state, 1), version = version + 1"
                 " WHERE id = ?1",
    [SESSION_END] = "DELETE FROM session WHERE user_id = ?1 AND id <> ?2",
};
const struct query_set password_queries = {"password", password_text,
                                           COUNT(password_text)};

/* Counts characters and classes; *bad is the first character outside the
 * allowed set, as text.  symbols NULL: all others are symbols. */
static int count_classes(const char *symbols, const char *p, int *chars,
                         char bad[8])
{
    bool lower = false, upper = false, digit = false, symbol = false;

    for (*chars = 0; *p; ++*chars) {
        unsigned char ch = (unsigned char)*p;
        size_t n = ch < 0x80 ? 1 : ch < 0xe0 ? 2 : ch < 0xf0 ? 3 : 4;
        char one[8] = "";

        memcpy(one, p, n);
        if (islower(ch))
            lower = true;
        else if (isupper(ch))
            upper = true;
        else if (isdigit(ch))
            digit = true;
        else if (!symbols || strstr(symbols, one))
            symbol = true;
        else if (!*bad)
            memcpy(bad, one, sizeof(one));
        p += n;
    }
    return lower + upper + digit + symbol;
}

/* Whether a word of the text is in the password: parts of a name, of an
 * address and its domain. */
static bool holds_words(const char *folded, char *text)
{
    char *rest = text;

    for (char *word; (word = strsep(&rest, " .@-_")) != NULL;)
        if (strlen(word) >= WORD_BYTES_MIN && strstr(folded, word))
            return true;
    return false;
}

static bool holds_context(struct ctx *c, const char *password,
                          const char *const *context)
{
    const char *folded = str_fold(c->mem, password);

    for (; context && *context; context++)
        if (holds_words(folded, str_fold(c->mem, *context)))
            return true;
    return false;
}

enum err password_check(struct ctx *c, const struct auth_policy *policy,
                        const char *field, const char *password,
                        const char *const *context)
{
    enum err e = OK;
    char bad[8] = "";
    int chars = 0;

    if (!str_is_utf8(password, strlen(password), NULL))
        return ctx_fail(c, ERR_INVALID, field, "utf8",
                        "文字コードが正しくありません",
                        "The text is not valid UTF-8");
    int classes = count_classes(policy->symbols, password, &chars, bad);
    if (*bad)
        e = ctx_fail(c, ERR_INVALID, field, "password_character",
                     "パスワードに使えない文字「%s」があります",
                     "The password holds a character that is not allowed: %s",
                     bad);
    if (chars < policy->min || chars > policy->max)
        e = ctx_fail(c, ERR_INVALID, field, "password_length",
                     "パスワードは%d文字以上%d文字以下にしてください",
                     "The password must be %d to %d characters long",
                     policy->min, policy->max);
    if (classes < policy->classes)
        e = ctx_fail(c, ERR_INVALID, field, "password_classes",
                     "英小文字・英大文字・数字・記号のうち%d種類以上を"
                     "使ってください",
                     "Use at least %d of lower case, upper case, digits and"
                     " symbols",
                     policy->classes);
    if (policy->refuses_guessable && common_password_is(password))
        e = ctx_fail(c, ERR_INVALID, field, "password_common",
                     "よく使われる言葉や並びだけのパスワードは使えません",
                     "This password is made of common words or runs; others"
                     " would guess it");
    if (holds_context(c, password, context))
        e = ctx_fail(c, ERR_INVALID, field, "password_context",
                     "名前、メールアドレス、テナント名の言葉を含むパスワードは"
                     "使えません",
                     "The password may not contain your name, address or "
                     "company");
    return e;
}

static int64_t recent_since(const struct ctx *c)
{
    return c->now_us - AUTH_POLICY_HISTORY_DAYS * US_PER_DAY;
}

static enum err check_pace(struct ctx *c, int64_t user_id)
{
    struct query *q = query(c, password_text[HISTORY_COUNT]);

    bind_int(q, 1, user_id);
    bind_int(q, 2, recent_since(c));
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count < AUTH_POLICY_HISTORY_MAX)
        return OK;
    return ctx_fail(c, ERR_LIMIT, "password", "password_often",
                    "パスワードの変更は%d日間に%d回までです",
                    "In %d days a password can be changed %d times",
                    AUTH_POLICY_HISTORY_DAYS, AUTH_POLICY_HISTORY_MAX);
}

enum err password_check_pace(struct ctx *c, struct tenant *t, int64_t user_id)
{
    enum err e = tx_begin(c, t, TX_READ);

    return e ? e : tx_end(c, t, check_pace(c, user_id));
}

enum err password_list_history(struct ctx *c, int64_t user_id,
                               const char ***out, size_t *count)
{
    struct query *q = query(c, password_text[HISTORY_LIST]);
    enum err e;

    *out = arena_array(c->mem, const char *, (size_t)AUTH_POLICY_HISTORY_MAX);
    *count = 0;
    bind_int(q, 1, user_id);
    bind_int(q, 2, recent_since(c));
    bind_int(q, 3, AUTH_POLICY_HISTORY_MAX);
    while (query_next(c, q, &e))
        (*out)[(*count)++] = col_text(c, q, 0);
    return e;
}

enum err password_refuse_old(struct ctx *c, const struct app *app,
                             const char *field, const char *password,
                             const char *const *hashes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool right = false, old;
        enum err e =
            secret_verify(app->pepper, password, hashes[i], &right, &old);

        if (e)
            return e;
        if (right)
            return ctx_fail(c, ERR_INVALID, field, "password_reused",
                            "最近使った%d個と、%d日以内に使ったパスワードは"
                            "使えません",
                            "The last %d passwords, and those of the last %d"
                            " days, cannot be used again",
                            AUTH_POLICY_HISTORY, AUTH_POLICY_HISTORY_DAYS);
    }
    return OK;
}

enum err password_make(struct ctx *c, const struct app *app, struct tenant *t,
                       const struct user_secret *u, const char *password,
                       const char **hash)
{
    const char *context[] = {u->email, u->name, c->actor->tenant, "yagura",
                             NULL};
    const char **old = NULL;
    size_t count = 0;
    struct auth_policy policy;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if (!(e = auth_policy_get(c, app, &policy)))
        e = password_list_history(c, u->id, &old, &count);
    if ((e = tx_end(c, t, e)))
        return e;
    if ((e = password_check(c, &policy, "password", password, context)) ||
        (e = password_refuse_old(c, app, "password", password, old, count)))
        return e;
    return secret_hash(c->mem, app->pepper, password, hash);
}

enum err password_store(struct ctx *c, int64_t user_id, const char *hash)
{
    struct query *q = query(c, password_text[HISTORY_ADD]);

    bind_int(q, 1, user_id);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, hash);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, password_text[HISTORY_TRIM]);
    bind_int(q, 1, user_id);
    bind_int(q, 2, recent_since(c));
    if ((e = query_run(c, q)))
        return e;
    q = query(c, password_text[USER_SET]);
    bind_int(q, 1, user_id);
    bind_text(q, 2, hash);
    bind_int(q, 3, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, password_text[SESSION_END]);
    bind_int(q, 1, user_id);
    bind_int(q, 2, c->actor->session_id);
    return query_run(c, q);
}
