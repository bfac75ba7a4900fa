/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificate of a deletion says, and who gets it.  It promises no
 * more than was done: what overwriting is worth depends on the medium, and is
 * said. */
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "core/certificate.h"
#include "core/core.h"
#include "core/erasure.h"
#include "core/operator_mail.h"
#include "core/outbox.h"
#include "db/query.h"

#include <string.h>

static const char *const paper_text[] = {
    "UPDATE erasure SET admins = NULL WHERE customer_id = ?1",
};
const struct query_set erasure_paper_queries = {"erasure_paper", paper_text,
                                                COUNT(paper_text)};

static const char method_en[] =
    "Cryptographic erase, then overwriting. (1) Every copy of the tenant's own "
    "256-bit key that the installation knows of, in the key folder and in all "
    "backup generations, was overwritten with random bytes and unlinked, "
    "before anything else. The databases were encrypted under that key, so "
    "what may be left of them, in backups or on the medium, cannot be read. "
    "(2) Each file was overwritten once with random bytes, synced, its blocks "
    "given back to the file system where it can (discarded: true), unlinked, "
    "and its folder synced. (3) Limits: flash storage writes to other cells "
    "than before, and copy-on-write file systems, snapshots and mirrors below "
    "the file system keep old blocks; there overwriting does not reach all "
    "that was stored, and the destroyed key is what makes it unreadable. The "
    "key was stored only wrapped under the installation's master key. (4) "
    "Where generations are also copied to another folder or a bucket, the key "
    "there goes with the next round of copying; versions or snapshots that "
    "such a place keeps by itself are not reached. In the "
    "terms of NIST SP 800-88: cryptographic erase with Clear by overwriting; "
    "the medium itself was neither purged nor destroyed.";
static const char method_ja[] =
    "暗号学的消去のあとに上書きしました。(1) テナント専用の256ビットの鍵の"
    "写しを、鍵フォルダーとすべてのバックアップ世代から、ほかの何よりも先に"
    "、乱数で上書きして削除しました。データベースはこの鍵で暗号化されていた"
    "ため、バックアップや媒体に残るものも読めません。(2) 各ファイルを乱数で"
    "1回上書きし、同期し、可能な場合はブロックをファイルシステムへ返し（dis"
    "carded: true）、削除し、フォルダーを同期しました。(3) 限界: フラッシュ"
    "媒体は別のセルに書き込み、コピーオンライトのファイルシステム、スナップ"
    "ショット、下層の複製は古いブロックを残します。そこでは上書きがすべてに"
    "届くとは限らず、鍵の破壊によって読めなくなります。鍵は、設備のマスター"
    "鍵で包んだ形でのみ保存していました。(4) 世代を別のフォルダーやバケット"
    "にも写している場合、そこにある鍵は次の写しのときに消えます。その場所が"
    "自ら残す版やスナップショットには届きません。NIST SP 800-88 の用語では"
    "、暗号学的消去と上書きによる Clear にあたります。媒体そのものの Purge "
    "や Destroy は行っていません。";

static const char *const kind_words[] = {"key", "file", "backup", "log"};

/* ---- the document ---- */

static void put_files(struct json_out *o, const struct erasure_file_row *list,
                      size_t count)
{
    json_open(o, "files", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "path", list[i].path);
        json_text(o, "kind", kind_words[list[i].kind & 3]);
        json_int(o, "bytes", list[i].bytes);
        json_text(o, "sha256", list[i].sha256);
        json_bool(o, "discarded", list[i].is_discarded);
        json_moment(o, "erased_at", list[i].erased_at);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_key(struct ctx *c, struct json_out *o, const struct erasure *e)
{
    json_open(o, "key", '{');
    json_text(o, "id", e->key_id);
    json_text(o, "cipher", db_cipher(c));
    json_moment(o, "destroyed_at", e->key_gone_at);
    json_text(o, "note",
              e->key_id ? NULL : "the key was missing before the deletion");
    json_close(o, '}');
}

static void put_derived(struct json_out *o, const struct erasure *e)
{
    json_open(o, "derived", '[');
    json_open(o, NULL, '{');
    json_text(o, "what", "backups");
    json_day(o, "due_on", e->backups_on);
    json_moment(o, "gone_at", e->backups_at);
    json_close(o, '}');
    json_open(o, NULL, '{');
    json_text(o, "what", "logs");
    json_day(o, "due_on", e->logs_on);
    json_moment(o, "gone_at", e->logs_at);
    json_int(o, "rows", e->log_rows);
    json_text(o, "note", e->log_note);
    json_close(o, '}');
    json_close(o, ']');
}

static const char *write_body(struct ctx *c, const struct erasure *e,
                              const struct erasure_file_row *files,
                              size_t count)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_open(&o, "tenant", '{');
    json_text(&o, "id", e->tenant);
    json_text(&o, "name", e->name);
    json_close(&o, '}');
    json_raw(&o, "contract", e->basis);
    json_moment(&o, "started_at", e->started_at);
    json_moment(&o, "completed_at", e->done_at);
    put_key(c, &o, e);
    put_files(&o, files, count);
    json_raw(&o, "proof", e->proof ? e->proof : "null");
    put_derived(&o, e);
    json_text(&o, "product", "Yagura " YAGURA_VERSION);
    json_open(&o, "method", '{');
    json_text(&o, "ja", method_ja);
    json_text(&o, "en", method_en);
    json_close(&o, '}');
    json_close(&o, '}');
    b.data[b.len - 1] = 0; /* without its braces: the signer has them */
    return b.data + 1;
}

/* ---- the mails ---- */

static const char *member(const struct json *o, const char *name)
{
    const struct json *j = json_get(o, name);

    return j && j->text ? j->text : "";
}

static enum err mail_one(struct ctx *c, const struct app *app,
                         const struct erasure *e, const struct json *who,
                         const char *text)
{
    bool ja = strcmp(member(who, "lang"), "ja") == 0;

    return outbox_add(
        c, app,
        &(struct letter){
            .address = member(who, "email"),
            .subject = ja ? "【櫓】データを削除しました"
                          : "[Yagura] Your data has been deleted",
            .text = arena_printf(
                c->mem,
                ja ? "%s 様\n\n%s "
                     "のデータを削除しました。だれにも戻せません。\n"
                     "バックアップに残る暗号文は8日目に、操作ログとアクセスログ"
                     "は"
                     "3か月後に消えます。\n\n次の1行が署名付きの削除証明書です"
                     "。"
                     "ファイルに保存すると、\nyagura certificate verify "
                     "で検証でき"
                     "ます。\n\n%s\n-- \n櫓（Yagura）から自動で送信しています。"
                     "このメールには返信できません。\n"
                   : "Dear %s,\n\nThe data of %s has been deleted. Nobody can "
                     "bring it back.\nThe ciphertext in backups goes on the "
                     "eighth day, operation log and access log after three "
                     "months.\n\nThe next line is the signed certificate of "
                     "the deletion. Saved as a file it\ncan be verified by "
                     "yagura certificate verify.\n\n%s\n-- \nSent "
                     "automatically by Yagura. Replies are not read.\n",
                member(who, "name"), e->name, text)});
}

static enum err mail_admins(struct ctx *c, const struct app *app,
                            const struct erasure *e, const char *text)
{
    size_t offset;
    const struct json *list =
        e->admins ? json_parse(c->mem, e->admins, strlen(e->admins), &offset)
                  : NULL;
    enum err err = OK;

    for (const struct json *who = list ? list->child : NULL; who && !err;
         who = who->next)
        err = mail_one(c, app, e, who, text);
    if (err)
        return err;
    struct query *q = query(c, paper_text[0]);
    bind_text(q, 1, e->tenant);
    return query_run(c, q);
}

static enum err mail_operators(struct ctx *c, const struct app *app,
                               const struct erasure *e)
{
    enum err err = operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = arena_printf(c->mem, "%s を削除しました", e->name),
            .subject_en = arena_printf(c->mem, "%s has been deleted", e->name),
            .ja = arena_printf(
                c->mem,
                "テナント %s（%s）のデータを削除し、証明書を発行しました。",
                e->name, e->tenant),
            .en = arena_printf(c->mem,
                               "The data of the tenant %s (%s) has been "
                               "deleted and certified.",
                               e->name, e->tenant)});

    return err == ERR_NOT_FOUND ? OK : err;
}

enum err erasure_certify(struct ctx *c, const struct app *app,
                         const struct erasure *e)
{
    const struct erasure_file_row *files = NULL;
    struct certificate it;
    size_t count = 0;
    enum err err = erasure_list_files(c, e->tenant, &files, &count);

    if (err)
        return err;
    const char *body = write_body(c, e, files, count);
    if ((err = certificate_issue(c, app, e->tenant, body, &it)) ||
        it.revision > 1)
        return err;
    err = mail_admins(c, app, e, it.text);
    return err ? err : mail_operators(c, app, e);
}
