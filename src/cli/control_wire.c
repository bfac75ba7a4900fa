/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/control_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sockaddr_un control_name(int dir)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    (void)snprintf(name.sun_path, sizeof name.sun_path,
                   "/proc/self/fd/%d/" CONTROL_SOCKET, dir);
    return name;
}

bool control_send(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool control_receive(int fd, void *data, size_t len)
{
    char *at = data;

    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

union room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool control_send_head(int fd, const struct control_request *head, int file)
{
    struct control_request copy = *head;
    struct iovec part = {&copy, sizeof copy};
    union room room;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (file >= 0) {
        memset(&room, 0, sizeof room);
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof room.bytes;
        struct cmsghdr *h = CMSG_FIRSTHDR(&message);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof file);
        memcpy(CMSG_DATA(h), &file, sizeof file);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof copy;
}

bool control_receive_head(int fd, struct control_request *head, int *file)
{
    struct iovec part = {head, sizeof *head};
    union room room;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof room.bytes};

    *file = -1;
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (n <= 0)
        return false;
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
        h->cmsg_len == CMSG_LEN(sizeof *file))
        memcpy(file, CMSG_DATA(h), sizeof *file);
    return control_receive(fd, (char *)head + n, sizeof *head - (size_t)n) &&
           head->magic == CONTROL_MAGIC;
}
