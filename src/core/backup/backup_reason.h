/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_REASON_H
#define CORE_BACKUP_BACKUP_REASON_H

#include "base/ctx.h"
#include "db/generation.h"

/* Why something of the backups failed, kept for readers of either language;
 * both NULL: it did not. */
struct backup_reason {
    const char *ja, *en;
};
#define BACKUP_STOPPED_JA "サーバーの停止で中断しました"
#define BACKUP_STOPPED_EN "the server stopped"
/* What an error means for a file of a backup; static. */
struct backup_reason backup_reason_of(enum err e);
/* What was found of a file that generation_check() refused by e; static. */
struct backup_reason backup_reason_of_fault(enum err e,
                                            const struct generation_found *f);
/* In the reader's language; NULL: none. */
const char *backup_reason_text(const struct ctx *c,
                               const struct backup_reason *r);

#endif
