/* SPDX-License-Identifier: Apache-2.0 */
/* Work that nobody waits for fails while nobody reads: its reason is written
 * down in both languages. */
#include "core/backup_reason.h"

struct backup_reason backup_reason_of(enum err e)
{
    static const struct backup_reason full = {"空き容量がありません",
                                              "no space left"};
    static const struct backup_reason gone = {"ファイルまたは鍵がありません",
                                              "the file or its key is missing"};
    static const struct backup_reason busy = {
        "使用中か、より新しい版のものです", "in use, or of a newer version"};
    static const struct backup_reason other = {
        "読み書きできないか、壊れています（詳しくはサーバーのログ）",
        "it cannot be read or written, or is not sound (see the log)"};

    return e == ERR_FULL        ? full
           : e == ERR_NOT_FOUND ? gone
           : e == ERR_BUSY      ? busy
                                : other;
}

const char *backup_reason_text(const struct ctx *c,
                               const struct backup_reason *r)
{
    return r->en ? ctx_text(c, r->ja, r->en) : NULL;
}
