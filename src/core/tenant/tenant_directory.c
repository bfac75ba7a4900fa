/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant is known by its row in control.db: "making" while its file is
 * filled (customer_make.c), "open" when everything is there and it answers
 * requests. */
#include "core/tenant/tenant_directory.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "db/query.h"

#include <pthread.h>
#include <string.h>

const char *const tenant_directory_state_words[] = {"making", "open", "deleted",
                                                    NULL};

const char *const tenant_directory_status_words[] = {
    "making", "open", "suspended", "ending", "ended", "deleted", NULL};

#define TENANT_DIRECTORY_ROWS                                                  \
    "SELECT x.id, x.name, x.host, x.state, x.created_at,"                      \
    " s.customer_id IS NOT NULL, t.end_on, t.delete_on, u.bytes, u.users,"     \
    " q.bytes, q.users FROM customer x"                                        \
    " LEFT JOIN tenant_use u ON u.customer_id = x.id"                          \
    " LEFT JOIN quota q ON q.customer_id = x.id"                               \
    " LEFT JOIN suspension s ON s.customer_id = x.id"                          \
    " LEFT JOIN termination t ON t.customer_id = x.id"

enum {
    REG_ADD,
    REG_OPEN,
    REG_GET,
    REG_LIST,
    REG_IDS,
    REG_HOST,
    REG_PATH,
    REG_DROP
};
static const char *const tenant_directory_text[] = {
    [REG_ADD] = "INSERT INTO customer (id, name, host, state, created_at,"
                " copy_of) VALUES (?1, ?2, ?3, 0, ?4, coalesce((SELECT copy_of"
                " FROM customer WHERE id = ?5), ?5))",
    [REG_OPEN] = "UPDATE customer SET state = 1 WHERE id = ?1 AND state = 0",
    [REG_GET] = TENANT_DIRECTORY_ROWS " WHERE x.id = ?1",
    [REG_LIST] = TENANT_DIRECTORY_ROWS " WHERE x.id >= '' ORDER BY x.id",
    [REG_IDS] = "SELECT id FROM customer WHERE id >= '' AND state = 1"
                " ORDER BY id",
    [REG_HOST] = "SELECT id FROM customer WHERE host = ?1 AND state = 1",
    [REG_PATH] = "SELECT 1 FROM customer WHERE id = ?1 AND state = 1"
                 " AND host IS NULL",
    [REG_DROP] = "DELETE FROM customer WHERE id = ?1 AND state = 0",
};
const struct query_set tenant_directory_queries = {
    "registry", tenant_directory_text, COUNT(tenant_directory_text)};

static void read_row(struct ctx *c, struct query *q,
                     struct tenant_directory_row *out)
{
    *out = (struct tenant_directory_row){
        .id = col_text(c, q, 0),
        .name = col_text(c, q, 1),
        .host = col_text(c, q, 2),
        .state = (enum tenant_directory_state)col_int(q, 3),
        .created_at = col_int(q, 4),
        .is_suspended = col_int(q, 5) != 0,
        .end_on = col_day(q, 6),
        .delete_on = col_day(q, 7),
        .use_bytes = col_int(q, 8),
        .use_users = col_int(q, 9),
        .quota_bytes = col_int(q, 10),
        .quota_users = col_int(q, 11),
    };
}

/* ---- how it stands ---- */

static bool is_ended(const struct tenant_directory_row *r, int64_t now_us)
{
    return r->end_on != DAY_NONE && clock_today(now_us) > r->end_on;
}

enum tenant_directory_status
tenant_directory_status(const struct tenant_directory_row *r, int64_t now_us)
{
    return r->state == TENANT_DIRECTORY_MAKING   ? TENANT_STATUS_MAKING
           : r->state == TENANT_DIRECTORY_CLOSED ? TENANT_STATUS_DELETED
           : is_ended(r, now_us)                 ? TENANT_STATUS_ENDED
           : r->is_suspended                     ? TENANT_STATUS_SUSPENDED
           : r->end_on != DAY_NONE               ? TENANT_STATUS_ENDING
                                                 : TENANT_STATUS_OPEN;
}

const char *tenant_directory_say_status(const struct ctx *c,
                                        const struct tenant_directory_row *r)
{
    enum tenant_directory_status s = tenant_directory_status(r, c->now_us);
    const char *also = s != TENANT_STATUS_DELETED && r->is_suspended
                           ? ctx_text(c, "停止中、", "suspended, ")
                           : "";
    char day[11];

    if (s == TENANT_STATUS_DELETED || r->end_on == DAY_NONE)
        return s == TENANT_STATUS_MAKING ? ctx_text(c, "作成中", "being made")
               : s == TENANT_STATUS_OPEN ? ctx_text(c, "利用中", "open")
               : s == TENANT_STATUS_SUSPENDED
                   ? ctx_text(c, "停止中", "suspended")
                   : ctx_text(c, "削除済み", "deleted");
    civil_format(r->end_on, day);
    if (c->actor->lang == LANG_JA)
        return arena_join(c->mem, also, day,
                          is_ended(r, c->now_us) ? " に終了" : " に終了予定");
    return arena_printf(c->mem, "%s%s %s", also,
                        is_ended(r, c->now_us) ? "ended" : "ending on", day);
}

/* ---- create ---- */

enum err tenant_directory_check_id(struct ctx *c, const char *field,
                                   const char *id)
{
    if (tenant_is_reserved(id) || str_equal(id, TENANT_DIRECTORY_DRILL_ID))
        return ctx_fail(c, ERR_INVALID, field, "reserved",
                        "「%s」は櫓が使う名前です。ほかのテナントIDにして"
                        "ください",
                        "%s is a name that Yagura uses itself: choose another "
                        "tenant id",
                        id);
    if (tenant_is_id(id))
        return OK;
    return ctx_fail(c, ERR_INVALID, field, "tenant_id",
                    "テナントIDは英小文字で始まる32文字以内の"
                    "英小文字・数字・ハイフンにしてください",
                    "A tenant id is 1 to 32 of a-z, 0-9 and -, letter first");
}

static bool is_own_machine(const char *host)
{
    size_t len = strlen(host);

    return str_equal(host, "localhost") || str_starts(host, "127.") ||
           (len > 10 && str_equal(host + len - 10, ".localhost"));
}

/* Host name of "https://pm.example.jp:8443": there tenants are by path. */
static bool is_base(const struct app *app, const char *host)
{
    const char *name = app->base_url ? strstr(app->base_url, "://") : NULL;
    size_t len = strlen(host);

    return name && strncmp(name + 3, host, len) == 0 &&
           (!name[3 + len] || strchr(":/", name[3 + len]));
}

bool tenant_directory_is_own_host(const struct app *app, const char *host)
{
    return str_equal(host, app->operator_host) || is_base(app, host);
}

static enum err check_host(struct ctx *c, const struct app *app,
                           const char *host)
{
    size_t len =
        host ? strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") : 0;

    if (!host)
        return OK;
    if (!len || host[len] || host[0] == '.' || host[0] == '-')
        return ctx_fail(c, ERR_INVALID, "host", "host_name",
                        "ホスト名は英小文字・数字・ハイフン・ピリオドにして"
                        "ください",
                        "A host name is a-z, 0-9, - and .");
    if (!app->is_demo && is_own_machine(host))
        return ctx_fail(c, ERR_INVALID, "host", "host_own_machine",
                        "「%s」はどのコンピューターでもそれ自身を指します。"
                        "利用者が開くホスト名にしてください",
                        "%s is every computer's name for itself: give the host "
                        "name that people open",
                        host);
    if (!tenant_directory_is_own_host(app, host))
        return OK;
    return ctx_fail(c, ERR_INVALID, "host", "host_taken",
                    "ホスト名「%s」は櫓の設定で使われています",
                    "The host name %s is used by Yagura's own configuration",
                    host);
}

static bool is_id_known(struct ctx *c, const char *id)
{
    struct query *q = query(c, tenant_directory_text[REG_GET]);

    bind_text(q, 1, id);
    enum err e = query_one(c, q);
    query_done(q);
    return e == OK;
}

static enum err add_row(struct ctx *c,
                        const struct tenant_directory_create *what,
                        const char *field)
{
    if (is_id_known(c, what->id)) /* there, being made, or deleted */
        return ctx_fail(c, ERR_CONFLICT, field, "taken",
                        "テナントID「%s」はすでに使われています（削除した"
                        "テナントのIDは二度と使えません）",
                        "The tenant id is taken: %s (that of a deleted tenant "
                        "is never used again)",
                        what->id);
    struct query *q = query(c, tenant_directory_text[REG_ADD]);
    bind_text(q, 1, what->id);
    bind_text(q, 2, what->name);
    bind_text(q, 3, what->host);
    bind_int(q, 4, c->now_us);
    bind_text(q, 5, what->copy_of);
    enum err e = query_run(c, q);
    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "host", "taken",
                        "ホスト名「%s」はすでに使われています",
                        "The host name is taken: %s", what->host);
    return e;
}

enum err tenant_directory_reserve(struct ctx *c, const struct app *app,
                                  const struct tenant_directory_create *what)
{
    const char *field = what->id_field ? what->id_field : "id";
    enum err e = tenant_directory_check_id(c, field, what->id);

    if (!e)
        e = check_host(c, app, what->host);
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, app->store, add_row(c, what, field));
}

enum err tenant_directory_open(struct ctx *c, struct store *s, const char *id)
{
    enum err e = tx_begin_control(c, s, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, tenant_directory_text[REG_OPEN]);
    bind_text(q, 1, id);
    return tx_end_control(c, s, query_run(c, q));
}

/* A tenant that could not be made leaves nothing behind. */
void tenant_directory_drop(struct ctx *c, struct store *s, const char *id)
{
    if (tx_begin_control(c, s, TX_WRITE))
        return;
    struct query *q = query(c, tenant_directory_text[REG_DROP]);
    bind_text(q, 1, id);
    if (tx_end_control(c, s, query_run(c, q)))
        log_warn("tenant=%s half made, its name is still taken", id);
}

void tenant_directory_sweep(struct store *s, struct arena *mem)
{
    static const struct actor system = {
        .name = "", .ip = "", .request_id = "", .tenant = "", .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system};
    const struct tenant_directory_row *rows;
    size_t count;

    if (tenant_directory_list(&c, s, &rows, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != TENANT_DIRECTORY_MAKING)
            continue;
        log_warn("tenant=%s was left half made, it is removed", rows[i].id);
        if (tenant_discard(s, rows[i].id) != ERR_INTERNAL)
            tenant_directory_drop(&c, s, rows[i].id);
    }
}

/* ---- reading ---- */

enum err tenant_directory_list(struct ctx *c, struct store *s,
                               const struct tenant_directory_row **out,
                               size_t *count)
{
    size_t cap = 64;
    struct tenant_directory_row *list =
        arena_array(c->mem, struct tenant_directory_row, cap);
    enum err e = tx_begin_control(c, s, TX_READ);

    *count = 0;
    if (e)
        return e;
    struct query *q = query(c, tenant_directory_text[REG_LIST]);
    while (query_next(c, q, &e)) {
        if (*count == cap) {
            struct tenant_directory_row *more =
                arena_array(c->mem, struct tenant_directory_row, cap * 2);
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

enum err tenant_directory_get(struct ctx *c, struct store *s, const char *id,
                              struct tenant_directory_row *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, tenant_directory_text[REG_GET]);
    bind_text(q, 1, id);
    if (!(e = query_one(c, q))) {
        read_row(c, q, out);
        query_done(q);
    }
    return tx_end_control(c, s, e);
}

enum err tenant_directory_find_host(struct ctx *c, struct store *s,
                                    const char *host, const char **id)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, tenant_directory_text[REG_HOST]);
    bind_text(q, 1, host);
    if (!(e = query_one(c, q))) {
        *id = col_text(c, q, 0);
        query_done(q);
    }
    return tx_end_control(c, s, e);
}

enum err tenant_directory_check_path(struct ctx *c, struct store *s,
                                     const char *id)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, tenant_directory_text[REG_PATH]);
    bind_text(q, 1, id);
    e = query_one(c, q);
    query_done(q);
    return tx_end_control(c, s, e);
}

const char *tenant_directory_url(struct arena *mem, const char *base_url,
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

int tenant_directory_own_port(const struct app *app, const char *id)
{
    for (size_t i = 0; i < COUNT(app->listener_tenants); i++)
        if (str_equal(app->listener_tenants[i], id))
            return app->listener_ports[i];
    return 0;
}

const char *tenant_directory_place(struct arena *mem, const struct app *app,
                                   const char *base_url, const char *id,
                                   const char *host)
{
    int port = tenant_directory_own_port(app, id);

    if (!port)
        return tenant_directory_url(mem, base_url, id, host);
    const char *name = strstr(base_url, "://");
    const char *base = name ? name + 3 : base_url;
    const char *end = *base == '[' ? strchr(base, ']') : NULL;
    size_t len = end ? (size_t)(end - base) + 1 : strcspn(base, ":/");
    if (!host)
        host = arena_strndup(mem, base, len);
    return port == 443 ? arena_printf(mem, "https://%s", host)
                       : arena_printf(mem, "https://%s:%d", host, port);
}

/* As pointers one after the other. */
static enum err read_ids(struct ctx *c, struct buf *out)
{
    struct query *q = query(c, tenant_directory_text[REG_IDS]);
    enum err e;

    while (query_next(c, q, &e)) {
        const char *id = col_text(c, q, 0);
        buf_put(out, &id, sizeof id);
    }
    return e;
}

size_t tenant_directory_list_ids(struct store *s, struct arena *mem,
                                 const char *const **out)
{
    static const struct actor system = {
        .name = "", .ip = "", .request_id = "", .tenant = "", .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system};
    struct buf ids = buf_in(mem);
    enum err e = tx_begin_control(&c, s, TX_READ);

    if (!e)
        e = tx_end_control(&c, s, read_ids(&c, &ids));
    if (e) {
        log_error("cannot list the tenants");
        return 0;
    }
    *out = (const void *)ids.data;
    return ids.len / sizeof **out;
}

void tenant_directory_find_sole(struct app *app, struct arena *mem)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* sole_ids */
    const char *const *ids;
    const char *sole = NULL;
    size_t n = tenant_directory_list_ids(app->store, mem, &ids);

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

enum err tenant_directory_explain_open(struct ctx *c, enum err e)
{
    if (e == ERR_INTERNAL)
        return ctx_fail(c, ERR_BUSY, "", "tenant_unavailable",
                        "このテナントのデータをいま開けません（鍵かファイルが"
                        "失われたか壊れています）。サービスの運用者にお知らせ"
                        "ください",
                        "The data of this tenant cannot be opened now (its key "
                        "or its file is lost or damaged): tell the operator of "
                        "the service");
    if (e == ERR_BUSY)
        return ctx_fail(c, ERR_BUSY, "", "tenant_set_aside",
                        "このテナントは作業中のため、いまは使えません。しばら"
                        "くしてから開いてください",
                        "This tenant is being worked on and not available now: "
                        "try again in a while");
    return e;
}
