/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that answers anything: the client ends within its deadlines with
 * one of three outcomes and a reason, and says nothing of its password. */
#include "net/smtp.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct relay {
    int fd, port;
    const uint8_t *data; /* what it says, whatever is said to it */
    size_t size;
} relay;

static void *answer(void *arg)
{
    char dropped[4096];
    int fd = accept(relay.fd, NULL, NULL);

    (void)arg;
    must(fd >= 0);
    for (size_t sent = 0; sent < relay.size;) {
        ssize_t n =
            send(fd, relay.data + sent, relay.size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, dropped, sizeof dropped, 0) > 0)
        ;
    (void)close(fd);
    return NULL;
}

static void open_relay(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof a;

    relay.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(relay.fd >= 0);
    must(bind(relay.fd, (void *)&a, sizeof a) == 0);
    must(listen(relay.fd, 8) == 0);
    must(getsockname(relay.fd, (void *)&a, &len) == 0);
    relay.port = ntohs(a.sin_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mail mail = {.to = "someone@example.jp",
                                     .subject = "件名",
                                     .text = "本文\n.\n",
                                     .message_id = "1@example.jp"};
    struct arena *mem = arena_open(0);
    const char *why = NULL;
    pthread_t thread;

    if (!relay.port)
        open_relay();
    relay.data = data;
    relay.size = size;
    /* Another loopback address each time: a closed connection keeps its pair of
     * addresses and ports for a minute, and one pair of addresses has 28,000. */
    static unsigned times;
    times++;
    const char *host = arena_printf(mem, "127.0.%u.%u", times / 250 % 250 + 1,
                                    times % 250 + 1);
    const struct smtp_config config = {.host = host,
                                       .port = relay.port,
                                       .security = SMTP_PLAIN_LOOPBACK,
                                       .user = size % 2 ? "user" : NULL,
                                       .password = "open sesame",
                                       .from = "yagura@example.jp",
                                       .from_name = "櫓",
                                       .timeout_ms = 1000};
    must(pthread_create(&thread, NULL, answer, NULL) == 0);
    enum err e = smtp_send(&config, mem, &mail, &why);
    must(e == OK || e == ERR_INVALID || e == ERR_BUSY);
    must(e == OK || (why && !strstr(why, "sesame")));
    must(pthread_join(thread, NULL) == 0);
    arena_close(mem);
    return 0;
}
