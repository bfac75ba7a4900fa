/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_COMMON_PASSWORD_H
#define BASE_COMMON_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a password is nothing but what guessers try first: at most two
 * common passwords with a run of the keyboard or the alphabet, or a character
 * or so, between or after them; or one short piece repeated. */
bool common_password_is(const char *password);

/* Sorted 32-bit FNV-1a hashes of the common passwords (lower case, at least
 * four characters), made at build by scripts/common_password.mjs: a list that can
 * be asked but not read. */
extern const uint32_t common_password_table[];
extern const size_t common_password_count;

#endif
