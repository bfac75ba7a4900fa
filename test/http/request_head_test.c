/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

struct sample {
    const char *text;
    int status;
};

static const struct sample framing[] = {
    /* what browsers and proxies send */
    {GET "\r\n", 0},
    {"GET /a-b_c.d~e/f HTTP/1.1\r\nhost: a.example:8443\r\n\r\n", 0},
    {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {GET "Accept:*/*\r\nX-Empty:\r\n\r\n", 0},
    {GET "User-Agent: \t a\tb \r\n\r\n", 0},
    {GET "X: \xe3\x81\x82\r\n\r\n", 0},
    {GET "Content-Length: 0\r\n\r\n", 0},
    {POST "Content-Length: 12\r\n\r\n", 0},
    {POST "Content-Length: 9999999999\r\n\r\n", 0},
    {POST "Transfer-Encoding: chunked\r\n\r\n", 0},
    {POST "TRANSFER-ENCODING: Chunked\r\n\r\n", 0},
    {POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", 0},
    {"DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    /* lines */
    {"", 400},
    {"\r\n\r\n", 400},
    {"\r\n" GET "\r\n", 400},
    {" " GET "\r\n", 400},
    {"GET / HTTP/1.1\nHost: a\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {GET, 400},
    {GET "\r\nrest", 400},
    {GET "X: a\x01z\r\n\r\n", 400},
    {GET "X: a\x7fz\r\n\r\n", 400},
    /* fields */
    {GET "X : a\r\n\r\n", 400},
    {GET "X\r\n\r\n", 400},
    {GET ": a\r\n\r\n", 400},
    {GET "X Y: a\r\n\r\n", 400},
    {GET "X: a\r\n folded\r\n\r\n", 400},
    {GET "X: a\r\n\tfolded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {GET "\xe3\x81\x82: a\r\n\r\n", 400},
    {GET "Cookie: a=1\r\nCookie: b=2\r\n\r\n", 400},
    {GET "Origin: https://a\r\nOrigin: https://b\r\n\r\n", 400},
    /* host */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\n\r\n", 400},
    {GET "Host: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
    /* length and coding */
    {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
    {POST "Content-Length: 1, 1\r\n\r\n", 400},
    {POST "Content-Length: +1\r\n\r\n", 400},
    {POST "Content-Length: -1\r\n\r\n", 400},
    {POST "Content-Length: 0x10\r\n\r\n", 400},
    {POST "Content-Length: 1 2\r\n\r\n", 400},
    {POST "Content-Length:\r\n\r\n", 400},
    {POST "Content-Length: 10000000000\r\n\r\n", 400},
    {POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
    {POST "Transfer-Encoding: identity\r\n\r\n", 400},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 400},
    {POST "Transfer-Encoding: identity\r\n"
          "Transfer-Encoding: chunked\r\n\r\n",
     400},
    {POST "Transfer-Encoding:\x0b"
          "chunked\r\n\r\n",
     400},
    {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {GET "Content-Length: 5\r\n\r\n", 400},
    {GET "Transfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Expect: 200-maybe\r\n\r\n", 417},
};

static const struct sample lines[] = {
    {"GET /", 400},
    {"GET / HTTP/1.1 ", 400},
    {"GET  / HTTP/1.1", 400},
    {"GET\t/ HTTP/1.1", 400},
    {"GET / http/1.1", 400},
    {"GET / HTTP/1", 400},
    {"GET / HTTP/1.1x", 400},
    {"GET / HTTP/1.2", 505},
    {"GET / HTTP/2.0", 505},
    {"GET / HTTP/0.9", 505},
    {"get / HTTP/1.1", 405},
    {"TRACE / HTTP/1.1", 405},
    {"OPTIONS * HTTP/1.1", 405},
    {"CONNECT a:1 HTTP/1.1", 405},
    {"PROPFIND / HTTP/1.1", 405},
    {"G@T / HTTP/1.1", 400},
    {"GET http://a/ HTTP/1.1", 400},
    {"GET * HTTP/1.1", 400},
    {"GET a HTTP/1.1", 400},
    {"GET /%61 HTTP/1.1", 400},
    {"GET /a%00b HTTP/1.1", 400},
    {"GET /a\\b HTTP/1.1", 400},
    {"GET /a;b HTTP/1.1", 400},
    {"GET /a#b HTTP/1.1", 400},
    {"GET /\xe3\x81\x82 HTTP/1.1", 400},
    {"GET /?a=1&b=c+d/e?f HTTP/1.1", 0},
    {"GET /?q=%E3%81%82%f0%9f%98%80 HTTP/1.1", 0},
    {"GET /?q=%0d%0a HTTP/1.1", 0},
    {"GET /?q=% HTTP/1.1", 400},
    {"GET /?q=%4 HTTP/1.1", 400},
    {"GET /?q=%zz HTTP/1.1", 400},
    {"GET /?q=%00 HTTP/1.1", 400},
    {"GET /?q=%ff HTTP/1.1", 400},
    {"GET /?q=%c0%af HTTP/1.1", 400},
    {"GET /?q=%e3%81 HTTP/1.1", 400},
    {"GET /?q=%ed%a0%80 HTTP/1.1", 400},
    {"GET /?q=%f4%90%80%80 HTTP/1.1", 400},
    {"GET /?q=%80 HTTP/1.1", 400},
    {"GET /?q=%e3a HTTP/1.1", 400},
    {"GET /?q=<a> HTTP/1.1", 400},
    {"GET /?q=\"a\" HTTP/1.1", 400},
    {"GET /?q=a#b HTTP/1.1", 400},
    {"GET /?q=\xe3\x81\x82 HTTP/1.1", 400},
};

/* A copy without a byte to spare: the sanitizer sees a read beyond it. */
static int check(const char *text, size_t len, struct request_head *out)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int status = request_head_check(copy, len, out);
    free(copy);
    return status;
}

static void test_frames_by_the_letter(void **state)
{
    (void)state;
    struct request_head head;
    for (size_t i = 0; i < COUNT(framing); i++) {
        int status = check(framing[i].text, strlen(framing[i].text), &head);
        if (status != framing[i].status)
            fail_msg("%zu: %d for %s", i, status, framing[i].text);
    }
}

static void test_judges_the_request_line(void **state)
{
    (void)state;
    struct request_head head;
    char text[256];
    for (size_t i = 0; i < COUNT(lines); i++) {
        int len =
            snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", lines[i].text);
        int status = check(text, (size_t)len, &head);
        if (status != lines[i].status)
            fail_msg("%d for %s", status, lines[i].text);
    }
}

static void test_refuses_a_nul(void **state)
{
    (void)state;
    struct request_head head;
    static const char nul[] = GET "X: a\0b\r\n\r\n";
    assert_int_equal(check(nul, sizeof nul - 1, &head), 400);
}

static void test_tells_the_framing(void **state)
{
    (void)state;
    struct request_head head;
    static const char counted[] = POST "Content-Length: 0012\r\n\r\n";
    assert_int_equal(check(counted, sizeof counted - 1, &head), 0);
    assert_int_equal(head.method, METHOD_POST);
    assert_int_equal(head.body_bytes, 12);
    assert_false(head.is_chunked || head.is_http_10 || head.wants_continue);
    static const char chunked[] =
        POST "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    assert_int_equal(check(chunked, sizeof chunked - 1, &head), 0);
    assert_int_equal(head.body_bytes, -1);
    assert_true(head.is_chunked && head.wants_continue);
}

#define TEXT_BYTES 32768

/* A head with count fields; or, with a size, one long field that fills it up
 * to that many bytes in all. */
static size_t build(char text[TEXT_BYTES], int count, size_t target,
                    size_t size)
{
    static const char end[] = " HTTP/1.1\r\nHost: a\r\n";
    memcpy(text, "GET /", 5);
    memset(text + 5, 'a', target - 1);
    size_t at = 4 + target;
    memcpy(text + at, end, sizeof end - 1);
    at += sizeof end - 1;
    for (int i = 1; i < count; i++)
        at += (size_t)snprintf(text + at, TEXT_BYTES - at, "X-%d: a\r\n", i);
    if (size) {
        memset(text + at, 'x', size - 2 - at);
        text[at + 1] = ':';
        memcpy(text + size - 4, "\r\n", 2);
        at = size - 2;
    }
    memcpy(text + at, "\r\n", 2);
    return at + 2;
}

static void test_keeps_the_limits(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    struct request_head head;
    size_t len = build(text, REQUEST_HEAD_MAX_FIELDS, 1, 0);
    assert_int_equal(check(text, len, &head), 0);
    len = build(text, REQUEST_HEAD_MAX_FIELDS + 1, 1, 0);
    assert_int_equal(check(text, len, &head), 431);
    len = build(text, 1, REQUEST_HEAD_MAX_TARGET, 0);
    assert_int_equal(check(text, len, &head), 0);
    len = build(text, 1, REQUEST_HEAD_MAX_TARGET + 1, 0);
    assert_int_equal(check(text, len, &head), 414);
    len = build(text, 1, 1, REQUEST_HEAD_MAX_BYTES);
    assert_int_equal(len, REQUEST_HEAD_MAX_BYTES);
    assert_int_equal(check(text, len, &head), 0);
    len = build(text, 1, 1, REQUEST_HEAD_MAX_BYTES + 1);
    assert_int_equal(check(text, len, &head), 431);
}

/* Whatever is cut off, the rest is no request. */
static void test_refuses_every_part(void **state)
{
    (void)state;
    struct request_head head;
    static const char whole[] =
        POST "Content-Length: 5\r\nX-Req: 1\r\nCookie: a=b\r\n\r\n";
    for (size_t len = 0; len < sizeof whole - 1; len++)
        assert_int_not_equal(check(whole, len, &head), 0);
    assert_int_equal(check(whole, sizeof whole - 1, &head), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_by_the_letter),
        cmocka_unit_test(test_judges_the_request_line),
        cmocka_unit_test(test_refuses_a_nul),
        cmocka_unit_test(test_tells_the_framing),
        cmocka_unit_test(test_keeps_the_limits),
        cmocka_unit_test(test_refuses_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
