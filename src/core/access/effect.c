/* SPDX-License-Identifier: Apache-2.0 */
/* All grants of whoever is touched are read twice at once: as they are, and as
 * they will be.  Both are carried down the tree of programs to each project and
 * settled there, person by person; the difference is the effect.  So whoever
 * keeps a right by another way loses nothing. */
#include "core/access/effect.h"

#include "base/buf.h"
#include "core/access/access.h"
#include "core/access/group.h"
#include "core/access/role.h"
#include "core/core.h"

#include <string.h>

enum { EFFECT_PROGRAMS, EFFECT_PROJECTS, EFFECT_HELD };
static const char *const effect_text[] = {
    [EFFECT_PROGRAMS] = "SELECT id, coalesce(parent_id, 0) FROM program"
                        " ORDER BY id",
    [EFFECT_PROJECTS] = "SELECT id, coalesce(program_id, 0) FROM project"
                        " WHERE deleted_at IS NULL ORDER BY id",
    /* ?1: principal, ?2: role, ?3: only this user; ?4: at ?5, ?6 only */
    [EFFECT_HELD] =
        "WITH hit(id, principal) AS MATERIALIZED (SELECT id, principal"
        " FROM access WHERE principal = ?1 AND (?4 = 0 OR (program_id IS ?5"
        " AND project_id IS ?6)) UNION SELECT id, principal FROM access"
        " WHERE role_id = ?2),"
        " touched(user_id) AS (SELECT principal FROM hit WHERE principal > 0"
        " UNION SELECT m.user_id FROM hit JOIN group_member m"
        " ON m.group_id = -hit.principal),"
        " me(user_id, p) AS (SELECT user_id, user_id FROM touched"
        " UNION ALL SELECT m.user_id, -m.group_id FROM touched"
        " JOIN group_member m ON m.user_id = touched.user_id)"
        " SELECT u.id, u.name, coalesce(a.program_id, 0),"
        " coalesce(a.project_id, 0), r.rights, a.id IN (SELECT id FROM hit)"
        " FROM me CROSS JOIN access a ON a.principal = me.p"
        " JOIN user u ON u.id = me.user_id JOIN role r ON r.id = a.role_id"
        " WHERE u.state < 3 AND u.is_admin = 0 AND (?3 IS NULL OR u.id = ?3)"
        " ORDER BY u.name, u.id",
};
const struct query_set effect_queries = {"effect", effect_text,
                                         COUNT(effect_text)};

enum { NOW, THEN, SIDES };
enum { DEPTH_MAX = 16 };

/* A program or project: what one person's grants on itself give. */
struct spot {
    int64_t id, above_id;
    const struct spot *above; /* the program, NULL: at the top */
    unsigned own[SIDES];
    bool is_lost; /* somebody loses something there */
};

struct spots {
    struct spot *list; /* by id */
    size_t count;
};

struct tree {
    struct spots programs, projects;
    unsigned everywhere[SIDES];
};

static struct spot *find_spot(const struct spots *s, int64_t id)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->list[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->count && s->list[low].id == id ? &s->list[low] : NULL;
}

static enum err load_spots(struct ctx *c, int text, const struct spots *above,
                           struct spots *out)
{
    struct query *q = query(c, effect_text[text]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct spot s = {.id = col_int(q, 0), .above_id = col_int(q, 1)};
        buf_put(&rows, &s, sizeof s);
    }
    out->list = (void *)rows.data;
    out->count = rows.len / sizeof *out->list;
    for (size_t i = 0; i < out->count; i++)
        if (out->list[i].above_id)
            out->list[i].above = find_spot(above, out->list[i].above_id);
    return e;
}

static void forget_person(struct tree *t)
{
    memset(t->everywhere, 0, sizeof t->everywhere);
    for (size_t i = 0; i < t->programs.count; i++)
        memset(t->programs.list[i].own, 0, sizeof t->programs.list[i].own);
    for (size_t i = 0; i < t->projects.count; i++)
        memset(t->projects.list[i].own, 0, sizeof t->projects.list[i].own);
}

/* Areas of administration are of the tenant alone. */
static void add_grant(struct tree *t, int64_t program_id, int64_t project_id,
                      const unsigned rights[SIDES])
{
    struct spot *at = program_id   ? find_spot(&t->programs, program_id)
                      : project_id ? find_spot(&t->projects, project_id)
                                   : NULL;

    for (int side = 0; side < SIDES; side++)
        if (at)
            at->own[side] |= rights[side] & MAY_EVERYTHING;
        else if (!program_id && !project_id)
            t->everywhere[side] |= rights[side];
}

static unsigned rights_on(const struct tree *t, const struct spot *s, int side)
{
    unsigned rights = t->everywhere[side];

    for (int depth = 0; s && depth < DEPTH_MAX; s = s->above, depth++)
        rights |= s->own[side];
    return access_settle(rights & MAY_EVERYTHING);
}

static void compare(const struct tree *t, struct spot *s, bool is_project,
                    struct effect_person *p)
{
    unsigned now = rights_on(t, s, NOW), then = rights_on(t, s, THEN);
    unsigned lost = now & ~then, gained = then & ~now;

    p->lost |= lost;
    p->gained |= gained;
    if (!is_project)
        return;
    s->is_lost = s->is_lost || lost;
    p->lost_in += lost != 0;
    p->unseen += (lost & MAY_PROJECT_VIEW) != 0;
    p->gained_in += gained != 0;
}

static void end_person(struct tree *t, struct effect_person *p,
                       struct buf *people)
{
    unsigned now = t->everywhere[NOW], then = t->everywhere[THEN];

    if (!p->user_id)
        return;
    p->lost = access_settle(now) & ~access_settle(then);
    p->gained = access_settle(then) & ~access_settle(now);
    for (size_t i = 0; i < t->programs.count; i++)
        compare(t, &t->programs.list[i], false, p);
    for (size_t i = 0; i < t->projects.count; i++)
        compare(t, &t->projects.list[i], true, p);
    if (p->lost || p->gained)
        buf_put(people, p, sizeof *p);
    forget_person(t);
}

static struct query *ask(struct ctx *c, const struct effect_change *ch)
{
    struct query *q = query(c, effect_text[EFFECT_HELD]);
    struct member_place at = ch->at ? *ch->at : (struct member_place){0};

    bind_id(q, 1, ch->principal);
    bind_id(q, 2, ch->role_id);
    bind_id(q, 3, ch->user_id);
    bind_int(q, 4, ch->at != NULL);
    bind_id(q, 5, at.of == MEMBER_OF_PROGRAM ? at.id : 0);
    bind_id(q, 6, at.of == MEMBER_OF_PROJECT ? at.id : 0);
    return q;
}

enum err effect_preview(struct ctx *c, const struct effect_change *ch,
                        struct effect *out)
{
    struct tree t = {0};
    struct buf people = buf_in(c->mem);
    struct effect_person p = {0};
    enum err e = load_spots(c, EFFECT_PROGRAMS, &t.programs, &t.programs);

    *out = (struct effect){0};
    if (e || (e = load_spots(c, EFFECT_PROJECTS, &t.programs, &t.projects)))
        return e;
    struct query *q = ask(c, ch);
    while (query_next(c, q, &e)) {
        unsigned held = (unsigned)col_int(q, 4);
        unsigned rights[SIDES] = {held, col_int(q, 5) ? ch->after : held};
        if (col_int(q, 0) != p.user_id) {
            end_person(&t, &p, &people);
            p = (struct effect_person){.user_id = col_int(q, 0),
                                       .name = col_text(c, q, 1)};
        }
        add_grant(&t, col_int(q, 2), col_int(q, 3), rights);
    }
    end_person(&t, &p, &people);
    out->people = (const void *)people.data;
    out->count = people.len / sizeof p;
    for (size_t i = 0; i < t.projects.count; i++)
        out->lost_in += t.projects.list[i].is_lost;
    return e;
}

enum err effect_of_grant(struct ctx *c, struct member_place at,
                         int64_t principal, const char *role,
                         struct effect *out)
{
    struct role r = {0};
    enum err e = role ? role_find_named(c, role, &r) : OK;

    return e ? e
             : effect_preview(c,
                              &(struct effect_change){.principal = principal,
                                                      .at = &at,
                                                      .after = r.rights},
                              out);
}

enum err effect_of_group(struct ctx *c, int64_t id, int64_t user_id,
                         struct effect *out)
{
    struct group g;
    enum err e = group_get(c, id, &g);

    return e ? e
             : effect_preview(c,
                              &(struct effect_change){.principal = -id,
                                                      .user_id = user_id},
                              out);
}

/* The bit of the word before the next comma, 0: there is no such word. */
static unsigned take_word(const char **text)
{
    size_t len = strcspn(*text, ",");
    unsigned bit = 0;

    for (size_t i = 0; permission_words[i]; i++)
        if (strlen(permission_words[i]) == len &&
            memcmp(permission_words[i], *text, len) == 0)
            bit = 1u << i;
    *text += len + ((*text)[len] == ',');
    return bit;
}

enum err effect_of_role(struct ctx *c, int64_t id, const char *rights,
                        struct effect *out)
{
    struct role r;
    struct effect_change ch = {.role_id = id};
    enum err e = role_get(c, id, &r);

    while (!e && rights && *rights) {
        unsigned bit = take_word(&rights);
        if (!bit)
            return ctx_fail(c, ERR_INVALID, "rights", "choice",
                            "権限の名前が正しくありません",
                            "There is no permission of that name");
        ch.after |= bit;
    }
    return e ? e : effect_preview(c, &ch, out);
}
