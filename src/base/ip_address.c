/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and ranges of them: for trusted proxies, limits and
 * allow-lists.  Everything is 16 bytes, IPv4 mapped, so that comparing is one
 * loop and no list can be passed by writing an address the other way. */
#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void put_v4(const void *four, struct ip_address *out)
{
    memcpy(out->bytes, mapped, sizeof mapped);
    memcpy(out->bytes + sizeof mapped, four, 4);
}

bool ip_address_parse(const char *text, struct ip_address *out)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        put_v4(&four, out);
        return true;
    }
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

bool ip_address_is_v4(const struct ip_address *a)
{
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool ip_address_is_loopback(const struct ip_address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return ip_address_is_v4(a) ? a->bytes[12] == 127
                               : memcmp(a->bytes, one, sizeof one) == 0;
}

/* Digits only, no sign, no leading zero, 0..limit; -1 otherwise. */
static int parse_prefix(const char *text, int limit)
{
    int number = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return -1;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || p - text > 2)
            return -1;
        number = number * 10 + (*p - '0');
    }
    return number <= limit ? number : -1;
}

static bool has_only_prefix(const struct ip_address_range *range)
{
    for (int bit = range->prefix; bit < 128; bit++)
        if (range->base.bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

bool ip_address_parse_range(const char *text, struct ip_address_range *out)
{
    char base[IP_ADDRESS_TEXT_BYTES];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof base)
        return false;
    memcpy(base, text, len);
    base[len] = '\0';
    if (!ip_address_parse(base, &out->base))
        return false;
    bool in_dots = strchr(base, ':') == NULL;
    out->prefix = 128;
    if (slash) {
        int prefix = parse_prefix(slash + 1, in_dots ? 32 : 128);
        if (prefix < 0)
            return false;
        out->prefix = in_dots ? prefix + 96 : prefix;
    }
    return has_only_prefix(out);
}

bool ip_address_read(const void *sockaddr, struct ip_address *out)
{
    sa_family_t family = ((const struct sockaddr *)sockaddr)->sa_family;
    if (family == AF_INET) {
        put_v4(&((const struct sockaddr_in *)sockaddr)->sin_addr, out);
        return true;
    }
    if (family != AF_INET6)
        return false;
    memcpy(out->bytes, &((const struct sockaddr_in6 *)sockaddr)->sin6_addr,
           sizeof out->bytes);
    return true;
}

void ip_address_format(const struct ip_address *a,
                       char out[IP_ADDRESS_TEXT_BYTES])
{
    const char *text =
        ip_address_is_v4(a)
            ? inet_ntop(AF_INET, a->bytes + sizeof mapped, out,
                        IP_ADDRESS_TEXT_BYTES)
            : inet_ntop(AF_INET6, a->bytes, out, IP_ADDRESS_TEXT_BYTES);
    must(text != NULL);
}

struct ip_address ip_address_cut(const struct ip_address *a, int v4_bits,
                                 int v6_bits)
{
    int prefix = ip_address_is_v4(a) ? 96 + v4_bits : v6_bits;
    struct ip_address net = *a;
    for (int bit = prefix; bit < 128; bit++)
        net.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return net;
}

bool ip_address_in(const struct ip_address *a,
                   const struct ip_address_range *range)
{
    size_t whole = (size_t)range->prefix / 8;
    int bits = range->prefix % 8;
    if (memcmp(a->bytes, range->base.bytes, whole) != 0)
        return false;
    if (bits == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00 >> bits);
    return ((a->bytes[whole] ^ range->base.bytes[whole]) & mask) == 0;
}
