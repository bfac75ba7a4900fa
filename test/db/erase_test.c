/* SPDX-License-Identifier: Apache-2.0 */
/* What a deletion proves must be proved by the confined server too. */
#include "db_fixture.h"

#include "base/landlock.h"
#include "db/erase.h"

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

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handles_are_counted),
        TEST(a_confined_process_counts_them_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
