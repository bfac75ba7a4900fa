/* SPDX-License-Identifier: Apache-2.0 */
/* A line is built on the stack and leaves by one write(2), so lines of
 * different threads never mix, no lock is held, and the log still works when
 * memory is gone.  What a stranger typed may be in it: everything that could
 * forge a line or reorder its letters is written as an escape. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#define LINE_BYTES 2048

static _Atomic int least = LOG_INFO;

static const char *const level_text[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static const char *const priorities[] = {
    [LOG_DEBUG] = "<7>",
    [LOG_INFO] = "<6>",
    [LOG_WARN] = "<4>",
    [LOG_ERROR] = "<3>",
};

/* systemd names the stream it made; a program started with another stderr may
 * have inherited the variable all the same. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[48];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st))
        return false;
    (void)snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    return strcmp(own, stream) == 0;
}

static const char *priority_of(enum log_level level)
{
    return is_journal() ? priorities[level] : "";
}

void log_set_level(enum log_level level)
{
    atomic_store(&least, (int)level);
}

/* Zero-width and direction marks hide in a line too. */
static bool is_hidden(uint32_t ch)
{
    return str_is_control(ch, false) || ch == 0x61C || ch == 0xFEFF ||
           (ch >= 0x200B && ch <= 0x200F) || ch == '\\';
}

/* Writes one code point or escape of raw; returns the bytes it took from
 * raw, or 0 when the line is full. */
static size_t put_char(char *line, size_t *used, const char *raw, size_t len)
{
    char escape[12];
    uint32_t ch = 0;
    size_t took = str_decode(raw, len, &ch);
    const char *shown = raw;
    size_t shown_len = took;
    if (took == 0 || is_hidden(ch)) {
        int n = took == 0
                    ? snprintf(escape, sizeof escape, "\\x%02x",
                               (unsigned)(unsigned char)raw[0])
                    : snprintf(escape, sizeof escape, "\\u%04x", (unsigned)ch);
        shown = escape;
        shown_len = (size_t)n;
        took = took ? took : 1;
    }
    if (*used + shown_len + 1 > LINE_BYTES)
        return 0;
    memcpy(line + *used, shown, shown_len);
    *used += shown_len;
    return took;
}

static void write_line(const char *line, size_t len)
{
    ssize_t wrote;
    do {
        wrote = write(STDERR_FILENO, line, len);
    } while (wrote < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *format, ...)
{
    if ((int)level < atomic_load(&least))
        return;
    int errno_before = errno;
    char raw[LINE_BYTES], line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : strnlen(raw, sizeof raw);

    char moment[CLOCK_CHARS + 1];
    clock_print(clock_now_us(), moment);
    n = snprintf(line, sizeof line, "%s%s %s ", priority_of(level), moment,
                 level_text[level]);
    size_t used = (size_t)n;
    for (size_t at = 0; at < len;) {
        size_t took = put_char(line, &used, raw + at, len - at);
        if (took == 0)
            break;
        at += took;
    }
    line[used++] = '\n';
    write_line(line, used);
    errno = errno_before;
}

void log_complain(const char *format, ...)
{
    va_list args;

    (void)fputs(priority_of(LOG_ERROR), stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

/* The end of the line for broken invariants.  Going on with a wrong state
 * would risk acknowledged data; stopping costs one restart, since an
 * acknowledged write is already on the disk. */
void err_abort(const char *what, const char *file, int line)
{
    log_error("abort at=%s:%d what=%s", file, line, what);
    abort();
}
