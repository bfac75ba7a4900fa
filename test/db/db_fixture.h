/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_FIXTURE_H
#define DB_FIXTURE_H

/* A data directory of its own for each test, and the few things the tests of
 * db/ do over and over.  Static, so that each test is one file to link. */
#include "base/log.h"
#include "db/query.h"
#include "db/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[64], key_path[80];
    struct store_config config;
    struct store *store;
    struct tenant *t; /* for tests that want one all along */
    struct actor actor;
    struct ctx c;
};

static int fixture_remove(const char *path, const struct stat *st, int type,
                          struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    must(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/yagura-test-XXXXXX");
    must(mkdtemp(f->dir));
    (void)snprintf(f->key_path, sizeof(f->key_path), "%s.key", f->dir);
    f->config = (struct store_config){.dir = f->dir,
                                      .master_key_path = f->key_path,
                                      .kind = STORE_EVALUATION,
                                      .create = true};
    f->c.actor = &f->actor;
    f->c.mem = arena_open(0);
    must(store_open(&f->config, &f->store) == OK);
    *state = f;
    return 0;
}

static int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    char path[96];

    store_close(f->store);
    arena_close(f->c.mem);
    (void)nftw(f->dir, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
    (void)unlink(f->key_path);
    (void)snprintf(path, sizeof(path), "%s.other", f->dir);
    (void)unlink(path);
    free(f);
    return 0;
}

static inline void fixture_reopen(struct fixture *f)
{
    store_close(f->store);
    must(store_open(&f->config, &f->store) == OK);
}

static inline const char *fixture_text(const char *word, int number)
{
    static _Thread_local char text[64];

    (void)snprintf(text, sizeof(text), "%s%d", word, number);
    return text;
}

/* One row in one transaction: sql takes the text as ?1. */
static inline enum err fixture_add(struct fixture *f, struct tenant *t,
                                   const char *sql, const char *text)
{
    struct ctx c = f->c;
    enum err e = tx_begin(&c, t, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(&c, sql);
    bind_text(q, 1, text);
    return tx_end(&c, t, query_run(&c, q));
}

static inline int64_t fixture_number(struct fixture *f, struct tenant *t,
                                     const char *sql)
{
    struct ctx c = f->c;
    int64_t number = -1;

    must(tx_begin(&c, t, TX_READ) == OK);
    struct query *q = query(&c, sql);
    if (!query_one(&c, q))
        number = col_int(q, 0);
    must(tx_end(&c, t, OK) == OK);
    return number;
}

static inline void fixture_write(const char *path, const void *data, size_t len,
                                 mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

    must(fd >= 0 && write(fd, data, len) == (ssize_t)len && close(fd) == 0);
}

static inline long fixture_file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : (long)st.st_size;
}

/* Only for files whose connections may lose their locks afterwards: reading
 * a database beside SQLite drops them. */
static inline bool fixture_file_has(const char *path, const char *word)
{
    long size = fixture_file_size(path);
    FILE *file = fopen(path, "rb");
    char *data = malloc((size_t)size + 1);

    must(file && data);
    must(fread(data, 1, (size_t)size, file) == (size_t)size);
    bool has = memmem(data, (size_t)size, word, strlen(word)) != NULL;
    free(data);
    must(fclose(file) == 0);
    return has;
}

#endif
