/* SPDX-License-Identifier: Apache-2.0 */
/* What the service needs to go on: room, an answer, TLS that will hold, mail
 * that leaves, backups that are there, files of this version. */
#include "core/health/doctor_check.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/backup/backup.h"
#include "core/core.h"
#include "core/health/process_stats.h"
#include "core/mail/operator_mail.h"
#include "core/tenant/tenant_directory.h"
#include "db/query.h"
#include "db/room.h"

#include <string.h>
#include <unistd.h>

#define US_PER_DAY INT64_C(86400000000)

enum {
    ROOM_BAD = 5, /* percent */
    ROOM_SMALL = 15,
    BYTES_BAD = 100 << 20,
    DAYS_BAD = 7,
    DAYS_SHORT = 21
};

enum { LATE_COPIES, LAST_RUN, REFUSED, TENANT_HOSTS };
static const char *const check_text[] = {
    [LATE_COPIES] = "SELECT count(*), coalesce(sum(customer.created_at < ?1 AND"
                    " (b.at IS NULL OR b.at < ?1 OR d.at IS NOT NULL)), 0),"
                    " coalesce(sum(created_at >= ?1), 0)"
                    " FROM customer LEFT JOIN backup_tenant b"
                    " ON b.tenant_id = customer.id LEFT JOIN backup_damage d"
                    " ON d.date = b.date AND d.tenant_id = customer.id"
                    " WHERE customer.state = 1",
    [TENANT_HOSTS] = "SELECT host FROM customer WHERE state = 1"
                     " AND host IS NOT NULL ORDER BY id LIMIT 1000",
    [LAST_RUN] = "SELECT state, ended_at, reason_ja, reason_en FROM"
                 " backup_run WHERE state >= 2 ORDER BY id DESC LIMIT 1",
    [REFUSED] = "SELECT count(*) FROM mail_refusal WHERE email_fold > ''",
};
const struct query_set doctor_service_queries = {"doctor_service", check_text,
                                                 COUNT(check_text)};

static void check_disk(struct doctor *d)
{
    struct room disk;

    if (!room_look(d->app->store, &disk) || disk.bytes <= 0) {
        doctor_say(d, "disk", DOCTOR_BAD, "ディスクの空きがわかりません",
                   "The room on the disk is not known");
        return;
    }
    int64_t percent = disk.free_bytes * 100 / disk.bytes;
    if (disk.free_bytes < disk.reserve_bytes) {
        doctor_say(
            d, "disk", DOCTOR_BAD,
            "ディスクの空き %lld MB（%lld %%）は予備の %lld MB を下回って"
            "おり、業務データを保存できません",
            "Room on the disk: %lld MB (%lld %%), less than the %lld MB "
            "in reserve: business data is not saved",
            (long long)(disk.free_bytes >> 20), (long long)percent,
            (long long)(disk.reserve_bytes >> 20));
        return;
    }
    doctor_say(d, "disk",
               percent < ROOM_BAD || disk.free_bytes < BYTES_BAD ? DOCTOR_BAD
               : percent < ROOM_SMALL ? DOCTOR_WARNING
                                      : DOCTOR_GOOD,
               "ディスクの空き %lld MB（%lld %%）",
               "Room on the disk: %lld MB (%lld %%)",
               (long long)(disk.free_bytes >> 20), (long long)percent);
}

static void check_tls(struct doctor *d, const struct server_proof *p)
{
    if (!p->is_tls)
        doctor_say(
            d, "tls", DOCTOR_WARNING,
            "TLS の待ち受けがありません（評価用か、前段のプロキシーが終端）",
            "No listener speaks TLS (evaluation, or a proxy in front "
            "does)");
    else if (!*p->newest.version || !*p->oldest.version)
        doctor_say(d, "tls", DOCTOR_BAD, "TLS の接続が成立しません",
                   "No TLS connection comes about");
    else
        doctor_say(
            d, "tls",
            p->refuses_older && strcmp(p->newest.version, "TLSv1.3") == 0
                ? DOCTOR_GOOD
                : DOCTOR_BAD,
            p->refuses_older
                ? "自分に接続して確認: %s（%s）と %s（%s）で接続、TLS 1.1 は"
                  "拒否"
                : "自分に接続して確認: %s（%s）と %s（%s）で接続、TLS 1.1 も"
                  "受け付けました",
            p->refuses_older
                ? "Tried on itself: agrees on %s (%s) and %s (%s), "
                  "refuses TLS 1.1"
                : "Tried on itself: agrees on %s (%s) and %s (%s), and "
                  "takes TLS 1.1",
            p->newest.version, p->newest.suite, p->oldest.version,
            p->oldest.suite);
}

/* Which setting names a host that the certificate leaves out; the host itself
 * is not for the text that goes to support. */
static void hold_against(const struct server_proof *p, const char *host,
                         const char *key, struct buf *out)
{
    if (host && *host && !tls_names_host(&p->newest, host) &&
        !(out->data && strstr(out->data, key)))
        buf_printf(out, "%s%s", out->len ? ", " : "", key);
}

/* NULL: not known, or an address, which no DNS name is for. */
static const char *host_of_base(struct doctor *d)
{
    const char *url = d->app->base_url;
    const char *host = url ? strstr(url, "://") : NULL;

    if (!host || host[3] == '[' ||
        strspn(host + 3, "0123456789.") == strcspn(host + 3, ":/"))
        return NULL;
    return arena_strndup(d->c->mem, host + 3, strcspn(host + 3, ":/"));
}

static enum err list_unnamed(struct ctx *c, const struct server_proof *p,
                             struct buf *out)
{
    struct query *q = query(c, check_text[TENANT_HOSTS]);
    enum err e;

    while (query_next(c, q, &e))
        hold_against(p, col_peek(q, 0), "tenant --host", out);
    return e;
}

/* Whose names are served with this certificate, but are not in it. */
static const char *find_unnamed(struct doctor *d, const struct server_proof *p)
{
    struct buf out = buf_in(d->c->mem);

    hold_against(p, host_of_base(d), "base_url", &out);
    hold_against(p, d->app->operator_host, "operator_host", &out);
    enum err e = tx_begin_control(d->c, d->app->store, TX_READ);
    if (!e)
        e = tx_end_control(d->c, d->app->store, list_unnamed(d->c, p, &out));
    return e || !out.len ? NULL : out.data;
}

static void check_certificate(struct doctor *d, const struct server_proof *p)
{
    const struct tls_dates *t = &p->newest.dates;
    int64_t left = (t->to - d->c->now_us) / US_PER_DAY;

    if (!p->is_tls || !*p->newest.version)
        return;
    const char *unnamed = find_unnamed(d, p);
    process_stats_note_certificate(d->app->gauges, t->to);
    if (t->to <= d->c->now_us || t->from > d->c->now_us)
        doctor_say(
            d, "certificate", DOCTOR_BAD,
            "証明書は有効期間の外です（%s まで）。更新して SIGHUP を送って"
            "ください",
            "The certificate is out of its time (until %s): renew it, "
            "then send SIGHUP",
            clock_format(d->c->mem, t->to));
    else if (unnamed && !t->is_self_signed)
        doctor_say(d, "certificate", DOCTOR_BAD,
                   "証明書は、次の設定のホスト名のものではありません: %s。設定 "
                   "cert を確認してください",
                   "The certificate is not for the host that these settings "
                   "name: %s. Look at cert in the configuration",
                   unnamed);
    else
        doctor_say(
            d, "certificate",
            left < DAYS_BAD                            ? DOCTOR_BAD
            : left < DAYS_SHORT || (t->is_self_signed) ? DOCTOR_WARNING
                                                       : DOCTOR_GOOD,
            t->is_self_signed
                ? "証明書は自己署名です（%s まで、残り %lld 日）。設定 cert に"
                  "認証局のものを指定してください"
                : "証明書は %s まで有効（残り %lld 日）",
            t->is_self_signed
                ? "The certificate is self-signed (until %s, %lld days "
                  "left): set cert to one of an authority"
                : "The certificate is good until %s (%lld days left)",
            clock_format(d->c->mem, t->to), (long long)left);
}

static void check_listeners(struct doctor *d)
{
    const struct surroundings *a = &d->app->around;

    if (a->listens)
        doctor_say(
            d, "listen", a->listens_plain ? DOCTOR_WARNING : DOCTOR_GOOD,
            a->listens_plain
                ? "待ち受け %s。平文がこの機械の外に出ます（trusted_"
                  "proxies だけに答えます）"
                : "待ち受け %s",
            a->listens_plain
                ? "Listens on %s; what is plain leaves this machine, for "
                  "trusted_proxies alone"
                : "Listens on %s",
            a->listens);
}

static void check_answer(struct doctor *d)
{
    struct server_proof p;

    if (!d->app->prove_server || !d->app->door_count)
        return;
    d->app->prove_server(d->app, &p);
    doctor_say(d, "answer", p.is_answered ? DOCTOR_GOOD : DOCTOR_BAD,
               p.is_answered ? "利用者と同じ経路の要求に答えます"
                             : "自分への要求に 5 秒で答えませんでした",
               p.is_answered ? "A request as anybody makes it is answered"
                             : "It did not answer itself within 5 s");
    check_tls(d, &p);
    check_certificate(d, &p);
}

struct copies {
    int64_t all, late, young, failed_at; /* failed_at: of the last run, or 0 */
    const char *ja, *en;                 /* why it failed */
};

static enum err read_copies(struct ctx *c, struct copies *out)
{
    struct query *q = query(c, check_text[LATE_COPIES]);

    bind_int(q, 1, c->now_us - BACKUP_LATE_HOURS * INT64_C(3600000000));
    enum err e = query_one(c, q);
    if (e)
        return e;
    out->all = col_int(q, 0);
    out->late = col_int(q, 1);
    out->young = col_int(q, 2);
    query_done(q);
    q = query(c, check_text[LAST_RUN]);
    if ((e = query_one(c, q)))
        return e == ERR_NOT_FOUND ? OK : e;
    if (col_int(q, 0) == BACKUP_FAILED) {
        out->failed_at = col_int(q, 1);
        out->ja = col_text(c, q, 2);
        out->en = col_text(c, q, 3);
    }
    query_done(q);
    return OK;
}

static void check_backups(struct doctor *d)
{
    struct ctx *c = d->c;
    struct copies n = {.ja = NULL};
    enum err e = tx_begin_control(c, d->app->store, TX_READ);

    if (!e)
        e = tx_end_control(c, d->app->store, read_copies(c, &n));
    if (n.failed_at)
        doctor_say(d, "backup_run", DOCTOR_BAD, "失敗しました（%s）: %s%.0s",
                   "It failed (%s): %.0s%s", /* each its own reason */
                   clock_format(c->mem, n.failed_at), n.ja ? n.ja : "?",
                   n.en ? n.en : "?");
    doctor_say(
        d, "backup", e || n.late ? DOCTOR_BAD : DOCTOR_GOOD,
        "テナント %lld 件のうち、26時間以内のバックアップがないもの %lld 件（"
        "作成から26時間たたず、まだ数えないもの %lld 件）",
        "Of %lld tenants %lld lack a backup of the last 26 hours (%lld are "
        "younger than that and not counted yet)",
        (long long)n.all, (long long)n.late, (long long)n.young);
}

/* Whom the relay is tried with: an operator, else the sender himself. */
static const char *find_recipient(struct doctor *d, const struct smtp_config *m)
{
    const char *to = m->from;
    enum err e = tx_begin_control(d->c, d->app->store, TX_READ);

    if (!e)
        e = tx_end_control(d->c, d->app->store, operator_mail_first(d->c, &to));
    return e ? m->from : to;
}

static enum err count_refused(struct ctx *c, int64_t *sum)
{
    struct query *q = query(c, check_text[REFUSED]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *sum += col_int(q, 0);
    query_done(q);
    return OK;
}

/* Each of a transaction of its own; who cannot be opened is told elsewhere. */
static void check_refused(struct doctor *d)
{
    struct ctx *c = d->c;
    struct arena *list = arena_open(0);
    const char *const *ids, *among = NULL;
    size_t count = tenant_directory_list_ids(d->app->store, list, &ids);
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct tenant *t;
        struct actor within = *c->actor;
        struct ctx of = {.mem = c->mem, .actor = &within, .now_us = c->now_us};
        int64_t before = sum;
        within.tenant = ids[i];
        if (tenant_open(d->app->store, ids[i], &t))
            continue;
        if (!tx_begin(&of, t, TX_READ) &&
            !tx_end(&of, t, count_refused(&of, &sum)) && sum > before)
            among = arena_strdup(c->mem, ids[i]);
        tenant_close(t);
    }
    arena_close(list);
    if (!tx_begin_control(c, d->app->store, TX_READ) &&
        tx_end_control(c, d->app->store, count_refused(c, &sum)))
        log_error("refused mails are not counted");
    if (sum)
        doctor_say(
            d, "mail_refused", DOCTOR_WARNING,
            "メールの中継先が宛先を最終的に拒否した利用者 %lld 人（%s "
            "など）。コードや招待が届きません。利用者の一覧に理由が出ます",
            "%lld people (of %s among others) whose mail the relay "
            "refused for good: neither codes nor invitations reach them; "
            "the lists of people say why",
            (long long)sum, among ? among : STORE_OPERATOR);
}

/* Each place of copies that is set up: what failed there last, or how old the
 * newest is. */
static void check_copies(struct doctor *d)
{
    static const char *const names[] = {
        [BACKUP_DIR] = "backup_copy_dir",
        [BACKUP_S3] = "backup_copy_s3",
    };
    struct ctx *c = d->c;
    struct backup_copies list[BACKUP_PLACES];
    size_t count = 0;
    enum err e = tx_begin_control(c, d->app->store, TX_READ);

    if (!e)
        e = tx_end_control(c, d->app->store,
                           backup_copy_read(c, d->app, list, &count));
    for (size_t i = 0; !e && i < count; i++) {
        const struct backup_copies *p = &list[i];
        bool is_late = !backup_copy_is_young(p, c->now_us);
        if (p->why.en)
            doctor_say(d, names[p->kind], DOCTOR_BAD,
                       "%s への写しに失敗しました: %s%.0s",
                       "Copying to %s failed: %.0s%s", p->name, p->why.ja,
                       p->why.en);
        else
            doctor_say(d, names[p->kind], is_late ? DOCTOR_BAD : DOCTOR_GOOD,
                       "%s の最新の写し %s", "Newest copy in %s: %s", p->name,
                       p->count ? p->list[0].date : "-");
    }
}

static void check_mail(struct doctor *d)
{
    const struct smtp_config *m = d->app->mail;
    const char *why = "";

    if (d->app->is_demo || !m)
        return;
    if (m->spool_dir)
        doctor_say(
            d, "mail", access(m->spool_dir, W_OK) ? DOCTOR_BAD : DOCTOR_WARNING,
            "メールは送られず、フォルダー %s に書かれます",
            "Mail is not sent but written into the folder %s", m->spool_dir);
    else if (smtp_check(m, d->c->mem, find_recipient(d, m), &why))
        doctor_say(
            d, "mail", DOCTOR_BAD, "メールの中継先 %s:%d が受け付けません: %s",
            "The mail relay %s:%d does not take us: %s", m->host, m->port, why);
    else
        doctor_say(d, "mail", DOCTOR_GOOD,
                   "メールの中継先 %s:%d に接続し、認証と宛先の受付まで確認"
                   "しました",
                   "The mail relay %s:%d let us in and takes sender and "
                   "recipient",
                   m->host, m->port);
}

/* Each is opened afresh: what was opened before its key was lost would go on
 * until the next start.  A tenant whose migration failed cannot be opened
 * either; the others serve. */
static void check_schema(struct doctor *d)
{
    struct arena *list = arena_open(0);
    const char *const *ids, *aside = NULL;
    size_t count = tenant_directory_list_ids(d->app->store, list, &ids),
           bad = 0;
    struct store_versions v = store_versions();

    for (size_t i = 0; i < count; i++) {
        struct tenant *t;
        if (!tenant_look(d->app->store, ids[i]) &&
            !tenant_open(d->app->store, ids[i], &t)) {
            tenant_close(t);
        } else {
            bad++;
            aside = arena_strdup(d->c->mem, ids[i]);
        }
    }
    arena_close(list);
    if (bad)
        doctor_say(
            d, "schema", DOCTOR_BAD,
            "テナント %zu 件（%s など）が開けません。利用者には 503 と理由を"
            "返します。記録（ログ）を見て、鍵が失われたのなら世代の中の"
            "同じ名前の鍵を keys/ に戻し、それ以外は yagura backup restore で"
            "戻してください",
            "%zu tenants (%s among them) cannot be opened and answer 503 with "
            "a reason: read the log; a lost key is put back into keys/ from a "
            "generation that has it, else yagura backup restore",
            bad, aside);
    else
        doctor_say(d, "schema", DOCTOR_GOOD,
                   "テナント %zu 件のすべてが開けます（スキーマの版: 管理 "
                   "%d、テナント "
                   "%d、アクセス %d）",
                   "All of %zu tenants open (schema versions: control %d, "
                   "tenant %d, access %d)",
                   count, v.control, v.tenant, v.access);
}

void doctor_check_service(struct doctor *d)
{
    check_disk(d);
    check_listeners(d);
    check_answer(d);
    check_backups(d);
    check_copies(d);
    check_mail(d);
    check_refused(d);
    check_schema(d);
}
