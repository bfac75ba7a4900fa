/* SPDX-License-Identifier: Apache-2.0 */
/* The client half of TLS, for mail, and the certificate a fresh installation
 * serves with.  The socket never blocks: every wait is a poll() with the rest
 * of the call's own deadline, so that a silent relay costs a bounded time. */
#include "base/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

#define US_PER_DAY     (INT64_C(86400) * 1000000)
#define VALID_DAYS     730
#define NAMES_MAX      32
#define PEM_BYTES      8192
#define CERTIFICATE_ON "-----BEGIN CERTIFICATE-----\n"
#define CERTIFICATE_TO "-----END CERTIFICATE-----\n"

struct tls {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt trusted;
    int fd;
};

static int random_for_mbedtls(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    crypto_random(out, len);
    return 0;
}

static int send_bytes(void *arg, const unsigned char *data, size_t len)
{
    const struct tls *t = arg;
    ssize_t n = send(t->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive_bytes(void *arg, unsigned char *data, size_t len)
{
    const struct tls *t = arg;
    ssize_t n = recv(t->fd, data, len, 0);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* True when the call that returned code may be tried again. */
static bool may_go_on(const struct tls *t, int code, int64_t deadline_ms)
{
    int64_t rest_ms = deadline_ms - clock_monotonic_ms();
    if (rest_ms <= 0)
        return false;
    if (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
    if (code != MBEDTLS_ERR_SSL_WANT_READ && code != MBEDTLS_ERR_SSL_WANT_WRITE)
        return false;
    struct pollfd wait = {
        .fd = t->fd,
        .events = code == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT,
    };
    int ready = poll(&wait, 1, rest_ms > 60000 ? 60000 : (int)rest_ms);
    return ready >= 0 || errno == EINTR;
}

static void free_tls(struct tls *t)
{
    mbedtls_ssl_free(&t->ssl);
    mbedtls_ssl_config_free(&t->config);
    mbedtls_x509_crt_free(&t->trusted);
    free(t);
}

/* Some bundles hold a certificate this build cannot read: the others count. */
static enum err read_trusted(struct tls *t, const char *ca_file)
{
    int bad = mbedtls_x509_crt_parse_file(&t->trusted, ca_file);
    if (bad >= 0 && t->trusted.raw.p)
        return OK;
    log_error("tls ca_file=%s unreadable code=-0x%04x", ca_file,
              (unsigned)-bad);
    return ERR_INVALID;
}

/* Which other side is good enough. */
enum proof { PROOF_CHAIN, PROOF_NONE, PROOF_NONE_1_2 };

static bool set_up(struct tls *t, const char *host, enum proof proof)
{
    if (mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT))
        return false;
    mbedtls_ssl_conf_authmode(&t->config, proof == PROOF_CHAIN
                                              ? MBEDTLS_SSL_VERIFY_REQUIRED
                                              : MBEDTLS_SSL_VERIFY_NONE);
    if (proof == PROOF_NONE_1_2)
        mbedtls_ssl_conf_max_tls_version(&t->config,
                                         MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_ca_chain(&t->config, &t->trusted, NULL);
    mbedtls_ssl_conf_rng(&t->config, random_for_mbedtls, NULL);
    mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
    if (mbedtls_ssl_setup(&t->ssl, &t->config) ||
        mbedtls_ssl_set_hostname(&t->ssl, host))
        return false;
    mbedtls_ssl_set_bio(&t->ssl, t, send_bytes, receive_bytes, NULL);
    return true;
}

/* What is wrong with the certificate, the worst first. */
static const char *tell_flaw(uint32_t flags)
{
#define REFUSED "its certificate is not accepted: "
    static const struct {
        uint32_t flag;
        const char *text;
    } flaws[] = {
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED,
         REFUSED "no authority that is trusted signed it"},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, REFUSED "it is for another name"},
        {MBEDTLS_X509_BADCERT_EXPIRED, REFUSED "it has expired"},
        {MBEDTLS_X509_BADCERT_FUTURE, REFUSED "it is not valid yet"},
        {MBEDTLS_X509_BADCERT_REVOKED, REFUSED "it was revoked"},
        {MBEDTLS_X509_BADCERT_MISSING, REFUSED "there is none"},
    };

    for (size_t i = 0; i < COUNT(flaws); i++)
        if (flags & flaws[i].flag)
            return flaws[i].text;
    return REFUSED "it breaks a rule";
#undef REFUSED
}

/* Nothing is said of a certificate that was not looked at: verified is all
 * ones until then. */
static const char *explain(int code, uint32_t verified)
{
    if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
        (verified && verified != UINT32_MAX))
        return tell_flaw(verified);
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
        return "the TLS handshake did not end in time";
    if (code == MBEDTLS_ERR_SSL_INVALID_RECORD)
        return "it does not speak TLS there";
    if (code == MBEDTLS_ERR_SSL_CONN_EOF)
        return "it ended the connection in the TLS handshake";
    const char *text = mbedtls_high_level_strerr(code);
    if (!text)
        text = mbedtls_low_level_strerr(code);
    return text ? text : "the TLS handshake failed";
}

static enum err shake_hands(struct tls *t, const char *host, enum proof proof,
                            int timeout_ms, const char **why)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    int code = 0;
    do {
        code = mbedtls_ssl_handshake(&t->ssl);
    } while (code && may_go_on(t, code, deadline_ms));
    uint32_t verified = mbedtls_ssl_get_verify_result(&t->ssl);
    if (code == 0 && (verified == 0 || proof != PROOF_CHAIN))
        return OK;
    *why = explain(code, verified);
    log_warn("tls handshake failed host=%s code=-0x%04x verify=0x%x: %s", host,
             (unsigned)-code, (unsigned)verified, *why);
    return code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ? ERR_DENIED : ERR_BUSY;
}

static enum err connect_to(int fd, const char *host, const char *ca_file,
                           enum proof proof, int timeout_ms, const char **why,
                           struct tls **out)
{
    struct tls *t = calloc(1, sizeof *t);
    must(t != NULL && host != NULL && *host);
    t->fd = fd;
    mbedtls_ssl_init(&t->ssl);
    mbedtls_ssl_config_init(&t->config);
    mbedtls_x509_crt_init(&t->trusted);
    enum err e = proof == PROOF_CHAIN ? read_trusted(t, ca_file) : OK;
    *why = e ? "this side cannot read the certificates it trusts"
             : "TLS cannot be set up on this side";
    if (!e && !set_up(t, host, proof)) {
        log_error("tls set-up failed at=%s:%d", __FILE__, __LINE__);
        e = ERR_INTERNAL;
    }
    if (!e)
        e = shake_hands(t, host, proof, timeout_ms, why);
    if (e)
        free_tls(t);
    else
        *out = t;
    return e;
}

enum err tls_connect(int fd, const char *host, const char *ca_file,
                     int timeout_ms, const char **why, struct tls **out)
{
    return connect_to(fd, host, ca_file, PROOF_CHAIN, timeout_ms, why, out);
}

enum err tls_connect_unproven(int fd, bool only_1_2, int timeout_ms,
                              struct tls **out)
{
    const char *why;

    return connect_to(fd, "localhost", NULL,
                      only_1_2 ? PROOF_NONE_1_2 : PROOF_NONE, timeout_ms, &why,
                      out);
}

long tls_read(struct tls *t, void *data, size_t len, int timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    int n = 0;
    if (len == 0)
        return 0;
    do {
        n = mbedtls_ssl_read(&t->ssl, data, len);
    } while (n < 0 && may_go_on(t, n, deadline_ms));
    if (n > 0)
        return n;
    /* An end without close_notify may be an attacker's: not an end. */
    return n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : -1;
}

/* After a pause the library wants the same bytes again: the loop sees to it. */
long tls_write(struct tls *t, const void *data, size_t len, int timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    int n = 0;
    do {
        n = mbedtls_ssl_write(&t->ssl, data, len);
    } while (n < 0 && may_go_on(t, n, deadline_ms));
    return n < 0 ? -1 : n;
}

void tls_close(struct tls *t)
{
    if (!t)
        return;
    (void)mbedtls_ssl_close_notify(&t->ssl);
    close(t->fd);
    free_tls(t);
}

/* Everything a certificate is made from. */
struct maker {
    mbedtls_pk_context key;
    mbedtls_x509write_cert cert;
    mbedtls_x509_san_list names[NAMES_MAX];
    unsigned char addresses[NAMES_MAX][16];
    unsigned char der[PEM_BYTES], pem[PEM_BYTES];
};

static void add_names(struct maker *m, const char *const *names, size_t count)
{
    must(count > 0 && count <= NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        mbedtls_x509_subject_alternative_name *to = &m->names[i].node;
        bool is_v4 = inet_pton(AF_INET, names[i], m->addresses[i]) == 1;
        bool is_ip =
            is_v4 || inet_pton(AF_INET6, names[i], m->addresses[i]) == 1;
        to->type =
            is_ip ? MBEDTLS_X509_SAN_IP_ADDRESS : MBEDTLS_X509_SAN_DNS_NAME;
        to->san.unstructured_name.p =
            is_ip ? m->addresses[i] : (unsigned char *)(uintptr_t)names[i];
        to->san.unstructured_name.len = is_v4   ? 4
                                        : is_ip ? 16
                                                : strlen(names[i]);
        m->names[i].next = i + 1 < count ? &m->names[i + 1] : NULL;
    }
}

static void format_day(int32_t day, char out[15])
{
    int year = 0, month = 0, day_of_month = 0;
    civil_to_ymd(day, &year, &month, &day_of_month);
    snprintf(out, 15, "%04u%02u%02u000000", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day_of_month % 100);
}

/* Valid from yesterday, for clients whose clock is slow. */
static bool set_dates(struct maker *m)
{
    char from[15], to[15];
    int32_t today = clock_today(clock_now_us());
    format_day(today - 1, from);
    format_day(today + VALID_DAYS, to);
    return mbedtls_x509write_crt_set_validity(&m->cert, from, to) == 0;
}

static bool make_key(struct maker *m)
{
    return mbedtls_pk_setup(&m->key,
                            mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
           mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(m->key),
                               random_for_mbedtls, NULL) == 0;
}

/* Length of the DER, which ends up at the end of m->der; 0 on failure. */
static size_t make_der(struct maker *m)
{
    unsigned char serial[16];
    crypto_random(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40);
    mbedtls_x509write_crt_set_version(&m->cert, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&m->cert, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&m->cert, &m->key);
    mbedtls_x509write_crt_set_issuer_key(&m->cert, &m->key);
    if (mbedtls_x509write_crt_set_serial_raw(&m->cert, serial, sizeof serial) ||
        mbedtls_x509write_crt_set_subject_name(&m->cert, "CN=Yagura") ||
        mbedtls_x509write_crt_set_issuer_name(&m->cert, "CN=Yagura") ||
        mbedtls_x509write_crt_set_basic_constraints(&m->cert, 0, -1) ||
        mbedtls_x509write_crt_set_key_usage(
            &m->cert, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) ||
        mbedtls_x509write_crt_set_subject_alternative_name(&m->cert,
                                                           m->names) ||
        !set_dates(m))
        return 0;
    int len = mbedtls_x509write_crt_der(&m->cert, m->der, sizeof m->der,
                                        random_for_mbedtls, NULL);
    return len > 0 ? (size_t)len : 0;
}

/* Complete or not there at all: a half-written key would stop every start. */
static bool write_file(const char *path, const unsigned char *data, mode_t mode)
{
    char fresh[4096];
    size_t len = strlen((const char *)data), done = 0;
    int n = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof fresh)
        return false;
    (void)unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    while (done < len) {
        ssize_t wrote = write(fd, data + done, len - done);
        if (wrote < 0 && errno != EINTR)
            break;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    bool is_good = done == len && fsync(fd) == 0;
    is_good = close(fd) == 0 && is_good;
    if (is_good && rename(fresh, path) == 0)
        return true;
    (void)unlink(fresh);
    return false;
}

static bool write_key(struct maker *m, const char *path)
{
    bool is_good =
        mbedtls_pk_write_key_pem(&m->key, m->pem, sizeof m->pem) == 0 &&
        write_file(path, m->pem, 0600);
    crypto_wipe(m->pem, sizeof m->pem);
    return is_good;
}

/* Written once and then wrapped: signing again would give another one. */
static bool write_certificate(struct maker *m, const char *path,
                              char fingerprint[96])
{
    size_t len = make_der(m), pem_len = 0;
    const unsigned char *der = m->der + sizeof m->der - len;
    uint8_t hash[CRYPTO_HASH_BYTES];
    if (len == 0 ||
        mbedtls_pem_write_buffer(CERTIFICATE_ON, CERTIFICATE_TO, der, len,
                                 m->pem, sizeof m->pem, &pem_len) ||
        !write_file(path, m->pem, 0644))
        return false;
    crypto_sha256(der, len, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(fingerprint + i * 3, 4, i + 1 < sizeof hash ? "%02X:" : "%02X",
                 hash[i]);
    return true;
}

enum err tls_make_certificate(const char *cert_path, const char *key_path,
                              const char *const *names, size_t count,
                              char fingerprint[96])
{
    struct maker *m = calloc(1, sizeof *m);
    must(m != NULL);
    mbedtls_pk_init(&m->key);
    mbedtls_x509write_crt_init(&m->cert);
    add_names(m, names, count);
    bool is_good = make_key(m) && write_key(m, key_path) &&
                   write_certificate(m, cert_path, fingerprint);
    mbedtls_x509write_crt_free(&m->cert);
    mbedtls_pk_free(&m->key);
    free(m);
    if (is_good)
        return OK;
    log_error("certificate not made at=%s:%d path=%s", __FILE__, __LINE__,
              cert_path);
    return ERR_INTERNAL;
}

void tls_put_suites(struct buf *out)
{
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id; id++)
        buf_printf(out, "%s%s", out->len ? ", " : "",
                   mbedtls_ssl_get_ciphersuite_name(*id));
}

static int64_t moment(const mbedtls_x509_time *t)
{
    int64_t day = civil_from_ymd(t->year, t->mon, t->day);
    return ((day * 24 + t->hour) * 60 + t->min) * INT64_C(60000000) +
           t->sec * INT64_C(1000000);
}

static void read_dates(const mbedtls_x509_crt *cert, struct tls_dates *out)
{
    *out = (struct tls_dates){
        .from = moment(&cert->valid_from),
        .to = moment(&cert->valid_to),
        .is_self_signed = cert->issuer_raw.len == cert->subject_raw.len &&
                          memcmp(cert->issuer_raw.p, cert->subject_raw.p,
                                 cert->issuer_raw.len) == 0,
    };
}

static void read_names(const mbedtls_x509_crt *cert, struct tls_proof *out)
{
    size_t len = 0;

    out->names[0] = 0;
    out->has_more = false;
    for (const mbedtls_x509_sequence *s = &cert->subject_alt_names; s;
         s = s->next) {
        mbedtls_x509_subject_alternative_name san;
        if (!s->buf.p || mbedtls_x509_parse_subject_alt_name(&s->buf, &san))
            continue;
        const mbedtls_x509_buf *name = &san.san.unstructured_name;
        if (san.type == MBEDTLS_X509_SAN_DNS_NAME) {
            if (len + name->len + 2 > sizeof out->names) {
                out->has_more = true;
            } else {
                if (len)
                    out->names[len++] = ' ';
                memcpy(out->names + len, name->p, name->len);
                len += name->len;
                out->names[len] = 0;
            }
        }
        mbedtls_x509_free_subject_alt_name(&san);
    }
}

/* RFC 6125: a wildcard stands for the first label alone. */
static bool is_name_of(const char *name, size_t len, const char *host)
{
    if (len > 2 && name[0] == '*' && name[1] == '.') {
        const char *rest = strchr(host, '.');
        return rest && rest != host && strlen(rest) == len - 1 &&
               strncasecmp(rest, name + 1, len - 1) == 0;
    }
    return strlen(host) == len && strncasecmp(host, name, len) == 0;
}

bool tls_names_host(const struct tls_proof *p, const char *host)
{
    for (const char *name = p->names; *name;) {
        size_t len = strcspn(name, " ");
        if (is_name_of(name, len, host))
            return true;
        name += len + (name[len] == ' ');
    }
    return p->has_more;
}

bool tls_describe(const struct tls *t, struct tls_proof *out)
{
    const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&t->ssl);
    const char *suite = mbedtls_ssl_get_ciphersuite(&t->ssl);
    if (!cert || !suite)
        return false;
    snprintf(out->version, sizeof out->version, "%s",
             mbedtls_ssl_get_version(&t->ssl));
    snprintf(out->suite, sizeof out->suite, "%s", suite);
    read_dates(cert, &out->dates);
    read_names(cert, out);
    return true;
}

/* A ClientHello of TLS 1.1 with suites that version had. */
static const unsigned char
    old_hello[] = {22,   3,  1,    0,  53,   1,    0,    0,    49,   3,
                   2, /* record, handshake, version 1.1 */
                   0,    1,  2,    3,  4,    5,    6,    7,    8,    9,
                   10,   11, 12,   13, 14,   15,   16,   17,   18,   19,
                   20,   21, 22,   23, 24,   25,   26,   27,   28,   29,
                   30,   31, 0,    0,  10,   0xC0, 0x09, 0xC0, 0x0A, 0xC0,
                   0x13, 0,  0x2F, 0,  0x35, 1,    0};

bool tls_refuses_old(int fd, int timeout_ms)
{
    unsigned char first = 0;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    bool is_sent =
        poll(&wait, 1, timeout_ms) == 1 &&
        send(fd, old_hello, sizeof old_hello, MSG_NOSIGNAL) == sizeof old_hello;
    wait.events = POLLIN;
    bool is_answered = is_sent && poll(&wait, 1, timeout_ms) == 1;
    /* an alert, or the end; never a hello */
    ssize_t n = is_answered ? recv(fd, &first, 1, 0) : -1;
    return is_answered && (n <= 0 || first == 21);
}

void tls_read_version(char out[TLS_VERSION_BYTES])
{
    mbedtls_version_get_string(out);
}
