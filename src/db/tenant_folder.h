/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TENANT_FOLDER_H
#define DB_TENANT_FOLDER_H

#include "db/store.h"

/* A tenant on the disk: its folder under tenants/, its keys under keys/.
 * Nothing here is open, nothing here locks.  Inside db/ only. */
enum { TENANT_ID_BYTES = 33, TENANT_PATH_BYTES = 4096 };
/* How a file in the folder is called until it is whole. */
#define TENANT_SCRATCH "scratch-"

/* What is derived by these labels stays when a tenant gets another key: what is
 * wrapped inside its file, and what its logs are signed by. */
#define TENANT_LASTING     "totp"
#define TENANT_LOG_LASTING "sign:0"

/* Wiped by the caller. */
struct tenant_keys {
    uint8_t data[32], data_file[32], lasting[32];
    uint8_t log[32], log_file[32], log_lasting[32];
};

void tenant_folder_name(const struct store_place *at, const char *id,
                        char out[TENANT_PATH_BYTES]);
void tenant_folder_file(const struct store_place *at, const char *id,
                        const char *file, char out[TENANT_PATH_BYTES]);
/* ERR_NOT_FOUND when there are none. */
MUST_USE enum err tenant_folder_keys(const struct store_place *at,
                                     const char *id, struct tenant_keys *out);
/* Those of the logs alone: all that a deleted tenant has left. */
MUST_USE enum err tenant_folder_log_keys(const struct store_place *at,
                                         const char *id,
                                         struct tenant_keys *out);

/* Keys and fresh files.  ERR_CONFLICT: it is there, or being made. */
MUST_USE enum err tenant_folder_create(const struct store_place *at,
                                       const char *id);
/* The same in two steps: a folder aside, which the second one names, or
 * removes with all that belongs to it. */
MUST_USE enum err tenant_folder_begin(const struct store_place *at,
                                      const char *id, char *folder, size_t size,
                                      struct tenant_keys *keys);
MUST_USE enum err tenant_folder_finish(const struct store_place *at,
                                       const char *id, bool is_good);
/* Files and keys of a tenant that nobody has open. */
MUST_USE enum err tenant_folder_discard(const struct store_place *at,
                                        const char *id);
/* What a broken creation or export left behind. */
void tenant_folder_sweep(const struct store_place *at);

#endif
