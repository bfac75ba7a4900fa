/* SPDX-License-Identifier: Apache-2.0 */
/* CSV to plan_file: decode, split, recognise the heads.  Nothing here judges
 * a value; that is import.c's, which knows the project. */
#include "base/cp932.h"
#include "base/csv.h"
#include "base/str.h"
#include "core/exchange/plan_file.h"

#include <string.h>

enum {
    BYTES_MAX = 32 << 20,
    ROWS_MAX = PLAN_ROWS_MAX,
    CELLS_MAX = 64,
    CELL_BYTES = 400000
};

static const struct {
    const char *ja, *en;
    const char *also; /* further heads people's files have, "|" between */
} heads[PLAN_CELLS] = {
    [PLAN_ID] = {"ID", "ID", "チケットID|キー|key|no|no.|番号"},
    [PLAN_ACTION] = {"操作", "Action", ""},
    [PLAN_OUTLINE] = {"WBS番号", "WBS no.",
                      "wbs|アウトライン番号|outline number|outline"},
    [PLAN_LEVEL] = {"階層", "Level", "アウトラインレベル|outline level"},
    [PLAN_PARENT] = {"親", "Parent", "親チケット|parent id"},
    [PLAN_SUBJECT] = {"件名", "Subject",
                      "タスク名|名前|作業名|name|task name|title"},
    [PLAN_CLASSIFICATION] = {"チケット分類", "Classification",
                             "分類|種別|type|tracker"},
    [PLAN_STATUS] = {"ステータス", "Status", "状態"},
    [PLAN_PRIORITY] = {"優先度", "Priority", ""},
    [PLAN_ASSIGNEE] = {"担当者", "Assignee", "担当|assigned to|assignees"},
    [PLAN_START] = {"予定開始日", "Planned start",
                    "開始日|開始|start|start date"},
    [PLAN_END] = {"予定終了日", "Planned end",
                  "終了日|終了|期日|end|finish|end date"},
    [PLAN_ACTUAL_START] = {"実績開始日", "Actual start", ""},
    [PLAN_ACTUAL_END] = {"実績終了日", "Actual end", "actual finish"},
    [PLAN_DUE] = {"期限", "Due", "due date|deadline"},
    [PLAN_PROGRESS] = {"進捗率", "Progress",
                       "進捗|達成率|% complete|% done|progress %"},
    [PLAN_ESTIMATE] = {"見積工数", "Estimate",
                       "予定工数|見積|estimated hours|estimate (h)"},
    [PLAN_ACTUAL] = {"実績工数", "Actual hours", "spent time"},
    [PLAN_MANUAL] = {"手動", "Manual", "手動スケジュール"},
    [PLAN_PREDECESSORS] = {"先行", "Predecessors",
                           "先行タスク|先行チケット|predecessor"},
    [PLAN_DETAILS] = {"詳細", "Details", "説明|備考|description|notes"},
    [PLAN_LABELS] = {"ラベル", "Labels", "label|tags|タグ"},
};

const char *plan_csv_head(enum plan_cell cell, enum lang lang)
{
    return lang == LANG_JA ? heads[cell].ja : heads[cell].en;
}

void plan_file_lose(struct plan_file *f, const char *ja, const char *en,
                    const char *example)
{
    size_t i = 0;

    while (i < f->loss_count && strcmp(f->losses[i].en, en) != 0)
        i++;
    if (i == COUNT(f->losses))
        return;
    if (i == f->loss_count)
        f->losses[f->loss_count++] = (struct plan_loss){ja, en, 0, example};
    f->losses[i].count++;
}

static enum err refuse(struct plan_error *error, int line, int column,
                       const char *rule, const char *message)
{
    *error = (struct plan_error){line, column, "", rule, message};
    return ERR_INVALID;
}

/* ---- encoding ---- */

/* Line and cell of a byte, as far as commas outside quotes tell. */
static enum err refuse_at(struct plan_error *error, const char *data,
                          size_t offset, const char *rule, const char *message)
{
    int line = 1, column = 1;
    bool quoted = false;

    for (size_t i = 0; i < offset; i++) {
        quoted ^= data[i] == '"';
        column += !quoted && (data[i] == ',' || data[i] == '\t');
        if (data[i] == '\n') {
            line++;
            column = quoted ? column : 1;
        }
    }
    return refuse(error, line, column, rule, message);
}

/* Neither one nor the other: what most of the text is decides whose fault is
 * told.  Japanese UTF-8 has three bytes a letter, led by 0xE3 to 0xE9. */
static bool looks_like_utf8(const char *data, size_t len)
{
    size_t good = 0, bad = 0;

    for (size_t i = 0; i + 2 < len; i++) {
        unsigned char a = (unsigned char)data[i];
        if (a < 0x80)
            continue;
        bool is_one = a >= 0xe3 && a <= 0xe9 && (data[i + 1] & 0xc0) == 0x80 &&
                      (data[i + 2] & 0xc0) == 0x80;
        good += is_one;
        bad += !is_one;
        i += is_one ? 2 : 0;
    }
    return good > bad;
}

static enum err decode(struct ctx *c, const char **data, size_t *len,
                       enum plan_encoding encoding, struct plan_error *error)
{
    size_t bad = 0;
    char *text;
    bool has_bom = *len >= 3 && memcmp(*data, "\xef\xbb\xbf", 3) == 0;
    bool is_utf8 = str_is_utf8(*data, *len, &bad);

    if (has_bom) {
        *data += 3;
        *len -= 3;
    }
    if (is_utf8 && encoding != PLAN_CP932)
        return OK;
    if (has_bom)
        bad = bad >= 3 ? bad - 3 : 0;
    if (encoding == PLAN_UTF8 || has_bom ||
        (encoding == PLAN_AUTO && looks_like_utf8(*data, *len)))
        return refuse_at(error, *data, bad, "utf8",
                         ctx_text(c, "UTF-8 として読めない文字があります",
                                  "There are bytes that are not UTF-8"));
    if (!cp932_decode(c->mem, *data, *len, &text, len, &bad))
        return refuse_at(error, *data, bad, "encoding",
                         ctx_text(c,
                                  "UTF-8 でも CP932（Shift_JIS）でも読めません",
                                  "This is neither UTF-8 nor CP932"
                                  " (Shift_JIS)"));
    *data = text;
    return OK;
}

/* ---- heads ---- */

static bool is_head(struct ctx *c, enum plan_cell cell, const char *folded)
{
    const char *also = heads[cell].also;

    if (str_equal(folded, str_fold(c->mem, heads[cell].ja)) ||
        str_equal(folded, str_fold(c->mem, heads[cell].en)))
        return true;
    while (*also) {
        size_t len = strcspn(also, "|");
        if (str_equal(folded,
                      str_fold(c->mem, arena_strndup(c->mem, also, len))))
            return true;
        also += len + (also[len] == '|');
    }
    return false;
}

/* Place of the column's bracketed unit: "見積工数(時間)" is "見積工数". */
static const char *head_text(struct ctx *c, const char *cell)
{
    const char *folded = str_fold(c->mem, str_trim(c->mem, cell));

    return str_trim(c->mem,
                    arena_strndup(c->mem, folded, strcspn(folded, "([")));
}

static enum err read_heads(struct ctx *c, const struct csv_row *row,
                           struct plan_file *f, struct plan_error *error)
{
    for (size_t i = 0; i < row->count; i++) {
        const char *text = head_text(c, row->text[i]);
        int cell = 0;
        while (cell < PLAN_CELLS && !is_head(c, (enum plan_cell)cell, text))
            cell++;
        if (cell == PLAN_CELLS) {
            if (*text)
                plan_file_lose(f, "使わない列", "Columns not used",
                               row->text[i]);
            continue;
        }
        if (f->columns[cell])
            return refuse(error, row->line, (int)i + 1, "column_twice",
                          ctx_text(c, "同じ列が2つあります",
                                   "This column is there twice"));
        f->columns[cell] = (int)i + 1;
        f->names[cell] = str_trim(c->mem, row->text[i]);
    }
    if (!f->columns[PLAN_SUBJECT] && !f->columns[PLAN_ID])
        return refuse(error, row->line, 0, "no_subject",
                      ctx_text(c, "「件名」の列が見つかりません",
                               "There is no column \"Subject\""));
    return OK;
}

/* ---- rows ---- */

static const char *csv_message(struct ctx *c, const char *rule)
{
    if (strcmp(rule, "quote") == 0)
        return ctx_text(c, "引用符（\"）が閉じられていません",
                        "A quotation mark is never closed");
    if (strcmp(rule, "text_after_quote") == 0)
        return ctx_text(c, "閉じた引用符（\"）の後に文字があります",
                        "There is text after a closing quotation mark");
    if (strcmp(rule, "rows") == 0)
        return ctx_text(c, "行が多すぎます（上限 50,000 行）",
                        "There are more than 50,000 rows");
    if (strcmp(rule, "cells") == 0)
        return ctx_text(c, "列が多すぎます（上限 64 列）",
                        "There are more than 64 columns");
    return ctx_text(c, "セルの文字が長すぎます", "A cell is too long");
}

/* Without what was put before a cell that looked like a formula.  Details keep
 * the blanks around them: four of them mean something in Markdown. */
static const char *take_cell(struct ctx *c, int cell, const char *text)
{
    const char *trimmed = str_trim(c->mem, text);

    return csv_plain(cell == PLAN_DETAILS && *trimmed ? text : trimmed);
}

static void take_row(struct ctx *c, const struct csv_row *row,
                     const struct plan_file *f, struct plan_item *out)
{
    out->line = row->line;
    for (int cell = 0; cell < PLAN_CELLS; cell++) {
        size_t column = (size_t)f->columns[cell];
        if (column && column <= row->count)
            out->cell[cell] = take_cell(c, cell, row->text[column - 1]);
    }
}

enum err plan_csv_read(struct ctx *c, const char *data, size_t len,
                       enum plan_encoding encoding, struct plan_file *out,
                       struct plan_error *error)
{
    static const struct csv_limits limits = {ROWS_MAX, CELLS_MAX, CELL_BYTES};
    struct csv csv;
    struct csv_error bad;
    enum err e;

    *out = (struct plan_file){.count = 0};
    if (len > BYTES_MAX)
        return refuse(error, 0, 0, "file_size",
                      ctx_text(c, "ファイルが大きすぎます（上限 32 MB）",
                               "The file is larger than 32 MB"));
    if ((e = decode(c, &data, &len, encoding, error)))
        return e;
    if (memchr(data, 0, len))
        return refuse(error, 0, 0, "binary",
                      ctx_text(c, "CSV ではありません", "This is not CSV"));
    if (!csv_parse(c->mem, data, len, &limits, &csv, &bad))
        return refuse(error, bad.line, bad.column, bad.rule,
                      csv_message(c, bad.rule));
    if (csv.count == 0)
        return refuse(error, 1, 0, "empty",
                      ctx_text(c, "ファイルが空です", "The file is empty"));
    if ((e = read_heads(c, &csv.rows[0], out, error)))
        return e;
    out->count = csv.count - 1;
    out->items = arena_array(c->mem, struct plan_item, csv.count);
    for (size_t i = 1; i < csv.count; i++)
        for (size_t n = csv.rows[0].count; n < csv.rows[i].count; n++)
            if (*str_trim(c->mem, csv.rows[i].text[n]))
                return refuse(
                    error, csv.rows[i].line, (int)n + 1, "cells_beyond",
                    ctx_text(c,
                             "見出しより多くの列があります（カンマを含む値は"
                             "引用符（\"）で囲んでください）",
                             "The row has more cells than there are heads"
                             " (put values with commas in quotation marks)"));
    for (size_t i = 1; i < csv.count; i++)
        take_row(c, &csv.rows[i], out, &out->items[i - 1]);
    return OK;
}

/* ---- sample ---- */

static const char *const sample_ja[][PLAN_CELLS] = {
    {"A", "", "1", "", "", "要件定義", "フェーズ", "", "", "", "",
     "",  "", "",  "", "", "",         "",         "", "", ""},
    {"B",          "",           "1.1",
     "",           "",           "現行業務の調査",
     "タスク",     "進行中",     "高",
     "",           "2026/12/01", "2026/12/11",
     "2026/12/01", "",           "",
     "40",         "40",         "",
     "",           "",           "部門ごとに聞き取り"},
    {"C",      "",  "1.2", "",  "",           "要件定義書の作成",
     "成果物", "",  "",    "",  "2026/12/14", "2026/12/25",
     "",       "",  "",    "0", "60",         "",
     "",       "B", ""},
    {"D",
     "",
     "1.3",
     "",
     "",
     "要件の承認",
     "マイルストーン",
     "",
     "",
     "",
     "2027/01/08",
     "2027/01/08",
     "",
     "",
     "",
     "0",
     "",
     "",
     "",
     "C FS+5",
     ""},
};
static const char *const sample_en[][PLAN_CELLS] = {
    {"A",     "", "1", "", "", "Requirements",
     "Phase", "", "",  "", "", "",
     "",      "", "",  "", "", "",
     "",      "", ""},
    {"B",
     "",
     "1.1",
     "",
     "",
     "Study of today's work",
     "Task",
     "In progress",
     "High",
     "",
     "2026-12-01",
     "2026-12-11",
     "2026-12-01",
     "",
     "",
     "40",
     "40",
     "",
     "",
     "",
     "Interviews by department"},
    {"C",
     "",
     "1.2",
     "",
     "",
     "Requirements document",
     "Deliverable",
     "",
     "",
     "",
     "2026-12-14",
     "2026-12-25",
     "",
     "",
     "",
     "0",
     "60",
     "",
     "",
     "B",
     ""},
    {"D",         "",       "1.3", "",  "",           "Requirements approved",
     "Milestone", "",       "",    "",  "2027-01-08", "2027-01-08",
     "",          "",       "",    "0", "",           "",
     "",          "C FS+5", ""},
};

static const char *sample_cell(size_t row, int cell, enum lang lang)
{
    const char *text =
        lang == LANG_JA ? sample_ja[row][cell] : sample_en[row][cell];

    return text ? text : "";
}

void plan_csv_sample(struct buf *b, enum lang lang)
{
    buf_puts(b, "\xef\xbb\xbf");
    for (int cell = 0; cell < PLAN_CELLS; cell++)
        csv_put(b, plan_csv_head((enum plan_cell)cell, lang),
                cell == PLAN_CELLS - 1);
    for (size_t row = 0; row < COUNT(sample_ja); row++)
        for (int cell = 0; cell < PLAN_CELLS; cell++)
            csv_put(b, sample_cell(row, cell, lang), cell == PLAN_CELLS - 1);
}
