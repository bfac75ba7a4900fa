/* SPDX-License-Identifier: Apache-2.0 */
/* Order matters: what is cheap and tells most comes first, the name in
 * control.db is taken before the files are made, and the tenant answers only
 * when its row says "open".  Until then everything is aside and is removed,
 * by us or, after a crash, by the next start. */
#include "core/archive/archive_intake.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/zip.h"
#include "core/account/invite.h"
#include "core/alert/alert.h"
#include "core/archive/archive_write.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/tenant/tenant_directory.h"
#include "core/work/ticket.h"
#include "db/archive_restore.h"
#include "db/query.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ENTRIES_MAX = 200000,
    RATIO_MAX = 100,
    MANIFEST_MAX = 1 << 20,
    SUMS_MAX = 64 << 20,
    SUM_CHARS = 2 * CRYPTO_HASH_BYTES,
};

enum { IN_PEOPLE, IN_SUPPORT, IN_ENQUIRIES, IN_TICKET, IN_GUEST };
static const char *const archive_intake_text[] = {
    [IN_PEOPLE] = "UPDATE user SET password = NULL, password_at = NULL,"
                  " state = CASE state WHEN 1 THEN 0 ELSE state END",
    [IN_SUPPORT] =
        "UPDATE support SET token_hash = NULL, token_until = NULL,"
        " ended_at = CASE WHEN state < 2 THEN ?1 ELSE ended_at END,"
        " state = CASE WHEN state < 2 THEN 3 ELSE state END WHERE id > 0",
    [IN_ENQUIRIES] = "UPDATE enquiry SET told = CASE state WHEN 0 THEN 0"
                     " ELSE version END WHERE id > 0",
    [IN_TICKET] = "SELECT t.id, p.key, t.no, t.subject, t.details FROM ticket t"
                  " JOIN project p ON p.id = t.project_id WHERE t.id > ?1"
                  " ORDER BY t.id LIMIT 1",
    [IN_GUEST] = "SELECT id FROM user WHERE state < 2 AND id > ?1 ORDER BY id"
                 " LIMIT 1",
};
const struct query_set archive_intake_queries = {
    "archive_intake", archive_intake_text, COUNT(archive_intake_text)};

struct taking {
    struct ctx *c;
    struct app *app;
    int file;
    const char *id, *host;
    struct archive_intake_report *report;
    struct zip zip;
    uint8_t (*hashes)[CRYPTO_HASH_BYTES]; /* of the entries */
    const struct json *manifest;
    struct archive_restore *intake;
    const char *bad_table; /* whose rows are not as many as was said */
};

/* ---- words ---- */

static enum err refuse(struct taking *k, const char *rule)
{
    static const struct {
        const char *rule, *ja, *en;
    } words[] = {
        {"not_zip", "書庫ではないか、途中で切れています",
         "it is no archive, or was cut short"},
        {"form", "櫓が書き出した形式ではありません",
         "it is not in the form that Yagura writes"},
        {"overlap", "中のファイルが重なっているか、隙間があります",
         "its entries overlap or leave gaps"},
        {"kind", "通常のファイル以外のものを含みます",
         "it holds something that is no plain file"},
        {"name", "使えない名前のファイルを含みます",
         "it holds a name that leads elsewhere"},
        {"duplicate", "同じ名前のファイルを含みます",
         "it holds the same name twice"},
        {"entries", "ファイルの数が多すぎます", "it holds too many entries"},
        {"total", "展開後の大きさが上限を超えます",
         "unpacked it is larger than there is room for"},
        {"ratio", "圧縮率が異常です（展開爆弾の疑い）",
         "it unpacks to more than 100 times its size"},
        {"content", "中のファイルが壊れています", "an entry is damaged"},
        {"manifest", "manifest.json を読めません",
         "manifest.json is missing or cannot be read"},
        {"checksum", "チェックサムが一致しません",
         "a checksum does not match: the file was changed or damaged"},
        {"format_newer",
         "新しい版の形式です。この設備を新しい版に更新してから取り込んで"
         "ください",
         "its form is newer than this program: update this installation "
         "first, then import again"},
        {"schema_newer",
         "新しい版の櫓で書き出されています。この設備を新しい版に更新してから"
         "取り込んでください",
         "it was made by a newer Yagura: update this installation to that "
         "version or later, then import again"},
        {"schema_other",
         "この版では読めない版で書き出されています。書き出した設備をこの設備と"
         "同じ版に更新し、書き出し直してください",
         "it was made by a version whose tables this program does not know: "
         "update the installation it comes from to the version of this one, "
         "and export again"},
        {"database", "tenant.db が壊れています", "tenant.db is damaged"},
        {"rows", "件数または内容が合いません",
         "rows are missing, or break the rules of this program"},
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].rule, rule) == 0)
            return ctx_fail(k->c, ERR_INVALID, "archive", rule,
                            "取り込めません: %s", "Not imported: %s",
                            ctx_text(k->c, words[i].ja, words[i].en));
    return ERR_INVALID;
}

/* After a step of the ZIP or the intake. */
static enum err explain(struct taking *k, enum err e, const char *rule)
{
    if (e == ERR_INVALID && rule)
        return refuse(k, rule);
    if (e == ERR_FULL)
        return ctx_fail(k->c, e, "", "disk_full",
                        "ディスクの空きが足りません。何も残していません",
                        "The disk has no room for it. Nothing half done "
                        "remains");
    return e;
}

/* The same after a step of the ZIP, which knows its rule. */
static enum err explain_zip(struct taking *k, enum err e)
{
    return explain(k, e, k->zip.rule);
}

/* ---- the ZIP ---- */

static enum err read_file(void *arg, int64_t at, void *data, size_t len)
{
    const struct taking *k = arg;
    char *p = data;

    while (len > 0) {
        ssize_t n = pread(k->file, p, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_INTERNAL;
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return OK;
}

static enum err open_zip(struct taking *k)
{
    struct store_disk disk = {0};
    struct stat st;

    if (k->file < 0 || fstat(k->file, &st) || !S_ISREG(st.st_mode))
        return refuse(k, "not_zip");
    if (!store_disk(k->app->store, &disk))
        return ERR_INTERNAL;
    const struct zip_limits limits = {ENTRIES_MAX, disk.free_bytes / 2,
                                      RATIO_MAX};
    enum err e =
        zip_open(k->c->mem, read_file, k, st.st_size, &limits, &k->zip);
    return explain_zip(k, e);
}

static enum err keep(void *arg, const void *data, size_t len)
{
    buf_put(arg, data, len);
    return OK;
}

static enum err read_entry(struct taking *k, const char *name, int64_t max,
                           struct buf *out)
{
    const struct zip_entry *it = zip_find(&k->zip, name);

    if (!it || it->size > max)
        return refuse(k, "manifest");
    *out = buf_in(k->c->mem);
    buf_puts(out, "");
    return explain_zip(k, zip_extract(&k->zip, it, keep, out));
}

/* ---- the manifest ---- */

static int64_t number_of(const struct json *object, const char *name)
{
    const struct json *j = json_get(object, name);
    int64_t value = -1;

    if (!j || j->kind != JSON_NUMBER ||
        !str_parse_int(j->text, 0, INT64_MAX, &value))
        return -1;
    return value;
}

static const char *text_of(const struct json *object, const char *name)
{
    const struct json *j = json_get(object, name);

    return j && j->kind == JSON_TEXT ? j->text : NULL;
}

static enum err read_manifest(struct taking *k)
{
    struct buf b = buf_in(k->c->mem);
    size_t offset;
    enum err e = read_entry(k, ARCHIVE_MANIFEST, MANIFEST_MAX, &b);

    if (e)
        return e;
    k->manifest = json_parse(k->c->mem, b.data, b.len, &offset);
    if (!k->manifest ||
        !str_equal(text_of(k->manifest, "format"), ARCHIVE_FORMAT) ||
        !text_of(k->manifest, "name") || !text_of(k->manifest, "tenant") ||
        !json_get(k->manifest, "entries") || !json_get(k->manifest, "tables"))
        return refuse(k, "manifest");
    if (number_of(k->manifest, "version") > ARCHIVE_VERSION)
        return refuse(k, "format_newer");
    int64_t version = number_of(k->manifest, "schema_version");
    if (version > snapshot_version())
        return refuse(k, "schema_newer");
    if (version < 1 || (version == snapshot_version() &&
                        number_of(k->manifest, "schema") != snapshot_schema()))
        return refuse(k, "schema_other");
    return OK;
}

/* ---- checksums ---- */

struct hashing {
    struct crypto_hash hash;
    struct archive_restore *intake; /* gets it too, or NULL */
};

static enum err hash_part(void *arg, const void *data, size_t len)
{
    struct hashing *h = arg;

    crypto_hash_add(&h->hash, data, len);
    return h->intake ? archive_restore_put(h->intake, data, len) : OK;
}

static enum err hash_entries(struct taking *k)
{
    enum err e = OK;

    k->hashes = arena_alloc(k->c->mem, (k->zip.count + 1) * sizeof *k->hashes);
    for (size_t i = 0; i < k->zip.count && !e; i++) {
        const struct zip_entry *it = &k->zip.entries[i];
        struct hashing h = {.intake = NULL};
        if (strcmp(it->name, ARCHIVE_DATABASE) == 0)
            h.intake = k->intake;
        crypto_hash_begin(&h.hash);
        e = explain_zip(k, zip_extract(&k->zip, it, hash_part, &h));
        crypto_hash_end(&h.hash, k->hashes[i]);
    }
    return e;
}

/* "<hash>  <name>\n" for each entry, in their order, but for itself. */
static enum err check_sums(struct taking *k)
{
    struct buf b = buf_in(k->c->mem);
    size_t i = 0;
    enum err e = read_entry(k, ARCHIVE_SUMS, SUMS_MAX, &b);

    if (e)
        return e;
    for (const char *p = b.data; *p; i++) {
        size_t len = strcspn(p, "\n");
        char hex[SUM_CHARS + 1];
        if (i + 1 >= k->zip.count || p[len] != '\n')
            return refuse(k, "checksum");
        const char *name = k->zip.entries[i].name;
        str_to_hex(k->hashes[i], CRYPTO_HASH_BYTES, hex);
        if (len != SUM_CHARS + 2 + strlen(name) ||
            memcmp(p, hex, SUM_CHARS) != 0 ||
            memcmp(p + SUM_CHARS, "  ", 2) != 0 ||
            memcmp(p + SUM_CHARS + 2, name, strlen(name)) != 0)
            return refuse(k, "checksum");
        p += len + 1;
    }
    return i + 1 == k->zip.count &&
                   strcmp(k->zip.entries[i].name, ARCHIVE_SUMS) == 0
               ? OK
               : refuse(k, "checksum");
}

/* The manifest names everything but itself, the sums and what is attached. */
static enum err check_entries(struct taking *k)
{
    const struct json *list = json_get(k->manifest, "entries");
    size_t named = 0, wanted = 0;

    for (const struct json *j = list->child; j; j = j->next, named++) {
        const char *name = text_of(j, "name"), *sum = text_of(j, "sha256");
        const struct zip_entry *it = name ? zip_find(&k->zip, name) : NULL;
        char hex[SUM_CHARS + 1];
        if (!it || !sum || number_of(j, "bytes") != it->size)
            return refuse(k, "checksum");
        str_to_hex(k->hashes[it - k->zip.entries], CRYPTO_HASH_BYTES, hex);
        if (strcmp(hex, sum) != 0)
            return refuse(k, "checksum");
    }
    for (size_t i = 0; i < k->zip.count; i++)
        wanted += !str_starts(k->zip.entries[i].name, "attachments/");
    return named + 2 == wanted && zip_find(&k->zip, ARCHIVE_DATABASE)
               ? OK
               : refuse(k, "checksum");
}

static void compare_rows(void *arg, const char *table, int64_t rows)
{
    struct taking *k = arg;
    const struct json *list = json_get(k->manifest, "tables");

    k->report->rows += rows;
    for (const struct json *j = list->child; j; j = j->next)
        if (str_equal(text_of(j, "name"), table)) {
            if (number_of(j, "rows") != rows)
                k->bad_table = "";
            return;
        }
    if (rows) /* a table that came with a later version is empty */
        k->bad_table = "";
}

/* ---- what becomes ours ---- */

static enum err run_all(struct ctx *c)
{
    enum err e = query_run(c, query(c, archive_intake_text[IN_PEOPLE]));

    if (e)
        return e;
    struct query *q = query(c, archive_intake_text[IN_SUPPORT]);
    bind_int(q, 1, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    return query_run(c, query(c, archive_intake_text[IN_ENQUIRIES]));
}

static enum err index_tickets(struct ctx *c)
{
    struct arena *own = arena_open(0);
    struct ctx row = *c;
    struct ticket t = {.id = 0};
    enum err e;

    row.mem = own;
    for (;;) {
        struct query *q = query(&row, archive_intake_text[IN_TICKET]);
        bind_int(q, 1, t.id);
        if ((e = query_one(&row, q)))
            break;
        t = (struct ticket){.id = col_int(q, 0), .no = col_int(q, 2)};
        const char *key = col_text(&row, q, 1);
        t.subject = col_text(&row, q, 3);
        t.details = col_text(&row, q, 4);
        query_done(q);
        if ((e = ticket_index(&row, key, &t, true)))
            break;
        arena_reset(own);
    }
    arena_close(own);
    return e == ERR_NOT_FOUND ? OK : e;
}

static void derive_log_key(const void *from, const char *label, uint8_t out[32])
{
    archive_restore_derive_log_key(from, label, out);
}

/* The chain goes on: its last row here says where it stood when it came. */
static enum err adopt_log(struct taking *k, struct ctx *c)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    char hex[SUM_CHARS + 1];
    uint8_t key[CRYPTO_KEY_BYTES];
    struct log_mark last;
    struct log_proof proof;
    enum err e = operation_verify(c, NULL, NULL, &proof);

    if (e || (e = operation_last(c, &last)))
        return e;
    log_derive_sign_key(derive_log_key, k->intake, key);
    e = operation_sign_anchor(c, key);
    crypto_wipe(key, sizeof key);
    if (e)
        return e;
    k->report->broken_seq = proof.broken_seq;
    str_to_hex(last.hash, sizeof last.hash, hex);
    json_open(&o, NULL, '{');
    json_text(&o, "tenant", text_of(k->manifest, "tenant"));
    json_text(&o, "made_at", text_of(k->manifest, "made_at"));
    json_int(&o, "log_seq", last.seq);
    json_text(&o, "log_hash", hex);
    json_id(&o, "log_broken_at", proof.broken_seq);
    json_close(&o, '}');
    return operation_log(
        c, &(struct operation){.action = "import",
                               .kind = "tenant",
                               .object_name = text_of(k->manifest, "name"),
                               .after = b.data});
}

static enum err invite_all(struct taking *k, struct ctx *c)
{
    int64_t id = 0;
    enum err e;

    for (;;) {
        struct query *q = query(c, archive_intake_text[IN_GUEST]);
        bind_int(q, 1, id);
        if ((e = query_one(c, q)))
            return e == ERR_NOT_FOUND ? OK : e;
        id = col_int(q, 0);
        query_done(q);
        if ((e = invite_send(c, k->app, id, INVITE_FIRST)))
            return e;
        k->report->invited++;
    }
}

static enum err fill(struct ctx *c, void *arg)
{
    struct taking *k = arg;
    enum err e = run_all(c);

    if (!e)
        e = index_tickets(c);
    if (!e)
        e = adopt_log(k, c);
    return e ? e : invite_all(k, c);
}

/* ---- in order ---- */

static enum err check_all(struct taking *k)
{
    const char *rule = NULL;
    enum err e = hash_entries(k);

    if (e || (e = check_sums(k)) || (e = check_entries(k)))
        return e;
    if ((e = archive_restore_check(k->intake, &rule)))
        return explain(k, e, rule);
    if ((e = explain(k, archive_restore_count(k->intake, compare_rows, k),
                     "database")))
        return e;
    return k->bad_table ? refuse(k, "rows") : OK;
}

static enum err copy_rows(struct taking *k)
{
    const char *rule = NULL;
    enum err e = archive_restore_copy(k->intake, &rule);

    return explain(k, e, rule);
}

static enum err build(struct taking *k)
{
    enum err e = archive_restore_begin(k->app->store, k->id, &k->intake);

    if (e == ERR_CONFLICT)
        return ctx_fail(k->c, e, "id", "taken",
                        "テナントID「%s」はすでに使われています",
                        "The tenant id is taken: %s", k->id);
    if (!e)
        e = check_all(k);
    if (!e)
        e = copy_rows(k);
    if (!e)
        e = explain(k, archive_restore_fill(k->c, k->intake, fill, k), "rows");
    if (!e)
        e = archive_restore_finish(k->intake);
    archive_restore_close(k->intake);
    return explain(k, e, NULL);
}

enum err archive_intake(struct ctx *c, struct app *app, int file,
                        const char *id, const char *host,
                        struct archive_intake_report *out)
{
    struct taking k = {.c = c,
                       .app = app,
                       .file = file,
                       .id = id,
                       .host = host,
                       .report = out};
    enum err e = open_zip(&k);

    *out = (struct archive_intake_report){0};
    if (e || (e = read_manifest(&k)))
        return e;
    const struct tenant_directory_create what = {
        .id = id, .host = host, .name = text_of(k.manifest, "name")};
    if ((e = tenant_directory_reserve(c, app, &what)))
        return e;
    if (!(e = build(&k)) && (e = tenant_directory_open(c, app->store, id)) &&
        tenant_discard(app->store, id))
        log_warn("tenant=%s half imported, the next start removes it", id);
    if (e) {
        tenant_directory_drop(c, app->store, id);
        return e;
    }
    if (alert_settle(c, app, id))
        log_warn("alerts of tenant=%s wait for the daily round", id);
    log_info("tenant=%s imported rows=%lld", id, (long long)out->rows);
    return OK;
}
