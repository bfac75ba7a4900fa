/* SPDX-License-Identifier: Apache-2.0 */
/* Looked at anew each time: one system call, and others write there too. */
#include "db/room.h"

#define MB INT64_C(1048576)

int64_t room_reserve(int64_t disk_bytes)
{
    int64_t most = disk_bytes / 10, reserve = disk_bytes / 20;

    if (reserve < 16 * MB)
        reserve = most < 16 * MB ? most : 16 * MB;
    return reserve > 512 * MB ? 512 * MB : reserve;
}

bool room_look(const struct store *s, struct room *out)
{
    struct store_disk disk;

    *out = (struct room){0};
    if (!store_disk(s, &disk))
        return false;
    *out = (struct room){disk.bytes, disk.free_bytes, room_reserve(disk.bytes)};
    return true;
}

bool room_is_there(const struct store *s, int64_t bytes)
{
    struct room room;

    return !room_look(s, &room) ||
           room.free_bytes - room.reserve_bytes >= bytes;
}
