/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificate of a deletion says, and who gets it.  It promises no
 * more than was done: what overwriting is worth depends on the medium, and is
 * said. */
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "core/contract/deletion.h"
#include "core/contract/deletion_certificate.h"
#include "core/core.h"
#include "core/mail/operator_mail.h"
#include "core/mail/outbox.h"
#include "db/query.h"

#include <string.h>

static const char *const paper_text[] = {
    "UPDATE erasure SET admins = NULL WHERE customer_id = ?1",
};
const struct query_set deletion_paper_queries = {"erasure_paper", paper_text,
                                                 COUNT(paper_text)};

static const char method_en[] =
    "Cryptographic erase, then overwriting. (1) Every copy of the tenant's "
    "own 256-bit key that the installation knows of, in the key folder, in "
    "all backup generations and in the folder of their copies, was "
    "overwritten with random bytes, synced, given back to the file system "
    "and unlinked, before anything else; so is every key file that is "
    "replaced, rotated away or left by a broken run, whenever it goes. The "
    "databases were encrypted under that key, so what may be left of them, "
    "in backups or on the medium, cannot be read. (2) Each file was "
    "overwritten once with random bytes, synced, its blocks given back to "
    "the file system where it can (discarded: true), unlinked, and its "
    "folder synced. (3) The key was stored only wrapped under the "
    "installation's master key. After the deletion every key that remains "
    "is wrapped anew by a fresh master key and the old one is overwritten "
    "in its place, so that a wrapped copy which overwriting did not reach "
    "opens no more (master_key: renewed; pending: not done yet, this "
    "certificate is issued again when it is). In the terms of NIST SP "
    "800-88: cryptographic erase with Clear by overwriting; the medium "
    "itself was neither purged nor destroyed.";

static const char method_ja[] =
    "暗号学的消去のあとに上書きしました。(1) テナント専用の256ビットの鍵の写"
    "しを、鍵フォルダー、すべてのバックアップ世代、その写しのフォルダーから、"
    "ほかの何よりも先に、乱数で上書きし、同期し、ファイルシステムへ返し、削除"
    "しました。置き換え、世代の入れ替え、中断した処理の残りとして消える鍵のフ"
    "ァイルも、消えるときに必ず同じように上書きします。データベースはこの鍵で"
    "暗号化されていたため、バックアップや媒体に残るものも読めません。(2) 各フ"
    "ァイルを乱数で1回上書きし、同期し、可能な場合はブロックをファイルシステ"
    "ムへ返し（discarded: true）、削除し、フォルダーを同期しました。(3) 鍵は"
    "、設備の主鍵で包んだ形でのみ保存していました。削除のあと、残るすべての鍵"
    "を新しい主鍵で包み直し、以前の主鍵をその場で上書きするため、上書きが届か"
    "なかった鍵の写しも開けなくなります（master_key: renewed。pending はまだ"
    "行われていないことを示し、行われると証明書を再発行します）。NIST SP 800-"
    "88 の用語では、暗号学的消去と上書きによる Clear にあたります。媒体そのも"
    "のの Purge や Destroy は行っていません。";

static const char media_en[] =
    "What overwriting reaches. Magnetic disks with ext4 or XFS in their "
    "usual modes: the blocks themselves. Flash (SSD, NVMe, SD): the drive "
    "writes to other cells; given-back blocks are cleared when the drive "
    "gets TRIM and decides to. Copy-on-write file systems (btrfs, ZFS, "
    "bcachefs, F2FS), file systems that journal data or keep small files in "
    "their inodes, snapshots, mirrors, virtual disks and storage arrays: "
    "old blocks may stay until they are reused. Network folders and "
    "buckets: what the other side does; versions that a bucket keeps are "
    "not reached. On all of these the renewed master key, not the "
    "overwriting, is what makes a left copy of the key useless; on flash "
    "and copy-on-write media the old master key's own block may stay too "
    "until it is reused.";

static const char media_ja[] =
    "上書きが届く範囲。通常の設定の ext4 や XFS を使う磁気ディスク: そのブロ"
    "ックそのもの。フラッシュ媒体（SSD、NVMe、SD）: 別のセルに書き込まれ、返"
    "したブロックは、媒体が TRIM を受けて実行したときに消えます。コピーオンラ"
    "イトのファイルシステム（btrfs、ZFS、bcachefs、F2FS）、データもジャーナル"
    "に書くものや小さなファイルを inode に置くもの、スナップショット、ミラー"
    "、仮想ディスク、ストレージ装置: 古いブロックが再利用されるまで残ることが"
    "あります。ネットワーク上のフォルダーとバケット: 相手側によります。バケッ"
    "トが自ら残す版には届きません。これらでは、上書きではなく新しくした主鍵が"
    "、残った鍵の写しを役に立たなくします。フラッシュとコピーオンライトの媒体"
    "では、以前の主鍵のブロックも再利用されるまで残ることがあります。";

static const char remains_en[] =
    "What no program can reach: copies that people made by hand, of the "
    "data directory, of backups or of the master key before this date, "
    "wherever they keep them, and archives that the customer took along. "
    "Whoever holds both an old copy of a wrapped key and an old copy of the "
    "master key can read the data that was backed up with it. Old copies of "
    "the master key are to be destroyed when a new one is confirmed.";

static const char remains_ja[] =
    "プログラムが届かないもの: この日より前に人が手で作った、データフォルダー"
    "、バックアップ、主鍵の写し（保管場所を問いません）と、お客様が持ち出した"
    "アーカイブ。以前の鍵の写しと以前の主鍵の写しの両方を持つ人は、それととも"
    "に保存されたデータを読めます。主鍵の以前の控えは、新しい控えを確認したと"
    "きに破棄することになっています。";

static const char verification_en[] =
    "This document is one line of UTF-8 ending in a newline. Signed are its "
    "bytes from the first brace up to, and not including, the comma before "
    "\"signature\". The signature is ECDSA on P-256 over SHA-256 (FIPS "
    "186-4), r and s of 32 bytes each in hex; public_key is the "
    "uncompressed point in hex. The manual shows how openssl verifies it; "
    "by hand: put the point into a SubjectPublicKeyInfo (prefix "
    "3059301306072a8648ce3d020106082a8648ce3d030107034200), r and s into a "
    "DER SEQUENCE of two INTEGERs, then openssl dgst -sha256 -verify KEY "
    "-signature SIG BYTES. Compare public_key with the one that the "
    "operator publishes.";

static const char verification_ja[] =
    "この文書は改行で終わる UTF-8 の1行です。署名の対象は、最初の波括弧から \""
    "signature\" の前のコンマの手前までのバイト列です。署名は P-256 の ECDSA（"
    "SHA-256、FIPS 186-4）で、r と s を各32バイトの16進で並べたもの、public_k"
    "ey は非圧縮の点の16進です。openssl での検証の手順はマニュアルにあります"
    "。要点: 点の前に 3059301306072a8648ce3d020106082a8648ce3d030107034200 を"
    "付けて SubjectPublicKeyInfo とし、r と s を2つの INTEGER を持つ DER の S"
    "EQUENCE にして、openssl dgst -sha256 -verify 鍵 -signature 署名 バイト列"
    "。public_key は運用者が公開しているものと比べてください。";

static const char *const kind_words[] = {"key", "file", "backup", "log"};

/* ---- the document ---- */

static void put_files(struct json_out *o, const struct deletion_file_row *list,
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

static void put_key(struct ctx *c, struct json_out *o, const struct deletion *e)
{
    json_open(o, "key", '{');
    json_text(o, "id", e->key_id);
    json_text(o, "cipher", db_cipher(c));
    json_moment(o, "destroyed_at", e->key_gone_at);
    json_text(o, "note",
              e->key_id ? NULL : "the key was missing before the deletion");
    json_close(o, '}');
}

/* Until then a wrapped key that was missed somewhere could be opened. */
static void put_master_key(struct json_out *o, const struct deletion *e)
{
    json_open(o, "master_key", '{');
    json_text(o, "state", e->rewrap_at ? "renewed" : "pending");
    json_moment(o, "renewed_at", e->rewrap_at);
    json_close(o, '}');
}

static void put_derived(struct json_out *o, const struct deletion *e)
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

static void put_texts(struct json_out *o, const char *name, const char *ja,
                      const char *en)
{
    json_open(o, name, '{');
    json_text(o, "ja", ja);
    json_text(o, "en", en);
    json_close(o, '}');
}

static const char *write_body(struct ctx *c, const struct deletion *e,
                              const struct deletion_file_row *files,
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
    put_master_key(&o, e);
    put_files(&o, files, count);
    json_raw(&o, "proof", e->proof ? e->proof : "null");
    put_derived(&o, e);
    json_text(&o, "product", "Yagura " YAGURA_VERSION);
    put_texts(&o, "method", method_ja, method_en);
    put_texts(&o, "media", media_ja, media_en);
    put_texts(&o, "remains", remains_ja, remains_en);
    put_texts(&o, "verification", verification_ja, verification_en);
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
                         const struct deletion *e, const struct json *who,
                         const char *text)
{
    bool ja = strcmp(member(who, "lang"), "ja") == 0;

    return outbox_add(
        c, app,
        &(struct outbox_mail){
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
                            const struct deletion *e, const char *text)
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
                               const struct deletion *e)
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

enum err deletion_certify(struct ctx *c, const struct app *app,
                          const struct deletion *e)
{
    const struct deletion_file_row *files = NULL;
    struct deletion_certificate it;
    size_t count = 0;
    enum err err = deletion_list_files(c, e->tenant, &files, &count);

    if (err)
        return err;
    const char *body = write_body(c, e, files, count);
    if ((err = deletion_certificate_issue(c, app, e->tenant, body, &it)) ||
        it.revision > 1)
        return err;
    err = mail_admins(c, app, e, it.text);
    return err ? err : mail_operators(c, app, e);
}
