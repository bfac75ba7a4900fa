/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FORM_H
#define BASE_FORM_H

#include "base/ctx.h"

#include <stddef.h>

/* Forms: what a body (or a CSV row) may hold, declared as data.  A form is
 * checked once, before core sees it; undeclared fields never get through.
 * Core declares the form of its noun, api routes and imports refer to it. */
enum field_kind {
    FIELD_TEXT,   /* one line; min..max characters (code points); trimmed */
    FIELD_LINES,  /* text with line ends and tabs kept; min..max characters */
    FIELD_SECRET, /* as typed, never trimmed, never logged */
    FIELD_INT,    /* min..max */
    FIELD_BOOL,
    FIELD_DAY,    /* "2026-11-22" -> civil day number, min..max (0,0: any) */
    FIELD_MOMENT, /* "2026-11-22T09:30" in Japan, or with +09:00 -> UTC us */
    FIELD_ID,     /* id as a string of digits -> int64 */
    FIELD_CHOICE, /* one of choices -> its index */
    FIELD_IDS,    /* array of ids, at most max */
    FIELD_WORDS,  /* array of choices, each once -> their bits, at most 62 */
    FIELD_ROWS,   /* array of objects of .rows, at most max */
};

/* GIVES_RIGHTS: setting it gives or takes somebody's rights, whatever the rest
 * of the form does. */
enum { OPTIONAL = 0, REQUIRED = 1, NULLABLE = 2, GIVES_RIGHTS = 4 };

struct form;
struct field {
    const char *name;
    enum field_kind kind;
    int64_t min, max;
    unsigned flags;
    const char *const *choices; /* NULL-terminated */
    const struct form *rows;
    const char *ja, *en; /* what the field is called, for messages */
};

/* Rows of a table of fields: {TEXT("name", 1, 60, REQUIRED, "名前", "Name")}.
 * What comes in has a name for people; OUT_…: of replies only. */
#define OUT_(kind_, name_, flags_)                                             \
    .name = (name_), .kind = FIELD_##kind_, .flags = (flags_), .ja = "",       \
    .en = ""
#define IN_(kind_, name_, flags_, ja_, en_)                                    \
    .name = (name_), .kind = FIELD_##kind_, .flags = (flags_), .ja = (ja_),    \
    .en = (en_)
#define TEXT(name_, min_, max_, flags_, ja_, en_)                              \
    IN_(TEXT, name_, flags_, ja_, en_), .min = (min_), .max = (max_)
#define LINES(name_, min_, max_, flags_, ja_, en_)                             \
    IN_(LINES, name_, flags_, ja_, en_), .min = (min_), .max = (max_)
#define SECRET(name_, min_, max_, flags_, ja_, en_)                            \
    IN_(SECRET, name_, flags_, ja_, en_), .min = (min_), .max = (max_)
#define INT(name_, min_, max_, flags_, ja_, en_)                               \
    IN_(INT, name_, flags_, ja_, en_), .min = (min_), .max = (max_)
#define BOOL(name_, flags_, ja_, en_) IN_(BOOL, name_, flags_, ja_, en_)
#define DAY(name_, flags_, ja_, en_)  IN_(DAY, name_, flags_, ja_, en_)
#define DAY_IN(name_, min_, max_, flags_, ja_, en_)                            \
    IN_(DAY, name_, flags_, ja_, en_), .min = (min_), .max = (max_)
#define MOMENT(name_, flags_, ja_, en_) IN_(MOMENT, name_, flags_, ja_, en_)
#define ID(name_, flags_, ja_, en_)     IN_(ID, name_, flags_, ja_, en_)
#define IDS(name_, max_, flags_, ja_, en_)                                     \
    IN_(IDS, name_, flags_, ja_, en_), .max = (max_)
#define CHOICE(name_, choices_, flags_, ja_, en_)                              \
    IN_(CHOICE, name_, flags_, ja_, en_), .choices = (choices_)
#define WORDS(name_, choices_, flags_, ja_, en_)                               \
    IN_(WORDS, name_, flags_, ja_, en_), .choices = (choices_)
#define ROWS(name_, rows_, min_, max_, flags_, ja_, en_)                       \
    IN_(ROWS, name_, flags_, ja_, en_), .rows = (rows_), .min = (min_),        \
                                        .max = (max_)
#define OUT_TEXT(name_, flags_)      OUT_(TEXT, name_, flags_)
#define OUT_LINES(name_, flags_)     OUT_(LINES, name_, flags_)
#define OUT_INT(name_, flags_)       OUT_(INT, name_, flags_)
#define OUT_BOOL(name_, flags_)      OUT_(BOOL, name_, flags_)
#define OUT_DAY(name_, flags_)       OUT_(DAY, name_, flags_)
#define OUT_MOMENT(name_, flags_)    OUT_(MOMENT, name_, flags_)
#define OUT_ID(name_, flags_)        OUT_(ID, name_, flags_)
#define OUT_IDS(name_, max_, flags_) OUT_(IDS, name_, flags_), .max = (max_)
#define OUT_CHOICE(name_, choices_, flags_)                                    \
    OUT_(CHOICE, name_, flags_), .choices = (choices_)
#define OUT_WORDS(name_, choices_, flags_)                                     \
    OUT_(WORDS, name_, flags_), .choices = (choices_)
#define OUT_ROWS(name_, rows_, max_, flags_)                                   \
    OUT_(ROWS, name_, flags_), .rows = (rows_), .max = (max_)

struct form {
    const char *name; /* schema name in OpenAPI and TypeScript */
    const struct field *fields;
    size_t count;
};

/* Checked values of one form.  Lives in the arena it was made in. */
struct values;

/* Parses a strict JSON object against the form.  Malformed JSON or an
 * undeclared field: ERR_INVALID with rule "json"/"unknown_field" (reply 400);
 * refused values: ERR_INVALID with one failure a field (reply 422). */
MUST_USE enum err values_parse_json(struct ctx *c, const struct form *form,
                                    const char *text, size_t len,
                                    const struct values **out);

/* Builds values from text cells (import, query strings): NULL = not given,
 * "" = null.  Choices are taken by their word. */
MUST_USE enum err values_parse_cells(struct ctx *c, const struct form *form,
                                     const char *const *cells,
                                     const struct values **out);

bool values_has(const struct values *v, const char *name); /* null counts */
/* Whether a field flagged GIVES_RIGHTS is given. */
bool values_give_rights(const struct values *v);
bool values_is_null(const struct values *v, const char *name);
const char *values_text(const struct values *v, const char *name); /* NULL */
int64_t values_int(const struct values *v, const char *name, int64_t missing);
bool values_bool(const struct values *v, const char *name, bool missing);
size_t values_ids(const struct values *v, const char *name,
                  const int64_t **out);
size_t values_rows(const struct values *v, const char *name,
                   const struct values *const **out);

#endif
