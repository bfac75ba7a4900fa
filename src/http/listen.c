/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets.  They are ours and not civetweb's, so that port 0 can be
 * asked for, sockets can be inherited from a service manager that holds port
 * 443, and "::" means IPv4 too, with IPv4 alone where IPv6 is switched off.
 *
 * What is inherited has no name that could be trusted to say what it is for:
 * it belongs to the listener with its address and port.  A socket on 443 must
 * never become the plain listener that was meant for 127.0.0.1:8080. */
#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip_address.h"
#include "base/log.h"

#define BACKLOG         4096
#define FIRST_INHERITED 3
#define MAX_FILES       65536

static const struct ip_address any = {{0}};

void listen_find_inherited(struct inherited *out)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    *out = (struct inherited){0};
    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
        return;
    long n = strtol(count, NULL, 10);
    out->count = n > 0 && n <= INHERITED_MAX ? (int)n : 0;
    for (int i = 0; i < out->count; i++)
        (void)fcntl(FIRST_INHERITED + i, F_SETFD, FD_CLOEXEC);
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t len = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

static bool is_any_v4(const struct ip_address *a)
{
    static const uint8_t zero[4] = {0};
    return ip_address_is_v4(a) && memcmp(a->bytes + 12, zero, sizeof zero) == 0;
}

/* Where a socket listens; false when it is none of TCP. */
static bool read_place(int fd, struct ip_address *a, int *port)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
        !ip_address_read(&at, a))
        return false;
    *port = listen_port(fd);
    return true;
}

/* 0.0.0.0 does for "::": so systemd binds a bare port without IPv6. */
static bool is_place_of(int fd, const struct ip_address *wanted, int port)
{
    struct ip_address a;
    int found = 0;
    return is_listening(fd) && read_place(fd, &a, &found) && found == port &&
           (memcmp(&a, wanted, sizeof a) == 0 ||
            (memcmp(wanted, &any, sizeof any) == 0 && is_any_v4(&a)));
}

int listen_take(struct inherited *from, const struct listener *l)
{
    struct ip_address wanted;
    if (!ip_address_parse(l->address, &wanted))
        return -1;
    for (int i = 0; i < from->count; i++) {
        int fd = FIRST_INHERITED + i;
        if (from->is_taken[i] || !is_place_of(fd, &wanted, l->port) ||
            fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
            continue;
        from->is_taken[i] = true;
        return fd;
    }
    return -1;
}

/* The n-th word of LISTEN_FDNAMES: the unit it came from. */
static const char *find_name(int n, char out[64])
{
    const char *names = getenv("LISTEN_FDNAMES");
    for (; names && n > 0; n--) {
        names = strchr(names, ':');
        names = names ? names + 1 : NULL;
    }
    (void)snprintf(out, 64, "%.*s", names ? (int)strcspn(names, ":") : 0,
                   names ? names : "");
    return out;
}

enum err listen_refuse_rest(const struct inherited *from)
{
    char name[64], text[IP_ADDRESS_TEXT_BYTES] = "no TCP socket";
    enum err e = OK;
    for (int i = 0; i < from->count; i++) {
        struct ip_address a;
        int port = 0;
        if (from->is_taken[i])
            continue;
        if (read_place(FIRST_INHERITED + i, &a, &port))
            ip_address_format(&a, text);
        log_error("listen inherited=%s address=%s port=%d: the configuration "
                  "does not listen there; make the socket unit agree with it "
                  "(systemctl daemon-reload, then systemctl restart "
                  "yagura.socket yagura.service)",
                  find_name(i, name), text, port);
        e = ERR_INVALID;
    }
    return e;
}

static socklen_t fill(const struct ip_address *a, int port, bool as_v4,
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

static int open_socket(const struct ip_address *a, int port, bool as_v4)
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

enum err listen_open(const struct listener *l, int *fd)
{
    struct ip_address a;
    if (!ip_address_parse(l->address, &a) || l->port < 0 || l->port > 65535) {
        log_error("listen address=%s port=%d invalid", l->address, l->port);
        return ERR_INVALID;
    }
    *fd = open_socket(&a, l->port, ip_address_is_v4(&a));
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
