/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of control.sock: a request head from anybody, and an answer from
 * something that is no server of ours. */
#include "cli/control.h"
#include "cli/control_wire.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct answerer {
    int fd;
    char dir[64];
    const uint8_t *data;
    size_t size;
} answerer;

static void *answer(void *arg)
{
    char dropped[4096];
    int fd = accept(answerer.fd, NULL, NULL);

    (void)arg;
    must(fd >= 0);
    (void)send(fd, answerer.data, answerer.size, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, dropped, sizeof dropped, 0) > 0)
        ;
    (void)close(fd);
    return NULL;
}

static void open_answerer(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)snprintf(answerer.dir, sizeof answerer.dir,
                   "/tmp/yagura-fuzz-XXXXXX");
    must(mkdtemp(answerer.dir));
    int dir = open(answerer.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(dir >= 0 && null >= 0);
    struct sockaddr_un name = control_name(dir);
    answerer.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(answerer.fd >= 0);
    must(bind(answerer.fd, (struct sockaddr *)&name, sizeof name) == 0);
    must(listen(answerer.fd, 8) == 0);
    (void)close(dir);
    must(dup2(null, STDOUT_FILENO) >= 0); /* answers are printed there */
    (void)close(null);
}

static void check_head(const uint8_t *data, size_t size)
{
    struct control_request head;
    int ends[2], file = -1;

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    (void)send(ends[0], data, size, MSG_NOSIGNAL);
    (void)shutdown(ends[0], SHUT_WR);
    if (control_receive_head(ends[1], &head, &file))
        must(size >= sizeof head && head.magic == CONTROL_MAGIC);
    must(file == -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char word[] = "list";
    char *words[] = {word};
    pthread_t thread;

    if (!answerer.fd)
        open_answerer();
    check_head(data, size);
    answerer.data = data;
    answerer.size = size;
    must(pthread_create(&thread, NULL, answer, NULL) == 0);
    int code = control_ask(answerer.dir, "tenant", 1, words, -1);
    must(code >= 0 && code <= 255);
    must(pthread_join(thread, NULL) == 0);
    return 0;
}
