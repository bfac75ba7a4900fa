/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANSWERER_H
#define ANSWERER_H

/* A server on loopback that says the same to all who connect, whatever they
 * say, for the targets that fuzz our clients.  One at a time; its socket stays
 * open from one input to the next.  Static, so that a target is one file. */
#include "base/arena.h"
#include "base/err.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static struct answerer {
    int fd, port; /* port 0: not open yet */
    const char *host;
    const uint8_t *data;
    size_t size;
    atomic_bool is_over;
    pthread_t thread;
} answerer;

static void answer_one(int fd)
{
    char dropped[4096];

    for (size_t sent = 0; sent < answerer.size;) {
        ssize_t n =
            send(fd, answerer.data + sent, answerer.size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, dropped, sizeof dropped, 0) > 0)
        ;
}

static void *answer_all(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(answerer.fd, NULL, NULL);
        must(fd >= 0);
        bool is_over = answerer.is_over;
        if (!is_over)
            answer_one(fd);
        (void)close(fd);
        if (is_over)
            return NULL;
    }
}

static void answerer_listen(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof a;

    answerer.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(answerer.fd >= 0);
    must(bind(answerer.fd, (void *)&a, sizeof a) == 0);
    must(listen(answerer.fd, 8) == 0);
    must(getsockname(answerer.fd, (void *)&a, &len) == 0);
    answerer.port = ntohs(a.sin_port);
}

/* Says this from now on; the bytes stay the caller's.  host, in the arena, is
 * another loopback address each time: a closed connection keeps its pair of
 * addresses and ports for a minute, and one pair of addresses has 28,000. */
static void answerer_start(struct arena *mem, const uint8_t *data, size_t size)
{
    static unsigned times;

    if (!answerer.port)
        answerer_listen();
    times++;
    answerer.host = arena_printf(mem, "127.0.%u.%u", times / 250 % 250 + 1,
                                 times % 250 + 1);
    answerer.data = data;
    answerer.size = size;
    answerer.is_over = false;
    must(pthread_create(&answerer.thread, NULL, answer_all, NULL) == 0);
}

/* Once the client has closed what it opened. */
static void answerer_stop(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)answerer.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    answerer.is_over = true;
    must(fd >= 0 && inet_pton(AF_INET, answerer.host, &a.sin_addr) == 1);
    must(connect(fd, (void *)&a, sizeof a) == 0);
    must(pthread_join(answerer.thread, NULL) == 0);
    (void)close(fd);
}

#endif
