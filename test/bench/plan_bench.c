/* SPDX-License-Identifier: Apache-2.0 */
/* Server time of the plan, without HTTP: 10,000 tickets made in one batch,
 * the whole plan as JSON, one dragged bar, a page of the list. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "bench/table.h"
#include "core/master/catalogue.h"
#include "core/work/plan_edit.h"
#include "core/work/plan_view.h"
#include "core/work/program.h"
#include "core/work/project.h"
#include "core/work/ticket_list.h"

#include "db/query.h"
#include "db/store.h"
#include "plan/network.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 10000, PER_PHASE = 50, RUNS = 20 };

static double now_ms(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static struct ctx open_ctx(struct arena *mem, struct actor *actor)
{
    *actor = (struct actor){.user_id = 1,
                            .name = "bench",
                            .ip = "::1",
                            .request_id = "bench",
                            .is_admin = true};
    arena_reset(mem);
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

/* The cells of a form by name: fields come and go. */
static const struct values *fields(struct ctx *c, const struct form *form,
                                   const char *const (*pairs)[2], size_t n)
{
    const char **cells = arena_array(c->mem, const char *, form->count);
    const struct values *v;

    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < form->count; f++)
            if (strcmp(form->fields[f].name, pairs[i][0]) == 0)
                cells[f] = pairs[i][1];
    must(values_parse_cells(c, form, cells, &v) == OK);
    return v;
}

static void seed(struct ctx *c, int64_t *project_id)
{
    static const char *const cells[][2] = {
        {"key", "BENCH"}, {"name", "bench"}, {"approach", "waterfall"}};
    struct project p;

    must(seed_tenant(c, "bench", LANG_JA) == OK);
    must(query_run(c, query(c, "INSERT INTO user (email, email_fold, name,"
                               " state, is_admin, created_at) VALUES ('a',"
                               " 'a', 'a', 1, 1, 0)")) == OK);
    must(project_create(c, fields(c, &project_form, cells, COUNT(cells)), &p) ==
         OK);
    *project_id = p.id;
}

static struct plan_edit task(struct ctx *c, int i)
{
    bool phase = i % PER_PHASE == 0;
    const char *parent = arena_printf(c->mem, "t%d", i - i % PER_PHASE);
    const char *const cells[][2] = {
        {"subject", arena_printf(c->mem, "要件定義と設計 %d", i)},
        {"classification", phase ? "phase" : "task"},
        {"parent", phase ? NULL : parent},
        {"assignee", "1"},
        {"planned_start", "2026-12-01"},
        {"planned_end", "2026-12-03"},
    };

    return (struct plan_edit){
        .op = PLAN_EDIT_CREATE,
        .ref = arena_printf(c->mem, "t%d", i),
        .values = fields(c, &ticket_edit_form, cells, COUNT(cells)),
        .is_import = true};
}

static void fill(struct ctx *c, int64_t project_id)
{
    struct plan_edit *edits = arena_array(c->mem, struct plan_edit, 2 * ROWS);
    struct plan_edit_result r;
    size_t n = 0;

    for (int i = 0; i < ROWS; i++)
        edits[n++] = task(c, i);
    for (int i = 2; i < ROWS; i++)
        if (i % PER_PHASE > 1)
            edits[n++] = (struct plan_edit){
                .op = PLAN_EDIT_LINK,
                .predecessor = arena_printf(c->mem, "t%d", i - 1),
                .successor = arena_printf(c->mem, "t%d", i),
                .kind = -1};
    double start = now_ms();
    enum err e = plan_edit_apply(c, project_id, edits, n, &r);
    if (e)
        (void)printf("%s %s\n", err_name(e), c->fail ? c->fail->message : "");
    must(e == OK);
    table_plain("import of 10,000 tickets, 9,800 links", now_ms() - start,
                " ms", "");
}

static double read_plan(struct ctx *c, int64_t project_id, size_t *bytes)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    double start = now_ms();

    must(plan_view_write(c, project_id, -1, &o) == OK);
    *bytes = b.len;
    return now_ms() - start;
}

static double read_list(struct ctx *c, int64_t project_id, size_t *bytes)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    struct ticket_filter f = {.category = -1, .limit = 50};
    double start = now_ms();

    must(ticket_list_write(c, project_id, &f, &o) == OK);
    *bytes = b.len;
    return now_ms() - start;
}

static double drag(struct ctx *c, int64_t project_id, int id, int day,
                   size_t *changed)
{
    const char *const cells[][2] = {
        {"planned_start", arena_printf(c->mem, "2026-12-%02d", day)},
        {"planned_end", arena_printf(c->mem, "2026-12-%02d", day + 2)},
    };
    struct plan_edit_result r;
    struct plan_edit edit = {
        .op = PLAN_EDIT_UPDATE,
        .target = arena_printf(c->mem, "%d", id),
        .values = fields(c, &ticket_edit_form, cells, COUNT(cells))};
    double start = now_ms();
    must(plan_edit_apply(c, project_id, &edit, 1, &r) == OK);
    *changed = r.cascaded;
    return now_ms() - start;
}

/* The engine alone: chains of ten, every second row linked once more; all
 * begin on one day, so that nearly all of them move. */
static double schedule(int rows)
{
    struct arena *mem = arena_open((size_t)512 << 20);
    struct activity *list = arena_array(mem, struct activity, (size_t)rows);
    struct network_link *links =
        arena_array(mem, struct network_link, (size_t)rows * 2);
    const struct calendar_rule rule = {.weekdays = 62, .holidays = true};
    struct network n = {.activities = list,
                        .count = (size_t)rows,
                        .links = links,
                        .calendar = calendar_compile(mem, &rule, 20000, 22000)};
    bool *changed = arena_array(mem, bool, (size_t)rows);
    const int *bad;
    size_t bad_count;

    for (int i = 0; i < rows; i++) {
        list[i] = (struct activity){.parent = -1, .start = 20788, .end = 20790};
        if (i % 10)
            links[n.link_count++] =
                (struct network_link){.predecessor = i - 1, .successor = i};
        if (i % 10 > 1 && n.link_count < (size_t)rows * 3 / 2)
            links[n.link_count++] =
                (struct network_link){.predecessor = i - 2, .successor = i};
    }
    double start = now_ms();
    const struct network_order *order = network_sort(mem, &n, &bad, &bad_count);
    must(order);
    network_push(mem, &n, order, false, changed, &bad, &bad_count);
    double each = now_ms() - start;
    arena_close(mem);
    return each;
}

static void print_schedule(void)
{
    double small = 1e9, large = 1e9;

    for (int i = 0; i < RUNS; i++) {
        double each = schedule(ROWS);
        small = each < small ? each : small;
        each = schedule(10 * ROWS);
        large = each < large ? each : large;
    }
    table_plain("schedule 10,000 tickets, 15,000 links", small, " ms", "15 ms");
    table_plain("  ten times as many: times as long", large / small, " x",
                "linear");
}

int main(void)
{
    char dir[] = "/tmp/yagura-bench-XXXXXX", key[64];
    struct arena *mem = arena_open((size_t)512 << 20);
    struct actor actor;
    struct store *store;
    struct tenant *t;
    int64_t project_id;
    size_t n = 0;
    double best = 1e9, each;

    log_set_level(LOG_ERROR);
    must(mkdtemp(dir) && crypto_init() == OK);
    (void)snprintf(key, sizeof key, "%s.key", dir);
    must(store_open(&(struct store_config){.dir = dir,
                                           .master_key_path = key,
                                           .kind = STORE_EVALUATION,
                                           .create = true},
                    &store) == OK);
    must(tenant_create(store, "bench") == OK);
    must(tenant_open(store, "bench", &t) == OK);
    struct ctx c = open_ctx(mem, &actor);
    must(tx_begin(&c, t, TX_WRITE) == OK);
    seed(&c, &project_id);
    fill(&c, project_id);
    must(tx_end(&c, t, OK) == OK);
    for (int i = 0; i < RUNS; i++) {
        c = open_ctx(mem, &actor);
        must(tx_begin(&c, t, TX_READ) == OK);
        each = read_plan(&c, project_id, &n);
        best = each < best ? each : best;
        must(tx_end(&c, t, OK) == OK);
    }
    table_plain("plan of 10,000 as JSON", best, " ms", "40 ms");
    best = 1e9;
    for (int i = 0; i < 10 * RUNS; i++) {
        c = open_ctx(mem, &actor);
        must(tx_begin(&c, t, TX_READ) == OK);
        each = read_list(&c, project_id, &n);
        best = each < best ? each : best;
        must(tx_end(&c, t, OK) == OK);
    }
    table_plain("list, 50 of 10,000, without HTTP", 1000 * best, " us", "");
    for (int i = 0; i < 2; i++) {
        c = open_ctx(mem, &actor);
        must(tx_begin(&c, t, TX_WRITE) == OK);
        each = drag(&c, project_id, i % 2 ? 52 : 100, 2 + i, &n);
        table_plain(i % 2 ? "a bar dragged, 49 rows follow"
                          : "a bar dragged, none follows",
                    each, " ms", "");
        must(tx_end(&c, t, OK) == OK);
    }
    print_schedule();
    tenant_close(t);
    store_close(store);
    arena_close(mem);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)unlink(key);
    return 0;
}
