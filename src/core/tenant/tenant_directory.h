/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_TENANT_DIRECTORY_H
#define CORE_TENANT_TENANT_DIRECTORY_H

#include "core/app.h"

#include <stddef.h>

/* The operator's list of tenants, in control.db: what must be known without
 * opening a tenant's file. */
/* CLOSED: being deleted, or gone; its id is never used again. */
enum tenant_directory_state {
    TENANT_DIRECTORY_MAKING,
    TENANT_DIRECTORY_OPEN,
    TENANT_DIRECTORY_CLOSED
};
extern const char *const tenant_directory_state_words[];

struct tenant_directory_row {
    const char *id, *name, *host; /* host NULL: path mode */
    enum tenant_directory_state state;
    int64_t created_at;
    bool is_suspended;
    int32_t end_on, delete_on;        /* DAY_NONE: the contract does not end */
    int64_t use_bytes, use_users;     /* when it was last looked at */
    int64_t quota_bytes, quota_users; /* 0: no limit */
};
/* A drill's tenant has this id while it runs: nobody else's. */
#define TENANT_DIRECTORY_DRILL_ID "yagura-drill"

/* In one word; ENDED: after its last day, not deleted yet. */
enum tenant_directory_status {
    TENANT_STATUS_MAKING,
    TENANT_STATUS_OPEN,
    TENANT_STATUS_SUSPENDED,
    TENANT_STATUS_ENDING,
    TENANT_STATUS_ENDED,
    TENANT_STATUS_DELETED,
};
extern const char *const tenant_directory_status_words[];
enum tenant_directory_status
tenant_directory_status(const struct tenant_directory_row *r, int64_t now_us);
/* For a person: "ending on 2026-12-31", "suspended, ended 2026-10-31". */
const char *tenant_directory_say_status(const struct ctx *c,
                                        const struct tenant_directory_row *r);

/* A tenant to be (customer_make.h). */
struct tenant_directory_create {
    const char *id_field; /* what refuses the id names it so; NULL: "id" */
    const char *copy_of;  /* NULL: it is nobody's copy */
    const char *id, *name, *host, *admin_email, *admin_name;
    enum lang lang;
};
/* ERR_INVALID: "tenant_id", or "reserved" for a name of Yagura's own. */
MUST_USE enum err tenant_directory_check_id(struct ctx *c, const char *field,
                                            const char *id);
/* Its steps, for who makes one from something else: id and host are checked
 * and taken, then it answers requests; or what was begun is forgotten. */
MUST_USE enum err
tenant_directory_reserve(struct ctx *c, const struct app *app,
                         const struct tenant_directory_create *what);
MUST_USE enum err tenant_directory_open(struct ctx *c, struct store *s,
                                        const char *id);
void tenant_directory_drop(struct ctx *c, struct store *s, const char *id);
/* After a start, before anybody works: what a crash left half made is gone. */
void tenant_directory_sweep(struct store *s, struct arena *mem);
MUST_USE enum err tenant_directory_list(struct ctx *c, struct store *s,
                                        const struct tenant_directory_row **out,
                                        size_t *count);
MUST_USE enum err tenant_directory_get(struct ctx *c, struct store *s,
                                       const char *id,
                                       struct tenant_directory_row *out);
/* The tenant of a host name (lower case, no port): ERR_NOT_FOUND. */
MUST_USE enum err tenant_directory_find_host(struct ctx *c, struct store *s,
                                             const char *host, const char **id);
/* Whether there is but one: app->sole_tenant, after the number changed. */
void tenant_directory_find_sole(struct app *app, struct arena *mem);
/* ERR_NOT_FOUND unless the tenant is reached by path: it is open and has no
 * host name of its own. */
MUST_USE enum err tenant_directory_check_path(struct ctx *c, struct store *s,
                                              const char *id);
/* Why tenant_open() failed, for who wanted in: 503, nothing of it is his. */
MUST_USE enum err tenant_directory_explain_open(struct ctx *c, enum err e);
/* Where a tenant is reached: its own host at the port of base_url, or
 * base_url/t/ID. */
const char *tenant_directory_url(struct arena *mem, const char *base_url,
                                 const char *id, const char *host);
/* Whether the configuration has this host for itself (base_url, operator_host):
 * a tenant is not reached by it, whatever its row says. */
bool tenant_directory_is_own_host(const struct app *app, const char *host);
/* The port of the listener that is the tenant's own (tenant_listen), where
 * alone it is served; 0: it has none. */
int tenant_directory_own_port(const struct app *app, const char *id);
/* Where a tenant's people reach it: tenant_directory_url(), or its own listener under
 * its host or that of base_url. */
const char *tenant_directory_place(struct arena *mem, const struct app *app,
                                   const char *base_url, const char *id,
                                   const char *host);
/* Ids of the open tenants; 0 on failure (logged). */
size_t tenant_directory_list_ids(struct store *s, struct arena *mem,
                                 const char *const **out);

#endif
