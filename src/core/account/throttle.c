/* SPDX-License-Identifier: Apache-2.0 */
/* A row a scope and subject: how many failures in a row, and when the last one
 * was.  When the next try may come follows from the two, so a row is written
 * only when something fails.  The clock may have been set back: no wait is
 * longer than its rule says, counted from now. */
#include "core/account/throttle.h"

#include "base/crypto.h"
#include "core/core.h"
#include "db/query.h"

#include <string.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_HOUR   (3600 * US_PER_SECOND)

enum { DOUBLINGS = 20, DAY = 24, MONTH = 30 * 24 };

enum { THROTTLE_GET, THROTTLE_PUT, THROTTLE_TAKE, THROTTLE_DROP, THROTTLE_OLD };
static const char *const throttle_text[] = {
    [THROTTLE_GET] = "SELECT failures, failed_at FROM throttle"
                     " WHERE scope = ?1 AND subject = ?2",
    [THROTTLE_PUT] =
        "INSERT INTO throttle (scope, subject, failures, failed_at)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET failures = ?3,"
        " failed_at = ?4",
    [THROTTLE_TAKE] =
        "UPDATE throttle SET failures = max(failures - 1, 0), failed_at ="
        " CASE WHEN failed_at = ?3 THEN ?4 ELSE failed_at END"
        " WHERE scope = ?1 AND subject = ?2",
    [THROTTLE_DROP] = "DELETE FROM throttle WHERE scope = ?1 AND subject = ?2",
    [THROTTLE_OLD] = "DELETE FROM throttle WHERE scope = ?1 AND"
                     " (failures = 0 OR failed_at < ?2)"
                     " AND (?3 = 0 OR failures < ?3)",
};
const struct query_set throttle_queries = {"throttle", throttle_text,
                                           COUNT(throttle_text)};

/* So many failures are free; then the wait doubles from first to max, and at
 * stop (0: never) nothing is let through any more.  Below the stop they are
 * forgotten when the last one is so many hours ago. */
static const struct rule {
    int free, first_s, max_s, stop, hours;
} rules[THROTTLE_SCOPES] = {
    [THROTTLE_PASSWORD] = {5, 1, 900, 100, MONTH},
    [THROTTLE_DEVICE] = {5, 1, 900, 100, MONTH},
    [THROTTLE_STEP] = {10, 1, 900, 100, MONTH},
    [THROTTLE_STEP_DEVICE] = {5, 1, 900, 100, MONTH},
    [THROTTLE_SESSION] = {5, 1, 900, 100, MONTH},
    [THROTTLE_PROOF] = {5, 1, 900, 100, MONTH},
    [THROTTLE_RESET] = {3, 60, 3600, 0, DAY},
    [THROTTLE_EMAIL] = {3, 60, 3600, 0, DAY},
};

static struct query *query_of(struct ctx *c, int n, enum throttle_scope scope,
                              int64_t subject)
{
    struct query *q = query(c, throttle_text[n]);

    bind_int(q, 1, scope);
    bind_int(q, 2, subject);
    return q;
}

static bool is_stopped(const struct rule *r, int64_t failures)
{
    return r->stop && failures >= r->stop;
}

static enum err find(struct ctx *c, enum throttle_scope scope, int64_t subject,
                     struct throttle_mark *out)
{
    const struct rule *r = &rules[scope];
    struct query *q = query_of(c, THROTTLE_GET, scope, subject);
    enum err e = query_one(c, q);

    *out = (struct throttle_mark){0};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->failures = col_int(q, 0);
    out->failed_at = col_int(q, 1);
    query_done(q);
    if (!is_stopped(r, out->failures) &&
        c->now_us - out->failed_at > r->hours * US_PER_HOUR)
        *out = (struct throttle_mark){0};
    return OK;
}

enum err throttle_wait_s(struct ctx *c, enum throttle_scope scope,
                         int64_t subject, int *out)
{
    const struct rule *r = &rules[scope];
    struct throttle_mark m;
    enum err e = find(c, scope, subject, &m);
    int64_t over = m.failures - r->free;

    *out = 0;
    if (e || over < 0)
        return e;
    if (is_stopped(r, m.failures)) {
        *out = THROTTLE_STOPPED;
        return OK;
    }
    int64_t wait_s = over > DOUBLINGS ? r->max_s : (int64_t)r->first_s << over;
    if (wait_s > r->max_s)
        wait_s = r->max_s;
    int64_t since = c->now_us > m.failed_at ? c->now_us - m.failed_at : 0;
    int64_t left = wait_s * US_PER_SECOND - since;
    if (left > 0)
        *out = (int)((left + US_PER_SECOND - 1) / US_PER_SECOND);
    return OK;
}

enum err throttle_count(struct ctx *c, enum throttle_scope scope,
                        int64_t subject, struct throttle_mark *before)
{
    enum err e = find(c, scope, subject, before);

    if (e)
        return e;
    struct query *q = query_of(c, THROTTLE_PUT, scope, subject);
    bind_int(q, 3, before->failures + 1);
    bind_int(q, 4, c->now_us);
    return query_run(c, q);
}

enum err throttle_uncount(struct ctx *c, enum throttle_scope scope,
                          int64_t subject, const struct throttle_mark *before)
{
    struct query *q = query_of(c, THROTTLE_TAKE, scope, subject);

    bind_int(q, 3, c->now_us); /* of the same request as throttle_count() */
    bind_int(q, 4, before->failed_at);
    return query_run(c, q);
}

enum err throttle_forget(struct ctx *c, enum throttle_scope scope,
                         int64_t subject)
{
    return query_run(c, query_of(c, THROTTLE_DROP, scope, subject));
}

enum err throttle_prune(struct ctx *c)
{
    enum err e = OK;

    for (int i = 0; !e && i < THROTTLE_SCOPES; i++) {
        struct query *q = query(c, throttle_text[THROTTLE_OLD]);
        bind_int(q, 1, i);
        bind_int(q, 2, c->now_us - rules[i].hours * US_PER_HOUR);
        bind_int(q, 3, rules[i].stop);
        e = query_run(c, q);
    }
    return e;
}

int64_t throttle_bucket(struct ctx *c, const struct app *app, const char *text)
{
    const char *name = arena_join(c->mem, c->actor->tenant, "\n", text);
    uint8_t key[32], mac[32];

    crypto_derive(app->code_key, "throttle", key);
    crypto_hmac(key, name, strlen(name), mac);
    crypto_wipe(key, sizeof key);
    return -1 - (int64_t)((mac[0] | (unsigned)mac[1] << 8) % THROTTLE_BUCKETS);
}
