/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for civetweb over mbedTLS 3.6, in place of the file of the same name
 * that comes with it: included by civetweb.c, the same functions.
 *
 * What differs, and why: a handshake has one deadline and waits in poll(), as
 * a silent client otherwise burns a core for ever; sessions resume by ticket,
 * as a full handshake costs milliseconds; the certificate can be changed while
 * the server runs.  The hard idea is the last: everything made from one pair
 * of files is one counted struct, connections hold it until they close, and a
 * reload merely puts another in its place. */
#if defined(USE_MBEDTLS)

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "mbedtls/build_info.h"
#include "mbedtls/cipher.h"
#include "mbedtls/net_sockets.h"
#include "mbedtls/pk.h"
#include "mbedtls/ssl.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "mbedtls/ssl_ticket.h"
#include "mbedtls/x509_crt.h"
#include "psa/crypto.h"

#if !defined(MBEDTLS_THREADING_C) || !defined(MBEDTLS_THREADING_PTHREAD)
#error "mbedTLS without threading races in PSA: see security.md, 2.2"
#endif
#if !defined(MBEDTLS_SSL_TICKET_C) || !defined(MBEDTLS_SSL_ALPN)
#error "session tickets and ALPN are part of the design"
#endif

#define TLS_HANDSHAKE_MS 5000
#define TLS_TICKET_S     3600 /* keys rotate as often; two are kept */
#define TLS_LOG_EVERY_S  10

typedef mbedtls_ssl_context SSL;

struct tls_setup {
    mbedtls_ssl_config conf;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    int users; /* under SSL_CTX.lock */
};

typedef struct {
    pthread_mutex_t lock; /* guards current, users, failures, logged_at */
    struct tls_setup *current;
    mbedtls_ssl_ticket_context tickets; /* locks itself */
    long failures;
    time_t logged_at;
} SSL_CTX;

struct tls_link {
    mbedtls_ssl_context ssl; /* first: civetweb's SSL * is this link */
    struct tls_setup *setup;
    SSL_CTX *ctx;
    int fd;
};

/* base/log.h, whose enum is an int here; 2 is a warning */
extern void log_write(int level, const char *format, ...);

/* The CRYPTREC list: ephemeral ECDH, AES-GCM and ChaCha20-Poly1305 only. */
static const int tls_suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};
static const uint16_t tls_groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
static const uint16_t tls_signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_NONE,
};
static const char *tls_protocols[] = {"http/1.1", NULL};

/* The name the client of this thread asked for in its last handshake: one
 * thread serves a connection from handshake to close. */
static _Thread_local char tls_name[256];

const char *tls_server_name(void)
{
    return tls_name;
}

static int tls_note_name(void *unused, mbedtls_ssl_context *ssl,
                         const unsigned char *name, size_t len)
{
    (void)unused, (void)ssl;
    if (len >= sizeof tls_name)
        return MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER;
    memcpy(tls_name, name, len);
    tls_name[len] = '\0';
    return 0;
}

/* The kernel's generator: no state to lock, to fork or to clone. */
static int tls_random(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno != EINTR)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static void tls_free_setup(struct tls_setup *setup)
{
    mbedtls_ssl_config_free(&setup->conf);
    mbedtls_x509_crt_free(&setup->cert);
    mbedtls_pk_free(&setup->key);
    mg_free(setup);
}

static void tls_drop_setup(SSL_CTX *ctx, struct tls_setup *setup)
{
    pthread_mutex_lock(&ctx->lock);
    int left = --setup->users;
    pthread_mutex_unlock(&ctx->lock);
    if (left == 0)
        tls_free_setup(setup);
}

/* paths: certificate chain and key, split by a line feed.  RSA keys are
 * refused: a signature costs ten times as much, a door for floods. */
static int tls_read_files(struct tls_setup *setup, const char *paths)
{
    char cert[1024];
    const char *key = strchr(paths, '\n');
    if (!key || (size_t)(key - paths) >= sizeof cert)
        return MBEDTLS_ERR_X509_FILE_IO_ERROR;
    memcpy(cert, paths, (size_t)(key - paths));
    cert[key - paths] = '\0';
    int rc = mbedtls_x509_crt_parse_file(&setup->cert, cert);
    if (rc)
        return rc;
    rc = mbedtls_pk_parse_keyfile(&setup->key, key + 1, NULL, tls_random, NULL);
    if (rc)
        return rc;
    if (!mbedtls_pk_can_do(&setup->key, MBEDTLS_PK_ECDSA))
        return MBEDTLS_ERR_PK_TYPE_MISMATCH;
    return mbedtls_pk_check_pair(&setup->cert.pk, &setup->key, tls_random,
                                 NULL);
}

static int tls_configure(SSL_CTX *ctx, struct tls_setup *setup)
{
    mbedtls_ssl_config *conf = &setup->conf;
    int rc = mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc)
        return rc;
    mbedtls_ssl_conf_rng(conf, tls_random, NULL);
    mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_ciphersuites(conf, tls_suites);
    mbedtls_ssl_conf_groups(conf, tls_groups);
    mbedtls_ssl_conf_sig_algs(conf, tls_signatures);
    mbedtls_ssl_conf_sni(conf, tls_note_name, NULL);
    mbedtls_ssl_conf_session_tickets_cb(conf, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse,
                                        &ctx->tickets);
    rc = mbedtls_ssl_conf_alpn_protocols(conf, tls_protocols);
    if (rc)
        return rc;
    return mbedtls_ssl_conf_own_cert(conf, &setup->cert, &setup->key);
}

/* Loads the files and, when they are good, uses them for new connections;
 * otherwise what was in use stays. */
int mbed_sslctx_load(SSL_CTX *ctx, const char *paths)
{
    struct tls_setup *setup = mg_calloc(1, sizeof *setup);
    if (!setup)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    mbedtls_ssl_config_init(&setup->conf);
    mbedtls_x509_crt_init(&setup->cert);
    mbedtls_pk_init(&setup->key);
    setup->users = 1;
    int rc = tls_read_files(setup, paths);
    if (!rc)
        rc = tls_configure(ctx, setup);
    if (rc) {
        log_write(2, "tls_certificate error=-0x%04x", (unsigned)-rc);
        tls_free_setup(setup);
        return rc;
    }
    pthread_mutex_lock(&ctx->lock);
    struct tls_setup *old = ctx->current;
    ctx->current = setup;
    pthread_mutex_unlock(&ctx->lock);
    if (old)
        tls_drop_setup(ctx, old);
    return 0;
}

int mbed_sslctx_init(SSL_CTX *ctx, const char *paths)
{
    if (!ctx || !paths || psa_crypto_init() != PSA_SUCCESS)
        return -1;
    pthread_mutex_init(&ctx->lock, NULL);
    mbedtls_ssl_ticket_init(&ctx->tickets);
    int rc = mbedtls_ssl_ticket_setup(&ctx->tickets, tls_random, NULL,
                                      MBEDTLS_CIPHER_AES_256_GCM, TLS_TICKET_S);
    return rc ? rc : mbed_sslctx_load(ctx, paths);
}

void mbed_sslctx_uninit(SSL_CTX *ctx)
{
    if (ctx->current)
        tls_drop_setup(ctx, ctx->current);
    ctx->current = NULL;
    mbedtls_ssl_ticket_free(&ctx->tickets);
    pthread_mutex_destroy(&ctx->lock);
}

static int tls_send(void *link, const unsigned char *data, size_t len)
{
    ssize_t n = send(((struct tls_link *)link)->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int tls_recv(void *link, unsigned char *data, size_t len)
{
    ssize_t n = recv(((struct tls_link *)link)->fd, data, len, 0);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_NET_RECV_FAILED;
}

static int64_t tls_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A server that stops shuts the socket down, which ends the wait at once. */
static int tls_shake_hands(struct tls_link *link)
{
    int64_t deadline = tls_now_ms() + TLS_HANDSHAKE_MS;
    for (;;) {
        int rc = mbedtls_ssl_handshake(&link->ssl);
        if (rc != MBEDTLS_ERR_SSL_WANT_READ && rc != MBEDTLS_ERR_SSL_WANT_WRITE)
            return rc;
        int64_t left = deadline - tls_now_ms();
        if (left <= 0)
            return MBEDTLS_ERR_SSL_TIMEOUT;
        struct pollfd wait = {.fd = link->fd};
        wait.events = rc == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT;
        if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
            return MBEDTLS_ERR_NET_POLL_FAILED;
    }
}

/* Scanners fail handshakes by the thousand: one line now and then. */
static void tls_note_failure(SSL_CTX *ctx, int rc)
{
    time_t now = time(NULL);
    pthread_mutex_lock(&ctx->lock);
    long failures = ++ctx->failures;
    int is_due = now - ctx->logged_at >= TLS_LOG_EVERY_S;
    if (is_due)
        ctx->logged_at = now;
    pthread_mutex_unlock(&ctx->lock);
    if (is_due)
        log_write(1, "tls_handshake failed=%ld last=-0x%04x", failures,
                  (unsigned)-rc);
}

static void tls_free_link(struct tls_link *link)
{
    mbedtls_ssl_free(&link->ssl);
    tls_drop_setup(link->ctx, link->setup);
    mg_free(link);
}

int mbed_ssl_accept(mbedtls_ssl_context **ssl, SSL_CTX *ctx, int *sock,
                    struct mg_context *phys_ctx)
{
    (void)phys_ctx;
    struct tls_link *link = mg_calloc(1, sizeof *link);
    if (!link)
        return -1;
    tls_name[0] = '\0';
    link->ctx = ctx;
    link->fd = *sock;
    pthread_mutex_lock(&ctx->lock);
    link->setup = ctx->current;
    link->setup->users++;
    pthread_mutex_unlock(&ctx->lock);
    mbedtls_ssl_init(&link->ssl);
    int rc = mbedtls_ssl_setup(&link->ssl, &link->setup->conf);
    if (!rc) {
        mbedtls_ssl_set_bio(&link->ssl, link, tls_send, tls_recv, NULL);
        rc = tls_shake_hands(link);
    }
    if (rc) {
        tls_note_failure(ctx, rc);
        tls_free_link(link);
        *ssl = NULL;
        return -1;
    }
    *ssl = &link->ssl;
    return 0;
}

void mbed_ssl_close(mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_close_notify(ssl);
    tls_free_link((struct tls_link *)ssl);
}

int mbed_ssl_read(mbedtls_ssl_context *ssl, unsigned char *buf, int len)
{
    return mbedtls_ssl_read(ssl, buf, (size_t)len);
}

int mbed_ssl_write(mbedtls_ssl_context *ssl, const unsigned char *buf, int len)
{
    return mbedtls_ssl_write(ssl, buf, (size_t)len);
}

#endif
