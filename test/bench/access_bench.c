/* SPDX-License-Identifier: Apache-2.0 */
/* What rights cost with 1,000 projects in 111 programs, 2,000 people, 200
 * groups and 24,000 grants: one check, the lists, the two pages that say why.
 * The limit is taken in the same run: rows read by their primary key. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "bench/table.h"
#include "core/access/access.h"
#include "core/master/catalogue.h"
#include "core/work/effective_access.h"
#include "core/work/program.h"
#include "core/work/project.h"
#include "core/work/search.h"
#include "core/work/ticket_list.h"

#include "db/query.h"
#include "db/store.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEOPLE = 2000, PROJECTS = 1000, RUNS = 200 };

static double now_us(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static struct ctx open_ctx(struct arena *mem, struct actor *actor, int64_t user)
{
    *actor = (struct actor){.user_id = user,
                            .name = "bench",
                            .ip = "::1",
                            .request_id = "bench",
                            .is_admin = user == 1};
    arena_reset(mem);
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

/* Programs: 1 top, 10 below, 100 below these; projects spread over the last;
 * a person holds 10 projects, every fifth a program; a group of 20 holds 20. */
static const char *const seeds[] = {
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 2000) INSERT INTO user (email, email_fold, name, search, state,"
    " is_admin, created_at) SELECT 'p' || i, 'p' || i, 'P' || i, 'p' || i, 1,"
    " i = 1, 0 FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 1000) INSERT INTO key_name SELECT 'J' || i FROM n UNION ALL"
    " SELECT 'G' || i FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 111) INSERT INTO program (id, key, name, parent_id, created_at)"
    " SELECT i, 'G' || i, 'g' || i, CASE WHEN i > 11 THEN 2 + (i - 12) / 10"
    " WHEN i > 1 THEN 1 END, 0 FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 1000) INSERT INTO project (id, key, name, program_id, approach,"
    " created_at) SELECT i, 'J' || i, 'j' || i, 12 + i % 100, 0, 0 FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 200) INSERT INTO permission_group (id, name, created_at)"
    " SELECT i, 'g' || i, 0 FROM n",
    "INSERT INTO group_member (group_id, user_id) SELECT 1 + (id + k) % 200,"
    " id FROM user, (SELECT 0 AS k UNION SELECT 77)",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 9) INSERT OR IGNORE INTO access (user_id, project_id, role_id) "
    "SELECT u.id,"
    " 1 + (u.id * 37 + i * 101) % 1000, 1 + (u.id + i) % 6 FROM user u, n",
    "INSERT OR IGNORE INTO access (user_id, program_id, role_id) SELECT id,"
    " 1 + id % 111, 6 FROM user WHERE id % 5 = 0",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 19) INSERT OR IGNORE INTO access (group_id, project_id, role_id) "
    "SELECT g.id,"
    " 1 + (g.id * 13 + i * 53) % 1000, 6 FROM permission_group g, n",
};

static void seed(struct ctx *c)
{
    must(seed_tenant(c, "bench", LANG_JA) == OK);
    for (size_t i = 0; i < COUNT(seeds); i++)
        must(query_run(c, query(c, seeds[i])) == OK);
}

/* ---- what is measured ---- */

static void by_key(struct ctx *c, int64_t i)
{
    struct query *q = query(c, "SELECT name FROM project WHERE id = ?1");

    bind_int(q, 1, 1 + i % PROJECTS);
    must(query_one(c, q) == OK);
    query_done(q);
}

static void check(struct ctx *c, int64_t i)
{
    enum err e = access_check(c, RIGHT_PROJECT_VIEW, 1 + i % PROJECTS);

    must(e == OK || e == ERR_NOT_FOUND);
}

static void programs(struct ctx *c, int64_t i)
{
    const struct program *list;
    size_t count;

    (void)i;
    must(program_list(c, &list, &count) == OK);
}

static void projects(struct ctx *c, int64_t i)
{
    const struct project *list;
    size_t count;

    (void)i;
    must(project_list(c, &list, &count) == OK);
}

static void who(struct ctx *c, int64_t i)
{
    const struct effective_access *list;
    size_t count;
    bool more;

    must(effective_access_of_place(
             c, (struct member_place){MEMBER_OF_PROJECT, 1 + i % PROJECTS},
             NULL, 0, 50, &list, &count, &more) == OK);
}

static void what(struct ctx *c, int64_t i)
{
    const struct effective_access *list;
    size_t count;
    bool more;

    must(effective_access_of_user(c, 2 + i % (PEOPLE - 2), NULL, 100, &list,
                                  &count, &more) == OK);
}

/* Median, so that one long pause does not speak for all. */
static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double measure(struct tenant *t, struct arena *mem, int64_t user,
                      void (*work)(struct ctx *, int64_t))
{
    double each[RUNS];
    struct actor actor;

    for (int i = 0; i < RUNS; i++) {
        struct ctx c = open_ctx(mem, &actor, user ? user : 2 + i * 9);
        must(tx_begin(&c, t, TX_READ) == OK);
        double from = now_us();
        work(&c, i * 7);
        each[i] = now_us() - from;
        must(tx_end(&c, t, OK) == OK);
    }
    qsort(each, RUNS, sizeof *each, compare);
    return each[RUNS / 2];
}

int main(void)
{
    char dir[] = "/tmp/yagura-bench-XXXXXX", key[64];
    struct arena *mem = arena_open((size_t)256 << 20);
    struct actor actor;
    struct store *store;
    struct tenant *t;

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
    struct ctx c = open_ctx(mem, &actor, 1);
    must(tx_begin(&c, t, TX_WRITE) == OK);
    seed(&c);
    must(tx_end(&c, t, OK) == OK);

    static const struct {
        const char *name;
        int64_t user; /* 0: another each time */
        void (*work)(struct ctx *, int64_t);
    } rows[] = {
        {"1,000 projects, 2,000 people: a row by its key", 0, by_key},
        {"may this person see this project", 0, check},
        {"programs a person sees", 0, programs},
        {"projects a person sees, with counts", 0, projects},
        {"the same, all 1,000 (administrator)", 1, projects},
        {"who can see this and why, 50", 1, who},
        {"what can this person see and why, 100", 1, what},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double us = measure(t, mem, rows[i].user, rows[i].work);
        table_plain(rows[i].name, us, " us", "");
    }
    tenant_close(t);
    store_close(store);
    arena_close(mem);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)remove(key);
    return 0;
}
