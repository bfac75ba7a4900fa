/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of failure counts with open addressing in small sets: eight
 * slots a set, the least recently used one is overwritten.  A guesser who
 * floods the table with other keys only forgets counts of keys in the same
 * set; the address bucket of the flood itself is refreshed by each guess. */
#include "core/limiter.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 2048, WAYS = 8, FORGET_MS = 24 * 3600 * 1000, EASE = 5 };

struct slot {
    uint64_t hash; /* 0: empty */
    int failures;
    int64_t last_ms, open_ms; /* monotonic; the next try may come at open */
};

struct limiter {
    pthread_mutex_t lock; /* guards slots */
    struct slot slots[SETS][WAYS];
};

static const struct {
    int free, first_s, max_s;
} rules[] = {
    [LIMIT_ACCOUNT] = {5,  1,  900 },
      [LIMIT_ADDRESS] = {30, 1,  60  },
    [LIMIT_DEVICE] = {5,  1,  900 },
      [LIMIT_STEP] = {10, 1,  900 },
    [LIMIT_RESET] = {3,  60, 3600},
};

struct limiter *limiter_open(void)
{
    struct limiter *l = calloc(1, sizeof(*l));

    must(l);
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    return l;
}

void limiter_close(struct limiter *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* FNV-1a; the table is no secret and a collision costs a wait. */
static uint64_t hash_key(enum limiter_scope scope, const char *key)
{
    uint64_t h = 14695981039346656037ULL ^ (uint64_t)scope;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211ULL;
    return h | 1;
}

static struct slot *find_slot(struct limiter *l, uint64_t hash)
{
    struct slot *set = l->slots[(hash >> 8) % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    return NULL;
}

static struct slot *take_slot(struct limiter *l, uint64_t hash)
{
    struct slot *set = l->slots[(hash >> 8) % SETS];
    struct slot *oldest = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].hash == hash)
            return &set[i];
        if (set[i].last_ms < oldest->last_ms)
            oldest = &set[i];
    }
    *oldest = (struct slot){.hash = hash};
    return oldest;
}

int limiter_wait_s(struct limiter *l, enum limiter_scope scope, const char *key)
{
    int64_t now = clock_monotonic_ms();
    int64_t wait = 0;

    pthread_mutex_lock(&l->lock);
    struct slot *s = find_slot(l, hash_key(scope, key));
    if (s && s->open_ms > now)
        wait = (s->open_ms - now + 999) / 1000;
    pthread_mutex_unlock(&l->lock);
    return (int)wait;
}

void limiter_fail(struct limiter *l, enum limiter_scope scope, const char *key)
{
    int64_t now = clock_monotonic_ms();

    pthread_mutex_lock(&l->lock);
    struct slot *s = take_slot(l, hash_key(scope, key));
    if (now - s->last_ms > FORGET_MS)
        s->failures = 0;
    s->last_ms = now;
    s->failures++;
    int over = s->failures - rules[scope].free;
    if (over >= 0) {
        int64_t wait_s = over > 20 ? rules[scope].max_s
                                   : (int64_t)rules[scope].first_s << over;
        if (wait_s > rules[scope].max_s)
            wait_s = rules[scope].max_s;
        s->open_ms = now + wait_s * 1000;
    }
    pthread_mutex_unlock(&l->lock);
}

void limiter_ease(struct limiter *l, enum limiter_scope scope, const char *key)
{
    pthread_mutex_lock(&l->lock);
    struct slot *s = find_slot(l, hash_key(scope, key));
    if (s) {
        s->failures = s->failures > EASE ? s->failures - EASE : 0;
        s->open_ms = 0;
    }
    pthread_mutex_unlock(&l->lock);
}

void limiter_forget(struct limiter *l, enum limiter_scope scope,
                    const char *key)
{
    pthread_mutex_lock(&l->lock);
    struct slot *s = find_slot(l, hash_key(scope, key));
    if (s)
        *s = (struct slot){0};
    pthread_mutex_unlock(&l->lock);
}
