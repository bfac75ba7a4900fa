/* SPDX-License-Identifier: Apache-2.0 */
#include "http/language.h"

#include <string.h>
#include <strings.h>

enum { WHOLE = 1000 }; /* weights have three decimals */

/* The weight of one range, "en-GB;q=0.8": 1 unless said. */
static int read_weight(const char *text, size_t len)
{
    const char *q = memmem(text, len, "q=", 2);
    const char *end = text + len;
    int weight = 0, unit = WHOLE;

    if (!q)
        return WHOLE;
    for (q += 2; q < end && unit > 0; q++) {
        if (*q == '.')
            continue;
        if (*q < '0' || *q > '9')
            break;
        weight += (*q - '0') * unit;
        unit /= 10;
    }
    return weight < WHOLE ? weight : WHOLE;
}

static int find_known(const char *text, size_t len, const char *const *known,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(known[i]) == len && strncasecmp(known[i], text, len) == 0)
            return (int)i;
    return -1;
}

int language_choose(const char *header, const char *const *known, size_t count)
{
    int best = -1, best_weight = 0;

    for (const char *p = header ? header : ""; *p;) {
        p += strspn(p, ", \t");
        size_t len = strcspn(p, ",");
        int one = find_known(p, strcspn(p, ",;- \t"), known, count);
        int weight = read_weight(p, len);
        if (one >= 0 && weight > best_weight) {
            best = one;
            best_weight = weight;
        }
        p += len;
    }
    return best;
}
