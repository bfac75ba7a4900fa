/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever our scanner lets through must be readable by cJSON, and must come
 * back the same when written and read again. */
#include "base/json.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(struct json_out *o, const char *name,
                        const struct json *j)
{
    switch (j->kind) {
    case JSON_NULL:
        json_null(o, name);
        return;
    case JSON_BOOL:
        json_bool(o, name, j->truth);
        return;
    case JSON_NUMBER:
        json_raw(o, name, j->text);
        return;
    case JSON_TEXT:
        json_text(o, name, j->text);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    json_open(o, name, j->kind == JSON_ARRAY ? '[' : '{');
    for (const struct json *child = j->child; child; child = child->next)
        write_value(o, child->name, child);
    json_close(o, j->kind == JSON_ARRAY ? ']' : '}');
}

static const char *write_text(struct arena *mem, const struct json *j)
{
    struct buf b = buf_in(mem);
    struct json_out o = {.b = &b};
    write_value(&o, NULL, j);
    return b.data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    size_t offset = 0;
    const struct json *j = json_parse(mem, (const char *)data, size, &offset);
    must(offset <= size);
    /* Offset 0 with a bracket there: the two parsers disagree. */
    must(j || offset > 0 || !memchr("[{", size ? data[0] : 0, 2));
    if (j && size < 100000) {
        const char *text = write_text(mem, j);
        const struct json *again = json_parse(mem, text, strlen(text), &offset);
        must(again != NULL);
        must(strcmp(text, write_text(mem, again)) == 0);
    }
    arena_close(mem);
    return 0;
}
