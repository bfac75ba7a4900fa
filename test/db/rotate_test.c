/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant under fresh keys: all that was in it is, what is derived for lasting
 * uses stays, the old keys open nothing and are gone; and a kill before any
 * call that changes a name leaves the old ones or the new ones, whole. */
#include "key_fixture.h"

#include "base/crypto.h"
#include "db/conn.h"
#include "db/encrypted_file.h"
#include "db/key.h"
#include "db/rotate.h"

#include <dirent.h>

enum { ROWS = 300, SEALED_BYTES = 200000 };

static const char add_key[] = "INSERT INTO key_name (key) VALUES (?1)";
static const char count_keys[] = "SELECT count(*) FROM key_name";

int mkdir(const char *path, mode_t mode)
{
    count_call();
    return mkdirat(AT_FDCWD, path, mode);
}

/* ---- a tenant with rows, a backup and an archive ---- */

static char archive[ENCRYPTED_FILE_NAME_CHARS + 1];

static void seal(struct tenant *t)
{
    struct encrypted_file *s;
    int64_t bytes;

    must(encrypted_file_create(t, &s) == OK);
    for (int i = 0; i < SEALED_BYTES / 10; i++)
        must(encrypted_file_put(s, "0123456789", 10) == OK);
    must(encrypted_file_finish(s, &bytes) == OK &&
         encrypted_file_keep(s, archive) == OK);
    encrypted_file_close(s);
}

static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    struct tenant *t;

    must(tenant_create(f->store, "acme") == OK);
    must(tenant_open(f->store, "acme", &t) == OK);
    for (int i = 0; i < ROWS; i++)
        must(fixture_add(f, t, add_key, fixture_text("KEY", i)) == OK);
    seal(t);
    tenant_close(t);
    back_up(f);
    return 0;
}

struct derived {
    uint8_t totp[32], sign[32], other[32];
};

static void derive(struct tenant *t, struct derived *out)
{
    tenant_derive_key(t, "totp", out->totp);
    tenant_derive_log_key(t, "sign:0", out->sign);
    tenant_derive_key(t, "archive:x", out->other);
}

static void all_is_there(struct fixture *f, struct derived *out)
{
    struct generation_found found;
    struct encrypted_file_reader *file;
    struct tenant *t;
    char part[10];

    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_int_equal(fixture_number(f, t, count_keys), ROWS);
    assert_int_equal(tenant_check(t), OK);
    assert_int_equal(encrypted_file_open(t, archive, &file), OK);
    assert_int_equal(encrypted_file_bytes(file), SEALED_BYTES);
    assert_int_equal(encrypted_file_read(file, SEALED_BYTES - 10, part, 10),
                     OK);
    assert_memory_equal(part, "0123456789", 10);
    encrypted_file_leave(file);
    struct ctx c = f->c;
    assert_int_equal(tx_begin_access(&c, t, TX_READ), OK);
    assert_int_equal(tx_end_access(&c, t, OK), OK);
    derive(t, out);
    tenant_close(t);
    assert_int_equal(generation_check(f->store, DAY, "acme", ".db", &found),
                     OK);
}

static size_t count_names(struct fixture *f, const char *folder,
                          const char *word)
{
    DIR *d = opendir(in(f, folder));
    const struct dirent *entry;
    size_t count = 0;

    must(d);
    while ((entry = readdir(d)))
        count += strstr(entry->d_name, word) != NULL;
    must(closedir(d) == 0);
    return count;
}

static void nothing_is_left(struct fixture *f)
{
    assert_int_equal(count_names(f, "keys", "acme"), 2);
    assert_int_equal(count_names(f, "tenants", "acme"), 1);
    assert_true(access(in(f, "tenants/acme/rotated"), F_OK) != 0);
}

static void load_key(struct fixture *f, uint8_t out[32])
{
    struct store_place at = store_place(f->store);

    must(key_load(in(f, "keys"), "acme.key", at.wrapping, "tenant:acme", out) ==
         OK);
}

static enum err open_by(struct fixture *f, const uint8_t key[32])
{
    uint8_t file[32];
    char path[256];
    struct db *db;

    crypto_derive(key, "file:tenant", file);
    (void)snprintf(path, sizeof path, "%s", in(f, "tenants/acme/tenant.db"));
    const struct conn_place place = {.path = path, .key = file};
    enum err e = conn_open(&place, CONN_COPY, &db);
    conn_close(e ? NULL : db);
    return e;
}

static void the_old_keys_open_nothing(void **state)
{
    struct fixture *f = *state;
    struct derived old, new;
    uint8_t key[32], fresh[32];
    char was[256], is[256];

    for (int turn = 0; turn < 2; turn++) { /* and once more */
        all_is_there(f, &old);
        load_key(f, key);
        int fd = open(in(f, "keys/acme.key"), O_RDONLY | O_CLOEXEC);
        ssize_t len = pread(fd, was, sizeof was, 0);
        assert_true(len > 0);
        assert_int_equal(rotate_tenant(f->store, "acme"), OK);
        assert_true(pread(fd, is, (size_t)len, 0) != len ||
                    memcmp(is, was, (size_t)len) != 0);
        must(close(fd) == 0);
        all_is_there(f, &new);
        fixture_reopen(f);
        all_is_there(f, &new);
        nothing_is_left(f);
        load_key(f, fresh);
        assert_memory_not_equal(key, fresh, 32);
        assert_int_not_equal(open_by(f, key), OK);
        assert_int_equal(open_by(f, fresh), OK);
        assert_memory_equal(old.totp, new.totp, 32);
        assert_memory_equal(old.sign, new.sign, 32);
        assert_memory_not_equal(old.other, new.other, 32);
    }
}

/* A restore takes what lasts along. */
static void a_restore_brings_what_lasts(void **state)
{
    struct fixture *f = *state;
    const struct generation_aim aim = {.name = DAY, .id = "acme", .as = "two"};
    struct derived old, new;
    struct tenant *t;

    all_is_there(f, &old);
    assert_int_equal(rotate_tenant(f->store, "acme"), OK);
    back_up(f);
    assert_int_equal(generation_restore(f->store, &aim), OK);
    assert_int_equal(tenant_open(f->store, "two", &t), OK);
    derive(t, &new);
    tenant_close(t);
    assert_memory_equal(old.totp, new.totp, 32);
    assert_memory_equal(old.sign, new.sign, 32);
}

static void one_in_use_goes_on(void **state)
{
    struct fixture *f = *state;
    struct derived d;
    struct tenant *t;

    f->config.wait_ms = 100;
    assert_int_equal(tenant_open(f->store, "acme", &t), OK);
    assert_int_equal(rotate_tenant(f->store, "acme"), ERR_BUSY);
    assert_int_equal(fixture_number(f, t, count_keys), ROWS);
    tenant_close(t);
    all_is_there(f, &d);
    assert_int_equal(rotate_tenant(f->store, "acme"), OK);
    assert_int_equal(rotate_tenant(f->store, "nobody"), ERR_NOT_FOUND);
    assert_int_equal(tenant_retire(f->store, "acme"), OK);
    assert_int_equal(rotate_tenant(f->store, "acme"), ERR_CONFLICT);
}

static enum err rotate(struct fixture *f)
{
    return rotate_tenant(f->store, "acme");
}

static void is_old_or_new(struct fixture *f, void *arg)
{
    const struct derived *old = arg;
    struct derived new;

    all_is_there(f, &new);
    nothing_is_left(f);
    assert_memory_equal(old->totp, new.totp, 32);
    assert_memory_equal(old->sign, new.sign, 32);
}

static void a_kill_leaves_the_old_or_the_new(void **state)
{
    struct fixture *f = *state;
    struct derived old;

    all_is_there(f, &old);
    assert_true(kill_at_each_call(f, rotate, is_old_or_new, &old) > 19);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_old_keys_open_nothing),
        TEST(a_restore_brings_what_lasts),
        TEST(one_in_use_goes_on),
        TEST(a_kill_leaves_the_old_or_the_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
