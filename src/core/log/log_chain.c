/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: hash(n) = SHA-256(hash(n - 1) || row n).  A number and the length
 * before each text are written as LEB128: nothing else reads alike, and most
 * rows of the access log fit two blocks. */
#include "core/log/log_chain.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

static const struct log_shape shapes[] = {
    [LOG_OPERATION] = {"operation",
                       "hash",
                       12,
                       {{"seq", LOG_INT},
                        {"at", LOG_MOMENT},
                        {"user_id", LOG_INT},
                        {"user_name", LOG_TEXT},
                        {"ip", LOG_TEXT},
                        {"request_id", LOG_TEXT},
                        {"action", LOG_TEXT},
                        {"kind", LOG_TEXT},
                        {"object_id", LOG_INT},
                        {"object_name", LOG_TEXT},
                        {"before", LOG_JSON},
                        {"after", LOG_JSON}}},
    [LOG_ACCESS] = {"access",
                    "hash",
                    9,
                    {{"seq", LOG_INT},
                     {"at", LOG_MOMENT},
                     {"ip", LOG_TEXT},
                     {"user_id", LOG_INT},
                     {"method", LOG_TEXT},
                     {"route", LOG_TEXT},
                     {"status", LOG_INT},
                     {"request_id", LOG_TEXT},
                     {"agent", LOG_TEXT}}},
    [LOG_PROOF] = {"proof",
                   "signature",
                   10,
                   {{"proof", LOG_TEXT},
                    {"log", LOG_TEXT},
                    {"tenant", LOG_TEXT},
                    {"before_seq", LOG_INT},
                    {"before_hash", LOG_TEXT},
                    {"last_seq", LOG_INT},
                    {"last_hash", LOG_TEXT},
                    {"count", LOG_INT},
                    {"signed_at", LOG_MOMENT},
                    {"public_key", LOG_TEXT}}},
};

const struct log_shape *log_shape(enum log_kind kind)
{
    return &shapes[kind];
}

/* A row is some twenty small pieces: gathered, and hashed at once where it is
 * no longer than most are. */
struct gather {
    struct crypto_hash hash;
    bool is_begun;
    size_t len;
    uint8_t bytes[512];
};

static void add(struct gather *g, const void *data, size_t len)
{
    if (len > sizeof g->bytes - g->len) {
        if (!g->is_begun)
            crypto_hash_begin(&g->hash);
        g->is_begun = true;
        crypto_hash_add(&g->hash, g->bytes, g->len);
        g->len = 0;
    }
    if (len > sizeof g->bytes) {
        crypto_hash_add(&g->hash, data, len);
        return;
    }
    memcpy(g->bytes + g->len, data, len);
    g->len += len;
}

/* Seven bits a byte, the low ones first; the top bit says that more follow. */
static void add_number(struct gather *g, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    for (; value > 127; value >>= 7)
        bytes[n++] = (uint8_t)(value | 128);
    bytes[n++] = (uint8_t)value;
    add(g, bytes, n);
}

/* 0 for NULL, which is not the empty text. */
static void add_text(struct gather *g, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    add_number(g, text ? len + 1 : 0);
    if (text)
        add(g, text, len);
}

void log_chain(enum log_kind kind, const uint8_t before[CRYPTO_HASH_BYTES],
               const struct log_row *row, uint8_t out[CRYPTO_HASH_BYTES])
{
    const struct log_shape *s = &shapes[kind];
    struct gather g;

    g.is_begun = false;
    g.len = 0;
    add(&g, before, CRYPTO_HASH_BYTES);
    for (size_t i = 0; i < s->count; i++)
        if (s->columns[i].cell <= LOG_MOMENT)
            add_number(&g, (uint64_t)row->numbers[i]);
        else
            add_text(&g, row->texts[i]);
    if (g.is_begun) {
        crypto_hash_add(&g.hash, g.bytes, g.len);
        crypto_hash_end(&g.hash, out);
    } else {
        crypto_sha256(g.bytes, g.len, out);
    }
}

bool log_follows(enum log_kind kind, struct log_mark *mark,
                 const struct log_row *row)
{
    uint8_t expected[CRYPTO_HASH_BYTES];
    int64_t last = mark->seq;

    log_chain(kind, mark->hash, row, expected);
    mark->seq = row->numbers[0];
    memcpy(mark->hash, row->hash, sizeof mark->hash);
    return mark->seq == last + 1 &&
           crypto_equal(expected, row->hash, sizeof expected);
}

void log_peek_row(struct ctx *c, enum log_kind kind, struct query *q,
                  struct log_row *out)
{
    const struct log_shape *s = &shapes[kind];
    size_t len;
    const void *hash = col_blob(c, q, (int)s->count, &len);

    *out = (struct log_row){.numbers = {0}};
    for (size_t i = 0; i < s->count; i++)
        if (s->columns[i].cell <= LOG_MOMENT)
            out->numbers[i] = col_int(q, (int)i);
        else
            out->texts[i] = col_peek(q, (int)i);
    if (hash && len == sizeof out->hash)
        memcpy(out->hash, hash, sizeof out->hash);
}

/* Nearly all 32 bytes are a private key of P-256; the next label is for those
 * that are not. */
void log_derive_sign_key(log_derive_fn *derive, const void *from,
                         uint8_t out[CRYPTO_KEY_BYTES])
{
    uint8_t public_key[65];
    char label[32];
    int n = 0;

    do {
        (void)snprintf(label, sizeof label, "sign:%d", n++);
        derive(from, label, out);
    } while (!crypto_public_key(out, public_key));
}

static void derive_from_tenant(const void *from, const char *label,
                               uint8_t out[32])
{
    tenant_derive_log_key(from, label, out);
}

void log_sign_key(const struct tenant *t, uint8_t out[CRYPTO_KEY_BYTES])
{
    log_derive_sign_key(derive_from_tenant, t, out);
}

static const char *mark_text(struct arena *mem, enum log_kind kind,
                             const char *what, const struct log_mark *mark)
{
    char hex[2 * CRYPTO_HASH_BYTES + 1];

    str_to_hex(mark->hash, sizeof mark->hash, hex);
    return arena_printf(mem, "yagura %s log %s %lld %s", shapes[kind].name,
                        what, (long long)mark->seq, hex);
}

void log_sign_mark(struct arena *mem, enum log_kind kind, const char *what,
                   const struct log_mark *mark,
                   const uint8_t key[CRYPTO_KEY_BYTES], uint8_t out[64])
{
    const char *text = mark_text(mem, kind, what, mark);

    crypto_sign(key, text, strlen(text), out);
}

bool log_mark_is_signed(struct arena *mem, enum log_kind kind, const char *what,
                        const struct log_mark *mark,
                        const uint8_t key[CRYPTO_KEY_BYTES],
                        const uint8_t signature[64])
{
    const char *text = mark_text(mem, kind, what, mark);
    uint8_t public_key[65];

    return crypto_public_key(key, public_key) &&
           crypto_verify(public_key, text, strlen(text), signature);
}
