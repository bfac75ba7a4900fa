/* SPDX-License-Identifier: Apache-2.0 */
/* Our client against OpenSSL's server, with the certificate we make: the
 * right name, a wrong one, a stranger's certificate, silence. */
#include "base/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"

#define DEADLINE_MS 5000

static char dir[] = "/tmp/tls_test.XXXXXX";
static char cert[64], key[64], other_cert[64], other_key[64];
static pid_t server;
static uint16_t port;

static void make_address(struct sockaddr_in *to)
{
    memset(to, 0, sizeof *to);
    to->sin_family = AF_INET;
    to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to->sin_port = htons(port);
}

/* Asks the kernel for a free port. */
static int listen_anywhere(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    port = 0;
    make_address(&at);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    port = ntohs(at.sin_port);
    return fd;
}

static int connect_socket(void)
{
    struct sockaddr_in to;
    make_address(&to);
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
            assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
            return fd;
        }
        close(fd);
        assert_true(clock_monotonic_ms() < deadline);
        poll(NULL, 0, 10);
    }
}

/* s_server -rev sends each line back reversed. */
static void start_server(void)
{
    char address[32];
    close(listen_anywhere());
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    server = fork();
    if (server)
        return;
    (void)freopen("/dev/null", "w", stdout);
    (void)freopen("/dev/null", "w", stderr);
    execlp("openssl", "openssl", "s_server", "-accept", address, "-cert", cert,
           "-key", key, "-rev", "-quiet", (char *)NULL);
    _exit(127);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {"mail.example", "127.0.0.1", "::1"};
    char fingerprint[96];
    if (crypto_init() || !mkdtemp(dir))
        return -1;
    snprintf(cert, sizeof cert, "%s/a.crt", dir);
    snprintf(key, sizeof key, "%s/a.key", dir);
    snprintf(other_cert, sizeof other_cert, "%s/b.crt", dir);
    snprintf(other_key, sizeof other_key, "%s/b.key", dir);
    if (tls_make_certificate(cert, key, names, COUNT(names), fingerprint) ||
        tls_make_certificate(other_cert, other_key, names, COUNT(names),
                             fingerprint) ||
        strlen(fingerprint) != 95)
        return -1;
    start_server();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    (void)unlink(cert);
    (void)unlink(key);
    (void)unlink(other_cert);
    (void)unlink(other_key);
    return rmdir(dir);
}

static void test_key_is_private(void **state)
{
    (void)state;
    struct stat about;
    assert_int_equal(stat(key, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void test_talks_to_the_right_name(void **state)
{
    (void)state;
    struct tls *t = NULL;
    const char *why;
    char back[8] = {0};
    size_t used = 0;
    assert_int_equal(tls_connect(connect_socket(), "mail.example", cert,
                                 DEADLINE_MS, &why, &t),
                     OK);
    assert_int_equal(tls_write(t, "abc\n", 4, DEADLINE_MS), 4);
    while (used < 4) {
        long n = tls_read(t, back + used, sizeof back - used, DEADLINE_MS);
        assert_true(n > 0);
        used += (size_t)n;
    }
    assert_string_equal(back, "cba\n");
    int64_t before = clock_monotonic_ms();
    assert_int_equal(tls_read(t, back, sizeof back, 100), -1);
    assert_true(clock_monotonic_ms() - before < 2000);
    tls_close(t);
    tls_close(NULL);
}

static void test_refuses_a_wrong_name(void **state)
{
    (void)state;
    struct tls *t = NULL;
    const char *why = "";
    int fd = connect_socket();
    assert_int_equal(
        tls_connect(fd, "evil.example", cert, DEADLINE_MS, &why, &t),
        ERR_DENIED);
    assert_non_null(strstr(why, "certificate is not accepted"));
    assert_non_null(strstr(why, "another name"));
    assert_int_equal(close(fd), 0);
}

static void test_refuses_a_strangers_certificate(void **state)
{
    (void)state;
    struct tls *t = NULL;
    const char *why = "";
    int fd = connect_socket();
    assert_int_equal(
        tls_connect(fd, "mail.example", other_cert, DEADLINE_MS, &why, &t),
        ERR_DENIED);
    assert_non_null(strstr(why, "no authority that is trusted"));
    assert_int_equal(close(fd), 0);
}

static void test_fails_closed_without_trust(void **state)
{
    (void)state;
    struct tls *t = NULL;
    const char *why = "";
    int fd = connect_socket();
    assert_int_equal(
        tls_connect(fd, "mail.example", "/nonexistent", DEADLINE_MS, &why, &t),
        ERR_INVALID);
    assert_non_null(strstr(why, "this side cannot read"));
    assert_int_equal(close(fd), 0);
}

static void test_gives_up_on_silence(void **state)
{
    (void)state;
    struct tls *t = NULL;
    uint16_t kept = port;
    int silent = listen_anywhere();
    int fd = connect_socket();
    const char *why = "";
    int64_t before = clock_monotonic_ms();
    assert_int_equal(tls_connect(fd, "mail.example", cert, 200, &why, &t),
                     ERR_BUSY);
    assert_true(clock_monotonic_ms() - before < 2000);
    assert_non_null(strstr(why, "did not end in time"));
    assert_null(strstr(why, "certificate"));
    close(fd);
    close(silent);
    port = kept;
}

/* What is no fault of a certificate is not called one. */
static void refuses_what_answers(const char *answer, const char *wanted)
{
    struct tls *t = NULL;
    uint16_t kept = port;
    int listening = listen_anywhere();
    int fd = connect_socket();
    int peer = accept(listening, NULL, NULL);
    const char *why = "";
    must(peer >= 0);
    must(send(peer, answer, strlen(answer), 0) == (ssize_t)strlen(answer));
    must(shutdown(peer, SHUT_WR) == 0);
    assert_int_equal(
        tls_connect(fd, "mail.example", cert, DEADLINE_MS, &why, &t), ERR_BUSY);
    assert_non_null(strstr(why, wanted));
    assert_null(strstr(why, "certificate"));
    close(peer);
    close(fd);
    close(listening);
    port = kept;
}

static void test_names_what_is_no_tls(void **state)
{
    (void)state;
    refuses_what_answers("220 mail.example ESMTP\r\n", "does not speak TLS");
    refuses_what_answers("", "ended the connection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_is_private),
        cmocka_unit_test(test_talks_to_the_right_name),
        cmocka_unit_test(test_refuses_a_wrong_name),
        cmocka_unit_test(test_refuses_a_strangers_certificate),
        cmocka_unit_test(test_fails_closed_without_trust),
        cmocka_unit_test(test_gives_up_on_silence),
        cmocka_unit_test(test_names_what_is_no_tls),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
