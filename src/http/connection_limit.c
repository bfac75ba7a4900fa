/* SPDX-License-Identifier: Apache-2.0 */
/* Admission control; the policy is in the header.
 *
 * Addresses are not stored: connections are counted in slots chosen by a
 * seeded hash, so memory is fixed and a collision merely makes two addresses
 * share a limit that seldom matters.  The hard part is closing somebody
 * else's connection: the descriptor may be closed, and its number reused, at
 * any moment.  Hence a seat's descriptor changes only under the seat's lock,
 * and it is shut down under the same lock. */
#include "http/connection_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/crypto.h"
#include "base/err.h"

#define SLOTS           4096
#define BUCKET_SIZE     30
#define BUCKET_PER_S    10
#define WORKING         INT64_MAX /* waiting_since of a busy seat */
#define HASH_MULTIPLIER 0x9e3779b97f4a7c15u
enum { PEEKS_MAX = 8 };

struct seat {
    pthread_mutex_t lock; /* guards fd */
    int fd;               /* -1: no connection */
    atomic_int tag;
    _Atomic int64_t waiting_since;
    struct connection_limit *owner;
    struct seat *next_free;
};

struct bucket {
    int64_t filled_ms;
    int tokens_milli;
};

struct connection_limit {
    uint64_t seed;
    int workers;
    atomic_int connections, working;
    atomic_int seats_used; /* from the first on; some may be free again */
    pthread_mutex_t lock;  /* guards free_seats */
    struct seat *free_seats;
    atomic_int attached; /* connections in the hands of a thread */
    atomic_int held[SLOTS];
    /* Of the accepting thread alone: */
    struct bucket buckets[SLOTS];
    int64_t second;
    int handshakes; /* in that second */
    struct seat seats[];
};

struct connection_limit *connection_limit_open(int workers)
{
    struct connection_limit *a =
        calloc(1, sizeof *a + (size_t)workers * sizeof a->seats[0]);
    must(a != NULL);
    crypto_random(&a->seed, sizeof a->seed);
    a->workers = workers;
    pthread_mutex_init(&a->lock, NULL);
    for (int i = 0; i < workers; i++) {
        pthread_mutex_init(&a->seats[i].lock, NULL);
        a->seats[i].fd = -1;
        a->seats[i].owner = a;
        a->seats[i].waiting_since = WORKING;
    }
    return a;
}

void connection_limit_close(struct connection_limit *a)
{
    if (!a)
        return;
    for (int i = 0; i < a->workers; i++)
        pthread_mutex_destroy(&a->seats[i].lock);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static int find_slot(const struct connection_limit *a,
                     const struct ip_address *from)
{
    uint64_t high, low = 0;
    memcpy(&high, from->bytes, 8);
    if (ip_address_is_v4(from))
        memcpy(&low, from->bytes + 8, 8);
    uint64_t hash = (high ^ a->seed) * HASH_MULTIPLIER;
    hash = (hash ^ (hash >> 32) ^ low) * HASH_MULTIPLIER;
    hash = (hash ^ (hash >> 29) ^ a->seed) * HASH_MULTIPLIER;
    return (int)(hash >> 52) % SLOTS;
}

/* Whether the worker of the seat will find something when it looks next. */
static bool is_spoken_to(struct seat *seat)
{
    char byte;

    pthread_mutex_lock(&seat->lock);
    bool is = seat->fd >= 0 &&
              recv(seat->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0;
    pthread_mutex_unlock(&seat->lock);
    return is;
}

/* The connection of this address that has said nothing longest, and at the
 * earliest since the given moment. */
static struct seat *find_oldest(struct connection_limit *a, int slot,
                                int64_t from)
{
    struct seat *oldest = NULL;
    int64_t since = WORKING;
    int used = atomic_load(&a->seats_used);
    for (int i = 0; i < used; i++) {
        struct seat *seat = &a->seats[i];
        int64_t waiting = atomic_load(&seat->waiting_since);
        if (atomic_load(&seat->tag) == slot && waiting < since &&
            waiting >= from) {
            oldest = seat;
            since = waiting;
        }
    }
    return oldest;
}

/* Shuts down the connection of this address that has said nothing longest.
 * One whose request is on the way does not count; after a few of those
 * nobody goes. */
static bool evict_oldest(struct connection_limit *a, int slot)
{
    int64_t from = INT64_MIN;
    struct seat *oldest = NULL;
    for (int i = 0; i < PEEKS_MAX; i++) {
        if (!(oldest = find_oldest(a, slot, from)))
            return false;
        if (!is_spoken_to(oldest))
            break;
        from = atomic_load(&oldest->waiting_since) + 1;
        oldest = NULL;
    }
    if (!oldest)
        return false;
    atomic_store(&oldest->waiting_since, WORKING);
    pthread_mutex_lock(&oldest->lock);
    bool is_shut = oldest->fd >= 0 && shutdown(oldest->fd, SHUT_RDWR) == 0;
    pthread_mutex_unlock(&oldest->lock);
    return is_shut;
}

static bool may_shake_hands(struct connection_limit *a, int slot,
                            int64_t now_ms)
{
    struct bucket *b = &a->buckets[slot];
    if (a->second != now_ms / 1000) {
        a->second = now_ms / 1000;
        a->handshakes = 0;
    }
    int64_t gained = (now_ms - b->filled_ms) * BUCKET_PER_S;
    b->filled_ms = now_ms;
    if (gained > BUCKET_SIZE * 1000 - b->tokens_milli)
        b->tokens_milli = BUCKET_SIZE * 1000;
    else
        b->tokens_milli += (int)gained;
    bool has_token = b->tokens_milli >= 1000;
    if (!has_token && a->handshakes >= CONNECTION_LIMIT_HANDSHAKES)
        return false;
    if (has_token)
        b->tokens_milli -= 1000;
    a->handshakes++;
    return true;
}

int connection_limit_enter(struct connection_limit *a,
                           const struct ip_address *from, bool is_exempt,
                           bool is_tls, int64_t now_ms)
{
    int slot = find_slot(a, from);
    if (!is_exempt) {
        if (is_tls && !may_shake_hands(a, slot, now_ms))
            return -1;
        if (connection_limit_is_busy(a) &&
            atomic_load(&a->held[slot]) >= CONNECTION_LIMIT_PER_ADDRESS &&
            !evict_oldest(a, slot))
            return -1;
    }
    atomic_fetch_add(&a->held[slot], 1);
    atomic_fetch_add(&a->connections, 1);
    return slot;
}

void connection_limit_leave(struct connection_limit *a, int tag)
{
    atomic_fetch_sub(&a->held[tag], 1);
    atomic_fetch_sub(&a->connections, 1);
}

struct seat *connection_limit_take_seat(struct connection_limit *a)
{
    pthread_mutex_lock(&a->lock);
    struct seat *seat = a->free_seats;
    if (seat) {
        a->free_seats = seat->next_free;
    } else {
        int n = atomic_load(&a->seats_used);
        must(n < a->workers);
        seat = &a->seats[n];
        atomic_store(&a->seats_used, n + 1);
    }
    pthread_mutex_unlock(&a->lock);
    return seat;
}

void connection_limit_leave_seat(struct seat *seat)
{
    struct connection_limit *a = seat->owner;
    pthread_mutex_lock(&a->lock);
    seat->next_free = a->free_seats;
    a->free_seats = seat;
    pthread_mutex_unlock(&a->lock);
}

void seat_attach(struct seat *seat, int fd, int tag, int64_t now_ms)
{
    pthread_mutex_lock(&seat->lock);
    if (seat->fd < 0)
        atomic_fetch_add(&seat->owner->attached, 1);
    seat->fd = fd;
    pthread_mutex_unlock(&seat->lock);
    atomic_store(&seat->tag, tag);
    atomic_store(&seat->waiting_since, now_ms);
}

void seat_detach(struct seat *seat)
{
    atomic_store(&seat->waiting_since, WORKING);
    pthread_mutex_lock(&seat->lock);
    if (seat->fd >= 0)
        atomic_fetch_sub(&seat->owner->attached, 1);
    seat->fd = -1;
    pthread_mutex_unlock(&seat->lock);
}

void seat_work(struct seat *seat)
{
    atomic_store(&seat->waiting_since, WORKING);
    atomic_fetch_add(&seat->owner->working, 1);
}

void seat_wait(struct seat *seat, int64_t now_ms)
{
    atomic_store(&seat->waiting_since, now_ms);
    atomic_fetch_sub(&seat->owner->working, 1);
}

void connection_limit_shut(struct connection_limit *a)
{
    for (int i = 0; i < a->workers; i++) {
        pthread_mutex_lock(&a->seats[i].lock);
        if (a->seats[i].fd >= 0)
            (void)shutdown(a->seats[i].fd, SHUT_RDWR);
        pthread_mutex_unlock(&a->seats[i].lock);
    }
}

bool connection_limit_is_busy(const struct connection_limit *a)
{
    return atomic_load(&a->connections) > a->workers / 4 * 3;
}

int connection_limit_connections(const struct connection_limit *a)
{
    return atomic_load(&a->connections);
}

int connection_limit_workers(const struct connection_limit *a)
{
    return a->workers;
}

int connection_limit_waiting(const struct connection_limit *a)
{
    int n = atomic_load(&a->connections) - atomic_load(&a->attached);

    return n > 0 ? n : 0;
}

int connection_limit_working(const struct connection_limit *a)
{
    return atomic_load(&a->working);
}
