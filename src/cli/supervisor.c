/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3), without its library: one datagram a word. */
#include "cli/supervisor.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WORD_BYTES = 96 };

struct supervisor {
    int fd;
    int64_t pause_ms;
};

/* WATCHDOG_PID says whom it is for; half of the time, as advised. */
static int64_t read_pause_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *us = getenv("WATCHDOG_USEC");
    int64_t whom = 0, time_us = 0;

    if (!us || !str_parse_int(us, 1, INT64_MAX, &time_us))
        return 0;
    if (pid && (!str_parse_int(pid, 1, INT64_MAX, &whom) || whom != getpid()))
        return 0;
    return time_us < 2000 ? 1 : time_us / 2000;
}

/* A name that begins with @ is no file: abstract, its first byte is 0. */
static bool reach(int fd, const char *name)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = strlen(name);

    if (len >= sizeof to.sun_path || (*name != '/' && *name != '@'))
        return false;
    memcpy(to.sun_path, name, len);
    if (*name == '@')
        to.sun_path[0] = 0;
    return connect(fd, (const struct sockaddr *)&to,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ==
           0;
}

struct supervisor *supervisor_open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct supervisor *s;

    if (!name || !*name)
        return NULL;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !reach(fd, name)) {
        log_warn("NOTIFY_SOCKET=%s cannot be reached, errno=%d", name, errno);
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    s = calloc(1, sizeof *s);
    must(s);
    *s = (struct supervisor){fd, read_pause_ms()};
    return s;
}

void supervisor_close(struct supervisor *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    free(s);
}

int64_t supervisor_pause_ms(const struct supervisor *s)
{
    return s ? s->pause_ms : 0;
}

void supervisor_say(struct supervisor *s, enum supervisor_word word)
{
    static const char *const words[] = {
        [SUPERVISOR_READY] = "READY=1\nSTATUS=serving",
        [SUPERVISOR_RELOADING] = "RELOADING=1",
        [SUPERVISOR_ALIVE] = "WATCHDOG=1",
        [SUPERVISOR_STOPPING] = "STOPPING=1\nSTATUS=finishing requests",
        [SUPERVISOR_HELD] = "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=restoring",
    };
    char text[WORD_BYTES];

    if (!s)
        return;
    /* a reload is told with its moment, for Type=notify-reload */
    int len =
        word == SUPERVISOR_RELOADING
            ? snprintf(text, sizeof text, "%s\nMONOTONIC_USEC=%lld",
                       words[word], (long long)clock_monotonic_ms() * 1000)
            : snprintf(text, sizeof text, "%s", words[word]);
    if (send(s->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        log_warn("the supervisor is not told %s, errno=%d", words[word], errno);
}
