/* SPDX-License-Identifier: Apache-2.0 */
/* The table is what people see; tenant.allowed is the same as 17 bytes a
 * range, written with every change, so that a request costs one row. */
#include "core/access/allow_list.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"

#include <stdio.h>
#include <string.h>

enum { PACKED_BYTES = 17 };

enum {
    ALLOW_PACKED,
    ALLOW_LIST,
    ALLOW_INSERT,
    ALLOW_DELETE,
    ALLOW_CLEAR,
    ALLOW_PACK,
};
static const char *const allow_text[] = {
    [ALLOW_PACKED] = "SELECT allowed FROM tenant WHERE id = 1",
    [ALLOW_LIST] = "SELECT id, base, prefix, note, created_at FROM allow_range"
                   " ORDER BY id",
    [ALLOW_INSERT] = "INSERT INTO allow_range (base, prefix, note, created_at)"
                     " VALUES (?1, ?2, ?3, ?4)",
    [ALLOW_DELETE] = "DELETE FROM allow_range WHERE id = ?1",
    [ALLOW_CLEAR] = "DELETE FROM allow_range",
    [ALLOW_PACK] = "UPDATE tenant SET allowed = ?1 WHERE id = 1",
};
const struct query_set allow_list_queries = {"allow_list", allow_text,
                                             COUNT(allow_text)};

static const struct field allow_fields[] = {
    {TEXT("cidr", 1, 64, REQUIRED, "アドレス", "Addresses")},
    {TEXT("note", 0, 100, OPTIONAL, "メモ", "Note")},
};
const struct form allow_list_form = {"AllowedAddressCreate", allow_fields,
                                     COUNT(allow_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("cidr", REQUIRED)},
    {OUT_TEXT("note", REQUIRED)},
    {OUT_TEXT("created_at", REQUIRED)},
};
const struct form allow_list_reply_form = {"AllowedAddress", reply_fields,
                                           COUNT(reply_fields)};

void allow_list_format(const struct ip_address_range *range,
                       char out[ALLOW_TEXT_BYTES])
{
    bool is_v4 = ip_address_is_v4(&range->base) && range->prefix >= 96;
    char base[IP_ADDRESS_TEXT_BYTES];

    ip_address_format(&range->base, base);
    snprintf(out, ALLOW_TEXT_BYTES, "%s/%d", base,
             is_v4 ? range->prefix - 96 : range->prefix);
}

/* ---- the check ---- */

static bool packed_holds(const uint8_t *packed, size_t len,
                         const struct ip_address *a)
{
    for (size_t at = 0; at + PACKED_BYTES <= len; at += PACKED_BYTES) {
        struct ip_address_range range = {.prefix = packed[at + 16]};
        memcpy(range.base.bytes, packed + at, sizeof(range.base.bytes));
        if (ip_address_in(a, &range))
            return true;
    }
    return false;
}

/* Whether requests from the actor's address are let in. */
static enum err find_actor(struct ctx *c, bool *allowed)
{
    struct query *q = query(c, allow_text[ALLOW_PACKED]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    *allowed = col_is_null(q, 0);
    if (!*allowed) {
        struct ip_address a;
        size_t len;
        const uint8_t *packed = col_blob(c, q, 0, &len);
        *allowed =
            ip_address_parse(c->actor->ip, &a) && packed_holds(packed, len, &a);
    }
    query_done(q);
    return OK;
}

enum err allow_list_check(struct ctx *c)
{
    bool allowed;
    enum err e = find_actor(c, &allowed);

    if (e || allowed)
        return e;
    return ctx_fail(c, ERR_DENIED, "", "address",
                    "このネットワークからは利用できません",
                    "This is not available from your network");
}

/* ---- the list ---- */

enum err allow_list_get(struct ctx *c, const struct allow_range **out,
                        size_t *count)
{
    struct allow_range *list =
        arena_array(c->mem, struct allow_range, ALLOW_LIST_MAX + 1);
    struct query *q = query(c, allow_text[ALLOW_LIST]);
    enum err e = OK;

    *count = 0;
    while (*count <= ALLOW_LIST_MAX && query_next(c, q, &e)) {
        struct allow_range *r = &list[(*count)++];
        size_t len;
        const void *base = col_blob(c, q, 1, &len);
        must(len == sizeof(r->range.base.bytes));
        *r = (struct allow_range){.id = col_int(q, 0),
                                  .range.prefix = (int)col_int(q, 2),
                                  .note = col_text(c, q, 3),
                                  .created_at = col_int(q, 4)};
        memcpy(r->range.base.bytes, base, len);
    }
    *out = list;
    return e;
}

static enum err write_packed(struct ctx *c, const struct allow_range *list,
                             size_t count)
{
    struct buf b = buf_in(c->mem);
    struct query *q = query(c, allow_text[ALLOW_PACK]);

    for (size_t i = 0; i < count; i++) {
        buf_put(&b, list[i].range.base.bytes, 16);
        buf_putc(&b, (char)list[i].range.prefix);
    }
    if (count)
        bind_blob(q, 1, b.data, b.len);
    else
        bind_null(q, 1);
    return query_run(c, q);
}

/* The list as it is in the table now becomes what requests are held against;
 * refused when it shuts out who changes it. */
static enum err settle(struct ctx *c, const char *field)
{
    const struct allow_range *list;
    size_t count;
    bool allowed;
    enum err e = allow_list_get(c, &list, &count);

    if (!e && count > ALLOW_LIST_MAX)
        return ctx_fail(c, ERR_CONFLICT, field, "too_many",
                        "登録できるのは%d件までです", "At most %d entries",
                        ALLOW_LIST_MAX);
    if (e || (e = write_packed(c, list, count)) ||
        (e = find_actor(c, &allowed)) || allowed)
        return e;
    return ctx_fail(
        c, ERR_CONFLICT, field, "locks_out",
        "この変更をすると、あなた自身（%s）が利用できなくなります。"
        "先に自分のアドレスを含む範囲を登録してください",
        "This would lock you out: your own address is %s. First add a range "
        "that contains it",
        c->actor->ip);
}

static const char *as_json(struct ctx *c, const struct allow_range *r)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    char cidr[ALLOW_TEXT_BYTES];

    allow_list_format(&r->range, cidr);
    json_open(&o, NULL, '{');
    json_text(&o, "cidr", cidr);
    json_text(&o, "note", r->note);
    json_close(&o, '}');
    return b.data;
}

static enum err log_change(struct ctx *c, const struct allow_range *r,
                           bool is_added)
{
    char cidr[ALLOW_TEXT_BYTES];

    allow_list_format(&r->range, cidr);
    return operation_log(
        c, &(struct operation){.action = is_added ? "create" : "delete",
                               .kind = "allowed_address",
                               .object_id = r->id,
                               .object_name = arena_strdup(c->mem, cidr),
                               .before = is_added ? NULL : as_json(c, r),
                               .after = is_added ? as_json(c, r) : NULL});
}

enum err allow_list_add(struct ctx *c, const struct values *v,
                        struct allow_range *out)
{
    const char *note = values_text(v, "note");
    struct query *q;
    enum err e;

    *out =
        (struct allow_range){.note = note ? note : "", .created_at = c->now_us};
    if (!ip_address_parse_range(values_text(v, "cidr"), &out->range))
        return ctx_fail(
            c, ERR_INVALID, "cidr", "cidr",
            "アドレスの範囲ではありません。192.0.2.0/24 や 2001:db8::/32 "
            "のように書きます（/のあとは IPv4 で0〜32、IPv6 で0〜128、"
            "それより後ろのビットは0）",
            "Not a range of addresses. Write it like 192.0.2.0/24 or "
            "2001:db8::/32 (after the slash 0 to 32 for IPv4, 0 to 128 for "
            "IPv6; the bits beyond it are zero)");
    q = query(c, allow_text[ALLOW_INSERT]);
    bind_blob(q, 1, out->range.base.bytes, sizeof(out->range.base.bytes));
    bind_int(q, 2, out->range.prefix);
    bind_text(q, 3, out->note);
    bind_int(q, 4, c->now_us);
    if ((e = query_run(c, q)) == ERR_CONFLICT)
        return ctx_fail(c, e, "cidr", "taken", "すでに登録されています",
                        "It is on the list already");
    if (e)
        return e;
    out->id = db_last_id(c);
    e = settle(c, "cidr");
    return e ? e : log_change(c, out, true);
}

enum err allow_list_remove(struct ctx *c, int64_t id)
{
    const struct allow_range *list;
    struct query *q;
    size_t count, i = 0;
    enum err e = allow_list_get(c, &list, &count);

    if (e)
        return e;
    while (i < count && list[i].id != id)
        i++;
    if (i == count)
        return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found", "見つかりません",
                        "Not found");
    q = query(c, allow_text[ALLOW_DELETE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)) || (e = settle(c, "")))
        return e;
    return log_change(c, &list[i], false);
}

enum err allow_list_clear(struct ctx *c, size_t *removed)
{
    const struct allow_range *list;
    enum err e = allow_list_get(c, &list, removed);

    for (size_t i = 0; !e && i < *removed; i++)
        e = log_change(c, &list[i], false);
    if (!e)
        e = query_run(c, query(c, allow_text[ALLOW_CLEAR]));
    return e ? e : write_packed(c, NULL, 0);
}
