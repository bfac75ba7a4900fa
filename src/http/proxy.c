/* SPDX-License-Identifier: Apache-2.0 */
/* Who the client is when reverse proxies stand in between.  Each proxy
 * appends the address it saw, so only the right end of the chain is written
 * by machines we trust; everything left of the first stranger is what that
 * stranger claims. */
#include "http/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum err proxy_init(struct proxy_list *list, const char *const *texts)
{
    *list = (struct proxy_list){0};
    size_t count = 0;
    while (texts && texts[count])
        count++;
    if (count == 0)
        return OK;
    list->ranges = calloc(count, sizeof list->ranges[0]);
    must(list->ranges != NULL);
    for (size_t i = 0; i < count; i++) {
        if (!ip_address_parse_range(texts[i], &list->ranges[i])) {
            log_error("trusted_proxy invalid=%s", texts[i]);
            proxy_free(list);
            return ERR_INVALID;
        }
    }
    list->count = count;
    return OK;
}

void proxy_free(struct proxy_list *list)
{
    free(list->ranges);
    *list = (struct proxy_list){0};
}

bool proxy_is_trusted(const struct proxy_list *list, const struct ip_address *a)
{
    for (size_t i = 0; i < list->count; i++)
        if (ip_address_in(a, &list->ranges[i]))
            return true;
    return false;
}

/* The entry that ends before *end, blanks trimmed; *end moves to its comma,
 * or to NULL after the first. */
static bool take_last(const char *chain, const char **end,
                      struct ip_address *out)
{
    char text[IP_ADDRESS_TEXT_BYTES];
    const char *stop = *end, *start = stop;
    while (start > chain && start[-1] != ',')
        start--;
    *end = start > chain ? start - 1 : NULL;
    while (start < stop && (*start == ' ' || *start == '\t'))
        start++;
    while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    size_t len = (size_t)(stop - start);
    if (len >= sizeof text)
        return false;
    memcpy(text, start, len);
    text[len] = '\0';
    return ip_address_parse(text, out);
}

void proxy_find_client(const struct proxy_list *list, const char *chain,
                       struct ip_address *client)
{
    const char *end = chain + strlen(chain);
    while (end && proxy_is_trusted(list, client)) {
        struct ip_address hop;
        if (!take_last(chain, &end, &hop))
            return;
        *client = hop;
    }
}
