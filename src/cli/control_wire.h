/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONTROL_WIRE_H
#define CLI_CONTROL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

/* What both sides of control.sock agree on. */
#define CONTROL_SOCKET "control.sock"
enum {
    CONTROL_MAGIC = 0x59470001, /* counts up with the wire's form */
    CONTROL_WORDS_MAX = 64,
    CONTROL_BYTES_MAX = 64 << 10,
    CONTROL_ANSWER_MAX = 256 << 20
};

struct control_request {
    uint32_t magic, words, bytes; /* words: the command's name first */
};
struct control_answer {
    uint32_t magic;
    int32_t code;
    uint32_t out, err; /* bytes */
};

/* The socket in a directory that is open, however long its path is. */
struct sockaddr_un control_name(int dir);

/* false: the other side is gone, too slow, or speaks another form. */
bool control_send(int fd, const void *data, size_t len);
bool control_receive(int fd, void *data, size_t len);
bool control_send_head(int fd, const struct control_request *head, int file);
/* *file: the descriptor that came along, or -1. */
bool control_receive_head(int fd, struct control_request *head, int *file);

#endif
