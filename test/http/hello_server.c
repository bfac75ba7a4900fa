/* SPDX-License-Identifier: Apache-2.0 */
/* The web server alone, for black-box tests and for measuring:
 *   hello_server PORT [TLS_PORT CERT KEY [THREADS]]
 * prints one line of JSON with the ports; SIGHUP reloads the certificate,
 * SIGTERM stops. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "http/server.h"

static void show_stats(const struct server *s, struct reply *out)
{
    struct server_stats stats;
    server_stats(s, &stats);
    buf_printf(&out->body,
               "{\"requests\":%lld,\"refused\":%lld,\"shed\":%lld,"
               "\"handshakes\":%lld,\"failed\":%lld,\"connections\":%d,"
               "\"threads\":%d,\"busy\":%d}",
               (long long)stats.requests, (long long)stats.refused_heads,
               (long long)stats.shed, (long long)stats.handshakes,
               (long long)stats.failed_handshakes, stats.connections,
               stats.threads, stats.busy_threads);
}

static void echo_body(struct request *r, struct reply *out)
{
    const char *data = NULL;
    size_t len = 0;
    enum err e = request_body(r, 1 << 20, &data, &len);
    out->status = e == ERR_LIMIT ? 413 : e ? 400 : 200;
    out->type = "application/octet-stream";
    if (!e)
        buf_put(&out->body, data, len);
}

static void handle(void *app, struct request *r, struct reply *out)
{
    struct server *const *s = app;
    if (strcmp(r->path, "/hello") == 0) {
        buf_puts(&out->body, "{\"hello\":\"world\"}");
    } else if (strcmp(r->path, "/stats") == 0) {
        show_stats(*s, out);
    } else if (strcmp(r->path, "/echo") == 0) {
        echo_body(r, out);
    } else if (strcmp(r->path, "/slow") == 0) {
        const struct timespec pause = {.tv_nsec = 500000000};
        nanosleep(&pause, NULL);
        buf_puts(&out->body, "{\"slow\":true}");
    } else if (strcmp(r->path, "/list") == 0) {
        out->etag = "\"7\"";
        for (int i = 0; i < 200; i++)
            buf_printf(&out->body, "{\"id\":\"%d\",\"subject\":\"row %d\"},", i,
                       i);
    } else if (strcmp(r->path, "/who") == 0) {
        const char *q = request_param(r, "q");
        buf_printf(&out->body,
                   "{\"ip\":\"%s\",\"host\":\"%s\",\"tls\":%d,\"q\":\"%s\"}",
                   r->ip, r->host, r->is_tls, q ? q : "");
    } else {
        out->status = 404;
    }
}

int main(int argc, char **argv)
{
    static const char *const proxies[] = {"127.0.0.9", NULL};
    struct server *s = NULL;
    struct listener listeners[2] = {
        {"127.0.0.1", 0, false},
        {"127.0.0.1", 0, true }
    };
    struct server_config config = {.listeners = listeners,
                                   .listener_count = argc > 4 ? 2 : 1,
                                   .trusted_proxies = proxies,
                                   .handle = handle,
                                   .app = &s};
    if (argc > 1)
        listeners[0].port = (int)strtol(argv[1], NULL, 10);
    if (argc > 4) {
        listeners[1].port = (int)strtol(argv[2], NULL, 10);
        config.cert_path = argv[3];
        config.key_path = argv[4];
    }
    if (argc > 5)
        config.max_threads = (int)strtol(argv[5], NULL, 10);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (crypto_init() || server_open(&config, &s))
        return 1;
    printf("{\"port\":%d,\"tls_port\":%d}\n", server_port(s, 0),
           argc > 4 ? server_port(s, 1) : 0);
    fflush(stdout);
    for (int got = 0; sigwait(&signals, &got) == 0;) {
        if (got != SIGHUP)
            break;
        if (server_reload(s))
            log_warn("reload failed");
    }
    server_close(s, 5000);
    return 0;
}
