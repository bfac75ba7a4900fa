/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_FILE_H
#define DB_FILE_H

#include "db/conn.h"
#include "db/migrate.h"
#include "db/store.h"

#include <stdatomic.h>

/* One database file in use: its single writer with the queue before it, and
 * a few readers.  Inside db/ only. */
struct store_figures {
    atomic_llong commits, shared_commits, busy, opens, readers_open, stopped;
    int wait_ms; /* for the writer or a reader; set once */
};

enum file_state {
    FILE_GOOD,
    FILE_SUSPECT, /* an I/O error: reopened and checked before it is used */
    FILE_STOPPED, /* a second one: nothing is done until the next start */
};

struct batch;
struct waiter;

struct file {
    char *path;
    const char *tenant; /* of the owner, NULL for control.db */
    uint8_t key[32];
    struct conn_place place;
    struct store_figures *figures;
    atomic_llong used_bytes; /* after the last commit */
    atomic_llong stopped;    /* statements that took too long */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t reader_back;
    enum file_state state;
    unsigned generation; /* counts reopenings */
    struct db *writer;
    bool is_writing;     /* the writer is in some thread's hands */
    struct batch *batch; /* the transaction it has open */
    struct waiter *first, *last;
    struct db *idle; /* readers */
    int readers;     /* idle and lent */
};

/* path is copied.  The writer is opened at once, so that a wrong key or a
 * damaged file shows here; older files are migrated first. */
MUST_USE enum err file_open(const char *path, const struct conn_place *place,
                            const struct migrate_plan *plan,
                            struct store_figures *figures, struct file **out);
/* Nobody may be using it any more.  NULL is allowed. */
void file_close(struct file *f);
bool file_is_stopped(struct file *f);
/* A condition whose time-outs are monotonic. */
void file_init_cond(pthread_cond_t *cond);

MUST_USE enum err file_begin(struct ctx *c, struct file *f, enum tx_mode mode);
MUST_USE enum err file_end(struct ctx *c, struct file *f, enum err outcome);

#endif
