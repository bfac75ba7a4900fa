/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_LABEL_H
#define CORE_MASTER_LABEL_H

#include "base/buf.h"
#include "base/form.h"
#include "base/json.h"

#include <stddef.h>

/* Free marks on programs, projects and tickets.  They are master data of the tenant:
 * everybody who is signed in reads their names. */
enum label_kind { LABEL_PROJECT, LABEL_PHASE, LABEL_TEAM, LABEL_FREE };
enum { LABEL_PER_OBJECT = 30 };

struct label {
    int64_t id;
    enum label_kind kind;
    const char *name, *color;
    bool is_archived; /* stays where it is, is given no more */
    int64_t version;
    int64_t tickets, projects, programs; /* outside the bin */
};

extern const char *const label_kind_words[];
extern const struct form label_form;       /* create */
extern const struct form label_edit_form;  /* all optional, no kind */
extern const struct form label_merge_form; /* {into} */
extern const struct form label_reply_form;

/* All of them, by kind and name, with their uses. */
MUST_USE enum err label_list(struct ctx *c, const struct label **out,
                             size_t *count);
/* Those the actor may name, without uses: a token limited to projects knows
 * what is borne there. */
MUST_USE enum err label_list_plain(struct ctx *c, const struct label **out,
                                   size_t *count);
MUST_USE enum err label_get(struct ctx *c, int64_t id, struct label *out);
MUST_USE enum err label_create(struct ctx *c, const struct values *v,
                               struct label *out);
MUST_USE enum err label_update(struct ctx *c, int64_t id, int64_t version,
                               const struct values *v, struct label *out);
/* ERR_CONFLICT "in_use" while anything bears it, the bin included. */
MUST_USE enum err label_delete(struct ctx *c, int64_t id, int64_t version);
/* Whatever bears id bears into afterwards, with history; id is gone. */
MUST_USE enum err label_merge(struct ctx *c, int64_t id, int64_t version,
                              int64_t into, struct label *out);
void label_put_json(struct json_out *o, const struct label *l);
/* The member labels of the catalogue: without uses. */
MUST_USE enum err label_put_catalogue(struct ctx *c, struct json_out *o);

/* What bears labels: a table of pairs. */
enum label_owner { LABEL_OF_TICKET, LABEL_OF_PROJECT, LABEL_OF_PROGRAM };
/* Those of many owners by one statement; ids: int64_t. */
struct label_pair {
    int64_t owner_id, label_id;
};
MUST_USE enum err label_list_pairs(struct ctx *c, enum label_owner owner,
                                   const struct buf *ids,
                                   const struct label_pair **out,
                                   size_t *count);
/* The member labels of one of them. */
void label_put_pairs(struct json_out *o, const struct label_pair *list,
                     size_t count, int64_t owner_id);
/* By name; *names is what history says. */
MUST_USE enum err label_list_of(struct ctx *c, enum label_owner owner,
                                int64_t owner_id, const int64_t **ids,
                                size_t *count, const char **names);
/* Replaces what the owner bears.  An unknown label, or an archived one it did
 * not bear before: ERR_INVALID on field "labels".  *names as above. */
MUST_USE enum err label_check(struct ctx *c, const int64_t *ids, size_t count,
                              const int64_t *had, size_t had_count,
                              const char **names);
MUST_USE enum err label_write_of(struct ctx *c, enum label_owner owner,
                                 int64_t owner_id, const int64_t *ids,
                                 size_t count);
/* The member labels: ids as an array. */
void label_put_ids(struct json_out *o, const char *name, const int64_t *ids,
                   size_t count);
/* Whether both lists hold the same, in any order. */
bool label_same(const int64_t *a, size_t n, const int64_t *b, size_t m);

#endif
