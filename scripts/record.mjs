// SPDX-License-Identifier: Apache-2.0
// Prints build/record.c: commit, sources, checks passed, reviews, notes.
// record --passed NAME: notes that NAME passed on the sources as they are.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const git = (...words) => {
  try {
    return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return null;
  }
};
const walk = (path) => readdirSync(path, { withFileTypes: true }).flatMap((f) => (f.name === "node_modules" || f.name.startsWith(".") ? [] : f.isDirectory() ? walk(`${path}/${f.name}`) : [`${path}/${f.name}`]));
const files = [...["src", "test", "www", "scripts", "third_party"].flatMap(walk), "Makefile", "schema.sql"].sort();
const hash = createHash("sha256");
for (const file of files) hash.update(`${file}\n`).update(createHash("sha256").update(readFileSync(file)).digest());
const sources = hash.digest("hex");

if (process.argv[2] === "--passed") {
  const at = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 19) + "+09:00";
  writeFileSync(`build/passed-${process.argv[3]}`, `${sources} ${at}\n`);
} else {
  const inside = git("rev-parse", "--show-prefix") === "\n"; // the repository is this one
  const commit = inside ? git("rev-parse", "HEAD")?.trim() : null;
  const passed = (name) => {
    const file = `build/passed-${name}`;
    const [digest, at] = existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
    return digest === sources ? at : null;
  };
  const reviews = commit && git("log", "--format=%(trailers:key=Reviewed-by,valueonly,separator=%x2C)%x00")?.split("\0").slice(0, -1);
  const text = (t) => (t ? t.match(/[^\n]*\n?/g).filter(Boolean).map((line) => JSON.stringify(line).replace(/\?\?/g, '?""?')).join("\n    ") : "0");
  process.stdout.write(`/* made by scripts/record.mjs */
#include "base/build.h"
const struct build_record build_record = {
    ${text(commit)}, ${commit && git("status", "--porcelain") === "" ? "true" : "false"}, ${text(sources)},
    ${text(passed("test"))}, ${text(passed("check"))},
    ${reviews ? reviews.length : -1}, ${reviews ? reviews.filter((r) => r.trim()).length : -1},
    ${text(readFileSync("www/policy/releases-ja.md", "utf8"))},
    ${text(readFileSync("www/policy/releases-en.md", "utf8"))}};
`);
}
