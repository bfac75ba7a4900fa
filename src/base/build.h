/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUILD_H
#define BASE_BUILD_H

/* What the binary is made of, written at build time by scripts/sbom.mjs. */
extern const char build_sbom[];     /* CycloneDX 1.6, JSON */
extern const char build_licenses[]; /* every notice */
extern const int build_component_count;

/* The documents an installation begins with, from www/policy/{ja,en}/NAME.md. */
struct build_text {
    const char *name, *ja, *en;
};
extern const struct build_text build_texts[];
extern const int build_text_count;

#endif
