/* SPDX-License-Identifier: Apache-2.0 */
/* The whole server beside its limits, measured in the same run: civetweb
 * alone running the same statement on plain SQLite and sending the same
 * bytes, and SQLite alone committing the same rows.  $YAGURA is started as a
 * demo and asked as a browser would. */
#include "base/clock.h"
#include "base/err.h"
#include "bench/table.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <dirent.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 8, CROWD = 32, ROWS = 10000, BATCH = 2000 };
/* Limit and figure take turns: what else the machine does meets both. */
enum { ROUNDS = 6, ROUND_MS = 500 };
enum { REPLY_MAX = 1 << 21, WHAT_COUNT = 4, TIMES_MAX = 1 << 16 };
enum what { LIST, TICKET, SEARCH, CREATE };

/* ---- a client ---- */

struct client {
    int fd;
    char *reply;
    size_t len, head;
};

static void client_open(struct client *c, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->reply = malloc(REPLY_MAX);
    must(c->reply && connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0);
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void client_close(struct client *c)
{
    (void)close(c->fd);
    free(c->reply);
}

/* The whole reply to a whole request; the status. */
static int ask(struct client *c, const char *request, size_t size)
{
    size_t wanted = 0;

    c->len = c->head = 0;
    while (size > 0) {
        ssize_t n = send(c->fd, request, size, MSG_NOSIGNAL);
        must(n > 0);
        request += n;
        size -= (size_t)n;
    }
    while (!c->head || c->len < c->head + wanted) {
        must(c->len < REPLY_MAX - 1);
        ssize_t n = recv(c->fd, c->reply + c->len, REPLY_MAX - 1 - c->len, 0);
        must(n > 0);
        c->len += (size_t)n;
        c->reply[c->len] = 0;
        const char *end = c->head ? NULL : strstr(c->reply, "\r\n\r\n");
        const char *length = end ? strstr(c->reply, "Content-Length: ") : NULL;
        if (end)
            c->head = (size_t)(end + 4 - c->reply);
        if (length)
            wanted = strtoul(length + 16, NULL, 10);
    }
    return (int)strtol(c->reply + 9, NULL, 10);
}

/* As a browser: what the access log keeps is as long as in life. */
static const char agent[] =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36";

static size_t write_request(char *out, size_t size, const char *method,
                            const char *path, const char *cookie,
                            const char *body)
{
    int n = snprintf(out, size,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nX-Req: 1\r\n"
                     "Cookie: %s\r\nContent-Type: application/json\r\n"
                     "User-Agent: %s\r\nContent-Length: %zu\r\n\r\n%s",
                     method, path, cookie, agent, strlen(body), body);

    must(n > 0 && (size_t)n < size);
    return (size_t)n;
}

/* ---- the server under test ---- */

struct site {
    pid_t pid;
    int port;
    char dir[64], email[128], password[64], cookie[256], project[24];
    char request[WHAT_COUNT][2048];
    size_t size[WHAT_COUNT];
    char *reply[WHAT_COUNT]; /* what the limit sends as well */
    size_t reply_len[WHAT_COUNT];
};

static void cut(const char *text, const char *before, const char *stop,
                char *out, size_t size)
{
    const char *at = strstr(text, before);

    must(at);
    at += strlen(before);
    size_t len = strcspn(at, stop);
    must(len < size);
    memcpy(out, at, len);
    out[len] = 0;
}

static void start_demo(struct site *s)
{
    char line[8192] = "", port[8];
    char data[80];
    int out[2];
    size_t len = 0;

    (void)snprintf(s->dir, sizeof s->dir, "/tmp/yagura-bench-XXXXXX");
    must(mkdtemp(s->dir) && pipe(out) == 0);
    (void)snprintf(data, sizeof data, "%s/data", s->dir);
    s->pid = fork();
    must(s->pid >= 0);
    if (s->pid == 0) {
        const char *yagura = getenv("YAGURA");
        (void)dup2(out[1], 1);
        execl(yagura ? yagura : "build/yagura", "yagura", "demo", "--json",
              "--port", "0", "--data", data, (char *)NULL);
        _exit(127);
    }
    (void)close(out[1]);
    while (!strchr(line, '\n')) {
        ssize_t n = read(out[0], line + len, sizeof line - 1 - len);
        must(n > 0);
        len += (size_t)n;
        line[len] = 0;
    }
    cut(line, "localhost:", "/", port, sizeof port);
    cut(line, "\"email\":\"", "\"", s->email, sizeof s->email);
    cut(line, "\"password\":\"", "\"", s->password, sizeof s->password);
    s->port = (int)strtol(port, NULL, 10);
}

static int call(struct site *s, struct client *c, const char *method,
                const char *path, const char *body)
{
    size_t size = strlen(body) + 2048;
    char *request = malloc(size);
    char full[256];

    must(request);
    (void)snprintf(full, sizeof full, "/t/kaku/api/v1%s", path);
    size = write_request(request, size, method, full, s->cookie, body);
    int status = ask(c, request, size);
    free(request);
    return status;
}

static void take_cookie(struct site *s, struct client *c)
{
    cut(c->reply, "Set-Cookie: ", ";", s->cookie, sizeof s->cookie);
}

/* The mailed code stands alone on an indented line. */
static void sign_in(struct site *s, struct client *c)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    char body[512], code[16];
    const char *at = NULL;

    (void)snprintf(body, sizeof body, "{\"email\":\"%s\",\"password\":\"%s\"}",
                   s->email, s->password);
    must(call(s, c, "POST", "/sign-in", body) == 200);
    take_cookie(s, c);
    for (;;) {
        must(call(s, c, "GET", "/demo/mail", "") == 200);
        for (at = c->reply; (at = strstr(at, "\\n    ")); at++)
            if (strspn(at + 6, "0123456789") == 8)
                break;
        if (at)
            break;
        nanosleep(&pause, NULL);
    }
    (void)snprintf(code, sizeof code, "%.8s", at + 6);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    must(call(s, c, "POST", "/sign-in/code", body) == 200);
    take_cookie(s, c);
}

static void fill_site(struct site *s, struct client *c)
{
    char path[80];
    char *body = malloc((size_t)BATCH * 256);

    must(body && call(s, c, "POST", "/projects",
                      "{\"key\":\"BENCH\",\"name\":\"bench\","
                      "\"approach\":\"waterfall\"}") == 201);
    cut(c->reply + c->head, "\"id\":\"", "\"", s->project, sizeof s->project);
    (void)snprintf(path, sizeof path, "/projects/%s/edits", s->project);
    /* each thousandth row is about something else: the rare word */
    for (int i = 0; i < ROWS; i += BATCH) {
        size_t size = (size_t)BATCH * 256, len = 0;
        len += (size_t)snprintf(body, size, "{\"edits\":[");
        for (int n = i; n < i + BATCH; n++)
            len += (size_t)snprintf(
                body + len, size - len,
                "%s{\"op\":\"create\",\"ref\":\"t%d\",\"subject\":"
                "\"%s %d\",\"classification\":\"task\","
                "\"planned_start\":\"2026-12-01\","
                "\"planned_end\":\"2026-12-03\"}",
                n > i ? "," : "", n,
                n % 1000 == 999 ? "倉庫の棚卸" : "要件定義と設計", n);
        (void)snprintf(body + len, size - len, "]}");
        must(call(s, c, "POST", path, body) == 200);
    }
    free(body);
}

static void prepare(struct site *s, struct client *c, enum what what,
                    const char *method, const char *path, const char *body)
{
    char full[256];

    (void)snprintf(full, sizeof full, "/t/kaku/api/v1%s", path);
    s->size[what] = write_request(s->request[what], sizeof s->request[what],
                                  method, full, s->cookie, body);
    must(ask(c, s->request[what], s->size[what]) / 100 == 2);
    s->reply[what] = malloc(c->len + 1);
    must(s->reply[what]);
    memcpy(s->reply[what], c->reply, c->len + 1);
    s->reply_len[what] = c->len;
}

static void prepare_all(struct site *s, struct client *c)
{
    char path[80];

    (void)snprintf(path, sizeof path, "/projects/%s/tickets?limit=50",
                   s->project);
    prepare(s, c, LIST, "GET", path, "");
    prepare(s, c, TICKET, "GET", "/tickets/BENCH-5000", "");
    prepare(s, c, SEARCH, "GET", "/search?q=%E6%A3%9A%E5%8D%B8", ""); /* 棚卸 */
    path[strcspn(path, "?")] = 0;
    prepare(s, c, CREATE, "POST", path,
            "{\"subject\":\"要件定義と設計\",\"classification\":\"task\","
            "\"planned_start\":\"2026-12-01\",\"planned_end\":\"2026-12-03\"}");
}

/* ---- the limit: SQLite, plain, and civetweb, bare ---- */

static const char limit_schema[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE project (id INTEGER PRIMARY KEY, key TEXT, last_no INT);"
    "CREATE TABLE classification (id INTEGER PRIMARY KEY, key TEXT);"
    "CREATE TABLE status (id INTEGER PRIMARY KEY, category INT);"
    "CREATE TABLE ticket (id INTEGER PRIMARY KEY, project_id INT, no INT,"
    " classification_id INT, status_id INT, subject TEXT, details TEXT,"
    " priority INT, parent_id INT, rank INT, planned_start INT,"
    " planned_end INT, progress INT, assignee_id INT, updated_at INT,"
    " version INT, revision INT, deleted_at INT);"
    "CREATE UNIQUE INDEX ticket_no ON ticket(project_id, no);"
    "CREATE INDEX ticket_parent ON ticket(parent_id, rank);"
    "CREATE INDEX ticket_plan ON ticket(project_id, parent_id, rank);"
    "CREATE INDEX ticket_revision ON ticket(project_id, revision);"
    "CREATE INDEX ticket_updated ON ticket(project_id, updated_at, id)"
    " WHERE deleted_at IS NULL;"
    "CREATE INDEX ticket_assignee ON ticket(assignee_id, planned_end);"
    "CREATE VIRTUAL TABLE ticket_search USING fts5(text, content = '');"
    "CREATE TABLE operation (seq INTEGER PRIMARY KEY, at INT, user_id INT,"
    " user_name TEXT, ip TEXT, request_id TEXT, action TEXT, kind TEXT,"
    " object_id INT, object_name TEXT, before TEXT, after TEXT, hash BLOB);"
    "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE assignee (ticket_id INT, rank INT, user_id INT,"
    " PRIMARY KEY (ticket_id, rank)) WITHOUT ROWID;"
    "CREATE TABLE label (ticket_id INT, label_id INT,"
    " PRIMARY KEY (ticket_id, label_id)) WITHOUT ROWID;"
    "CREATE TABLE dependency (id INTEGER PRIMARY KEY, predecessor_id INT,"
    " successor_id INT, kind INT, lag INT);"
    "CREATE INDEX dependency_from ON dependency(predecessor_id);"
    "CREATE INDEX dependency_to ON dependency(successor_id);"
    "INSERT INTO user VALUES (1, '佐藤 健一');"
    "INSERT INTO project VALUES (1, 'BENCH', 10000);"
    "INSERT INTO classification VALUES (1, 'task');"
    "INSERT INTO status VALUES (1, 0);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
    " WHERE i < 10000) INSERT INTO ticket SELECT i, 1, i, 1, 1,"
    " '要件定義と設計 ' || i, '', 2, NULL, i * 1024, 20788, 20790, 0, NULL, i,"
    " 1, i, NULL FROM n;"
    "INSERT INTO ticket_search (rowid, text) SELECT id, CASE WHEN id % 1000 ="
    " 0 THEN '倉庫 庫の の棚 棚卸' ELSE '要件 件定 定義 義と と設 設計' END"
    " FROM ticket;";

enum { STEPS_MAX = 6 };
static const char *const limit_text[][STEPS_MAX] = {
    [LIST] =
        {"SELECT t.id, p.key, t.no, t.subject, k.key, t.status_id, t.priority,"
         " t.parent_id, t.planned_start, t.planned_end, t.progress,"
         " t.updated_at, t.version, t.assignee_id, s.category"
         " FROM ticket t INDEXED BY ticket_updated"
         " JOIN project p ON p.id = t.project_id"
         " JOIN classification k ON k.id = t.classification_id"
         " JOIN status s ON s.id = t.status_id"
         " WHERE t.project_id = 1 AND t.deleted_at IS NULL"
         " ORDER BY t.updated_at DESC, t.id DESC LIMIT 51"},
    /* the row, its people, links both ways, what is below, labels */
    [TICKET] =
        {"SELECT t.*, k.key, s.category, p.key, u.name FROM ticket t"
         " JOIN project p ON p.id = t.project_id JOIN classification k"
         " ON k.id = t.classification_id JOIN status s ON s.id = t.status_id"
         " LEFT JOIN user u ON u.id = t.assignee_id"
         " WHERE t.project_id = 1 AND t.no = 5000",
         "SELECT a.user_id, u.name FROM assignee a JOIN user u"
         " ON u.id = a.user_id WHERE a.ticket_id = 5000 ORDER BY a.rank",
         "SELECT d.id, t.no, t.subject, d.kind, d.lag FROM dependency d"
         " JOIN ticket t ON t.id = d.predecessor_id"
         " WHERE d.successor_id = 5000",
         "SELECT d.id, t.no, t.subject, d.kind, d.lag FROM dependency d"
         " JOIN ticket t ON t.id = d.successor_id"
         " WHERE d.predecessor_id = 5000",
         "SELECT id, no, subject, status_id, progress FROM ticket"
         " WHERE parent_id = 5000 AND deleted_at IS NULL ORDER BY rank",
         "SELECT label_id FROM label WHERE ticket_id = 5000"},
    [SEARCH] = {"SELECT t.id, p.key, t.no, t.subject, p.id FROM ticket_search f"
                " JOIN ticket t ON t.id = f.rowid JOIN project p"
                " ON p.id = t.project_id WHERE f.text MATCH '棚卸'"
                " ORDER BY f.rowid DESC LIMIT 50"},
};

/* The rows that one new ticket is: itself, its number, its words to search
 * by, its line of the log. */
static const char *const create_text[] = {
    "BEGIN IMMEDIATE",
    "UPDATE project SET last_no = last_no + 1 WHERE id = 1",
    "INSERT INTO ticket SELECT NULL, 1, last_no, 1, 1, '要件定義と設計', '', 2,"
    " NULL, last_no * 1024, 20788, 20790, 0, NULL, 1, 1, last_no, NULL"
    " FROM project WHERE id = 1",
    "INSERT INTO ticket_search (rowid, text) SELECT max(id),"
    " '要件 件定 定義 義と と設 設計' FROM ticket",
    "INSERT INTO operation VALUES (NULL, 1, 1, '佐藤 健一', '127.0.0.1',"
    " '0123456789abcdef', 'create', 'ticket', 1, 'BENCH-1 要件定義と設計',"
    " NULL, '{\"subject\":\"要件定義と設計\",\"classification\":\"task\","
    "\"planned_start\":\"2026-12-01\",\"planned_end\":\"2026-12-03\"}',"
    " randomblob(32))",
    "COMMIT",
};

struct limit {
    char path[96];
    const struct site *site;
    pthread_mutex_t writing;
    sqlite3 *writer;
    sqlite3_stmt *create[COUNT(create_text)];
};
static _Thread_local sqlite3 *reading;
static _Thread_local sqlite3_stmt *reader[CREATE][STEPS_MAX];

static sqlite3 *open_plain(const char *path)
{
    sqlite3 *db;

    must(sqlite3_open(path, &db) == SQLITE_OK);
    must(sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL) ==
         SQLITE_OK);
    return db;
}

static void open_limit(struct limit *l, const struct site *s)
{
    l->site = s;
    (void)snprintf(l->path, sizeof l->path, "%s/limit.db", s->dir);
    must(pthread_mutex_init(&l->writing, NULL) == 0);
    l->writer = open_plain(l->path);
    must(sqlite3_exec(l->writer, limit_schema, NULL, NULL, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(create_text); i++)
        must(sqlite3_prepare_v2(l->writer, create_text[i], -1, &l->create[i],
                                NULL) == SQLITE_OK);
}

static void commit_one(struct limit *l)
{
    for (size_t i = 0; i < COUNT(create_text); i++) {
        must(sqlite3_step(l->create[i]) == SQLITE_DONE);
        (void)sqlite3_reset(l->create[i]);
    }
}

static void read_rows(const struct limit *l, enum what what)
{
    if (!reading)
        reading = open_plain(l->path);
    for (int n = 0; n < STEPS_MAX && limit_text[what][n]; n++) {
        sqlite3_stmt **q = &reader[what][n];
        if (!*q)
            must(sqlite3_prepare_v2(reading, limit_text[what][n], -1, q,
                                    NULL) == SQLITE_OK);
        while (sqlite3_step(*q) == SQLITE_ROW)
            for (int i = 0; i < sqlite3_column_count(*q); i++)
                (void)sqlite3_column_text(*q, i);
        (void)sqlite3_reset(*q);
    }
}

static int handle(struct mg_connection *conn, void *arg)
{
    struct limit *l = arg;
    const struct mg_request_info *info = mg_get_request_info(conn);
    enum what what = strcmp(info->request_method, "POST") == 0 ? CREATE
                     : strstr(info->local_uri, "/projects/")   ? LIST
                     : strstr(info->local_uri, "/search")      ? SEARCH
                                                               : TICKET;
    char body[2048];

    while (info->content_length > 0 && mg_read(conn, body, sizeof body) > 0)
        ;
    if (what == CREATE) {
        (void)pthread_mutex_lock(&l->writing);
        commit_one(l);
        (void)pthread_mutex_unlock(&l->writing);
    } else {
        read_rows(l, what);
    }
    (void)mg_write(conn, l->site->reply[what], l->site->reply_len[what]);
    return (int)strtol(l->site->reply[what] + 9, NULL, 10);
}

/* ---- the least that civetweb, as we patch it, must be given ---- */

static int limit_socket = -1;

static int give_socket(const struct mg_context *mg, int n, int *is_ssl)
{
    (void)mg;
    *is_ssl = 0;
    return n == 0 ? limit_socket : -1;
}

static int admit_all(const struct mg_context *mg, const void *from,
                     int listener)
{
    (void)mg, (void)from, (void)listener;
    return 0;
}

static void drop_none(const struct mg_context *mg, int tag)
{
    (void)mg, (void)tag;
}

static void attach_none(const struct mg_connection *conn, const void *from,
                        int sock, int listener, int tag)
{
    (void)conn, (void)from, (void)sock, (void)listener, (void)tag;
}

static int trust_head(struct mg_connection *conn, const char *head, size_t len)
{
    (void)conn, (void)head, (void)len;
    return 0;
}

static int handle_first(struct mg_connection *conn)
{
    return handle(conn, mg_get_user_data(mg_get_context(conn)));
}

static int open_socket(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    limit_socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must(limit_socket >= 0 &&
         bind(limit_socket, (struct sockaddr *)&at, len) == 0 &&
         listen(limit_socket, 128) == 0 &&
         getsockname(limit_socket, (struct sockaddr *)&at, &len) == 0);
    return ntohs(at.sin_port);
}

static struct mg_context *start_civetweb(struct limit *l, int *port)
{
    static const char *options[] = {"listening_ports",
                                    "0",
                                    "num_threads",
                                    "40",
                                    "connection_queue",
                                    "512",
                                    "enable_keep_alive",
                                    "yes",
                                    "tcp_nodelay",
                                    "1",
                                    "keep_alive_timeout_ms",
                                    "5000",
                                    "request_timeout_ms",
                                    "5000",
                                    NULL};
    static const struct mg_callbacks least = {.begin_request = handle_first,
                                              .listen_socket = give_socket,
                                              .admit = admit_all,
                                              .dropped = drop_none,
                                              .attach = attach_none,
                                              .check_head = trust_head};

    *port = open_socket();
    must(mg_init_library(MG_FEATURES_TLS) != 0);
    struct mg_context *mg = mg_start(&least, l, options);
    must(mg != NULL);
    return mg;
}

/* ---- measuring ---- */

struct load {
    pthread_t thread;
    int port;
    const char *request;
    size_t size;
    int64_t end_ms;
    long count;
    float *times; /* milliseconds of each, or NULL */
};

static double now_ms(void)
{
    struct timespec t;

    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void *run_load(void *arg)
{
    struct load *load = arg;
    struct client c;

    client_open(&c, load->port);
    for (; clock_monotonic_ms() < load->end_ms; load->count++) {
        double from = now_ms();
        must(ask(&c, load->request, load->size) / 100 == 2);
        if (load->times && load->count < TIMES_MAX)
            load->times[load->count] = (float)(now_ms() - from);
    }
    client_close(&c);
    return NULL;
}

/* Answers in one round; times: CROWD rows of TIMES_MAX, or NULL. */
static long run_round(const struct site *s, int port, enum what what,
                      size_t clients, struct load loads[CROWD], float *times)
{
    long count = 0;

    for (size_t i = 0; i < clients; i++) {
        loads[i] = (struct load){.port = port,
                                 .request = s->request[what],
                                 .size = s->size[what],
                                 .end_ms = clock_monotonic_ms() + ROUND_MS,
                                 .times = times ? times + i * TIMES_MAX : NULL};
        must(pthread_create(&loads[i].thread, NULL, run_load, &loads[i]) == 0);
    }
    for (size_t i = 0; i < clients; i++) {
        (void)pthread_join(loads[i].thread, NULL);
        count += loads[i].count;
    }
    return count;
}

/* A second, of both in turn. */
struct pair {
    double limit, figure;
};

static struct pair measure(const struct site *s, int port, enum what what,
                           size_t clients)
{
    struct load loads[CROWD];
    struct pair sum = {0};

    for (int i = 0; i < ROUNDS; i++) {
        sum.limit += (double)run_round(s, port, what, clients, loads, NULL);
        sum.figure += (double)run_round(s, s->port, what, clients, loads, NULL);
    }
    sum.limit *= 1000.0 / (ROUNDS * ROUND_MS);
    sum.figure *= 1000.0 / (ROUNDS * ROUND_MS);
    return sum;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Of 100 answers 99 come sooner. */
static double measure_p99(const struct site *s, enum what what, size_t clients)
{
    static float times[CROWD * TIMES_MAX];
    struct load loads[CROWD];
    size_t n = 0;

    (void)run_round(s, s->port, what, clients, loads, times);
    for (size_t i = 0; i < clients; i++)
        for (long k = 0; k < loads[i].count && k < TIMES_MAX; k++)
            times[n++] = times[i * TIMES_MAX + (size_t)k];
    must(n > 0);
    qsort(times, n, sizeof *times, compare);
    return (double)times[n * 99 / 100];
}

static double measure_commits(struct limit *l)
{
    int64_t end_ms = clock_monotonic_ms() + 2000;
    long count = 0;

    for (; clock_monotonic_ms() < end_ms; count++)
        commit_one(l);
    return (double)count / 2;
}

/* ---- what the access log costs: its thread's part of the processor ---- */

struct share {
    double all, log; /* nanoseconds on a processor */
};

static bool read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;

    out[n] = 0;
    if (f)
        (void)fclose(f);
    return n > 0;
}

static struct share read_share(const struct site *s)
{
    struct share sum = {0};
    char path[300], text[128];
    DIR *dir;
    struct dirent *at;

    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    must((dir = opendir(path)) != NULL);
    while ((at = readdir(dir))) {
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat",
                       (int)s->pid, at->d_name);
        if (at->d_name[0] == '.' || !read_text(path, text, sizeof text))
            continue;
        double ns = strtod(text, NULL);
        sum.all += ns;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/comm", (int)s->pid,
                       at->d_name);
        if (read_text(path, text, sizeof text) &&
            strncmp(text, "access log", 10) == 0)
            sum.log += ns;
    }
    (void)closedir(dir);
    must(sum.log > 0); /* or the thread goes by another name */
    return sum;
}

static void print_reads(struct site *s, int port)
{
    static const struct {
        const char *name, *goal;
    } rows[] = {
        [LIST] = {"list, 50 of 10,000, 8 connections: bare civetweb", "60 %"},
        [TICKET] = {"one ticket: bare civetweb, same statements", "60 %"},
        [SEARCH] = {"search for a rare word of 10,000: same", "70 %"},
    };

    for (int what = LIST; what <= SEARCH; what++) {
        struct share before = read_share(s);
        struct pair p = measure(s, port, (enum what)what, CLIENTS);
        struct share now = read_share(s);
        table_rate(rows[what].name, p.limit, p.figure, rows[what].goal);
        if (what <= TICKET)
            table_plain("  of it the access log's thread",
                        100 * (now.log - before.log) / (now.all - before.all),
                        " %", "5 % at most");
    }
    table_plain("list, 32 connections: of 100, 99 within",
                measure_p99(s, LIST, CROWD), " ms", "10 ms");
}

static void print_writes(struct site *s, struct limit *l, int port)
{
    struct pair one = measure(s, port, CREATE, 1);
    struct pair many = measure(s, port, CREATE, CROWD);

    table_rate("create, 1 writer: bare civetweb, same rows", one.limit,
               one.figure, "80 %");
    table_rate("create, 32 writers, one tenant: that of 1", one.limit,
               many.figure, "400 %");
    table_rate("  the same: bare SQLite commits", measure_commits(l),
               many.figure, "");
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int main(void)
{
    static struct site s;
    static struct limit l;
    struct client c;

    start_demo(&s);
    client_open(&c, s.port);
    sign_in(&s, &c);
    fill_site(&s, &c);
    prepare_all(&s, &c);
    client_close(&c);
    open_limit(&l, &s);
    int port;
    struct mg_context *mg = start_civetweb(&l, &port);
    print_reads(&s, port);
    print_writes(&s, &l, port);
    mg_stop(mg);
    (void)kill(s.pid, SIGTERM);
    (void)waitpid(s.pid, NULL, 0);
    (void)nftw(s.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
