/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a request beside its head and body: query, cookies, Range,
 * and the chain of X-Forwarded-For. */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "http/proxy.h"
#include "http/range.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/server_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each name that is told is either found with one value or given twice. */
static void check_query(struct arena *mem, const char *query)
{
    char *text = arena_printf(
        mem, "GET /?%s HTTP/1.1\r\nHost: example.jp\r\n\r\n", query);
    struct request r = {.mem = mem, .query = query};
    struct request_head head;
    const char *name;

    if (request_head_check(text, strlen(text), &head))
        return; /* such a query never gets there */
    for (size_t i = 0; i < 100 && (name = request_param_name(&r, i)); i++) {
        const char *value = request_param(&r, name);
        must(!value || strlen(value) <= strlen(query));
        must(strlen(name) <= strlen(query));
    }
    must(!request_param(&r, "no such name"));
}

static void check_cookie(struct arena *mem, const char *line)
{
    const char *value = cookie_find(mem, line, "__Host-s");

    if (value)
        must(strlen(value) < strlen(line) && !strchr(value, ';') &&
             strstr(line, "__Host-s="));
    must(!cookie_find(mem, arena_printf(mem, "a=1; a=2; %s", line), "a"));
}

static void check_range(const char *text)
{
    static const int64_t sizes[] = {0, 1, 10, 1 << 20, INT64_MAX / 4};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        int64_t from = -1, bytes = -1;
        if (range_read(text, sizes[i], &from, &bytes) == RANGE_PART)
            must(from >= 0 && bytes > 0 && from < sizes[i] &&
                 bytes <= sizes[i] - from);
    }
}

/* From a stranger nothing is believed; from a proxy, what comes out is an
 * address that can be written and read. */
static void check_chain(const char *chain)
{
    static const char *const trusted[] = {"10.0.0.0/8", "fd00::/8", NULL};
    struct proxy_list list = {0}, nobody = {0};
    struct ip_address peer, client, again;
    char text[IP_ADDRESS_TEXT_BYTES];

    must(proxy_init(&list, trusted) == OK);
    must(ip_address_parse("203.0.113.9", &peer));
    client = peer;
    if (proxy_is_trusted(&nobody, &client))
        must(false);
    must(ip_address_parse("10.1.2.3", &client));
    proxy_find_client(&list, chain, &client);
    ip_address_format(&client, text);
    must(ip_address_parse(text, &again) &&
         memcmp(&again, &client, sizeof again) == 0);
    proxy_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const char *text = arena_strndup(mem, (const char *)data, size);

    check_query(mem, text);
    check_cookie(mem, text);
    check_range(text);
    check_chain(text);
    arena_close(mem);
    return 0;
}
