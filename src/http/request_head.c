/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of a request head, before civetweb parses it.
 *
 * The hard idea: a proxy in front and a server behind must never disagree on
 * where a request ends, or requests can be smuggled.  So nothing is repaired
 * or ignored here.  Whatever RFC 9112 lets a recipient tolerate (bare LF,
 * folded lines, a blank before the colon, two lengths that agree) is refused,
 * and the connection closes. */
#include "http/request_head.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

struct span {
    const char *at;
    size_t len;
};

/* Fields of which a second one is refused; the first three frame the request,
 * the others decide on rights. */
enum single {
    SINGLE_HOST,
    SINGLE_LENGTH,
    SINGLE_TRANSFER,
    SINGLE_EXPECT,
    SINGLE_COUNT = 11
};

static const char *const single_names[SINGLE_COUNT] = {
    [SINGLE_HOST] = "host",
    [SINGLE_LENGTH] = "content-length",
    [SINGLE_TRANSFER] = "transfer-encoding",
    [SINGLE_EXPECT] = "expect",
    "content-type",
    "cookie",
    "origin",
    "authorization",
    "if-match",
    "sec-fetch-site",
    "x-req",
};

static const struct {
    const char *name;
    enum method method;
} methods[] = {
    {"GET", METHOD_GET}, {"HEAD", METHOD_HEAD},   {"POST", METHOD_POST},
    {"PUT", METHOD_PUT}, {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE},
};

static bool is_alnum(unsigned char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
           (ch >= 'A' && ch <= 'Z');
}

static bool is_one_of(unsigned char ch, const char *set)
{
    return ch != '\0' && strchr(set, ch) != NULL;
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum((unsigned char)s.at[i]) &&
            !is_one_of((unsigned char)s.at[i], "!#$%&'*+-.^_`|~"))
            return false;
    return s.len > 0;
}

static bool is_word(struct span s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* One byte of UTF-8 at a time: *more counts the continuation bytes to come,
 * low and high bound the next one (no overlong form, surrogate or > 10FFFF). */
struct utf8 {
    int more;
    unsigned char low, high;
};

static bool take_utf8(struct utf8 *u, unsigned char byte)
{
    if (u->more > 0) {
        if (byte < u->low || byte > u->high)
            return false;
        u->more--;
        u->low = 0x80;
        u->high = 0xbf;
        return true;
    }
    u->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    u->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf)
        u->more = 1;
    else if (byte >= 0xe0 && byte <= 0xef)
        u->more = 2;
    else if (byte >= 0xf0 && byte <= 0xf4)
        u->more = 3;
    else
        return byte != 0 && byte < 0x80;
    return true;
}

/* Query: the characters of RFC 3986, escapes that decode to UTF-8, no NUL. */
static bool is_query(struct span s)
{
    struct utf8 text = {0};
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.at[i];
        if (ch == '%') {
            if (i + 2 >= s.len)
                return false;
            int high = hex_digit(s.at[i + 1]), low = hex_digit(s.at[i + 2]);
            if (high < 0 || low < 0)
                return false;
            ch = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (!is_alnum(ch) && !is_one_of(ch, "-._~!$&'()*+,;=:@/?")) {
            return false;
        }
        if (!take_utf8(&text, ch))
            return false;
    }
    return text.more == 0;
}

static bool is_path(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum((unsigned char)s.at[i]) &&
            !is_one_of((unsigned char)s.at[i], "._~/-"))
            return false;
    return s.len > 0 && s.at[0] == '/';
}

static bool is_target(struct span s)
{
    const char *mark = memchr(s.at, '?', s.len);
    if (!mark)
        return is_path(s);
    struct span path = {s.at, (size_t)(mark - s.at)};
    struct span query = {mark + 1, s.len - path.len - 1};
    return is_path(path) && is_query(query);
}

/* A name, an IPv4 address or an IPv6 address in brackets; then perhaps a
 * port. */
/* How much of it is "[::1]": 0 when it is no such thing. */
static size_t bracket_length(struct span s)
{
    size_t i = 1;
    while (i < s.len &&
           (hex_digit(s.at[i]) >= 0 || is_one_of((unsigned char)s.at[i], ":.")))
        i++;
    return i < s.len && i >= 3 && s.at[i] == ']' ? i + 1 : 0;
}

static size_t name_length(struct span s)
{
    size_t i = 0;
    while (i < s.len && (is_alnum((unsigned char)s.at[i]) ||
                         is_one_of((unsigned char)s.at[i], ".-_")))
        i++;
    return i;
}

static bool is_host(struct span s)
{
    if (s.len == 0 || s.len > REQUEST_HEAD_MAX_HOST)
        return false;
    size_t i = s.at[0] == '[' ? bracket_length(s) : name_length(s);
    if (i == 0 || i == s.len)
        return i != 0;
    if (s.at[i] != ':' || s.len - i < 2 || s.len - i > 6)
        return false;
    while (++i < s.len)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return true;
}

/* Cuts the next line off; false unless it ends in CRLF and holds neither CR
 * nor any other control character but TAB. */
static bool take_line(struct span *rest, struct span *line)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    if (!end || end == rest->at || end[-1] != '\r')
        return false;
    *line = (struct span){rest->at, (size_t)(end - rest->at) - 1};
    rest->len -= line->len + 2;
    rest->at = end + 1;
    for (size_t i = 0; i < line->len; i++) {
        unsigned char ch = (unsigned char)line->at[i];
        if ((ch < 0x20 && ch != '\t') || ch == 0x7f)
            return false;
    }
    return true;
}

static int check_version(struct span s, struct request_head *out)
{
    if (s.len != 8 || memcmp(s.at, "HTTP/", 5) != 0 || s.at[6] != '.' ||
        s.at[5] < '0' || s.at[5] > '9' || s.at[7] < '0' || s.at[7] > '9')
        return 400;
    if (s.at[5] != '1' || s.at[7] > '1')
        return 505;
    out->is_http_10 = s.at[7] == '0';
    return 0;
}

static int check_request_line(struct span line, struct request_head *out)
{
    const char *space = memchr(line.at, ' ', line.len);
    if (!space)
        return 400;
    struct span method = {line.at, (size_t)(space - line.at)};
    struct span rest = {space + 1, line.len - method.len - 1};
    if (!is_token(method))
        return 400;
    space = memchr(rest.at, ' ', rest.len);
    if (!space)
        return rest.len > REQUEST_HEAD_MAX_TARGET ? 414 : 400;
    struct span target = {rest.at, (size_t)(space - rest.at)};
    struct span version = {space + 1, rest.len - target.len - 1};
    if (target.len > REQUEST_HEAD_MAX_TARGET)
        return 414;
    int status = check_version(version, out);
    if (status)
        return status;
    out->method = METHOD_OTHER;
    for (size_t i = 0; i < COUNT(methods); i++)
        if (strlen(methods[i].name) == method.len &&
            memcmp(methods[i].name, method.at, method.len) == 0)
            out->method = methods[i].method;
    if (out->method == METHOD_OTHER)
        return 405;
    return is_target(target) ? 0 : 400;
}

static int check_length(struct span value, struct request_head *out)
{
    if (value.len < 1 || value.len > 10)
        return 400;
    out->body_bytes = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 400;
        out->body_bytes = out->body_bytes * 10 + (value.at[i] - '0');
    }
    return 0;
}

static int check_single(enum single which, struct span value,
                        struct request_head *out)
{
    if (which == SINGLE_HOST)
        return is_host(value) ? 0 : 400;
    if (which == SINGLE_LENGTH)
        return check_length(value, out);
    if (which == SINGLE_TRANSFER) {
        out->is_chunked = true;
        return is_word(value, "chunked") ? 0 : 400;
    }
    if (which == SINGLE_EXPECT) {
        out->wants_continue = true;
        return is_word(value, "100-continue") ? 0 : 417;
    }
    return 0;
}

static int check_field(struct span line, unsigned *seen,
                       struct request_head *out)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (!colon)
        return 400;
    struct span name = {line.at, (size_t)(colon - line.at)};
    struct span value = {colon + 1, line.len - name.len - 1};
    if (!is_token(name))
        return 400;
    while (value.len > 0 && is_one_of((unsigned char)value.at[0], " \t")) {
        value.at++;
        value.len--;
    }
    while (value.len > 0 &&
           is_one_of((unsigned char)value.at[value.len - 1], " \t"))
        value.len--;
    for (unsigned i = 0; i < SINGLE_COUNT; i++) {
        if (!is_word(name, single_names[i]))
            continue;
        if (*seen & 1u << i)
            return 400;
        *seen |= 1u << i;
        return check_single((enum single)i, value, out);
    }
    return 0;
}

/* The fields together: one host, one way to tell the end of the body, and
 * no body where a client has no use for one. */
static int check_framing(unsigned seen, const struct request_head *head)
{
    bool has_length = (seen & 1u << SINGLE_LENGTH) != 0;
    if (!(seen & 1u << SINGLE_HOST))
        return 400;
    if (head->is_chunked && (has_length || head->is_http_10))
        return 400;
    if ((head->method == METHOD_GET || head->method == METHOD_HEAD) &&
        (head->is_chunked || head->body_bytes > 0))
        return 400;
    return 0;
}

int request_head_check(const char *text, size_t len, struct request_head *out)
{
    struct span rest = {text, len}, line;
    unsigned seen = 0;
    *out = (struct request_head){.method = METHOD_OTHER, .body_bytes = -1};
    if (len > REQUEST_HEAD_MAX_BYTES)
        return 431;
    if (!take_line(&rest, &line))
        return 400;
    int status = check_request_line(line, out);
    if (status)
        return status;
    for (int count = 0;; count++) {
        if (!take_line(&rest, &line))
            return 400;
        if (line.len == 0)
            break;
        if (count == REQUEST_HEAD_MAX_FIELDS)
            return 431;
        status = check_field(line, &seen, out);
        if (status)
            return status;
    }
    if (rest.len != 0)
        return 400;
    return check_framing(seen, out);
}
