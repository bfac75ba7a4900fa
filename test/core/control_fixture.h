/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTROL_FIXTURE_H
#define CORE_CONTROL_FIXTURE_H

/* The world of core_fixture.h with an operator: customers in control.db, of
 * whom acme alone has a file, and rounds of what is published to them. */
#include "core_fixture.h"

#include "base/clock.h"
#include "core/notice/notice.h"
#include "core/notice/notice_mail.h"
#include "core/tenant/tenant_status.h"
#include "core/trust/trust.h"

static const struct actor oper = {.user_id = 1,
                                  .name = "運用 一郎",
                                  .ip = "192.0.2.9",
                                  .request_id = "0123456789abcdef",
                                  .tenant = STORE_OPERATOR,
                                  .base_url = "",
                                  .lang = LANG_EN};

static inline void control(struct world *w, enum tx_mode mode)
{
    arena_reset(w->f->c.mem);
    w->c = (struct ctx){
        .mem = w->f->c.mem, .actor = &oper, .now_us = clock_now_us()};
    must(tx_begin_control(&w->c, w->f->store, mode) == OK);
}

static inline enum err end(struct world *w, enum err e)
{
    return tx_end_control(&w->c, w->f->store, e);
}

static inline void run(struct world *w, const char *sql)
{
    control(w, TX_WRITE);
    must(query_run(&w->c, query(&w->c, sql)) == OK);
    must(end(w, OK) == OK);
}

static inline int64_t control_number(struct world *w, const char *sql)
{
    control(w, TX_READ);
    struct query *q = query(&w->c, sql);
    must(query_one(&w->c, q) == OK);
    int64_t number = col_int(q, 0);
    query_done(q);
    must(end(w, OK) == OK);
    return number;
}

/* Row no of the trust page, as measure() sees it now: whether all of it holds,
 * and in *text what it says, a line each. */
typedef enum err measure_fn(struct ctx *c, struct trust_list *out);
static inline bool measured(struct world *w, measure_fn *measure,
                            const char **text)
{
    struct trust_list list = {.count = 0};
    bool holds = true;

    control(w, TX_READ);
    must(measure(&w->c, &list) == OK);
    *text = "";
    for (size_t i = 0; i < list.count; i++) {
        holds &= list.items[i].holds;
        *text = arena_printf(w->c.mem, "%s%s\n", *text, list.items[i].text);
    }
    must(end(w, OK) == OK);
    return holds;
}

static inline void look(struct world *w)
{
    struct app app = {.store = w->f->store,
                      .base_url = "https://example.jp",
                      .standings = tenant_status_open()};
    struct arena *mem = arena_open(0);

    w->c.mem = mem;
    must(tenant_status_load(&w->c, &app) == OK);
    notice_look(&app, mem);
    arena_close(mem);
    tenant_status_close(app.standings);
}

static inline void add_customers(struct world *w)
{
    run(w, "INSERT INTO customer (id, name, state, created_at) VALUES"
           " ('acme', 'Acme', 1, 1), ('closed', 'C', 1, 1),"
           " ('gone', 'G', 1, 1), ('making', 'M', 0, 1)");
    world_begin(w, w->admin, TX_WRITE);
    must(query_run(&w->c, query(&w->c, "UPDATE user SET is_admin = 1"
                                       " WHERE id = 1")) == OK);
    must(world_end(w, OK) == OK);
}

#endif
