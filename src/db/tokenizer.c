/* SPDX-License-Identifier: Apache-2.0 */
/* Japanese puts no spaces between words, and most of its words have two
 * characters, so the index holds every pair of neighbours: "要件定義" gives
 * 要件 件定 定義 義.  The single last character makes each position the start
 * of one token, so one character is found as a prefix.  A query's last run
 * gives the pairs alone; FTS5 wants them at consecutive positions, which makes
 * any substring of a run findable and nothing else.  Other scripts are cut
 * into words.  Text comes folded by str_fold(). */
#include "db/tokenizer.h"

#include "base/buf.h"
#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { TERMS_MAX = 16, TERM_BYTES_MAX = 200 };
enum letter_kind { LETTER_NONE, LETTER_WORD, LETTER_PAIR };

struct letter_range {
    uint32_t first, last;
};

/* Scripts written without spaces. */
static const struct letter_range pair_ranges[] = {
    {0x0e00, 0x0eff}, /* Thai, Lao */
    {0x1100, 0x11ff}, /* Hangul letters */
    {0x2e80, 0x2fdf}, /* radicals */
    {0x3005, 0x3007}, /* repetition mark, closing mark, zero */
    {0x3021, 0x3029},   {0x3031, 0x3035},
    {0x303b, 0x303c},   {0x3041, 0x3096}, /* hiragana */
    {0x3099, 0x309a},                     /* voicing marks */
    {0x309d, 0x309f},   {0x30a1, 0x30fa}, /* katakana */
    {0x30fc, 0x30ff},                     /* with the long mark */
    {0x3105, 0x318f},   {0x31a0, 0x31bf},
    {0x31f0, 0x31ff},   {0x3400, 0x4dbf}, /* Han */
    {0x4e00, 0x9fff},   {0xa960, 0xa97f},
    {0xac00, 0xd7ff},   /* Hangul syllables */
    {0xf900, 0xfaff},   /* Han, compatibility */
    {0xff66, 0xffdc},   /* half width */
    {0x1aff0, 0x1b16f}, /* kana, supplements */
    {0x20000, 0x3ffff}, /* Han, extensions */
};

/* Marks, arrows, symbols and private use beyond ASCII. */
static const struct letter_range mark_ranges[] = {
    {0x0080, 0x00a9}, {0x00ab, 0x00b4}, {0x00b6, 0x00b9}, {0x00bb, 0x00bf},
    {0x00d7, 0x00d7}, {0x00f7, 0x00f7}, {0x2000, 0x2bff}, {0x2e00, 0x2e7f},
    {0x3000, 0x3004}, {0x3008, 0x3020}, {0x302a, 0x3030}, {0x3036, 0x303a},
    {0x303d, 0x3040}, {0x309b, 0x309c}, {0x30a0, 0x30a0}, {0x30fb, 0x30fb},
    {0x3190, 0x319f}, {0x31c0, 0x31ef}, {0x3200, 0x33ff}, {0x4dc0, 0x4dff},
    {0xe000, 0xf8ff}, {0xfe00, 0xff65}, {0xffe0, 0xffff}, {0x1f000, 0x1ffff},
    {0xe0000, ~0U},
};

static bool is_in(const struct letter_range *ranges, size_t count, uint32_t ch)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ch > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ch >= ranges[low].first;
}

static enum letter_kind kind_of(uint32_t ch)
{
    if (ch < 0x80) {
        bool is_word = (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
                       (ch >= 'A' && ch <= 'Z') || ch == '_';
        return is_word ? LETTER_WORD : LETTER_NONE;
    }
    if (is_in(pair_ranges, COUNT(pair_ranges), ch))
        return LETTER_PAIR;
    if (is_in(mark_ranges, COUNT(mark_ranges), ch))
        return LETTER_NONE;
    return LETTER_WORD;
}

/* Bytes of a character that begins with this one; 0 when none does. */
static int letter_size(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Bytes of the character at text; never beyond len, bad bytes count as marks
 * of one byte. */
static int read_letter(const char *text, int len, enum letter_kind *kind)
{
    const unsigned char *s = (const unsigned char *)text;
    int size = letter_size(s[0]);
    uint32_t ch = size < 2 ? s[0] : s[0] & (0x7fU >> size);

    *kind = LETTER_NONE;
    if (size == 0 || size > len)
        return 1;
    for (int i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        ch = ch << 6 | (s[i] & 0x3fU);
    }
    *kind = kind_of(ch);
    return size;
}

static bool has_letter(const char *text, int len)
{
    enum letter_kind kind = LETTER_NONE;

    for (int at = 0; at < len && kind == LETTER_NONE;)
        at += read_letter(text + at, len - at, &kind);
    return kind != LETTER_NONE;
}

/* ---- FTS5 ---- */

typedef int put_token(void *, int, const char *, int, int, int);

struct output {
    void *arg;
    put_token *put;
    const char *text;
    bool is_query;
};

static int put(const struct output *o, int start, int end)
{
    return o->put(o->arg, 0, o->text + start, end - start, start, end);
}

/* The run of one kind from start on; *end is where it stops. */
static int put_run(const struct output *o, int start, int len,
                   enum letter_kind kind, int *end)
{
    enum letter_kind next;
    int at = start, previous = start, size = 0, rc = SQLITE_OK;

    while (at < len && !rc) {
        size = read_letter(o->text + at, len - at, &next);
        if (next != kind)
            break;
        if (kind == LETTER_PAIR && at > start) {
            rc = put(o, previous, at + size);
            previous = at;
        }
        at += size;
    }
    *end = at;
    if (rc)
        return rc;
    if (kind == LETTER_WORD)
        return put(o, start, at);
    if (o->is_query && previous > start && !has_letter(o->text + at, len - at))
        return rc; /* the document's run may go on */
    return put(o, previous, at);
}

static int tokenize(Fts5Tokenizer *tokenizer, void *arg, int flags,
                    const char *text, int len, put_token *put_one)
{
    struct output o = {arg, put_one, text, flags & FTS5_TOKENIZE_QUERY};
    int at = 0, rc = SQLITE_OK;

    (void)tokenizer;
    while (at < len && !rc) {
        enum letter_kind kind;
        int size = read_letter(text + at, len - at, &kind);
        if (kind == LETTER_NONE)
            at += size;
        else
            rc = put_run(&o, at, len, kind, &at);
    }
    return rc;
}

static int create(void *arg, const char **options, int count,
                  Fts5Tokenizer **out)
{
    (void)options;
    (void)count;
    *out = arg; /* there is nothing to remember */
    return SQLITE_OK;
}

static void forget(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer;
}

int tokenizer_register(struct sqlite3 *sqlite)
{
    fts5_api *api = NULL;
    sqlite3_stmt *s = NULL;
    fts5_tokenizer bigram = {create, forget, tokenize};
    int rc = sqlite3_prepare_v2(sqlite, "SELECT fts5(?1)", -1, &s, NULL);

    if (!rc)
        rc = sqlite3_bind_pointer(s, 1, (void *)&api, "fts5_api_ptr", NULL);
    if (!rc)
        (void)sqlite3_step(s); /* the pointer tells whether it worked */
    sqlite3_finalize(s);
    if (rc || !api)
        return rc ? rc : SQLITE_ERROR;
    return api->xCreateTokenizer(api, "bigram", api, &bigram, NULL);
}

/* ---- what a person typed ---- */

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/* A phrase in quotes: only letters and blanks get in, so that nothing of
 * FTS5's own language does.  Its last token is a prefix, unless it is a pair:
 * that is whole, and finding it takes one look instead of a walk. */
static void put_phrase(struct buf *b, const char *text, int len)
{
    enum letter_kind kind, before = LETTER_NONE;
    bool is_pair = false;

    buf_puts(b, b->len ? " \"" : "\"");
    for (int at = 0, size; at < len; at += size) {
        size = read_letter(text + at, len - at, &kind);
        if (kind == LETTER_NONE)
            buf_putc(b, ' ');
        else
            buf_put(b, text + at, (size_t)size);
        if (kind != LETTER_NONE)
            is_pair = kind == LETTER_PAIR && before == LETTER_PAIR;
        before = kind;
    }
    buf_puts(b, is_pair ? "\"" : "\"*");
}

const char *search_match(struct arena *mem, const char *folded)
{
    struct buf b = buf_in(mem);
    int terms = 0;

    while (*folded && terms < TERMS_MAX) {
        int len = 0;
        while (folded[len] && !is_space(folded[len]) && len < TERM_BYTES_MAX)
            len++;
        if (len && has_letter(folded, len)) {
            put_phrase(&b, folded, len);
            terms++;
        }
        folded += len ? len : 1;
    }
    return b.data;
}
