/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_KEY_H
#define DB_KEY_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small files that must be there wholly or not at all, and the keys kept in
 * them.  Inside db/ only. */

/* Writes beside, syncs, renames, syncs the folder. */
MUST_USE enum err key_write_file(const char *dir, const char *name,
                                 const void *data, size_t len, unsigned mode);
/* Bytes read, -1 when it cannot be read or is longer than max. */
long key_read_file(const char *dir, const char *name, void *data, size_t max);
MUST_USE enum err key_sync_dir(const char *dir);
/* A key that lies in dir gets another name there.  The one place where a key
 * gets the name it is found by: ERR_CONFLICT (logged) when there is one, unless
 * it may be replaced. */
MUST_USE enum err key_name(const char *dir, const char *from, const char *to,
                           bool may_replace);

/* What keys are wrapped by.  While a rewrap is under way there are two, and what
 * either wrapped opens; what is written is wrapped by now.  Reading and writing
 * a key holds the lock shared, so that whoever holds it alone knows that every
 * key has its name and nobody is in the middle of a file. */
struct key_ring {
    pthread_rwlock_t lock;
    uint8_t now[32], before[32];
    bool has_before;
};
void key_ring_open(struct key_ring *ring, const uint8_t master[32]);
void key_ring_close(struct key_ring *ring);
/* master's takes the place of what was used until now, which stays. */
void key_ring_turn(struct key_ring *ring, const uint8_t master[32]);
void key_ring_forget(struct key_ring *ring); /* what was used before */
bool key_ring_has_two(struct key_ring *ring);

/* A data key and what belongs to it, in one file.  The first opens what is
 * encrypted; the others are what was derived from an earlier first one, or from
 * an earlier master key, for uses that outlive it. */
enum { KEY_SET_MAX = 4 };
struct key_set {
    uint8_t key[KEY_SET_MAX][32];
    size_t count;
};

/* The master key: 32 bytes in a file nobody else may read.  Without
 * may_create a missing file is ERR_NOT_FOUND.  Logged. */
MUST_USE enum err key_load_master(const char *path, bool may_create,
                                  uint8_t out[32]);
/* A data key, wrapped under the master key in dir/name; context binds it to
 * its owner.  ERR_CONFLICT when there is one: no key is ever written over. */
MUST_USE enum err key_make(const char *dir, const char *name,
                           struct key_ring *ring, const char *context,
                           uint8_t out[32]);
/* One that is there already. */
MUST_USE enum err key_keep(const char *dir, const char *name,
                           struct key_ring *ring, const char *context,
                           const struct key_set *set);
/* ERR_NOT_FOUND when there is none, ERR_INTERNAL (logged) when it does not
 * open. */
MUST_USE enum err key_load(const char *dir, const char *name,
                           struct key_ring *ring, const char *context,
                           uint8_t out[32]);
MUST_USE enum err key_load_set(const char *dir, const char *name,
                               struct key_ring *ring, const char *context,
                               struct key_set *out);
/* Wraps a file anew that the key before wrapped, all of it or nothing; what it
 * holds alone gains more.  OK also when there was nothing to do, ERR_INTERNAL
 * when neither opens it. */
MUST_USE enum err key_rewrap(const char *dir, const char *name,
                             struct key_ring *ring, const char *context,
                             const struct key_set *more, bool *is_changed);
/* The master key's file, open for writing; -1: not by this process, ever a
 * credential.  And its new content, in its place: no other block holds the old
 * one. */
int key_open_master(const char *path);
MUST_USE enum err key_replace_master(int fd, const char *path,
                                     const uint8_t master[32]);

#endif
