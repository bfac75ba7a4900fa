/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/totp.h"

#include "base/buf.h"
#include "base/crypto.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { DIGIT_BASE = 1000000 };

uint32_t totp_number(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step)
{
    uint8_t counter[8], mac[20];

    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    crypto_hmac_sha1(secret, TOTP_SECRET_BYTES, counter, sizeof counter, mac);
    const uint8_t *at = mac + (mac[19] & 0x0f);
    return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

/* The six digits of it, or false. */
static bool read_digits(const char *text, char out[TOTP_DIGITS + 1])
{
    int n = 0;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (!isdigit((unsigned char)*text) || n == TOTP_DIGITS)
            return false;
        out[n++] = *text;
    }
    out[n] = 0;
    return n == TOTP_DIGITS;
}

int64_t totp_match(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now_us,
                   int64_t last_step, const char *text)
{
    int64_t now = now_us / 1000000 / TOTP_STEP_S, found = 0;
    char given[TOTP_DIGITS + 1], right[16];

    if (!read_digits(text, given))
        return 0;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        (void)snprintf(right, sizeof right, "%06u",
                       (unsigned)(totp_number(secret, step) % DIGIT_BASE));
        if (crypto_equal(given, right, TOTP_DIGITS) && step > last_step)
            found = step;
    }
    return found;
}

const char *totp_text(struct arena *mem,
                      const uint8_t secret[TOTP_SECRET_BYTES])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    struct buf b = buf_in(mem);

    for (int bit = 0; bit < TOTP_SECRET_BYTES * 8; bit += 5) {
        unsigned two = (unsigned)secret[bit / 8] << 8;
        if (bit / 8 + 1 < TOTP_SECRET_BYTES)
            two |= secret[bit / 8 + 1];
        buf_putc(&b, letters[two >> (11 - bit % 8) & 31]);
    }
    return b.data;
}

static void put_escaped(struct buf *b, const char *text)
{
    for (; *text; text++) {
        unsigned char ch = (unsigned char)*text;
        if (ch < 0x80 && (isalnum(ch) || strchr("-._~@", ch)))
            buf_putc(b, *text);
        else
            buf_printf(b, "%%%02X", (unsigned)ch);
    }
}

const char *totp_uri(struct arena *mem, const char *secret_text,
                     const char *account, const char *tenant)
{
    struct buf b = buf_in(mem);

    buf_puts(&b, "otpauth://totp/Yagura%20");
    put_escaped(&b, tenant);
    buf_putc(&b, ':');
    put_escaped(&b, account);
    buf_printf(&b, "?secret=%s&issuer=Yagura%%20", secret_text);
    put_escaped(&b, tenant);
    return b.data;
}
