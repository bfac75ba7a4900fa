/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_POOL_H
#define DB_POOL_H

#include "db/file.h"

/* Open tenants by id: counted references, the longest unused closed first.
 * Inside db/ only. */
struct pool;

struct pool_config {
    struct store_place place; /* outlives the pool */
    size_t max;
    struct store_figures *figures;
};

struct pool *pool_open(const struct pool_config *config);
/* The file of control.db, opened by this name from now on; it stays its
 * owner's. */
void pool_adopt(struct pool *p, const char *id, const uint8_t key[32],
                struct file *file);
void pool_close(struct pool *p); /* nobody may hold a tenant */
/* Closes what nobody has held for so long. */
void pool_rest(struct pool *p, int64_t idle_ms);
size_t pool_count(struct pool *p);
size_t pool_list(struct pool *p, struct arena *mem,
                 const struct tenant_figures **out);
MUST_USE enum err pool_get(struct pool *p, const char *id, struct tenant **out);
/* Whether it is open, or about to be. */
bool pool_has(struct pool *p, const char *id);
/* Of a tenant that is held: its folder, and where its file is and by what
 * key it opens. */
void pool_name_folder(const struct tenant *t, char *out, size_t size);
struct conn_place pool_place(const struct tenant *t);
/* The tenant is never opened again by this process: as if it were not there.
 * Its files are closed; ERR_BUSY while somebody still holds it after so long,
 * call again then. */
MUST_USE enum err pool_retire(struct pool *p, const char *id, int wait_ms);
/* The same for a while: it is busy until pool_forget().  ERR_BUSY: somebody
 * holds it after so long, and it goes on as it was; ERR_CONFLICT: retired. */
MUST_USE enum err pool_suspend(struct pool *p, const char *id, int wait_ms);
/* See tenant_look(). */
MUST_USE enum err pool_look(struct pool *p, const char *id, int wait_ms);
/* One that is retired may come again under its id. */
void pool_forget(struct pool *p, const char *id);
/* What is kept of a deleted tenant, as a tenant that has its two logs and
 * nothing else.  ERR_NOT_FOUND. */
MUST_USE enum err pool_get_retained(struct pool *p, const char *id,
                                    struct tenant **out);

#endif
