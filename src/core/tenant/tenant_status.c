/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tenant/tenant_status.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "db/query.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const tenant_status_text[] = {
    "SELECT id, s.customer_id IS NOT NULL, t.end_on, t.delete_on"
    " FROM customer LEFT JOIN suspension s ON s.customer_id = id"
    " LEFT JOIN termination t ON t.customer_id = id"
    " WHERE state = 1 AND (s.customer_id IS NOT NULL"
    " OR t.customer_id IS NOT NULL)",
};
const struct query_set tenant_status_queries = {"standing", tenant_status_text,
                                                COUNT(tenant_status_text)};

struct held {
    char tenant[33];
    struct tenant_status standing;
    struct held *next;
};

struct tenant_statuses {
    pthread_mutex_t lock; /* guards first */
    struct held *first;
};

struct tenant_statuses *tenant_status_open(void)
{
    struct tenant_statuses *all = calloc(1, sizeof *all);

    must(all && pthread_mutex_init(&all->lock, NULL) == 0);
    return all;
}

static void drop(struct held *list)
{
    while (list) {
        struct held *next = list->next;
        free(list);
        list = next;
    }
}

void tenant_status_close(struct tenant_statuses *all)
{
    if (!all)
        return;
    drop(all->first);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static enum err read_all(struct ctx *c, struct held **out)
{
    struct query *q = query(c, tenant_status_text[0]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct held *h = calloc(1, sizeof *h);
        const char *id = col_peek(q, 0);
        must(h && strlen(id) < sizeof h->tenant);
        memcpy(h->tenant, id, strlen(id) + 1);
        h->standing = (struct tenant_status){.is_suspended = col_int(q, 1) != 0,
                                             .end_on = col_day(q, 2),
                                             .delete_on = col_day(q, 3)};
        h->next = *out;
        *out = h;
    }
    return e;
}

enum err tenant_status_load(struct ctx *c, const struct app *app)
{
    struct held *list = NULL;
    enum err e;

    if (!app->standings) /* a command without a server */
        return OK;
    if ((e = tx_begin_control(c, app->store, TX_READ)))
        return e;
    e = tx_end_control(c, app->store, read_all(c, &list));
    if (!e) {
        pthread_mutex_lock(&app->standings->lock);
        struct held *old = app->standings->first;
        app->standings->first = list;
        list = old;
        pthread_mutex_unlock(&app->standings->lock);
    }
    drop(list);
    return e;
}

void tenant_status_find(const struct app *app, const char *tenant,
                        struct tenant_status *out)
{
    *out = (struct tenant_status){.end_on = DAY_NONE, .delete_on = DAY_NONE};
    if (!app->standings || !tenant)
        return;
    pthread_mutex_lock(&app->standings->lock);
    for (const struct held *h = app->standings->first; h; h = h->next)
        if (strcmp(h->tenant, tenant) == 0)
            *out = h->standing;
    pthread_mutex_unlock(&app->standings->lock);
}

bool tenant_status_is_closed(const struct tenant_status *s, int64_t now_us)
{
    return s->end_on != DAY_NONE && clock_today(now_us) > s->end_on;
}

enum err tenant_status_check(struct ctx *c, const struct tenant_status *s)
{
    if (!s->is_suspended)
        return OK;
    return ctx_fail(c, ERR_DENIED, "", "tenant_suspended",
                    "運用者がこのテナントの利用を停止しています。"
                    "データは保管されています",
                    "The operator has suspended this tenant. Its data is kept");
}

enum err tenant_status_refuse_closed(struct ctx *c,
                                     const struct tenant_status *s)
{
    char day[11];

    civil_format(s->delete_on, day);
    return ctx_fail(c, ERR_DENIED, "", "tenant_closed",
                    "契約が終了しました。データは %s に削除されます",
                    "The contract has ended. The data is deleted on %s", day);
}
