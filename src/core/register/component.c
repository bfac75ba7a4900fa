/* SPDX-License-Identifier: Apache-2.0 */
/* What the build wrote into the binary; what it could not know is said so. */
#include "core/register/component.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/tls.h"
#include "base/zip.h"
#include "core/trust_evidence.h"

#include <string.h>

struct component_age component_age(const struct build_part *part,
                                   int64_t now_us)
{
    int32_t day;
    struct component_age age = {.days = 0};

    if (!civil_parse(part->released, &day))
        return age;
    age.days = clock_today(now_us) - day;
    age.is_old = age.days > COMPONENT_DAYS;
    age.is_fine = !age.is_old || part->why_old_en;
    return age;
}

static void measure_ages(struct ctx *c, struct trust_list *out)
{
    int old = 0, bad = 0;

    for (int i = 0; i < build_component_count; i++) {
        struct component_age age = component_age(&build_parts[i], c->now_us);
        old += age.is_old;
        bad += !age.is_fine;
    }
    trust_show(
        c, out, 28, bad == 0,
        "部品 %d 点のうち公開から %d 日を超えるもの %d 点、使い続ける理由が"
        "ないもの %d 点",
        "Of %d components %d days old or more: %d; without a reason: %d",
        build_component_count, COMPONENT_DAYS, old, bad);
}

static bool is_given(const char *text)
{
    return text && *text;
}

/* In the inventory, which was written from the lock file. */
static bool is_listed(const char *name, const char *version)
{
    for (int i = 0; i < build_component_count; i++)
        if (strcmp(build_parts[i].name, name) == 0)
            return strcmp(build_parts[i].version, version) == 0;
    return false;
}

static void measure_versions(struct ctx *c, struct trust_list *out)
{
    const char *zlib = zip_library_version();
    char tls[TLS_VERSION_BYTES];

    tls_read_version(tls);
    bool is_same = strstr(build_sbom, "\"" YAGURA_VERSION "\"") &&
                   is_listed("mbedtls", tls) && is_listed("zlib", zlib);
    trust_show(
        c, out, 28, is_same,
        "製品の版 %s、実行中の部品に尋ねた版 Mbed TLS %s、zlib %s。部品表に"
        "ある版と%s",
        "Product version %s; versions asked of the running libraries: "
        "Mbed TLS %s, zlib %s. %s",
        YAGURA_VERSION, tls, zlib,
        is_same ? ctx_text(c, "同じ", "The inventory has the same")
                : ctx_text(c, "違います", "The inventory has others"));
}

void component_measure_parts(struct ctx *c, struct trust_list *out)
{
    int bare = 0;

    for (int i = 0; i < build_component_count; i++)
        bare += !is_given(build_parts[i].version) ||
                !is_given(build_parts[i].source) ||
                !is_given(build_parts[i].checksum);
    for (int no = 24; no <= 30; no += 6)
        trust_show(c, out, no, build_component_count > 0 && bare == 0,
                   "部品 %d 点の版、出どころ、SHA-256 をバイナリーに記録"
                   "（yagura version --sbom）。どれかが欠けている部品 %d 点",
                   "Version, source and SHA-256 of %d components are in the "
                   "binary (yagura version --sbom); one of them is missing of "
                   "%d",
                   build_component_count, bare);
    measure_versions(c, out);
}

void component_measure(struct ctx *c, const struct app *app,
                       struct trust_list *out)
{
    const struct build_record *r = app->record;
    const char *no = ctx_text(c, "記録なし", "not recorded");

    measure_ages(c, out);
    trust_show(c, out, 28, r && r->commit && r->is_clean,
               "ソースのコミット: %s%s", "Commit of the sources: %s%s",
               r && r->commit ? r->commit : no,
               r && r->commit && !r->is_clean
                   ? ctx_text(c, "（未コミットの変更あり）", " with changes")
                   : "");
    trust_show(c, out, 28, r && r->tested && r->checked,
               "同じソースで合格した検査: テスト %s、静的検査 %s",
               "Passed on the same sources: tests %s, static checks %s",
               r && r->tested ? r->tested : no,
               r && r->checked ? r->checked : no);
    if (r && r->commits >= 0)
        trust_show(c, out, 28, r->commits > 0 && r->reviewed == r->commits,
                   "変更 %d 件のうちレビューした人の記録があるもの %d 件",
                   "Of %d changes those with a reviewer on record: %d",
                   r->commits, r->reviewed);
    else
        trust_show(c, out, 28, false, "変更をレビューした人: %s",
                   "Who reviewed the changes: %s", no);
}
