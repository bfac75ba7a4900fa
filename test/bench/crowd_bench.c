/* SPDX-License-Identifier: Apache-2.0 */
/* Others at work while a crowd holds connections and says nothing, or little.
 *
 *   crowd_bench         starts $YAGURA serve, with TLS, in a directory of its
 *                       own, and prints its rows
 *   CROWD=1000 ADDRESSES=4 SECONDS=10 crowd_bench     other sizes
 *
 * A quarter of the crowd connects and is silent, a quarter sends a client
 * hello byte by byte, a quarter shakes hands and is silent, a quarter shakes
 * hands and sends the head of a request byte by byte.  Who is closed comes
 * back.  Meanwhile one client asks on a connection that it keeps, and new
 * ones come, each from an address of its own.  At the end the crowd goes, and
 * what the server keeps is looked at for a minute. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/tls.h"
#include "bench/table.h"

#define CROWD_DEFAULT     2000
#define ADDRESSES_DEFAULT 8
#define SECONDS_DEFAULT   20
#define ALONE_SECONDS     5
#define KEPT_PAUSE_MS     20
#define NEW_PAUSE_MS      50
#define TRICKLE_MS        1000
#define BACK_AFTER_MS     100
#define SAMPLES_MAX       16384
#define WAIT_MS           20000

static const char question[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
/* the begin of a record that announces a client hello of 508 bytes */
static const unsigned char slow_hello[] = {22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3};

enum manner { SILENT, SLOW_HELLO, SHAKEN, SLOW_HEAD, MANNERS };
enum state { AWAY, CONNECTING, SHAKING, HERE };

struct guest {
    enum manner manner;
    enum state state;
    int fd;
    char address[24];
    size_t said;
    int64_t next_ms; /* when it speaks, or comes back */
    mbedtls_ssl_context ssl;
    bool has_ssl;
};

struct samples {
    double ms[SAMPLES_MAX];
    size_t count, failed;
};

struct stage {
    int port, pid;
    int count, addresses, seconds;
    struct guest *guests;
    mbedtls_ssl_config config;
    atomic_bool is_over, is_left; /* measuring, the crowd's presence */
    atomic_int here;
    long came; /* how often somebody connected */
    struct samples kept, fresh;
};

static int random_bytes(void *unused, unsigned char *out, size_t len)
{
    (void)unused;
    crypto_random(out, len);
    return 0;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void rest_ms(int64_t ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int number_of(const char *name, int otherwise)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 && n < 100000 ? (int)n : otherwise;
}

/* A socket on its way to the server, from this address. */
static int reach(const struct stage *s, const char *from)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(fd >= 0 && inet_pton(AF_INET, from, &at.sin_addr) == 1);
    must(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    at.sin_port = htons((uint16_t)s->port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ||
        errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

/* ---- the crowd: one thread ---- */

static int guest_send(void *arg, const unsigned char *data, size_t len)
{
    ssize_t n = send(((struct guest *)arg)->fd, data, len, MSG_NOSIGNAL);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
                           : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int guest_receive(void *arg, unsigned char *data, size_t len)
{
    ssize_t n = recv(((struct guest *)arg)->fd, data, len, 0);
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
                           : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void leave(struct stage *s, struct guest *g)
{
    if (g->state == HERE)
        atomic_fetch_sub(&s->here, 1);
    if (g->has_ssl)
        mbedtls_ssl_free(&g->ssl);
    g->has_ssl = false;
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
    g->state = AWAY;
    g->said = 0;
    g->next_ms = clock_monotonic_ms() + BACK_AFTER_MS;
}

static void arrive(struct stage *s, struct guest *g)
{
    g->state = HERE;
    g->next_ms = clock_monotonic_ms() + TRICKLE_MS;
    atomic_fetch_add(&s->here, 1);
}

static void shake(struct stage *s, struct guest *g)
{
    int code = mbedtls_ssl_handshake(&g->ssl);
    if (code == 0)
        arrive(s, g);
    else if (code != MBEDTLS_ERR_SSL_WANT_READ &&
             code != MBEDTLS_ERR_SSL_WANT_WRITE)
        leave(s, g);
}

static void meet(struct stage *s, struct guest *g)
{
    int failed = 0;
    socklen_t len = sizeof failed;
    (void)getsockopt(g->fd, SOL_SOCKET, SO_ERROR, &failed, &len);
    s->came++;
    if (failed) {
        leave(s, g);
    } else if (g->manner == SILENT || g->manner == SLOW_HELLO) {
        arrive(s, g);
    } else {
        mbedtls_ssl_init(&g->ssl);
        g->has_ssl = true;
        must(mbedtls_ssl_setup(&g->ssl, &s->config) == 0);
        must(mbedtls_ssl_set_hostname(&g->ssl, "localhost") == 0);
        mbedtls_ssl_set_bio(&g->ssl, g, guest_send, guest_receive, NULL);
        g->state = SHAKING;
        shake(s, g);
    }
}

/* One more byte, or the same answer of a server that closed. */
static void speak(struct stage *s, struct guest *g)
{
    g->next_ms = clock_monotonic_ms() + TRICKLE_MS;
    if (g->manner == SLOW_HELLO) {
        unsigned char byte =
            g->said < sizeof slow_hello ? slow_hello[g->said] : 0;
        g->said++;
        if (send(g->fd, &byte, 1, MSG_NOSIGNAL) != 1)
            leave(s, g);
    } else if (g->manner == SLOW_HEAD) {
        const unsigned char *byte =
            (const unsigned char *)question + g->said % (sizeof question - 4);
        g->said++;
        if (mbedtls_ssl_write(&g->ssl, byte, 1) != 1)
            leave(s, g);
    }
}

static void hear(struct stage *s, struct guest *g)
{
    unsigned char drop[4096];
    int n = g->has_ssl ? mbedtls_ssl_read(&g->ssl, drop, sizeof drop)
                       : guest_receive(g, drop, sizeof drop);
    if (n <= 0 && n != MBEDTLS_ERR_SSL_WANT_READ &&
        n != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        leave(s, g);
}

static void move(struct stage *s, struct guest *g, short events)
{
    if (g->state == AWAY) {
        if (clock_monotonic_ms() < g->next_ms)
            return;
        g->fd = reach(s, g->address);
        g->state = g->fd < 0 ? AWAY : CONNECTING;
        return;
    }
    if (events & (POLLIN | POLLOUT | POLLHUP | POLLERR)) {
        if (g->state == CONNECTING)
            meet(s, g);
        else if (g->state == SHAKING)
            shake(s, g);
        else
            hear(s, g);
    }
    if (g->state == HERE && clock_monotonic_ms() >= g->next_ms)
        speak(s, g);
}

static void *run_crowd(void *arg)
{
    struct stage *s = arg;
    struct pollfd *wait = calloc((size_t)s->count, sizeof *wait);
    must(wait != NULL);
    while (!atomic_load(&s->is_left)) {
        for (int i = 0; i < s->count; i++) {
            const struct guest *g = &s->guests[i];
            wait[i].fd = g->fd;
            wait[i].events = g->state == CONNECTING ? POLLOUT : POLLIN;
            wait[i].revents = 0;
        }
        (void)poll(wait, (nfds_t)s->count, 20);
        for (int i = 0; i < s->count; i++)
            move(s, &s->guests[i], wait[i].revents);
    }
    for (int i = 0; i < s->count; i++)
        leave(s, &s->guests[i]);
    free(wait);
    return NULL;
}

/* ---- those who are measured ---- */

static struct tls *come(const struct stage *s, const char *from)
{
    struct tls *t = NULL;
    int fd = reach(s, from);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (fd < 0)
        return NULL;
    if (poll(&wait, 1, WAIT_MS) == 1 &&
        tls_connect_unproven(fd, false, WAIT_MS, &t) == OK)
        return t;
    close(fd);
    return NULL;
}

static bool ask(struct tls *t)
{
    char reply[4096];
    return tls_write(t, question, sizeof question - 1, WAIT_MS) > 0 &&
           tls_read(t, reply, sizeof reply, WAIT_MS) > 12 &&
           memcmp(reply, "HTTP/1.1 200", 12) == 0;
}

static void note(struct samples *to, double begun, bool is_good)
{
    if (!is_good)
        to->failed++;
    else if (to->count < SAMPLES_MAX)
        to->ms[to->count++] = now_ms() - begun;
}

/* Where the server ends a kept connection, as it does when it is short of
 * threads, the next one is not what is measured. */
static void *run_kept(void *arg)
{
    struct stage *s = arg;
    struct tls *t = NULL;
    while (!atomic_load(&s->is_over)) {
        if (!t && !(t = come(s, "127.0.9.1"))) {
            s->kept.failed++;
            rest_ms(KEPT_PAUSE_MS);
            continue;
        }
        double begun = now_ms();
        bool is_good = ask(t);
        note(&s->kept, begun, is_good);
        if (!is_good) {
            tls_close(t);
            t = NULL;
        }
        rest_ms(KEPT_PAUSE_MS);
    }
    tls_close(t);
    return NULL;
}

static void *run_fresh(void *arg)
{
    struct stage *s = arg;
    for (int i = 0; !atomic_load(&s->is_over); i++) {
        char from[24];
        (void)snprintf(from, sizeof from, "127.1.%d.%d", i / 250 % 250,
                       1 + i % 250);
        double begun = now_ms();
        struct tls *t = come(s, from);
        note(&s->fresh, begun, t != NULL);
        tls_close(t);
        rest_ms(NEW_PAUSE_MS);
    }
    return NULL;
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void show(struct samples *of, const char *what, const char *goal,
                 const char *goal_of_most)
{
    char name[64];
    if (!of->count)
        must(!"no answer at all");
    qsort(of->ms, of->count, sizeof of->ms[0], compare);
    (void)snprintf(name, sizeof name, "%s: p99 of %zu", what, of->count);
    table_plain(name, of->ms[of->count * 99 / 100], "ms", goal);
    (void)snprintf(name, sizeof name, "%s: most", what);
    table_plain(name, of->ms[of->count - 1], "ms", goal_of_most);
    (void)snprintf(name, sizeof name, "%s: failed", what);
    table_plain(name, (double)of->failed, "", "0");
}

/* A figure of /proc/PID/status. */
static double status_of(int pid, const char *field)
{
    char path[64], line[256];
    double value = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    must(f != NULL);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtod(line + strlen(field) + 1, NULL);
    (void)fclose(f);
    return value;
}

static void show_state(const struct stage *s, const char *when)
{
    char name[64];
    (void)snprintf(name, sizeof name, "resident %s", when);
    table_plain(name, status_of(s->pid, "VmRSS") / 1024, "MB", "");
    (void)snprintf(name, sizeof name, "threads %s", when);
    table_plain(name, status_of(s->pid, "Threads"), "", "");
}

/* ---- the server ---- */

static void become_server(const char *program, const char *dir, int out)
{
    char data[300], key[300], spool[300];
    (void)snprintf(data, sizeof data, "%s/data", dir);
    (void)snprintf(key, sizeof key, "%s/master.key", dir);
    (void)snprintf(spool, sizeof spool, "%s/spool", dir);
    (void)mkdir(spool, 0700);
    char *const words[] = {(char *)(uintptr_t)program,
                           (char[]){"serve"},
                           (char[]){"--data_dir"},
                           data,
                           (char[]){"--master_key"},
                           key,
                           (char[]){"--mail_spool"},
                           spool,
                           (char[]){"--listen"},
                           (char[]){"127.0.0.1:0"},
                           (char[]){"--operator_listen"},
                           (char[]){"127.0.0.1:0"},
                           NULL};
    must(dup2(out, 2) == 2 && dup2(out, 1) == 1);
    execv(program, words);
    _exit(127);
}

/* The port it says in its first "listening" line; from then on its words are
 * dropped by a thread of their own. */
static void *drain(void *arg)
{
    char drop[4096];
    while (fread(drop, 1, sizeof drop, arg) > 0)
        ;
    return NULL;
}

static void start(struct stage *s, const char *dir)
{
    const char *program = getenv("YAGURA");
    int out[2];
    char line[512];
    pthread_t drainer;
    must(pipe(out) == 0);
    s->pid = fork();
    must(s->pid >= 0);
    if (s->pid == 0)
        become_server(program ? program : "build/yagura", dir, out[1]);
    close(out[1]);
    FILE *said = fdopen(out[0], "re");
    must(said != NULL);
    for (int listeners = 0; listeners < 2;) {
        must(fgets(line, sizeof line, said) != NULL);
        const char *port = strstr(line, "port=");
        if (!strstr(line, "listening ") || !port)
            continue;
        if (listeners++ == 0)
            s->port = (int)strtol(port + strlen("port="), NULL, 10);
    }
    must(pthread_create(&drainer, NULL, drain, said) == 0);
    pthread_detach(drainer);
}

static void gather(struct stage *s)
{
    s->guests = calloc((size_t)s->count, sizeof s->guests[0]);
    must(s->guests != NULL);
    for (int i = 0; i < s->count; i++) {
        struct guest *g = &s->guests[i];
        g->manner = (enum manner)(i / s->addresses % MANNERS);
        g->fd = -1;
        (void)snprintf(g->address, sizeof g->address, "127.0.0.%d",
                       10 + i % s->addresses % 200);
    }
    mbedtls_ssl_config_init(&s->config);
    must(mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_CLIENT,
                                     MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&s->config, random_bytes, NULL);
}

static void ask_for(struct stage *s, int seconds)
{
    pthread_t kept, fresh;
    s->kept = s->fresh = (struct samples){{0}, 0, 0};
    atomic_store(&s->is_over, false);
    must(pthread_create(&kept, NULL, run_kept, s) == 0);
    must(pthread_create(&fresh, NULL, run_fresh, s) == 0);
    rest_ms(seconds * 1000);
    atomic_store(&s->is_over, true);
    pthread_join(kept, NULL);
    pthread_join(fresh, NULL);
}

/* The same without the crowd first, for what the machine does besides; then
 * from the crowd's first moment on, as its coming is part of it. */
static void measure(struct stage *s)
{
    pthread_t crowd;
    ask_for(s, ALONE_SECONDS);
    show(&s->kept, "alone, kept connection", "", "");
    show(&s->fresh, "alone, handshake", "", "");
    must(pthread_create(&crowd, NULL, run_crowd, s) == 0);
    ask_for(s, s->seconds);
    show_state(s, "beside the crowd");
    table_plain("the crowd's connections then", atomic_load(&s->here), "", "");
    show(&s->kept, "beside it, kept connection", "100 ms", "");
    show(&s->fresh, "beside it, handshake", "300 ms", "1,000 ms");
    atomic_store(&s->is_left, true);
    pthread_join(crowd, NULL);
}

int main(void)
{
    static struct stage stage;
    struct stage *s = &stage;
    struct rlimit files = {65536, 65536};
    char dir[] = "/tmp/yagura-crowd-XXXXXX", name[64];
    (void)setrlimit(RLIMIT_NOFILE, &files);
    must(crypto_init() == OK && mkdtemp(dir) != NULL);
    s->count = number_of("CROWD", CROWD_DEFAULT);
    s->addresses = number_of("ADDRESSES", ADDRESSES_DEFAULT);
    s->seconds = number_of("SECONDS", SECONDS_DEFAULT);
    start(s, dir);
    gather(s);
    rest_ms(1000);
    double before = status_of(s->pid, "VmRSS");
    (void)snprintf(name, sizeof name, "%d TLS connections of %d addresses",
                   s->count, s->addresses);
    table_plain(name, 0, "", "");
    show_state(s, "before");
    measure(s);
    table_plain("connections of the crowd in all", (double)s->came, "", "");
    rest_ms(60000);
    show_state(s, "a minute after");
    table_plain("resident, of what it was before",
                100 * status_of(s->pid, "VmRSS") / before, "%", "125 %");
    kill(s->pid, SIGTERM);
    (void)waitpid(s->pid, NULL, 0);
    (void)snprintf(name, sizeof name, "rm -rf %s", dir);
    return system(name) == 0 ? 0 : 1;
}
