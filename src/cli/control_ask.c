/* SPDX-License-Identifier: Apache-2.0 */
/* A command's side of control.sock. */
#include "cli/control.h"
#include "cli/control_wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* -1: nobody listens. */
static int reach(const char *data_dir)
{
    int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        struct sockaddr_un name = control_name(dir);
        if (connect(fd, (struct sockaddr *)&name, sizeof name)) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (dir >= 0)
        (void)close(dir);
    return fd;
}

static bool send_all(int fd, const char *name, int argc, char *const *argv,
                     int file)
{
    struct control_request head = {CONTROL_MAGIC, 1,
                                   (uint32_t)strlen(name) + 1};

    for (int i = 0; i < argc; i++) {
        head.words++;
        head.bytes += (uint32_t)strlen(argv[i]) + 1;
    }
    bool good = control_send_head(fd, &head, file) &&
                control_send(fd, name, strlen(name) + 1);
    for (int i = 0; i < argc && good; i++)
        good = control_send(fd, argv[i], strlen(argv[i]) + 1);
    return good;
}

static bool print_part(int fd, size_t len, FILE *to)
{
    char part[4096];

    while (len > 0) {
        size_t n = len < sizeof part ? len : sizeof part;
        if (!control_receive(fd, part, n) || fwrite(part, 1, n, to) != n)
            return false;
        len -= n;
    }
    return fflush(to) == 0;
}

int control_ask(const char *data_dir, const char *name, int argc,
                char *const *argv, int file)
{
    struct control_answer head;
    int fd = reach(data_dir);

    if (fd < 0)
        return -1;
    bool good = send_all(fd, name, argc, argv, file) &&
                control_receive(fd, &head, sizeof head) &&
                head.magic == CONTROL_MAGIC && head.out <= CONTROL_ANSWER_MAX &&
                head.err <= CONTROL_ANSWER_MAX &&
                print_part(fd, head.out, stdout) &&
                print_part(fd, head.err, stderr);
    (void)close(fd);
    if (!good) {
        fprintf(stderr,
                "yagura: the server in %s did not answer; what it did is in"
                " its log\n",
                data_dir);
        return 1;
    }
    return head.code & 255;
}
