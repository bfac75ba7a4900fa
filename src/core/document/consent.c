/* SPDX-License-Identifier: Apache-2.0 */
#include "core/document/consent.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

enum {
    CONSENT_STATE,
    CONSENT_ADD,
    CONSENT_LIST,
    CONSENT_WHOLE,
    CONSENT_EVERYONE,
};
static const char *const consent_text[] = {
    [CONSENT_STATE] =
        "SELECT EXISTS (SELECT 1 FROM consent WHERE terms_no >= ?1"
        " AND is_whole = 1), EXISTS (SELECT 1 FROM consent WHERE user_id = ?2"
        " AND terms_no >= ?1), terms_everyone FROM tenant WHERE id = 1",
    [CONSENT_ADD] = "INSERT INTO consent (terms_no, user_id, user_name,"
                    " is_whole, at, ip) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                    " ON CONFLICT DO UPDATE SET is_whole = 1, at = ?5, ip = ?6"
                    " WHERE is_whole = 0 AND ?4 = 1",
    [CONSENT_LIST] = "SELECT terms_no, user_id, user_name, is_whole, at, ip"
                     " FROM consent ORDER BY at DESC LIMIT ?1",
    [CONSENT_WHOLE] = "SELECT terms_no, at FROM consent WHERE is_whole = 1"
                      " ORDER BY terms_no DESC, at DESC LIMIT 1",
    [CONSENT_EVERYONE] = "UPDATE tenant SET terms_everyone = ?1,"
                         " version = version + 1 WHERE id = 1",
};
const struct query_set consent_queries = {"consent", consent_text,
                                          COUNT(consent_text)};

static const struct field setting_fields[] = {
    {BOOL("everyone", REQUIRED, "全員の同意を求める", "Everybody accepts")},
};
const struct form consent_setting_form = {"TermsSetting", setting_fields,
                                          COUNT(setting_fields)};

enum err consent_find(struct ctx *c, int64_t owed, struct consent_state *out)
{
    struct query *q = query(c, consent_text[CONSENT_STATE]);

    bind_int(q, 1, owed);
    bind_int(q, 2, c->actor->user_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    out->is_everyone = col_int(q, 2) != 0;
    out->is_whole_owed = owed && !col_int(q, 0);
    out->is_own_owed = owed && out->is_everyone && !col_int(q, 1);
    query_done(q);
    return OK;
}

enum err consent_check(struct ctx *c, int64_t owed)
{
    struct consent_state s = {0};
    enum err e = owed ? consent_find(c, owed, &s) : OK;

    if (e || (!s.is_whole_owed && !s.is_own_owed))
        return e;
    if (s.is_whole_owed && !c->actor->is_admin)
        return ctx_fail(c, ERR_DENIED, "", "terms",
                        "マスター管理者が利用規約に同意するまで利用できません",
                        "Closed until a master administrator has accepted the "
                        "terms of use");
    return ctx_fail(c, ERR_DENIED, "", "terms", "利用規約への同意が必要です",
                    "The terms of use must be accepted first");
}

enum err consent_accept(struct ctx *c, const struct terms_now *now, int64_t no)
{
    struct query *q = query(c, consent_text[CONSENT_ADD]);

    if (no == 0 || no != now->current)
        return ctx_fail(c, ERR_CONFLICT, "no", "terms_changed",
                        "利用規約が新しくなりました。もう一度お読みください",
                        "The terms have changed; please read them again");
    bind_int(q, 1, no);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, c->actor->name);
    bind_int(q, 4, c->actor->is_admin);
    bind_int(q, 5, c->now_us);
    bind_text(q, 6, c->actor->ip);
    enum err e = query_run(c, q);
    if (e || db_changes(c) == 0)
        return e;
    return operation_log(
        c, &(struct operation){
               .action = "accept",
               .kind = "terms",
               .object_id = no,
               .object_name = arena_printf(c->mem, "#%lld", (long long)no),
               .after = c->actor->is_admin ? "{\"for_tenant\":true}"
                                           : "{\"for_tenant\":false}"});
}

enum err consent_list(struct ctx *c, int limit, const struct consent **out,
                      size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, consent_text[CONSENT_LIST]);
    enum err e;

    bind_int(q, 1, limit);
    while (query_next(c, q, &e)) {
        struct consent row = {
            .terms_no = col_int(q, 0),
            .user_id = col_int(q, 1),
            .user_name = col_text(c, q, 2),
            .is_whole = col_int(q, 3) != 0,
            .at = col_int(q, 4),
            .ip = col_text(c, q, 5),
        };
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err consent_find_whole(struct ctx *c, int64_t *no, int64_t *at)
{
    struct query *q = query(c, consent_text[CONSENT_WHOLE]);
    enum err e = query_one(c, q);

    *no = *at = 0;
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *no = col_int(q, 0);
    *at = col_int(q, 1);
    query_done(q);
    return OK;
}

enum err consent_set_everyone(struct ctx *c, const struct values *v)
{
    bool everyone = values_bool(v, "everyone", false);
    struct consent_state before;
    enum err e = consent_find(c, 0, &before);

    if (e || before.is_everyone == everyone)
        return e;
    struct query *q = query(c, consent_text[CONSENT_EVERYONE]);
    bind_int(q, 1, everyone);
    if ((e = query_run(c, q)))
        return e;
    static const char *const sides[] = {"{\"everyone\":false}",
                                        "{\"everyone\":true}"};
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "terms",
                                                .object_name = "",
                                                .before = sides[!everyone],
                                                .after = sides[everyone]});
}
