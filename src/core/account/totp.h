/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_TOTP_H
#define CORE_ACCOUNT_TOTP_H

#include "base/ctx.h"

/* Time-based one-time passwords (RFC 6238) as every authenticator app makes
 * them: HMAC-SHA-1, 6 digits, 30 seconds, a secret of 160 bits. */
enum { TOTP_SECRET_BYTES = 20, TOTP_DIGITS = 6, TOTP_STEP_S = 30 };

/* The number of a step, before it is cut to digits. */
uint32_t totp_number(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step);
/* The step whose code this is: now, one before, or one after, and later than
 * last_step; 0 when it is none.  Blanks are not counted. */
int64_t totp_match(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now_us,
                   int64_t last_step, const char *text);
/* What is typed or scanned: base32, and the otpauth: address of a QR code. */
const char *totp_text(struct arena *mem,
                      const uint8_t secret[TOTP_SECRET_BYTES]);
const char *totp_uri(struct arena *mem, const char *secret_text,
                     const char *account, const char *tenant);

#endif
