/* SPDX-License-Identifier: Apache-2.0 */
/* Grants that reach an object stand on it, on the tenant, or on a program above
 * it.  Of the last, a move takes those of the old chain that are not in the new
 * one, and brings the others: one statement reads both sides. */
#include "core/work/move.h"

#include "base/buf.h"
#include "core/access/access.h"
#include "core/core.h"

enum { MOVE_PEOPLE, MOVE_GRANTS };

/* ?1, ?2: program and project that move, one NULL; ?3: where to. */
#define CHAINS                                                                 \
    "WITH RECURSIVE old(id) AS (SELECT parent_id FROM program WHERE id = ?1"   \
    " UNION SELECT program_id FROM project WHERE id = ?2"                      \
    " UNION SELECT p.parent_id FROM old JOIN program p ON p.id = old.id),"     \
    " new(id) AS (SELECT ?3 UNION SELECT p.parent_id FROM new"                 \
    " JOIN program p ON p.id = new.id)"
static const char *const move_text[] = {
    /* side: bit 0 holds now, bit 1 will hold */
    [MOVE_PEOPLE] = CHAINS
    ", given(principal, role_id, side) AS (SELECT a.principal, a.role_id,"
    " 1 + 2 * (old.id IN (SELECT id FROM new WHERE id IS NOT NULL))"
    " FROM old JOIN access a ON a.program_id = old.id UNION ALL"
    " SELECT a.principal, a.role_id, 2 FROM new JOIN access a"
    " ON a.program_id = new.id WHERE new.id NOT IN (SELECT id FROM old"
    " WHERE id IS NOT NULL) UNION ALL"
    " SELECT principal, role_id, 3 FROM access WHERE program_id = ?1"
    " UNION ALL SELECT principal, role_id, 3 FROM access"
    " WHERE project_id = ?2 UNION ALL SELECT principal, role_id, 3"
    " FROM access WHERE program_id IS NULL AND project_id IS NULL),"
    " held(user_id, role_id, side) AS MATERIALIZED (SELECT principal,"
    " role_id, side FROM given WHERE principal > 0 UNION ALL"
    " SELECT m.user_id, role_id, side FROM given JOIN group_member m"
    " ON m.group_id = -principal)"
    " SELECT u.id, u.name, held.side, r.rights FROM held JOIN user u"
    " ON u.id = held.user_id JOIN role r ON r.id = held.role_id"
    " WHERE u.state < 3 AND u.is_admin = 0 AND u.id IN"
    " (SELECT user_id FROM held WHERE side < 3) ORDER BY u.name, u.id",
    [MOVE_GRANTS] = CHAINS
    " SELECT a.principal, r.key, r.rights, (SELECT d.rights FROM access x"
    " JOIN role d ON d.id = x.role_id WHERE x.principal = a.principal"
    " AND x.program_id IS ?1 AND x.project_id IS ?2)"
    " FROM old JOIN access a ON a.program_id = old.id JOIN role r"
    " ON r.id = a.role_id WHERE old.id NOT IN (SELECT id FROM new"
    " WHERE id IS NOT NULL) ORDER BY a.principal",
};
const struct query_set move_queries = {"move", move_text, COUNT(move_text)};

const char *const move_choice_words[] = {"keep", "leave", NULL};

static struct query *ask(struct ctx *c, int text, struct member_place at,
                         int64_t to)
{
    struct query *q = query(c, move_text[text]);

    bind_id(q, 1, at.of == MEMBER_OF_PROGRAM ? at.id : 0);
    bind_id(q, 2, at.of == MEMBER_OF_PROJECT ? at.id : 0);
    bind_id(q, 3, to);
    return q;
}

static void add_person(struct buf *rows, struct moved_person *p,
                       const unsigned sums[2])
{
    unsigned before = access_settle(sums[0] & MAY_EVERYTHING);
    unsigned after = access_settle(sums[1] & MAY_EVERYTHING);

    p->lost = before & ~after;
    p->gained = after & ~before;
    if (p->user_id && (p->lost || p->gained))
        buf_put(rows, p, sizeof *p);
}

enum err move_preview(struct ctx *c, struct member_place at, int64_t to,
                      const struct moved_person **out, size_t *count)
{
    struct query *q = ask(c, MOVE_PEOPLE, at, to);
    struct buf rows = buf_in(c->mem);
    struct moved_person p = {0};
    unsigned sums[2] = {0, 0};
    enum err e;

    while (query_next(c, q, &e)) {
        unsigned rights = (unsigned)col_int(q, 3);
        if (col_int(q, 0) != p.user_id) {
            add_person(&rows, &p, sums);
            p = (struct moved_person){.user_id = col_int(q, 0),
                                      .name = col_text(c, q, 1)};
            sums[0] = sums[1] = 0;
        }
        for (int side = 0; side < 2; side++)
            if (col_int(q, 2) >> side & 1)
                sums[side] |= rights;
    }
    add_person(&rows, &p, sums);
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static int count_bits(unsigned rights)
{
    int n = 0;

    for (; rights; rights &= rights - 1)
        n++;
    return n;
}

struct kept {
    int64_t principal;
    const char *role_key;
    unsigned rights;
};

/* One grant a principal: of several roles, and the one held there already, the
 * one that may do most. */
static enum err read_kept(struct ctx *c, struct member_place at, int64_t to,
                          struct buf *out)
{
    struct query *q = ask(c, MOVE_GRANTS, at, to);
    enum err e;

    *out = buf_in(c->mem);
    while (query_next(c, q, &e)) {
        struct kept k = {.principal = col_int(q, 0),
                         .role_key = col_text(c, q, 1),
                         .rights = (unsigned)col_int(q, 2) & MAY_EVERYTHING};
        unsigned direct = (unsigned)col_int(q, 3) & MAY_EVERYTHING;
        struct kept *last =
            out->len ? (struct kept *)(void *)(out->data + out->len) - 1 : NULL;
        if (!(k.rights & ~direct) || count_bits(k.rights) <= count_bits(direct))
            continue;
        if (!last || last->principal != k.principal)
            buf_put(out, &k, sizeof k);
        else if (count_bits(k.rights) > count_bits(last->rights))
            *last = k;
    }
    return e;
}

enum err move_apply(struct ctx *c, struct member_place at, int64_t to,
                    enum move_choice choice)
{
    const struct moved_person *people;
    size_t count;
    struct buf rows;
    enum err e = move_preview(c, at, to, &people, &count);

    if (e || count == 0)
        return e;
    if (choice == MOVE_UNSAID)
        return ctx_fail(c, ERR_CONFLICT, "members", "move_choice",
                        "移すと%zu人の権限が変わります。権限を失う人を直接の"
                        "メンバーとして残すか（keep）、残さないか（leave）を"
                        "選んでください",
                        "The move changes the rights of %zu people: say whether"
                        " those who lose stay as direct members (keep) or not"
                        " (leave)",
                        count);
    if (choice == MOVE_LEAVE || (e = read_kept(c, at, to, &rows)))
        return e;
    const struct kept *kept = (const void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *kept && !e; i++)
        e = member_keep(c, at, kept[i].principal, kept[i].role_key);
    return e;
}
