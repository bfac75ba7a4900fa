/* SPDX-License-Identifier: Apache-2.0 */
/* The readable side of the archive.  Everything of the tenant's file that a
 * person entered or did is in one of these tables; a test compares the list
 * with the schema, so that a new table cannot be forgotten. */
#include "core/archive/archive_table.h"

#include "core/account/auth_policy.h"
#include "core/account/support_access.h"
#include "core/account/user.h"
#include "core/alert/alert.h"
#include "core/core.h"
#include "core/desk/support_request.h"
#include "core/master/catalogue.h"
#include "core/master/field.h"
#include "core/master/label.h"
#include "core/work/dependency.h"
#include "core/work/program.h"
#include "core/work/project.h"
#include "db/query.h"

#define NAME_OF(id)    "(SELECT name FROM user WHERE id = " id ")"
#define MAIL_OF(id)    "(SELECT email FROM user WHERE id = " id ")"
#define PROGRAM_OF(id) "(SELECT key FROM program WHERE id = " id ")"
#define PROJECT_OF(id) "(SELECT key FROM project WHERE id = " id ")"
/* Of a value kept in both languages with U+001F between. */
#define PART_JA(value)                                                         \
    "CASE WHEN instr(" value ", char(31)) THEN substr(" value                  \
    ", 1, instr(" value ", char(31)) - 1) ELSE " value " END"
#define PART_EN(value) "substr(" value ", instr(" value ", char(31)) + 1)"
#define TICKET_OF(id)                                                          \
    "(SELECT p.key || '-' || t.no FROM ticket t JOIN project p"                \
    " ON p.id = t.project_id WHERE t.id = " id ")"

#define HISTORY_OF TICKET_OF("h.ticket_id")
#define HISTORY_BY NAME_OF("h.user_id")
#define OLD_VALUE  PART_JA("h.before") ", " PART_EN("h.before")
#define NEW_VALUE  PART_JA("h.after") ", " PART_EN("h.after")

enum {
    A_TENANT,
    A_ADDRESSES,
    A_PEOPLE,
    A_ROLES,
    A_GROUPS,
    A_GROUP_MEMBERS,
    A_GRANTS,
    A_TEAMS,
    A_TEAM_MEMBERS,
    A_LABELS,
    A_CLASSIFICATIONS,
    A_STATUSES,
    A_FIELDS,
    A_CHOICES,
    A_STANDARD,
    A_CALENDARS,
    A_DAYS,
    A_PROGRAMS,
    A_PROJECTS,
    A_TICKETS,
    A_VALUES,
    A_LINKS,
    A_COMMENTS,
    A_TICKET_FILES,
    A_HISTORY,
    A_ENQUIRIES,
    A_MESSAGES,
    A_FILES,
    A_ALERTS,
    A_READERS,
    A_FILTERS,
    A_CONTACTS,
    A_READ,
    A_SUPPORT,
    A_CONSENTS,
    A_REVIEWS,
};
static const char *const archive_table_text[] = {
    [A_TENANT] = "SELECT name, lang, first_weekday, fiscal_month,"
                 " password_profile, password_min, password_classes,"
                 " password_days, factors, fresh_code, tokens, terms_everyone,"
                 " (SELECT name FROM calendar WHERE id = calendar_id),"
                 " created_at FROM tenant",
    [A_ADDRESSES] = "SELECT base, prefix, note, created_at FROM allow_range",
    [A_PEOPLE] = "SELECT id, email, name, lang, state, is_admin, notify,"
                 " created_at, signed_in_at FROM user WHERE id > 0"
                 " ORDER BY id",
    [A_ROLES] = "SELECT id, key, ja, en, details, rights, is_system FROM role",
    [A_GROUPS] = "SELECT id, name, details, created_at FROM permission_group"
                 " WHERE id > 0",
    [A_GROUP_MEMBERS] =
        "SELECT (SELECT name FROM permission_group WHERE id = m.group_id),"
        " " NAME_OF("m.user_id") ", " MAIL_OF(
            "m.user_id") " FROM group_member m WHERE m.user_id > 0",
    [A_GRANTS] = "SELECT a.id, " NAME_OF("a.user_id") ", " MAIL_OF(
        "a.user_id") ","
                     " (SELECT name FROM permission_group WHERE id = "
                     "a.group_id),"
                     " " PROGRAM_OF("a.program_id") ", " PROJECT_OF(
                         "a.project_id") ","
                                         " (SELECT key FROM role WHERE id = "
                                         "a.role_id)"
                                         " FROM access a WHERE a.id > 0",
    [A_TEAMS] = "SELECT id, name, color, is_archived FROM team WHERE id > 0",
    [A_TEAM_MEMBERS] =
        "SELECT (SELECT name FROM team WHERE id = m.team_id),"
        " " NAME_OF("m.user_id") ", " MAIL_OF(
            "m.user_id") " FROM team_member m WHERE m.team_id > 0",
    [A_LABELS] =
        "SELECT id, kind, name, color, is_archived FROM label WHERE id > 0",
    [A_CLASSIFICATIONS] =
        "SELECT id, key, family, ja, en, color, is_hidden FROM classification",
    [A_STATUSES] =
        "SELECT s.id, (SELECT key FROM classification WHERE id ="
        " s.classification_id), s.ja, s.en, s.category, s.rank, s.is_hidden"
        " FROM status s WHERE s.id > 0",
    [A_FIELDS] = "SELECT f.id, (SELECT key FROM classification WHERE id ="
                 " f.classification_id), f.type, f.ja, f.en, f.help, f.initial,"
                 " f.is_required, f.is_hidden, f.place, f.rank FROM field f"
                 " WHERE f.id > 0",
    [A_CHOICES] = "SELECT id, field_id, ja, en, is_hidden, rank"
                  " FROM field_choice WHERE id > 0",
    [A_STANDARD] = "SELECT (SELECT key FROM classification WHERE id ="
                   " classification_id), name, help, is_hidden"
                   " FROM standard_field",
    [A_CALENDARS] = "SELECT id, name, weekdays, holidays, is_own FROM calendar"
                    " WHERE id > 0",
    [A_DAYS] = "SELECT calendar_id, (SELECT name FROM calendar WHERE id ="
               " calendar_id), day, is_working, name FROM calendar_day"
               " WHERE calendar_id > 0",
    [A_PROGRAMS] = "SELECT p.id, p.key, p.name, p.details, " PROGRAM_OF(
        "p.parent_id") ","
                       " " NAME_OF(
                           "p.manager_id") ", p.start_day, p.end_day, p.state,"
                                           " (SELECT group_concat(l.name, '; "
                                           "') FROM program_label x JOIN label "
                                           "l ON l.id = x.label_id WHERE "
                                           "x.program_id = p.id),"
                                           " p.created_at, p.deleted_at FROM "
                                           "program p WHERE p.id > 0",
    [A_PROJECTS] = "SELECT p.id, p.key, p.name, p.details, " PROGRAM_OF(
        "p.program_id") ","
                        " p.approach, " NAME_OF(
                            "p.manager_id") ","
                                            " (SELECT name FROM calendar WHERE "
                                            "id = p.calendar_id), p.start_day,"
                                            " p.end_day, p.state, "
                                            "p.auto_dates, p.auto_parent,"
                                            " (SELECT group_concat(l.name, '; "
                                            "') FROM project_label x JOIN "
                                            "label l"
                                            " ON l.id = x.label_id WHERE "
                                            "x.project_id = p.id),"
                                            " (SELECT group_concat(m.name, '; "
                                            "') FROM project_team x JOIN team m"
                                            " ON m.id = x.team_id WHERE "
                                            "x.project_id = p.id),"
                                            " p.created_at, p.deleted_at FROM "
                                            "project p WHERE p.id > 0",
    [A_TICKETS] =
        "SELECT t.id, p.key || '-' || t.no, p.key, k.key, s.ja, s.en,"
        " t.subject, t.details, t.priority, " TICKET_OF(
            "x.parent_id") ","
                           " t.planned_start, t.planned_end, t.actual_start, "
                           "t.actual_end, t.due,"
                           " t.progress, t.estimate, t.actual, t.is_manual,"
                           " " NAME_OF("t.reporter_id") ", " NAME_OF(
                               "t.assignee_id") ","
                                                " (SELECT group_concat(w.name, "
                                                "'; ') FROM ticket_assignee a"
                                                " JOIN user w ON w.id = "
                                                "a.user_id WHERE a.ticket_id = "
                                                "t.id),"
                                                " (SELECT group_concat(l.name, "
                                                "'; ') FROM ticket_label a"
                                                " JOIN label l ON l.id = "
                                                "a.label_id WHERE a.ticket_id "
                                                "= t.id),"
                                                " (SELECT m.name FROM "
                                                "ticket_team a JOIN team m ON "
                                                "m.id = a.team_id"
                                                " WHERE a.ticket_id = t.id), "
                                                "t.created_at, t.updated_at, "
                                                "t.deleted_at"
                                                " FROM ticket t JOIN ticket x "
                                                "ON x.id = t.id"
                                                " JOIN project p ON p.id = "
                                                "t.project_id"
                                                " JOIN classification k ON "
                                                "k.id = t.classification_id"
                                                " JOIN status s ON s.id = "
                                                "t.status_id WHERE t.id > 0 "
                                                "ORDER BY t.id",
    [A_VALUES] = "SELECT v.ticket_id, " TICKET_OF(
        "v.ticket_id") ", f.ja, f.en, v.seq,"
                       " CASE WHEN f.type IN (5, 6) THEN"
                       " (SELECT ja FROM field_choice WHERE id = v.number)"
                       " WHEN f.type = 7 THEN " NAME_OF(
                           "v.number") " ELSE coalesce(v.text, CAST(v.number "
                                       "AS TEXT)) END, v.day"
                                       " FROM ticket_field v JOIN field f ON "
                                       "f.id = v.field_id"
                                       " WHERE v.ticket_id > 0",
    [A_LINKS] = "SELECT d.id, " PROJECT_OF(
        "d.project_id") ","
                        " " TICKET_OF("d.predecessor_id") ", " TICKET_OF(
                            "d.successor_id") ","
                                              " d.kind, d.lag FROM dependency "
                                              "d WHERE d.id > 0",
    [A_COMMENTS] = "SELECT c.id, " TICKET_OF("c.ticket_id") ", " NAME_OF(
        "c.user_id") ","
                     " c.body, c.created_at, c.updated_at FROM comment c WHERE "
                     "c.id > 0"
                     " ORDER BY c.id",
    [A_TICKET_FILES] = "SELECT f.id, " TICKET_OF("f.ticket_id") ", " NAME_OF(
        "f.user_id") ", f.created_at, f.name, f.name, f.size, f.sha256"
                     " FROM ticket_file f WHERE f.id > 0 ORDER BY f.id",
    [A_HISTORY] = "SELECT h.id, " HISTORY_OF ", h.at, " HISTORY_BY ","
                  " h.cause, h.field, " OLD_VALUE ", " NEW_VALUE
                  " FROM change h WHERE h.id > 0 ORDER BY h.id",
    [A_ENQUIRIES] =
        "SELECT id, user_name, category, subject, state, opened_at, updated_at,"
        " due_at, answered_at, closed_at, from_day, to_day, decision"
        " FROM enquiry WHERE id > 0",
    [A_MESSAGES] = "SELECT id, enquiry_id, at, author, is_desk, sender,"
                   " sent_at, body FROM enquiry_message WHERE id > 0",
    [A_FILES] = "SELECT id, enquiry_id, message_id, name, name, size, sha256"
                " FROM enquiry_file WHERE id > 0 ORDER BY id",
    [A_ALERTS] = "SELECT a.id, a.name, a.source, a.kind, a.action,"
                 " " NAME_OF("a.user_id") ", a.threshold, a.is_on FROM "
                                          "alert_rule a WHERE a.id > 0",
    [A_READERS] = "SELECT (SELECT name FROM alert_rule WHERE id = r.rule_id),"
                  " " NAME_OF("r.user_id") ", " MAIL_OF(
                      "r.user_id") " FROM alert_reader r WHERE r.rule_id > 0",
    [A_FILTERS] = "SELECT f.id, " NAME_OF(
        "f.user_id") ", f.name, f.query"
                     " FROM log_filter f WHERE f.id > 0",
    [A_CONTACTS] = "SELECT id, name, role, email, phone FROM contact"
                   " WHERE id > 0",
    [A_READ] = "SELECT n.notice_id, " NAME_OF(
        "n.user_id") ", n.read_at FROM notice_read n WHERE n.notice_id > 0"
                     " AND n.read_at IS NOT NULL",
    [A_SUPPORT] = "SELECT id, operator_name, operator_email, reason, may_write,"
                  " hours, state, asked_at, decided_at, decided_by, expires_at,"
                  " ended_at, ended_by FROM support WHERE id > 0",
    [A_REVIEWS] = "SELECT id, at, user_name, people, grants, note"
                  " FROM access_review WHERE id > 0",
    [A_CONSENTS] = "SELECT terms_no, user_name, is_whole, at, ip FROM consent"
                   " WHERE terms_no > 0",
};
const struct query_set archive_table_queries = {
    "archive_table", archive_table_text, COUNT(archive_table_text)};

static const char *const weekday_words[] = {"Sun", "Mon", "Tue", "Wed",
                                            "Thu", "Fri", "Sat", NULL};
static const char *const factor_words[] = {"totp", "passkey", NULL};
static const char *const notify_words[] = {"assigned", "commented", "due",
                                           NULL};

#define T(name, ja)                                                            \
    {                                                                          \
        name, ja, CELL_TEXT, NULL                                              \
    }
#define N(name, ja)                                                            \
    {                                                                          \
        name, ja, CELL_INT, NULL                                               \
    }
#define B(name, ja)                                                            \
    {                                                                          \
        name, ja, CELL_BOOL, NULL                                              \
    }
#define D(name, ja)                                                            \
    {                                                                          \
        name, ja, CELL_DAY, NULL                                               \
    }
#define M(name, ja)                                                            \
    {                                                                          \
        name, ja, CELL_MOMENT, NULL                                            \
    }
#define W(name, ja, words)                                                     \
    {                                                                          \
        name, ja, CELL_WORD, words                                             \
    }
#define BITS(name, ja, words)                                                  \
    {                                                                          \
        name, ja, CELL_BITS, words                                             \
    }

static const struct archive_column tenant_columns[] = {
    T("name", "会社名"),
    W("lang", "言語", lang_words),
    W("first_weekday", "週の始まり", weekday_words),
    N("fiscal_month", "期首月"),
    W("password_profile", "パスワード方針", auth_policy_profile_words),
    N("password_min", "パスワードの最少文字数"),
    N("password_classes", "パスワードの文字種の数"),
    N("password_days", "パスワードの有効日数"),
    BITS("factors", "追加の認証", factor_words),
    B("fresh_code", "重要な操作で確認コード"),
    B("tokens", "APIトークンを許可"),
    B("terms_everyone", "全員が規約に同意"),
    T("calendar", "カレンダー"),
    M("created_at", "作成日時"),
};
static const struct archive_column address_columns[] = {
    {"address", "アドレス", CELL_ADDRESS, NULL},
    N("prefix", "プレフィックス長（128ビット中）"),
    T("note", "メモ"),
    M("created_at", "追加日時"),
};
static const struct archive_column people_columns[] = {
    N("id", "番号"),
    T("email", "メールアドレス"),
    T("name", "氏名"),
    W("lang", "言語", lang_words),
    W("state", "状態", user_state_words),
    B("is_admin", "マスター管理者"),
    BITS("notify", "メール通知", notify_words),
    M("created_at", "追加日時"),
    M("signed_in_at", "最終サインイン"),
};
static const struct archive_column role_columns[] = {
    N("id", "番号"),
    T("key", "キー"),
    T("name_ja", "名称（日本語）"),
    T("name_en", "名称（英語）"),
    T("details", "説明"),
    N("rights", "権限（ビット）"),
    B("is_system", "標準"),
};
static const struct archive_column group_columns[] = {
    N("id", "番号"),
    T("name", "名称"),
    T("details", "説明"),
    M("created_at", "作成日時"),
};
static const struct archive_column group_member_columns[] = {
    T("group", "権限グループ"),
    T("person", "氏名"),
    T("email", "メールアドレス"),
};
static const struct archive_column grant_columns[] = {
    N("id", "番号"),
    T("person", "氏名"),
    T("email", "メールアドレス"),
    T("group", "権限グループ"),
    T("program", "プログラム"),
    T("project", "プロジェクト"),
    T("role", "ロール"),
};
static const struct archive_column team_columns[] = {
    N("id", "番号"),
    T("name", "名称"),
    T("color", "色"),
    B("is_archived", "使用終了"),
};
static const struct archive_column team_member_columns[] = {
    T("team", "チーム"),
    T("person", "氏名"),
    T("email", "メールアドレス"),
};
static const struct archive_column label_columns[] = {
    N("id", "番号"),  W("kind", "種類", label_kind_words), T("name", "名称"),
    T("color", "色"), B("is_archived", "使用終了"),
};
static const struct archive_column classification_columns[] = {
    N("id", "番号"),
    T("key", "キー"),
    W("family", "系統", family_words),
    T("name_ja", "名称（日本語）"),
    T("name_en", "名称（英語）"),
    T("color", "色"),
    B("is_hidden", "非表示"),
};
static const struct archive_column status_columns[] = {
    N("id", "番号"),
    T("classification", "種別"),
    T("name_ja", "名称（日本語）"),
    T("name_en", "名称（英語）"),
    W("category", "区分", category_words),
    N("rank", "並び順"),
    B("is_hidden", "非表示"),
};
static const struct archive_column field_columns[] = {
    N("id", "番号"),
    T("classification", "種別"),
    W("type", "型", field_type_words),
    T("name_ja", "名称（日本語）"),
    T("name_en", "名称（英語）"),
    T("help", "説明"),
    T("initial", "初期値"),
    B("is_required", "必須"),
    B("is_hidden", "非表示"),
    N("place", "列"),
    N("rank", "並び順"),
};
static const struct archive_column choice_columns[] = {
    N("id", "番号"),
    N("field_id", "項目の番号"),
    T("name_ja", "名称（日本語）"),
    T("name_en", "名称（英語）"),
    B("is_hidden", "非表示"),
    N("rank", "並び順"),
};
static const struct archive_column standard_columns[] = {
    T("classification", "種別"),
    T("field", "項目"),
    T("help", "説明"),
    B("is_hidden", "非表示"),
};
static const struct archive_column calendar_columns[] = {
    N("id", "番号"),
    T("name", "名称"),
    BITS("weekdays", "稼働曜日", weekday_words),
    B("holidays", "祝日は休み"),
    B("is_own", "プロジェクト専用"),
};
static const struct archive_column day_columns[] = {
    N("calendar_id", "カレンダーの番号"),
    T("calendar", "カレンダー"),
    D("day", "日付"),
    B("is_working", "稼働日"),
    T("name", "名称"),
};
static const struct archive_column program_columns[] = {
    N("id", "番号"),
    T("key", "キー"),
    T("name", "名称"),
    T("details", "説明"),
    T("parent", "親プログラム"),
    T("manager", "責任者"),
    D("start", "開始日"),
    D("end", "終了日"),
    W("state", "状態", program_state_words),
    T("labels", "ラベル"),
    M("created_at", "作成日時"),
    M("deleted_at", "削除日時"),
};
static const struct archive_column project_columns[] = {
    N("id", "番号"),
    T("key", "キー"),
    T("name", "名称"),
    T("details", "説明"),
    T("program", "プログラム"),
    W("approach", "進め方", approach_words),
    T("manager", "責任者"),
    T("calendar", "カレンダー"),
    D("start", "開始日"),
    D("end", "終了日"),
    W("state", "状態", program_state_words),
    B("auto_dates", "日程の自動計算"),
    B("auto_parent", "親の自動集計"),
    T("labels", "ラベル"),
    T("teams", "チーム"),
    M("created_at", "作成日時"),
    M("deleted_at", "削除日時"),
};
static const struct archive_column ticket_columns[] = {
    N("id", "番号"),
    T("key", "キー"),
    T("project", "プロジェクト"),
    T("classification", "種別"),
    T("status_ja", "ステータス"),
    T("status_en", "ステータス（英語）"),
    T("subject", "件名"),
    T("details", "詳細"),
    W("priority", "優先度", priority_words),
    T("parent", "親チケット"),
    D("planned_start", "予定開始日"),
    D("planned_end", "予定終了日"),
    D("actual_start", "実績開始日"),
    D("actual_end", "実績終了日"),
    D("due", "期限日"),
    N("progress", "進捗率"),
    N("estimate_minutes", "予定工数（分）"),
    N("actual_minutes", "実績工数（分）"),
    B("is_manual", "日程を手動で決める"),
    T("reporter", "登録者"),
    T("assignee", "担当者"),
    T("assignees", "担当者（全員）"),
    T("labels", "ラベル"),
    T("team", "チーム"),
    M("created_at", "登録日時"),
    M("updated_at", "更新日時"),
    M("deleted_at", "削除日時"),
};
static const struct archive_column value_columns[] = {
    N("ticket_id", "チケットの番号"),
    T("ticket", "チケット"),
    T("field_ja", "項目"),
    T("field_en", "項目（英語）"),
    N("seq", "順"),
    T("value", "値"),
    D("day", "日付"),
};
static const struct archive_column link_columns[] = {
    N("id", "番号"),
    T("project", "プロジェクト"),
    T("predecessor", "先行チケット"),
    T("successor", "後続チケット"),
    W("kind", "種類", dependency_words),
    N("lag_days", "ラグ（稼働日）"),
};
static const struct archive_column comment_columns[] = {
    N("id", "番号"),   T("ticket", "チケット"),     T("person", "氏名"),
    T("body", "本文"), M("created_at", "投稿日時"), M("updated_at", "更新日時"),
};
static const struct archive_column ticket_file_columns[] = {
    N("id", "番号"),
    T("ticket", "チケット"),
    T("person", "氏名"),
    M("created_at", "添付日時"),
    T("name", "ファイル名"),
    {"path", "この書庫での場所", CELL_TICKET_PATH, NULL},
    N("bytes", "バイト数"),
    {"sha256", "SHA-256", CELL_HEX, NULL},
};
static const struct archive_column history_columns[] = {
    N("id", "番号"),          T("ticket", "チケット"),
    M("at", "日時"),          T("person", "氏名"),
    T("cause", "操作の番号"), T("field", "項目"),
    T("before", "変更前"),    T("before_en", "変更前（英語）"),
    T("after", "変更後"),     T("after_en", "変更後（英語）"),
};
static const struct archive_column enquiry_columns[] = {
    N("id", "番号"),
    T("person", "問い合わせた人"),
    W("category", "分類", support_request_category_words),
    T("subject", "件名"),
    W("state", "状態", support_request_state_words),
    M("opened_at", "受付日時"),
    M("updated_at", "更新日時"),
    M("due_at", "回答期限"),
    M("answered_at", "初回回答"),
    M("closed_at", "完了日時"),
    D("from", "対象の初日"),
    D("to", "対象の末日"),
    W("decision", "判断", support_request_decision_words),
};
static const struct archive_column message_columns[] = {
    N("id", "番号"),          N("enquiry_id", "問い合わせの番号"),
    M("at", "日時"),          T("author", "書いた人"),
    B("is_desk", "運用者"),   T("sender", "差出人"),
    M("sent_at", "送信日時"), T("body", "本文"),
};
static const struct archive_column file_columns[] = {
    N("id", "番号"),
    N("enquiry_id", "問い合わせの番号"),
    N("message_id", "本文の番号"),
    T("name", "ファイル名"),
    {"path", "この書庫での場所", CELL_PATH, NULL},
    N("bytes", "バイト数"),
    {"sha256", "SHA-256", CELL_HEX, NULL},
};
static const struct archive_column alert_columns[] = {
    N("id", "番号"),
    T("name", "名称"),
    W("source", "対象", alert_source_words),
    T("kind", "対象の種類"),
    T("action", "操作"),
    T("person", "氏名"),
    N("threshold", "回数"),
    B("is_on", "有効"),
};
static const struct archive_column reader_columns[] = {
    T("alert", "アラート"),
    T("person", "氏名"),
    T("email", "メールアドレス"),
};
static const struct archive_column filter_columns[] = {
    N("id", "番号"),
    T("person", "氏名"),
    T("name", "名称"),
    T("query", "条件"),
};
static const struct archive_column contact_columns[] = {
    N("id", "番号"),         T("name", "氏名"),
    T("role", "部署・役割"), T("email", "メールアドレス"),
    T("phone", "電話番号"),
};
static const struct archive_column read_columns[] = {
    N("notice", "お知らせの番号"),
    T("person", "氏名"),
    M("read_at", "日時"),
};
static const struct archive_column support_columns[] = {
    N("id", "番号"),
    T("operator", "運用者"),
    T("operator_email", "運用者のメールアドレス"),
    T("reason", "理由"),
    B("may_write", "変更を許可"),
    N("hours", "時間"),
    W("state", "状態", support_access_state_words),
    M("asked_at", "依頼日時"),
    M("decided_at", "判断日時"),
    T("decided_by", "判断した人"),
    M("expires_at", "期限"),
    M("ended_at", "終了日時"),
    T("ended_by", "終了した人"),
};
static const struct archive_column review_columns[] = {
    N("id", "番号"),     M("at", "日時"),         T("person", "氏名"),
    N("people", "人数"), N("grants", "権限の数"), T("note", "メモ"),
};
static const struct archive_column consent_columns[] = {
    N("terms_version", "規約の版"), T("person", "氏名"),
    B("is_whole", "会社として"),    M("at", "日時"),
    T("ip", "IPアドレス"),
};

#define TABLE(name, ja, en, query, columns)                                    \
    {                                                                          \
        name, ja, en, query, columns, COUNT(columns)                           \
    }
const struct archive_table archive_tables[] = {
    TABLE("tenant", "会社の設定", "The company's settings", A_TENANT,
          tenant_columns),
    TABLE("allowed_addresses", "接続を許可するアドレス",
          "Addresses requests may come from", A_ADDRESSES, address_columns),
    TABLE("people", "ユーザー", "People", A_PEOPLE, people_columns),
    TABLE("roles", "ロール", "Roles", A_ROLES, role_columns),
    TABLE("groups", "権限グループ", "Permission groups", A_GROUPS,
          group_columns),
    TABLE("group_members", "権限グループの所属", "Who is in which group",
          A_GROUP_MEMBERS, group_member_columns),
    TABLE("grants", "権限の付与", "Who may do what where", A_GRANTS,
          grant_columns),
    TABLE("teams", "チーム", "Teams", A_TEAMS, team_columns),
    TABLE("team_members", "チームの所属", "Who is in which team",
          A_TEAM_MEMBERS, team_member_columns),
    TABLE("labels", "ラベル", "Labels", A_LABELS, label_columns),
    TABLE("classifications", "チケットの種別", "Kinds of tickets",
          A_CLASSIFICATIONS, classification_columns),
    TABLE("statuses", "ステータス", "Statuses", A_STATUSES, status_columns),
    TABLE("custom_fields", "独自項目", "Custom fields", A_FIELDS,
          field_columns),
    TABLE("custom_choices", "独自項目の選択肢", "Choices of custom fields",
          A_CHOICES, choice_columns),
    TABLE("form_fields", "入力画面の設定", "How forms show standard fields",
          A_STANDARD, standard_columns),
    TABLE("calendars", "カレンダー", "Working calendars", A_CALENDARS,
          calendar_columns),
    TABLE("calendar_days", "カレンダーの例外日", "Their exceptions", A_DAYS,
          day_columns),
    TABLE("programs", "プログラム", "Programs", A_PROGRAMS, program_columns),
    TABLE("projects", "プロジェクト", "Projects", A_PROJECTS, project_columns),
    TABLE("tickets", "チケット", "Tickets", A_TICKETS, ticket_columns),
    TABLE("custom_values", "チケットの独自項目の値", "Values of custom fields",
          A_VALUES, value_columns),
    TABLE("dependencies", "チケットの先行・後続", "Links between tickets",
          A_LINKS, link_columns),
    TABLE("comments", "コメント", "Comments", A_COMMENTS, comment_columns),
    TABLE("ticket_files", "チケットの添付ファイルの一覧",
          "Files attached to tickets", A_TICKET_FILES, ticket_file_columns),
    TABLE("ticket_history", "チケットの変更履歴", "History of tickets",
          A_HISTORY, history_columns),
    TABLE("enquiries", "問い合わせ", "Enquiries", A_ENQUIRIES, enquiry_columns),
    TABLE("enquiry_messages", "問い合わせの本文", "What was said in them",
          A_MESSAGES, message_columns),
    TABLE("attachments", "問い合わせの添付ファイルの一覧",
          "Files attached to enquiries", A_FILES, file_columns),
    TABLE("alerts", "アラート", "Alert rules", A_ALERTS, alert_columns),
    TABLE("alert_readers", "アラートの宛先", "Whom they tell", A_READERS,
          reader_columns),
    TABLE("log_filters", "保存した絞り込み", "Saved filters of the log",
          A_FILTERS, filter_columns),
    TABLE("contacts", "連絡担当者", "Contacts for emergencies", A_CONTACTS,
          contact_columns),
    TABLE("notices_read", "お知らせの既読", "Who has read which notice", A_READ,
          read_columns),
    TABLE("support_access", "サポートアクセスの記録",
          "Support access asked for and given", A_SUPPORT, support_columns),
    TABLE("terms_consents", "利用規約への同意", "Terms of use accepted",
          A_CONSENTS, consent_columns),
    TABLE("access_reviews", "権限の棚卸し", "Reviews of who may do what",
          A_REVIEWS, review_columns),
};
const size_t archive_table_count = COUNT(archive_tables);
