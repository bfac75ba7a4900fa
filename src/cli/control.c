/* SPDX-License-Identifier: Apache-2.0 */
/* Request: a head, then argc words, each with its NUL; the file's descriptor
 * travels with the head.  Answer: a head, then what goes to stdout, then what
 * goes to stderr. */
#include "cli/control.h"

#include "base/log.h"
#include "cli/command.h"
#include "cli/control_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    STACK_BYTES = 1 << 20,
    ARENA_MAX = 1 << 30, /* imports */
    WAIT_SECONDS = 10    /* for the other side to send or to take */
};

struct control {
    struct app *app;
    int dir, listener, stop;
    pthread_t thread;
};

static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
        len != sizeof peer)
        return false;
    if (peer.uid == geteuid() || peer.uid == 0)
        return true;
    log_warn("control: user %u is not answered", (unsigned)peer.uid);
    return false;
}

/* The words, which lie NUL-terminated in text. */
static bool split_words(char *text, size_t len, char **words, size_t count)
{
    size_t n = 0;

    for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
        if (n == count)
            return false;
        words[n++] = text + at;
        if (strcmp(text + at, "--help") == 0)
            return false; /* prints and exits; asked of no server */
    }
    return n == count && len > 0 && text[len - 1] == 0;
}

static void reply(int fd, int code, const struct command *c)
{
    struct control_answer head = {CONTROL_MAGIC, code, (uint32_t)c->out.len,
                                  (uint32_t)c->err.len};

    if (!control_send(fd, &head, sizeof head) ||
        !control_send(fd, c->out.data, c->out.len) ||
        !control_send(fd, c->err.data, c->err.len))
        log_warn("control: the answer could not be handed over");
}

static void do_command(struct control *t, int fd, struct arena *mem)
{
    struct command c = {.app = t->app,
                        .mem = mem,
                        .is_served = true,
                        .file = -1,
                        .out = buf_in(mem),
                        .err = buf_in(mem)};
    struct control_request head;

    if (!control_receive_head(fd, &head, &c.file) || head.words < 1 ||
        head.words > CONTROL_WORDS_MAX || head.bytes > CONTROL_BYTES_MAX) {
        log_warn("control: no request");
    } else {
        char *text = arena_alloc(mem, head.bytes + 1);
        char **words = arena_array(mem, char *, head.words + 1);
        if (control_receive(fd, text, head.bytes) &&
            split_words(text, head.bytes, words, head.words)) {
            log_info("control: command=%s word=%s", words[0],
                     head.words > 1 ? words[1] : "");
            int code =
                command_run(&c, words[0], (int)head.words - 1, words + 1);
            reply(fd, code, &c);
        }
    }
    if (c.file >= 0)
        (void)close(c.file);
}

static void serve_one(struct control *t)
{
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (is_allowed(fd) &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0) {
        struct arena *mem = arena_open(ARENA_MAX);
        do_command(t, fd, mem);
        arena_close(mem);
    }
    (void)close(fd);
}

static void *run(void *arg)
{
    struct control *t = arg;
    struct pollfd wait[] = {{.fd = t->stop, .events = POLLIN},
                            {.fd = t->listener, .events = POLLIN}};

    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            break;
        if (wait[0].revents)
            break;
        if (wait[1].revents)
            serve_one(t);
    }
    return NULL;
}

/* The name of a socket is short, that of a directory need not be: it is taken
 * by way of the open directory. */
static bool listen_in(struct control *t)
{
    struct sockaddr_un name = control_name(t->dir);

    t->listener =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (t->listener < 0)
        return false;
    (void)unlinkat(t->dir, CONTROL_SOCKET, 0); /* of a server that died */
    return bind(t->listener, (struct sockaddr *)&name, sizeof name) == 0 &&
           fchmodat(t->dir, CONTROL_SOCKET, 0600, 0) == 0 &&
           listen(t->listener, 8) == 0;
}

static bool start(struct control *t)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr))
        return false;
    bool is_on = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
                 pthread_create(&t->thread, &attr, run, t) == 0;
    (void)pthread_attr_destroy(&attr);
    return is_on;
}

static void drop(struct control *t)
{
    if (t->dir >= 0) {
        (void)unlinkat(t->dir, CONTROL_SOCKET, 0);
        (void)close(t->dir);
    }
    if (t->listener >= 0)
        (void)close(t->listener);
    if (t->stop >= 0)
        (void)close(t->stop);
    free(t);
}

struct control *control_open(struct app *app, const char *data_dir)
{
    struct control *t = calloc(1, sizeof *t);

    must(t);
    *t = (struct control){.app = app, .listener = -1};
    t->dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t->stop = eventfd(0, EFD_CLOEXEC);
    if (t->dir >= 0 && t->stop >= 0 && listen_in(t) && start(t))
        return t;
    log_warn("control: no socket in %s, errno=%d", data_dir, errno);
    drop(t);
    return NULL;
}

void control_close(struct control *t)
{
    if (!t)
        return;
    must(eventfd_write(t->stop, 1) == 0);
    must(pthread_join(t->thread, NULL) == 0);
    drop(t);
}
