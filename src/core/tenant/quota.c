/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of control.db are the truth; memory holds a copy, in a table by
 * tenant, that changes only after the row is committed. */
#include "core/tenant/quota.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"
#include "db/room.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256, MINUTE_MS = 60000 };

enum { QUOTA_ALL, QUOTA_GET, QUOTA_ADD, QUOTA_SET };
static const char *const quota_text[] = {
    [QUOTA_ALL] = "SELECT customer_id, bytes, users, requests, version"
                  " FROM quota WHERE customer_id >= ''",
    [QUOTA_GET] =
        "SELECT coalesce(q.bytes, 0), coalesce(q.users, 0),"
        " coalesce(q.requests, 0), coalesce(q.version, 0) FROM customer x"
        " LEFT JOIN quota q ON q.customer_id = x.id WHERE x.id = ?1",
    [QUOTA_ADD] = "INSERT INTO quota (customer_id, bytes, users, requests)"
                  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    [QUOTA_SET] = "UPDATE quota SET bytes = ?2, users = ?3, requests = ?4,"
                  " version = version + 1 WHERE customer_id = ?1"
                  " AND version = ?5",
};
const struct query_set quota_queries = {"quota", quota_text, COUNT(quota_text)};
static const char *const seat_text[] = {
    "SELECT count(*) FROM user WHERE state < 2",
};
const struct query_set seat_queries = {"seat", seat_text, COUNT(seat_text)};

static const struct field quota_fields[] = {
    {INT("bytes", 1 << 20, INT64_C(1) << 50, NULLABLE, "容量", "Size")},
    {INT("users", 1, 1000000, NULLABLE, "ユーザー数", "Users")},
    {INT("requests", 10, 1000000, NULLABLE, "1分あたりのリクエスト数",
         "Requests a minute")},
};
const struct form quota_form = {"QuotaEdit", quota_fields, COUNT(quota_fields)};

struct held {
    char tenant[33];
    struct quota quota;
    int64_t filled_ms, tokens; /* thousandths of a request */
    struct held *next;
};

struct quotas {
    pthread_mutex_t lock; /* guards all below */
    struct held *buckets[BUCKETS];
    int64_t refused;
};

/* ---- the copy in memory ---- */

static size_t bucket_of(const char *id)
{
    uint32_t x = 2166136261U;

    for (; *id; id++)
        x = (x ^ (unsigned char)*id) * 16777619U;
    return x % BUCKETS;
}

/* With the lock held. */
static struct held *find(struct quotas *all, const char *tenant)
{
    struct held *h = all->buckets[bucket_of(tenant)];

    while (h && strcmp(h->tenant, tenant) != 0)
        h = h->next;
    return h;
}

static void keep(struct quotas *all, const char *tenant,
                 const struct quota *quota)
{
    pthread_mutex_lock(&all->lock);
    struct held *h = find(all, tenant);
    if (!h) {
        size_t i = bucket_of(tenant);
        h = calloc(1, sizeof(*h));
        must(h && strlen(tenant) < sizeof(h->tenant));
        memcpy(h->tenant, tenant, strlen(tenant) + 1);
        h->next = all->buckets[i];
        all->buckets[i] = h;
    }
    h->quota = *quota;
    h->filled_ms = clock_monotonic_ms();
    h->tokens = quota->requests * 1000;
    pthread_mutex_unlock(&all->lock);
}

enum err quota_open(struct ctx *c, struct app *app)
{
    struct quotas *all = calloc(1, sizeof(*all));
    enum err e;

    must(all && pthread_mutex_init(&all->lock, NULL) == 0);
    app->quotas = all;
    if ((e = tx_begin_control(c, app->store, TX_READ)))
        return e;
    struct query *q = query(c, quota_text[QUOTA_ALL]);
    while (query_next(c, q, &e)) {
        struct quota one = {.bytes = col_int(q, 1),
                            .users = col_int(q, 2),
                            .requests = col_int(q, 3),
                            .version = col_int(q, 4)};
        keep(all, col_peek(q, 0), &one);
    }
    return tx_end_control(c, app->store, e);
}

void quota_close(struct quotas *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (all->buckets[i]) {
            struct held *h = all->buckets[i];
            all->buckets[i] = h->next;
            free(h);
        }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void quota_find(const struct app *app, const char *tenant, struct quota *out)
{
    *out = (struct quota){0};
    if (!app->quotas || !tenant)
        return;
    pthread_mutex_lock(&app->quotas->lock);
    const struct held *h = find(app->quotas, tenant);
    if (h)
        *out = h->quota;
    pthread_mutex_unlock(&app->quotas->lock);
}

int64_t quota_refused(const struct app *app)
{
    int64_t n = 0;

    if (!app->quotas)
        return 0;
    pthread_mutex_lock(&app->quotas->lock);
    n = app->quotas->refused;
    pthread_mutex_unlock(&app->quotas->lock);
    return n;
}

static void count_refused(struct quotas *all)
{
    pthread_mutex_lock(&all->lock);
    all->refused++;
    pthread_mutex_unlock(&all->lock);
}

/* ---- the operator's ---- */

enum err quota_get(struct ctx *c, const char *tenant, struct quota *out)
{
    struct query *q = query(c, quota_text[QUOTA_GET]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "tenant", "テナントが見つかりません",
                        "No such tenant");
    if (e)
        return e;
    *out = (struct quota){.bytes = col_int(q, 0),
                          .users = col_int(q, 1),
                          .requests = col_int(q, 2),
                          .version = col_int(q, 3)};
    query_done(q);
    return OK;
}

static const char *as_json(struct ctx *c, const struct quota *quota)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "bytes", quota->bytes);
    json_int(&o, "users", quota->users);
    json_int(&o, "requests", quota->requests);
    json_close(&o, '}');
    return b.data;
}

/* null takes a limit away; what is not named stays. */
static int64_t wanted(const struct values *v, const char *name, int64_t before)
{
    if (!values_has(v, name))
        return before;
    return values_is_null(v, name) ? 0 : values_int(v, name, 0);
}

static enum err write_row(struct ctx *c, const char *tenant, int64_t version,
                          const struct quota *want)
{
    struct query *q = query(c, quota_text[version ? QUOTA_SET : QUOTA_ADD]);

    bind_text(q, 1, tenant);
    bind_int(q, 2, want->bytes);
    bind_int(q, 3, want->users);
    bind_int(q, 4, want->requests);
    if (version)
        bind_int(q, 5, version);
    enum err e = query_run(c, q);
    return !e && db_changes(c) == 0 ? ctx_stale(c) : e;
}

static enum err set(struct ctx *c, const char *tenant, int64_t version,
                    const struct values *v, struct quota *out)
{
    struct quota before;
    enum err e = quota_get(c, tenant, &before);

    if (e)
        return e;
    struct quota want = {.bytes = wanted(v, "bytes", before.bytes),
                         .users = wanted(v, "users", before.users),
                         .requests = wanted(v, "requests", before.requests)};
    if ((e = write_row(c, tenant, version, &want)) ||
        (e = quota_get(c, tenant, out)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "quota",
                                                .object_name = tenant,
                                                .before = as_json(c, &before),
                                                .after = as_json(c, out)});
}

enum err quota_set(struct ctx *c, struct app *app, const char *tenant,
                   int64_t version, const struct values *v, struct quota *out)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    e = tx_end_control(c, app->store, set(c, tenant, version, v, out));
    if (!e)
        keep(app->quotas, tenant, out);
    return e;
}

/* ---- what is refused ---- */

/* With the lock held: seconds until the next is allowed, 0: taken. */
static int64_t take(struct held *h, int64_t now_ms)
{
    int64_t full = h->quota.requests * 1000;
    int64_t gone = now_ms - h->filled_ms;

    if (gone > MINUTE_MS)
        gone = MINUTE_MS;
    h->filled_ms = now_ms;
    h->tokens += full * gone / MINUTE_MS;
    if (h->tokens > full)
        h->tokens = full;
    if (h->tokens >= 1000) {
        h->tokens -= 1000;
        return 0;
    }
    return (1000 - h->tokens) * MINUTE_MS / full / 1000 + 1;
}

enum err quota_take_request(struct ctx *c, const struct app *app,
                            const char *tenant)
{
    struct quotas *all = app->quotas;
    int64_t wait = 0;

    if (!all)
        return OK;
    pthread_mutex_lock(&all->lock);
    struct held *h = find(all, tenant);
    if (h && h->quota.requests)
        wait = take(h, clock_monotonic_ms());
    all->refused += wait > 0;
    pthread_mutex_unlock(&all->lock);
    if (!wait)
        return OK;
    (void)ctx_fail(c, ERR_LIMIT, "", "tenant_requests",
                   "このテナントのリクエスト数が1分あたりの上限に達しました。"
                   "%lld秒後にもう一度お試しください",
                   "The tenant has used up its requests a minute. Try again "
                   "in %lld s",
                   (long long)wait);
    ctx_fail_detail(
        c, arena_printf(c->mem, "\"retry_after\":%lld", (long long)wait));
    return ERR_LIMIT;
}

static enum err check_bytes(struct ctx *c, const struct app *app,
                            const char *tenant, int64_t bytes)
{
    struct quota quota;

    quota_find(app, tenant, &quota);
    if (!quota.bytes || bytes <= quota.bytes)
        return OK;
    count_refused(app->quotas);
    return ctx_fail(
        c, ERR_FULL, "", "quota_bytes",
        "テナントの容量の上限（%lld MB）に達したため保存できません。閲覧・"
        "削除・書き出しはできます。管理者にご相談ください",
        "Not saved: the tenant has reached its size limit of %lld MB. Reading, "
        "deleting and exporting go on. Please tell your administrator",
        (long long)(quota.bytes >> 20));
}

/* The disk's own limit, which is everybody's. */
static enum err check_disk(struct ctx *c, const struct app *app, int64_t coming)
{
    struct room room;

    if (!room_look(app->store, &room) ||
        room.free_bytes - room.reserve_bytes >= coming)
        return OK;
    return ctx_fail(
        c, ERR_FULL, "", "disk_reserve",
        "サーバーのディスクの空きが残り %lld MB のため保存できません（%lld MB "
        "は"
        "サインインやログのために空けておきます）。閲覧・サインイン・削除は"
        "できます。運用者にご連絡ください",
        "Not saved: the server's disk has %lld MB left, and %lld MB are in "
        "reserve for signing in and for the logs. Reading, signing in and "
        "deleting go on. Please tell the operator",
        (long long)(room.free_bytes >> 20),
        (long long)(room.reserve_bytes >> 20));
}

enum err quota_check_bytes(struct ctx *c, const struct app *app,
                           const struct tenant *t, int64_t coming)
{
    enum err e = check_disk(c, app, coming);

    if (e)
        return e;
    return check_bytes(c, app, tenant_id(t), tenant_used_bytes(t) + coming);
}

enum err quota_check_written(struct ctx *c, const struct app *app)
{
    enum err e = check_disk(c, app, 0);

    if (e)
        return e;
    return check_bytes(c, app, c->actor->tenant, tx_used_bytes(c));
}

enum err quota_count_users(struct ctx *c, int64_t *out)
{
    struct query *q = query(c, seat_text[0]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err quota_check_users(struct ctx *c, const struct app *app)
{
    struct quota quota;
    int64_t users;

    quota_find(app, c->actor->tenant, &quota);
    if (!quota.users)
        return OK;
    enum err e = quota_count_users(c, &users);
    if (e || users < quota.users)
        return e;
    count_refused(app->quotas);
    return ctx_fail(
        c, ERR_CONFLICT, "", "quota_users",
        "ユーザー数の上限（%lld人）に達しています。使わないユーザーを停止"
        "または削除するか、運用者にご相談ください",
        "The tenant has reached its limit of %lld users. Suspend or delete "
        "one, or ask the operator",
        (long long)quota.users);
}
