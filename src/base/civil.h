/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/* Civil days of the proleptic Gregorian calendar, numbered from 1970-01-01.
 * Years 1 to 9999. */
#define DAY_NONE INT32_MIN
/* What a plan may hold: 1980-01-01 to 2100-12-31. */
#define DAY_FIRST 3652
#define DAY_LAST  47846

int32_t civil_from_ymd(int year, int month, int day); /* parts must be valid */
bool civil_is_valid(int year, int month, int day);
void civil_to_ymd(int32_t day, int *year, int *month, int *out_day);
int civil_weekday(int32_t day);                   /* 0 Sunday ... 6 Saturday */
bool civil_parse(const char *text, int32_t *out); /* exactly "2026-11-22" */
/* Days outside years 1..9999 are written as the nearest inside. */
void civil_format(int32_t day, char out[11]);
/* The last two digits of a number, no NUL. */
void civil_put_two(char *out, unsigned number);

#endif
