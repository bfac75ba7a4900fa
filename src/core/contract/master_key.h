/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_MASTER_KEY_H
#define CORE_CONTRACT_MASTER_KEY_H

#include "core/app.h"
#include "db/rewrap.h"

/* A fresh master key for all that is wrapped (db/rewrap.h): on the operator's
 * word, and after a deletion, so that what was wrapped before opens no more
 * wherever it still lies. */
struct master_key_state {
    bool is_possible;  /* this process may write the master key's file */
    bool is_broken;    /* begun, not finished */
    int64_t waiting;   /* deletions since the last one */
    int64_t since;     /* the first of them; 0: none */
    int64_t done_at;   /* 0: never */
    int64_t failed_at; /* the last try by itself; 0: it did not fail */
    const char *error; /* of it */
};
/* In a transaction of control.db. */
MUST_USE enum err master_key_read(struct ctx *c, const struct app *app,
                                  struct master_key_state *out);

/* Waits for backups, restores and copies, does it, writes it down, tells the
 * operators that a new copy is due, and adds it to the certificates.  Opens its
 * own transactions.  ERR_DENIED, ERR_NOT_FOUND with a reason, nothing begun. */
MUST_USE enum err master_key_rewrap(struct ctx *c, struct app *app,
                                    struct rewrap_done *out);
/* The same if it is due and possible, for who holds the backups. */
void master_key_follow_up(struct app *app, struct arena *mem);
bool master_key_is_due(struct app *app, struct arena *mem);

/* Fresh keys for one tenant, its files encrypted anew (db/rotate.h); logged by
 * the operator and in the tenant.  Opens its own transactions.  ERR_NOT_FOUND,
 * ERR_BUSY with a reason: nothing changed. */
MUST_USE enum err master_key_rotate(struct ctx *c, struct app *app,
                                    const char *tenant);

#endif
