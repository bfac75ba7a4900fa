/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured in a tenant's file of its people, their rights and the
 * ways in.  Each figure that decides is one that the rules elsewhere keep at
 * zero: it is counted in what is stored, not asked of those rules. */
#include "core/trust/trust.h"

#include "base/clock.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/access/access_review.h"
#include "core/access/role.h"
#include "core/account/auth_policy.h"
#include "core/account/sign_in.h"
#include "core/account/support_access.h"
#include "core/account/token.h"
#include "core/core.h"
#include "core/document/consent.h"
#include "core/master/catalogue.h"
#include "core/master/label.h"
#include "core/work/project.h"

#include <string.h>

#define US_PER_HOUR INT64_C(3600000000)
#define US_PER_DAY  (24 * US_PER_HOUR)

enum {
    PEOPLE_COUNT,
    PEOPLE_GRANTS,
    PEOPLE_CODES,
    PEOPLE_WAYS_IN,
    PEOPLE_LINKS,
    PEOPLE_GROUPS,
    PEOPLE_SUPPORT,
};
static const char *const people_text[] = {
    [PEOPLE_COUNT] =
        "SELECT coalesce(sum(state = 1), 0),"
        " coalesce(sum(state = 1 AND is_admin), 0), coalesce((SELECT at FROM"
        " operation WHERE kind = 'user' ORDER BY seq DESC LIMIT 1), 0)"
        " FROM user",
    [PEOPLE_GRANTS] =
        "SELECT (SELECT count(*) FROM project WHERE deleted_at IS NULL),"
        " (SELECT count(*) FROM access), (SELECT count(*) FROM user u"
        " CROSS JOIN access a ON a.principal = u.id WHERE u.state = 3)"
        " + (SELECT count(*) FROM user u CROSS JOIN group_member m"
        " ON m.user_id = u.id WHERE u.state = 3)",
    /* the log of 30 days; what is open now, and by what it was opened */
    [PEOPLE_CODES] =
        "SELECT (SELECT count(*) FROM operation WHERE kind = 'session'"
        " AND action = 'sign_in' AND at >= ?1),"
        " (SELECT count(*) FROM session WHERE level = 1"
        " AND support_id IS NULL), (SELECT count(*) FROM session"
        " WHERE level = 1 AND support_id IS NULL AND proved & ?2 = 0)",
    [PEOPLE_WAYS_IN] =
        "SELECT (SELECT count(*) FROM allow_range),"
        " coalesce(length(t.allowed), 0) / 17, t.tokens,"
        " (SELECT count(*) FROM token WHERE expires_at > ?1),"
        " (SELECT count(*) FROM token WHERE expires_at > created_at + ?2)"
        " FROM tenant t WHERE t.id = 1",
    [PEOPLE_LINKS] = "SELECT count(*), coalesce(sum(expires_at > created_at +"
                     " ?1), 0) FROM link WHERE used_at IS NULL",
    [PEOPLE_GROUPS] = "SELECT count(*) FROM permission_group",
    /* open ones; of all that were granted: without a decision, for longer
     * than a day, or a supporter's session that hangs on no open grant */
    [PEOPLE_SUPPORT] =
        "SELECT (SELECT count(*) FROM support WHERE state = 1"
        " AND expires_at > ?1), (SELECT count(*) FROM support WHERE state = 1"
        " AND (decided_at IS NULL OR decided_by IS NULL OR expires_at IS NULL"
        " OR expires_at > decided_at + hours * 3600000000 OR hours > ?2)),"
        " (SELECT count(*) FROM session JOIN user u ON u.id = session.user_id"
        " WHERE level = 1 AND u.state = 3 AND NOT EXISTS (SELECT 1 FROM"
        " support g WHERE g.id = support_id AND g.user_id = u.id"
        " AND g.decided_at IS NOT NULL))",
};
const struct query_set trust_people_queries = {"trust_people", people_text,
                                               COUNT(people_text)};

/* ---- row 2 ---- */

static enum err measure_consent(struct ctx *c, int64_t owed,
                                struct trust_list *out)
{
    int64_t no, at;
    enum err e = consent_find_whole(c, &no, &at);

    if (e)
        return e;
    if (!no)
        trust_show(c, out, 2, false, "まだ同意されていません",
                   "Not accepted yet");
    else
        trust_show(c, out, 2, no >= owed,
                   "第%lld版に %s に同意（同意の要る最新の版: 第%lld版）",
                   "Version %lld accepted at %s (the newest that must be: "
                   "version %lld)",
                   (long long)no, trust_moment(c, at), (long long)owed);
    return OK;
}

/* ---- row 6 ---- */

static bool is_color(const char *name)
{
    for (const char *const *w = color_words; *w; w++)
        if (str_equal(*w, name))
            return true;
    return false;
}

/* Labels that cannot be told from another of their kind, or are not drawn. */
static int count_unreadable(struct ctx *c, const struct label *l, size_t count)
{
    const char **folded = arena_array(c->mem, const char *, count + 1);
    int bad = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_bad = !is_color(l[i].color);
        folded[i] = str_fold(c->mem, l[i].name);
        for (size_t k = 0; k < i && !is_bad; k++)
            is_bad =
                l[k].kind == l[i].kind && strcmp(folded[k], folded[i]) == 0;
        bad += is_bad;
    }
    return bad;
}

static enum err measure_labels(struct ctx *c, struct trust_list *out)
{
    const struct label *list;
    size_t count;
    int64_t kinds[4] = {0}, tickets = 0, projects = 0, programs = 0;
    enum err e = label_list(c, &list, &count);

    if (e)
        return e;
    for (size_t i = 0; i < count; i++) {
        kinds[list[i].kind]++;
        tickets += list[i].tickets;
        projects += list[i].projects;
        programs += list[i].programs;
    }
    int bad = count_unreadable(c, list, count);
    trust_show(
        c, out, 6, bad == 0,
        "ラベル: プロジェクト名 %lld、フェーズ名 %lld、チーム名 %lld、自由 "
        "%lld。チケットへの付与 %lld 件、プロジェクトへの付与 %lld 件、"
        "プログラムへの付与 %lld 件。"
        "見分けられないラベル %d 件",
        "Labels: project %lld, phase %lld, team %lld, free %lld; given to "
        "tickets %lld times, to projects %lld times, to programs %lld times; "
        "not to be told "
        "apart: %d",
        (long long)kinds[0], (long long)kinds[1], (long long)kinds[2],
        (long long)kinds[3], (long long)tickets, (long long)projects,
        (long long)programs, bad);
    return OK;
}

/* ---- rows 7, 8, 11 ---- */

static enum err measure_users(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, people_text[PEOPLE_COUNT]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    int64_t admins = col_int(q, 1), at = col_int(q, 2);
    trust_show(c, out, 7, admins > 0,
               "利用者 %lld 人、うちマスター管理者 %lld 人。利用者の最後の変更 "
               "%s",
               "%lld users, %lld of them master administrators; last change of "
               "a user %s",
               (long long)col_int(q, 0), (long long)admins,
               at ? trust_moment(c, at) : "-");
    query_done(q);
    return OK;
}

/* Asks the decision itself, in the name of somebody who holds nothing. */
static enum err ask_as_stranger(struct ctx *c, int64_t *out)
{
    struct actor nobody = *c->actor;
    struct ctx asking = *c;
    const struct project *list;
    size_t count;

    nobody.user_id = INT64_MAX;
    nobody.is_admin = nobody.is_reader = false;
    nobody.limit_token_id = 0;
    asking.actor = &nobody;
    enum err e = project_list(&asking, &list, &count);
    *out = e ? 0 : (int64_t)count;
    return e;
}

static enum err measure_grants(struct ctx *c, struct trust_list *out)
{
    int64_t seen;
    enum err e = ask_as_stranger(c, &seen);

    if (e)
        return e;
    struct query *q = query(c, people_text[PEOPLE_GRANTS]);
    if ((e = query_one(c, q)))
        return e;
    int64_t gone = col_int(q, 2);
    trust_show(c, out, 8, seen == 0 && gone == 0,
               "プロジェクト %lld 件、権限の付与 %lld 件。付与のない人に見える"
               "プロジェクト %lld 件、削除された人に残る付与 %lld 件",
               "%lld projects, %lld grants; seen by somebody without a grant: "
               "%lld projects; left to people who are gone: %lld grants",
               (long long)col_int(q, 0), (long long)col_int(q, 1),
               (long long)seen, (long long)gone);
    query_done(q);
    return OK;
}

static enum err measure_review(struct ctx *c, struct trust_list *out)
{
    int64_t at;
    bool is_review;
    enum err e = access_review_last(c, &at, &is_review);

    if (e)
        return e;
    bool is_due = c->now_us - at > ACCESS_REVIEW_DAYS * US_PER_DAY;
    if (is_review)
        trust_show(c, out, 8, !is_due, "このテナントの最後の権限の見直し %s",
                   "This tenant's last review of rights %s",
                   trust_moment(c, at));
    else
        trust_show(
            c, out, 8, !is_due,
            "このテナントの権限の見直しはまだ記録されていません（利用開始 "
            "%s、1年以内に1回）",
            "This tenant has noted no review of rights yet (begun %s; one "
            "is due within a year)",
            trust_moment(c, at));
    return OK;
}

static enum err measure_roles(struct ctx *c, struct trust_list *out)
{
    const struct role *list;
    size_t count;
    int own = 0, unsound = 0;
    enum err e = role_list(c, &list, &count);

    if (e)
        return e;
    for (size_t i = 0; i < count; i++) {
        own += !list[i].is_system;
        unsound += !role_is_sound(list[i].rights);
    }
    struct query *q = query(c, people_text[PEOPLE_GROUPS]);
    if ((e = query_one(c, q)))
        return e;
    trust_show(
        c, out, 11, count > 0 && unsound == 0,
        "ロール %zu 件（独自 %d 件）、権限グループ %lld 件。見えないものを"
        "変更できるロール %d 件",
        "%zu roles (%d of the tenant's own), %lld permission groups; "
        "roles that change what they cannot see: %d",
        count, own, (long long)col_int(q, 0), unsound);
    query_done(q);
    return OK;
}

/* ---- rows 9, 10 ---- */

static enum err measure_codes(struct ctx *c, const struct auth_policy *p,
                              struct trust_list *out)
{
    struct query *q = query(c, people_text[PEOPLE_CODES]);
    unsigned needed =
        p->profile == AUTH_POLICY_MODERN ? OWES_CODE | OWES_FACTOR : OWES_CODE;

    bind_int(q, 1, c->now_us - 30 * US_PER_DAY);
    bind_int(q, 2, needed);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t without = col_int(q, 2);
    trust_show(c, out, 9, without == 0,
               "30日間のサインイン %lld 回。いま開いているセッション %lld 件の"
               "うち、パスワードだけで開いたもの %lld 件",
               "%lld sign-ins in 30 days; of %lld sessions open now, opened by "
               "a password alone: %lld",
               (long long)col_int(q, 0), (long long)col_int(q, 1),
               (long long)without);
    trust_show(c, out, 12, without == 0,
               "確認コードなしで開いているセッション %lld 件",
               "Sessions open without their code: %lld", (long long)without);
    query_done(q);
    return OK;
}

/* Every request is held against the packed copy of the list. */
static enum err measure_ways_in(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, people_text[PEOPLE_WAYS_IN]);

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, TOKEN_DAYS_MAX * US_PER_DAY);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t ranges = col_int(q, 0), checked = col_int(q, 1);
    bool may_have = col_int(q, 2) != 0;
    int64_t tokens = col_int(q, 3), too_long = col_int(q, 4);
    query_done(q);
    trust_show(c, out, 9, ranges == checked,
               "接続元の制限 %lld 件、要求ごとに照合される範囲 %lld 件",
               "%lld ranges of source addresses, %lld of them held against "
               "each request",
               (long long)ranges, (long long)checked);
    trust_show(
        c, out, 9, too_long == 0,
        "APIトークン: %s、期限内 %lld 件、1年を超えるもの %lld 件",
        "API tokens: %s, %lld in their time, %lld for longer than a year",
        may_have ? ctx_text(c, "許可", "allowed")
                 : ctx_text(c, "不許可", "not allowed"),
        (long long)tokens, (long long)too_long);
    return OK;
}

static enum err measure_secrets(struct ctx *c, const struct app *app,
                                const struct auth_policy *p,
                                struct trust_list *out)
{
    struct auth_policy_choice none = {.factors = AUTH_POLICY_TOTP |
                                                 AUTH_POLICY_PASSKEY};
    struct query *q = query(c, people_text[PEOPLE_LINKS]);
    struct auth_policy least;

    auth_policy_work_out(&app->floor, &none, &least);
    bool holds = p->min >= least.min && p->classes >= least.classes &&
                 (least.days == 0 || p->refuses_guessable ||
                  (p->days > 0 && p->days <= least.days));
    trust_show(
        c, out, 10, holds,
        "%s: %d～%d 文字、%d 種類以上、期限 %d 日（0は無期限）",
        "%s: %d to %d characters, %d kinds, good for %d days (0: no end)",
        auth_policy_profile_words[p->profile], p->min, p->max, p->classes,
        p->days);
    bind_int(q, 1, US_PER_DAY);
    enum err e = query_one(c, q);
    if (e)
        return e;
    trust_show(c, out, 10, col_int(q, 1) == 0,
               "未使用の招待・再設定リンク %lld 件、24時間を超えて有効なもの "
               "%lld 件",
               "Links not used yet: %lld, good for more than 24 hours: %lld",
               (long long)col_int(q, 0), (long long)col_int(q, 1));
    query_done(q);
    return OK;
}

static enum err measure_signing_in(struct ctx *c, const struct app *app,
                                   struct trust_list *out)
{
    struct auth_policy p;
    enum err e = auth_policy_get(c, app, &p);

    if (e || (e = measure_codes(c, &p, out)) || (e = measure_ways_in(c, out)))
        return e;
    return measure_secrets(c, app, &p, out);
}

/* ---- row 29 ---- */

static enum err measure_support(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, people_text[PEOPLE_SUPPORT]);

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, SUPPORT_ACCESS_HOURS_MAX);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t odd = col_int(q, 1), strays = col_int(q, 2);
    trust_show(c, out, 29, odd == 0 && strays == 0,
               "開いているサポートアクセス %lld 件、同意または期限のないもの "
               "%lld 件、同意に基づかないセッション %lld 件",
               "%lld support accesses are open; without consent or end: %lld; "
               "sessions that hang on no consent: %lld",
               (long long)col_int(q, 0), (long long)odd, (long long)strays);
    trust_show(c, out, 12, strays == 0,
               "お客様の同意に基づかないサポートのセッション %lld 件",
               "Sessions of supporters without the customer's consent: %lld",
               (long long)strays);
    query_done(q);
    return OK;
}

enum err trust_measure_people(struct ctx *c, const struct app *app,
                              int64_t terms_owed, struct trust_list *out)
{
    enum err e = measure_consent(c, terms_owed, out);

    if (e || (e = measure_labels(c, out)) || (e = measure_users(c, out)) ||
        (e = measure_grants(c, out)) || (e = measure_review(c, out)) ||
        (e = measure_roles(c, out)) || (e = measure_signing_in(c, app, out)))
        return e;
    return measure_support(c, out);
}
