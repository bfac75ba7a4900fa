/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a file, and what is done after an I/O error: a failed
 * fsync must never be repeated, because the kernel has dropped the pages and
 * would report success.  So the connections are closed and the file is
 * checked from the disk; a second error stops it until a person has looked. */
#include "db/file.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/tx.h"

#include <stdlib.h>
#include <string.h>

void file_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(cond, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

static enum err open_writer(struct file *f)
{
    atomic_fetch_add(&f->figures->opens, 1);
    return conn_open(&f->place, CONN_WRITER, &f->writer);
}

enum err file_open(const char *path, const struct conn_place *place,
                   const struct migrate_plan *plan,
                   struct store_figures *figures, struct file **out)
{
    struct file *f = calloc(1, sizeof(*f));

    *out = NULL;
    must(f);
    f->path = strdup(path);
    must(f->path);
    memcpy(f->key, place->key, sizeof(f->key));
    f->tenant = place->tenant;
    f->place = *place;
    f->place.path = f->path;
    f->place.key = f->key;
    f->figures = figures;
    must(pthread_mutex_init(&f->lock, NULL) == 0);
    file_init_cond(&f->reader_back);
    enum err e = open_writer(f);
    int64_t version = 0;
    if (!e)
        e = conn_number(f->writer, "PRAGMA user_version", &version);
    if (!e && version != plan->version) {
        conn_close(f->writer);
        f->writer = NULL;
        e = migrate_file(&f->place, plan);
        if (!e)
            e = open_writer(f);
    }
    if (!e)
        e = migrate_check(f->writer, plan);
    if (!e)
        atomic_store(&f->used_bytes, conn_used_bytes(f->writer));
    if (e)
        file_close(f);
    else
        *out = f;
    return e;
}

void file_close(struct file *f)
{
    if (!f)
        return;
    must(!f->is_writing && !f->first);
    tx_close_readers(f);
    must(f->readers == 0);
    conn_close(f->writer);
    pthread_cond_destroy(&f->reader_back);
    pthread_mutex_destroy(&f->lock);
    crypto_wipe(f->key, sizeof(f->key));
    free(f->path);
    free(f);
}

bool file_is_stopped(struct file *f)
{
    pthread_mutex_lock(&f->lock);
    bool is_stopped = f->state == FILE_STOPPED;
    pthread_mutex_unlock(&f->lock);
    return is_stopped;
}
