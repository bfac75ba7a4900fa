/* SPDX-License-Identifier: Apache-2.0 */
/* Work that nobody waits for fails while nobody reads: its reason is written
 * down in both languages. */
#include "core/backup/backup_reason.h"

struct backup_reason backup_reason_of(enum err e)
{
    static const struct backup_reason full = {"空き容量がありません",
                                              "no space left"};
    static const struct backup_reason gone = {"ファイルまたは鍵がありません",
                                              "the file or its key is missing"};
    static const struct backup_reason busy = {
        "別の版かビルドの櫓が作ったファイルか、使用中です",
        "made by another version or build of Yagura, or in use"};
    static const struct backup_reason other = {
        "読み書きできないか、壊れています（詳しくはサーバーのログ）",
        "it cannot be read or written, or is not sound (see the log)"};

    return e == ERR_FULL        ? full
           : e == ERR_NOT_FOUND ? gone
           : e == ERR_BUSY      ? busy
                                : other;
}

struct backup_reason backup_reason_of_fault(enum err e,
                                            const struct generation_found *f)
{
    static const struct backup_reason reasons[] = {
        [GENERATION_FILE_GONE] = {"ファイルがありません",
                                  "the file is missing"},
        [GENERATION_FILE_BAD] = {"ファイルが壊れています",
                                 "the file is damaged"},
        [GENERATION_KEY_GONE] = {"鍵のファイルがありません",
                                 "its key file is missing"},
        [GENERATION_KEY_BAD] =
            {"鍵のファイルが開けません（壊れているか、別のマスター鍵で包ま"
             "れています）",
             "its key file does not open: it is damaged, or another master key "
             "wrapped it"},
    };

    return e == ERR_NOT_FOUND || e == ERR_INTERNAL ? reasons[f->fault]
                                                   : backup_reason_of(e);
}

const char *backup_reason_text(const struct ctx *c,
                               const struct backup_reason *r)
{
    return r->en ? ctx_text(c, r->ja, r->en) : NULL;
}
