/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets.  They are ours and not civetweb's, so that port 0 can be
 * asked for, sockets can be inherited from a service manager that holds port
 * 443, and "::" means IPv4 too, with IPv4 alone where IPv6 is switched off. */
#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"

#define BACKLOG         1024
#define FIRST_INHERITED 3
#define MAX_FILES       65536

static int count_inherited(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    long n = strtol(count, NULL, 10);
    return n > 0 && n < 64 ? (int)n : 0;
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t len = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

static socklen_t fill(const struct address *a, int port, bool as_v4,
                      struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (as_v4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        memcpy(&in->sin_addr, a->bytes + 12, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    memcpy(&in6->sin6_addr, a->bytes, sizeof a->bytes);
    return sizeof *in6;
}

static int open_socket(const struct address *a, int port, bool as_v4)
{
    struct sockaddr_storage at;
    socklen_t len = fill(a, port, as_v4, &at);
    int yes = 1, no = 0;
    int fd =
        socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        (as_v4 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0) &&
        bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

enum err listen_open(const struct listener *l, int index, int *fd)
{
    static const struct address any = {{0}};
    struct address a;
    if (index < count_inherited() && is_listening(FIRST_INHERITED + index)) {
        *fd = FIRST_INHERITED + index;
        (void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
        return fcntl(*fd, F_SETFL, O_NONBLOCK) == 0 ? OK : ERR_INTERNAL;
    }
    if (!address_parse(l->address, &a) || l->port < 0 || l->port > 65535) {
        log_error("listen address=%s port=%d invalid", l->address, l->port);
        return ERR_INVALID;
    }
    *fd = open_socket(&a, l->port, address_is_v4(&a));
    if (*fd < 0 && memcmp(&a, &any, sizeof a) == 0 &&
        (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        *fd = open_socket(&a, l->port, true);
    if (*fd >= 0)
        return OK;
    log_error("listen address=%s port=%d: %s", l->address, l->port,
              strerror(errno));
    return ERR_INVALID;
}

int listen_port(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    /* the port is the second field of both kinds of address */
    uint16_t port = 0;
    memcpy(&port, (const char *)&at + sizeof(at.ss_family), sizeof(port));
    return ntohs(port);
}

int listen_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    const struct rlimit wanted = {MAX_FILES, MAX_FILES};
    if (limit.rlim_max < MAX_FILES && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        limit = wanted; /* root may */
    rlim_t most = limit.rlim_max < MAX_FILES ? limit.rlim_max : MAX_FILES;
    if (limit.rlim_cur < most) {
        limit.rlim_cur = most;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < MAX_FILES ? (int)limit.rlim_cur : MAX_FILES;
}
