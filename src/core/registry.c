/* SPDX-License-Identifier: Apache-2.0 */
/* Making a tenant touches two files that no transaction spans.  The row in
 * control.db comes first as "making", the file is filled, then the row turns
 * "open": a tenant answers requests only when everything is there. */
#include "core/registry.h"

#include "base/log.h"
#include "base/str.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/user.h"
#include "db/query.h"

#include <pthread.h>
#include <string.h>

const char *const registry_state_words[] = {"making", "open", "deleted", NULL};

#define REGISTRY_COLS "id, name, host, state, created_at"

enum { REG_ADD, REG_OPEN, REG_GET, REG_LIST, REG_HOST, REG_PATH, REG_DROP };
static const char *const registry_text[] = {
    [REG_ADD] = "INSERT INTO customer (id, name, host, state, created_at)"
                " VALUES (?1, ?2, ?3, 0, ?4) ON CONFLICT (id) DO UPDATE SET"
                " name = ?2, host = ?3 WHERE state = 0",
    [REG_OPEN] = "UPDATE customer SET state = 1 WHERE id = ?1 AND state = 0",
    [REG_GET] = "SELECT " REGISTRY_COLS " FROM customer WHERE id = ?1",
    [REG_LIST] = "SELECT " REGISTRY_COLS " FROM customer ORDER BY id",
    [REG_HOST] = "SELECT id FROM customer WHERE host = ?1 AND state = 1",
    [REG_PATH] = "SELECT 1 FROM customer WHERE id = ?1 AND state = 1"
                 " AND host IS NULL",
    [REG_DROP] = "DELETE FROM customer WHERE id = ?1 AND state = 0",
};
const struct query_set registry_queries = {"registry", registry_text,
                                           COUNT(registry_text)};

static void read_row(struct ctx *c, struct query *q, struct registry_row *out)
{
    *out = (struct registry_row){
        .id = col_text(c, q, 0),
        .name = col_text(c, q, 1),
        .host = col_text(c, q, 2),
        .state = (enum registry_state)col_int(q, 3),
        .created_at = col_int(q, 4),
    };
}

/* ---- create ---- */

enum err registry_reserve(struct ctx *c, struct store *s,
                          const struct registry_create *what)
{
    if (!tenant_is_id(what->id))
        return ctx_fail(c, ERR_INVALID, "id", "tenant_id",
                        "テナントIDは英小文字で始まる32文字以内の"
                        "英小文字・数字・ハイフンにしてください",
                        "A tenant id is 1 to 32 of a-z, 0-9 and -, letter"
                        " first");
    enum err e = tx_begin_control(c, s, TX_WRITE);
    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_ADD]);
    bind_text(q, 1, what->id);
    bind_text(q, 2, what->name);
    bind_text(q, 3, what->host);
    bind_int(q, 4, c->now_us);
    e = query_run(c, q);
    if (!e && db_changes(c) == 0)
        e = ERR_CONFLICT;
    if (e == ERR_CONFLICT)
        e = ctx_fail(c, e, "id", "taken",
                     "テナントIDまたはホスト名「%s」はすでに使われています",
                     "The tenant id or host name is taken: %s", what->id);
    return tx_end_control(c, s, e);
}

static enum err fill(struct ctx *c, const struct app *app,
                     const struct registry_create *what)
{
    struct user admin;
    const char *cells[] = {what->admin_email, what->admin_name,
                           lang_words[what->lang], "true"};
    const struct values *v;
    enum err e = seed_tenant(c, what->name, what->lang);

    if (e)
        return e;
    if ((e = values_parse_cells(c, &user_form, cells, &v)))
        return e;
    return user_create(c, app, v, &admin);
}

enum err registry_open(struct ctx *c, struct store *s, const char *id)
{
    enum err e = tx_begin_control(c, s, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_OPEN]);
    bind_text(q, 1, id);
    return tx_end_control(c, s, query_run(c, q));
}

/* A tenant that could not be made leaves nothing behind. */
void registry_drop(struct ctx *c, struct store *s, const char *id)
{
    if (tx_begin_control(c, s, TX_WRITE))
        return;
    struct query *q = query(c, registry_text[REG_DROP]);
    bind_text(q, 1, id);
    if (tx_end_control(c, s, query_run(c, q)))
        log_warn("tenant=%s half made, its name is still taken", id);
}

static enum err make_file(struct ctx *c, const struct app *app,
                          const struct registry_create *what)
{
    struct tenant *t;
    enum err e = tenant_create(app->store, what->id);

    if (e && e != ERR_CONFLICT)
        return e;
    if ((e = tenant_open(app->store, what->id, &t)))
        return e;
    if (!(e = tx_begin(c, t, TX_WRITE)))
        e = tx_end(c, t, fill(c, app, what));
    tenant_close(t);
    return e;
}

enum err registry_create(struct ctx *c, const struct app *app,
                         const struct registry_create *what)
{
    enum err e = registry_reserve(c, app->store, what);

    if (e)
        return e;
    if ((e = make_file(c, app, what))) {
        registry_drop(c, app->store, what->id);
        return e;
    }
    return registry_open(c, app->store, what->id);
}

void registry_sweep(struct store *s, struct arena *mem)
{
    static const struct actor system = {
        .name = "", .ip = "", .request_id = "", .tenant = "", .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system};
    const struct registry_row *rows;
    size_t count;

    if (registry_list(&c, s, &rows, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != REGISTRY_MAKING)
            continue;
        log_warn("tenant=%s was left half made, it is removed", rows[i].id);
        if (tenant_discard(s, rows[i].id) != ERR_INTERNAL)
            registry_drop(&c, s, rows[i].id);
    }
}

/* ---- reading ---- */

enum err registry_list(struct ctx *c, struct store *s,
                       const struct registry_row **out, size_t *count)
{
    size_t cap = 64;
    struct registry_row *list = arena_array(c->mem, struct registry_row, cap);
    enum err e = tx_begin_control(c, s, TX_READ);

    *count = 0;
    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_LIST]);
    while (query_next(c, q, &e)) {
        if (*count == cap) {
            struct registry_row *more =
                arena_array(c->mem, struct registry_row, cap * 2);
            for (size_t i = 0; i < cap; i++)
                more[i] = list[i];
            list = more;
            cap *= 2;
        }
        read_row(c, q, &list[(*count)++]);
    }
    *out = list;
    return tx_end_control(c, s, e);
}

enum err registry_get(struct ctx *c, struct store *s, const char *id,
                      struct registry_row *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_GET]);
    bind_text(q, 1, id);
    if (!(e = query_one(c, q))) {
        read_row(c, q, out);
        query_done(q);
    }
    return tx_end_control(c, s, e);
}

enum err registry_find_host(struct ctx *c, struct store *s, const char *host,
                            const char **id)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_HOST]);
    bind_text(q, 1, host);
    if (!(e = query_one(c, q))) {
        *id = col_text(c, q, 0);
        query_done(q);
    }
    return tx_end_control(c, s, e);
}

enum err registry_check_path(struct ctx *c, struct store *s, const char *id)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, registry_text[REG_PATH]);
    bind_text(q, 1, id);
    e = query_one(c, q);
    query_done(q);
    return tx_end_control(c, s, e);
}

const char *registry_url(struct arena *mem, const char *base_url,
                         const char *id, const char *host)
{
    const char *name = strstr(base_url, "://");
    const char *port = name ? strrchr(name + 3, ':') : NULL;

    if (!host)
        return arena_join(mem, base_url, "/t/", id);
    if (port && (strchr(port, ']') || strchr(port, '/')))
        port = NULL;
    return arena_printf(mem, "%.*s://%s%s", (int)(name ? name - base_url : 0),
                        base_url, host, port ? port : "");
}

size_t registry_list_ids(struct store *s, struct arena *mem,
                         const char *const **out)
{
    static const struct actor system = {
        .name = "", .ip = "", .request_id = "", .tenant = "", .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system};
    const struct registry_row *rows;
    size_t count, n = 0;

    if (registry_list(&c, s, &rows, &count)) {
        log_error("cannot list the tenants");
        return 0;
    }
    const char **ids = arena_array(mem, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        if (rows[i].state == REGISTRY_OPEN)
            ids[n++] = rows[i].id;
    *out = ids;
    return n;
}

void registry_find_sole(struct app *app, struct arena *mem)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* sole_ids */
    const char *const *ids;
    const char *sole = NULL;
    size_t n = registry_list_ids(app->store, mem, &ids);

    pthread_mutex_lock(&lock);
    if (n == 1) {
        sole = app->sole_tenant;
        if (!sole || strcmp(sole, ids[0]) != 0)
            sole =
                memcpy(app->sole_ids[app->sole_next++ % COUNT(app->sole_ids)],
                       ids[0], strlen(ids[0]) + 1);
    }
    app->sole_tenant = sole;
    pthread_mutex_unlock(&lock);
    if (n == 0)
        log_info("no tenant yet");
}
