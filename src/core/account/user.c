/* SPDX-License-Identifier: Apache-2.0 */
/* The one hard rule here: a tenant is never left without an active master
 * administrator.  It is checked after the change, inside the transaction, so
 * that two administrators demoting each other cannot both succeed. */
#include "core/account/user.h"

#include "base/json.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/access/member.h"
#include "core/account/invite.h"
#include "core/account/session.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/tenant/quota.h"
#include "db/query.h"

#include <ctype.h>
#include <string.h>

#define SECRET_COLS                                                            \
    "id, name, email, password, lang, state, password_at, signed_in_at"
#define USER_COLS                                                              \
    "id, email, name, lang, state, is_admin, created_at, signed_in_at, "       \
    "version, " REFUSED_COLS

/* One page.  The place of the last one seen is looked up among those whom the
 * reader sees: another's would tell the name. */
#define FOUND(whom)                                                            \
    " FROM user WHERE (name, id) > (coalesce((SELECT name FROM user"           \
    " WHERE id = ?3 AND " whom "), ''), ?3) AND state < 3"                     \
    " AND (?1 IS NULL OR instr(CASE WHEN ?6 THEN search"                       \
    " ELSE substr(search, 1, length(search) - length(email) - 1) END, ?1) > "  \
    "0)"                                                                       \
    " AND (?2 < 0 OR state = ?2) AND (?5 < 0 OR is_admin = ?5) AND " whom      \
    " ORDER BY name, id LIMIT ?4"

enum {
    USER_GET,
    USER_SECRET,
    USER_SECRET_OF,
    USER_LIST,
    USER_INSERT,
    USER_UPDATE,
    USER_DELETE,
    USER_SELF,
    USER_EMAIL,
    USER_SIGNED_IN,
    USER_COUNT_ADMINS,
    USER_FORGET, /* and those after it */
    USER_TEXTS = USER_FORGET + 6
};
static const char *const user_text[USER_TEXTS] = {
    [USER_GET] = "SELECT " USER_COLS " FROM user WHERE id = ?1",
    [USER_SECRET] = "SELECT " SECRET_COLS " FROM user"
                    " WHERE email_fold = ?1 AND state < 3",
    [USER_SECRET_OF] = "SELECT " SECRET_COLS " FROM user WHERE id = ?1",
    [USER_LIST] = "SELECT " USER_COLS FOUND("1"),
    [USER_INSERT] =
        "INSERT INTO user (email, email_fold, name, search, lang, is_admin,"
        " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [USER_UPDATE] = "UPDATE user SET name = ?3, search = ?4, lang = ?5,"
                    " is_admin = ?6, state = ?7, version = version + 1"
                    " WHERE id = ?1 AND version = ?2",
    [USER_DELETE] = "UPDATE user SET state = 3, is_admin = 0, password = NULL,"
                    " version = version + 1 WHERE id = ?1 AND version = ?2",
    [USER_SELF] = "UPDATE user SET name = ?2, search = ?3, lang = ?4,"
                  " version = version + 1 WHERE id = ?1",
    [USER_EMAIL] = "UPDATE user SET email = ?2, email_fold = ?3, search = ?4,"
                   " version = version + 1 WHERE id = ?1",
    [USER_SIGNED_IN] = "UPDATE user SET signed_in_at = ?2 WHERE id = ?1",
    [USER_COUNT_ADMINS] =
        "SELECT count(*) FROM user WHERE is_admin = 1 AND state = 1",
    [USER_FORGET] = "DELETE FROM factor WHERE user_id = ?1",
    [USER_FORGET + 1] = "DELETE FROM recovery WHERE user_id = ?1",
    [USER_FORGET + 2] = "DELETE FROM password_history WHERE user_id = ?1",
    [USER_FORGET + 3] = "DELETE FROM link WHERE user_id = ?1",
    [USER_FORGET + 4] = "DELETE FROM email_change WHERE user_id = ?1",
    [USER_FORGET + 5] = "DELETE FROM mail_refusal WHERE email_fold ="
                        " (SELECT email_fold FROM user WHERE id = ?1)",
};
const struct query_set user_queries = {"user", user_text, COUNT(user_text)};

/* The same for ?7, who neither administers nor gives roles: whom he shares a
 * program or project with, that is who holds a view of one that he views. */
#define OF_READER ACCESS_ME("?7")
static const char *const colleague_text[] = {
    "WITH RECURSIVE " OF_READER
    ", mine(program_id, project_id) AS (SELECT a.program_id,"
    " a.project_id FROM me JOIN access a ON a.principal = me.p JOIN"
    " role r ON r.id = a.role_id WHERE r.rights & 17), below(id) AS"
    " (SELECT program_id FROM mine WHERE program_id IS NOT NULL UNION"
    " SELECT id FROM program WHERE EXISTS (SELECT 1 FROM mine WHERE"
    " coalesce(program_id, project_id) IS NULL) UNION SELECT p.id FROM"
    " below JOIN program p ON p.parent_id = below.id), reached(id) AS"
    " (SELECT project_id FROM mine WHERE project_id IS NOT NULL UNION"
    " SELECT p.id FROM below JOIN project p ON p.program_id = below.id"
    " UNION SELECT id FROM project WHERE EXISTS (SELECT 1 FROM mine"
    " WHERE coalesce(program_id, project_id) IS NULL)), above(id) AS"
    " (SELECT id FROM below UNION SELECT p.program_id FROM reached JOIN"
    " project p ON p.id = reached.id UNION SELECT p.parent_id FROM"
    " above JOIN program p ON p.id = above.id), given(principal) AS"
    " (SELECT a.principal FROM above JOIN access a ON a.program_id ="
    " above.id JOIN role r ON r.id = a.role_id WHERE r.rights & 17"
    " UNION SELECT a.principal FROM reached JOIN access a ON"
    " a.project_id = reached.id JOIN role r ON r.id = a.role_id WHERE"
    " r.rights & 17 UNION SELECT a.principal FROM access a JOIN role r"
    " ON r.id = a.role_id WHERE a.program_id IS NULL AND a.project_id"
    " IS NULL AND r.rights & 17 AND EXISTS (SELECT 1 FROM mine)),"
    " seen(id) AS (SELECT ?7 UNION SELECT principal FROM given WHERE"
    " principal > 0 UNION SELECT m.user_id FROM given JOIN group_member"
    " m ON m.group_id = -principal UNION SELECT id FROM user WHERE"
    " is_admin = 1 AND EXISTS (SELECT 1 FROM mine))"
    " SELECT " USER_COLS FOUND("id IN (SELECT id FROM seen)"),
};
const struct query_set colleague_queries = {"colleague", colleague_text,
                                            COUNT(colleague_text)};

const char *const user_state_words[] = {"invited", "active", "suspended",
                                        "deleted", NULL};

static const struct field user_fields[] = {
    {TEXT("email", 3, 254, REQUIRED, "メールアドレス", "E-mail")},
    {TEXT("name", 1, 100, REQUIRED, "氏名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
    {BOOL("is_admin", OPTIONAL, "マスター管理者", "Master administrator")},
};
const struct form user_form = {"UserCreate", user_fields, COUNT(user_fields)};

static const struct field user_edit_fields[] = {
    {TEXT("name", 1, 100, OPTIONAL, "氏名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
    {BOOL("is_admin", OPTIONAL, "マスター管理者", "Master administrator")},
    {CHOICE("state", user_state_words, OPTIONAL, "状態", "State")},
};
const struct form user_edit_form = {"UserEdit", user_edit_fields,
                                    COUNT(user_edit_fields)};

static const struct field user_reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("email", NULLABLE)},
    {OUT_CHOICE("lang", lang_words, REQUIRED)},
    {OUT_CHOICE("state", user_state_words, REQUIRED)},
    {OUT_BOOL("is_admin", NULLABLE)},
    {OUT_TEXT("signed_in_at", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
    {OUT_TEXT("mail_refused_at", NULLABLE)},
    {OUT_TEXT("mail_refused", NULLABLE)},
};
const struct form user_reply_form = {"User", user_reply_fields,
                                     COUNT(user_reply_fields)};

static void read_user(struct ctx *c, struct query *q, struct user *out)
{
    *out = (struct user){
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
}

const char *user_fold_email(struct arena *mem, const char *email)
{
    char *folded = arena_strdup(mem, email);

    for (char *p = folded; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return folded;
}

static const char *search_text(struct ctx *c, const char *name,
                               const char *email)
{
    return str_fold(c->mem, arena_printf(c->mem, "%s %s", name, email));
}

static enum err not_found(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found",
                    "ユーザーが見つかりません", "No such user");
}

enum err user_get(struct ctx *c, int64_t id, struct user *out)
{
    struct query *q = query(c, user_text[USER_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? not_found(c) : e;
    read_user(c, q, out);
    query_done(q);
    if (out->state == USER_DELETED)
        return not_found(c);
    return OK;
}

static enum err read_secret(struct ctx *c, struct query *q,
                            struct user_secret *out)
{
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = (struct user_secret){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .email = col_text(c, q, 2),
        .password = col_text(c, q, 3),
        .lang = col_int(q, 4) ? LANG_EN : LANG_JA,
        .state = (enum user_state)col_int(q, 5),
        .password_at = col_int(q, 6),
        .signed_in_at = col_int(q, 7),
    };
    query_done(q);
    return OK;
}

enum err user_find_secret(struct ctx *c, const char *email,
                          struct user_secret *out)
{
    struct query *q = query(c, user_text[USER_SECRET]);

    bind_text(q, 1, user_fold_email(c->mem, email));
    return read_secret(c, q, out);
}

enum err user_find(struct ctx *c, const char *email, struct user *out)
{
    struct user_secret u;
    enum err e = user_find_secret(c, email, &u);

    return e ? e : user_get(c, u.id, out);
}

enum err user_get_secret(struct ctx *c, int64_t id, struct user_secret *out)
{
    struct query *q = query(c, user_text[USER_SECRET_OF]);

    bind_int(q, 1, id);
    return read_secret(c, q, out);
}

enum err user_list(struct ctx *c, const struct user_filter *filter,
                   const struct user **out, size_t *count, bool *more)
{
    size_t max = (size_t)filter->limit;
    struct user *list = arena_array(c->mem, struct user, max + 1);
    enum err e = OK;
    unsigned rights = 0;
    bool shows = false;

    *count = 0;
    *more = false;
    if ((e = access_tenant(c, &rights)) ||
        (e = access_sees_addresses(c, rights, &shows)))
        return e;
    bool is_all = rights & MAY_ADMIN_USERS;
    struct query *q =
        query(c, shows ? user_text[USER_LIST] : colleague_text[0]);
    bind_text(q, 1, filter->q ? str_fold(c->mem, filter->q) : NULL);
    bind_int(q, 2, is_all ? filter->state : USER_ACTIVE);
    bind_int(q, 3, filter->after_id);
    bind_int(q, 4, (int64_t)max + 1);
    bind_int(q, 5, is_all ? filter->admin : -1);
    bind_int(q, 6, shows);
    if (!shows)
        bind_int(q, 7, c->actor->user_id);
    while (query_next(c, q, &e)) {
        struct user *u = &list[(*count)++];
        read_user(c, q, u);
        if (!shows && u->id != c->actor->user_id)
            u->email = NULL;
    }
    *more = *count > max;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}

static enum err log_user(struct ctx *c, const char *action,
                         const struct user *u, const struct user *before)
{
    const char *json[2] = {NULL, NULL};
    const struct user *side[2] = {before, u};

    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};

        if (!side[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "name", side[i]->name);
        json_text(&o, "email", side[i]->email);
        json_text(&o, "lang", lang_words[side[i]->lang]);
        json_text(&o, "state", user_state_words[side[i]->state]);
        json_bool(&o, "is_admin", side[i]->is_admin);
        json_close(&o, '}');
        json[i] = b.data;
    }
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "user",
                                                .object_id = u->id,
                                                .object_name = u->name,
                                                .before = json[0],
                                                .after = json[1]});
}

/* Only a master administrator makes one, or touches one; the system, which
 * founds a tenant, is nobody. */
static enum err check_rank(struct ctx *c, bool is_about_admin)
{
    if (!is_about_admin || c->actor->is_admin || c->actor->user_id == 0)
        return OK;
    return ctx_fail(c, ERR_DENIED, "is_admin", "admin_only",
                    "マスター管理者を扱えるのはマスター管理者だけです",
                    "Only a master administrator may do this to one");
}

enum err user_check_email(struct ctx *c, int64_t id, const char *email)
{
    struct user_secret taken;

    if (!str_is_email(email))
        return ctx_fail(c, ERR_INVALID, "email", "email",
                        "メールアドレスの形が正しくありません",
                        "This is not an e-mail address");
    enum err e = user_find_secret(c, email, &taken);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    if (taken.id == id && id)
        return ctx_fail(c, ERR_INVALID, "email", "same",
                        "いまのメールアドレスと同じです",
                        "This is the address already");
    return ctx_fail(c, ERR_CONFLICT, "email", "email_taken",
                    "このメールアドレスはすでに使われています",
                    "This address is already in use");
}

enum err user_set_email(struct ctx *c, int64_t id, const char *email)
{
    struct user before, after;
    enum err e = user_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, user_text[USER_EMAIL]);
    bind_int(q, 1, id);
    bind_text(q, 2, email);
    bind_text(q, 3, user_fold_email(c->mem, email));
    bind_text(q, 4, search_text(c, before.name, email));
    if ((e = query_run(c, q)) || (e = user_get(c, id, &after)))
        return e;
    return log_user(c, "update", &after, &before);
}

enum err user_create(struct ctx *c, const struct app *app,
                     const struct values *v, struct user *out)
{
    const char *email = values_text(v, "email");
    const char *name = values_text(v, "name");
    enum err e = user_check_email(c, 0, email);

    if (e || (e = check_rank(c, values_bool(v, "is_admin", false))) ||
        (e = quota_check_users(c, app)))
        return e;
    struct query *q = query(c, user_text[USER_INSERT]);
    bind_text(q, 1, email);
    bind_text(q, 2, user_fold_email(c->mem, email));
    bind_text(q, 3, name);
    bind_text(q, 4, search_text(c, name, email));
    bind_int(q, 5, values_int(v, "lang", LANG_JA));
    bind_int(q, 6, values_bool(v, "is_admin", false));
    bind_int(q, 7, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    if ((e = user_get(c, db_last_id(c), out)))
        return e;
    if ((e = log_user(c, "create", out, NULL)))
        return e;
    return invite_send(c, app, out->id, INVITE_FIRST);
}

enum err user_count_admins(struct ctx *c, int64_t *out)
{
    struct query *q = query(c, user_text[USER_COUNT_ADMINS]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

static enum err check_last_admin(struct ctx *c, const struct user *before)
{
    int64_t left = 0;

    if (!before->is_admin || before->state != USER_ACTIVE)
        return OK;
    enum err e = user_count_admins(c, &left);
    if (e || left > 0)
        return e;
    if (str_equal(c->actor->tenant, STORE_OPERATOR))
        return ctx_fail(c, ERR_CONFLICT, "role", "last_admin",
                        "最後の運用者は外せません。先に別の人を運用者に"
                        "してください",
                        "The last operator must stay. Make somebody else an "
                        "operator first");
    return ctx_fail(c, ERR_CONFLICT, "is_admin", "last_admin",
                    "最後のマスター管理者は外せません",
                    "The last master administrator must stay");
}

enum err user_update(struct ctx *c, const struct app *app, int64_t id,
                     int64_t version, const struct values *v, struct user *out)
{
    struct user before;
    enum err e = user_get(c, id, &before);

    if (e)
        return e;
    struct user u = before;
    if (values_text(v, "name"))
        u.name = values_text(v, "name");
    u.lang = (enum lang)values_int(v, "lang", before.lang);
    u.is_admin = values_bool(v, "is_admin", before.is_admin);
    u.state = (enum user_state)values_int(v, "state", before.state);
    if ((e = check_rank(c, u.is_admin || before.is_admin)) ||
        (e = access_need_over(c, id)))
        return e;
    if (u.state != before.state &&
        (u.state == USER_DELETED || u.state == USER_INVITED ||
         before.state == USER_INVITED))
        return ctx_fail(c, ERR_INVALID, "state", "state",
                        "この状態には変更できません",
                        "The state cannot be changed to this");
    if (before.state == USER_SUSPENDED && u.state == USER_ACTIVE &&
        (e = quota_check_users(c, app)))
        return e;
    struct query *q = query(c, user_text[USER_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, u.name);
    bind_text(q, 4, search_text(c, u.name, u.email));
    bind_int(q, 5, u.lang);
    bind_int(q, 6, u.is_admin);
    bind_int(q, 7, u.state);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = check_last_admin(c, &before)))
        return e;
    bool is_other = id != c->actor->user_id && u.is_admin != before.is_admin;
    if ((u.state == USER_SUSPENDED || is_other) && (e = session_end_all(c, id)))
        return e;
    if ((e = user_get(c, id, out)))
        return e;
    return log_user(c, "update", out, &before);
}

/* What a person who left could still come in or act by; the name stays.
 * Operators hold no grants. */
static enum err forget(struct ctx *c, int64_t id)
{
    enum err e = session_end_all(c, id);

    if (!e && !str_equal(c->actor->tenant, STORE_OPERATOR))
        e = member_forget(c, id);
    for (int i = USER_FORGET; i < USER_TEXTS && !e; i++) {
        struct query *q = query(c, user_text[i]);
        bind_int(q, 1, id);
        e = query_run(c, q);
    }
    return e;
}

enum err user_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct user before;
    enum err e = user_get(c, id, &before);

    if (e || (e = check_rank(c, before.is_admin)) ||
        (e = access_need_over(c, id)))
        return e;
    struct query *q = query(c, user_text[USER_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = check_last_admin(c, &before)))
        return e;
    if ((e = forget(c, id)))
        return e;
    return log_user(c, "delete", &before, NULL);
}

enum err user_update_self(struct ctx *c, const struct values *v)
{
    struct user before, after;
    enum err e = user_get(c, c->actor->user_id, &before);

    if (e)
        return e;
    after = before;
    if (values_text(v, "name"))
        after.name = values_text(v, "name");
    after.lang = (enum lang)values_int(v, "lang", before.lang);
    struct query *q = query(c, user_text[USER_SELF]);
    bind_int(q, 1, before.id);
    bind_text(q, 2, after.name);
    bind_text(q, 3, search_text(c, after.name, after.email));
    bind_int(q, 4, after.lang);
    if ((e = query_run(c, q)))
        return e;
    return log_user(c, "update", &after, &before);
}

enum err user_note_sign_in(struct ctx *c, int64_t id)
{
    struct query *q = query(c, user_text[USER_SIGNED_IN]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    return query_run(c, q);
}
