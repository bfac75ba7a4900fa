/* SPDX-License-Identifier: Apache-2.0 */
/* The year is taken to begin in March, so that the leap day is its last and
 * the lengths of the months before it follow one linear formula
 * (H. Hinnant, "chrono-compatible low-level date algorithms"). */
#include "base/civil.h"

#include <string.h>

#define DAYS_TO_1970 719468    /* from 0000-03-01 */
#define DAYS_PER_ERA 146097    /* 400 years */
#define FIRST_DAY    (-719162) /* 0001-01-01 */
#define LAST_DAY     2932896   /* 9999-12-31 */

bool civil_is_valid(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && is_leap);
}

int32_t civil_from_ymd(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year =
        (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

void civil_to_ymd(int32_t day, int *year, int *month, int *out_day)
{
    int64_t from_zero = (int64_t)day + DAYS_TO_1970;
    int64_t era = (from_zero >= 0 ? from_zero : from_zero - DAYS_PER_ERA + 1) /
                  DAYS_PER_ERA;
    int day_of_era = (int)(from_zero - era * DAYS_PER_ERA);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                       day_of_era / 146096) /
                      365;
    int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (5 * day_of_year + 2) / 153;
    *out_day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int)(year_of_era + era * 400) + (*month <= 2);
}

int civil_weekday(int32_t day)
{
    int weekday = (int)(((int64_t)day + 4) % 7);
    return weekday < 0 ? weekday + 7 : weekday;
}

static bool read_digits(const char *text, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

bool civil_parse(const char *text, int32_t *out)
{
    int year = 0, month = 0, day = 0;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return false;
    if (!read_digits(text, 4, &year) || !read_digits(text + 5, 2, &month) ||
        !read_digits(text + 8, 2, &day) || !civil_is_valid(year, month, day))
        return false;
    *out = civil_from_ymd(year, month, day);
    return true;
}

void civil_put_two(char *out, unsigned number)
{
    out[0] = (char)('0' + number / 10 % 10);
    out[1] = (char)('0' + number % 10);
}

void civil_format(int32_t day, char out[11])
{
    int year = 0, month = 0, day_of_month = 0;
    day = day < FIRST_DAY ? FIRST_DAY : day > LAST_DAY ? LAST_DAY : day;
    civil_to_ymd(day, &year, &month, &day_of_month);
    /* digits by hand: a list writes hundreds of days, printf is slow */
    civil_put_two(out, (unsigned)year / 100);
    civil_put_two(out + 2, (unsigned)year);
    out[4] = out[7] = '-';
    civil_put_two(out + 5, (unsigned)month);
    civil_put_two(out + 8, (unsigned)day_of_month);
    out[10] = '\0';
}
