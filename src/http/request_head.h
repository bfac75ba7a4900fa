/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_REQUEST_HEAD_H
#define HTTP_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_HEAD_MAX_BYTES  16384
#define REQUEST_HEAD_MAX_TARGET 2048
#define REQUEST_HEAD_MAX_FIELDS 50
#define REQUEST_HEAD_MAX_HOST   255
#define REQUEST_HEAD_ALLOW      "GET, HEAD, POST, PUT, PATCH, DELETE"

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OTHER
};

/* What the framing of a request says, once the head has passed. */
struct request_head {
    enum method method;
    bool is_http_10;
    bool is_chunked;
    bool wants_continue;
    int64_t body_bytes; /* declared; -1: nothing declared */
};

/* Judges the raw head, first byte to the empty line, by RFC 9112 at its
 * strictest; pure.  0, or the status to refuse it with: 400 405 414 417 431
 * 505.  out is whole only after 0. */
int request_head_check(const char *text, size_t len, struct request_head *out);

#endif
