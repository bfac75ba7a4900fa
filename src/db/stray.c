/* SPDX-License-Identifier: Apache-2.0 */
/* A grammar of names, folder by folder: what it does not know is nobody's. */
#include "db/stray.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "db/generation.h"
#include "db/store_keys.h"
#include "db/tenant_folder.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

struct walk {
    const char *dir; /* paths are told without it; "" in copies */
    const char *const *own;
    struct arena *mem;
    struct buf list;
    enum err failed;
};

/* ---- names ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);

    return len >= n && strcmp(name + len - n, end) == 0;
}

static bool cut_end(char *name, const char *end)
{
    bool has_end = ends_with(name, end) && strlen(name) > strlen(end);

    if (has_end)
        name[strlen(name) - strlen(end)] = 0;
    return has_end;
}

/* ".kou.log.db.new-wal" → "kou.log.db": without what SQLite, a migration or a
 * broken write adds. */
static const char *trim(struct arena *mem, const char *name)
{
    char *bare = arena_strdup(mem, name);
    char *before = strstr(bare, ".db.before-");

    if (before)
        before[3] = 0;
    (void)(cut_end(bare, "-wal") || cut_end(bare, "-shm") ||
           cut_end(bare, "-journal"));
    bool is_passing = cut_end(bare, ".new") || cut_end(bare, ".old");
    return is_passing && *bare == '.' ? bare + 1 : bare;
}

/* The id before the first full stop, if it is one. */
static const char *id_of(struct arena *mem, const char *name)
{
    const char *id = arena_strndup(mem, name, strcspn(name, "."));

    return tenant_is_id(id) ? id : NULL;
}

/* ".replaced-kou.key.1764" → "kou.key.1764" */
static const char *strip(const char *name)
{
    static const char *const prefixes[] = {TENANT_NEW, TENANT_ASIDE,
                                           TENANT_REPLACED};

    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return name + strlen(prefixes[i]);
    return name;
}

static void add(struct walk *w, const char *path, const char *id,
                enum erase_kind kind)
{
    size_t len = strlen(w->dir);
    const char *shown =
        len && strncmp(path, w->dir, len) == 0 ? path + len + 1 : path;
    const struct stray_file one = {arena_strdup(w->mem, shown), id, kind};

    if (w->list.len / sizeof one >= STRAY_FILES_MAX)
        w->failed = ERR_LIMIT;
    else
        buf_put(&w->list, &one, sizeof one);
}

/* ---- folders ---- */

/* Says what an entry is, or goes into it. */
typedef void visit_fn(struct walk *w, const char *path, const char *name,
                      bool is_folder);

static void walk_folder(struct walk *w, const char *folder, visit_fn *visit)
{
    const struct dirent *entry;
    DIR *d = opendir(folder);
    char path[PATH_BYTES];
    struct stat st;

    if (!d && errno != ENOENT) {
        log_error("db: opening %s: errno=%d", folder, errno);
        w->failed = ERR_INTERNAL;
    }
    while (d && !w->failed && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        must(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) <
             PATH_BYTES);
        if (lstat(path, &st) == 0)
            visit(w, path, entry->d_name, S_ISDIR(st.st_mode));
    }
    if (d)
        (void)closedir(d);
}

/* keys/: "kou.key", "kou.log.key", with what comes before and behind. */
static void visit_key(struct walk *w, const char *path, const char *name,
                      bool is_folder)
{
    const char *bare = strip(trim(w->mem, name));
    const char *id = id_of(w->mem, bare);

    if (!is_folder &&
        (strcmp(bare, "control.key") == 0 || strcmp(bare, REWRAP_NEXT) == 0))
        return;
    const char *end = id ? bare + strlen(id) : "";
    bool is_log = strncmp(end, ".log.key", 8) == 0;
    bool is_key = is_log || strncmp(end, ".key", 4) == 0;
    const char *behind = end + (is_log ? 8 : 4);
    bool is_moment =
        is_key && (!*behind || (*behind == '.' &&
                                !behind[1 + strspn(behind + 1, "0123456789")]));
    add(w, path, !is_folder && is_moment ? id : NULL,
        is_log ? ERASE_LOGS : ERASE_KEYS);
}

static void visit_file_of_tenant(struct walk *w, const char *path,
                                 const char *name, bool is_folder)
{
    const char *bare = trim(w->mem, name);
    bool is_known =
        strcmp(bare, "tenant.db") == 0 || strcmp(bare, "access.db") == 0 ||
        strcmp(bare, "rotated") == 0 || strcmp(bare, "foreign.sqlite") == 0 ||
        (strncmp(bare, "archive-", 8) == 0 && ends_with(bare, ".sealed")) ||
        strncmp(name, TENANT_SCRATCH, strlen(TENANT_SCRATCH)) == 0;

    if (is_folder || !is_known)
        add(w, path, NULL, ERASE_FILES);
}

static void visit_tenant(struct walk *w, const char *path, const char *name,
                         bool is_folder)
{
    const char *id = is_folder ? id_of(w->mem, strip(name)) : NULL;

    add(w, path, id, ERASE_FILES);
    if (id)
        walk_folder(w, path, visit_file_of_tenant);
}

static void visit_retained(struct walk *w, const char *path, const char *name,
                           bool is_folder)
{
    const char *bare = trim(w->mem, name);
    const char *id = id_of(w->mem, bare);
    bool is_log = id && strcmp(bare + strlen(id), ".log.db") == 0;

    add(w, path, !is_folder && is_log ? id : NULL, ERASE_LOGS);
}

static void visit_copy(struct walk *w, const char *path, const char *name,
                       bool is_folder)
{
    const char *bare = trim(w->mem, name);
    const char *id = id_of(w->mem, bare), *end = id ? bare + strlen(id) : "";

    if (!is_folder && (strcmp(bare, "manifest.json") == 0 ||
                       strcmp(bare, GENERATION_CONTROL ".db") == 0 ||
                       strcmp(bare, GENERATION_CONTROL ".key") == 0))
        return;
    bool is_key = strcmp(end, ".key") == 0;
    bool is_other = strcmp(end, ".log.key") == 0 || strcmp(end, ".db") == 0 ||
                    strcmp(end, ".access.db") == 0;
    add(w, path, !is_folder && (is_key || is_other) ? id : NULL,
        is_key ? ERASE_KEYS : ERASE_BACKUPS);
}

static void visit_generation(struct walk *w, const char *path, const char *name,
                             bool is_folder)
{
    const char *bare = trim(w->mem, name);

    if (is_folder && strcmp(name, "lost+found") == 0)
        return;
    if (is_folder &&
        (generation_is_name(bare) || strcmp(name, ".writing") == 0))
        walk_folder(w, path, visit_copy);
    else
        add(w, path, NULL, ERASE_BACKUPS);
}

static bool is_own(const struct walk *w, const char *path)
{
    for (size_t i = 0; w->own && w->own[i]; i++) {
        size_t len = strlen(path);
        /* the path itself, or a folder on the way to it */
        if (strncmp(w->own[i], path, len) == 0 &&
            (!w->own[i][len] || w->own[i][len] == '/'))
            return true;
    }
    return false;
}

static void visit_root(struct walk *w, const char *path, const char *name,
                       bool is_folder)
{
    static const char *const files[] = {
        "control.db",    "lock",       "kind",         "control.sock",
        "password.cost", "master.key", "accounts.json" /* of a demo */};
    static const struct {
        const char *name;
        visit_fn *visit;
    } folders[] = {
        {"keys", visit_key},
        {"tenants", visit_tenant},
        {"retained", visit_retained},
        {"backups", visit_generation},
    };
    const char *bare = trim(w->mem, name);

    for (size_t i = 0; i < COUNT(files) && !is_folder; i++)
        if (strcmp(bare, files[i]) == 0)
            return;
    for (size_t i = 0; i < COUNT(folders) && is_folder; i++)
        if (strcmp(name, folders[i].name) == 0) {
            walk_folder(w, path, folders[i].visit);
            return;
        }
    if (strcmp(name, "lost+found") != 0 && !is_own(w, path))
        add(w, path, NULL, ERASE_FILES);
}

enum err stray_list(const struct store *s, const char *const *copies,
                    const char *const *own, struct arena *mem,
                    const struct stray_file **out, size_t *count)
{
    struct walk w = {
        .dir = store_place(s).dir, .own = own, .mem = mem, .list = buf_in(mem)};

    walk_folder(&w, w.dir, visit_root);
    w.dir = "";
    for (size_t i = 0; copies && copies[i] && !w.failed; i++)
        walk_folder(&w, copies[i], visit_generation);
    *out = (const void *)w.list.data;
    *count = w.list.len / sizeof **out;
    return w.failed;
}
