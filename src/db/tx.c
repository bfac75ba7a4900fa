/* SPDX-License-Identifier: Apache-2.0 */
/* A durable commit costs a sync of the disk, so writers that queue for the
 * same file share one.  The writer connection passes from hand to hand, first
 * come first served; each member works in its own savepoint of one open
 * transaction and then waits.  The member that finds nobody behind it, or the
 * batch full or old, commits for all and tells them.  Nobody is told OK
 * before the sync is done; if the transaction is lost, everybody learns it.
 *
 * is_writing is the token: whoever was given it alone uses f->writer and
 * f->batch, without holding the lock. */
#include "db/tx.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

enum {
    READ_MS = 2000,
    WRITE_MS = 10000,
    READERS_MAX = 8,
    BATCH_MAX = 64,
    BATCH_MS = 5,
    WAL_PAGES_LONG = 4000, /* 16 MB: a reader is in the way */
    CHECKPOINT_WAIT_MS = 100,
};

struct batch {
    int members, waiting;
    int64_t begun_ms;
    bool is_done;
    enum err result;
    pthread_cond_t done;
};

struct waiter {
    bool is_turn;
    pthread_cond_t turn;
    struct waiter *next;
};

/* ---- waiting ---- */

static struct timespec after_ms(int64_t ms)
{
    int64_t at = clock_monotonic_ms() + ms;
    struct timespec t = {.tv_sec = (time_t)(at / 1000),
                         .tv_nsec = (long)(at % 1000) * 1000000};

    return t;
}

static void leave_queue(struct file *f, struct waiter *w)
{
    struct waiter **at = &f->first;

    f->last = NULL;
    while (*at) {
        if (*at == w) {
            *at = w->next;
        } else {
            f->last = *at;
            at = &(*at)->next;
        }
    }
}

/* With the lock held: until the token is ours. */
static enum err lock_writer(struct file *f)
{
    if (!f->is_writing && !f->first) {
        f->is_writing = true;
        return OK;
    }
    struct waiter w = {.is_turn = false};
    struct timespec until = after_ms(f->figures->wait_ms);
    int rc = 0;
    file_init_cond(&w.turn);
    if (f->last)
        f->last->next = &w;
    else
        f->first = &w;
    f->last = &w;
    while (!w.is_turn && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&w.turn, &f->lock, &until);
    if (!w.is_turn)
        leave_queue(f, &w);
    pthread_cond_destroy(&w.turn);
    return w.is_turn ? OK : ERR_BUSY;
}

/* With the lock held: gives the token to the next, or puts it down. */
static void pass_turn(struct file *f)
{
    struct waiter *w = f->first;

    if (!w) {
        f->is_writing = false;
        return;
    }
    f->first = w->next;
    if (!f->first)
        f->last = NULL;
    w->is_turn = true;
    pthread_cond_signal(&w->turn);
}

/* ---- the state of the file ---- */

static void note_io_error(struct file *f, struct db *db)
{
    if (!db->has_io_error)
        return;
    db->has_io_error = false;
    pthread_mutex_lock(&f->lock);
    if (db->generation == f->generation && f->state == FILE_GOOD)
        f->state = f->generation == 0 ? FILE_SUSPECT : FILE_STOPPED;
    enum file_state state = f->state;
    pthread_mutex_unlock(&f->lock);
    log_error("db: file=%s %s", f->path,
              state == FILE_STOPPED ? "stopped after a second error"
                                    : "will be reopened and checked");
}

/* The token is ours and no batch is open.  The writer closes last: it folds
 * what was committed into the file and removes the log, so that a commit
 * whose sync failed, and was refused, is not found there again. */
static enum err reopen(struct file *f)
{
    struct db *fresh = NULL;

    pthread_mutex_lock(&f->lock);
    f->generation++;
    tx_close_readers(f);
    pthread_mutex_unlock(&f->lock);
    conn_close(f->writer);
    f->writer = NULL;
    enum err e = conn_open(&f->place, CONN_WRITER, &fresh);
    if (!e && !conn_is_sound(fresh))
        e = ERR_INTERNAL;
    if (fresh)
        fresh->generation = f->generation;
    f->writer = fresh;
    pthread_mutex_lock(&f->lock);
    f->state = e ? FILE_STOPPED : FILE_GOOD;
    pthread_mutex_unlock(&f->lock);
    if (e)
        log_error("db: stopped, not sound, file=%s", f->path);
    else
        log_warn("db: reopened and found sound, file=%s", f->path);
    return e;
}

static enum err check_state(struct file *f)
{
    pthread_mutex_lock(&f->lock);
    enum file_state state = f->state;
    pthread_mutex_unlock(&f->lock);
    if (state == FILE_STOPPED)
        return ERR_INTERNAL;
    return state == FILE_SUSPECT && !f->batch ? reopen(f) : OK;
}

/* ---- the batch ---- */

static void free_batch(struct batch *b)
{
    pthread_cond_destroy(&b->done);
    free(b);
}

/* With the lock held: until the batch has ended; the last one frees it. */
static enum err wait_batch(struct file *f, struct batch *b)
{
    b->waiting++;
    while (!b->is_done)
        pthread_cond_wait(&b->done, &f->lock);
    enum err result = b->result;
    if (--b->waiting == 0)
        free_batch(b);
    return result;
}

/* The token is ours.  A reader may be in the way: then the log grows and the
 * next try comes 4 MB later; beyond 16 MB it waits for the readers a little. */
static void checkpoint(struct file *f)
{
    struct db *db = f->writer;
    bool is_long = db->wal_pages > WAL_PAGES_LONG;

    if (db->wal_pages < db->wal_due)
        return;
    if (is_long)
        log_warn("db: long log, pages=%d file=%s", db->wal_pages, f->path);
    sqlite3_busy_timeout(db->sqlite, CHECKPOINT_WAIT_MS);
    int rc = sqlite3_wal_checkpoint_v2(db->sqlite, NULL,
                                       is_long ? SQLITE_CHECKPOINT_RESTART
                                               : SQLITE_CHECKPOINT_PASSIVE,
                                       NULL, NULL);
    sqlite3_busy_timeout(db->sqlite, CONN_BUSY_MS);
    if (rc && rc != SQLITE_BUSY && rc != SQLITE_LOCKED) {
        (void)conn_fail(db, rc, "checkpoint");
        note_io_error(f, db);
    }
    db->wal_due = db->wal_pages + CONN_WAL_PAGES;
}

/* Ends the open transaction for all its members; the token stays ours. */
static enum err finish_batch(struct file *f)
{
    struct batch *b = f->batch;
    struct db *db = f->writer;
    enum err e = db->lost;

    db->deadline_ms = 0;
    if (!e && b->members > 0) {
        int rc = conn_control(db, CONTROL_COMMIT);
        e = rc ? conn_fail(db, rc, "commit") : OK;
    }
    if (!sqlite3_get_autocommit(db->sqlite))
        (void)conn_control(db, CONTROL_ROLLBACK);
    db->is_in_tx = false;
    db->lost = OK;
    note_io_error(f, db);
    f->batch = NULL;
    if (!e && b->members > 0) {
        atomic_fetch_add(&f->figures->commits, 1);
        atomic_fetch_add(&f->figures->shared_commits, b->members - 1);
        atomic_store(&f->used_bytes, conn_used_bytes(db));
    }
    pthread_mutex_lock(&f->lock);
    b->result = e;
    b->is_done = true;
    pthread_cond_broadcast(&b->done);
    if (b->waiting == 0)
        free_batch(b);
    pthread_mutex_unlock(&f->lock);
    if (!e)
        checkpoint(f);
    return e;
}

static enum err open_batch(struct file *f)
{
    int rc = conn_control(f->writer, CONTROL_BEGIN_WRITE);

    if (rc) {
        enum err e = conn_fail(f->writer, rc, "begin");
        note_io_error(f, f->writer);
        return e;
    }
    struct batch *b = calloc(1, sizeof(*b));
    must(b);
    file_init_cond(&b->done);
    b->begun_ms = clock_monotonic_ms();
    f->batch = b;
    return OK;
}

/* ---- writing ---- */

static enum err join_batch(struct file *f)
{
    enum err e = check_state(f);

    if (!e && !f->batch)
        e = open_batch(f);
    if (e)
        return e;
    struct db *db = f->writer;
    db->is_in_tx = true;
    db->owner = pthread_self();
    db->depth = 0;
    db->deadline_ms = clock_monotonic_ms() + WRITE_MS;
    int rc = conn_control(db, CONTROL_MEMBER);
    if (!rc)
        return OK;
    e = conn_fail(db, rc, "savepoint");
    if (!db->lost)
        db->lost = e;
    return e;
}

static enum err begin_write(struct ctx *c, struct file *f)
{
    pthread_mutex_lock(&f->lock);
    enum err e = lock_writer(f);
    pthread_mutex_unlock(&f->lock);
    if (e) {
        atomic_fetch_add(&f->figures->busy, 1);
        log_warn("db: waited too long to write, file=%s", f->path);
        return e;
    }
    e = join_batch(f);
    if (!e) {
        c->db = f->writer;
        return OK;
    }
    if (f->batch)
        (void)finish_batch(f);
    pthread_mutex_lock(&f->lock);
    pass_turn(f);
    pthread_mutex_unlock(&f->lock);
    return e;
}

/* Keeps or undoes what this member did. */
static enum err close_member(struct db *db, enum err outcome)
{
    int rc = SQLITE_OK;

    if (db->lost)
        return outcome ? outcome : db->lost;
    if (!outcome)
        rc = conn_control(db, CONTROL_MEMBER_KEEP);
    if (!outcome && !rc)
        return OK;
    if (rc)
        outcome = conn_fail(db, rc, "release");
    rc = db->lost ? SQLITE_OK : conn_control(db, CONTROL_MEMBER_UNDO);
    if (!rc && !db->lost)
        rc = conn_control(db, CONTROL_MEMBER_KEEP);
    if (rc && !db->lost)
        db->lost = conn_fail(db, rc, "undo");
    return outcome;
}

static bool may_pass_on(const struct file *f)
{
    const struct batch *b = f->batch;

    return f->first && !f->writer->lost && b->members < BATCH_MAX &&
           clock_monotonic_ms() - b->begun_ms < BATCH_MS;
}

static enum err end_write(struct file *f, enum err outcome)
{
    struct db *db = f->writer;
    struct batch *b = f->batch;

    must(outcome || db->depth == 0);
    db->depth = 0;
    outcome = close_member(db, outcome);
    if (!outcome)
        b->members++;
    pthread_mutex_lock(&f->lock);
    if (may_pass_on(f)) {
        pass_turn(f);
        if (!outcome)
            outcome = wait_batch(f, b);
        pthread_mutex_unlock(&f->lock);
        return outcome;
    }
    pthread_mutex_unlock(&f->lock);
    enum err result = finish_batch(f);
    pthread_mutex_lock(&f->lock);
    pass_turn(f);
    pthread_mutex_unlock(&f->lock);
    return outcome ? outcome : result;
}

/* ---- reading ---- */

void tx_close_readers(struct file *f)
{
    while (f->idle) {
        struct db *db = f->idle;
        f->idle = db->next;
        f->readers--;
        atomic_fetch_sub(&f->figures->readers_open, 1);
        conn_close(db);
    }
}

/* With the lock held: an idle reader, or NULL when a new one may be opened. */
static enum err take_reader(struct file *f, struct db **out)
{
    struct timespec until = after_ms(f->figures->wait_ms);
    int rc = 0;

    while (!f->idle && f->readers >= READERS_MAX && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&f->reader_back, &f->lock, &until);
    *out = f->idle;
    if (f->idle) {
        f->idle = f->idle->next;
        return OK;
    }
    if (f->readers >= READERS_MAX)
        return ERR_BUSY;
    f->readers++;
    return OK;
}

/* keep: it may be lent again. */
static void give_reader(struct file *f, struct db *db)
{
    struct db *stale = NULL;

    pthread_mutex_lock(&f->lock);
    if (db && db->generation == f->generation && !db->has_io_error) {
        db->next = f->idle;
        f->idle = db;
    } else {
        stale = db;
        f->readers--;
    }
    pthread_cond_signal(&f->reader_back);
    pthread_mutex_unlock(&f->lock);
    if (!stale)
        return;
    atomic_fetch_sub(&f->figures->readers_open, 1);
    note_io_error(f, stale);
    conn_close(stale);
}

static enum err open_reader(struct file *f, unsigned generation,
                            struct db **out)
{
    enum err e = conn_open(&f->place, CONN_READER, out);

    if (!e) {
        (*out)->generation = generation;
        atomic_fetch_add(&f->figures->readers_open, 1);
        atomic_fetch_add(&f->figures->opens, 1);
    }
    return e;
}

static enum err begin_read(struct ctx *c, struct file *f)
{
    struct db *db = NULL;

    pthread_mutex_lock(&f->lock);
    unsigned generation = f->generation;
    enum err e = f->state == FILE_STOPPED ? ERR_INTERNAL : take_reader(f, &db);
    pthread_mutex_unlock(&f->lock);
    if (e == ERR_BUSY)
        atomic_fetch_add(&f->figures->busy, 1);
    if (e)
        return e;
    if (!db)
        e = open_reader(f, generation, &db);
    if (e) {
        give_reader(f, NULL);
        return e;
    }
    db->is_in_tx = true;
    db->owner = pthread_self();
    db->depth = 0;
    db->lost = OK;
    db->deadline_ms = clock_monotonic_ms() + READ_MS;
    int rc = conn_control(db, CONTROL_BEGIN_READ);
    if (!rc) {
        c->db = db;
        return OK;
    }
    e = conn_fail(db, rc, "begin");
    db->is_in_tx = false;
    give_reader(f, db);
    return e;
}

static enum err end_read(struct file *f, struct db *db, enum err outcome)
{
    must(outcome || db->depth == 0);
    db->deadline_ms = 0;
    if (!sqlite3_get_autocommit(db->sqlite))
        (void)conn_control(db, CONTROL_ROLLBACK);
    db->is_in_tx = false;
    give_reader(f, db);
    return outcome;
}

/* ---- both ---- */

int64_t tx_used_bytes(struct ctx *c)
{
    must(c->db && c->db->is_in_tx);
    return conn_used_bytes(c->db);
}

void tx_extend(struct ctx *c, int seconds)
{
    must(c->db && c->db->is_in_tx && seconds > 0 && seconds <= 600);
    c->db->deadline_ms = clock_monotonic_ms() + seconds * INT64_C(1000);
    c->db->is_extended = true;
}

enum err file_begin(struct ctx *c, struct file *f, enum tx_mode mode)
{
    must(!c->db); /* one transaction at a time */
    return mode == TX_WRITE ? begin_write(c, f) : begin_read(c, f);
}

enum err file_end(struct ctx *c, struct file *f, enum err outcome)
{
    struct db *db = c->db;

    must(db && db->is_in_tx && db->place == &f->place);
    must(pthread_equal(db->owner, pthread_self()));
    query_end_all(db);
    if (db->is_cut) {
        atomic_fetch_add(&f->stopped, 1);
        atomic_fetch_add(&f->figures->stopped, 1);
    }
    db->is_cut = db->is_extended = false;
    c->db = NULL;
    return db->kind == CONN_WRITER ? end_write(f, outcome)
                                   : end_read(f, db, outcome);
}
