/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_APP_H
#define CORE_APP_H

#include "base/tls.h"
#include "db/store.h"
#include "net/s3.h"
#include "net/smtp.h"

#include <stdbool.h>

struct server;
struct build_record;
struct listener;
struct sandbox_report;
enum { LISTENERS_MAX = 16 };

/* The weakest password policy the operator lets a tenant have. */
struct auth_policy_floor {
    bool is_modern; /* profile "modern"; else "whitepaper" */
    int min, days;  /* fewest characters, longest life; 0: the profile's */
};

/* For the trust page: what the floors above know and core cannot see. */
struct trust_facts {
    int routes, open_routes; /* open: for whom is not signed in */
    const char *odd_route;   /* an open one that is no sign-in step, or NULL */
    bool has_desk;           /* customers can write to the desk */
    bool parts_cookies;      /* no cookie of a tenant reaches another */
};

/* Where generations are copied to; NULL: nowhere. */
struct backup_places {
    const char *dir;            /* a second folder */
    const struct s3_config *s3; /* a bucket */
};

/* What stands around the data directory: for doctor. */
struct surroundings {
    const char *data_dir, *config, *master_key, *spool_dir;
    const char *cert, *cert_key, *ca_file; /* NULL: none */
    const char *smtp_password;             /* file, NULL: none */
    const char *listens; /* where and how, in words; NULL: not known */
    bool listens_plain;  /* also beyond this machine, for proxies */
};

/* What core may know of the server above it. */
struct server_figures {
    int64_t connections, threads, threads_max, busy, waiting;
};

/* The server seen by itself as a client. */
struct server_proof {
    bool is_answered, is_tls; /* is_tls: of the rest something is known */
    struct tls_proof newest, oldest; /* version ""; not agreed on */
    bool refuses_older;
};

/* What the process is made of; filled by main or a command, then constant. */
struct app {
    struct store *store;
    struct server *server;
    const struct listener *doors; /* with the ports they have got */
    size_t door_count;
    int operator_listener; /* index of the listener with /metrics, -1: none */
    const char *
        operator_host; /* only there is the console; NULL: see tenant_resolver.c */
    const struct smtp_config *_Atomic mail; /* another after a reload */
    struct smtp_stop *mail_stop;            /* ends what waits for the relay */
    struct backup_places backup;
    bool is_demo;         /* evaluation: loopback, captured mail shown */
    const char *base_url; /* "https://pm.example.jp"; path mode adds /t/ID */
    bool is_base_guessed; /* nobody set it, and others than this machine come */
    const char *_Atomic sole_tenant; /* at base_url when there is but one */
    char sole_ids[8][33]; /* what it points at: a new place for each change,
                             as requests may still read the last */
    unsigned sole_next;
    /* by listener: the tenant it belongs to, NULL for those of everybody */
    const char *listener_tenants[LISTENERS_MAX];
    int listener_ports[LISTENERS_MAX];
    /* by listener: as a client at base_url's host names it, NULL: none */
    const char *listener_urls[LISTENERS_MAX];
    struct rate_limiter *limiter;          /* sign-in throttling */
    struct outbox *outbox;                 /* wakes the mail worker */
    struct worker *worker;                 /* does the jobs */
    struct request_log_writer *access_log; /* NULL: none is kept */
    struct quotas *quotas;             /* what tenants may take; NULL: all */
    struct tenant_statuses *standings; /* suspended, ending; NULL: not known */
    struct process_stats *gauges;
    struct capacity *capacity;
    struct clock_monitor *clock_monitor;
    void (*read_server)(const struct app *app, struct server_figures *out);
    void (*read_sandbox)(struct sandbox_report *out); /* NULL: in none */
    bool (*is_reached)(const struct app *app); /* by TLS, where it is on */
    void (*prove_server)(const struct app *app, struct server_proof *out);
    struct auth_policy_floor floor;
    /* where the operator says the paths are, "jp"; NULL: not said */
    const char *operator_name; /* who runs it, in words; NULL: not said */
    const char *data_region, *backup_region, *log_region;
    struct surroundings around;
    struct terms_cache *terms; /* which version of the terms is in force */
    struct trust_facts facts;
    const struct build_record *record; /* NULL: not known */
    struct scheduler *scheduler;       /* wakes for what was asked */
    /* the scheduler looks now; NULL: there is none */
    void (*wake_scheduler)(const struct app *app);
    _Atomic bool is_stopping; /* long work ends at the next step */
    uint8_t setup_hash[32]; /* of the first operator's token; 0: none needed */
    uint8_t pepper[32];
    uint8_t code_key[32];
};

#endif
