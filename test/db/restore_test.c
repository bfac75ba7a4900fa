/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant put back from a generation: in its place, beside, over nothing of
 * somebody else's.  Each call that changes a name fails once, in turn, or is
 * the last one before a kill: then it is the old one, whole, or the new one. */
#include "db_fixture.h"

#include "db/generation.h"

#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { CALLS_MAX = 60, OLD_ROWS = 2, NEW_ROWS = 1 };
#define DAY "2026-11-24"

static const char add_key[] = "INSERT INTO key_name (key) VALUES (?1)";
static const char count_keys[] = "SELECT count(*) FROM key_name";

/* ---- a call that fails, or a kill before it ---- */

static int left; /* calls until then; 0: off */
static bool is_kill;
static bool is_lasting, is_broken; /* all that follow fail too */

static bool fails_now(void)
{
    errno = EIO;
    if (is_broken)
        return true;
    if (left == 0 || --left > 0)
        return false;
    if (is_kill)
        _exit(0);
    is_broken = is_lasting;
    return true;
}

int rename(const char *from, const char *to)
{
    return fails_now() ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char *from, const char *to)
{
    return fails_now() ? -1 : linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Fails with no consequence: only what follows a kill is of interest. */
int unlinkat(int dir, const char *path, int flags)
{
    return is_kill && fails_now()
               ? -1
               : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* ---- the data directory ---- */

static const char *path_of(struct fixture *f, const char *name)
{
    static char path[4][256];
    static int next;
    char *out = path[next++ % 4];

    (void)snprintf(out, sizeof path[0], "%s/%s", f->dir, name);
    return out;
}

static bool has(struct fixture *f, const char *name)
{
    return access(path_of(f, name), F_OK) == 0;
}

static void move(struct fixture *f, const char *from, const char *to)
{
    must(rename(path_of(f, from), path_of(f, to)) == 0);
}

static void read_key(struct fixture *f, const char *name, char out[256])
{
    int fd = open(path_of(f, name), O_RDONLY);

    memset(out, 0, 256);
    must(fd >= 0 && read(fd, out, 255) > 0 && close(fd) == 0);
}

/* Nothing half done in either folder. */
static void is_tidy(struct fixture *f)
{
    static const char *const folders[] = {"keys", "tenants"};

    for (size_t i = 0; i < COUNT(folders); i++) {
        DIR *d = opendir(path_of(f, folders[i]));
        const struct dirent *entry;
        must(d);
        while ((entry = readdir(d)))
            if (strncmp(entry->d_name, ".new-", 5) == 0 ||
                strncmp(entry->d_name, ".aside-", 7) == 0)
                fail_msg("%s/%s is left", folders[i], entry->d_name);
        must(closedir(d) == 0);
    }
}

static int64_t rows(struct fixture *f, const char *id)
{
    struct tenant *t;

    if (tenant_open(f->store, id, &t))
        return -1;
    int64_t count = fixture_number(f, t, count_keys);
    tenant_close(t);
    return count;
}

static void add(struct fixture *f, const char *id, const char *key)
{
    struct tenant *t;

    must(tenant_open(f->store, id, &t) == OK);
    must(fixture_add(f, t, add_key, key) == OK);
    tenant_close(t);
}

/* One row in the backup, one more written since. */
static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    int64_t bytes = 0;

    must(tenant_create(f->store, "acme") == OK);
    add(f, "acme", "AAA");
    must(generation_begin(f->store) == OK);
    must(generation_copy(f->store, "acme", ".db", &bytes) == OK);
    must(generation_copy(f->store, "acme", ".access.db", &bytes) == OK);
    must(generation_seal(f->store, DAY, "{}", 2) == OK);
    add(f, "acme", "BBB");
    fixture_reopen(f); /* nobody has it open */
    return 0;
}

static enum err restore(struct fixture *f, const char *as, bool is_over)
{
    return generation_restore(
        f->store, &(struct generation_aim){
                      .name = DAY, .id = "acme", .as = as, .is_over = is_over});
}

/* ---- keys of others ---- */

static void no_key_is_replaced(void **state)
{
    struct fixture *f = *state;
    char before[256], after[256];

    assert_false(tenant_is_id("control"));
    assert_true(tenant_is_id("control2") && tenant_is_id("acme"));
    read_key(f, "keys/control.key", before);
    assert_int_equal(restore(f, "control", false), ERR_INVALID);
    assert_int_equal(tenant_create(f->store, "control"), ERR_INVALID);
    read_key(f, "keys/control.key", after);
    assert_memory_equal(before, after, 256);
    /* of a deleted tenant: its log key, or its logs, and nothing else */
    fixture_write(path_of(f, "keys/gone.log.key"), "kept", 4, 0600);
    assert_int_equal(restore(f, "gone", false), ERR_CONFLICT);
    assert_int_equal(tenant_create(f->store, "gone"), ERR_CONFLICT);
    read_key(f, "keys/gone.log.key", after);
    assert_string_equal(after, "kept");
    assert_false(has(f, "keys/gone.key") || has(f, "tenants/gone"));
    is_tidy(f);
    fixture_reopen(f);
    assert_true(has(f, "keys/gone.log.key"));
}

/* What came between the look and the name is not replaced either. */
static void a_key_that_came_meanwhile_stays(void **state)
{
    struct fixture *f = *state;
    char path[256], key[256];

    must(mkdir(path_of(f, "retained"), 0700) == 0);
    fixture_write(path_of(f, "retained/late.log.db"), "logs", 4, 0600);
    assert_int_equal(restore(f, "late", false), ERR_CONFLICT);
    must(unlink(path_of(f, "retained/late.log.db")) == 0);
    /* a link to nowhere is not seen by looking */
    (void)snprintf(path, sizeof path, "%s/keys/late.key", f->dir);
    must(symlink("nowhere", path) == 0);
    assert_int_equal(restore(f, "late", false), ERR_CONFLICT);
    must(readlink(path, key, sizeof key) == 7);
    is_tidy(f);
    must(unlink(path) == 0);
    assert_int_equal(restore(f, "late", false), OK);
    assert_int_equal(rows(f, "late"), NEW_ROWS);
}

/* ---- in its place ---- */

static void is_restored_without_its_key(void **state)
{
    static const char *const lost[] = {"keys/acme.key", "keys/acme.log.key",
                                       "tenants/acme"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(lost); i++) {
        move(f, lost[i], "lost");
        assert_int_equal(rows(f, "acme"), -1);
        assert_int_equal(restore(f, "acme", true), OK);
        assert_int_equal(rows(f, "acme"), NEW_ROWS);
        is_tidy(f);
        if (i < 2)
            assert_true(has(f, "tenants/.replaced-acme/tenant.db"));
        (void)nftw(path_of(f, "lost"), fixture_remove, 8, FTW_DEPTH);
        fixture_reopen(f);
    }
}

/* The live one as it was, with its very files and keys. */
static void is_untouched(struct fixture *f, ino_t inode, const char *keys)
{
    char now[256];
    struct stat st;

    is_tidy(f);
    must(stat(path_of(f, "tenants/acme/tenant.db"), &st) == 0);
    assert_true(st.st_ino == inode);
    assert_int_equal(has(f, "keys/acme.key"), *keys != 0);
    if (*keys) {
        read_key(f, "keys/acme.key", now);
        assert_memory_equal(now, keys, 256);
    }
}

static void fail_each(struct fixture *f, const char *keys)
{
    bool was_hit = true;
    struct stat st;
    int failed = 0;

    must(stat(path_of(f, "tenants/acme/tenant.db"), &st) == 0);
    for (int n = 1; was_hit; n++) {
        assert_in_range(n, 1, CALLS_MAX);
        left = n;
        enum err e = restore(f, "acme", true);
        was_hit = left == 0;
        left = 0;
        if (!e)
            break; /* from here on only tidying is left */
        assert_true(was_hit);
        failed++;
        is_untouched(f, st.st_ino, keys);
    }
    assert_in_range(failed, 5, CALLS_MAX);
    fixture_reopen(f);
    is_tidy(f);
    assert_int_equal(rows(f, "acme"), NEW_ROWS);
    assert_true(has(f, "tenants/.replaced-acme/tenant.db"));
}

static void a_failed_step_changes_nothing(void **state)
{
    struct fixture *f = *state;
    char keys[256];

    read_key(f, "keys/acme.key", keys);
    fail_each(f, keys);
}

static void nor_does_it_without_the_key(void **state)
{
    struct fixture *f = *state;

    must(unlink(path_of(f, "keys/acme.key")) == 0);
    fail_each(f, "");
}

/* Tried again from another generation: the live one is still kept. */
static void what_was_replaced_first_stays(void **state)
{
    struct fixture *f = *state;
    const struct dirent *entry;
    struct stat live, st = {.st_ino = 0};
    int keys = 0;

    must(stat(path_of(f, "tenants/acme/tenant.db"), &live) == 0);
    assert_int_equal(restore(f, "acme", true), OK);
    assert_int_equal(restore(f, "acme", true), OK);
    DIR *d = opendir(path_of(f, "tenants"));
    must(d);
    while ((entry = readdir(d))) {
        char path[96];
        (void)snprintf(path, sizeof path, "tenants/%.60s/tenant.db",
                       entry->d_name);
        if (strncmp(entry->d_name, ".replaced-acme.", 15) == 0)
            must(stat(path_of(f, path), &st) == 0);
    }
    must(closedir(d) == 0);
    assert_true(st.st_ino == live.st_ino);
    assert_true(has(f, "tenants/.replaced-acme/tenant.db"));
    must((d = opendir(path_of(f, "keys"))) != NULL);
    while ((entry = readdir(d)))
        keys += strncmp(entry->d_name, ".replaced-acme.", 15) == 0;
    must(closedir(d) == 0);
    assert_int_equal(keys, 4); /* two of each */
}

/* A disk that takes no more names: not even the old ones back. */
static void what_cannot_be_put_back_is_by_the_next_start(void **state)
{
    struct fixture *f = *state;
    char keys[256];
    struct stat st;
    int failed = 0;

    read_key(f, "keys/acme.key", keys);
    must(stat(path_of(f, "tenants/acme/tenant.db"), &st) == 0);
    for (enum err e = ERR_INTERNAL; e;) {
        assert_in_range(failed, 0, CALLS_MAX);
        is_lasting = true;
        left = failed + 1;
        e = restore(f, "acme", true);
        is_lasting = is_broken = false;
        left = 0;
        failed += e != OK;
        fixture_reopen(f);
        if (e)
            is_untouched(f, st.st_ino, keys);
    }
    assert_in_range(failed, 5, CALLS_MAX);
    assert_int_equal(rows(f, "acme"), NEW_ROWS);
}

/* Of a restore that is killed before its nth step; false: there are fewer. */
static bool killed_at(struct fixture *f, const char *as, bool is_over, int n)
{
    int status = 0;
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        must(store_open(&f->config, &f->store) == OK);
        is_kill = true;
        left = n;
        _exit(restore(f, as, is_over) ? 2 : 1);
    }
    must(waitpid(child, &status, 0) == child && WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 2);
    return WEXITSTATUS(status) == 0;
}

static void a_kill_leaves_the_old_or_the_new(void **state)
{
    struct fixture *f = *state;
    int old = 0, n = 1;
    bool was_hit = true;

    for (; was_hit; n++) {
        assert_in_range(n, 1, CALLS_MAX);
        store_close(f->store);
        was_hit = killed_at(f, "acme", true, n);
        must(store_open(&f->config, &f->store) == OK);
        is_tidy(f);
        int64_t count = rows(f, "acme");
        assert_true(count == OLD_ROWS || count == NEW_ROWS);
        old += count == OLD_ROWS;
        if (count == NEW_ROWS) {
            assert_true(has(f, "tenants/.replaced-acme/tenant.db"));
            add(f, "acme", "BBB");
            fixture_reopen(f);
        }
    }
    assert_in_range(old, 5, n);
}

/* Its folder lost, its keys there: they are, whatever is killed. */
static void a_kill_costs_no_key(void **state)
{
    struct fixture *f = *state;
    bool was_hit = true;

    for (int n = 1; was_hit; n++) {
        assert_in_range(n, 1, CALLS_MAX);
        (void)nftw(path_of(f, "tenants/acme"), fixture_remove, 8, FTW_DEPTH);
        store_close(f->store);
        was_hit = killed_at(f, "acme", true, n);
        must(store_open(&f->config, &f->store) == OK);
        is_tidy(f);
        assert_true(has(f, "keys/acme.key") && has(f, "keys/acme.log.key"));
    }
}

static void a_kill_beside_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    bool was_hit = true;

    for (int n = 1; was_hit; n++) {
        assert_in_range(n, 1, CALLS_MAX);
        store_close(f->store);
        was_hit = killed_at(f, "two", false, n);
        must(store_open(&f->config, &f->store) == OK);
        is_tidy(f);
        if (has(f, "tenants/two"))
            assert_int_equal(rows(f, "two"), NEW_ROWS);
        else
            assert_false(has(f, "keys/two.key") || has(f, "keys/two.log.key"));
        assert_int_equal(rows(f, "acme"), OLD_ROWS);
    }
    assert_true(has(f, "tenants/two"));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_key_is_replaced),
        TEST(a_key_that_came_meanwhile_stays),
        TEST(is_restored_without_its_key),
        TEST(a_failed_step_changes_nothing),
        TEST(nor_does_it_without_the_key),
        TEST(what_cannot_be_put_back_is_by_the_next_start),
        TEST(what_was_replaced_first_stays),
        TEST(a_kill_leaves_the_old_or_the_new),
        TEST(a_kill_costs_no_key),
        TEST(a_kill_beside_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
