/* SPDX-License-Identifier: Apache-2.0 */
/* One table for all kinds: they differ in what they are called, in who may
 * read them as they come, and in the regions that one of them names. */
#include "core/document/document.h"

#include "base/build.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "core/core.h"
#include "core/document/region_tag.h"
#include "core/document/terms.h"
#include "core/log/operation.h"
#include "db/query.h"

const char *const document_kind_words[] = {
    "basic",    "individual",     "cloud",    "privacy", "law",
    "location", "responsibility", "platform", NULL};
const char *const document_titles[DOCUMENT_KINDS][2] = {
    {"情報セキュリティ基本方針", "Basic information-security policy"},
    {"情報セキュリティ個別方針", "Individual policies"},
    {"クラウドサービス情報セキュリティ方針", "Cloud-service policy"},
    {"プライバシーポリシー", "Privacy statement"},
    {"準拠法", "Governing law"},
    {"データの所在", "Where data is kept"},
    {"責任分担", "Shared responsibility"},
    {"基盤について", "The platform beneath"},
};

#define DOCUMENT_HEAD                                                          \
    "id, coalesce(no, 0), kind, regions, is_public, review_on,"                \
    " published_at, published_by, reviewed_at, reviewed_by, version"
#define DOCUMENT_COLS DOCUMENT_HEAD ", ja, en"
#define DOCUMENT_NEWEST                                                        \
    " no > 0 AND NOT EXISTS (SELECT 1 FROM document n"                         \
    " WHERE n.kind = document.kind AND n.no > document.no)"

enum {
    DOCUMENT_LIST,
    DOCUMENT_CURRENT,
    DOCUMENT_GET,
    DOCUMENT_READ,
    DOCUMENT_VERSIONS,
    DOCUMENT_ADD,
    DOCUMENT_UPDATE,
    DOCUMENT_DELETE,
    DOCUMENT_LAST,
    DOCUMENT_PUBLISH,
    DOCUMENT_CONFIRM,
    DOCUMENT_DRAFTS,
};
static const char *const document_text[] = {
    [DOCUMENT_LIST] = "SELECT " DOCUMENT_HEAD ", '', '' FROM document"
                      " ORDER BY kind, no IS NOT NULL, no DESC, id DESC"
                      " LIMIT 500",
    [DOCUMENT_CURRENT] =
        "SELECT " DOCUMENT_HEAD ", '', '' FROM document"
        " WHERE" DOCUMENT_NEWEST " AND (?1 = 0 OR is_public = 1) ORDER BY kind",
    [DOCUMENT_GET] = "SELECT " DOCUMENT_COLS " FROM document WHERE id = ?1",
    [DOCUMENT_READ] =
        "SELECT " DOCUMENT_COLS " FROM document WHERE kind = ?1"
        " AND no > 0 AND (?2 = 0 OR no = ?2) ORDER BY no DESC LIMIT 1",
    [DOCUMENT_VERSIONS] =
        "SELECT " DOCUMENT_HEAD ", '', '' FROM document WHERE kind = ?1"
        " AND no > 0 AND (?2 = 0 OR is_public = 1)"
        " ORDER BY no DESC LIMIT 100",
    [DOCUMENT_ADD] =
        "INSERT INTO document (kind, ja, en, regions, is_public, review_on)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [DOCUMENT_UPDATE] = "UPDATE document SET ja = ?3, en = ?4, regions = ?5,"
                        " is_public = ?6, review_on = ?7, version = version + 1"
                        " WHERE id = ?1 AND version = ?2 AND no IS NULL",
    [DOCUMENT_DELETE] =
        "DELETE FROM document WHERE id = ?1 AND version = ?2 AND no IS NULL",
    [DOCUMENT_LAST] =
        "SELECT coalesce(max(no), 0) FROM document WHERE kind = ?1",
    [DOCUMENT_PUBLISH] =
        "UPDATE document SET no = ?3, published_at = ?4, published_by = ?5,"
        " reviewed_at = ?4, reviewed_by = ?5, version = version + 1"
        " WHERE id = ?1 AND version = ?2 AND no IS NULL",
    [DOCUMENT_CONFIRM] =
        "UPDATE document SET reviewed_at = ?3, reviewed_by = ?4,"
        " review_on = ?5, version = version + 1"
        " WHERE id = ?1 AND version = ?2 AND no > 0",
    [DOCUMENT_DRAFTS] =
        "SELECT id, version FROM document WHERE no IS NULL ORDER BY id",
};
const struct query_set document_queries = {"document", document_text,
                                           COUNT(document_text)};

enum { TEXT_CHARS = 100000, REVIEW_DAYS = 365 };
#define DOCUMENT_FIELDS(flags)                                                 \
    {LINES("ja", 1, TEXT_CHARS, flags, "日本語", "Japanese")},                 \
        {LINES("en", 1, TEXT_CHARS, flags, "英語", "English")},                \
        {TEXT("regions", 0, REGION_LIST_CHARS, NULLABLE, "地域", "Regions")},  \
        {BOOL("is_public", OPTIONAL, "公開", "Public")},                       \
    {                                                                          \
        DAY_IN("review_on", DAY_FIRST, DAY_LAST, OPTIONAL, "次の見直し",       \
               "Next review")                                                  \
    }
static const struct field document_fields[] = {
    {CHOICE("kind", document_kind_words, REQUIRED, "文書", "Document")},
    DOCUMENT_FIELDS(REQUIRED),
};
const struct form document_form = {"DocumentCreate", document_fields,
                                   COUNT(document_fields)};
static const struct field plan_edit_fields[] = {
    DOCUMENT_FIELDS(0),
};
const struct form document_edit_form = {"DocumentEdit", plan_edit_fields,
                                        COUNT(plan_edit_fields)};
static const struct field review_fields[] = {
    {DAY_IN("review_on", DAY_FIRST, DAY_LAST, REQUIRED, "次の見直し",
            "Next review")},
};
const struct form document_review_form = {"DocumentReview", review_fields,
                                          COUNT(review_fields)};

static enum document_kind to_kind(int64_t n)
{
    return n >= 0 && n < DOCUMENT_KINDS ? (enum document_kind)n
                                        : DOCUMENT_BASIC;
}

static void read_row(struct ctx *c, struct query *q, struct document *out)
{
    *out = (struct document){
        .id = col_int(q, 0),
        .no = col_int(q, 1),
        .kind = to_kind(col_int(q, 2)),
        .regions = col_text(c, q, 3),
        .is_public = col_int(q, 4) != 0,
        .review_on = col_day(q, 5),
        .published_at = col_int(q, 6),
        .published_by = col_text(c, q, 7),
        .reviewed_at = col_int(q, 8),
        .reviewed_by = col_text(c, q, 9),
        .version = col_int(q, 10),
        .ja = col_text(c, q, 11),
        .en = col_text(c, q, 12),
    };
}

static enum err not_there(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                    "Not found");
}

static enum err read_one(struct ctx *c, struct query *q, struct document *out)
{
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? not_there(c) : e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct document **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct document d;
        read_row(c, q, &d);
        buf_put(&rows, &d, sizeof d);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

/* ---- readers ---- */

enum err document_get_newest(struct ctx *c, enum document_kind kind,
                             struct document *out)
{
    struct query *q = query(c, document_text[DOCUMENT_READ]);

    bind_int(q, 1, kind);
    bind_int(q, 2, 0);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err document_list_current(struct ctx *c, const struct app *app,
                               bool only_public, const struct document **out,
                               size_t *count)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, document_text[DOCUMENT_CURRENT]);
    bind_int(q, 1, only_public);
    return tx_end_control(c, app->store, read_all(c, q, out, count));
}

enum err document_read(struct ctx *c, const struct app *app,
                       enum document_kind kind, int64_t no, bool only_public,
                       struct document *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, document_text[DOCUMENT_READ]);
    bind_int(q, 1, kind);
    bind_int(q, 2, no);
    e = tx_end_control(c, app->store, read_one(c, q, out));
    return !e && only_public && !out->is_public ? not_there(c) : e;
}

enum err document_list_versions(struct ctx *c, const struct app *app,
                                enum document_kind kind, bool only_public,
                                const struct document **out, size_t *count)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, document_text[DOCUMENT_VERSIONS]);
    bind_int(q, 1, kind);
    bind_int(q, 2, only_public);
    return tx_end_control(c, app->store, read_all(c, q, out, count));
}

/* ---- the console ---- */

enum err document_list(struct ctx *c, const struct document **out,
                       size_t *count)
{
    return read_all(c, query(c, document_text[DOCUMENT_LIST]), out, count);
}

enum err document_get(struct ctx *c, int64_t id, struct document *out)
{
    struct query *q = query(c, document_text[DOCUMENT_GET]);

    bind_int(q, 1, id);
    return read_one(c, q, out);
}

static enum err log_document(struct ctx *c, const char *action,
                             const struct document *d)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "document", document_kind_words[d->kind]);
    json_int(&o, "no", d->no);
    if (d->kind == DOCUMENT_LOCATION)
        json_text(&o, "regions", d->regions);
    json_bool(&o, "is_public", d->is_public);
    json_day(&o, "review_on", d->review_on);
    json_close(&o, '}');
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "document",
                               .object_id = d->id,
                               .object_name = document_titles[d->kind][0],
                               .after = b.data});
}

static enum err check_regions(struct ctx *c, const struct document *d)
{
    if (d->kind == DOCUMENT_LOCATION ? region_is_list(d->regions)
                                     : !*d->regions)
        return OK;
    if (d->kind != DOCUMENT_LOCATION)
        return ctx_fail(c, ERR_INVALID, "regions", "regions",
                        "地域を書けるのは「データの所在」だけです",
                        "Only the statement of where data is kept names "
                        "regions");
    return ctx_fail(c, ERR_INVALID, "regions", "regions",
                    "地域を空白で区切って書いてください（例: jp）",
                    "Name the regions with blanks between, such as: jp");
}

static void read_form(const struct values *v, struct document *d)
{
    if (values_has(v, "ja"))
        d->ja = values_text(v, "ja");
    if (values_has(v, "en"))
        d->en = values_text(v, "en");
    if (values_has(v, "regions"))
        d->regions = values_text(v, "regions");
    if (!d->regions)
        d->regions = "";
    d->is_public = values_bool(v, "is_public", d->is_public);
    d->review_on = (int32_t)values_int(v, "review_on", d->review_on);
}

static bool is_public_as_it_comes(enum document_kind kind)
{
    return kind != DOCUMENT_LOCATION && kind != DOCUMENT_PLATFORM;
}

static enum err add(struct ctx *c, const struct document *d,
                    struct document *out)
{
    struct query *q = query(c, document_text[DOCUMENT_ADD]);

    bind_int(q, 1, d->kind);
    bind_text(q, 2, d->ja);
    bind_text(q, 3, d->en);
    bind_text(q, 4, d->regions);
    bind_int(q, 5, d->is_public);
    bind_int(q, 6, d->review_on);
    enum err e = query_run(c, q);
    if (e || (e = document_get(c, db_last_id(c), out)))
        return e;
    return log_document(c, "create", out);
}

enum err document_create(struct ctx *c, const struct values *v,
                         struct document *out)
{
    enum document_kind kind = to_kind(values_int(v, "kind", 0));
    struct document d = {.kind = kind,
                         .is_public = is_public_as_it_comes(kind),
                         .review_on = clock_today(c->now_us) + REVIEW_DAYS};

    read_form(v, &d);
    enum err e = check_regions(c, &d);
    return e ? e : add(c, &d, out);
}

static enum err need_draft(struct ctx *c, int64_t id, struct document *out)
{
    enum err e = document_get(c, id, out);

    if (e || !out->no)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "", "published",
                    "公開した版は変更できません",
                    "A published version cannot be changed");
}

/* What a statement with id and version changed, told and logged. */
static enum err finish(struct ctx *c, struct query *q, const char *action,
                       int64_t id, struct document *out)
{
    enum err e = query_run(c, q);

    if (e)
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    e = document_get(c, id, out);
    return e ? e : log_document(c, action, out);
}

enum err document_update(struct ctx *c, int64_t id, int64_t version,
                         const struct values *v, struct document *out)
{
    struct document d;
    enum err e = need_draft(c, id, &d);

    if (e)
        return e;
    read_form(v, &d);
    if ((e = check_regions(c, &d)))
        return e;
    struct query *q = query(c, document_text[DOCUMENT_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, d.ja);
    bind_text(q, 4, d.en);
    bind_text(q, 5, d.regions);
    bind_int(q, 6, d.is_public);
    bind_int(q, 7, d.review_on);
    return finish(c, q, "update", id, out);
}

enum err document_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct document d;
    enum err e = need_draft(c, id, &d);

    if (e)
        return e;
    struct query *q = query(c, document_text[DOCUMENT_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_document(c, "delete", &d);
}

static enum err check_review(struct ctx *c, int32_t day)
{
    if (day > clock_today(c->now_us))
        return OK;
    return ctx_fail(c, ERR_INVALID, "review_on", "past",
                    "次の見直しは明日以降の日付にしてください",
                    "The next review must be after today");
}

enum err document_publish(struct ctx *c, int64_t id, int64_t version,
                          struct document *out)
{
    struct document d;
    enum err e = need_draft(c, id, &d);

    if (e || (e = check_review(c, d.review_on)))
        return e;
    struct query *q = query(c, document_text[DOCUMENT_LAST]);
    bind_int(q, 1, d.kind);
    if ((e = query_one(c, q)))
        return e;
    int64_t last = col_int(q, 0);
    query_done(q);
    q = query(c, document_text[DOCUMENT_PUBLISH]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, last + 1);
    bind_int(q, 4, c->now_us);
    bind_text(q, 5, c->actor->name);
    return finish(c, q, "publish", id, out);
}

enum err document_confirm(struct ctx *c, int64_t id, int64_t version,
                          int32_t review_on, struct document *out)
{
    struct document d;
    enum err e = document_get(c, id, &d);

    if (e || (e = check_review(c, review_on)))
        return e;
    if (!d.no)
        return ctx_fail(c, ERR_CONFLICT, "", "draft",
                        "下書きは見直しの対象ではありません",
                        "A draft is not reviewed");
    struct query *q = query(c, document_text[DOCUMENT_CONFIRM]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, c->actor->name);
    bind_int(q, 5, review_on);
    return finish(c, q, "review", id, out);
}

/* ---- what an installation begins with ---- */

static enum err seed_one(struct ctx *c, const struct build_text *text)
{
    struct document out;

    for (int i = 0; i < DOCUMENT_KINDS; i++)
        if (str_equal(document_kind_words[i], text->name)) {
            enum document_kind kind = (enum document_kind)i;
            return add(
                c,
                &(struct document){
                    .kind = kind,
                    .ja = text->ja,
                    .en = text->en,
                    .regions = kind == DOCUMENT_LOCATION ? REGION_DEFAULT : "",
                    .is_public = is_public_as_it_comes(kind),
                    .review_on = clock_today(c->now_us) + REVIEW_DAYS},
                &out);
        }
    return terms_seed(c, text->ja, text->en);
}

enum err document_seed(struct ctx *c)
{
    enum err e = OK;

    for (int i = 0; !e && i < build_text_count; i++)
        e = seed_one(c, &build_texts[i]);
    return e;
}

enum err document_publish_drafts(struct ctx *c)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, document_text[DOCUMENT_DRAFTS]);
    enum err e;

    while (query_next(c, q, &e)) {
        int64_t row[2] = {col_int(q, 0), col_int(q, 1)};
        buf_put(&rows, row, sizeof row);
    }
    const int64_t *list = (const void *)rows.data;
    struct document d;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i += 2)
        e = document_publish(c, list[i], list[i + 1], &d);
    return e;
}
