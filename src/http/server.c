/* SPDX-License-Identifier: Apache-2.0 */
/* The web server: civetweb, wired to the modules beside this file.
 *
 * A request passes: admission (by the accepting thread), a worker takes the
 * connection up, TLS, the raw head is judged, request_begin(), the handler,
 * reply_send().  The hard part is stopping: requests in hand are finished
 * within the deadline while nothing new comes in, and only then are the
 * silent connections cut, for civetweb's own stop would cut both at once. */
#include "http/server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/log.h"
#include "http/listen.h"
#include "http/server_wire.h"

#define THREADS_DEFAULT 2048
#define SPARE_FILES     256 /* for databases, logs, mail */
#define ARENA_BYTES     ((size_t)256 * 1024 * 1024)

struct door {
    int fd, port; /* fd -1: not open yet */
    struct ip_address at;
    bool is_tls, is_https;
};

struct server {
    request_fn *handle;
    void *app;
    struct mg_context *mg;
    struct connection_limit *admission;
    struct proxy_list proxies;
    bool owns_domain;
    struct door *doors;
    size_t door_count;
    bool owns_doors; /* until civetweb does */
    int threads;
    char *tls_paths; /* "cert\nkey", NULL without TLS */
    atomic_bool is_closing;
    _Atomic int64_t requests, refused_heads, shed, handshakes,
        failed_handshakes;
    _Atomic int64_t logged_s; /* last second civetweb was let to log */
};

bool server_wants_close(const struct server *s)
{
    return atomic_load_explicit(&s->is_closing, memory_order_relaxed) ||
           connection_limit_is_busy(s->admission);
}

bool server_owns_domain(const struct server *s)
{
    return s->owns_domain;
}

const struct proxy_list *server_proxies(const struct server *s)
{
    return &s->proxies;
}

/* ---- civetweb's callbacks ---- */

static int hand_socket(const struct mg_context *mg, int n, int *is_ssl)
{
    const struct server *s = mg_get_user_data(mg);
    if ((size_t)n >= s->door_count)
        return -1;
    *is_ssl = s->doors[n].is_tls;
    return s->doors[n].fd;
}

/* What is said in the clear stays on this machine, or goes to a proxy that the
 * operator named. */
static bool may_speak(const struct door *d, const struct ip_address *from,
                      bool is_proxy)
{
    return d->is_tls || is_proxy || ip_address_is_loopback(from) ||
           memcmp(from, &d->at, sizeof *from) == 0;
}

static int admit(const struct mg_context *mg, const void *sockaddr,
                 int listener)
{
    struct server *s = mg_get_user_data(mg);
    struct ip_address from;
    int tag = -1;
    const struct door *d = &s->doors[listener];
    bool is_known = ip_address_read(sockaddr, &from);
    bool is_proxy = is_known && proxy_is_trusted(&s->proxies, &from);
    if (is_known && may_speak(d, &from, is_proxy))
        tag = connection_limit_enter(s->admission, &from, is_proxy, d->is_tls,
                                     clock_monotonic_ms());
    if (tag < 0)
        atomic_fetch_add(&s->shed, 1);
    return tag;
}

static void drop(const struct mg_context *mg, int tag)
{
    struct server *s = mg_get_user_data(mg);
    connection_limit_leave(s->admission, tag);
    atomic_fetch_add(&s->shed, 1);
}

static void *begin_thread(const struct mg_context *mg, int type)
{
    struct server *s = mg_get_user_data(mg);
    if (type != 1)
        return NULL;
    struct worker *w = calloc(1, sizeof *w);
    must(w != NULL);
    w->server = s;
    w->seat = connection_limit_take_seat(s->admission);
    crypto_random(&w->id_state, sizeof w->id_state);
    return w;
}

static void end_thread(const struct mg_context *mg, int type, void *pointer)
{
    (void)mg;
    struct worker *w = pointer;
    if (type != 1)
        return;
    connection_limit_leave_seat(w->seat);
    arena_close(w->mem);
    free(w);
}

static void rest_thread(const struct mg_context *mg, void *pointer)
{
    (void)mg;
    struct worker *w = pointer;
    arena_close(w->mem);
    w->mem = NULL;
    heap_rest();
}

static void attach(const struct mg_connection *conn, const void *sockaddr,
                   int fd, int listener, int tag)
{
    struct worker *w = mg_get_thread_pointer(conn);
    w->listener = listener;
    w->tag = tag;
    w->is_tls = w->server->doors[listener].is_tls;
    w->is_https = w->server->doors[listener].is_https;
    w->is_shaking = w->is_tls;
    (void)ip_address_read(sockaddr, &w->peer); /* admit() has read it too */
    if (w->is_tls)
        atomic_fetch_add(&w->server->handshakes, 1);
    seat_attach(w->seat, fd, tag, clock_monotonic_ms());
}

static int note_ready(const struct mg_connection *conn, void **data)
{
    ((struct worker *)mg_get_thread_pointer(conn))->is_shaking = false;
    *data = NULL;
    return 0;
}

static void end_request(const struct mg_connection *conn, int status)
{
    (void)status;
    struct worker *w = mg_get_thread_pointer(conn);
    w->is_in_hand = false;
    seat_wait(w->seat, clock_monotonic_ms());
}

static void before_close(const struct mg_connection *conn)
{
    seat_detach(((struct worker *)mg_get_thread_pointer(conn))->seat);
}

static void after_close(const struct mg_connection *conn)
{
    struct worker *w = mg_get_thread_pointer(conn);
    if (w->is_in_hand)
        end_request(conn, 0);
    seat_detach(w->seat);
    if (w->is_shaking)
        atomic_fetch_add(&w->server->failed_handshakes, 1);
    w->is_shaking = false;
    connection_limit_leave(w->server->admission, w->tag);
}

static int check_head(struct mg_connection *conn, const char *text, size_t len)
{
    struct worker *w = mg_get_thread_pointer(conn);
    int status = request_head_check(text, len, &w->head);
    if (status) {
        atomic_fetch_add(&w->server->refused_heads, 1);
        reply_refuse(conn, status, w->is_https);
        return status;
    }
    w->is_in_hand = true;
    seat_work(w->seat);
    return 0;
}

/* Heads that are too long, too slow or no text at all do not get as far as
 * check_head(). */
static int refuse(struct mg_connection *conn, int status, const char *message)
{
    (void)message;
    struct worker *w = mg_get_thread_pointer(conn);
    atomic_fetch_add(&w->server->refused_heads, 1);
    reply_refuse(conn, status == 413 ? 431 : status, w->is_https);
    return 0;
}

static int serve(struct mg_connection *conn)
{
    struct worker *w = mg_get_thread_pointer(conn);
    struct server *s = w->server;
    if (!w->mem)
        w->mem = arena_open(ARENA_BYTES);
    atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
    struct request r;
    request_begin(&r, conn);
    struct reply out = {.status = 200};
    out.body = buf_in(w->mem);
    out.head = buf_in(w->mem);
    s->handle(s->app, &r, &out);
    reply_send(&r, &out);
    arena_reset(w->mem);
    return out.status;
}

/* One line a second: what civetweb says repeats itself under attack. */
static int log_message(const struct mg_connection *conn, const char *message)
{
    const struct mg_context *mg = mg_get_context(conn);
    struct server *s = mg ? mg_get_user_data(mg) : NULL;
    int64_t now_s = clock_monotonic_ms() / 1000;
    if (!s || atomic_exchange(&s->logged_s, now_s) != now_s)
        log_warn("civetweb %s", message);
    return 1;
}

/* ---- opening and closing ---- */

/* What is inherited goes before what is opened: a socket that is nobody's is
 * told as such, and not as a port that cannot be had. */
static enum err open_doors(struct server *s, const struct server_config *config)
{
    struct inherited from;
    s->doors = calloc(config->listener_count, sizeof s->doors[0]);
    must(s->doors != NULL);
    listen_find_inherited(&from);
    for (; s->door_count < config->listener_count; s->door_count++)
        s->doors[s->door_count].fd =
            listen_take(&from, &config->listeners[s->door_count]);
    enum err e = listen_refuse_rest(&from);
    for (size_t i = 0; i < s->door_count && !e; i++) {
        const struct listener *l = &config->listeners[i];
        struct door *d = &s->doors[i];
        if (d->fd < 0 && (e = listen_open(l, &d->fd)))
            return e;
        d->is_tls = l->is_tls;
        d->is_https = l->is_https;
        d->port = listen_port(d->fd);
        (void)ip_address_parse(l->address, &d->at);
        if (!d->is_tls || s->tls_paths)
            continue;
        if (!config->cert_path || !config->key_path)
            return ERR_INVALID;
        if (asprintf(&s->tls_paths, "%s\n%s", config->cert_path,
                     config->key_path) < 0)
            must(!"memory");
    }
    return e;
}

static void free_server(struct server *s)
{
    for (size_t i = 0; s->owns_doors && i < s->door_count; i++)
        if (s->doors[i].fd >= 0)
            close(s->doors[i].fd);
    connection_limit_close(s->admission);
    proxy_free(&s->proxies);
    free(s->doors);
    free(s->tls_paths);
    free(s);
}

enum err server_start(struct server *s)
{
    const struct mg_callbacks callbacks = {
        .begin_request = serve,
        .end_request = end_request,
        .log_message = log_message,
        .connection_close = before_close,
        .connection_closed = after_close,
        .http_error = refuse,
        .init_thread = begin_thread,
        .exit_thread = end_thread,
        .init_connection = note_ready,
        .listen_socket = hand_socket,
        .admit = admit,
        .dropped = drop,
        .attach = attach,
        .rest = rest_thread,
        .check_head = check_head,
    };
    char count[16];
    (void)snprintf(count, sizeof count, "%d", s->threads);
    const char *options[][2] = {
        {"listening_ports", s->tls_paths ? "0s" : "0"},
        {"num_threads", count},
        {"connection_queue", "512"},
        {"request_timeout_ms", "5000"},
        {"enable_keep_alive", "yes"},
        {"keep_alive_timeout_ms", "5000"},
        {"max_request_size", "16384"},
        {"decode_url", "no"},
        {"enable_auth_domain_check", "no"},
        {s->tls_paths ? "ssl_certificate" : NULL, s->tls_paths},
        {NULL, NULL},
    };
    char text[256] = "";
    struct mg_error_data error = {.text = text,
                                  .text_buffer_size = sizeof text};
    struct mg_init_data init = {
        .callbacks = &callbacks,
        .user_data = s,
        .configuration_options = &options[0][0],
    };
    mg_init_library(MG_FEATURES_TLS);
    s->mg = mg_start2(&init, &error);
    s->owns_doors = !s->mg;
    if (s->mg)
        return OK;
    log_error("server cannot start: %s", text);
    mg_exit_library();
    return ERR_INVALID;
}

/* Each connection is a descriptor; some must be left for everything else. */
static int fit_threads(int wanted)
{
    int files = listen_raise_files();
    int threads = wanted > 0 ? wanted : THREADS_DEFAULT;
    if (threads <= files - SPARE_FILES)
        return threads;
    int fit = files > 2 * SPARE_FILES ? files - SPARE_FILES : SPARE_FILES / 4;
    log_warn("server threads=%d for lack of open files (limit %d)", fit, files);
    return fit;
}

enum err server_open(const struct server_config *config, struct server **out)
{
    struct server *s = calloc(1, sizeof *s);
    must(s != NULL && config->handle && config->listener_count > 0);
    s->handle = config->handle;
    s->app = config->app;
    s->owns_doors = true;
    s->threads = fit_threads(config->max_threads);
    s->owns_domain = config->owns_domain;
    s->admission = connection_limit_open(s->threads);
    enum err e = proxy_init(&s->proxies, config->trusted_proxies);
    if (!e)
        e = open_doors(s, config);
    if (e)
        free_server(s);
    else
        *out = s;
    return e;
}

int server_port(const struct server *s, int listener)
{
    must(listener >= 0 && (size_t)listener < s->door_count);
    return s->doors[listener].port;
}

void server_close(struct server *s, int deadline_ms)
{
    if (!s)
        return;
    int64_t deadline = clock_monotonic_ms() + deadline_ms;
    atomic_store(&s->is_closing, true);
    if (!s->mg) {
        free_server(s);
        return;
    }
    mg_drain(s->mg);
    while (connection_limit_working(s->admission) > 0 &&
           clock_monotonic_ms() < deadline) {
        const struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
    }
    connection_limit_shut(s->admission);
    mg_stop(s->mg);
    mg_exit_library();
    free_server(s);
}

enum err server_reload(struct server *s)
{
    if (!s->tls_paths || mg_reload_tls(s->mg, s->tls_paths) == 0)
        return OK;
    return ERR_INVALID;
}

void server_stats(const struct server *s, struct server_stats *out)
{
    *out = (struct server_stats){
        .requests = atomic_load(&s->requests),
        .refused_heads = atomic_load(&s->refused_heads),
        .shed = atomic_load(&s->shed),
        .handshakes = atomic_load(&s->handshakes),
        .failed_handshakes = atomic_load(&s->failed_handshakes),
        .connections = connection_limit_connections(s->admission),
        .threads = mg_count_threads(s->mg),
        .max_threads = connection_limit_workers(s->admission),
        .busy_threads = connection_limit_working(s->admission),
        .waiting = connection_limit_waiting(s->admission),
    };
}
