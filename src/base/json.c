/* SPDX-License-Identifier: Apache-2.0 */
/* cJSON takes much that is not JSON (duplicate keys, raw tabs, bytes after the
 * end, text cut at a NUL, deep nesting) and keeps numbers as doubles only.  So
 * a scanner of ours goes first and refuses all of that, noting where each
 * value begins; cJSON then builds a tree which can hold no surprise, and which
 * is copied into the arena with the numbers' own digits and deleted at once.
 * Both walk in the order of the text, so the n-th value is the same value. */
#include "base/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#define DEPTH_MAX        32
#define VALUES_MAX       20000
#define TEXT_BYTES       ((size_t)1024 * 1024)
#define OWN_VALUES_MAX   200000
#define OWN_TEXT_BYTES   ((size_t)8 * 1024 * 1024)
#define NUMBER_CHARS_MAX 60 /* cJSON before 1.7.19 stops at 63 */

struct spot {
    size_t at, len;
};

struct scan {
    const char *text;
    size_t len, at;
    int depth;
    struct spot *spots;
    size_t count, cap, max;
    struct arena *mem;
};

static bool scan_value(struct scan *s);

static int peek(const struct scan *s)
{
    return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static bool take(struct scan *s, int ch)
{
    if (peek(s) != ch)
        return false;
    s->at++;
    return true;
}

static void skip_space(struct scan *s)
{
    int ch = peek(s);
    while (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n') {
        s->at++;
        ch = peek(s);
    }
}

static bool scan_hex4(struct scan *s, uint32_t *out)
{
    unsigned char pair[2];
    char digits[5] = {0};
    if (s->len - s->at < 4)
        return false;
    memcpy(digits, s->text + s->at, 4);
    if (!str_from_hex(digits, pair, 2))
        return false;
    s->at += 4;
    *out = (uint32_t)pair[0] << 8 | pair[1];
    return true;
}

static bool scan_escape(struct scan *s)
{
    int ch = peek(s);
    if (ch < 0)
        return false;
    if (ch != 'u') {
        if (ch == 0 || !strchr("\"\\/bfnrt", ch))
            return false;
        s->at++;
        return true;
    }
    s->at++;
    uint32_t unit = 0;
    if (!scan_hex4(s, &unit) || unit == 0)
        return false;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    uint32_t low = 0;
    return unit < 0xDC00 && take(s, '\\') && take(s, 'u') &&
           scan_hex4(s, &low) && low >= 0xDC00 && low <= 0xDFFF;
}

static bool scan_text(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    for (;;) {
        int ch = peek(s);
        if (ch < 0x20) /* also the end */
            return false;
        if (take(s, '"'))
            return true;
        if (take(s, '\\')) {
            if (!scan_escape(s))
                return false;
            continue;
        }
        uint32_t point = 0;
        size_t n = str_decode(s->text + s->at, s->len - s->at, &point);
        if (n == 0)
            return false;
        s->at += n;
    }
}

static bool scan_digits(struct scan *s)
{
    size_t before = s->at;
    for (int ch = peek(s); ch >= '0' && ch <= '9'; ch = peek(s))
        s->at++;
    return s->at > before;
}

static bool scan_number(struct scan *s)
{
    size_t before = s->at;
    (void)take(s, '-');
    if (!take(s, '0') && !scan_digits(s))
        return false;
    if (take(s, '.') && !scan_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        if (!scan_digits(s))
            return false;
    }
    return s->at - before <= NUMBER_CHARS_MAX;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if (s->len - s->at < len || memcmp(s->text + s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static bool scan_member(struct scan *s)
{
    skip_space(s);
    if (!scan_text(s))
        return false;
    skip_space(s);
    return take(s, ':') && scan_value(s);
}

static bool scan_container(struct scan *s, char close)
{
    if (++s->depth > DEPTH_MAX)
        return false;
    s->at++;
    skip_space(s);
    if (!take(s, close)) {
        do {
            if (close == '}' ? !scan_member(s) : !scan_value(s))
                return false;
        } while (take(s, ','));
        if (!take(s, close))
            return false;
    }
    s->depth--;
    return true;
}

/* Reserves the next spot, in the order of the text. */
static bool note_spot(struct scan *s, size_t *index)
{
    if (s->count == s->max)
        return false;
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct spot *spots = arena_array(s->mem, struct spot, cap);
        if (s->count)
            memcpy(spots, s->spots, s->count * sizeof *spots);
        s->spots = spots;
        s->cap = cap;
    }
    *index = s->count++;
    s->spots[*index].at = s->at;
    return true;
}

static bool scan_bare(struct scan *s)
{
    switch (peek(s)) {
    case '{':
        return scan_container(s, '}');
    case '[':
        return scan_container(s, ']');
    case '"':
        return scan_text(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return scan_number(s);
    }
}

static bool scan_value(struct scan *s)
{
    size_t index = 0;
    skip_space(s);
    if (!note_spot(s, &index) || !scan_bare(s))
        return false;
    s->spots[index].len = s->at - s->spots[index].at;
    skip_space(s);
    return true;
}

/* What the copy needs to know: the scan's spots and the next one. */
struct copy {
    const struct scan *scan;
    struct arena *mem;
    size_t next, bad_offset;
};

struct member {
    const char *name;
    size_t at;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Sorted rather than hashed: a stranger chooses the keys. */
static bool has_duplicate(struct member *members, size_t count, size_t *at)
{
    qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 1; i < count; i++)
        if (strcmp(members[i - 1].name, members[i].name) == 0) {
            *at = members[i].at;
            return true;
        }
    return false;
}

static struct json *copy_value(struct copy *c, const cJSON *from);

static bool copy_children(struct copy *c, const cJSON *from, struct json *to)
{
    size_t count = 0, used = 0;
    for (const cJSON *child = from->child; child; child = child->next)
        count++;
    struct member *members = NULL;
    if (to->kind == JSON_OBJECT && count > 1)
        members = arena_array(c->mem, struct member, count);
    struct json **at = &to->child;
    for (const cJSON *child = from->child; child; child = child->next) {
        size_t offset = c->scan->spots[c->next].at;
        struct json *copy = copy_value(c, child);
        if (!copy)
            return false;
        if (members)
            members[used++] = (struct member){copy->name, offset};
        *at = copy;
        at = &copy->next;
    }
    return !members || !has_duplicate(members, count, &c->bad_offset);
}

static struct json *copy_value(struct copy *c, const cJSON *from)
{
    struct json *to = arena_new(c->mem, struct json);
    must(c->next < c->scan->count);
    const struct spot spot = c->scan->spots[c->next++];
    to->name = arena_strdup(c->mem, from->string);
    if (cJSON_IsBool(from)) {
        to->kind = JSON_BOOL;
        to->truth = cJSON_IsTrue(from);
    } else if (cJSON_IsNumber(from)) {
        to->kind = JSON_NUMBER;
        to->text = arena_strndup(c->mem, c->scan->text + spot.at, spot.len);
    } else if (cJSON_IsString(from)) {
        to->kind = JSON_TEXT;
        to->text = arena_strdup(c->mem, from->valuestring);
    } else if (cJSON_IsArray(from) || cJSON_IsObject(from)) {
        to->kind = cJSON_IsArray(from) ? JSON_ARRAY : JSON_OBJECT;
        if (!copy_children(c, from, to))
            return NULL;
    } else {
        to->kind = JSON_NULL;
    }
    return to;
}

static const struct json *parse(struct arena *mem, const char *text, size_t len,
                                size_t max, size_t *offset)
{
    size_t unused = 0;
    if (!offset)
        offset = &unused;
    struct scan s = {.text = text, .len = len, .max = max, .mem = mem};
    *offset = len;
    if (!scan_value(&s) || s.at != len) {
        *offset = s.at;
        return NULL;
    }
    /* The length counts the NUL: cJSON insists on seeing it. */
    const char *whole = arena_strndup(mem, text, len);
    cJSON *tree = cJSON_ParseWithLengthOpts(whole, len + 1, NULL, true);
    if (!tree) {
        log_error("json parsers disagree bytes=%zu", len);
        *offset = 0;
        return NULL;
    }
    struct copy c = {.scan = &s, .mem = mem};
    const struct json *root = copy_value(&c, tree);
    cJSON_Delete(tree);
    *offset = root ? len : c.bad_offset;
    return root;
}

const struct json *json_parse(struct arena *mem, const char *text, size_t len,
                              size_t *offset)
{
    if (offset)
        *offset = len;
    return len > TEXT_BYTES ? NULL : parse(mem, text, len, VALUES_MAX, offset);
}

const struct json *json_parse_own(struct arena *mem, const char *text,
                                  size_t len)
{
    return len > OWN_TEXT_BYTES ? NULL
                                : parse(mem, text, len, OWN_VALUES_MAX, NULL);
}

const struct json *json_get(const struct json *object, const char *name)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json *j = object->child; j; j = j->next)
        if (strcmp(j->name, name) == 0)
            return j;
    return NULL;
}

static bool is_plain(uint32_t ch)
{
    return ch >= 0x20 && ch != '"' && ch != '\\' && ch != '<' && ch != '>' &&
           ch != '&' && ch != 0x7F && ch != 0x2028 && ch != 0x2029;
}

static void put_escaped(struct buf *b, size_t n, uint32_t ch)
{
    if (n == 0)
        buf_puts(b, "\xEF\xBF\xBD");
    else if (ch == '"' || ch == '\\')
        buf_printf(b, "\\%c", (char)ch);
    else if (ch == '\n')
        buf_puts(b, "\\n");
    else
        buf_printf(b, "\\u%04x", (unsigned)ch);
}

/* Characters of one byte that stand as they are, by 32; NUL is none. */
static const uint32_t plain[8] = {0, 0xAFFFFFBB, 0xEFFFFFFF, 0x7FFFFFFF};

static inline bool is_plain_byte(unsigned char byte)
{
    return plain[byte >> 5] >> (byte & 31) & 1;
}

/* Kana and kanji: U+3000 to U+9FFF, whole, none of which needs an escape.  A
 * NUL inside fails the test of the byte it stands for. */
static inline bool is_plain_three(const unsigned char *at)
{
    return at[0] >= 0xE3 && at[0] <= 0xE9 && (at[1] & 0xC0) == 0x80 &&
           (at[2] & 0xC0) == 0x80;
}

/* To the first byte that has to be looked at, or the NUL. */
static const char *skip_plain(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    for (;;) {
        if (is_plain_byte(*at))
            at++;
        else if (is_plain_three(at))
            at += 3;
        else
            return (const char *)at;
    }
}

/* Escapes what JSON must, what HTML would act on, and the two line ends of
 * old JavaScript; broken UTF-8 becomes U+FFFD.  What needs no escape, nearly
 * all, is copied in runs. */
static void put_quoted(struct buf *b, const char *text)
{
    const char *run = text, *at = skip_plain(text);

    buf_putc(b, '"');
    while (*at) {
        uint32_t ch = (unsigned char)*at;
        size_t n = ch < 0x80 ? 1 : str_decode(at, strnlen(at, 4), &ch);
        if (n == 0 || !is_plain(ch)) {
            buf_put(b, run, (size_t)(at - run));
            put_escaped(b, n, ch);
            run = at + (n ? n : 1);
        }
        at = skip_plain(at + (n ? n : 1));
    }
    buf_put(b, run, (size_t)(at - run));
    buf_putc(b, '"');
}

/* Names are nearly all short words of ours, a to z and '_': copied while they
 * are looked at. */
static void put_name(struct buf *b, const char *name)
{
    enum { SHORT = 40 };
    size_t n = 0;

    buf_reserve(b, SHORT + 4);
    char *at = b->data + b->len;
    *at++ = '"';
    for (; n < SHORT && name[n] >= '_' && name[n] <= 'z'; n++)
        *at++ = name[n];
    if (name[n]) {
        put_quoted(b, name);
        buf_putc(b, ':');
        return;
    }
    *at++ = '"';
    *at++ = ':';
    *at = '\0';
    b->len += n + 3;
}

static void begin_value(struct json_out *o, const char *name)
{
    if (o->comma)
        buf_putc(o->b, ',');
    o->comma = true;
    if (name)
        put_name(o->b, name);
}

void json_open(struct json_out *o, const char *name, char bracket)
{
    begin_value(o, name);
    buf_putc(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_putc(o->b, bracket);
    o->comma = true;
}

void json_text(struct json_out *o, const char *name, const char *text)
{
    begin_value(o, name);
    if (text)
        put_quoted(o->b, text);
    else
        buf_puts(o->b, "null");
}

void json_int(struct json_out *o, const char *name, int64_t number)
{
    begin_value(o, name);
    buf_put_int(o->b, number);
}

void json_id(struct json_out *o, const char *name, int64_t id)
{
    begin_value(o, name);
    if (!id) {
        buf_puts(o->b, "null");
        return;
    }
    buf_putc(o->b, '"');
    buf_put_int(o->b, id);
    buf_putc(o->b, '"');
}

/* The fewest digits that read back as the same double. */
void json_double(struct json_out *o, const char *name, double number)
{
    char text[40] = "null";
    for (int digits = 15; isfinite(number) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (fabs(strtod(text, NULL) - number) <= 0)
            break;
    }
    begin_value(o, name);
    buf_puts(o->b, text);
}

void json_bool(struct json_out *o, const char *name, bool truth)
{
    begin_value(o, name);
    buf_puts(o->b, truth ? "true" : "false");
}

void json_null(struct json_out *o, const char *name)
{
    json_text(o, name, NULL);
}

/* Digits and signs of ours, in quotes. */
static void put_bare(struct json_out *o, const char *name, const char *text,
                     size_t len)
{
    begin_value(o, name);
    buf_putc(o->b, '"');
    buf_put(o->b, text, len);
    buf_putc(o->b, '"');
}

void json_day(struct json_out *o, const char *name, int32_t day)
{
    char text[11];
    if (day == DAY_NONE) {
        json_null(o, name);
        return;
    }
    civil_format(day, text);
    put_bare(o, name, text, 10);
}

void json_moment(struct json_out *o, const char *name, int64_t utc_us)
{
    char text[CLOCK_CHARS + 1];
    if (!utc_us) {
        json_null(o, name);
        return;
    }
    clock_print(utc_us, text);
    put_bare(o, name, text, CLOCK_CHARS);
}

void json_raw(struct json_out *o, const char *name, const char *json)
{
    begin_value(o, name);
    buf_puts(o->b, json);
}
