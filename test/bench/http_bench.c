/* SPDX-License-Identifier: Apache-2.0 */
/* The web server alone: what a request costs before there is any work in it.
 *   http_bench                               measures and prints
 *   http_bench serve PORT [TLS_PORT CERT KEY]  serves until SIGTERM, for tools
 * SIGHUP reloads the certificate. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "bench/table.h"
#include "http/server.h"

#define CLIENTS    8
#define MEASURE_MS 2000

struct client {
    pthread_t thread;
    int port;
    const char *head;
    long count;
};

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
    } else if (strcmp(r->path, "/list") == 0) {
        out->etag = "\"7\"";
        for (int i = 0; i < 200; i++)
            buf_printf(&out->body, "{\"id\":\"%d\",\"subject\":\"row %d\"},", i,
                       i);
    } else if (strcmp(r->path, "/slow") == 0) {
        const struct timespec pause = {.tv_nsec = 500000000};
        nanosleep(&pause, NULL);
        buf_puts(&out->body, "{\"slow\":true}");
    } else {
        out->status = 404;
    }
}

/* One request after the other on one connection; replies fit one read. */
static void *run_client(void *pointer)
{
    struct client *c = pointer;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)c->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char reply[65536];
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    int64_t end_ms = clock_monotonic_ms() + MEASURE_MS;
    while (clock_monotonic_ms() < end_ms) {
        must(send(fd, c->head, strlen(c->head), 0) > 0);
        must(recv(fd, reply, sizeof reply, 0) > 12);
        must(memcmp(reply, "HTTP/1.1 200", 12) == 0);
        c->count++;
    }
    close(fd);
    return NULL;
}

static void measure(int port, const char *name, const char *head)
{
    struct client clients[CLIENTS] = {{0}};
    long count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].port = port;
        clients[i].head = head;
        must(pthread_create(&clients[i].thread, NULL, run_client,
                            &clients[i]) == 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        count += clients[i].count;
    }
    table_rate(name, 0, (double)count * 1000 / MEASURE_MS, "");
}

static void serve(struct server *s)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    for (int got = 0; sigwait(&signals, &got) == 0;) {
        if (got != SIGHUP)
            break;
        if (server_reload(s))
            fprintf(stderr, "reload failed\n");
    }
}

int main(int argc, char **argv)
{
    struct server *s = NULL;
    struct listener listeners[2] = {
        {"127.0.0.1", 0, false, false},
        {"127.0.0.1", 0, true, true},
    };
    struct server_config config = {.listeners = listeners,
                                   .listener_count = argc > 5 ? 2 : 1,
                                   .handle = handle,
                                   .app = &s};
    if (argc > 2)
        listeners[0].port = (int)strtol(argv[2], NULL, 10);
    if (argc > 5) {
        listeners[1].port = (int)strtol(argv[3], NULL, 10);
        config.cert_path = argv[4];
        config.key_path = argv[5];
    }
    sigset_t signals;
    sigfillset(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (crypto_init() || server_open(&config, &s) || server_start(s))
        return 1;
    int port = server_port(s, 0);
    if (argc > 1) {
        printf("{\"port\":%d,\"tls_port\":%d}\n", port,
               argc > 5 ? server_port(s, 1) : 0);
        fflush(stdout);
        serve(s);
    } else {
        measure(port, "http alone: hello",
                "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        measure(port, "http alone: 200 rows",
                "GET /list HTTP/1.1\r\nHost: a\r\n\r\n");
        measure(port, "http alone: 200 rows, packed",
                "GET /list HTTP/1.1\r\nHost: a\r\n"
                "Accept-Encoding: gzip\r\n\r\n");
    }
    server_close(s, 5000);
    return 0;
}
