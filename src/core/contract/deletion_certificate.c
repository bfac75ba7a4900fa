/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes are signed as they stand: who verifies one writes nothing anew and
 * needs no rules of how JSON is written. */
#include "core/contract/deletion_certificate.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CERT_ADD, CERT_NEXT, CERT_LIST, CERT_GET };
static const char *const cert_text[] = {
    [CERT_ADD] = "INSERT INTO certificate (customer_id, revision, at, text)"
                 " VALUES (?1, ?2, ?3, ?4)",
    [CERT_NEXT] = "SELECT coalesce(max(revision), 0) + 1 FROM certificate"
                  " WHERE customer_id = ?1",
    [CERT_LIST] =
        "SELECT d.id, d.at, d.customer_id, e.name, d.revision FROM certificate"
        " d JOIN erasure e ON e.customer_id = d.customer_id WHERE d.id < ?1"
        " AND NOT EXISTS (SELECT 1 FROM certificate n WHERE n.customer_id ="
        " d.customer_id AND n.revision > d.revision)"
        " ORDER BY d.id DESC LIMIT ?2",
    [CERT_GET] =
        "SELECT d.id, d.at, d.customer_id, e.name, d.revision, d.text FROM"
        " certificate d JOIN erasure e ON e.customer_id = d.customer_id"
        " WHERE d.customer_id = ?1 ORDER BY d.revision DESC LIMIT 1",
};
const struct query_set deletion_certificate_queries = {"certificate", cert_text,
                                                       COUNT(cert_text)};

static const char MAGIC[] = "yagura-certificate-1";
static const char KEY_MEMBER[] = ",\"public_key\":\"";
static const char SIGNATURE_MEMBER[] = ",\"signature\":\"";
enum { KEY_HEX = 130, SIGNATURE_HEX = 128 };

/* ---- the key ---- */

/* Nearly all 32 bytes are a private key of P-256; the next label is for those
 * that are not. */
static void derive_key(const struct app *app, uint8_t out[32],
                       uint8_t public_key[65])
{
    char label[32];
    int n = 0;

    do {
        (void)snprintf(label, sizeof label, "certificate:%d", n++);
        store_derive_lasting_key(app->store, label, out);
    } while (!crypto_public_key(out, public_key));
}

void deletion_certificate_public_key(const struct app *app, uint8_t out[65])
{
    uint8_t key[32];

    derive_key(app, key, out);
    crypto_wipe(key, sizeof key);
}

/* ---- issuing ---- */

static const char *sign(struct ctx *c, const struct app *app, struct buf *b)
{
    uint8_t key[32], public_key[65], signature[64];
    char key_hex[KEY_HEX + 1], hex[SIGNATURE_HEX + 1];

    derive_key(app, key, public_key);
    str_to_hex(public_key, sizeof public_key, key_hex);
    buf_printf(b, "%s%s\"", KEY_MEMBER, key_hex);
    crypto_sign(key, b->data, b->len, signature);
    crypto_wipe(key, sizeof key);
    str_to_hex(signature, sizeof signature, hex);
    buf_printf(b, "%s%s\"}\n", SIGNATURE_MEMBER, hex);
    return arena_strdup(c->mem, b->data);
}

static enum err log_issue(struct ctx *c, const struct deletion_certificate *it)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    uint8_t hash[32];
    char hex[65];

    crypto_sha256(it->text, strlen(it->text), hash);
    str_to_hex(hash, sizeof hash, hex);
    json_open(&o, NULL, '{');
    json_int(&o, "revision", it->revision);
    json_text(&o, "sha256", hex);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "certify",
                                                .kind = "certificate",
                                                .object_id = it->id,
                                                .object_name = it->tenant,
                                                .after = b.data});
}

static enum err next_revision(struct ctx *c, const char *tenant, int64_t *out)
{
    struct query *q = query(c, cert_text[CERT_NEXT]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err deletion_certificate_issue(struct ctx *c, const struct app *app,
                                    const char *tenant, const char *body,
                                    struct deletion_certificate *out)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    struct deletion_certificate it = {.tenant = tenant, .at = c->now_us};
    enum err e = next_revision(c, tenant, &it.revision);

    if (e)
        return e;
    json_open(&o, NULL, '{');
    json_text(&o, "format", MAGIC);
    json_int(&o, "revision", it.revision);
    json_moment(&o, "issued_at", c->now_us);
    buf_printf(&b, ",%s", body);
    it.text = sign(c, app, &b);
    struct query *q = query(c, cert_text[CERT_ADD]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, it.revision);
    bind_int(q, 3, it.at);
    bind_text(q, 4, it.text);
    if ((e = query_run(c, q)))
        return e;
    it.id = db_last_id(c);
    *out = it;
    return log_issue(c, &it);
}

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q,
                     struct deletion_certificate *out)
{
    *out = (struct deletion_certificate){
        .id = col_int(q, 0),
        .at = col_int(q, 1),
        .tenant = col_text(c, q, 2),
        .name = col_text(c, q, 3),
        .revision = col_int(q, 4),
    };
}

enum err deletion_certificate_list(struct ctx *c, int64_t after_id, int limit,
                                   const struct deletion_certificate **out,
                                   size_t *count, bool *more)
{
    size_t max = (size_t)limit, n = 0;
    struct deletion_certificate *list =
        arena_array(c->mem, struct deletion_certificate, max + 1);
    struct query *q = query(c, cert_text[CERT_LIST]);
    enum err e;

    bind_int(q, 1, after_id ? after_id : INT64_MAX);
    bind_int(q, 2, limit + 1);
    while (query_next(c, q, &e))
        read_row(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

enum err deletion_certificate_get(struct ctx *c, const char *tenant,
                                  struct deletion_certificate *out)
{
    struct query *q = query(c, cert_text[CERT_GET]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "見つかりません", "Not found");
    if (e)
        return e;
    read_row(c, q, out);
    out->text = col_text(c, q, 5);
    query_done(q);
    return OK;
}

/* ---- checking ---- */

/* "…,"signature":"HEX"}" from behind; false: no such end. */
static bool split(const char *text, size_t len, size_t *is_signed,
                  uint8_t public_key[65], uint8_t signature[64])
{
    static const char end[] = "\"}";
    size_t of_name = sizeof SIGNATURE_MEMBER - 1;
    size_t of_key = sizeof KEY_MEMBER - 1;
    char hex[KEY_HEX + 1];

    if (len > 0 && text[len - 1] == '\n')
        len--;
    size_t tail = of_name + SIGNATURE_HEX + sizeof end - 1;
    size_t before = of_key + KEY_HEX + 1;
    if (len < tail + before || memcmp(text + len - 2, end, 2) != 0)
        return false;
    const char *at = text + len - tail, *key = at - before;
    if (memcmp(at, SIGNATURE_MEMBER, of_name) != 0 ||
        memcmp(key, KEY_MEMBER, of_key) != 0)
        return false;
    *is_signed = (size_t)(at - text);
    (void)snprintf(hex, sizeof hex, "%.*s", SIGNATURE_HEX, at + of_name);
    if (!str_from_hex(hex, signature, 64))
        return false;
    (void)snprintf(hex, sizeof hex, "%.*s", KEY_HEX, key + of_key);
    return str_from_hex(hex, public_key, 65);
}

static const char *text_of(const struct json *o, const char *name)
{
    const struct json *j = o ? json_get(o, name) : NULL;

    return j && j->text ? j->text : "";
}

void deletion_certificate_check(struct arena *mem, const char *text, size_t len,
                                const uint8_t *public_key,
                                struct deletion_certificate_report *out)
{
    uint8_t signature[64];
    size_t is_signed = 0, offset = 0;
    const struct json *root = json_parse(mem, text, len, &offset);

    *out = (struct deletion_certificate_report){.rule = "form"};
    if (!root || strcmp(text_of(root, "format"), MAGIC) != 0 ||
        !split(text, len, &is_signed, out->public_key, signature))
        return;
    const struct json *tenant = json_get(root, "tenant");
    out->tenant = text_of(tenant, "id");
    out->name = text_of(tenant, "name");
    out->issued_at = text_of(root, "issued_at");
    out->revision = strtoll(text_of(root, "revision"), NULL, 10);
    if (public_key && !crypto_equal(public_key, out->public_key, 65))
        out->rule = "key";
    else if (!crypto_verify(out->public_key, text, is_signed, signature))
        out->rule = "signature";
    else
        out->rule = NULL;
}
