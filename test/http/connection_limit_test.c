/* SPDX-License-Identifier: Apache-2.0 */
/* Who must go when an address holds its 32 connections and the workers are
 * few: never somebody whose request is on the way. */
#include "http/connection_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

enum { WORKERS = 40, HELD = CONNECTION_LIMIT_PER_ADDRESS };

struct line {
    int client, server;
};

static struct connection_limit *a;
static struct seat *seats[HELD];
static struct line lines[HELD];
static struct ip_address home;

static int set_up(void **state)
{
    (void)state;
    a = connection_limit_open(WORKERS);
    must(ip_address_parse("192.0.2.1", &home));
    for (int i = 0; i < HELD; i++) {
        int pair[2];
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        lines[i] = (struct line){pair[0], pair[1]};
        int tag = connection_limit_enter(a, &home, false, false, i);
        assert_true(tag >= 0);
        seats[i] = connection_limit_take_seat(a);
        seat_attach(seats[i], lines[i].server, tag, i);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < HELD; i++) {
        seat_detach(seats[i]);
        connection_limit_leave_seat(seats[i]);
        (void)close(lines[i].client);
        (void)close(lines[i].server);
    }
    connection_limit_close(a);
    return 0;
}

static bool is_shut(int i)
{
    char byte;

    return recv(lines[i].client, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool is_let_in(void)
{
    return connection_limit_enter(a, &home, false, false, HELD) >= 0;
}

static void the_oldest_silent_one_goes(void **state)
{
    (void)state;
    assert_true(is_let_in());
    assert_true(is_shut(0));
    assert_false(is_shut(1));
}

static void not_one_that_speaks(void **state)
{
    (void)state;
    must(send(lines[0].client, "G", 1, 0) == 1);
    seat_work(seats[1]);
    assert_true(is_let_in());
    assert_false(is_shut(0));
    assert_false(is_shut(1));
    assert_true(is_shut(2));
    seat_wait(seats[1], 1);
}

static void nobody_when_all_speak(void **state)
{
    struct ip_address other;

    (void)state;
    for (int i = 0; i < HELD; i++)
        must(send(lines[i].client, "G", 1, 0) == 1);
    assert_false(is_let_in());
    must(ip_address_parse("192.0.2.2", &other));
    assert_true(connection_limit_enter(a, &other, false, false, HELD) >= 0);
}

/* Workers come and go: there is a seat for as many as are there at once. */
static void a_seat_is_taken_again(void **state)
{
    enum { FREE = WORKERS - HELD };
    struct seat *more[FREE];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < FREE; i++)
            more[i] = connection_limit_take_seat(a);
        for (int i = 0; i < FREE; i++)
            connection_limit_leave_seat(more[i]);
    }
    assert_true(is_let_in());
    assert_true(is_shut(0));
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RULE(the_oldest_silent_one_goes),
        RULE(not_one_that_speaks),
        RULE(nobody_when_all_speak),
        RULE(a_seat_is_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
