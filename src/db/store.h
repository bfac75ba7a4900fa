/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_STORE_H
#define DB_STORE_H

#include "base/ctx.h"

#include <stddef.h>

/* The data directory: one encrypted SQLite file per tenant, control.db, and
 * the wrapped keys.  The store is opened once in main; it holds the lock that
 * keeps a second process out. */
struct store;
struct tenant; /* an open tenant, reference-counted, LRU of 160 */

enum store_kind { STORE_SERVICE, STORE_EVALUATION };

struct store_config {
    const char *dir;
    /* 0400 file of 32 bytes, made at first start; NULL: in dir (warned) */
    const char *master_key_path;
    enum store_kind kind; /* serve refuses an evaluation directory */
    bool create;
    size_t tenants_max; /* kept open; 0 means 160 */
    int wait_ms;        /* before ERR_BUSY; 0 means 5,000 */
    const char *vfs;    /* of SQLite; NULL, but in tests of failing disks */
};

/* Messages for the operator (plain English) are logged.  ERR_CONFLICT: the
 * directory is held by another process (named in the log) or is of the other
 * kind. */
MUST_USE enum err store_open(const struct store_config *config,
                             struct store **out);
void store_close(struct store *s);
/* Closes the tenants that nobody has used for so long: each keeps about a
 * megabyte, and opens again within milliseconds. */
void store_rest(struct store *s, int64_t idle_ms);
/* Whether requests can be served: control.db answers, the directory can be
 * written to and has room.  *why: for the operator, when not. */
bool store_is_ready(struct ctx *c, struct store *s, const char **why);

/* Inside db/ only: where the files are and what wraps their keys. */
struct key_ring;
struct store_place {
    const char *dir, *vfs;
    struct key_ring *wrapping;
};
struct store_place store_place(const struct store *s);
struct pool;
struct pool *store_pool(const struct store *s);

/* Keys by label for what lives outside tenant files: "pepper", "code".
 * Derived from the master key that the data directory began with. */
void store_derive_key(const struct store *s, const char *label,
                      uint8_t out[32]);

/* How sha256sum of the master key's file begins: tells whether a copy is one,
 * and nothing of the key. */
void store_key_mark(const struct store *s, char out[17]);
/* Of the schema this program reads and writes. */
struct store_versions {
    int control, tenant, access;
};
struct store_versions store_versions(void);
/* The same by the key of control.db, which a backup takes along and a new
 * master key leaves as it is: "certificate". */
void store_derive_lasting_key(const struct store *s, const char *label,
                              uint8_t out[32]);

/* ---- tenants: files and keys.  id: 1-32 of [a-z0-9-], letter first, and no
 * name that is a file of the store's own. ---- */
bool tenant_is_id(const char *id);
bool tenant_is_reserved(const char *id);
/* Makes key and file with the tenant section of schema.sql.  ERR_CONFLICT if
 * it exists.  Either all of it is there afterwards or nothing. */
MUST_USE enum err tenant_create(struct store *s, const char *id);
/* control.db opened like a tenant: the operator's people, sessions, mail and
 * log are kept in the same tables.  No id of a tenant looks like this. */
#define STORE_OPERATOR "OPERATOR"
/* Takes away one that was never opened, or that is retired, with its keys:
 * what is left of making it.  The id may be used again. */
MUST_USE enum err tenant_discard(struct store *s, const char *id);
/* ERR_NOT_FOUND; ERR_BUSY when set aside by a failed migration. */
MUST_USE enum err tenant_open(struct store *s, const char *id,
                              struct tenant **out);
/* What is kept of a deleted tenant: only its two logs, as transactions on the
 * file and on the access log show them.  ERR_NOT_FOUND. */
MUST_USE enum err tenant_open_retained(struct store *s, const char *id,
                                       struct tenant **out);
/* Opens it afresh, from its keys on the disk, whether or not it is open: what
 * is open shows nothing of a key that is gone.  On failure what is open is
 * closed as soon as nobody holds it, so that no more is written to what nobody
 * could read again.  ERR_INTERNAL, ERR_NOT_FOUND; ERR_BUSY: set aside. */
MUST_USE enum err tenant_look(struct store *s, const char *id);
void tenant_close(struct tenant *t); /* gives the reference back */
/* The first step of a deletion: nobody opens it any more, as if it were not
 * there.  ERR_BUSY: somebody still holds it; call again. */
MUST_USE enum err tenant_retire(struct store *s, const char *id);
/* Whether its file is open at this moment: one that is not changes nothing. */
bool tenant_is_open(struct store *s, const char *id);
/* integrity_check of the tenant's file, on a connection of its own: reads all
 * of it.  ERR_INTERNAL when it is not sound. */
MUST_USE enum err tenant_check(struct tenant *t);
const char *tenant_id(const struct tenant *t);
/* Bytes on the disk of the tenant's files, logs of SQLite included. */
int64_t tenant_size(const struct tenant *t);
/* What was committed to the access log until now is on the disk. */
MUST_USE enum err tenant_sync_access(struct tenant *t);
/* Bytes in use in the tenant's file, as of its last commit: what a quota is
 * measured by.  What was deleted does not count.  No look at the disk. */
int64_t tenant_used_bytes(const struct tenant *t);
/* 32-byte keys by label under this tenant's own key. */
void tenant_derive_key(const struct tenant *t, const char *label,
                       uint8_t out[32]);
/* The same under the tenant's log key (<id>.log.key), which lives on until
 * the logs go. */
void tenant_derive_log_key(const struct tenant *t, const char *label,
                           uint8_t out[32]);

/* ---- transactions: c->db is set between begin and end ---- */
enum tx_mode { TX_READ, TX_WRITE };

/* TX_WRITE queues for the tenant's one writer and runs in a savepoint of a
 * BEGIN IMMEDIATE that neighbours in the queue may share (group commit).
 * ERR_BUSY after 5 s. */
MUST_USE enum err tx_begin(struct ctx *c, struct tenant *t, enum tx_mode mode);
/* outcome OK commits, anything else rolls back and is returned.  When it
 * returns OK for TX_WRITE the commit is on the disk. */
MUST_USE enum err tx_end(struct ctx *c, struct tenant *t, enum err outcome);
/* The same on control.db. */
MUST_USE enum err tx_begin_control(struct ctx *c, struct store *s,
                                   enum tx_mode mode);
MUST_USE enum err tx_end_control(struct ctx *c, struct store *s,
                                 enum err outcome);

/* The same on the tenant's access log (access.db: its last batch may be
 * lost).  ERR_NOT_FOUND for the operator's place, which has none. */
MUST_USE enum err tx_begin_access(struct ctx *c, struct tenant *t,
                                  enum tx_mode mode);
MUST_USE enum err tx_end_access(struct ctx *c, struct tenant *t,
                                enum err outcome);
/* As tenant_used_bytes(), with what the open transaction has written. */
int64_t tx_used_bytes(struct ctx *c);
/* More time for the open transaction, counted from now: imports, a
 * walk of a whole log. */
void tx_extend(struct ctx *c, int seconds);

/* ---- figures for /metrics ---- */
struct store_stats {
    size_t tenants_open, readers_open;
    int64_t commits, shared_commits, busy, opens;
    int64_t stopped; /* statements that took too long */
};
void store_stats(struct store *s, struct store_stats *out);

/* Of the tenants that are open now, without waking one; stopped: statements
 * since the last time this was asked. */
struct tenant_figures {
    char id[33];
    int64_t used_bytes, stopped;
};
size_t store_list_open(struct store *s, struct arena *mem,
                       const struct tenant_figures **out);
/* The disk under the data directory. */
struct store_disk {
    int64_t bytes, free_bytes;
};
bool store_disk(const struct store *s, struct store_disk *out);

#endif
