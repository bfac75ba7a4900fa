/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tenant_archive.h"

#include "core/archive/archive.h"
#include "core/archive/archive_intake.h"
#include "core/tenant/link_base.h"
#include "core/tenant/tenant_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = "",
                                          .base_url = "",
                                          .lang = LANG_EN};

/* ---- the file ---- */

int tenant_archive_create(const char *path)
{
    char folder[4096];
    struct stat st;

    if (lstat(path, &st) == 0) {
        fprintf(stderr, "yagura: %s exists already; choose another name\n",
                path);
        return -1;
    }
    if (strlen(path) >= sizeof folder) {
        fprintf(stderr, "yagura: the name of the file is too long\n");
        return -1;
    }
    memcpy(folder, path, strlen(path) + 1);
    int file = open(dirname(folder), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (file < 0)
        fprintf(stderr, "yagura: %s cannot be written: %s\n", path,
                strerror(errno));
    return file;
}

int tenant_archive_name(int file, const char *path)
{
    char self[40];

    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", file);
    if (fsync(file) == 0 &&
        linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    fprintf(stderr, "yagura: %s cannot be written: %s\n", path,
            strerror(errno));
    return 1;
}

/* ---- export ---- */

static enum err write_all(void *arg, const void *data, size_t len)
{
    const char *p = data;
    int file = *(int *)arg;

    while (len > 0) {
        ssize_t n = write(file, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_INTERNAL;
        p += n;
        len -= (size_t)n;
    }
    return OK;
}

enum err tenant_archive_export(struct command *c, const char *id)
{
    struct actor actor = system_actor;
    struct tenant *t;
    int64_t bytes = 0;

    actor.tenant = id;
    struct ctx x = server_process_ctx(c->mem, &actor);
    enum err e = c->file < 0 ? ERR_INVALID : OK;
    if (!e)
        e = tenant_open(c->app->store, id, &t);
    if (e == ERR_NOT_FOUND)
        e = ctx_fail(&x, e, "", "tenant", "テナント %s が見つかりません",
                     "There is no tenant %s", id);
    if (!e) {
        e = archive_export(&x, c->app, t, write_all, &c->file, &bytes);
        tenant_close(t);
    }
    if (e)
        command_complain(c, &x, e);
    else
        buf_printf(&c->out, "tenant %s exported, %lld bytes\n", id,
                   (long long)bytes);
    return e;
}

/* ---- import ---- */

enum err tenant_archive_import(struct command *c, const char *id,
                               const char *host)
{
    struct actor actor = system_actor;
    struct archive_intake_report report = {0};

    actor.tenant = id;
    actor.base_url = LINK_BASE;
    struct ctx x = server_process_ctx(c->mem, &actor);
    enum err e = archive_intake(&x, c->app, c->file, id, host, &report);
    if (e) {
        command_complain(c, &x, e);
        return e;
    }
    tenant_directory_find_sole(c->app, c->mem);
    buf_printf(&c->out,
               "tenant %s imported: %lld rows, %lld people invited; the"
               " invitations leave %s\n",
               id, (long long)report.rows, (long long)report.invited,
               c->is_served ? "now" : "with the next start of the server");
    if (report.broken_seq)
        buf_printf(&c->out,
                   "note: its operation log did not verify at row %lld when it"
                   " came; this is written in its log\n",
                   (long long)report.broken_seq);
    return OK;
}
