/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a picture, part by part. */
#include "base/image_metadata.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#define BYTES(text) text, sizeof(text) - 1

struct made {
    struct arena *mem;
    struct buf in, out;
    struct image_metadata p;
};

static int set_up(void **state)
{
    static struct made m;

    m = (struct made){.mem = arena_open(0)};
    m.in = buf_in(m.mem);
    m.out = buf_in(m.mem);
    *state = &m;
    return 0;
}

static int tear_down(void **state)
{
    arena_close(((struct made *)*state)->mem);
    return 0;
}

static bool strip(struct made *m, enum image_metadata_kind kind)
{
    m->out.len = 0;
    return image_metadata_strip(kind, m->in.data, m->in.len, &m->out, &m->p);
}

static bool has(const struct buf *b, const char *text)
{
    return b->len && memmem(b->data, b->len, text, strlen(text));
}

/* ---- JPEG ---- */

static void segment(struct made *m, uint8_t marker, const char *data,
                    size_t len)
{
    char head[] = {(char)0xff, (char)marker, (char)((len + 2) >> 8),
                   (char)(len + 2)};

    buf_put(&m->in, head, 4);
    buf_put(&m->in, data, len);
}

static const char frame[] = {8, 0, 48, 0, 64, 1, 1, 0x11, 0};

static void begin_jpeg(struct made *m)
{
    m->in.len = 0;
    buf_put(&m->in, BYTES("\xff\xd8"));
}

static void end_jpeg(struct made *m)
{
    segment(m, 0xc0, frame, sizeof frame);
    segment(m, 0xda, BYTES("\x01\x01\0\0\x3f\0"));
    buf_put(&m->in, BYTES("LINE\xff\0\xff\xd3LINE\xff\xd9"));
}

static void a_photo_tells_no_longer_where_it_was_taken(void **state)
{
    static const char exif[] =
        "Exif\0\0II*\0\x08\0\0\0\x02\0"
        "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"         /* lies on its side */
        "\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0" /* place */
        "GPS-35.6812N";
    struct made *m = *state;

    begin_jpeg(m);
    segment(m, 0xe0, BYTES("JFIF\0\1\1\0\0\1\0\1\0\0"));
    segment(m, 0xe1, BYTES(exif));
    segment(m, 0xe1, BYTES("http://ns.adobe.com/xap/1.0/\0XMP-secret"));
    segment(m, 0xed, BYTES("Photoshop 3.0\0IPTC-secret"));
    segment(m, 0xfe, BYTES("COMMENT-secret"));
    segment(m, 0xe2, BYTES("ICC_PROFILE\0\1\1colours"));
    segment(m, 0xe2, BYTES("MPF\0secret"));
    segment(m, 0xee, BYTES("Adobe\0d"));
    end_jpeg(m);
    buf_put(&m->in, BYTES("\xff\xd8 a film behind the end, secret"));
    assert_true(strip(m, IMAGE_JPEG));
    assert_int_equal(m->p.width, 64);
    assert_int_equal(m->p.height, 48);
    assert_false(has(&m->out, "GPS"));
    assert_false(has(&m->out, "secret"));
    assert_true(has(&m->out, "JFIF"));
    assert_true(has(&m->out, "colours"));
    assert_true(has(&m->out, "Adobe"));
    assert_non_null(memmem(m->out.data, m->out.len,
                           BYTES("Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1"
                                 "\0\6\0\0\0\0\0\0")));
    assert_memory_equal(m->out.data + m->out.len - 14,
                        "LINE\xff\0\xff\xd3LINE\xff\xd9", 14);
}

static void what_tells_nothing_stays_as_it_is(void **state)
{
    struct made *m = *state;

    begin_jpeg(m);
    end_jpeg(m);
    assert_true(strip(m, IMAGE_JPEG));
    assert_int_equal(m->out.len, 0);
    m->in.len -= 2; /* no end: as much as there is */
    assert_true(strip(m, IMAGE_JPEG));
    assert_int_equal(m->out.len, 0);
}

static void a_broken_jpeg_is_refused(void **state)
{
    struct made *m = *state;

    begin_jpeg(m);
    assert_false(strip(m, IMAGE_JPEG)); /* no size */
    buf_put(&m->in, BYTES("\xff\xe1\0\1"));
    assert_false(strip(m, IMAGE_JPEG));
    begin_jpeg(m);
    buf_put(&m->in, BYTES("\xff\xe1\xff\xff short"));
    assert_false(strip(m, IMAGE_JPEG));
    begin_jpeg(m);
    buf_put(&m->in, BYTES("nonsense"));
    assert_false(strip(m, IMAGE_JPEG));
    begin_jpeg(m); /* a mark of coded lines where there are none */
    segment(m, 0xda, BYTES("\x01\x01\0\0\x3f\0"));
    segment(m, 0xfe, BYTES("comment"));
    segment(m, 0x00, BYTES("hides"));
    end_jpeg(m);
    assert_false(strip(m, IMAGE_JPEG));
    /* tags that lead outside are no tags */
    begin_jpeg(m);
    segment(m, 0xe1, BYTES("Exif\0\0II*\0\xff\xff\xff\xff"));
    segment(m, 0xe1, BYTES("Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12"));
    segment(m, 0xe1, BYTES("Exif\0\0"));
    end_jpeg(m);
    assert_true(strip(m, IMAGE_JPEG));
    assert_false(has(&m->out, "Exif"));
}

/* ---- PNG ---- */

static void part(struct made *m, const char *type, const char *data, size_t len)
{
    char size[] = {0, 0, (char)(len >> 8), (char)len};

    buf_put(&m->in, size, 4);
    buf_put(&m->in, type, 4);
    buf_put(&m->in, data, len);
    buf_put(&m->in, "CRC!", 4);
}

static void a_png_keeps_only_what_draws(void **state)
{
    struct made *m = *state;

    buf_put(&m->in, BYTES("\x89PNG\r\n\x1a\n"));
    part(m, "IHDR", BYTES("\0\0\1\0\0\0\0\x80\x08\6\0\0\0"));
    part(m, "pHYs", BYTES("123456789"));
    part(m, "tEXt", BYTES("Author\0secret"));
    part(m, "iTXt", BYTES("XML:com.adobe.xmp\0secret"));
    part(m, "eXIf", BYTES("MM\0*secret"));
    part(m, "tIME", BYTES("secret!"));
    part(m, "prVt", BYTES("secret"));
    part(m, "IDAT", BYTES("pixels"));
    part(m, "IEND", "", 0);
    size_t end = m->in.len;
    buf_put(&m->in, BYTES("secret behind"));
    assert_true(strip(m, IMAGE_PNG));
    assert_int_equal(m->p.width, 256);
    assert_int_equal(m->p.height, 128);
    assert_false(has(&m->out, "secret"));
    assert_true(has(&m->out, "pixels"));
    assert_true(has(&m->out, "pHYs"));
    m->in.len = end - 1; /* cut within IEND */
    assert_false(strip(m, IMAGE_PNG));
    m->in.len = 8;
    part(m, "IDAT", BYTES("no head"));
    part(m, "IEND", "", 0);
    assert_false(strip(m, IMAGE_PNG));
}

/* ---- WebP ---- */

static void chunk(struct made *m, const char *type, const char *data,
                  size_t len)
{
    char size[] = {(char)len, (char)(len >> 8), 0, 0};

    buf_put(&m->in, type, 4);
    buf_put(&m->in, size, 4);
    buf_put(&m->in, data, len);
    buf_put(&m->in, "", len & 1);
}

static void a_webp_says_its_new_length(void **state)
{
    struct made *m = *state;

    buf_put(&m->in, BYTES("RIFF____WEBP"));
    chunk(m, "VP8X", BYTES("\x2c\0\0\0\x7f\0\0\x3f\0\0"));
    chunk(m, "ICCP", BYTES("colours"));
    chunk(m, "VP8L", BYTES("\x2f pixels"));
    chunk(m, "EXIF", BYTES("secret"));
    chunk(m, "XMP ", BYTES("secret."));
    m->in.data[4] = (char)(m->in.len - 8);
    memset(m->in.data + 5, 0, 3);
    assert_true(strip(m, IMAGE_WEBP));
    assert_int_equal(m->p.width, 128);
    assert_int_equal(m->p.height, 64);
    assert_false(has(&m->out, "secret"));
    assert_true(has(&m->out, "colours"));
    assert_int_equal(m->out.data[4], m->out.len - 8);
    assert_int_equal(m->out.data[20], 0x20); /* neither EXIF nor XMP */
    m->in.data[4] = (char)0xff;              /* longer than the file */
    assert_false(strip(m, IMAGE_WEBP));
}

static void a_gif_is_measured_and_kept(void **state)
{
    struct made *m = *state;

    buf_put(&m->in, BYTES("GIF89a\x10\0\x20\0\0\0\0;"));
    assert_true(strip(m, IMAGE_GIF));
    assert_int_equal(m->p.width, 16);
    assert_int_equal(m->p.height, 32);
    assert_int_equal(m->out.len, 0);
    m->in.len = 8;
    assert_false(strip(m, IMAGE_GIF));
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RULE(a_photo_tells_no_longer_where_it_was_taken),
        RULE(what_tells_nothing_stays_as_it_is),
        RULE(a_broken_jpeg_is_refused),
        RULE(a_png_keeps_only_what_draws),
        RULE(a_webp_says_its_new_length),
        RULE(a_gif_is_measured_and_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
