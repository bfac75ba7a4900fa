/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

/* A disk that fails once: SQLite's own file layer with a counter before every
 * call that changes the disk.  The cipher sits on top, so stores are opened
 * with the name FAULT_VFS. */
#include "base/err.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define FAULT_VFS "multipleciphers-fault"

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* right behind this */
};

static struct {
    sqlite3_vfs vfs, *real;
    atomic_int left;    /* calls until the failure; 0 is off */
    atomic_int code;    /* what the call returns */
    atomic_bool is_hit; /* it has happened */
} fault;

static int fault_now(void)
{
    if (atomic_load(&fault.left) <= 0 || atomic_fetch_sub(&fault.left, 1) != 1)
        return SQLITE_OK;
    atomic_store(&fault.is_hit, true);
    return atomic_load(&fault.code);
}

static sqlite3_file *fault_real(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static int fault_close(sqlite3_file *file)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int fault_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xRead(real, data, len, at);
}

/* A full disk takes a part of what it is given. */
static int fault_write(sqlite3_file *file, const void *data, int len,
                       sqlite3_int64 at)
{
    sqlite3_file *real = fault_real(file);
    int rc = fault_now();

    if (!rc)
        return real->pMethods->xWrite(real, data, len, at);
    (void)real->pMethods->xWrite(real, data, len / 2, at);
    return rc;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = fault_real(file);
    int rc = fault_now();

    return rc ? rc : real->pMethods->xTruncate(real, size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = fault_real(file);
    int rc = fault_now();

    return rc ? SQLITE_IOERR_FSYNC : real->pMethods->xSync(real, flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *out)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xFileSize(real, out);
}

static int fault_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xLock(real, level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xUnlock(real, level);
}

static int fault_check_lock(sqlite3_file *file, int *out)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xCheckReservedLock(real, out);
}

static int fault_control(sqlite3_file *file, int what, void *arg)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xFileControl(real, what, arg);
}

static int fault_sector(sqlite3_file *file)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xSectorSize(real);
}

static int fault_traits(sqlite3_file *file)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xDeviceCharacteristics(real);
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend,
                         void volatile **out)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xShmMap(real, page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xShmLock(real, at, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *real = fault_real(file);

    real->pMethods->xShmBarrier(real);
}

static int fault_shm_unmap(sqlite3_file *file, int is_delete)
{
    sqlite3_file *real = fault_real(file);

    return real->pMethods->xShmUnmap(real, is_delete);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_traits,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                      int flags, int *out_flags)
{
    struct fault_file *f = (struct fault_file *)(void *)file;

    (void)vfs;
    f->real = (sqlite3_file *)(void *)(f + 1);
    memset(f->real, 0, (size_t)fault.real->szOsFile);
    int rc = fault.real->xOpen(fault.real, name, f->real, flags, out_flags);
    f->base.pMethods = rc ? NULL : &fault_methods;
    return rc;
}

static inline void fault_register(void)
{
    must(sqlite3_initialize() == SQLITE_OK);
    fault.real = sqlite3_vfs_find("unix");
    must(fault.real);
    fault.vfs = *fault.real;
    fault.vfs.pNext = NULL;
    fault.vfs.zName = "fault";
    fault.vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
    fault.vfs.xOpen = fault_open;
    must(sqlite3_vfs_register(&fault.vfs, 0) == SQLITE_OK);
}

/* The n-th call from now on fails with this code. */
static inline void fault_arm(int n, int code)
{
    atomic_store(&fault.is_hit, false);
    atomic_store(&fault.code, code);
    atomic_store(&fault.left, n);
}

/* True if it has happened. */
static inline bool fault_disarm(void)
{
    atomic_store(&fault.left, 0);
    return atomic_load(&fault.is_hit);
}

#endif
