/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_CALL_H
#define API_DISPATCH_CALL_H

#include "base/form.h"
#include "base/json.h"
#include "core/access/access.h"
#include "core/app.h"
#include "core/document/terms.h"
#include "core/once.h"
#include "core/tenant/tenant_status.h"
#include "http/server.h"

struct tenant_place;
struct session;

/* One call as a handler sees it: rights decided, body checked, transaction
 * open.  The handler unpacks, calls core, packs; it returns core's err. */
struct call {
    struct ctx *c;
    struct app *app;
    struct request *request;
    struct reply *reply;
    const struct route *route;
    const char *params[4];      /* path parameters in order */
    const struct values *body;  /* by the route's form, or NULL */
    const struct values *query; /* by the route's query form, or NULL */
    int64_t if_match;           /* version of If-Match (ROUTE_MATCH), or 0 */
    struct tenant *tenant;      /* of this request; NULL on system routes */
    const struct tenant_place
        *place;                    /* how the tenant was found, cookie names */
    const struct session *session; /* NULL: none came, or a token did */
    const struct route_set *set;   /* the one that the route is of */
    struct terms_now terms;        /* versions in force; of tenants' places */
    struct tenant_status standing; /* of the tenant's contract */
    struct json_out out;           /* the reply body */
    const struct once *once;       /* of ROUTE_ONCE with an Idempotency-Key */
    const char *kept; /* ROUTE_RETELL: what was kept the first time */
    const char *keep; /* ROUTE_RETELL: kept in place of the reply */
};

typedef enum err call_fn(struct call *k);

enum route_flag {
    ROUTE_NO_TX = 1,    /* opens its own transaction (argon2, files first) */
    ROUTE_RAW = 2,      /* body is bytes, read by the handler */
    ROUTE_CREATED = 4,  /* answers 201 */
    ROUTE_MATCH = 8,    /* needs If-Match: "version": 428 without */
    ROUTE_READ = 32,    /* a POST that only reads (GETs always do) */
    ROUTE_LIST = 64,    /* reply is {items: […], next: cursor or null} */
    ROUTE_TERMS = 2048, /* open before the terms are accepted: them, export */
    ROUTE_DESK = 16384, /* so is this: one reports an event by it */
    ROUTE_CLOSED = 16,  /* open to administrators when the contract is over,
                           as are those of ROUTE_TERMS */
    ROUTE_QUIET = 512,  /* a supporter's use is not noted: no business in it */
    ROUTE_OPERATOR = 256, /* only at the operator's place, as RIGHT_AUDITOR */
    ROUTE_NARROW = 1024, /* core asks the rights of each object: also for tokens
                           that are limited to projects */
    ROUTE_ONCE = 4096,   /* heeds Idempotency-Key: tried again, the reply of the
                          first time; no secrets in it */
    ROUTE_RETELL = 8192, /* with ROUTE_ONCE: the handler tells it anew */
    ROUTE_FRESH = 128, /* a sensitive step: signed in again within 10 minutes */
    ROUTE_SUPPORT = 32768, /* a change that support access with leave to write
                              may make: the work; not people, rights, security */
};

/* A route is data.  right's zero value denies.  path: "/api/v1/…/:id"; all
 * begin so, which is looked at when the types are printed. */
#define API_ROOT   "/api/v1"
#define ROUTE_ROOT API_ROOT "/"
struct route {
    enum method method;
    const char *path;
    call_fn *handle;
    enum right right;
    const struct form *form;  /* body, NULL: none allowed */
    const struct form *query; /* query parameters, NULL: none allowed */
    const struct form *reply; /* what comes back, for types and OpenAPI */
    unsigned flags;
    const char *summary; /* one line, for the OpenAPI description */
    /* whether this body takes away and adds nothing: goes on when the disk is
     * full.  NULL: it adds, unless the method or a flag says otherwise */
    bool (*frees)(const struct values *body);
};

/* A row: GET("/labels", list_labels, RIGHT_ADMIN_MASTER, "One line", and the
 * other members by name: .form = …, .query = …, .reply = …, .flags = …). */
#define ROUTE_(method_, path_, handle_, right_, ...)                           \
    .method = (method_), .path = API_ROOT path_, .handle = (handle_),          \
    .right = (right_), .summary = __VA_ARGS__
#define GET(...)    ROUTE_(METHOD_GET, __VA_ARGS__)
#define POST(...)   ROUTE_(METHOD_POST, __VA_ARGS__)
#define PUT(...)    ROUTE_(METHOD_PUT, __VA_ARGS__)
#define PATCH(...)  ROUTE_(METHOD_PATCH, __VA_ARGS__)
#define DELETE(...) ROUTE_(METHOD_DELETE, __VA_ARGS__)

/* Of a whole set; the zero value denies. */
enum set_flag {
    SET_EVERYWHERE = 1, /* the operator's place answers it too */
    SET_TOKENS = 2,     /* API tokens may call it */
    SET_OWN = 4,        /* one's own account: open when the contract is over,
                           and when the disk is full */
};
struct route_set {
    const struct route *routes;
    size_t count;
    unsigned flags; /* set_flag */
};

extern const struct route_set *const route_sets[];
extern const size_t route_set_count;

/* The server's handler: app is a struct app. */
void dispatch_handle(void *app, struct request *r, struct reply *out);
/* The OpenAPI 3.1 description and the TypeScript types of the same tables. */
void openapi_print(struct buf *b);
void openapi_print_types(struct buf *b);

/* Fills app->facts from the route tables, for the trust page. */
void trust_find_facts(struct app *app);

/* Path parameter as an id; 0 when it is none (then it is not found). */
int64_t call_id(const struct call *k, int n);
/* ETag of the reply: "version" in quotes. */
void call_etag(struct call *k, int64_t version);
/* For steps that are sensitive only with some bodies; the flag ROUTE_FRESH
 * does the same for a whole route.  ERR_AUTH "fresh_sign_in" when the session
 * has not proved lately who it is, or there is none (tokens). */
MUST_USE enum err call_need_fresh(const struct call *k);
/* The whole body, as request_body(); ERR_LIMIT is left to the caller to word,
 * the rest is worded. */
MUST_USE enum err call_read_body(struct call *k, size_t limit_bytes,
                                 const char **data, size_t *len);
/* limit of a list: ?limit=, 1..200, 50 when absent. */
int call_limit(const struct call *k);

#endif
