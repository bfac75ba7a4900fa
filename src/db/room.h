/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ROOM_H
#define DB_ROOM_H

#include "db/store.h"

/* The room on the disk under the data directory.  What is in reserve is for
 * signing in and out, the logs, mail and deletion: business data and copies of
 * it are not written once less than that is free.  5 % of the disk, at least
 * 16 MB where that is no more than 10 %, and at most 512 MB. */
struct room {
    int64_t bytes, free_bytes, reserve_bytes;
};
/* false: it cannot be told. */
bool room_look(const struct store *s, struct room *out);
/* Whether so many bytes may be written besides the reserve; true when it
 * cannot be told.  Any thread. */
bool room_is_there(const struct store *s, int64_t bytes);
int64_t room_reserve(int64_t disk_bytes);

#endif
