/* SPDX-License-Identifier: Apache-2.0 */
/* What a deletion proves must be proved by the confined server too; and no file
 * that held a key loses its name before its bytes are gone. */
#include "db_fixture.h"

#include "base/crypto.h"
#include "base/landlock.h"
#include "db/backup_mirror.h"
#include "db/erase.h"
#include "db/generation.h"
#include "db/key.h"
#include "db/stale_files.h"

#include <sys/prctl.h>
#include <sys/wait.h>

static struct erase_proof prove(const struct fixture *f, const char *id)
{
    struct erase_proof proof;

    must(erase_prove(f->store, id, f->c.mem, &proof) == OK);
    return proof;
}

static void handles_are_counted(void **state)
{
    struct fixture *f = *state;
    struct tenant *t;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_true(prove(f, "acme").handles > 0);
    assert_int_equal(prove(f, "acm").handles, 0);
    tenant_close(t);
}

/* As base/sandbox.c does it: its own folder, and nothing of /proc. */
static void a_confined_process_counts_them_too(void **state)
{
    struct fixture *f = *state;
    const char *const writes[] = {f->dir, NULL}, *const none[] = {NULL};
    const int ports[] = {0};
    const struct sandbox_config config = {writes, none, ports};
    struct tenant *t;
    int status;

    if (!landlock_abi())
        fail_msg("this kernel has no Landlock: not shown here");
    assert_int_equal(tenant_create(f->store, "acme"), OK);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    pid_t child = fork();
    if (child == 0) {
        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        must(landlock_enter(&config));
        must(open("/proc/self/fd", O_RDONLY | O_CLOEXEC) < 0);
        _exit(prove(f, "acme").handles > 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    tenant_close(t);
}

/* ---- the bytes of a key ---- */

/* A descriptor outlives the name: it shows what the blocks hold. */
struct watched {
    int fd;
    char was[256];
    size_t len;
};
enum { WATCHED_MAX = 64 };
static struct watched watched[WATCHED_MAX];
static size_t watched_count;

static void watch(const char *path)
{
    struct watched *w = &watched[watched_count++];

    must(watched_count <= WATCHED_MAX);
    w->fd = open(path, O_RDONLY | O_CLOEXEC);
    must(w->fd >= 0);
    ssize_t n = read(w->fd, w->was, sizeof w->was);
    must(n > 0);
    w->len = (size_t)n;
}

static int watch_key(const char *path, const struct stat *st, int type,
                     struct FTW *at)
{
    (void)st;
    if (type == FTW_F && strstr(path + at->base, ".key"))
        watch(path);
    return 0;
}

/* All keys below. */
static void watch_keys(const char *dir)
{
    must(nftw(dir, watch_key, 8, FTW_PHYS) == 0);
}

static size_t count_readable(void)
{
    size_t count = 0;

    for (size_t i = 0; i < watched_count; i++) {
        char is[sizeof watched[i].was];
        struct stat st;
        must(fstat(watched[i].fd, &st) == 0);
        ssize_t n = pread(watched[i].fd, is, watched[i].len, 0);
        count += st.st_nlink == 0 && n == (ssize_t)watched[i].len &&
                 memcmp(is, watched[i].was, watched[i].len) == 0;
    }
    return count;
}

static void forget_watched(void)
{
    while (watched_count > 0)
        must(close(watched[--watched_count].fd) == 0);
}

static const char *in(struct fixture *f, const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

static void make_generation(struct fixture *f, const char *date)
{
    int64_t bytes = 0;

    must(generation_begin(f->store) == OK);
    must(generation_copy(f->store, "acme", ".db", &bytes) == OK);
    must(generation_copy(f->store, "acme", ".access.db", &bytes) == OK);
    must(generation_seal(f->store, date, "{}", 2) == OK);
}

static void keys_of_generations_are_overwritten(void **state)
{
    struct fixture *f = *state;
    int64_t bytes = 0;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    make_generation(f, "2026-11-24");
    make_generation(f, "2026-11-25");
    watch_keys(in(f, "backups"));
    assert_int_equal(watched_count, 4);
    assert_int_equal(generation_remove(f->store, "2026-11-24"), OK);
    make_generation(f, "2026-11-25"); /* replaces the one of that day */
    must(generation_begin(f->store) == OK);
    must(generation_copy(f->store, "acme", ".db", &bytes) == OK);
    watch_keys(in(f, "backups/.writing")); /* and is broken off */
    must(generation_begin(f->store) == OK);
    assert_int_equal(watched_count, 5);
    assert_int_equal(count_readable(), 0);
    forget_watched();
}

static void a_broken_sealing_is_settled(void **state)
{
    struct fixture *f = *state;
    char old[256], day[256];

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    make_generation(f, "2026-11-24");
    (void)snprintf(old, sizeof old, "%s", in(f, "backups/2026-11-24.old"));
    (void)snprintf(day, sizeof day, "%s", in(f, "backups/2026-11-24"));
    must(rename(day, old) == 0); /* killed between the two renames */
    must(generation_begin(f->store) == OK);
    assert_true(generation_has_key(f->store, "2026-11-24", "acme"));
    must(mkdir(old, 0700) == 0); /* killed before the last step */
    (void)snprintf(old, sizeof old, "%s",
                   in(f, "backups/2026-11-24.old/acme.key"));
    fixture_write(old, "wrapped key", 11, 0600);
    watch(old);
    must(generation_begin(f->store) == OK);
    assert_true(access(old, F_OK) != 0);
    assert_int_equal(count_readable(), 0);
    forget_watched();
}

static void keys_of_restores_are_overwritten(void **state)
{
    struct fixture *f = *state;
    const struct generation_aim beside = {
        .name = "2026-11-24", .id = "acme", .as = "acme2"};
    const struct generation_aim over = {
        .name = "2026-11-24", .id = "acme", .as = "acme", .is_over = true};
    size_t removed;
    int64_t rows;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    make_generation(f, "2026-11-24");
    watch_keys(in(f, "keys"));
    assert_int_equal(generation_restore(f->store, &beside), OK);
    watch_keys(in(f, "keys"));
    assert_int_equal(generation_drop(f->store, "acme2", &rows), OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(generation_restore(f->store, &over), OK);
        watch_keys(in(f, "keys"));
    }
    assert_int_equal(stale_files_drop(f->store, INT64_MAX, &removed), OK);
    assert_int_equal(tenant_discard(f->store, "acme"), OK);
    assert_int_equal(count_readable(), 0);
    forget_watched();
}

static void keys_of_copies_are_overwritten(void **state)
{
    struct fixture *f = *state;
    char place[256], key[256];
    uint8_t hash[32];
    int fd, no_key;

    (void)snprintf(place, sizeof place, "%s", in(f, "copies"));
    must(mkdir(place, 0700) == 0);
    fixture_write(in(f, "a"), "first key", 9, 0600);
    fixture_write(in(f, "b"), "other key", 9, 0600);
    fd = open(in(f, "a"), O_RDONLY);
    no_key = open(in(f, "b"), O_RDONLY);
    must(generation_is_name("2026-11-24"));
    crypto_sha256("first key", 9, hash);
    assert_int_equal(
        backup_mirror_put(place, "2026-11-24", "acme.key", fd, 9, hash), OK);
    (void)snprintf(key, sizeof key, "%.200s/2026-11-24/acme.key", place);
    watch(key);
    crypto_sha256("other key", 9, hash);
    assert_int_equal(
        backup_mirror_put(place, "2026-11-24", "acme.key", no_key, 9, hash),
        OK);
    watch(key);
    assert_int_equal(backup_mirror_delete(place, "2026-11-24", "acme.key"), OK);
    assert_int_equal(watched_count, 2);
    assert_int_equal(count_readable(), 0);
    must(close(fd) == 0 && close(no_key) == 0);
    forget_watched();
}

/* What a kill leaves has a name, and goes at the next start; what is still
 * somebody's keeps its bytes. */
static void what_a_kill_left_is_overwritten(void **state)
{
    struct fixture *f = *state;
    char key[256], old[256], beside[256];
    struct tenant *t;

    assert_int_equal(tenant_create(f->store, "acme"), OK);
    (void)snprintf(key, sizeof key, "%s", in(f, "keys/acme.key"));
    (void)snprintf(old, sizeof old, "%s", in(f, "keys/.acme.key.old"));
    (void)snprintf(beside, sizeof beside, "%s", in(f, "keys/.acme.key.new"));
    must(link(key, old) == 0);
    fixture_write(beside, "half a key", 10, 0600);
    watch(beside);
    fixture_reopen(f);
    assert_true(access(old, F_OK) != 0 && access(beside, F_OK) != 0);
    assert_int_equal(count_readable(), 0);
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    tenant_close(t);
    forget_watched();
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handles_are_counted),
        TEST(a_confined_process_counts_them_too),
        TEST(keys_of_generations_are_overwritten),
        TEST(a_broken_sealing_is_settled),
        TEST(keys_of_restores_are_overwritten),
        TEST(keys_of_copies_are_overwritten),
        TEST(what_a_kill_left_is_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
