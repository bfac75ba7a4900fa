/* SPDX-License-Identifier: Apache-2.0 */
/* Names are resolved by the system's resolver, which has time-outs of its
 * own: so nothing here is called on a request thread. */
#include "net/tcp_connect.h"

#include "base/ip_address.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool tcp_connect_wait(int fd, short events, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;

    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static int connect_one(const struct addrinfo *a, int timeout_ms)
{
    int fd =
        socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int problem = 0;
    socklen_t len = sizeof(problem);

    if (fd < 0)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    if (errno == EINPROGRESS && tcp_connect_wait(fd, POLLOUT, timeout_ms) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) == 0 &&
        problem == 0)
        return fd;
    close(fd);
    return -1;
}

static bool is_loopback(const struct sockaddr *at)
{
    struct ip_address a;

    return ip_address_read(at, &a) && ip_address_is_loopback(&a);
}

enum err tcp_connect(const char *host, int port, bool only_loopback,
                     int timeout_ms, int *fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char service[8];

    *fd = -1;
    (void)snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return ERR_NOT_FOUND;
    for (struct addrinfo *a = list; a && *fd < 0; a = a->ai_next)
        if (!only_loopback || is_loopback(a->ai_addr))
            *fd = connect_one(a, timeout_ms);
    freeaddrinfo(list);
    return *fd < 0 ? ERR_BUSY : OK;
}
