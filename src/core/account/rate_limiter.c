/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of counters that keys are hashed onto.  A key has no slot of its
 * own: a slot's count is the sum over its keys, so it is never below the count
 * of any of them, and all slots together hold as many failures as there were.
 * A flood of chosen names or addresses can therefore only add waits.  The hash
 * is HMAC-SHA-256 under a key drawn at the start. */
#include "core/account/rate_limiter.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/ip_address.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 32768, FORGET_MS = 24 * 3600 * 1000, EASE = 5, DOUBLINGS = 20 };
enum level { ADDRESS, NETWORK, TENANT, LEVELS };

struct slot {
    int64_t last_ms; /* monotonic, of the last failure */
    int failures;
};

struct rate_limiter {
    uint8_t key[32];
    pthread_mutex_t lock; /* guards slots */
    struct slot slots[LIMIT_KINDS][LEVELS][SLOTS];
};

/* So many failures are free; then the wait doubles from first to max. */
static const struct rule {
    int free, first_s, max_s;
} rules[LIMIT_KINDS][LEVELS] = {
    [LIMIT_SIGN_IN] = {[ADDRESS] = {30, 1, 60},
                       [NETWORK] = {200, 1, 60},
                       [TENANT] = {1000, 1, 4}},
    [LIMIT_LINK] = {[ADDRESS] = {30, 1, 60},
                    [NETWORK] = {200, 1, 60},
                    [TENANT] = {2000, 1, 4}},
    [LIMIT_TOKEN] = {[ADDRESS] = {100, 1, 60},
                     [NETWORK] = {1000, 1, 60},
                     [TENANT] = {5000, 1, 4}},
    [LIMIT_MAIL] = {[ADDRESS] = {30, 10, 600},
                    [NETWORK] = {200, 10, 600},
                    [TENANT] = {1000, 1, 4}},
};

struct rate_limiter *rate_limiter_open(void)
{
    struct rate_limiter *l = calloc(1, sizeof(*l));

    must(l);
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    crypto_random(l->key, sizeof(l->key));
    return l;
}

void rate_limiter_close(struct rate_limiter *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static size_t hash(const struct rate_limiter *l, const void *data, size_t len)
{
    uint8_t mac[32];

    crypto_hmac(l->key, data, len, mac);
    return (mac[0] | (size_t)mac[1] << 8) % SLOTS;
}

/* What a try counts against; count is 1 or 3. */
struct places {
    struct slot *slots[LEVELS];
    const struct rule *rules[LEVELS];
    int count;
};

static void add_place(struct rate_limiter *l, enum rate_limiter_kind kind,
                      enum level level, size_t at, struct places *out)
{
    out->slots[out->count] = &l->slots[kind][level][at];
    out->rules[out->count++] = &rules[kind][level];
}

static void find_places(struct rate_limiter *l, enum rate_limiter_kind kind,
                        const struct rate_limiter_from *from,
                        struct places *out)
{
    struct ip_address a, net;

    out->count = 0;
    add_place(l, kind, TENANT, hash(l, from->tenant, strlen(from->tenant)),
              out);
    if (!ip_address_parse(from->address, &a))
        return;
    net = ip_address_cut(&a, 32, 64);
    add_place(l, kind, ADDRESS, hash(l, net.bytes, sizeof net.bytes), out);
    net = ip_address_cut(&a, 24, 48);
    add_place(l, kind, NETWORK, hash(l, net.bytes, sizeof net.bytes), out);
}

static int64_t open_at_ms(const struct slot *s, const struct rule *rule)
{
    int over = s->failures - rule->free;

    if (over < 0)
        return 0;
    int64_t wait_s =
        over > DOUBLINGS ? rule->max_s : (int64_t)rule->first_s << over;
    return s->last_ms + (wait_s > rule->max_s ? rule->max_s : wait_s) * 1000;
}

int rate_limiter_wait_s(struct rate_limiter *l, enum rate_limiter_kind kind,
                        const struct rate_limiter_from *from)
{
    int64_t now = clock_monotonic_ms(), latest = now;
    struct places p;

    find_places(l, kind, from, &p);
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < p.count; i++) {
        int64_t open = open_at_ms(p.slots[i], p.rules[i]);
        if (open > latest)
            latest = open;
    }
    pthread_mutex_unlock(&l->lock);
    return (int)((latest - now + 999) / 1000);
}

void rate_limiter_fail(struct rate_limiter *l, enum rate_limiter_kind kind,
                       const struct rate_limiter_from *from)
{
    int64_t now = clock_monotonic_ms();
    struct places p;

    find_places(l, kind, from, &p);
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < p.count; i++) {
        struct slot *s = p.slots[i];
        if (now - s->last_ms > FORGET_MS)
            s->failures = 0;
        s->failures++;
        s->last_ms = now;
    }
    pthread_mutex_unlock(&l->lock);
}

static void take_back(struct rate_limiter *l, enum rate_limiter_kind kind,
                      const struct rate_limiter_from *from, int failures)
{
    struct places p;

    find_places(l, kind, from, &p);
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < p.count; i++) {
        struct slot *s = p.slots[i];
        s->failures = s->failures > failures ? s->failures - failures : 0;
    }
    pthread_mutex_unlock(&l->lock);
}

void rate_limiter_unfail(struct rate_limiter *l, enum rate_limiter_kind kind,
                         const struct rate_limiter_from *from)
{
    take_back(l, kind, from, 1);
}

void rate_limiter_ease(struct rate_limiter *l, enum rate_limiter_kind kind,
                       const struct rate_limiter_from *from)
{
    take_back(l, kind, from, EASE);
}
