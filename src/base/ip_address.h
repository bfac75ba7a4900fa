/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_IP_ADDRESS_H
#define BASE_IP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_ADDRESS_TEXT_BYTES 46

/* An IP address; IPv4 is kept in its IPv6 form ::ffff:a.b.c.d, so that one
 * client has one address however the socket was opened. */
struct ip_address {
    uint8_t bytes[16];
};

/* Addresses that agree in the first prefix bits (of 128). */
struct ip_address_range {
    struct ip_address base;
    int prefix;
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; nothing around it. */
bool ip_address_parse(const char *text, struct ip_address *out);
/* Also with "/24"; bits beyond the prefix must be zero. */
bool ip_address_parse_range(const char *text, struct ip_address_range *out);
/* From a struct sockaddr; false when it is neither IPv4 nor IPv6. */
bool ip_address_read(const void *sockaddr, struct ip_address *out);
/* IPv4 in dots, also when it came mapped. */
void ip_address_format(const struct ip_address *a,
                       char out[IP_ADDRESS_TEXT_BYTES]);
bool ip_address_is_v4(const struct ip_address *a);
bool ip_address_is_loopback(const struct ip_address *a); /* 127.0.0.0/8, ::1 */
/* The network it is in: what follows the first so many bits is zero. */
struct ip_address ip_address_cut(const struct ip_address *a, int v4_bits,
                                 int v6_bits);
bool ip_address_in(const struct ip_address *a,
                   const struct ip_address_range *range);

#endif
