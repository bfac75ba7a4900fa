/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the data directory, its backups and their copies and belongs to
 * no tenant there is: it would outlive every deletion.  And whether a fresh
 * master key is owed to one. */
#include "base/clock.h"
#include "core/backup/backup.h"
#include "core/contract/deletion.h"
#include "core/contract/master_key.h"
#include "core/core.h"
#include "core/health/doctor_check.h"
#include "db/query.h"
#include "db/stray.h"

#include <string.h>

enum { NAMED_MAX = 20 };

static const char *const stray_text[] = {
    "SELECT x.id, x.state, e.step, e.backups_at, e.logs_at FROM customer x"
    " LEFT JOIN erasure e ON e.customer_id = x.id WHERE x.id >= ''"
    " ORDER BY x.id",
};
const struct query_set doctor_stray_queries = {"doctor_stray", stray_text,
                                               COUNT(stray_text)};

/* What of each kind an id may have. */
struct owner {
    const char *id;
    bool may[ERASE_KINDS];
};

static enum err read_owners(struct ctx *c, struct buf *out)
{
    struct query *q = query(c, stray_text[0]);
    enum err e;

    while (query_next(c, q, &e)) {
        bool is_closed = col_int(q, 1) == 2;
        /* before it is proved, a deletion is still at it */
        bool is_gone = is_closed && col_int(q, 2) > DELETION_PROVE;
        struct owner one = {.id = col_text(c, q, 0),
                            .may = {
                                [ERASE_KEYS] = !is_gone,
                                [ERASE_FILES] = !is_gone,
                                [ERASE_BACKUPS] = !is_closed || !col_int(q, 3),
                                [ERASE_LOGS] = !is_closed || !col_int(q, 4),
                            }};
        buf_put(out, &one, sizeof one);
    }
    return e;
}

static const struct owner *find_owner(const struct owner *list, size_t count,
                                      const char *id)
{
    size_t from = 0, to = count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = strcmp(list[mid].id, id);
        if (order == 0)
            return &list[mid];
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

static bool is_stray(const struct stray_file *f, const struct owner *owners,
                     size_t count)
{
    if (!f->id)
        return true;
    if (strcmp(f->id, TENANT_DIRECTORY_DRILL_ID) == 0)
        return false; /* the next drill removes it, or uses it now */
    const struct owner *o = find_owner(owners, count, f->id);
    return !o || !o->may[f->kind];
}

/* The rows are read after the walk: a tenant that is made meanwhile has one
 * before it has files. */
static enum err find(struct doctor *d, struct arena *mem, struct buf *names,
                     size_t *count)
{
    const struct surroundings *a = &d->app->around;
    const char *const copies[] = {d->app->backup.dir, NULL};
    const char *own[4] = {NULL};
    struct ctx c = {.mem = mem, .actor = d->c->actor, .now_us = d->c->now_us};
    struct buf owners = buf_in(mem);
    const struct stray_file *list;
    size_t n, last = 0;

    for (int i = 0; i < 3; i++) {
        const char *path = i == 0   ? a->spool_dir
                           : i == 1 ? d->app->backup.dir
                                    : a->master_key;
        if (path)
            own[last++] = path;
    }
    enum err e = stray_list(d->app->store, copies, own, mem, &list, &n);
    enum err read = tx_begin_control(&c, d->app->store, TX_READ);
    if (!read)
        read = tx_end_control(&c, d->app->store, read_owners(&c, &owners));
    if (read)
        return read;
    for (size_t i = 0; i < n; i++) {
        if (!is_stray(&list[i], (const void *)owners.data,
                      owners.len / sizeof(struct owner)))
            continue;
        if ((*count)++ < NAMED_MAX)
            buf_printf(names, "%s%s", names->len ? ", " : "", list[i].path);
    }
    return e;
}

static void check_strays(struct doctor *d)
{
    struct arena *mem = arena_open(0);
    struct buf names = buf_in(d->c->mem);
    size_t count = 0;
    enum err e = find(d, mem, &names, &count);

    arena_close(mem);
    if (e)
        doctor_say(d, "strays", DOCTOR_WARNING,
                   "データ、バックアップ、写しのフォルダーのすべては調べられま"
                   "せんでした（%s）",
                   "Not all of the data, backup and copy folders could be "
                   "looked at (%s)",
                   err_name(e));
    else if (count)
        doctor_say(d, "strays", DOCTOR_WARNING,
                   "どのテナントのものでもないファイルが %zu 件あります: %s%s。"
                   "中身を確かめ、不要なら上書きして消してください（shred -u）",
                   "%zu files belong to no tenant there is: %s%s. See what "
                   "they are; what is of no use is to be overwritten and "
                   "removed (shred -u)",
                   count, names.data, count > NAMED_MAX ? ", …" : "");
    else
        doctor_say(d, "strays", DOCTOR_GOOD,
                   "データ、バックアップ、写しのフォルダーにあるものは、すべて"
                   "現在のテナントのものです",
                   "All that lies in the data, backup and copy folders belongs "
                   "to tenants there are");
}

static enum err read_state(struct ctx *c, struct app *app,
                           struct master_key_state *m)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    return e ? e : tx_end_control(c, app->store, master_key_read(c, app, m));
}

static void check_rewrap(struct doctor *d)
{
    struct master_key_state m;
    const char *path =
        d->app->around.master_key ? d->app->around.master_key : "?";

    if (read_state(d->c, d->app, &m))
        return; /* what is wrong with control.db is told elsewhere */
    const char *since = m.since ? clock_format(d->c->mem, m.since) : "-";
    if (m.is_broken)
        doctor_say(
            d, "rewrap", m.is_possible ? DOCTOR_WARNING : DOCTOR_BAD,
            "鍵の包み直しが途中です。サーバーが続けるか、サーバーを止め、"
            "主鍵 %s に書き込める利用者で yagura key rewrap を実行して"
            "ください",
            "A rewrap of the keys is not finished: the server goes on "
            "with it, or stop it and run yagura key rewrap as a user "
            "who may write the master key %s",
            path);
    else if (m.waiting && !m.is_possible)
        doctor_say(d, "rewrap", DOCTOR_WARNING,
                   "%lld 件の削除（最初は %s）のあと、鍵の包み直しが必要です。"
                   "主鍵 %s にはサーバーから書き込めないため、サーバーを止め、"
                   "元のファイルを --master_key に指定して yagura key rewrap "
                   "を実行し、控えを取り直してください。それまで削除証明書は"
                   "「pending」です",
                   "After %lld deletions (the first %s) a rewrap of the keys "
                   "is due. The server cannot write the master key %s: stop "
                   "it, run yagura key rewrap with --master_key naming the "
                   "file it comes from, and copy the key anew. Until then the "
                   "certificates of deletion say pending",
                   (long long)m.waiting, since, path);
    else if (m.waiting)
        doctor_say(d, "rewrap", m.error ? DOCTOR_BAD : DOCTOR_WARNING,
                   "%lld 件の削除（最初は %s）のあとの鍵の包み直しを待っていま"
                   "す%s%s",
                   "The rewrap of the keys after %lld deletions (the first %s) "
                   "is about to be done%s%s",
                   (long long)m.waiting, since, m.error ? ": " : "",
                   m.error ? m.error : "");
    else
        doctor_say(d, "rewrap", DOCTOR_GOOD,
                   "すべての削除のあとに鍵が包み直されています（最後は %s）",
                   "Keys were wrapped anew after every deletion (last: %s)",
                   m.done_at ? clock_format(d->c->mem, m.done_at) : "-");
}

void doctor_check_remains(struct doctor *d)
{
    check_rewrap(d);
    check_strays(d);
}
