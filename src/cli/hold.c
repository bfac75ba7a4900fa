/* SPDX-License-Identifier: Apache-2.0 */
/* A file "held" with the process that holds, 0 for none: a restore that was
 * killed holds nothing. */
#include "cli/hold.h"

#include "base/log.h"
#include "base/str.h"
#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, TELL_SECONDS = 10 };

static void name_file(char out[PATH_BYTES], const char *dir, const char *name)
{
    must(snprintf(out, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES);
}

/* The process that holds, 0: until it is ended; -1: nobody. */
static int64_t read_holder(const char *data_dir)
{
    char path[PATH_BYTES], text[32] = "";
    int64_t pid = 0;

    name_file(path, data_dir, "held");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[len > 0 ? strcspn(text, "\n") : 0] = 0;
    if (!str_parse_int(text, 0, INT32_MAX, &pid) || pid == 0)
        return 0;
    return kill((pid_t)pid, 0) && errno == ESRCH ? -1 : pid;
}

enum err hold_begin(const char *data_dir, bool is_own)
{
    char path[PATH_BYTES], text[32];

    name_file(path, data_dir, "kind");
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    if (read_holder(data_dir) >= 0)
        return ERR_CONFLICT;
    name_file(path, data_dir, "held");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int len =
        snprintf(text, sizeof text, "%ld\n", is_own ? (long)getpid() : 0L);
    bool is_done = fd >= 0 && write(fd, text, (size_t)len) == len;
    if (fd >= 0)
        (void)close(fd);
    if (!is_done)
        log_error("%s cannot be written, errno=%d", path, errno);
    return is_done ? OK : ERR_INTERNAL;
}

enum err hold_end(const char *data_dir)
{
    char path[PATH_BYTES];

    name_file(path, data_dir, "held");
    return unlink(path) ? errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL : OK;
}

bool hold_is_own(const char *data_dir)
{
    return read_holder(data_dir) == getpid();
}

/* A second, or until the process is to end. */
static bool is_ended(void)
{
    const struct timespec second = {.tv_sec = 1};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return sigtimedwait(&set, NULL, &second) > 0;
}

bool hold_wait(const char *data_dir)
{
    struct supervisor *told = NULL;
    bool goes_on = true;

    if (read_holder(data_dir) < 0)
        return true;
    log_warn("waiting: %s is held for a restore; yagura backup release ends "
             "that",
             data_dir);
    told = supervisor_open();
    for (int n = 0; goes_on && read_holder(data_dir) >= 0; n++) {
        if (n % TELL_SECONDS == 0)
            supervisor_say(told, SUPERVISOR_HELD);
        goes_on = !is_ended();
    }
    supervisor_close(told);
    if (goes_on)
        log_info("%s is no longer held", data_dir);
    return goes_on;
}
