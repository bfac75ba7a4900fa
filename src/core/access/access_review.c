/* SPDX-License-Identifier: Apache-2.0 */
/* A review is a fact, not a setting: it is added, never changed. */
#include "core/access/access_review.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

enum { REVIEW_ADD, REVIEW_LIST, REVIEW_LAST };
static const char *const review_text[] = {
    [REVIEW_ADD] =
        "INSERT INTO access_review (at, user_id, user_name, people, grants,"
        " note) VALUES (?1, ?2, ?3, (SELECT count(*) FROM user WHERE state"
        " < 2), (SELECT count(*) FROM access), ?4)",
    [REVIEW_LIST] = "SELECT id, at, user_name, people, grants, note FROM"
                    " access_review WHERE id <= ?1 ORDER BY id DESC LIMIT ?2",
    [REVIEW_LAST] = "SELECT coalesce((SELECT at FROM access_review WHERE id ="
                    " (SELECT max(id) FROM access_review)), 0), created_at"
                    " FROM tenant WHERE id = 1",
};
const struct query_set access_review_queries = {"access_review", review_text,
                                                COUNT(review_text)};

static const struct field review_fields[] = {
    {LINES("note", 0, 1000, OPTIONAL, "メモ", "Note")},
};
const struct form access_review_form = {"AccessReviewCreate", review_fields,
                                        COUNT(review_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},      {OUT_TEXT("at", REQUIRED)},
    {OUT_TEXT("user", REQUIRED)},  {OUT_INT("people", REQUIRED)},
    {OUT_INT("grants", REQUIRED)}, {OUT_LINES("note", REQUIRED)},
};
const struct form access_review_reply_form = {"AccessReview", reply_fields,
                                              COUNT(reply_fields)};

static enum err list(struct ctx *c, int64_t from, int limit,
                     const struct access_review **out, size_t *count)
{
    struct query *q = query(c, review_text[REVIEW_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, from);
    bind_int(q, 2, limit);
    while (query_next(c, q, &e)) {
        struct access_review r = {
            .id = col_int(q, 0),
            .at = col_int(q, 1),
            .user_name = col_text(c, q, 2),
            .people = col_int(q, 3),
            .grants = col_int(q, 4),
            .note = col_text(c, q, 5),
        };
        buf_put(&rows, &r, sizeof r);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err access_review_list(struct ctx *c, const struct access_review **out,
                            size_t *count)
{
    return list(c, INT64_MAX, ACCESS_REVIEWS_MAX, out, count);
}

static const char *describe(struct ctx *c, const struct access_review *r)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "people", r->people);
    json_int(&o, "grants", r->grants);
    json_text(&o, "note", r->note);
    json_close(&o, '}');
    return b.data;
}

enum err access_review_add(struct ctx *c, const struct values *v,
                           struct access_review *out)
{
    const char *note = values_text(v, "note");
    const struct access_review *made;
    struct query *q = query(c, review_text[REVIEW_ADD]);
    size_t count;

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, c->actor->name);
    bind_text(q, 4, note ? note : "");
    enum err e = query_run(c, q);
    if (e || (e = list(c, db_last_id(c), 1, &made, &count)))
        return e;
    must(count == 1);
    *out = *made;
    return operation_log(c, &(struct operation){.action = "create",
                                                .kind = "access_review",
                                                .object_id = out->id,
                                                .object_name = out->user_name,
                                                .after = describe(c, out)});
}

enum err access_review_last(struct ctx *c, int64_t *at, bool *is_review)
{
    struct query *q = query(c, review_text[REVIEW_LAST]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *is_review = col_int(q, 0) != 0;
    *at = col_int(q, *is_review ? 0 : 1);
    query_done(q);
    return OK;
}

void access_review_put_json(struct json_out *o, const struct access_review *r)
{
    json_open(o, NULL, '{');
    json_id(o, "id", r->id);
    json_moment(o, "at", r->at);
    json_text(o, "user", r->user_name);
    json_int(o, "people", r->people);
    json_int(o, "grants", r->grants);
    json_text(o, "note", r->note);
    json_close(o, '}');
}
