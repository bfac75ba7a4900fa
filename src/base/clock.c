/* SPDX-License-Identifier: Apache-2.0 */
/* One place reads the clock, so that a test can move it by a week (jobs that
 * are due in eight days, sessions that end) without waiting or root. */
#include "base/clock.h"

#include <string.h>
#include <sys/timex.h>

#include "base/civil.h"
#include "base/err.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    (INT64_C(86400) * US_PER_SECOND)
#define JAPAN_US      (INT64_C(9) * 3600 * US_PER_SECOND)

#if defined(YAGURA_TEST)
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic int64_t offset;

void clock_set_offset_us(int64_t offset_us)
{
    atomic_store(&offset, offset_us);
}

/* A file that a test writes while the server runs. */
static int64_t read_file(const char *path)
{
    char text[24] = "";
    FILE *f = path ? fopen(path, "re") : NULL;

    if (f && !fgets(text, sizeof text, f))
        text[0] = '\0';
    if (f)
        (void)fclose(f);
    return strtoll(text, NULL, 10) * US_PER_SECOND;
}

int64_t clock_test_value(const char *name, int64_t value)
{
    const char *text = getenv(name);

    return text ? strtoll(text, NULL, 10) : value;
}

static int64_t get_offset(void)
{
    const char *ahead = getenv("YAGURA_TEST_CLOCK_S");

    return atomic_load(&offset) + read_file(getenv("YAGURA_TEST_CLOCK_FILE")) +
           (ahead ? strtoll(ahead, NULL, 10) * US_PER_SECOND : 0);
}
#else
int64_t clock_test_value(const char *name, int64_t value)
{
    (void)name;
    return value;
}

void clock_set_offset_us(int64_t offset_us)
{
    (void)offset_us;
}

static int64_t get_offset(void)
{
    return 0;
}
#endif

int64_t clock_now_us(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000 +
           get_offset();
}

int64_t clock_monotonic_ms(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    must(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

/* YAGURA_RELEASED: days since 1970, from the Makefile. */
bool clock_is_possible(void)
{
    return clock_now_us() >= YAGURA_RELEASED * INT64_C(86400000000);
}

int64_t clock_process_cpu_ms(void)
{
    return read_ms(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_thread_cpu_ms(void)
{
    return read_ms(CLOCK_THREAD_CPUTIME_ID) + 1;
}

void clock_init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(cond, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

struct timespec clock_after_ms(int64_t ms)
{
    int64_t at = clock_monotonic_ms() + ms;

    return (struct timespec){.tv_sec = (time_t)(at / 1000),
                             .tv_nsec = (long)(at % 1000) * 1000000};
}

void clock_read_kernel(struct clock_kernel *out)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);

    *out = (struct clock_kernel){0};
    if (state < 0)
        return;
    out->is_known = true;
    out->is_synchronised =
        clock_test_value("YAGURA_TEST_CLOCK_SYNCED",
                         state != TIME_ERROR && !(t.status & STA_UNSYNC)) != 0;
    out->error_us = t.esterror;
    out->max_error_us = t.maxerror;
    out->drift_ppm = (double)t.freq / 65536.0;
}

/* Days since 1970-01-01 in Japan; *rest_us is the time of that day. */
static int64_t split_moment(int64_t utc_us, int64_t *rest_us)
{
    int64_t local =
        utc_us > INT64_MAX - JAPAN_US ? INT64_MAX : utc_us + JAPAN_US;
    int64_t days = local / US_PER_DAY;
    int64_t rest = local % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    *rest_us = rest;
    return days;
}

int32_t clock_today(int64_t utc_us)
{
    int64_t rest = 0;
    return (int32_t)(split_moment(utc_us, &rest) + civil_from_ymd(1970, 1, 1));
}

void clock_print(int64_t utc_us, char out[CLOCK_CHARS + 1])
{
    int64_t rest = 0;
    int64_t days = split_moment(utc_us, &rest);
    unsigned second = (unsigned)(rest / US_PER_SECOND);
    memcpy(out, "0000-00-00T00:00:00+09:00", CLOCK_CHARS + 1);
    civil_format((int32_t)(days + civil_from_ymd(1970, 1, 1)), out);
    out[10] = 'T';
    civil_put_two(out + 11, second / 3600 % 24);
    civil_put_two(out + 14, second / 60 % 60);
    civil_put_two(out + 17, second % 60);
}

const char *clock_format(struct arena *mem, int64_t utc_us)
{
    char text[CLOCK_CHARS + 1];
    clock_print(utc_us, text);
    return arena_strdup(mem, text);
}

const char *clock_say(struct arena *mem, int64_t utc_us, bool ja)
{
    static const char *const days_ja[] = {"日", "月", "火", "水",
                                          "木", "金", "土"};
    static const char *const days_en[] = {"Sun", "Mon", "Tue", "Wed",
                                          "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};
    const char *time = clock_format(mem, utc_us) + 11;
    int32_t today = clock_today(utc_us);
    int weekday = civil_weekday(today), year, month, day;

    civil_to_ymd(today, &year, &month, &day);
    if (ja)
        return arena_printf(mem, "%04d/%02d/%02d (%s) %.5s", year, month, day,
                            days_ja[weekday], time);
    return arena_printf(mem, "%s %d %s %04d %.5s", days_en[weekday], day,
                        months[month - 1], year, time);
}

/* Two digits below limit, or -1. */
static int read_two(const char *text, int limit)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    int number = (text[0] - '0') * 10 + text[1] - '0';
    return number < limit ? number : -1;
}

bool clock_parse(const char *text, int64_t *out)
{
    char day_text[11] = "";
    int32_t day;
    size_t len = strlen(text);

    if (len >= 6 && strcmp(text + len - 6, "+09:00") == 0)
        len -= 6;
    if ((len != 16 && len != 19) || text[10] != 'T' || text[13] != ':' ||
        (len == 19 && text[16] != ':'))
        return false;
    memcpy(day_text, text, 10);
    int hour = read_two(text + 11, 24), minute = read_two(text + 14, 60);
    int second = len == 19 ? read_two(text + 17, 60) : 0;
    if (hour < 0 || minute < 0 || second < 0 || !civil_parse(day_text, &day))
        return false;
    int64_t seconds = (int64_t)(day - civil_from_ymd(1970, 1, 1)) * 86400 +
                      hour * 3600 + minute * 60 + second;
    *out = seconds * US_PER_SECOND - JAPAN_US;
    return true;
}
