/* SPDX-License-Identifier: Apache-2.0 */
/* The white paper's editions: what the page says comes with the product, so a
 * new one begins when a start finds a promise worded otherwise than before, or
 * another version of the product. */
#include "core/trust/trust_version.h"

#include "base/crypto.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/trust/trust.h"
#include "db/query.h"

#include <string.h>

enum { TAG_BYTES = 8, TAGS_BYTES = TRUST_COUNT * TAG_BYTES };

enum { EDITION_LAST, EDITION_ADD, EDITION_LIST };
static const char *const edition_text[] = {
    [EDITION_LAST] = "SELECT version, tags FROM trust_edition WHERE no > 0"
                     " ORDER BY no DESC LIMIT 1",
    [EDITION_ADD] = "INSERT INTO trust_edition (version, at, tags, changed)"
                    " VALUES (?1, ?2, ?3, ?4)",
    [EDITION_LIST] =
        "SELECT no, version, at, changed FROM trust_edition WHERE no > 0"
        " ORDER BY no DESC LIMIT 20",
};
const struct query_set trust_version_queries = {"trust_edition", edition_text,
                                                COUNT(edition_text)};

/* The first bytes of a hash over all that a promise says. */
static void tag_promise(struct ctx *c, const struct trust_promise *p,
                        uint8_t out[TAG_BYTES])
{
    struct buf text = buf_in(c->mem);
    uint8_t hash[32];

    buf_printf(&text, "%s\n%s\n%s\n%s\n%s", p->clause, p->title_ja, p->title_en,
               p->statement_ja, p->statement_en);
    crypto_sha256(text.data, text.len, hash);
    memcpy(out, hash, TAG_BYTES);
}

/* "3, 17": the promises whose tags differ; old NULL: none to compare with. */
static const char *list_changed(struct ctx *c, const uint8_t *old,
                                const uint8_t *now)
{
    struct buf out = buf_in(c->mem);

    for (int i = 0; old && i < TRUST_COUNT; i++)
        if (memcmp(old + i * TAG_BYTES, now + i * TAG_BYTES, TAG_BYTES) != 0)
            buf_printf(&out, "%s%d", out.len ? ", " : "", i + 1);
    return out.len ? out.data : "";
}

static enum err add(struct ctx *c, const uint8_t tags[TAGS_BYTES],
                    const char *changed)
{
    struct query *q = query(c, edition_text[EDITION_ADD]);

    bind_text(q, 1, YAGURA_VERSION);
    bind_int(q, 2, c->now_us);
    bind_blob(q, 3, tags, TAGS_BYTES);
    bind_text(q, 4, changed);
    enum err e = query_run(c, q);
    if (e)
        return e;
    struct buf after = buf_in(c->mem);
    struct json_out o = {.b = &after};
    json_open(&o, NULL, '{');
    json_text(&o, "version", YAGURA_VERSION);
    json_text(&o, "changed", changed);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "create",
                                                .kind = "trust",
                                                .object_name = YAGURA_VERSION,
                                                .after = after.data});
}

enum err trust_version_note(struct ctx *c)
{
    uint8_t tags[TAGS_BYTES];
    const uint8_t *old = NULL;
    struct query *q = query(c, edition_text[EDITION_LAST]);
    enum err e = query_one(c, q);
    bool is_same = false;

    for (int i = 0; i < TRUST_COUNT; i++)
        tag_promise(c, &trust_promises[i], tags + i * TAG_BYTES);
    if (!e) {
        size_t size;
        old = col_blob(c, q, 1, &size);
        if (size != TAGS_BYTES)
            old = NULL;
        is_same = old && memcmp(old, tags, TAGS_BYTES) == 0 &&
                  strcmp(col_text(c, q, 0), YAGURA_VERSION) == 0;
        query_done(q);
    } else if (e != ERR_NOT_FOUND) {
        return e;
    }
    return is_same ? OK : add(c, tags, list_changed(c, old, tags));
}

enum err trust_version_list(struct ctx *c, const struct trust_version **out,
                            size_t *count)
{
    struct query *q = query(c, edition_text[EDITION_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct trust_version t = {.no = col_int(q, 0),
                                  .version = col_text(c, q, 1),
                                  .at = col_int(q, 2),
                                  .changed = col_text(c, q, 3)};
        buf_put(&rows, &t, sizeof t);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}
