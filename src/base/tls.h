/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TLS client for outgoing mail: TLS 1.2 at least, chain and name verified
 * against ca_file; a deadline on every call.  The server side lives in
 * third_party/glue/mod_mbedtls.inl. */
struct tls;

/* Takes over a connected non-blocking socket; on failure it stays open, and
 * *why says in constant English words what was wrong: with the trusted
 * certificates of this side (ERR_INVALID), with the other side's certificate
 * (ERR_DENIED), or with the handshake (ERR_BUSY). */
MUST_USE enum err tls_connect(int fd, const char *host, const char *ca_file,
                              int timeout_ms, const char **why,
                              struct tls **out);
/* The same without asking who the other side is: only for this process as its
 * own client. */
MUST_USE enum err tls_connect_unproven(int fd, bool only_1_2, int timeout_ms,
                                       struct tls **out);
/* Bytes moved, 0 at the end, -1 on error or past the deadline. */
long tls_read(struct tls *t, void *data, size_t len, int timeout_ms);
long tls_write(struct tls *t, const void *data, size_t len, int timeout_ms);
void tls_close(struct tls *t); /* the socket too; NULL is allowed */

/* Writes a self-signed ECDSA P-256 certificate (2 years, these DNS names and
 * addresses) and its key, both PEM, key 0600.  fingerprint: SHA-256 as hex
 * pairs with colons, 96 bytes. */
MUST_USE enum err tls_make_certificate(const char *cert_path,
                                       const char *key_path,
                                       const char *const *names, size_t count,
                                       char fingerprint[96]);

/* What a certificate says of its own time, UTC microseconds. */
struct tls_dates {
    int64_t from, to;
    bool is_self_signed;
};
/* What was agreed on, and the certificate the other side showed. */
struct tls_proof {
    char version[16], suite[64];
    struct tls_dates dates;
    /* Its DNS names, blanks between; has_more: not all of them. */
    char names[2048];
    bool has_more;
};
bool tls_describe(const struct tls *t, struct tls_proof *out);
/* Whether the certificate is for this host; true where has_more leaves it
 * open. */
bool tls_names_host(const struct tls_proof *p, const char *host);
/* Offers TLS 1.1 over a connected socket, which stays open: whether the other
 * side said no. */
bool tls_refuses_old(int fd, int timeout_ms);
/* The names of the cipher suites that are compiled in, with commas. */
void tls_put_suites(struct buf *out);
/* What Mbed TLS says that it is: "3.6.7". */
enum { TLS_VERSION_BYTES = 18 };
void tls_read_version(char out[TLS_VERSION_BYTES]);

#endif
