/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The only module that reads a clock.  Wall time is UTC microseconds; the
 * reader sees Japan Standard Time (UTC+9, no summer time) everywhere. */
int64_t clock_now_us(void);          /* wall, plus the test offset */
int64_t clock_monotonic_ms(void);    /* for time-outs */
int64_t clock_boot_ms(void);         /* goes on while the machine sleeps */
int64_t clock_process_cpu_ms(void);  /* used since the start */
int64_t clock_thread_cpu_ms(void);   /* used by the calling thread */
int32_t clock_today(int64_t utc_us); /* civil day number in Japan */

/* False before the day this release was made: such a clock is wrong. */
bool clock_is_possible(void);

/* A condition whose time-outs follow the monotonic clock, and such a moment:
 * nobody waits a day longer because the wall clock was set back. */
void clock_init_cond(pthread_cond_t *cond);
struct timespec clock_after_ms(int64_t ms);

/* What the kernel says of its own clock. */
struct clock_kernel {
    bool is_known, is_synchronised;
    int64_t error_us, max_error_us; /* estimated, at most */
    double drift_ppm;               /* what it corrects the oscillator by */
};
void clock_read_kernel(struct clock_kernel *out);

/* "2026-11-22T09:30:00+09:00" */
#define CLOCK_CHARS 25
const char *clock_format(struct arena *mem, int64_t utc_us);
/* As people read it, in Japan, to the minute: "2026/11/28 (土) 13:25" or "Sat
 * 28 Nov 2026 13:25". */
const char *clock_say(struct arena *mem, int64_t utc_us, bool ja);
/* clock_format() without an arena: for the log, which must work without memory. */
void clock_print(int64_t utc_us, char out[CLOCK_CHARS + 1]);
/* "2026-11-22T09:30" in Japan, with or without seconds and "+09:00"; the
 * years of civil_parse().  False, with *out untouched, for anything else. */
bool clock_parse(const char *text, int64_t *out);

/* Test builds only: moves the wall clock, as does YAGURA_TEST_CLOCK_S in the
 * environment (seconds) and the file named by YAGURA_TEST_CLOCK_FILE, which
 * may change at any time.  The release has none of them. */
void clock_set_offset_us(int64_t offset_us);
/* Test builds only: a number of the environment instead of value. */
int64_t clock_test_value(const char *name, int64_t value);

#endif
