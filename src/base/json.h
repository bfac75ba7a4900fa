/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/ctx.h"

#include <stdbool.h>

/* Reading.  json_parse() is strict: UTF-8, depth <= 32, one value, no
 * duplicate keys, no NUL, <= 20,000 elements, <= 1 MiB by default.  The tree
 * is copied into the arena; numbers keep their text. */
struct json {
    enum {
        JSON_NULL,
        JSON_BOOL,
        JSON_NUMBER,
        JSON_TEXT,
        JSON_ARRAY,
        JSON_OBJECT
    } kind;
    bool truth;
    const char *name; /* key, inside an object */
    const char *text; /* JSON_TEXT, and the digits of JSON_NUMBER */
    struct json *child, *next;
};

/* NULL when malformed; *offset then says where (bytes). */
const struct json *json_parse(struct arena *mem, const char *text, size_t len,
                              size_t *offset);
/* The same for what this program wrote itself, such as the list of a backup's
 * files: <= 200,000 elements, <= 8 MiB. */
const struct json *json_parse_own(struct arena *mem, const char *text,
                                  size_t len);
const struct json *json_get(const struct json *object, const char *name);

/* Writing: commas and escapes are looked after; safe inside <script>. */
struct json_out {
    struct buf *b;
    bool comma;
};

void json_open(struct json_out *o, const char *name, char bracket); /* { [ */
void json_close(struct json_out *o, char bracket);                  /* } ] */
void json_text(struct json_out *o, const char *name, const char *text);
void json_int(struct json_out *o, const char *name, int64_t number);
void json_id(struct json_out *o, const char *name, int64_t id); /* 0 = null */
void json_double(struct json_out *o, const char *name, double number);
void json_bool(struct json_out *o, const char *name, bool truth);
void json_null(struct json_out *o, const char *name);
void json_day(struct json_out *o, const char *name, int32_t day); /* DAY_NONE */
void json_moment(struct json_out *o, const char *name, int64_t utc_us); /* 0 */
void json_raw(struct json_out *o, const char *name, const char *json);
/* name is NULL inside arrays and at the top; NULL text is written as null. */

#endif
