/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps this process in, who may read its files, and how the machine is
 * looked after.  No program is run from here: what only the package manager
 * knows comes from the command line (struct doctor_host). */
#include "core/health/doctor_check.h"

#include "base/clock.h"
#include "base/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_WANTED = 65536 };

static void check_user(struct doctor *d, const struct sandbox_report *r)
{
    if (r->is_root)
        doctor_say(d, "user", d->app->is_demo ? DOCTOR_WARNING : DOCTOR_BAD,
                   "root のまま動いています。設定 user に専用の利用者を指定して"
                   "ください",
                   "This runs as root: set user in the configuration to a "
                   "user of its own");
    else if (r->has_capabilities || !r->no_new_privs)
        doctor_say(
            d, "user", DOCTOR_BAD,
            "一般ユーザーですが、特権（capability）が残っているか、新たに"
            "得られます",
            "An ordinary user, but capabilities are left or can be "
            "gained");
    else
        doctor_say(
            d, "user", DOCTOR_GOOD,
            "一般ユーザー（uid %u）で動き、特権はなく、得ることもできません",
            "Runs as an ordinary user (uid %u), without privileges and "
            "unable to gain any",
            (unsigned)geteuid());
}

static void check_landlock(struct doctor *d, const struct sandbox_report *r)
{
    if (r->keeps_files && r->keeps_ports)
        doctor_say(
            d, "landlock", DOCTOR_GOOD,
            "Landlock（版 %d）: データの外のファイルとほかのポートへの接続を"
            "試し、拒否されました",
            "Landlock (version %d): a file outside the data and "
            "another port were tried and refused",
            r->landlock_abi);
    else if (r->keeps_files)
        doctor_say(
            d, "landlock", DOCTOR_WARNING,
            "Landlock（版 %d）はファイルだけを守っています。ポートの制限には "
            "Linux 6.7 以降が必要です",
            "Landlock (version %d) keeps files only: for ports it "
            "takes Linux 6.7",
            r->landlock_abi);
    else
        doctor_say(
            d, "landlock", DOCTOR_BAD,
            "Landlock は効いていません（カーネルの版 %d）。Linux 5.19 以降と "
            "lsm=landlock が必要です",
            "Landlock is not in force (the kernel's version: %d): it "
            "takes Linux 5.19 and lsm=landlock",
            r->landlock_abi);
}

static void check_calls(struct doctor *d, const struct sandbox_report *r)
{
    if (r->filters_calls)
        doctor_say(
            d, "seccomp", DOCTOR_GOOD,
            "seccomp: 許可したシステムコールは %d 種。ほかを試し、拒否されま"
            "した",
            "seccomp: %d system calls are allowed; another was tried "
            "and refused",
            r->calls);
    else
        doctor_say(
            d, "seccomp", DOCTOR_BAD,
            "seccomp は効いていません。カーネルに CONFIG_SECCOMP_FILTER が"
            "必要です",
            "seccomp is not in force: the kernel needs "
            "CONFIG_SECCOMP_FILTER");
    if (r->has_cores || (r->is_dumpable && !r->is_test_build))
        doctor_say(d, "memory", DOCTOR_BAD,
                   "コアダンプや追跡で鍵がメモリーから漏れるおそれがあります",
                   "Keys may leave memory by core dumps or tracing");
    else
        doctor_say(d, "memory", DOCTOR_GOOD,
                   "コアダンプなし、ほかのプロセスから追跡できません",
                   "No core dumps, and other processes cannot trace this one");
    doctor_say(d, "limits",
               r->files_max >= FILES_WANTED ? DOCTOR_GOOD : DOCTOR_WARNING,
               "開けるファイルの上限 %ld（推奨 %d 以上: LimitNOFILE）",
               "Open files allowed: %ld (%d or more is advised: LimitNOFILE)",
               r->files_max, FILES_WANTED);
}

/* A path some of whose rights are too wide, or NULL. */
static const char *find_wide(const struct surroundings *a)
{
    const struct {
        const char *path;
        mode_t mask;
    } all[] = {
        {a->data_dir, 077},
        {a->spool_dir, 002},
        {a->config, 022},
        {a->cert_key, 007},
    };
    struct stat st;

    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].path && stat(all[i].path, &st) == 0 &&
            (st.st_mode & all[i].mask))
            return all[i].path;
    return NULL;
}

static void check_rights(struct doctor *d)
{
    const char *wide = find_wide(&d->app->around);

    if (wide)
        doctor_say(d, "files", DOCTOR_BAD,
                   "%s をほかの利用者が読むか書くことができます。chmod で直して"
                   "ください",
                   "%s can be read or written by other users: chmod it", wide);
    else
        doctor_say(
            d, "files", DOCTOR_GOOD,
            "データ、設定、TLS の鍵のファイルはほかの利用者から守られています",
            "Data, configuration and TLS key are kept from other users");
}

/* systemd's credentials are given by an access list, which shows as rights of
 * the group. */
static void check_key(struct doctor *d)
{
    const struct surroundings *a = &d->app->around;
    size_t len = a->data_dir ? strlen(a->data_dir) : 0;
    struct stat st;

    if (!a->master_key)
        doctor_say(d, "key", DOCTOR_BAD, "主鍵の場所がわかりません",
                   "Where the master key is, is not known");
    else if (stat(a->master_key, &st))
        doctor_say(
            d, "key", DOCTOR_BAD,
            "主鍵 %s がありません。再起動するとデータを開けません。控えから"
            "戻してください",
            "The master key %s is gone: after a restart nothing can be "
            "opened; put the copy back",
            a->master_key);
    else if (st.st_mode & 037)
        doctor_say(d, "key", DOCTOR_BAD,
                   "主鍵 %s をほかの利用者が読めます。chmod 400 にしてください",
                   "The master key %s can be read by others: chmod 400",
                   a->master_key);
    else if (len && strncmp(a->master_key, a->data_dir, len) == 0 &&
             a->master_key[len] == '/')
        doctor_say(
            d, "key", DOCTOR_WARNING,
            "主鍵がデータと同じ場所にあります。master_key で外に移してください",
            "The master key lies inside the data it protects: move it "
            "out (master_key)");
    else
        doctor_say(d, "key", DOCTOR_GOOD,
                   "主鍵 %s は所有者だけが読め、データの外にあります",
                   "The master key %s is its owner's alone, outside the data",
                   a->master_key);
}

static void check_copy(struct doctor *d)
{
    if (d->is_key_copied)
        doctor_say(d, "key_copy", DOCTOR_GOOD,
                   "主鍵の控えが別の場所にあることが確認されています（%s…）",
                   "A copy of the master key elsewhere is confirmed (%s…)",
                   d->key_mark);
    else
        doctor_say(
            d, "key_copy", DOCTOR_WARNING,
            "主鍵の控えが確認されていません。失えばデータは二度と開けません。"
            "別の場所に写し、写しの sha256sum が %s で始まることを確かめて "
            "yagura doctor --confirm-key-copy",
            "No copy of the master key is confirmed; without the key "
            "the data is lost. Copy it off this machine, see that the "
            "copy's sha256sum begins with %s, then yagura doctor "
            "--confirm-key-copy",
            d->key_mark);
}

static const char *day_of(struct doctor *d, const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return NULL;
    return clock_format(d->c->mem, (int64_t)st.st_mtime * 1000000);
}

static void check_updates(struct doctor *d)
{
    const char *last = day_of(d, "/var/lib/dpkg/status");
    const struct doctor_host *h = d->host;

    if (!h)
        doctor_say(
            d, "updates", DOCTOR_WARNING,
            "OS の更新は 8 日以内に調べられていません。yagura doctor を毎日"
            "実行してください。最後の変更 %s",
            "Updates of the system were not looked for in 8 days: run "
            "yagura doctor daily. Last change %s",
            last ? last : "-");
    else
        doctor_say(
            d, "updates",
            h->security  ? DOCTOR_BAD
            : h->updates ? DOCTOR_WARNING
                         : DOCTOR_GOOD,
            "OS の更新待ち %lld 件、うちセキュリティー %lld 件。最後の変更 %s",
            "Updates of the system waiting: %lld, of them security: "
            "%lld. Last change %s",
            (long long)h->updates, (long long)h->security, last ? last : "-");
    if (access("/run/reboot-required", F_OK) == 0)
        doctor_say(d, "reboot", DOCTOR_WARNING,
                   "更新を有効にするには OS の再起動が必要です",
                   "The machine must be restarted for updates to take effect");
    else
        doctor_say(d, "reboot", DOCTOR_GOOD, "OS の再起動は求められていません",
                   "No restart of the machine is asked for");
}

static void check_clock(struct doctor *d)
{
    struct clock_kernel k;

    clock_read_kernel(&k);
    doctor_say(
        d, "clock", k.is_synchronised ? DOCTOR_GOOD : DOCTOR_WARNING,
        k.is_synchronised
            ? "時計は同期しています（推定誤差 %lld ミリ秒）"
            : "時計が同期していません（推定誤差 %lld ミリ秒）。chrony などを"
              "動かしてください",
        k.is_synchronised
            ? "The clock is synchronised (estimated error %lld ms)"
            : "The clock is not synchronised (estimated error %lld "
              "ms): run chrony or the like",
        (long long)k.error_us / 1000);
}

void doctor_check_machine(struct doctor *d)
{
    struct sandbox_report r;

    if (d->app->read_sandbox) {
        d->app->read_sandbox(&r);
        check_user(d, &r);
        check_landlock(d, &r);
        check_calls(d, &r);
    } else {
        doctor_say(d, "server", DOCTOR_WARNING,
                   "このデータでサーバーは動いていません。隔離の状態は起動後に"
                   "調べられます",
                   "No server runs on this data: what confines it is looked "
                   "at once it does");
    }
    check_rights(d);
    check_key(d);
    check_copy(d);
    check_clock(d);
    check_updates(d);
}
