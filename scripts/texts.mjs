// SPDX-License-Identifier: Apache-2.0
// Prints build/texts.c: the documents of www/policy/{ja,en}, in the order in which
// a new installation lists them.
import { readdirSync, readFileSync } from "node:fs";

const names = ["basic", "individual", "cloud", "privacy", "law", "location", "responsibility", "platform", "terms"];
for (const lang of ["ja", "en"]) {
  const found = readdirSync(`www/policy/${lang}`).map((n) => n.replace(/\.md$/, "")).sort();
  if (found.join() !== [...names].sort().join()) throw new Error(`www/policy/${lang}: ${found}`);
}
const literal = (text) => text.match(/[^\n]*\n?/g).filter(Boolean).map((line) => JSON.stringify(line).replace(/\?\?/g, '?""?')).join("\n    ");
const rows = names.map((name) => `  {"${name}",\n    ${["ja", "en"].map((lang) => literal(readFileSync(`www/policy/${lang}/${name}.md`, "utf8"))).join(",\n    ")}},`);
process.stdout.write(`/* made by scripts/texts.mjs */
#include "base/build.h"
const int build_text_count = ${names.length};
const struct build_text build_texts[] = {
${rows.join("\n")}
};
`);
