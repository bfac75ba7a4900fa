/* SPDX-License-Identifier: Apache-2.0 */
/* An archive of a tenant with another manifest, or with bytes of its database
 * changed and its sums made right again: all of it comes in, or nothing. */
#include "core/core_fixture.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/str.h"
#include "base/zip.h"
#include "core/archive/archive.h"
#include "core/archive/archive_intake.h"
#include "core/archive/archive_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 256 };

static struct {
    struct world *w;
    struct app app;
    struct arena *mem;
    struct buf archive;
    size_t count;
    struct {
        const char *name;
        struct buf data;
    } entries[ENTRIES]; /* in the archive's order */
} seed;

static enum err put(void *arg, const void *data, size_t len)
{
    buf_put(arg, data, len);
    return OK;
}

static enum err get(void *arg, int64_t at, void *data, size_t len)
{
    const struct buf *b = arg;

    memcpy(data, b->data + at, len);
    return OK;
}

static void remove_world(void)
{
    (void)world_tear_down((void **)&seed.w);
}

/* The one archive that all others are made of. */
static void export_world(void)
{
    const struct zip_limits limits = {ENTRIES, 64 << 20, 100};
    struct zip zip;
    int64_t bytes;

    must(world_set_up((void **)&seed.w) == 0);
    must(atexit(remove_world) == 0);
    seed.app.store = seed.w->f->store;
    seed.mem = arena_open(0);
    seed.archive = buf_in(seed.mem);
    world_begin(seed.w, 1, TX_READ);
    must(world_end(seed.w, OK) == OK);
    must(archive_export(&seed.w->c, &seed.app, seed.w->f->t, put, &seed.archive,
                        &bytes) == OK);
    must(zip_open(seed.mem, get, &seed.archive, bytes, &limits, &zip) == OK);
    for (size_t i = 0; i < zip.count; i++) {
        seed.entries[i].name = zip.entries[i].name;
        seed.entries[i].data = buf_in(seed.mem);
        must(zip_extract(&zip, &zip.entries[i], put, &seed.entries[i].data) ==
             OK);
    }
    seed.count = zip.count;
}

/* Only what nobody has open is discarded. */
static void reopen_store(void)
{
    struct fixture *f = seed.w->f;

    tenant_close(f->t);
    store_close(f->store);
    must(store_open(&f->config, &f->store) == OK);
    must(tenant_open(f->store, "acme", &f->t) == OK);
    seed.app.store = f->store;
}

/* In the place of `was`, wherever it stands in the manifest. */
static struct buf with_hash(struct arena *mem, const struct buf *manifest,
                            const struct buf *was, const struct buf *is)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char old[65], new[65];
    struct buf out = buf_in(mem);

    crypto_sha256(was->data, was->len, hash);
    str_to_hex(hash, sizeof hash, old);
    crypto_sha256(is->data, is->len, hash);
    str_to_hex(hash, sizeof hash, new);
    buf_put(&out, manifest->data, manifest->len);
    char *at = memmem(out.data, out.len, old, 64);
    if (at)
        memcpy(at, new, 64);
    return out;
}

static struct buf make_archive(struct arena *mem, const uint8_t *data,
                               size_t size)
{
    struct buf out = buf_in(mem), sums = buf_in(mem);
    struct buf database = buf_in(mem), manifest = buf_in(mem);
    struct zip_writer *z = zip_begin(mem, NOW_US, put, &out);
    bool is_manifest = size && data[0] % 2;
    struct zip_written written;

    for (size_t i = 0; i < seed.count; i++) {
        const struct buf *b = &seed.entries[i].data;
        if (strcmp(seed.entries[i].name, ARCHIVE_DATABASE) == 0) {
            buf_put(&database, b->data, b->len);
            /* three bytes a change: where in 64 KiB, and what */
            for (size_t at = 1; !is_manifest && at + 3 <= size; at += 3) {
                size_t where = (size_t)(data[at] << 8 | data[at + 1]) * 7;
                database.data[where % database.len] = (char)data[at + 2];
            }
        }
    }
    for (size_t i = 0; i < seed.count; i++) {
        const char *name = seed.entries[i].name;
        struct buf b = seed.entries[i].data;
        if (strcmp(name, ARCHIVE_DATABASE) == 0)
            b = database;
        if (strcmp(name, ARCHIVE_MANIFEST) == 0 && is_manifest) {
            buf_put(&manifest, data + 1, size - 1);
            b = manifest;
        } else if (strcmp(name, ARCHIVE_MANIFEST) == 0) {
            for (size_t k = 0; k < seed.count; k++)
                if (strcmp(seed.entries[k].name, ARCHIVE_DATABASE) == 0)
                    b = with_hash(mem, &b, &seed.entries[k].data, &database);
        }
        if (strcmp(name, ARCHIVE_SUMS) == 0)
            b = sums;
        must(zip_open_entry(z, name, 0) == OK);
        must(zip_put(z, b.data ? b.data : "", b.len) == OK);
        must(zip_close_entry(z, &written) == OK);
        char hex[65];
        str_to_hex(written.sha256, sizeof written.sha256, hex);
        buf_printf(&sums, "%s  %s\n", hex, name);
    }
    must(zip_end(z) == OK);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive_intake_report report;
    struct arena *mem = arena_open(0);
    struct tenant *t;

    if (!seed.w)
        export_world();
    struct buf archive = make_archive(mem, data, size);
    int file = memfd_create("archive", MFD_CLOEXEC);
    must(file >= 0 &&
         write(file, archive.data, archive.len) == (ssize_t)archive.len);
    static unsigned times; /* an id that was taken stays taken */
    const char *id = arena_printf(mem, "fuzz%u", times++);
    const struct actor actor = {.lang = LANG_EN, .tenant = id};
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = NOW_US};
    enum err e = archive_intake(&c, &seed.app, file, id, NULL, &report);
    must(e == OK || e == ERR_INVALID);
    if (e) {
        must(c.fail != NULL);
    } else {
        reopen_store();
        must(tenant_discard(seed.app.store, id) == OK);
    }
    must(tenant_open(seed.app.store, id, &t) == ERR_NOT_FOUND);
    (void)close(file);
    arena_close(mem);
    return 0;
}
