/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUILD_H
#define BASE_BUILD_H

#include <stdbool.h>

/* What the binary is made of, written at build time by scripts/sbom.mjs. */
extern const char build_sbom[];     /* CycloneDX 1.6, JSON */
extern const char build_licenses[]; /* every notice */
extern const int build_component_count;
/* The same in short: where it came from first, and when it was released. */
struct build_part {
    const char *name, *version, *license, *source, *checksum, *released;
    const char *why_old_ja, *why_old_en; /* NULL: nothing to say */
};
extern const struct build_part build_parts[]; /* build_component_count */

/* How this binary came to be, by scripts/record.mjs; NULL where nobody knows.
 * Only main.c and cli/ see it; core has it by struct app. */
struct build_record {
    const char *commit;           /* of the sources */
    bool is_clean;                /* they are that commit's, unchanged */
    const char *sources;          /* SHA-256 over all of them */
    const char *tested, *checked; /* when `make test` and `make check` passed
                                     on the same sources */
    int commits, reviewed; /* of them with a Reviewed-by; -1: not known */
    const char *notes_ja, *notes_en; /* release notes, Markdown */
};
extern const struct build_record build_record;

/* The documents an installation begins with, from www/policy/{ja,en}/NAME.md. */
struct build_text {
    const char *name, *ja, *en;
};
extern const struct build_text build_texts[];
extern const int build_text_count;

#endif
