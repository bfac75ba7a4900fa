/* SPDX-License-Identifier: Apache-2.0 */
/* Dates are laid around today, so that the demo is always in the middle of
 * its project: some things done, some late, most to come.  The plans enter by
 * the same door as everybody's: core/import.h. */
#include "cli/sample.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/sample_plan.h"
#include "cli/sample_register.h"
#include "core/import.h"
#include "core/member.h"
#include "core/operator.h"
#include "core/password.h"
#include "core/program.h"
#include "core/project.h"
#include "core/registry.h"
#include "core/user.h"

#include <string.h>

const char sample_tenant[] = "kaku";

static const struct {
    const char *email, *name;
    const char *role; /* on the first program; NULL: master administrator */
} people[SAMPLE_ACCOUNTS] = {
    {"sato@kaku.example",      "佐藤 健一",    NULL         },
    {"suzuki@kaku.example",    "鈴木 美咲",    "manager"    },
    {"takahashi@kaku.example", "高橋 直樹",    "leader"     },
    {"tanaka@kaku.example",    "田中 由紀子", "leader"     },
    {"ito@kaku.example",       "伊藤 大輔",    "member"     },
    {"watanabe@kaku.example",  "渡辺 さくら", "member"     },
    {"yamamoto@kaku.example",  "山本 拓也",    "member"     },
    {"nakamura@kaku.example",  "中村 恵",       "member"     },
    {"kobayashi@kaku.example", "小林 修",       "contributor"},
    {"kato@kaku.example",      "加藤 アンナ", "viewer"     },
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
                           int64_t *id)
{
    const char *cells[] = {people[i].email, people[i].name, "ja", "false"};
    const struct values *v;
    struct user u;
    enum err e = values_parse_cells(c, &user_form, cells, &v);

    if (e)
        return e;
    if ((e = user_create(c, app, v, &u)))
        return e;
    *id = u.id;
    return OK;
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
                           NULL};
    const struct values *v;
    struct program p;
    enum err e = values_parse_cells(c, &program_form, cells, &v);

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
    {"ERP",    "基幹システム刷新（ERP 導入）", "waterfall", sample_erp,
     &sample_erp_count,                                                                                   0, 170, 370},
    {"PORTAL", "社内ポータル再構築",              "waterfall", sample_portal,
     &sample_portal_count,                                                                                0, 20,  90 },
    {"SALES",  "営業・倉庫アプリ開発",           "agile",     sample_app,    &sample_app_count, 1,
     30,                                                                                                          150},
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
    enum err e = values_parse_cells(c, &project_form, cells, &v);

    if (!e)
        e = project_create(c, v, &p);
    return e ? e : add_plan(c, p.id, s->rows, *s->count, start);
}

static enum err fill(struct ctx *c, const struct app *app,
                     const char *const hashes[SAMPLE_ACCOUNTS])
{
    int64_t ids[SAMPLE_ACCOUNTS] = {c->actor->user_id};
    int64_t programs[2];
    enum err e = password_store(c, ids[0], hashes[0]);

    for (int i = 1; !e && i < SAMPLE_ACCOUNTS; i++)
        if (!(e = add_person(c, app, i, &ids[i])))
            e = password_store(c, ids[i], hashes[i]);
    if (!e)
        e = add_program(c, "DX", "全社 DX 推進プログラム", ids[1],
                        &programs[0]);
    if (!e)
        e = add_program(c, "SHOP", "販売チャネル強化プログラム", ids[3],
                        &programs[1]);
    for (int i = 1; !e && i < SAMPLE_ACCOUNTS; i++)
        for (int p = 0; !e && p < 2; p++)
            e = member_put(
                c, (struct member_place){MEMBER_OF_PROGRAM, programs[p]},
                ids[i], people[i].role);
    for (size_t i = 0; !e && i < COUNT(projects); i++)
        e = add_project(c, &projects[i], programs[projects[i].program],
                        ids[projects[i].program ? 3 : 1]);
    return e;
}

/* The first administrator does it all, as a person would. */
static enum err fill_as_admin(struct ctx *c, struct app *app,
                              const char *const hashes[SAMPLE_ACCOUNTS])
{
    struct user_secret admin = {0};
    struct actor actor = *c->actor;
    struct ctx as_admin = *c;
    struct tenant *t;
    enum err e = tenant_open(app->store, sample_tenant, &t);

    if (e)
        return e;
    as_admin.actor = &actor;
    if (!(e = tx_begin(&as_admin, t, TX_WRITE))) {
        e = user_find_secret(&as_admin, people[0].email, &admin);
        actor.user_id = admin.id;
        actor.name = people[0].name;
        actor.is_admin = true;
        if (!e)
            e = fill(&as_admin, app, hashes);
        e = tx_end(&as_admin, t, e);
    }
    c->fail = as_admin.fail;
    tenant_close(t);
    return e;
}

enum err sample_create(struct ctx *c, struct app *app,
                       struct sample_account out[SAMPLE_ACCOUNTS])
{
    const char *hashes[SAMPLE_ACCOUNTS];
    struct registry_create what = {.id = sample_tenant,
                                   .name = "株式会社 架空商事",
                                   .admin_email = people[0].email,
                                   .admin_name = people[0].name,
                                   .lang = LANG_JA};
    enum err e = hash_passwords(c, app, out, hashes);

    if (!e)
        e = registry_create(c, app, &what);
    return e ? e : fill_as_admin(c, app, hashes);
}

enum err sample_operator(struct ctx *c, const struct app *app,
                         const char *token, struct sample_account *out)
{
    *out = (struct sample_account){.email = "operator@example.jp",
                                   .name = "運用 一郎",
                                   .role = "operator"};
    make_password(out->password);
    const char *cells[] = {token, out->email, out->name, out->password, "ja"};
    const struct values *v;
    struct tenant *t;
    enum err e = values_parse_cells(c, &operator_setup_form, cells, &v);

    if (e || (e = tenant_open(app->store, STORE_OPERATOR, &t)))
        return e;
    e = operator_set_up(c, app, t, v);
    tenant_close(t);
    return e ? e : sample_register(c, app, out->name);
}
