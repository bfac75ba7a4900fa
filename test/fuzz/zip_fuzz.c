/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive, and a good archive with some of its bytes changed:
 * what is accepted stays within its limits and unpacks to what it says. */
#include "base/zip.h"

#include "base/buf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err keep(void *arg, const void *data, size_t len)
{
    buf_put(arg, data, len);
    return OK;
}

static enum err count(void *arg, const void *data, size_t len)
{
    (void)data;
    *(int64_t *)arg += (int64_t)len;
    return OK;
}

static enum err give(void *arg, int64_t at, void *data, size_t len)
{
    const struct buf *b = arg;

    must(at >= 0 && len <= b->len && (size_t)at <= b->len - len);
    if (len)
        memcpy(data, b->data + at, len);
    return OK;
}

static void look(struct arena *mem, struct buf *file)
{
    const struct zip_limits limits = {100, 1 << 20, 100};
    int64_t total = 0;
    struct zip z;
    enum err e = zip_open(mem, give, file, (int64_t)file->len, &limits, &z);

    must(!e || (e == ERR_INVALID && z.rule && z.count == 0));
    for (size_t i = 0; i < z.count; i++) {
        int64_t got = 0;
        e = zip_extract(&z, &z.entries[i], count, &got);
        must(got <= z.entries[i].size);
        must(e == ERR_INVALID || (!e && got == z.entries[i].size));
        total += z.entries[i].size;
        must(zip_is_name(z.entries[i].name, strlen(z.entries[i].name)));
        must(zip_find(&z, z.entries[i].name) == &z.entries[i]);
    }
    must(total <= limits.bytes);
}

/* The first byte says how many bytes are changed, by pairs of place and
 * value; the rest is what is packed. */
static void look_at_changed(struct arena *mem, const uint8_t *data, size_t size)
{
    struct buf file = buf_in(mem);
    struct zip_writer *w = zip_begin(mem, 0, keep, &file);
    struct zip_written done;
    size_t changes = data[0] % 8, from = 1 + changes * 3;

    if (size < from)
        return;
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"a/b", "c", "d.csv"};
        must(zip_open_entry(w, names[i], i) == OK);
        must(zip_put(w, data + from, size - from) == OK);
        must(zip_close_entry(w, &done) == OK);
    }
    must(zip_end(w) == OK);
    for (size_t i = 0; i < changes; i++) {
        const uint8_t *p = data + 1 + i * 3;
        file.data[((size_t)p[0] << 8 | p[1]) % file.len] ^= (char)p[2];
    }
    look(mem, &file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    struct buf file = buf_in(mem);

    buf_puts(&file, "");
    buf_put(&file, data, size);
    look(mem, &file);
    if (size > 0 && size < 20000)
        look_at_changed(mem, data, size);
    arena_close(mem);
    return 0;
}
