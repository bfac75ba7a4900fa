/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh master key for everything that is wrapped: what is derived stays, the
 * old one opens nothing, and a kill before any call that changes the disk costs
 * nothing. */
#include "key_fixture.h"

#include "base/crypto.h"
#include "db/rewrap.h"

enum { FILES = 9 };

/* a wrapped key is written in its place as well */
ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    count_call();
    return syscall(SYS_pwrite64, fd, data, len, at);
}

/* ---- a service with everything that is wrapped ---- */

static void copy(const char *from, const char *to)
{
    char bytes[256];
    FILE *f = fopen(from, "rb");

    must(f);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    must(fclose(f) == 0);
    fixture_write(to, bytes, len, 0600);
}

static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;

    must(tenant_create(f->store, "acme") == OK);
    back_up(f);
    must(mkdir(in(f, "copies"), 0700) == 0);
    must(mkdir(in(f, "copies/" DAY), 0700) == 0);
    copy(in(f, "keys/acme.key"), in(f, "copies/" DAY "/acme.key"));
    copy(in(f, "keys/acme.log.key"), in(f, "copies/" DAY "/acme.log.key"));
    copy(in(f, "keys/acme.key"), in(f, "keys/.replaced-acme.key"));
    return 0;
}

static enum err rewrap(struct fixture *f, struct rewrap_done *done)
{
    const char *const copies[] = {in(f, "copies"), NULL};

    return rewrap_run(f->store, copies, done);
}

static void read_master(const struct fixture *f, uint8_t out[32])
{
    FILE *file = fopen(f->key_path, "rb");

    must(file && fread(out, 1, 32, file) == 32 && fclose(file) == 0);
}

static const struct {
    const char *path, *context;
} files[FILES] = {
    {"keys/control.key", "control"},
    {"keys/acme.key", "tenant:acme"},
    {"keys/acme.log.key", "tenant:acme.log"},
    {"keys/.replaced-acme.key", "tenant:acme"},
    {"backups/" DAY "/acme.key", "tenant:acme"},
    {"backups/" DAY "/acme.log.key", "tenant:acme.log"},
    {"backups/" DAY "/CONTROL.key", "control"},
    {"copies/" DAY "/acme.key", "tenant:acme"},
    {"copies/" DAY "/acme.log.key", "tenant:acme.log"},
};

static size_t count_opened(struct fixture *f, const uint8_t master[32])
{
    uint8_t wrapping[32], wrapped[CRYPTO_WRAPPED_BYTES], key[32];
    size_t count = 0;

    crypto_derive(master, "wrap", wrapping);
    for (size_t i = 0; i < FILES; i++) {
        FILE *file = fopen(in(f, files[i].path), "rb");
        must(file && fread(wrapped, 1, sizeof wrapped, file) == sizeof wrapped);
        must(fclose(file) == 0);
        count += crypto_unwrap(wrapping, files[i].context, wrapped, key) == OK;
    }
    return count;
}

static void all_is_whole(struct fixture *f, const uint8_t pepper[32])
{
    struct generation_found found;
    uint8_t is[32];
    struct tenant *t;

    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    tenant_close(t);
    assert_int_equal(
        generation_check(f->store, DAY, "acme", ".access.db", &found), OK);
    assert_int_equal(
        generation_check(f->store, DAY, GENERATION_CONTROL, ".db", &found), OK);
    store_derive_key(f->store, "pepper", is);
    assert_memory_equal(is, pepper, 32);
}

static void the_old_master_key_opens_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t old[32], new[32], pepper[32], log_key[32], is[32];
    struct rewrap_done done;
    struct tenant *t;
    char mark[17], other[17];

    read_master(f, old);
    store_key_mark(f->store, mark);
    store_derive_key(f->store, "pepper", pepper);
    must(tenant_open(f->store, STORE_OPERATOR, &t) == OK);
    tenant_derive_log_key(t, "sign:0", log_key);
    tenant_close(t);
    assert_int_equal(count_opened(f, old), FILES);
    for (int turn = 0; turn < 2; turn++) {
        assert_true(rewrap_is_possible(f->store));
        assert_int_equal(rewrap(f, &done), OK);
        assert_int_equal(done.keys, FILES);
        assert_int_equal(done.wrapped, FILES);
        assert_int_equal(done.unopened, 0);
        assert_false(rewrap_is_pending(f->store));
        read_master(f, new);
        assert_memory_not_equal(old, new, 32);
        assert_int_equal(count_opened(f, old), 0);
        assert_int_equal(count_opened(f, new), FILES);
        store_key_mark(f->store, other);
        assert_string_not_equal(mark, other);
        all_is_whole(f, pepper);
        fixture_reopen(f);
        all_is_whole(f, pepper);
        memcpy(old, new, 32);
    }
    must(tenant_open(f->store, STORE_OPERATOR, &t) == OK);
    tenant_derive_log_key(t, "sign:0", is);
    tenant_close(t);
    assert_memory_equal(log_key, is, 32);
    struct stat st;
    must(stat(f->key_path, &st) == 0);
    assert_int_equal(st.st_mode & 0777, 0400);
}

/* A key that neither opens is nobody's: it stays, and is counted. */
static void a_key_of_nobody_stays(void **state)
{
    struct fixture *f = *state;
    struct rewrap_done done;
    char foreign[CRYPTO_WRAPPED_BYTES] = {1};

    fixture_write(in(f, "keys/other.key"), foreign, sizeof foreign, 0600);
    assert_int_equal(rewrap(f, &done), OK);
    assert_int_equal(done.keys, FILES + 1);
    assert_int_equal(done.unopened, 1);
    assert_int_equal(fixture_file_size(in(f, "keys/other.key")),
                     sizeof foreign);
}

static void nothing_is_begun_without_the_copies(void **state)
{
    struct fixture *f = *state;
    struct rewrap_done done;

    must(rename(in(f, "copies"), in(f, "away")) == 0);
    assert_int_equal(rewrap(f, &done), ERR_NOT_FOUND);
    assert_false(rewrap_is_pending(f->store));
    assert_true(access(in(f, "keys/MASTER.next"), F_OK) != 0);
    must(rename(in(f, "away"), in(f, "copies")) == 0);
}

struct before {
    uint8_t master[32], pepper[32];
};

static enum err rewrap_once(struct fixture *f)
{
    struct rewrap_done done;

    return rewrap(f, &done);
}

static void can_be_ended(struct fixture *f, void *arg)
{
    struct before *b = arg;
    uint8_t new[32];

    all_is_whole(f, b->pepper);
    assert_true(rewrap_is_pending(f->store) ||
                access(in(f, "keys/MASTER.next"), F_OK) != 0);
    assert_int_equal(rewrap_once(f), OK);
    all_is_whole(f, b->pepper);
    read_master(f, new);
    assert_int_equal(count_opened(f, b->master), 0);
    assert_int_equal(count_opened(f, new), FILES);
    memcpy(b->master, new, 32);
}

static void a_kill_costs_nothing(void **state)
{
    struct fixture *f = *state;
    struct before b;

    store_derive_key(f->store, "pepper", b.pepper);
    read_master(f, b.master);
    assert_true(kill_at_each_call(f, rewrap_once, can_be_ended, &b) > 49);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_old_master_key_opens_nothing),
        TEST(a_key_of_nobody_stays),
        TEST(nothing_is_begun_without_the_copies),
        TEST(a_kill_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
