/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Passwords: argon2id (p = 1, >= 19 MiB, t >= 2), peppered with an HMAC key
 * kept outside the tenant file.  At most two hashes run at once; up to 64
 * callers wait, at most 2 s, then ERR_BUSY.  Never inside a transaction. */
struct secret_params {
    uint32_t memory_kib, passes;
};

/* Measures this machine and chooses 80-120 ms, never below the floor. */
void secret_calibrate(struct secret_params *out);
/* Whether calibrating can have chosen them. */
bool secret_may_use(const struct secret_params *params);
void secret_set_params(const struct secret_params *params);
/* Gives back the memory of slots idle for a minute: call now and then. */
void secret_drop_idle(void);

/* PHC string "$argon2id$v=19$m=…,t=…,p=1$salt$hash" in the arena. */
MUST_USE enum err secret_hash(struct arena *mem, const uint8_t pepper[32],
                              const char *password, const char **out);
/* phc NULL: hashes against a dummy, so that an unknown user costs the same.
 * *is_old tells that the record is clearly weaker than a new one would be:
 * hash again. */
MUST_USE enum err secret_verify(const uint8_t pepper[32], const char *password,
                                const char *phc, bool *is_right, bool *is_old);

/* Random tokens: 32 bytes as 43 base64url characters; stored as SHA-256. */
#define SECRET_TOKEN_CHARS 43
void secret_make_token(char out[SECRET_TOKEN_CHARS + 1]);
void secret_hash_token(const char *token, uint8_t out[32]);
/* Eight decimal digits, uniform. */
void secret_make_code(char out[9]);

#endif
