/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_GUESSABLE_H
#define BASE_GUESSABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a password is nothing but what guessers try first: at most two
 * common passwords with a run of the keyboard or the alphabet, or a character
 * or so, between or after them; or one short piece repeated. */
bool guessable_is(const char *password);

/* Sorted 32-bit FNV-1a hashes of the common passwords (lower case, at least
 * four characters), made at build by scripts/guessable.mjs: a list that can
 * be asked but not read. */
extern const uint32_t guessable_table[];
extern const size_t guessable_count;

#endif
