/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

/* A seeded tenant with people, a program and a project in it.  Each step is a
 * request of its own: an arena, a moment, a transaction. */
#include "db/db_fixture.h"

#include "base/civil.h"
#include "base/crypto.h"
#include "base/json.h"
#include "core/access/access.h"
#include "core/access/member.h"
#include "core/master/catalogue.h"
#include "core/work/plan_edit.h"
#include "core/work/plan_view.h"
#include "core/work/program.h"
#include "core/work/project.h"

struct world {
    struct fixture *f;
    struct actor actor;
    struct ctx c;
    int64_t admin, mari, program, project;
};

#define NOW_US INT64_C(1795312800000000) /* 2026-11-22T11:20:00+09:00 */

static void world_begin(struct world *w, int64_t user, enum tx_mode mode)
{
    static int requests;

    arena_reset(w->f->c.mem);
    w->actor = (struct actor){.user_id = user,
                              .name = "Tester",
                              .ip = "192.0.2.1",
                              .request_id = "0123456789abcdef",
                              .tenant = "acme",
                              .base_url = "https://example.jp",
                              .lang = LANG_EN,
                              .is_admin = user == w->admin};
    w->c = (struct ctx){.mem = w->f->c.mem,
                        .actor = &w->actor,
                        .now_us = NOW_US + requests++ * 1000000};
    must(tx_begin(&w->c, w->f->t, mode) == OK);
}

static inline enum err world_end(struct world *w, enum err e)
{
    return tx_end(&w->c, w->f->t, e);
}

static inline int64_t world_number(struct world *w, const char *sql, int64_t id)
{
    int64_t number = -1;

    world_begin(w, w->admin, TX_READ);
    struct query *q = query(&w->c, sql);
    if (strstr(sql, "?1"))
        bind_int(q, 1, id);
    if (!query_one(&w->c, q))
        number = col_is_null(q, 0) ? -1 : col_int(q, 0);
    must(world_end(w, OK) == OK);
    return number;
}

static int64_t world_add_user(struct world *w, const char *email,
                              const char *name)
{
    struct query *q =
        query(&w->c, "INSERT INTO user (email, email_fold, name, state,"
                     " is_admin, created_at) VALUES (?1, ?1, ?2, 1, 0, 0)");

    bind_text(q, 1, email);
    bind_text(q, 2, name);
    must(query_run(&w->c, q) == OK);
    return db_last_id(&w->c);
}

static inline const struct values *
world_values(struct world *w, const struct form *form, const char *json)
{
    const struct values *v = NULL;

    if (values_parse_json(&w->c, form, json, strlen(json), &v))
        return NULL;
    return v;
}

static int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct program program;
    struct project project;

    must(w);
    (void)fixture_set_up(state);
    w->f = *state;
    *state = w;
    must(crypto_init() == OK);
    must(tenant_create(w->f->store, "acme") == OK);
    must(tenant_open(w->f->store, "acme", &w->f->t) == OK);
    w->admin = 1;
    world_begin(w, 1, TX_WRITE);
    must(seed_tenant(&w->c, "Acme", LANG_JA) == OK);
    must(world_add_user(w, "admin@example.jp", "管理 太郎") == 1);
    must(query_run(&w->c, query(&w->c, "UPDATE user SET is_admin = 1")) == OK);
    w->mari = world_add_user(w, "mari@example.jp", "山田 まり");
    must(program_create(
             &w->c,
             world_values(w, &program_form, "{\"key\":\"DX\",\"name\":\"DX\"}"),
             &program) == OK);
    w->program = program.id;
    must(project_create(
             &w->c,
             world_values(w, &project_form,
                          arena_printf(w->c.mem,
                                       "{\"key\":\"ERP\",\"name\":\"ERP導入\","
                                       "\"approach\":\"waterfall\","
                                       "\"program\":\"%lld\"}",
                                       (long long)program.id)),
             &project) == OK);
    w->project = project.id;
    must(world_end(w, OK) == OK);
    return 0;
}

static int world_tear_down(void **state)
{
    struct world *w = *state;

    tenant_close(w->f->t);
    *state = w->f;
    (void)fixture_tear_down(state);
    free(w);
    return 0;
}

/* One request that edits; on failure w->c.fail says why until the next. */
static inline enum err world_edit(struct world *w, int64_t user,
                                  const char *json)
{
    struct plan_edit_result r;

    world_begin(w, user, TX_WRITE);
    const struct values *v = world_values(
        w, &plan_edit_form, arena_printf(w->c.mem, "{\"edits\":[%s]}", json));
    enum err e =
        v ? plan_edit_apply_form(&w->c, w->project, v, -1, &r) : ERR_INVALID;
    return world_end(w, e);
}

static inline int64_t world_day(struct world *w, int64_t no, const char *column)
{
    static const char start[] = "SELECT planned_start FROM ticket"
                                " WHERE no = ?1";
    static const char end[] = "SELECT planned_end FROM ticket WHERE no = ?1";

    return world_number(w, *column == 's' ? start : end, no);
}

static inline int32_t day(const char *text)
{
    int32_t out = 0;

    must(civil_parse(text, &out));
    return out;
}

#endif
