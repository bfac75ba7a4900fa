/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/archive_readme.h"

#include "base/clock.h"
#include "core/archive/archive_table.h"

static void put_tables(struct buf *b, bool is_ja)
{
    for (size_t i = 0; i < archive_table_count; i++) {
        const struct archive_table *t = &archive_tables[i];
        buf_printf(b, "  %-18s %s\r\n", t->name, is_ja ? t->ja : t->en);
    }
}

static void put_ja(struct buf *b, const char *tenant, const char *name,
                   const char *at)
{
    buf_printf(
        b,
        "櫓（Yagura）データの書き出し\r\n"
        "会社: %s（%s）\r\n時点: %s\r\n\r\n"
        "この書庫は、上の時点の全データです。櫓がなくても読めます。\r\n"
        "個人情報を含みます。暗号化されていませんので、保管と受け渡しに"
        "ご注意ください。\r\n\r\n"
        "含まないもの: パスワード、セッション、確認コード、招待リンク、"
        "APIトークン、認証アプリとパスキー、回復コード、送信前のメール、"
        "アクセスログ（問い合わせで請求できます）\r\n\r\n"
        "ファイル\r\n"
        "  tenant.db          全テーブルのSQLiteファイル（SQLite 3で開けます。"
        "検索用の索引は除いてあります）\r\n"
        "  csv/               表ごとのCSV（UTF-8、BOM付き、CRLF。= + - @ などで"
        "始まる値の前には ' を付けています）\r\n"
        "  json/              同じ表をJSONで1行1件（UTF-8）\r\n"
        "  attachments/       問い合わせの添付ファイル（一覧は"
        "csv/attachments.csv）。チケットのものは attachments/tickets/"
        "（一覧は csv/ticket_files.csv）\r\n"
        "  manifest.json      形式の版、件数、各ファイルのSHA-256\r\n"
        "  SHA256SUMS         照合用: sha256sum -c SHA256SUMS\r\n\r\n"
        "日時は日本標準時（+09:00）、日付は年-月-日です。\r\n"
        "別の設備へ移すには: yagura tenant import ファイル --id 新しいID\r\n"
        "（利用者全員に招待メールが届き、各自がパスワードを設定します）\r\n\r\n"
        "csv/ と json/ の表\r\n",
        name, tenant, at);
    put_tables(b, true);
    buf_puts(b, "  operation_log      操作ログ（最後の行は改ざんがないことの"
                "証明。yagura log verify で確かめられます）\r\n\r\n");
}

static void put_en(struct buf *b, const char *tenant, const char *name,
                   const char *at)
{
    buf_printf(
        b,
        "----------------------------------------------------------------\r\n"
        "\r\nYagura data export\r\nCompany: %s (%s)\r\nAs of: %s\r\n\r\n"
        "This archive is everything the company had in Yagura at that moment."
        " It can be read without Yagura.\r\n"
        "It holds personal data and is not encrypted: mind where it is kept."
        "\r\n\r\n"
        "Not in it: passwords, sessions, sign-in codes, invitation links, API"
        " tokens, authenticator apps and passkeys, recovery codes, mail not"
        " sent yet, the access log (ask for it by an enquiry)\r\n\r\n"
        "Files\r\n"
        "  tenant.db          all tables as one SQLite 3 file, without the"
        " search index\r\n"
        "  csv/               one CSV a table (UTF-8 with BOM, CRLF; values"
        " that begin like a formula, = + - @, have a ' before them)\r\n"
        "  json/              the same as JSON, one object a line (UTF-8)\r\n"
        "  attachments/       files attached to enquiries (listed in"
        " csv/attachments.csv); those of tickets in attachments/tickets/"
        " (listed in csv/ticket_files.csv)\r\n"
        "  manifest.json      version of the form, counts, SHA-256 of each"
        " file\r\n"
        "  SHA256SUMS         to check: sha256sum -c SHA256SUMS\r\n\r\n"
        "Moments are Japan Standard Time (+09:00), days year-month-day.\r\n"
        "To move to another installation: yagura tenant import FILE --id NEW"
        "\r\n(everybody gets an invitation and sets a new password)\r\n\r\n"
        "Tables in csv/ and json/\r\n",
        name, tenant, at);
    put_tables(b, false);
    buf_puts(b, "  operation_log      The operation log; its last line proves"
                " that nothing was altered (yagura log verify)\r\n");
}

void archive_readme(struct buf *b, const char *tenant, const char *name,
                    int64_t made_at)
{
    char at[CLOCK_CHARS + 1];

    clock_print(made_at, at);
    buf_puts(b, "\xEF\xBB\xBF");
    put_ja(b, tenant, name, at);
    put_en(b, tenant, name, at);
}
