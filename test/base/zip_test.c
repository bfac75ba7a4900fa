/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read again, and every other way of writing it is
 * refused by name. */
#include "base/zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct arena *mem;
static struct buf file;
static struct zip z;
static const struct zip_limits limits = {10, 8 << 20, 100};

static enum err keep(void *arg, const void *data, size_t len)
{
    buf_put(arg, data, len);
    return OK;
}

static enum err give(void *arg, int64_t at, void *data, size_t len)
{
    const struct buf *b = arg;

    assert_true(at >= 0 && at + (int64_t)len <= (int64_t)b->len);
    memcpy(data, b->data + at, len);
    return OK;
}

static void add(struct zip_writer *w, const char *name, const char *data,
                size_t len, unsigned flags)
{
    struct zip_written done;
    uint8_t hash[32];

    assert_int_equal(zip_open_entry(w, name, flags), OK);
    for (size_t at = 0; at < len; at += 1000)
        assert_int_equal(
            zip_put(w, data + at, len - at < 1000 ? len - at : 1000), OK);
    assert_int_equal(zip_close_entry(w, &done), OK);
    crypto_sha256(data, len, hash);
    assert_memory_equal(done.sha256, hash, sizeof hash);
    assert_int_equal(done.size, len);
}

static void make(void)
{
    static char large[200000];

    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * i >> 7);
    file = buf_in(mem);
    struct zip_writer *w =
        zip_begin(mem, INT64_C(1795737600000000), keep, &file);
    add(w, "README.txt", "hello", 5, 0);
    add(w, "csv/表.csv", "", 0, 0);
    add(w, "large.bin", large, sizeof large, ZIP_LARGE);
    add(w, "plain.bin", large, 5000, ZIP_PLAIN);
    assert_int_equal(zip_end(w), OK);
}

static enum err look(void)
{
    return zip_open(mem, give, &file, (int64_t)file.len, &limits, &z);
}

static enum err unpack(const char *name, struct buf *out)
{
    *out = buf_in(mem);
    return zip_extract(&z, zip_find(&z, name), keep, out);
}

static void what_is_written_is_read_again(void **state)
{
    struct buf out;

    (void)state;
    make();
    assert_int_equal(look(), OK);
    assert_int_equal(z.count, 4);
    assert_string_equal(z.entries[1].name, "csv/表.csv");
    assert_int_equal(unpack("README.txt", &out), OK);
    assert_string_equal(out.data, "hello");
    assert_int_equal(unpack("csv/表.csv", &out), OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(unpack("large.bin", &out), OK);
    assert_int_equal(out.len, 200000);
    assert_int_equal(unpack("plain.bin", &out), OK);
    assert_true(zip_find(&z, "plain.bin")->packed > 5000);
    assert_null(zip_find(&z, "nothing"));
}

/* Unpacks all; the hash of what came out. */
static enum err read_all(uint8_t out[32])
{
    struct buf all = buf_in(mem);
    enum err e = look();

    for (size_t n = 0; n < z.count && !e; n++)
        e = zip_extract(&z, &z.entries[n], keep, &all);
    if (!e)
        crypto_sha256(all.data, all.len, out);
    return e;
}

/* A few bits mean nothing: those that fill the last byte of a stream. */
static void a_changed_bit_changes_nothing_unseen(void **state)
{
    uint8_t before[32], after[32];
    size_t unseen = 0, tried = 0;

    (void)state;
    make();
    assert_int_equal(read_all(before), OK);
    for (size_t i = 0; i < file.len;
         i += i < 200 || i + 600 > file.len ? 1 : 97)
        for (int bit = 0; bit < 8; bit += 3) {
            file.data[i] ^= (char)(1 << bit);
            enum err e = read_all(after);
            tried++;
            file.data[i] ^= (char)(1 << bit);
            if (e) {
                assert_int_equal(e, ERR_INVALID);
                assert_non_null(z.rule);
            } else {
                unseen++;
                assert_memory_equal(before, after, sizeof before);
            }
        }
    assert_true(unseen * 20 < tried);
}

static void a_cut_file_is_none(void **state)
{
    (void)state;
    make();
    size_t whole = file.len;
    for (file.len = 0; file.len < whole; file.len += file.len < 100 ? 1 : 501)
        assert_int_equal(look(), ERR_INVALID);
    file.len = whole - 1;
    assert_int_equal(look(), ERR_INVALID);
    file.len = whole;
    buf_putc(&file, 0); /* or has something behind it */
    assert_int_equal(look(), ERR_INVALID);
    assert_string_equal(z.rule, "not_zip");
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const bad[] = {
        "",    "/",    "/etc/passwd", "../x", "a/../x", "a/..",
        "..",  ".",    "a/./b",       "a//b", "a/",     "a\\b",
        "C:x", "a\nb", "a\x7f",       "\xff",
    };
    static const char *const good[] = {"a",   "a/b.c", "..a",
                                       "a..", "...",   "添付/見積 (1).xlsx"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(zip_is_name(bad[i], strlen(bad[i])));
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(zip_is_name(good[i], strlen(good[i])));
    assert_false(zip_is_name("a\0b", 3));
}

/* Both in the head and in the directory, so that they agree. */
static void replace(const char *from, const char *to)
{
    size_t len = strlen(from);

    assert_int_equal(len, strlen(to));
    for (char *p = file.data;
         (p = memmem(p, (size_t)(file.data + file.len - p), from, len));
         p += len)
        memcpy(p, to, len);
}

static void bad_entries_are_named(void **state)
{
    static const struct {
        const char *from, *to, *rule;
    } cases[] = {
        {"README.txt", "../etc/pwd", "name"},
        {"README.txt", "/etc/passw", "name"},
        {"README.txt", "a\\b\\c\\d.tt", "name"},
        {"plain.bin", "LARGE.bin", "duplicate"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        make();
        replace(cases[i].from, cases[i].to);
        assert_int_equal(look(), ERR_INVALID);
        assert_string_equal(z.rule, cases[i].rule);
    }
}

/* The field of the n-th row of the directory. */
static char *row(size_t n, size_t at)
{
    char *p = file.data;

    for (size_t i = 0; i <= n; i++) {
        p = memmem(p, (size_t)(file.data + file.len - p), "PK\1\2", 4);
        assert_non_null(p);
        p += 4;
    }
    return p - 4 + at;
}

static void links_and_secrets_are_no_files(void **state)
{
    (void)state;
    make();
    row(0, 38)[3] = (char)0xa1; /* a symbolic link */
    assert_int_equal(look(), ERR_INVALID);
    assert_string_equal(z.rule, "kind");
    make();
    row(0, 8)[0] |= 1; /* encrypted */
    assert_int_equal(look(), ERR_INVALID);
    assert_string_equal(z.rule, "kind");
    make();
    memset(row(1, 42), 0, 4); /* twice the same bytes */
    assert_int_equal(look(), ERR_INVALID);
    assert_string_equal(z.rule, "overlap");
}

static void bombs_are_seen_before_they_go_off(void **state)
{
    static char zeros[4 << 20];
    struct zip_limits tight = limits;

    (void)state;
    file = buf_in(mem);
    struct zip_writer *w = zip_begin(mem, 0, keep, &file);
    add(w, "bomb", zeros, sizeof zeros, 0);
    assert_int_equal(zip_end(w), OK);
    assert_int_equal(look(), ERR_INVALID);
    assert_string_equal(z.rule, "ratio");
    assert_string_equal(z.name, "bomb");
    tight.ratio = 2000;
    tight.bytes = sizeof zeros - 1;
    assert_int_equal(zip_open(mem, give, &file, (int64_t)file.len, &tight, &z),
                     ERR_INVALID);
    assert_string_equal(z.rule, "total");
    make();
    tight = limits;
    tight.entries = 3;
    assert_int_equal(zip_open(mem, give, &file, (int64_t)file.len, &tight, &z),
                     ERR_INVALID);
    assert_string_equal(z.rule, "entries");
}

/* More of them than 16 bits count. */
static void many_entries_need_the_long_form(void **state)
{
    const struct zip_limits wide = {70000, 8 << 20, 100};
    char name[16];

    (void)state;
    file = buf_in(mem);
    struct zip_writer *w = zip_begin(mem, 0, keep, &file);
    for (int i = 0; i < 65540; i++) {
        struct zip_written done;
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zip_open_entry(w, name, 0), OK);
        assert_int_equal(zip_close_entry(w, &done), OK);
    }
    assert_int_equal(zip_end(w), OK);
    assert_int_equal(zip_open(mem, give, &file, (int64_t)file.len, &wide, &z),
                     OK);
    assert_int_equal(z.count, 65540);
    assert_string_equal(z.entries[65539].name, "65539");
}

static int set_up(void **state)
{
    (void)state;
    mem = arena_open((size_t)1 << 30);
    return crypto_init();
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_changed_bit_changes_nothing_unseen),
        cmocka_unit_test(a_cut_file_is_none),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(bad_entries_are_named),
        cmocka_unit_test(links_and_secrets_are_no_files),
        cmocka_unit_test(bombs_are_seen_before_they_go_off),
        cmocka_unit_test(many_entries_need_the_long_form),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
