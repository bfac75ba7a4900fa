/* SPDX-License-Identifier: Apache-2.0 */
/* Dates are laid around today, so that the demo is always in the middle of
 * its project: some things done, some late, most to come.  The plans enter by
 * the same door as everybody's: core/exchange/import.h. */
#include "cli/sample.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/sample_plan.h"
#include "cli/sample_register.h"
#include "cli/sample_service.h"
#include "core/access/member.h"
#include "core/account/password.h"
#include "core/account/user.h"
#include "core/console/operator.h"
#include "core/contract/customer_make.h"
#include "core/exchange/import.h"
#include "core/master/label.h"
#include "core/tenant/tenant_directory.h"
#include "core/work/program.h"
#include "core/work/project.h"

#include <string.h>

static const struct {
    const char *email, *name;
    const char *role; /* on the first program; NULL: master administrator */
} people[SAMPLE_ACCOUNTS] = {
    {"sato@kaku.example", "佐藤 健一", NULL},
    {"suzuki@kaku.example", "鈴木 美咲", "manager"},
    {"takahashi@kaku.example", "高橋 直樹", "leader"},
    {"tanaka@kaku.example", "田中 由紀子", "leader"},
    {"ito@kaku.example", "伊藤 大輔", "member"},
    {"watanabe@kaku.example", "渡辺 さくら", "member"},
    {"yamamoto@kaku.example", "山本 拓也", "member"},
    {"nakamura@kaku.example", "中村 恵", "member"},
    {"kobayashi@kaku.example", "小林 修", "contributor"},
    {"kato@kaku.example", "加藤 アンナ", "viewer"},
};

/* ---- people ---- */

/* 16 characters of the whitepaper policy: lower, upper, digit and symbol. */
static void make_password(char out[17])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    uint8_t random[16];

    crypto_random(random, sizeof(random));
    for (int i = 0; i < 16; i++)
        out[i] = letters[random[i] % (sizeof(letters) - 1)];
    out[0] = 'Y';
    out[5] = '-';
    out[10] = '-';
    out[15] = (char)('2' + random[15] % 8);
    out[16] = 0;
}

static enum err add_person(struct ctx *c, const struct app *app, int i,
                           struct sample_account *out)
{
    const char *cells[] = {people[i].email, people[i].name, "ja", "false"};
    const struct values *v;
    struct user u;
    enum err e = values_parse_cells(c, &user_form, cells, &v);

    if (e)
        return e;
    if ((e = user_create(c, app, v, &u)))
        return e;
    out->id = u.id;
    return OK;
}

static enum err find_person(struct ctx *c, struct sample_account *out)
{
    struct user_secret u = {0};
    enum err e = user_find_secret(c, out->email, &u);

    out->id = u.id;
    out->is_admin = true;
    return e;
}

/* Passwords are hashed before the transaction. */
static enum err hash_passwords(struct ctx *c, const struct app *app,
                               struct sample_account *accounts,
                               const char *hashes[SAMPLE_ACCOUNTS])
{
    for (int i = 0; i < SAMPLE_ACCOUNTS; i++) {
        accounts[i].email = people[i].email;
        accounts[i].name = people[i].name;
        accounts[i].role = people[i].role ? people[i].role : "administrator";
        accounts[i].is_admin = !people[i].role;
        make_password(accounts[i].password);
        enum err e =
            secret_hash(c->mem, app->pepper, accounts[i].password, &hashes[i]);
        if (e)
            return e;
    }
    return OK;
}

/* ---- plans ---- */

struct plan_clock {
    int32_t start; /* of the project */
    int32_t today;
};

static int32_t skip_weekend(int32_t day)
{
    while (civil_weekday(day) == 0 || civil_weekday(day) == 6)
        day++;
    return day;
}

static int32_t add_days(int32_t day, int days)
{
    for (day = skip_weekend(day); days > 0; days--)
        day = skip_weekend(day + 1);
    return day;
}

static const char *day_text(struct ctx *c, int32_t day)
{
    char text[11];

    civil_format(day, text);
    return arena_strdup(c->mem, text);
}

static const char *kind_word(char kind)
{
    switch (kind) {
    case 'P':
        return "phase";
    case 'D':
        return "deliverable";
    case 'M':
        return "milestone";
    case 'E':
        return "epic";
    case 'S':
        return "story";
    case 'B':
        return "bug";
    default:
        return "task";
    }
}

/* What has happened by today: finished, under way (every fifth one behind),
 * or not begun. */
static void set_progress(struct ctx *c, struct plan_item *item, size_t row,
                         int32_t start, int32_t end, int32_t today)
{
    bool behind = row % 5 == 3;
    int percent = 0;

    if (end < today - (behind ? 12 : 0))
        percent = 100;
    else if (start < today)
        percent = (int)((int64_t)100 * (today - start) /
                        (end - start + 1 + (behind ? 9 : 1)));
    percent = percent > 100 ? 100 : percent - percent % 10;
    item->cell[PLAN_PROGRESS] = arena_printf(c->mem, "%d", percent);
    if (start < today && percent > 0)
        item->cell[PLAN_ACTUAL_START] = day_text(c, start);
    if (percent == 100)
        item->cell[PLAN_ACTUAL_END] = day_text(c, end);
    item->cell[PLAN_STATUS] = percent == 100 ? "done"
                              : percent > 0  ? "doing"
                                             : "todo";
}

/* A row's place in time, walked in order: a leaf begins the day after what it
 * follows; a parent's first child follows what the parent follows. */
struct walk {
    int last[8];      /* by level: the row before on that level, -1 */
    int32_t end[8];   /* latest end below, by level */
    int32_t begin[8]; /* where "beside" begins */
};

static bool is_parent(const struct sample_row *rows, size_t count, size_t i)
{
    return i + 1 < count && rows[i + 1].level > rows[i].level;
}

static void place_row(struct ctx *c, const struct sample_row *rows,
                      size_t count, size_t i, const struct plan_clock *clock,
                      struct walk *w, struct plan_item *item)
{
    const struct sample_row *r = &rows[i];
    int level = r->level;
    bool first = w->last[level] < 0;
    int32_t begin = first            ? w->begin[level - 1]
                    : r->link == '=' ? w->begin[level]
                                     : skip_weekend(w->end[level] + 1);

    if (r->link == '~')
        begin = clock->start + (int32_t)i * 3;
    if (r->link == '+')
        begin = add_days(begin, 2);
    begin = skip_weekend(begin);
    if (r->kind == 'M' && !first)
        begin = w->end[level]; /* the day the last thing before it ends */
    w->begin[level] = begin;
    for (int l = level + 1; l < 8; l++) {
        w->last[l] = -1;
        w->end[l] = begin - 1;
    }
    int32_t end = add_days(begin, r->days > 1 ? r->days - 1 : 0);
    if (!is_parent(rows, count, i)) {
        item->cell[PLAN_START] = day_text(c, begin);
        item->cell[PLAN_END] = day_text(c, end);
        set_progress(c, item, i, begin, end, clock->today);
        for (int l = level; l >= 0; l--)
            if (end > w->end[l])
                w->end[l] = end;
    }
    w->last[level] = (int)i;
}

static const struct {
    const char *kind, *name, *color;
} labels[] = {
    {"project", "全社共通", "blue"}, {"phase", "要件定義", "violet"},
    {"phase", "設計", "teal"},       {"phase", "移行", "amber"},
    {"team", "業務チーム", "green"}, {"free", "顧客確認", "orange"},
    {"free", "至急", "red"},
};

/* Every third row bears some. */
/* One of a kind, for a program or project. */
static enum err label_ids(struct ctx *c, const char *name, const char **out)
{
    const struct label *list;
    size_t count;
    enum err e = label_list_plain(c, &list, &count);

    *out = NULL;
    for (size_t i = 0; i < count && !e; i++)
        if (strcmp(list[i].name, name) == 0)
            *out = arena_printf(c->mem, "%lld", (long long)list[i].id);
    return e;
}

static const char *labels_of(size_t row)
{
    static const char *const some[] = {"顧客確認", "設計||業務チーム",
                                       "要件定義", "至急", "移行||顧客確認"};

    return row % 3 == 1 ? some[row / 3 % COUNT(some)] : NULL;
}

static enum err add_labels(struct ctx *c)
{
    enum err e = OK;

    for (size_t i = 0; i < COUNT(labels) && !e; i++) {
        const char *cells[] = {labels[i].kind, labels[i].name, labels[i].color};
        const struct values *v;
        struct label made;
        e = values_parse_cells(c, &label_form, cells, &v);
        if (!e)
            e = label_create(c, v, &made);
    }
    return e;
}

static void fill_item(struct ctx *c, const struct sample_row *rows, size_t i,
                      struct plan_item *item, const struct walk *w)
{
    const struct sample_row *r = &rows[i];

    item->line = (int)i + 2;
    item->cell[PLAN_ID] = arena_printf(c->mem, "R%zu", i);
    item->cell[PLAN_LEVEL] = arena_printf(c->mem, "%d", r->level);
    item->cell[PLAN_SUBJECT] = r->subject;
    item->cell[PLAN_CLASSIFICATION] = kind_word(r->kind);
    item->cell[PLAN_ASSIGNEE] = r->owner >= 0 ? people[r->owner].email : NULL;
    item->cell[PLAN_LABELS] = labels_of(i);
    item->cell[PLAN_PRIORITY] = i % 11 == 5 ? "high" : "medium";
    if (r->days > 0)
        item->cell[PLAN_ESTIMATE] = arena_printf(c->mem, "%d", r->days * 6);
    if (w->last[r->level] < 0 || r->link == '=' || r->link == '~')
        return;
    item->cell[PLAN_PREDECESSORS] =
        arena_printf(c->mem, "R%d FS%s", w->last[r->level],
                     r->kind == 'M'   ? ""
                     : r->link == '+' ? "+2"
                                      : "");
}

/* A parent is done when all below is, under way when anything has begun. */
static void set_parent_status(const struct sample_row *rows, size_t count,
                              struct plan_item *items)
{
    for (size_t i = count; i-- > 0;) {
        bool begun = false, done = true;
        if (!is_parent(rows, count, i))
            continue;
        for (size_t n = i + 1; n < count && rows[n].level > rows[i].level;
             n++) {
            const char *word = items[n].cell[PLAN_STATUS];
            begun = begun || strcmp(word, "todo") != 0;
            done = done && strcmp(word, "done") == 0;
        }
        items[i].cell[PLAN_STATUS] = done ? "done" : begun ? "doing" : "todo";
    }
}

static enum err add_plan(struct ctx *c, int64_t project_id,
                         const struct sample_row *rows, size_t count,
                         int32_t start)
{
    struct plan_file file = {.count = count};
    struct plan_clock clock = {start, clock_today(c->now_us)};
    struct walk w;
    struct import_report report;

    for (int l = 0; l < 8; l++) {
        w.last[l] = -1;
        w.begin[l] = w.end[l] = start;
    }
    file.items = arena_array(c->mem, struct plan_item, count);
    for (size_t i = 0; i < count; i++) {
        fill_item(c, rows, i, &file.items[i], &w);
        place_row(c, rows, count, i, &clock, &w, &file.items[i]);
    }
    set_parent_status(rows, count, file.items);
    enum err e = import_plan(c, project_id, &file, false, &report);
    for (size_t i = 0; e && i < report.error_count; i++)
        log_error("sample line=%d rule=%s %s", report.errors[i].line,
                  report.errors[i].rule, report.errors[i].message);
    return e;
}

/* ---- programs and projects ---- */

static enum err add_program(struct ctx *c, const char *key, const char *name,
                            int64_t manager, int64_t *id)
{
    const char *cells[] = {key,
                           name,
                           NULL,
                           NULL,
                           arena_printf(c->mem, "%lld", (long long)manager),
                           NULL,
                           NULL,
                           NULL};
    const struct values *v;
    struct program p;
    enum err e = label_ids(c, "全社共通", &cells[7]);

    if (!e)
        e = values_parse_cells(c, &program_form, cells, &v);
    if (!e)
        e = program_create(c, v, &p);
    if (!e)
        *id = p.id;
    return e;
}

struct sample_project {
    const char *key, *name, *approach;
    const struct sample_row *rows;
    const size_t *count;
    int program, began_days_ago, days;
};

static const struct sample_project projects[] = {
    {"ERP", "基幹システム刷新（ERP 導入）", "waterfall", sample_erp,
     &sample_erp_count, 0, 170, 370},
    {"PORTAL", "社内ポータル再構築", "waterfall", sample_portal,
     &sample_portal_count, 0, 20, 90},
    {"SALES", "営業・倉庫アプリ開発", "agile", sample_app, &sample_app_count, 1,
     30, 150},
};

static enum err add_project(struct ctx *c, const struct sample_project *s,
                            int64_t program, int64_t manager)
{
    int32_t start = skip_weekend(clock_today(c->now_us) - s->began_days_ago);
    const char *cells[] = {s->key,
                           s->name,
                           s->approach,
                           NULL,
                           arena_printf(c->mem, "%lld", (long long)program),
                           arena_printf(c->mem, "%lld", (long long)manager),
                           day_text(c, start),
                           day_text(c, skip_weekend(start + s->days)),
                           NULL,
                           NULL,
                           NULL,
                           NULL};
    const struct values *v;
    struct project p;
    enum err e = label_ids(c, "全社共通", &cells[10]);

    if (!e)
        e = values_parse_cells(c, &project_form, cells, &v);
    if (!e)
        e = project_create(c, v, &p);
    return e ? e : add_plan(c, p.id, s->rows, *s->count, start);
}

/* ---- the tenant ---- */

typedef enum err inside_fn(struct sample_stage *s,
                           struct sample_account *accounts,
                           const char *const *hashes);

static enum err inside(struct sample_stage *s, const char *tenant,
                       inside_fn *step, struct sample_account *accounts,
                       const char *const *hashes)
{
    struct tenant *t;
    enum err e = tenant_open(s->app->store, tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(s->c, t, TX_WRITE)))
        e = tx_end(s->c, t, step(s, accounts, hashes));
    tenant_close(t);
    return e;
}

static enum err find_admin(struct sample_stage *s,
                           struct sample_account *accounts,
                           const char *const *hashes)
{
    (void)hashes;
    return find_person(s->c, &accounts[0]);
}

static enum err store_passwords(struct sample_stage *s,
                                const struct sample_account *accounts,
                                const char *const *hashes)
{
    enum err e = OK;

    for (int i = 0; !e && i < SAMPLE_ACCOUNTS; i++)
        e = password_store(s->c, accounts[i].id, hashes[i]);
    return e;
}

/* With a password they are active, and mails reach them. */
static enum err add_people(struct sample_stage *s,
                           struct sample_account *accounts,
                           const char *const *hashes)
{
    enum err e = OK;

    for (int i = 1; !e && i < SAMPLE_ACCOUNTS; i++)
        e = add_person(s->c, s->app, i, &accounts[i]);
    return e ? e : store_passwords(s, accounts, hashes);
}

/* The first administrator does it all, as a person would.  Passwords are new
 * today: of 77 days ago they would soon expire. */
static enum err fill(struct sample_stage *s, struct sample_account *accounts,
                     const char *const *hashes)
{
    struct ctx *c = s->c;
    int64_t programs[2];
    enum err e = store_passwords(s, accounts, hashes);

    if (!e)
        e = add_labels(c);
    if (!e)
        e = add_program(c, "DX", "全社 DX 推進プログラム", accounts[1].id,
                        &programs[0]);
    if (!e)
        e = add_program(c, "SHOP", "販売チャネル強化プログラム", accounts[3].id,
                        &programs[1]);
    for (int i = 1; !e && i < SAMPLE_ACCOUNTS; i++)
        for (int p = 0; !e && p < 2; p++)
            e = member_put(
                c, (struct member_place){MEMBER_OF_PROGRAM, programs[p]},
                accounts[i].id, people[i].role);
    for (size_t i = 0; !e && i < COUNT(projects); i++)
        e = add_project(c, &projects[i], programs[projects[i].program],
                        accounts[projects[i].program ? 3 : 1].id);
    return e;
}

enum err sample_create(struct sample_stage *s,
                       struct sample_account out[SAMPLE_ACCOUNTS])
{
    const char *hashes[SAMPLE_ACCOUNTS];
    struct tenant_directory_create what = {.id = sample_tenant,
                                           .name = "株式会社 架空商事",
                                           .admin_email = people[0].email,
                                           .admin_name = people[0].name,
                                           .lang = LANG_JA};
    enum err e = hash_passwords(s->c, s->app, out, hashes);

    if (!e)
        e = sample_begin_service(s);
    if (e)
        return e;
    sample_as_person(s, (struct sample_when){78, 540}, NULL);
    if ((e = customer_make(s->c, s->app, &what)) ||
        (e = inside(s, sample_tenant, find_admin, out, hashes)) ||
        (e = sample_begin_contract(s)))
        return e;
    sample_as_person(s, (struct sample_when){77, 540}, &out[0]);
    if ((e = inside(s, sample_tenant, add_people, out, hashes)) ||
        (e = sample_live(s, out)))
        return e;
    sample_as_person(s, (struct sample_when){0, 0}, &out[0]);
    return inside(s, sample_tenant, fill, out, hashes);
}

/* ---- the operator ---- */

/* The first password is nobody's: 80 days later it would soon expire. */
enum err sample_operator(struct sample_stage *s, const char *token,
                         struct sample_account *out)
{
    *out = (struct sample_account){.email = "operator@example.jp",
                                   .name = "運用 一郎",
                                   .role = "operator"};
    make_password(out->password);
    const char *cells[] = {token, out->email, out->name, out->password, "ja"};
    const struct values *v;
    struct tenant *t;

    s->oper = out;
    sample_as_operator(s, (struct sample_when){80, 540});
    enum err e = values_parse_cells(s->c, &operator_setup_form, cells, &v);
    if (e || (e = tenant_open(s->app->store, STORE_OPERATOR, &t)))
        return e;
    e = operator_set_up(s->c, s->app, t, v);
    tenant_close(t);
    return e ? e : inside(s, STORE_OPERATOR, find_admin, out, NULL);
}

static enum err renew_password(struct sample_stage *s,
                               struct sample_account *oper,
                               const char *const *hashes)
{
    return password_store(s->c, oper->id, hashes[0]);
}

enum err sample_finish(struct sample_stage *s, struct sample_account *out)
{
    const char *hash;

    sample_as_operator(s, (struct sample_when){0, 0});
    enum err e = sample_register(s->c, s->app, out->name);
    if (e)
        return e;
    make_password(out->password);
    e = secret_hash(s->c->mem, s->app->pepper, out->password, &hash);
    return e ? e : inside(s, STORE_OPERATOR, renew_password, out, &hash);
}
