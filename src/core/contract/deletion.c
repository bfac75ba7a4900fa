/* SPDX-License-Identifier: Apache-2.0 */
/* How a deletion begins, and its rows.  The tenant's own log gets its last row
 * first; from the transaction in control.db on there is no way back. */
#include "core/contract/deletion.h"

#include "base/civil.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/contract/contract.h"
#include "core/contract/contract_mail.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"
#include "core/notice/incident.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_status.h"
#include "db/query.h"

#define DELETION_COLS                                                          \
    "customer_id, name, step, started_at, tries, error, basis, admins, "       \
    "key_id,"                                                                  \
    " key_gone_at, log_rows, log_note, proof, done_at, backups_on,"            \
    " backups_at, logs_on, logs_at, rewrap_at FROM erasure"

const char *const deletion_step_words[] = {
    "logs", "list", "keys", "files", "prove", "certify", "derived", NULL};

enum {
    DELETION_ADD,
    DELETION_CLOSE,
    DELETION_COPIES,
    DELETION_OPEN,
    DELETION_GET,
    DELETION_FILE_ROWS,
    DELETION_WAITING,
    DELETION_REWRAPPED,
    DELETION_FORGET, /* up to the last: what is left of it elsewhere */
    DELETION_FORGET_USE,
    DELETION_FORGET_TRUST,
    DELETION_FORGET_PROOF,
    DELETION_FORGET_HEADS,
    DELETION_FORGET_SEEN,
    DELETION_FORGET_BREAKS,
    DELETION_FORGET_WATCH,
    DELETION_FORGET_CONTACTS,
    DELETION_FORGET_DESK,
    DELETION_FORGET_BACKUP,
    DELETION_FORGET_SUSPENSION,
    DELETION_FORGET_END,
};
static const char *const deletion_text[] = {
    [DELETION_ADD] =
        "INSERT INTO erasure (customer_id, name, started_at, basis, admins)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    [DELETION_CLOSE] = "UPDATE customer SET state = 2, host = NULL, due_at ="
                       " NULL WHERE id = ?1 AND state = 1",
    [DELETION_COPIES] = "SELECT id FROM customer WHERE copy_of = ?1"
                        " AND copy_of IS NOT NULL AND state = 1",
    [DELETION_OPEN] = "SELECT " DELETION_COLS " WHERE logs_at IS NULL"
                      " AND step >= 0 ORDER BY (SELECT copy_of IS NULL FROM"
                      " customer WHERE id = customer_id), started_at",
    [DELETION_GET] = "SELECT " DELETION_COLS " WHERE customer_id = ?1",
    [DELETION_FILE_ROWS] =
        "SELECT path, kind, bytes, sha256, is_discarded, erased_at"
        " FROM erasure_file WHERE customer_id = ?1 ORDER BY path",
    [DELETION_WAITING] = "SELECT " DELETION_COLS " WHERE key_gone_at > 0"
                         " AND rewrap_at IS NULL",
    [DELETION_REWRAPPED] = "UPDATE erasure SET rewrap_at = ?1 WHERE"
                           " key_gone_at > 0 AND rewrap_at IS NULL",
    [DELETION_FORGET] = "DELETE FROM quota WHERE customer_id = ?1",
    [DELETION_FORGET_USE] = "DELETE FROM tenant_use WHERE customer_id = ?1",
    [DELETION_FORGET_TRUST] = "DELETE FROM trust_tenant WHERE tenant_id = ?1",
    [DELETION_FORGET_PROOF] = "DELETE FROM trust_proof WHERE tenant_id = ?1",
    [DELETION_FORGET_HEADS] = "DELETE FROM log_head WHERE tenant_id = ?1",
    [DELETION_FORGET_SEEN] = "DELETE FROM log_head_seen WHERE tenant_id = ?1",
    [DELETION_FORGET_BREAKS] = "DELETE FROM log_break WHERE tenant_id = ?1",
    [DELETION_FORGET_WATCH] = "DELETE FROM alert_watch WHERE customer_id = ?1",
    [DELETION_FORGET_CONTACTS] =
        "DELETE FROM customer_contact WHERE customer_id = ?1",
    [DELETION_FORGET_DESK] = "DELETE FROM desk WHERE customer_id = ?1",
    [DELETION_FORGET_BACKUP] = "DELETE FROM backup_tenant WHERE tenant_id = ?1",
    [DELETION_FORGET_SUSPENSION] =
        "DELETE FROM suspension WHERE customer_id = ?1",
    [DELETION_FORGET_END] = "DELETE FROM termination WHERE customer_id = ?1",
};
const struct query_set deletion_queries = {"erasure", deletion_text,
                                           COUNT(deletion_text)};

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q, struct deletion *out)
{
    *out = (struct deletion){
        .tenant = col_text(c, q, 0),
        .name = col_text(c, q, 1),
        .step = (enum deletion_step)col_int(q, 2),
        .started_at = col_int(q, 3),
        .tries = col_int(q, 4),
        .error = col_text(c, q, 5),
        .basis = col_text(c, q, 6),
        .admins = col_text(c, q, 7),
        .key_id = col_text(c, q, 8),
        .key_gone_at = col_int(q, 9),
        .log_rows = col_int(q, 10),
        .log_note = col_text(c, q, 11),
        .proof = col_text(c, q, 12),
        .done_at = col_int(q, 13),
        .backups_on = col_day(q, 14),
        .backups_at = col_int(q, 15),
        .logs_on = col_day(q, 16),
        .logs_at = col_int(q, 17),
        .rewrap_at = col_int(q, 18),
    };
}

enum err deletion_list_open(struct ctx *c, const struct deletion **out,
                            size_t *count)
{
    struct query *q = query(c, deletion_text[DELETION_OPEN]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct deletion one;
        read_row(c, q, &one);
        buf_put(&rows, &one, sizeof one);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err deletion_get(struct ctx *c, const char *tenant, struct deletion *out)
{
    struct query *q = query(c, deletion_text[DELETION_GET]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err deletion_note_rewrap(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, deletion_text[DELETION_WAITING]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct deletion one;
        read_row(c, q, &one);
        one.rewrap_at = c->now_us;
        buf_put(&rows, &one, sizeof one);
    }
    if (e)
        return e;
    const struct deletion *list = (const void *)rows.data;
    q = query(c, deletion_text[DELETION_REWRAPPED]);
    bind_int(q, 1, c->now_us);
    e = query_run(c, q);
    for (size_t i = 0; i < rows.len / sizeof *list && !e; i++)
        if (list[i].step == DELETION_DERIVED) /* there is a certificate */
            e = deletion_certify(c, app, &list[i]);
    return e;
}

static const char *hex_of(struct ctx *c, struct query *q, int i)
{
    size_t len;
    const void *bytes = col_blob(c, q, i, &len);
    char *hex = arena_alloc(c->mem, 2 * len + 1);

    str_to_hex(bytes, len, hex);
    return hex;
}

enum err deletion_list_files(struct ctx *c, const char *tenant,
                             const struct deletion_file_row **out,
                             size_t *count)
{
    struct query *q = query(c, deletion_text[DELETION_FILE_ROWS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_text(q, 1, tenant);
    while (query_next(c, q, &e)) {
        struct deletion_file_row row = {
            .path = col_text(c, q, 0),
            .kind = (int)col_int(q, 1),
            .bytes = col_int(q, 2),
            .sha256 = hex_of(c, q, 3),
            .is_discarded = col_int(q, 4) != 0,
            .erased_at = col_int(q, 5),
        };
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

/* ---- beginning ---- */

struct begin {
    const char *tenant, *name, *basis, *admins;
};

/* The last row of its log, and who has to be told of the end. */
static enum err say_goodbye(struct ctx *c, const char **admins)
{
    enum err e = contract_list_admins(c, admins);

    return e ? e
             : operation_log(
                   c, &(struct operation){.action = "erase",
                                          .kind = "tenant",
                                          .object_name = c->actor->tenant});
}

static enum err sign_heads(struct ctx *c, struct tenant *t)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    struct log_mark last;
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, operation_last(c, &last))) ||
        (e = tx_begin_access(c, t, TX_WRITE)))
        return e;
    log_sign_key(t, key);
    e = tx_end_access(c, t, request_log_sign_heads(c, key, &last));
    crypto_wipe(key, sizeof key);
    return e;
}

/* A file that cannot be opened any more must not keep the rest from going. */
static enum err close_log(struct ctx *c, struct app *app, struct begin *b)
{
    struct actor who = *c->actor;
    struct ctx there = {.mem = c->mem, .actor = &who, .now_us = c->now_us};
    struct tenant *t;

    who.tenant = b->tenant;
    enum err e = tenant_open(app->store, b->tenant, &t);
    if (!e) {
        if (!(e = tx_begin(&there, t, TX_WRITE)))
            e = tx_end(&there, t, say_goodbye(&there, &b->admins));
        if (!e)
            e = sign_heads(&there, t);
        tenant_close(t);
    }
    if (e != ERR_INTERNAL && e != ERR_NOT_FOUND)
        return e;
    log_warn("tenant=%s cannot be opened before its deletion err=%s", b->tenant,
             err_name(e));
    return OK;
}

static const char *write_basis(struct ctx *c, const struct contract_view *v,
                               const char *copy_of)
{
    const struct termination *t = &v->termination;
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "number", v->contract.number);
    json_day(&o, "starts_on", v->contract.starts_on);
    json_text(&o, "place", v->contract.place);
    json_day(&o, "end_on", t->end_on);
    json_day(&o, "delete_on", t->delete_on);
    json_text(&o, "asked_for_by", t->is_customers ? "customer" : "operator");
    json_moment(&o, "asked_at", t->asked_at);
    json_text(&o, "confirmed_by_operator", t->operator_by);
    json_moment(&o, "confirmed_by_operator_at", t->operator_at);
    json_text(&o, "confirmed_by_customer", t->customer_by);
    json_moment(&o, "confirmed_by_customer_at", t->customer_at);
    json_text(&o, "restored_copy_of", copy_of);
    json_close(&o, '}');
    return b.data;
}

static enum err forget(struct ctx *c, const char *tenant)
{
    enum err e = OK;

    for (size_t i = DELETION_FORGET; i < COUNT(deletion_text) && !e; i++) {
        struct query *q = query(c, deletion_text[i]);
        bind_text(q, 1, tenant);
        e = query_run(c, q);
    }
    return e;
}

static enum err add(struct ctx *c, const struct begin *b)
{
    struct query *q = query(c, deletion_text[DELETION_ADD]);

    bind_text(q, 1, b->tenant);
    bind_text(q, 2, b->name);
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, b->basis);
    bind_text(q, 5, b->admins);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, deletion_text[DELETION_CLOSE]);
    bind_text(q, 1, b->tenant);
    if ((e = query_run(c, q)) || (e = forget(c, b->tenant)) ||
        (e = incident_note_gone(c, b->tenant)))
        return e;
    return operation_log(c, &(struct operation){.action = "erase",
                                                .kind = "tenant",
                                                .object_name = b->tenant,
                                                .after = b->basis});
}

static enum err find_copies(struct ctx *c, const struct app *app,
                            const char *tenant, struct buf *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, deletion_text[DELETION_COPIES]);
    bind_text(q, 1, tenant);
    while (query_next(c, q, &e)) {
        const char *id = col_text(c, q, 0);
        buf_put(out, &id, sizeof id);
    }
    return tx_end_control(c, app->store, e);
}

/* Copies keep the end of what they are copies of. */
static enum err prepare(struct ctx *c, struct app *app, const char *tenant,
                        const struct contract_view *of, const char *copy_of,
                        struct begin *out)
{
    struct contract_view own;
    enum err e = contract_get(c, app, tenant, &own);

    if (e)
        return e;
    *out = (struct begin){.tenant = tenant,
                          .name = own.name,
                          .basis = write_basis(c, of, copy_of)};
    return close_log(c, app, out);
}

enum err deletion_begin(struct ctx *c, struct app *app, const char *tenant)
{
    struct buf ids = buf_in(c->mem);
    struct contract_view v;
    enum err e = contract_get(c, app, tenant, &v);

    if (e || (e = find_copies(c, app, tenant, &ids)))
        return e;
    const char *const *copies = (const void *)ids.data;
    size_t count = ids.len / sizeof *copies;
    struct begin *list = arena_array(c->mem, struct begin, count + 1);
    if ((e = prepare(c, app, tenant, &v, NULL, &list[0])))
        return e;
    for (size_t i = 0; i < count && !e; i++)
        e = prepare(c, app, copies[i], &v, tenant, &list[i + 1]);
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    for (size_t i = 0; i <= count && !e; i++)
        e = add(c, &list[i]);
    if ((e = tx_end_control(c, app->store, e)))
        return e;
    log_info("deletion begun tenant=%s copies=%zu", tenant, count);
    tenant_directory_find_sole(app, c->mem);
    return tenant_status_load(c, app);
}
