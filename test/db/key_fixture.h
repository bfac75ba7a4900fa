/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEY_FIXTURE_H
#define KEY_FIXTURE_H

/* What the tests of fresh keys share: the tenant acme with a generation of
 * backups, and a kill before each call that changes the disk.  Included by one
 * file of a program, as it stands in for functions of libc. */
#include "db_fixture.h"

#include "db/generation.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#define DAY "2026-11-24"

enum { CALLS_MAX = 200, KILLED = 9 };

/* ---- a kill before the call of this number ---- */

static int calls_left; /* 0: off */

static inline void count_call(void)
{
    if (calls_left > 0 && --calls_left == 0)
        _exit(KILLED);
}

int rename(const char *from, const char *to)
{
    count_call();
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char *from, const char *to)
{
    count_call();
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int dir, const char *path, int flags)
{
    count_call();
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

/* Does the work in a process that is killed before its first such call, then
 * before its second, and so on until it ends by itself; after each, seen()
 * looks at the store opened again.  Returns the number of kills. */
static inline int kill_at_each_call(struct fixture *f,
                                    enum err (*work)(struct fixture *f),
                                    void (*seen)(struct fixture *f, void *arg),
                                    void *arg)
{
    int status = KILLED << 8, calls = 0;

    store_close(f->store);
    f->store = NULL;
    for (int n = 1; WEXITSTATUS(status) == KILLED; n++, calls++) {
        must(n < CALLS_MAX);
        pid_t child = fork();
        if (child == 0) {
            must(store_open(&f->config, &f->store) == OK);
            calls_left = n;
            _exit(work(f) ? 1 : 0);
        }
        must(waitpid(child, &status, 0) == child && WIFEXITED(status));
        must(store_open(&f->config, &f->store) == OK);
        seen(f, arg);
        store_close(f->store);
        f->store = NULL;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    must(store_open(&f->config, &f->store) == OK);
    return calls - 1;
}

/* ---- a tenant with a backup ---- */

/* A path in the data directory; the last four stay. */
static inline const char *in(struct fixture *f, const char *name)
{
    static char path[4][256];
    static int next;
    char *out = path[next++ % 4];

    (void)snprintf(out, sizeof path[0], "%s/%s", f->dir, name);
    return out;
}

static inline void back_up(struct fixture *f)
{
    int64_t bytes = 0;

    must(generation_begin(f->store) == OK);
    must(generation_copy(f->store, "acme", ".db", &bytes) == OK);
    must(generation_copy(f->store, "acme", ".access.db", &bytes) == OK);
    must(generation_copy(f->store, GENERATION_CONTROL, ".db", &bytes) == OK);
    must(generation_seal(f->store, DAY, "{}", 2) == OK);
}

#endif
