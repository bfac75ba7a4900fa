/* SPDX-License-Identifier: Apache-2.0 */
/* One message, one connection.  Each step has a deadline; after STARTTLS the
 * read buffer is dropped, so nothing said in the clear is believed later; no
 * address or header with CR, LF or NUL gets as far as the wire. */
#include "net/smtp.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/tls.h"
#include "net/tcp_connect.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 4096,
    REPLY_LINES_MAX = 100,
    TIMEOUT_MS = 30000,
    WHOLE_MS = 120000
};

struct smtp {
    const struct smtp_config *config;
    struct arena *mem;
    int fd;
    struct tls *tls;
    char in[LINE_MAX_BYTES];
    size_t in_len;
    int timeout_ms;
    int64_t deadline_ms; /* of the whole, however slowly it trickles */
    const char *why;
    bool has_starttls, has_auth_plain, has_auth_login;
};

static enum err fail(struct smtp *s, enum err e, const char *why)
{
    s->why = why;
    return e;
}

static int wait_ms(const struct smtp *s)
{
    int64_t left = s->deadline_ms - clock_monotonic_ms();

    return left <= 0 ? 0 : left < s->timeout_ms ? (int)left : s->timeout_ms;
}

/* ---- connecting ---- */

static enum err connect_relay(struct smtp *s)
{
    const struct smtp_config *c = s->config;
    enum err e =
        tcp_connect(c->host, c->port, c->security == SMTP_PLAIN_LOOPBACK,
                    wait_ms(s), &s->fd);

    if (e == ERR_NOT_FOUND)
        return fail(s, ERR_BUSY, "the relay's name cannot be resolved");
    return e ? fail(s, ERR_BUSY, "the relay cannot be reached") : OK;
}

/* ---- bytes ---- */

static long read_some(struct smtp *s, void *data, size_t len)
{
    if (s->tls)
        return tls_read(s->tls, data, len, wait_ms(s));
    if (!tcp_connect_wait(s->fd, POLLIN, wait_ms(s)))
        return -1;
    return recv(s->fd, data, len, 0);
}

static enum err write_all(struct smtp *s, const char *data, size_t len)
{
    while (len > 0) {
        long n;
        if (s->tls) {
            n = tls_write(s->tls, data, len, wait_ms(s));
        } else {
            if (!tcp_connect_wait(s->fd, POLLOUT, wait_ms(s)))
                return fail(s, ERR_BUSY, "the relay does not take data");
            n = send(s->fd, data, len, MSG_NOSIGNAL);
        }
        if (n <= 0)
            return fail(s, ERR_BUSY, "the connection to the relay broke");
        data += n;
        len -= (size_t)n;
    }
    return OK;
}

static enum err read_line(struct smtp *s, char line[LINE_MAX_BYTES])
{
    for (;;) {
        char *end = memchr(s->in, '\n', s->in_len);
        if (end) {
            size_t len = (size_t)(end - s->in) + 1;
            memcpy(line, s->in, len);
            line[len - 1] = 0;
            if (len > 1 && line[len - 2] == '\r')
                line[len - 2] = 0;
            s->in_len -= len;
            memmove(s->in, s->in + len, s->in_len);
            return OK;
        }
        if (s->in_len == sizeof(s->in))
            return fail(s, ERR_BUSY, "the relay sent a line too long");
        int64_t end_ms = clock_monotonic_ms() + wait_ms(s);
        long n = read_some(s, s->in + s->in_len, sizeof(s->in) - s->in_len);
        if (n <= 0)
            return fail(s, ERR_BUSY,
                        clock_monotonic_ms() < end_ms
                            ? "the connection to the relay broke"
                            : "the relay did not answer in time");
        s->in_len += (size_t)n;
    }
}

/* Reads a reply, all its lines; *code is its number, EHLO words are noted. */
static enum err read_reply(struct smtp *s, int *code)
{
    char line[LINE_MAX_BYTES];

    for (int i = 0; i < REPLY_LINES_MAX; i++) {
        enum err e = read_line(s, line);
        if (e)
            return e;
        if (strlen(line) < 3 || strspn(line, "0123456789") != 3)
            return fail(s, ERR_BUSY, "the relay does not speak SMTP");
        *code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
        const char *word = line[3] ? line + 4 : "";
        if (strcmp(word, "STARTTLS") == 0)
            s->has_starttls = true;
        if (strncmp(word, "AUTH ", 5) == 0) {
            s->has_auth_plain = strstr(word, "PLAIN") != NULL;
            s->has_auth_login = strstr(word, "LOGIN") != NULL;
        }
        s->why = arena_strdup(s->mem, line);
        if (line[3] != '-')
            return OK;
    }
    return fail(s, ERR_BUSY, "the relay's answer does not end");
}

/* Sends a line and wants a reply of the given class (2 or 3). */
static enum err say(struct smtp *s, const char *line, int wanted)
{
    const char *text = arena_printf(s->mem, "%s\r\n", line);
    int code = 0;
    enum err e = write_all(s, text, strlen(text));

    if (e || (e = read_reply(s, &code)))
        return e;
    if (code / 100 == wanted)
        return OK;
    return code / 100 == 5 ? ERR_INVALID : ERR_BUSY;
}

/* ---- the session ---- */

/* A relay may refuse a name that is no whole host name (RFC 5321, 4.1.1.1). */
static const char *own_name(const struct smtp_config *c)
{
    const char *at = strrchr(c->from, '@');

    return c->name ? c->name : at && at[1] ? at + 1 : "localhost";
}

static enum err hello(struct smtp *s)
{
    s->has_starttls = s->has_auth_plain = s->has_auth_login = false;
    return say(s, arena_printf(s->mem, "EHLO %s", own_name(s->config)), 2);
}

static enum err start_tls(struct smtp *s)
{
    const char *why;

    if (tls_connect(s->fd, s->config->host, s->config->ca_file, wait_ms(s),
                    &why, &s->tls))
        return fail(s, ERR_BUSY, arena_printf(s->mem, "the relay: %s", why));
    s->in_len = 0;
    return OK;
}

static enum err authenticate(struct smtp *s)
{
    const struct smtp_config *c = s->config;
    enum err e;

    if (!c->user)
        return OK;
    if (s->has_auth_plain) {
        size_t u = strlen(c->user), p = strlen(c->password);
        char *both = arena_alloc(s->mem, u + p + 3);
        memcpy(both + 1, c->user, u);
        memcpy(both + 2 + u, c->password, p);
        e = say(s,
                arena_printf(s->mem, "AUTH PLAIN %s",
                             str_to_base64(s->mem, both, u + p + 2)),
                2);
    } else if (s->has_auth_login) {
        if ((e = say(s, "AUTH LOGIN", 3)))
            return e;
        if ((e = say(s, str_to_base64(s->mem, c->user, strlen(c->user)), 3)))
            return e;
        e = say(s, str_to_base64(s->mem, c->password, strlen(c->password)), 2);
    } else {
        return fail(s, ERR_BUSY, "the relay offers no AUTH we know");
    }
    /* A wrong relay password is the operator's to mend, not the mail's end. */
    return e == ERR_INVALID ? ERR_BUSY : e;
}

static enum err greet(struct smtp *s)
{
    int code = 0;
    enum err e = OK;

    if (s->config->security == SMTP_TLS && (e = start_tls(s)))
        return e;
    if ((e = read_reply(s, &code)))
        return e;
    if (code != 220)
        return ERR_BUSY;
    if ((e = hello(s)))
        return e == ERR_INVALID ? ERR_BUSY : e;
    if (s->config->security == SMTP_STARTTLS) {
        if (!s->has_starttls)
            return fail(s, ERR_BUSY, "the relay offers no STARTTLS");
        if (say(s, "STARTTLS", 2) != OK)
            return ERR_BUSY;
        if ((e = start_tls(s)) || (e = hello(s)))
            return e;
    }
    return authenticate(s);
}

/* ---- the message ---- */

static bool is_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

/* RFC 2047: UTF-8, base64, words of at most 75 characters cut between
 * characters. */
static void put_encoded(struct buf *b, struct arena *mem, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        size_t n = len < 42 ? len : 42;
        while (n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        buf_printf(b, "=?UTF-8?B?%s?=", str_to_base64(mem, text, n));
        text += n;
        len -= n;
        if (len > 0)
            buf_puts(b, "\r\n ");
    }
}

static void put_date(struct buf *b, int64_t at_us)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(at_us / 1000000) + 9 * 3600;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    buf_printf(b, "Date: %s, %d %s %d %02d:%02d:%02d +0900\r\n",
               days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
               tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static struct buf compose(const struct smtp_config *c, struct arena *mem,
                          const struct mail *m)
{
    struct buf b = buf_in(mem);
    const char *body = str_to_base64(mem, m->text, strlen(m->text));

    buf_puts(&b, "From: ");
    put_encoded(&b, mem, c->from_name ? c->from_name : "Yagura");
    buf_printf(&b, " <%s>\r\nTo: <%s>\r\nSubject: ", c->from, m->to);
    put_encoded(&b, mem, m->subject);
    buf_puts(&b, "\r\n");
    put_date(&b, m->sent_at_us);
    buf_printf(&b,
               "Message-ID: <%.*s@%s>\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: base64\r\n"
               "Auto-Submitted: auto-generated\r\n\r\n",
               (int)strcspn(m->message_id, "@"), m->message_id, own_name(c));
    for (size_t len = strlen(body); len > 0;) {
        size_t n = len < 76 ? len : 76;
        buf_put(&b, body, n);
        buf_puts(&b, "\r\n");
        body += n;
        len -= n;
    }
    return b;
}

/* Many relays judge greeting and sender only when a recipient is named. */
static enum err name_both(struct smtp *s, const char *to)
{
    enum err e =
        say(s, arena_printf(s->mem, "MAIL FROM:<%s>", s->config->from), 2);

    return e ? e : say(s, arena_printf(s->mem, "RCPT TO:<%s>", to), 2);
}

static enum err deliver(struct smtp *s, const struct mail *m)
{
    struct buf b = compose(s->config, s->mem, m);
    enum err e = greet(s);
    int code = 0;

    if (e)
        return e;
    if ((e = name_both(s, m->to)))
        return e;
    if ((e = say(s, "DATA", 3)))
        return e;
    /* base64 lines and our headers never begin with a dot */
    buf_puts(&b, ".\r\n");
    if ((e = write_all(s, b.data, b.len)) || (e = read_reply(s, &code)))
        return e;
    if (code / 100 != 2)
        return code / 100 == 5 ? ERR_INVALID : ERR_BUSY;
    if (say(s, "QUIT", 2))
        log_warn("relay did not say goodbye");
    return OK;
}

static enum err spool(const struct smtp_config *c, struct arena *mem,
                      const struct mail *m, const char **why)
{
    struct buf b = compose(c, mem, m);
    const char *path =
        arena_printf(mem, "%s/%s.eml", c->spool_dir, m->message_id);
    const char *part = arena_printf(mem, "%s.part", path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good =
        fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len && fsync(fd) == 0;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (good && rename(part, path) == 0)
        return OK;
    *why = "the spool folder cannot be written";
    return ERR_BUSY;
}

static enum err try_only(struct smtp *s, const char *to)
{
    enum err e = greet(s);

    if (e || (e = name_both(s, to)))
        return e;
    if (say(s, "RSET", 2) || say(s, "QUIT", 2))
        log_warn("relay did not say goodbye");
    return OK;
}

/* m NULL: only as far as the relay takes a recipient. */
static enum err talk(const struct smtp_config *config, struct arena *mem,
                     const char *to, const struct mail *m, const char **why)
{
    struct smtp *s = arena_new(mem, struct smtp);
    enum err e;

    s->config = config;
    s->mem = mem;
    s->fd = -1;
    s->timeout_ms =
        config->timeout_ms
            ? config->timeout_ms
            : (int)clock_test_value("YAGURA_TEST_SMTP_STEP_MS", TIMEOUT_MS);
    s->deadline_ms = clock_monotonic_ms() +
                     clock_test_value("YAGURA_TEST_SMTP_WHOLE_MS", WHOLE_MS);
    s->why = "";
    if (!(e = connect_relay(s)) && !smtp_stop_enter(config->stop, s->fd))
        e = fail(s, ERR_BUSY, "the server stops");
    if (!e)
        e = m ? deliver(s, m) : try_only(s, to);
    smtp_stop_leave(config->stop, s->fd);
    if (s->tls)
        tls_close(s->tls);
    else if (s->fd >= 0)
        close(s->fd);
    *why = s->why;
    return e;
}

static bool is_address(const char *to)
{
    return is_line(to) && !strpbrk(to, "<> ");
}

enum err smtp_check(const struct smtp_config *config, struct arena *mem,
                    const char *to, const char **why)
{
    *why = is_address(to) ? "" : "the address is not one line";
    return **why ? ERR_INVALID : talk(config, mem, to, NULL, why);
}

enum err smtp_send(const struct smtp_config *config, struct arena *mem,
                   const struct mail *m, const char **why)
{
    *why = "";
    if (!is_address(m->to) || !is_line(m->subject) || !is_line(m->message_id)) {
        *why = "the address is not one line";
        return ERR_INVALID;
    }
    if (config->spool_dir)
        return spool(config, mem, m, why);
    return talk(config, mem, m->to, m, why);
}
