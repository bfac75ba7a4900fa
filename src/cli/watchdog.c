/* SPDX-License-Identifier: Apache-2.0 */
/* The server as its own client.  A flag that some thread sets would say that
 * this thread runs; what matters is that a stranger is answered. */
#include "cli/watchdog.h"

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 5000, REACH_MS = 2000, REACH_FRESH_MS = 5000 };
static const char question[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n"
                               "Connection: close\r\n\r\n";
static const char good_answer[] = "HTTP/1.1 200 ";

/* Where it listens to all, it is reached by the loopback. */
static socklen_t place(const struct listener *l, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)l->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)l->port)};
    static const struct ip_address any = {{0}};
    struct ip_address a;
    bool is_known =
        ip_address_parse(l->address, &a) && memcmp(&a, &any, sizeof a) != 0;

    *out = (struct sockaddr_storage){0};
    if (is_known && !ip_address_is_v4(&a)) {
        memcpy(&in6.sin6_addr, a.bytes, sizeof a.bytes);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    if (is_known)
        memcpy(&in.sin_addr, a.bytes + 12, 4);
    if (in.sin_addr.s_addr == htonl(INADDR_ANY))
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int64_t rest = until_ms - clock_monotonic_ms();

    return rest > 0 && poll(&wait, 1, (int)rest) == 1;
}

static bool ask_plain(int fd, int64_t until_ms)
{
    char text[64];
    size_t len = 0, wanted = sizeof good_answer - 1;

    if (!wait_for(fd, POLLOUT, until_ms) ||
        send(fd, question, sizeof question - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (len < wanted && wait_for(fd, POLLIN, until_ms)) {
        ssize_t n = recv(fd, text + len, sizeof text - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    return len >= wanted && memcmp(text, good_answer, wanted) == 0;
}

static int left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

/* The name proves nothing here, and an expired certificate is no reason to be
 * started anew.  Takes fd over. */
static bool ask_tls(int fd, bool only_1_2, int64_t until_ms,
                    struct tls_proof *out)
{
    char text[64];
    size_t len = 0, wanted = sizeof good_answer - 1;
    struct tls *t;

    if (tls_connect_unproven(fd, only_1_2, left_ms(until_ms), &t)) {
        (void)close(fd);
        return false;
    }
    bool good =
        tls_describe(t, out) &&
        tls_write(t, question, sizeof question - 1, left_ms(until_ms)) > 0;
    while (good && len < wanted) {
        long n = tls_read(t, text + len, sizeof text - len, left_ms(until_ms));
        good = n > 0;
        len += n > 0 ? (size_t)n : 0;
    }
    tls_close(t);
    return good && memcmp(text, good_answer, wanted) == 0;
}

/* -1: nobody there. */
static int reach(const struct listener *l)
{
    struct sockaddr_storage to;
    socklen_t len = place(l, &to);
    int fd =
        socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, len) &&
        errno != EINPROGRESS) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool is_answered(const struct listener *door, int within_ms)
{
    struct tls_proof proof;
    int64_t until_ms = clock_monotonic_ms() + within_ms;
    int fd = reach(door);

    if (fd < 0)
        return false;
    if (door->is_tls)
        return ask_tls(fd, false, until_ms, &proof);
    bool good = ask_plain(fd, until_ms);
    (void)close(fd);
    return good;
}

bool watchdog_is_answered(const struct listener *door)
{
    return is_answered(door, ANSWER_MS);
}

/* The first with TLS, NULL for none: all have the same certificate. */
static const struct listener *find_tls(const struct listener *doors,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (doors[i].is_tls)
            return &doors[i];
    return NULL;
}

bool watchdog_is_reached(struct reach *r, const struct listener *doors,
                         size_t count)
{
    const struct listener *door = find_tls(doors, count);
    int64_t now_ms = clock_monotonic_ms();

    if (!door)
        return true;
    pthread_mutex_lock(&r->lock);
    bool is_due = !r->is_looking &&
                  (!r->looked_ms || now_ms - r->looked_ms >= REACH_FRESH_MS);
    bool is_good = r->is_good;
    r->is_looking = r->is_looking || is_due;
    pthread_mutex_unlock(&r->lock);
    if (!is_due)
        return is_good;
    is_good = is_answered(door, REACH_MS);
    pthread_mutex_lock(&r->lock);
    r->is_looking = false;
    r->is_good = is_good;
    r->looked_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&r->lock);
    return is_good;
}

void watchdog_prove(const struct listener *doors, size_t count,
                    struct server_proof *out)
{
    const struct listener *door = find_tls(doors, count);
    int fd;

    *out = (struct server_proof){.is_answered = watchdog_is_answered(doors)};
    if (!door)
        return;
    out->is_tls = true;
    if ((fd = reach(door)) < 0 ||
        !ask_tls(fd, false, clock_monotonic_ms() + ANSWER_MS, &out->newest) ||
        (fd = reach(door)) < 0 ||
        !ask_tls(fd, true, clock_monotonic_ms() + ANSWER_MS, &out->oldest) ||
        (fd = reach(door)) < 0)
        return;
    out->refuses_older = tls_refuses_old(fd, ANSWER_MS);
    (void)close(fd);
}
