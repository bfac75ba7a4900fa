/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exchange/people_csv.h"

#include "base/cp932.h"
#include "base/csv.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/account/user.h"

#include <string.h>
#include <strings.h>

enum { FILE_CELLS_MAX = 64, CELL_BYTES_MAX = 4096, EXPORT_PAGE = 500 };

struct word {
    const char *ja, *en;
};
static const struct word heads[PEOPLE_CELLS] = {
    {"操作", "Action"},
    {"メールアドレス", "E-mail"},
    {"氏名", "Name"},
    {"言語", "Language"},
    {"マスター管理者", "Master administrator"},
    {"状態", "State"},
};
static const struct word actions[] = {
    {"", ""},
    {"追加", "Add"},
    {"変更", "Change"},
    {"削除", "Delete"},
};
static const struct word langs[] = {{"日本語", "Japanese"},
                                    {"英語", "English"}};
static const struct word states[] = {
    {"招待中", "Invited"}, {"有効", "Active"}, {"停止中", "Suspended"}};
static const struct word truths[] = {{"いいえ", "No"}, {"はい", "Yes"}};

static const char *say(enum lang lang, struct word w)
{
    return lang == LANG_JA ? w.ja : w.en;
}

/* Which of the words, in either language, it is; -1: none. */
static int find_word(struct ctx *c, const struct word *words, size_t count,
                     const char *text)
{
    const char *folded = str_fold(c->mem, text);

    for (size_t i = 0; i < count; i++)
        if (str_equal(folded, str_fold(c->mem, words[i].ja)) ||
            str_equal(folded, str_fold(c->mem, words[i].en)))
            return (int)i;
    return -1;
}

/* ---- mistakes ---- */

static void refuse_at(struct ctx *c, struct people_file *f, int line,
                      int column, const char *name, const char *rule,
                      const char *message)
{
    if (f->error_count == f->error_room) {
        size_t room = f->error_room ? 2 * f->error_room : 16;
        struct people_error *grown =
            arena_array(c->mem, struct people_error, room);
        if (f->error_count)
            memcpy(grown, f->errors, f->error_count * sizeof(*grown));
        f->errors = grown;
        f->error_room = room;
    }
    f->errors[f->error_count++] =
        (struct people_error){line, column, name, rule, message};
}

static void refuse(struct ctx *c, struct people_file *f,
                   const struct people_row *row, enum people_cell cell,
                   const char *rule, const char *message)
{
    refuse_at(c, f, row->line, f->columns[cell],
              f->names[cell] ? f->names[cell]
                             : say(c->actor->lang, heads[cell]),
              rule, message);
}

/* ---- reading ---- */

static int line_of(const char *data, size_t offset)
{
    int line = 1;

    for (size_t i = 0; i < offset; i++)
        line += data[i] == '\n';
    return line;
}

static bool decode(struct ctx *c, const char **data, size_t *len,
                   struct people_file *f)
{
    size_t bad = 0;
    char *text;
    bool has_bom = *len >= 3 && memcmp(*data, "\xef\xbb\xbf", 3) == 0;

    if (str_is_utf8(*data, *len, &bad)) {
        *data += has_bom ? 3 : 0;
        *len -= has_bom ? 3 : 0;
        return true;
    }
    if (!has_bom && cp932_decode(c->mem, *data, *len, &text, len, &bad)) {
        *data = text;
        return true;
    }
    refuse_at(c, f, line_of(*data, bad), 0, "", "encoding",
              ctx_text(c, "UTF-8 でも CP932（Shift_JIS）でも読めません",
                       "This is neither UTF-8 nor CP932 (Shift_JIS)"));
    return false;
}

static void read_heads(struct ctx *c, const struct csv_row *row,
                       struct people_file *f)
{
    for (size_t i = 0; i < row->count; i++) {
        const char *name = str_trim(c->mem, row->text[i]);
        int cell = find_word(c, heads, COUNT(heads), name);
        if (cell < 0)
            refuse_at(
                c, f, row->line, (int)i + 1, name, "unknown_column",
                ctx_text(c, "この列は使えません", "This column is not known"));
        else if (f->columns[cell])
            refuse_at(c, f, row->line, (int)i + 1, name, "column_twice",
                      ctx_text(c, "同じ列が2つあります",
                               "This column is there twice"));
        else
            f->columns[cell] = (int)i + 1;
        if (cell >= 0)
            f->names[cell] = name;
    }
    for (int cell = PEOPLE_ACTION; cell <= PEOPLE_EMAIL; cell++)
        if (!f->columns[cell])
            refuse_at(c, f, row->line, 0, say(c->actor->lang, heads[cell]),
                      "no_column",
                      ctx_text(c, "この列が必要です", "This column is needed"));
}

/* What the export put before a cell that looked like a formula goes again. */
static const char *tidy(struct ctx *c, const char *text)
{
    text = csv_plain(str_trim(c->mem, text));
    return *text ? text : NULL;
}

/* The first column beyond the heads that holds something; 0: none. */
static int find_surplus(struct ctx *c, const struct csv_row *row,
                        size_t heads_count)
{
    for (size_t i = heads_count; i < row->count; i++)
        if (*str_trim(c->mem, row->text[i]))
            return (int)i + 1;
    return 0;
}

static void read_rows(struct ctx *c, const struct csv *csv,
                      struct people_file *f)
{
    f->rows = arena_array(c->mem, struct people_row, csv->count);
    for (size_t i = 1; i < csv->count; i++) {
        const struct csv_row *row = &csv->rows[i];
        struct people_row *out = &f->rows[f->count++];
        out->line = row->line;
        out->surplus = find_surplus(c, row, csv->rows[0].count);
        for (int cell = 0; cell < PEOPLE_CELLS; cell++) {
            size_t column = (size_t)f->columns[cell];
            if (column && column <= row->count)
                out->cell[cell] = tidy(c, row->text[column - 1]);
        }
    }
}

static const char *csv_message(struct ctx *c, const char *rule)
{
    if (strcmp(rule, "rows") == 0)
        return ctx_text(c, "行が多すぎます（上限 5,000 行）",
                        "There are more than 5,000 rows");
    if (strcmp(rule, "quote") == 0 || strcmp(rule, "text_after_quote") == 0)
        return ctx_text(c, "引用符（\"）の対応が正しくありません",
                        "The quotation marks do not match");
    return ctx_text(c, "列が多すぎるか、セルが長すぎます",
                    "Too many columns, or a cell is too long");
}

void people_csv_read(struct ctx *c, const char *data, size_t len,
                     struct people_file *out)
{
    static const struct csv_limits limits = {PEOPLE_MAX_ROWS + 1,
                                             FILE_CELLS_MAX, CELL_BYTES_MAX};
    struct csv csv;
    struct csv_error bad;

    *out = (struct people_file){.count = 0};
    if (!decode(c, &data, &len, out))
        return;
    if (memchr(data, 0, len)) {
        refuse_at(c, out, 0, 0, "", "binary",
                  ctx_text(c, "CSV ではありません", "This is not CSV"));
        return;
    }
    if (!csv_parse(c->mem, data, len, &limits, &csv, &bad)) {
        refuse_at(c, out, bad.line, bad.column, "", bad.rule,
                  csv_message(c, bad.rule));
        return;
    }
    if (csv.count < 2) {
        refuse_at(c, out, 1, 0, "", "empty",
                  ctx_text(c, "データの行がありません", "There are no rows"));
        return;
    }
    read_heads(c, &csv.rows[0], out);
    if (out->error_count == 0)
        read_rows(c, &csv, out);
}

/* ---- judging ---- */

static enum people_cell cell_of(const char *field)
{
    static const char *const fields[PEOPLE_CELLS] = {
        "", "email", "name", "lang", "is_admin", "state"};

    for (int i = 1; i < PEOPLE_CELLS; i++)
        if (str_equal(field, fields[i]))
            return (enum people_cell)i;
    return PEOPLE_ACTION;
}

/* The word as the form wants it; an unknown one stays, the form refuses it. */
static const char *form_word(struct ctx *c, const struct people_row *row,
                             enum people_cell cell, const struct word *words,
                             size_t count, const char *const *as)
{
    const char *text = row->cell[cell];
    int i = text ? find_word(c, words, count, text) : -1;

    return i < 0 ? text : as[i];
}

/* What would be right, in the words of the file rather than of the API. */
static const char *words_wanted(struct ctx *c, enum people_cell cell,
                                const struct failure *x)
{
    static const struct word *const wanted[PEOPLE_CELLS][2] = {
        [PEOPLE_LANG] = {&langs[0], &langs[1]},
        [PEOPLE_ADMIN] = {&truths[1], &truths[0]},
        [PEOPLE_STATE] = {&states[1], &states[2]}, /* nobody is invited again */
    };

    if (!str_equal(x->rule, "choice") && !str_equal(x->rule, "type"))
        return x->message;
    const struct word *a = wanted[cell][0], *b = wanted[cell][1];
    if (a)
        return c->actor->lang == LANG_JA
                   ? arena_printf(c->mem, "「%s」か「%s」にしてください", a->ja,
                                  b->ja)
                   : arena_printf(c->mem, "Must be %s or %s", a->en, b->en);
    return x->message;
}

static void judge_values(struct ctx *c, struct people_file *f,
                         struct people_row *row)
{
    struct ctx own = *c; /* its failures become this row's */
    const char *lang =
        form_word(c, row, PEOPLE_LANG, langs, COUNT(langs), lang_words);
    const char *state = form_word(c, row, PEOPLE_STATE, states, COUNT(states),
                                  user_state_words);
    const char *admin = row->cell[PEOPLE_ADMIN];
    const char *add[] = {row->cell[PEOPLE_EMAIL], row->cell[PEOPLE_NAME], lang,
                         admin};
    const char *change[] = {row->cell[PEOPLE_NAME], lang, admin, state};
    bool is_new = row->action == PEOPLE_ADD;

    own.fail = NULL;
    if (values_parse_cells(&own, is_new ? &user_form : &user_edit_form,
                           is_new ? add : change, &row->values))
        for (const struct failure *x = own.fail; x; x = x->next)
            refuse(c, f, row, cell_of(x->field), x->rule,
                   words_wanted(c, cell_of(x->field), x));
    if (is_new && state && strcmp(state, "invited") != 0)
        refuse(c, f, row, PEOPLE_STATE, "state",
               ctx_text(c, "追加する人は「招待中」から始まります",
                        "Somebody new begins as invited"));
}

static enum err judge_change(struct ctx *c, struct people_file *f,
                             const struct people_row *row, const struct user *u)
{
    bool is_above;
    enum err e = access_is_above(c, u->id, &is_above);
    bool is_gone = row->action == PEOPLE_DELETE;
    int64_t state =
        is_gone ? USER_DELETED : values_int(row->values, "state", u->state);
    bool is_admin =
        !is_gone && values_bool(row->values, "is_admin", u->is_admin);
    bool is_stopped = state == USER_SUSPENDED;

    if (e)
        return e;
    f->has_admins |= u->is_admin || is_admin;
    if (!is_gone && state != u->state &&
        (state == USER_DELETED || state == USER_INVITED ||
         u->state == USER_INVITED))
        refuse(c, f, row, PEOPLE_STATE, "state",
               ctx_text(c, "この状態には変更できません",
                        "The state cannot be changed to this"));
    if (is_above || ((u->is_admin || is_admin) && !c->actor->is_admin))
        refuse(c, f, row, PEOPLE_ADMIN, "admin_only",
               ctx_text(c, "マスター管理者を扱えるのはマスター管理者だけです",
                        "Only a master administrator may do this to one"));
    if (u->id == c->actor->user_id &&
        (is_gone || is_stopped || is_admin != u->is_admin))
        refuse(c, f, row,
               is_gone      ? PEOPLE_ACTION
               : is_stopped ? PEOPLE_STATE
                            : PEOPLE_ADMIN,
               "self",
               ctx_text(c, "自分自身の削除、停止、権限の変更はできません",
                        "You cannot delete, suspend or demote yourself"));
    return OK;
}

/* Active administrators after the row, less those before it. */
static int admin_step(const struct people_row *row, const struct user *u)
{
    bool was = u->is_admin && u->state == USER_ACTIVE;
    bool is = row->action != PEOPLE_DELETE &&
              values_bool(row->values, "is_admin", u->is_admin) &&
              values_int(row->values, "state", u->state) == USER_ACTIVE;

    return (int)is - (int)was;
}

static bool is_twice(const struct people_file *f, size_t i, const char *email)
{
    for (size_t n = 0; n < i; n++)
        if (f->rows[n].action && f->rows[n].cell[PEOPLE_EMAIL] &&
            strcasecmp(f->rows[n].cell[PEOPLE_EMAIL], email) == 0)
            return true;
    return false;
}

/* The person of the row; ERR_NOT_FOUND when there is none or the address is
 * refused. */
static enum err judge_email(struct ctx *c, struct people_file *f, size_t i,
                            struct user *u)
{
    const struct people_row *row = &f->rows[i];
    const char *email = row->cell[PEOPLE_EMAIL];
    bool is_new = row->action == PEOPLE_ADD;

    if (!email || !str_is_email(email)) {
        if (email || !is_new) /* the form says so of a new one */
            refuse(c, f, row, PEOPLE_EMAIL, "email",
                   ctx_text(c, "メールアドレスの形が正しくありません",
                            "This is not an e-mail address"));
        return ERR_NOT_FOUND;
    }
    if (is_twice(f, i, email))
        refuse(c, f, row, PEOPLE_EMAIL, "email_twice",
               ctx_text(c, "同じメールアドレスが前の行にあります",
                        "This address is on a line before"));
    enum err e = user_find(c, email, u);
    if (e == OK && is_new)
        refuse(c, f, row, PEOPLE_EMAIL, "email_taken",
               ctx_text(c, "このメールアドレスはすでに使われています",
                        "This address is already in use"));
    if (e == ERR_NOT_FOUND && !is_new)
        refuse(c, f, row, PEOPLE_EMAIL, "not_found",
               ctx_text(c, "このメールアドレスの人はいません",
                        "Nobody has this address"));
    return e;
}

/* A row without an action is of somebody who is there: a list of new people
 * must not pass as one that changes nothing. */
static enum err judge_kept(struct ctx *c, struct people_file *f,
                           const struct people_row *row)
{
    const char *email = row->cell[PEOPLE_EMAIL];
    struct user u;
    enum err e = email ? user_find(c, email, &u) : OK;

    f->kept++;
    if (e != ERR_NOT_FOUND)
        return e;
    refuse(
        c, f, row, PEOPLE_ACTION, "no_action",
        ctx_text(c,
                 "このメールアドレスの人はいません。追加する行には「追加」と"
                 "書いてください",
                 "Nobody has this address. To add somebody, write Add here"));
    return OK;
}

/* A comma that was not quoted moves what follows it one column on: nothing
 * else can be said of such a row. */
static void refuse_surplus(struct ctx *c, struct people_file *f,
                           const struct people_row *row)
{
    refuse_at(c, f, row->line, row->surplus, "", "surplus_cell",
              ctx_text(c,
                       "見出しのない列に値があります。カンマを含む値は引用符"
                       "（\"）で囲んでください",
                       "There is no column head here. Put a value that holds a"
                       " comma between quotation marks"));
}

static enum err judge_row(struct ctx *c, struct people_file *f, size_t i,
                          int *step)
{
    struct people_row *row = &f->rows[i];
    struct user u = {0};
    const char *text = row->cell[PEOPLE_ACTION];
    int action = text ? find_word(c, actions, COUNT(actions), text) : 0;

    if (row->surplus) {
        refuse_surplus(c, f, row);
        return OK;
    }
    if (action < 0) {
        refuse(c, f, row, PEOPLE_ACTION, "action",
               ctx_text(c, "「追加」「変更」「削除」のどれかにしてください",
                        "Must be Add, Change or Delete"));
        return OK;
    }
    row->action = (enum people_action)action;
    if (row->action == PEOPLE_KEEP)
        return judge_kept(c, f, row);
    size_t before = f->error_count;
    enum err e = judge_email(c, f, i, &u);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if (row->action != PEOPLE_DELETE)
        judge_values(c, f, row);
    if (row->action == PEOPLE_ADD && row->values &&
        values_bool(row->values, "is_admin", false)) {
        f->has_admins = true;
        if (!c->actor->is_admin)
            refuse(c, f, row, PEOPLE_ADMIN, "admin_only",
                   ctx_text(c,
                            "マスター管理者を扱えるのはマスター管理者だけです",
                            "Only a master administrator may do this to one"));
    }
    if (f->error_count == before && row->action != PEOPLE_ADD) {
        e = judge_change(c, f, row, &u);
        if (e)
            return e;
        *step = admin_step(row, &u);
    }
    f->added += row->action == PEOPLE_ADD;
    f->changed += row->action == PEOPLE_CHANGE;
    f->deleted += row->action == PEOPLE_DELETE;
    return OK;
}

enum err people_csv_check(struct ctx *c, struct people_file *f)
{
    const struct people_row *last = NULL; /* that takes an administrator */
    int64_t admins = 0;
    enum err e = user_count_admins(c, &admins);

    for (size_t i = 0; !e && i < f->count; i++) {
        int step = 0;
        e = judge_row(c, f, i, &step);
        admins += step;
        if (step < 0)
            last = &f->rows[i];
    }
    if (!e && last && admins <= 0)
        refuse(c, f, last, PEOPLE_ACTION, "last_admin",
               ctx_text(c, "最後のマスター管理者は外せません",
                        "The last master administrator must stay"));
    return e;
}

/* ---- writing ---- */

static void put_heads(struct buf *b, enum lang lang)
{
    buf_puts(b, "\xef\xbb\xbf");
    for (int i = 0; i < PEOPLE_CELLS; i++)
        csv_put(b, say(lang, heads[i]), i == PEOPLE_CELLS - 1);
}

void people_csv_sample(struct buf *b, enum lang lang)
{
    static const struct word rows[][PEOPLE_CELLS] = {
        {{"追加", "Add"},
         {"yamada@example.jp", "yamada@example.jp"},
         {"山田 花子", "Hanako Yamada"},
         {"日本語", "Japanese"},
         {"いいえ", "No"},
         {"", ""}},
        {{"変更", "Change"},
         {"sato@example.jp", "sato@example.jp"},
         {"佐藤 健", "Ken Sato"},
         {"", ""},
         {"", ""},
         {"停止中", "Suspended"}},
        {{"削除", "Delete"},
         {"suzuki@example.jp", "suzuki@example.jp"},
         {"", ""},
         {"", ""},
         {"", ""},
         {"", ""}},
    };

    put_heads(b, lang);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int n = 0; n < PEOPLE_CELLS; n++)
            csv_put(b, say(lang, rows[i][n]), n == PEOPLE_CELLS - 1);
}

enum err people_csv_export(struct ctx *c, struct buf *b)
{
    struct user_filter filter = {
        .state = -1, .admin = -1, .limit = EXPORT_PAGE};
    enum lang lang = c->actor->lang;
    bool more = true;

    put_heads(b, lang);
    while (more) {
        const struct user *list;
        size_t count;
        enum err e = user_list(c, &filter, &list, &count, &more);
        if (e)
            return e;
        for (size_t i = 0; i < count; i++) {
            csv_put(b, "", false);
            csv_put(b, list[i].email, false);
            csv_put(b, list[i].name, false);
            csv_put(b, say(lang, langs[list[i].lang]), false);
            csv_put(b, say(lang, truths[list[i].is_admin]), false);
            csv_put(b, say(lang, states[list[i].state]), true);
        }
        if (count)
            filter.after_id = list[count - 1].id;
    }
    return OK;
}
