/* SPDX-License-Identifier: Apache-2.0 */
/* A store that answers anything: the client ends with an error and its reason,
 * or with names that may stand in a path of ours. */
#include "net/s3.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store {
    int fd, port;
    const uint8_t *data;
    size_t size;
} store;

/* The same answer to every request, as long as somebody asks. */
static void *answer(void *arg)
{
    char dropped[4096];
    int fd;

    (void)arg;
    while ((fd = accept(store.fd, NULL, NULL)) >= 0) {
        bool is_end = recv(fd, dropped, sizeof dropped, 0) == 4 &&
                      memcmp(dropped, "stop", 4) == 0;
        (void)send(fd, store.data, store.size, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        while (!is_end && recv(fd, dropped, sizeof dropped, 0) > 0)
            ;
        (void)close(fd);
        if (is_end)
            break;
    }
    return NULL;
}

static void open_store(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof a;

    store.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(store.fd >= 0);
    must(bind(store.fd, (void *)&a, sizeof a) == 0);
    must(listen(store.fd, 8) == 0);
    must(getsockname(store.fd, (void *)&a, &len) == 0);
    store.port = ntohs(a.sin_port);
}

static void stop_store(const char *host)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)store.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && inet_pton(AF_INET, host, &a.sin_addr) == 1);
    must(connect(fd, (void *)&a, sizeof a) == 0);
    must(send(fd, "stop", 4, MSG_NOSIGNAL) == 4);
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    static unsigned times;
    const struct s3_object *list = NULL;
    size_t count = 0;
    pthread_t thread;

    if (!store.port)
        open_store();
    times++; /* see smtp_fuzz.c */
    const char *host = arena_printf(mem, "127.0.%u.%u", times / 250 % 250 + 1,
                                    times % 250 + 1);
    store.data = data;
    store.size = size;
    const struct s3_config config = {
        .place = {.host = host, .port = store.port, .timeout_ms = 1000},
        .bucket = "copies",
        .prefix = "yagura/",
        .region = "jp",
        .key_id = "id",
        .secret = "open sesame",
        .is_path_style = true,
        .pause_ms = 1
    };
    must(pthread_create(&thread, NULL, answer, NULL) == 0);
    struct s3 *s = s3_open(mem, &config);
    enum err e = s3_list(s, mem, "", &list, &count);
    for (size_t i = 0; !e && i < count; i++)
        must(list[i].name && list[i].bytes >= 0 &&
             !strstr(list[i].name, "..") && *list[i].name != '/');
    if (e)
        must(*s3_why(s).en && !strstr(s3_why(s).en, "sesame"));
    s3_close(s);
    stop_store(host);
    must(pthread_join(thread, NULL) == 0);
    arena_close(mem);
    return 0;
}
