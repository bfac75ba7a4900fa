/* SPDX-License-Identifier: Apache-2.0 */
/* Long passwords are rarely in a list of common ones as a whole; they are
 * glued together from it.  So the text is cut into as few known pieces as
 * possible, left to right. */
#include "base/common_password.h"

#include <ctype.h>
#include <string.h>

enum {
    TEXT_MAX = 512,
    WORD_MIN = 4,
    RUN_MIN = 3,
    WORD_COST = 2, /* of a guesser's effort; a run or one character is 1 */
    COST_MAX = 5,
};

static bool is_listed(const char *text, size_t len)
{
    uint32_t hash = 2166136261U;
    size_t low = 0, high = common_password_count;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (common_password_table[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < common_password_count && common_password_table[low] == hash;
}

/* What people write for letters: p@ssw0rd. */
static char plain_letter(char ch)
{
    static const char from[] = "@4301$5!7", to[] = "aaeolssit";
    const char *at = ch ? strchr(from, ch) : NULL;

    return at ? to[at - from] : ch;
}

/* Places of two keys in a row of the keyboard, or 0: not neighbours. */
static int step_between(char a, char b)
{
    static const char *const rows[] = {"1234567890", "qwertyuiop", "asdfghjkl",
                                       "zxcvbnm"};

    if (b == a || b == a + 1 || b == a - 1)
        return b - a + 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *p = strchr(rows[i], a), *q = strchr(rows[i], b);
        if (p && q && (q - p == 1 || p - q == 1))
            return (int)(q - p) + 12;
    }
    return 0;
}

/* How far one step goes on from here: abcdef, 987654, aaaa, qwertz. */
static size_t run_length(const char *text, size_t len)
{
    int step = len > 1 ? step_between(text[0], text[1]) : 0;
    size_t n = step ? 2 : 1;

    while (step && n < len && step_between(text[n - 1], text[n]) == step)
        n++;
    return n;
}

static bool is_repeated(const char *text, size_t len)
{
    for (size_t unit = 1; unit <= len / 3; unit++)
        if (len % unit == 0 && memcmp(text, text + unit, len - unit) == 0)
            return true;
    return false;
}

static int piece_cost(const char *text, const char *plain, size_t n, size_t run)
{
    if (n == 1 || (n >= RUN_MIN && n <= run))
        return 1;
    if (n >= WORD_MIN && (is_listed(text, n) || is_listed(plain, n)))
        return WORD_COST;
    return COST_MAX + 1;
}

/* cost[i]: the cheapest way to make the first i characters. */
static bool is_cut(const char *text, const char *plain, size_t len)
{
    unsigned char cost[TEXT_MAX + 1];

    memset(cost, COST_MAX + 1, sizeof cost);
    cost[0] = 0;
    for (size_t from = 0; from < len; from++) {
        size_t run = run_length(text + from, len - from);
        if (cost[from] >= COST_MAX)
            continue;
        for (size_t n = 1; from + n <= len; n++) {
            int sum =
                cost[from] + piece_cost(text + from, plain + from, n, run);
            if (sum < cost[from + n])
                cost[from + n] = (unsigned char)sum;
        }
    }
    return cost[len] <= COST_MAX;
}

bool common_password_is(const char *password)
{
    char text[TEXT_MAX], plain[TEXT_MAX];
    size_t len = strlen(password);

    if (len >= TEXT_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)tolower((unsigned char)password[i]);
        plain[i] = plain_letter(text[i]);
    }
    return is_repeated(text, len) || is_cut(text, plain, len);
}
