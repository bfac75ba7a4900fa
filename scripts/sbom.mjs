// SPDX-License-Identifier: Apache-2.0
// sbom VERSION: prints build/sbom.c, what the binary is made of: a CycloneDX
// 1.6 inventory from third_party/lock and the licences found in the sources.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const version = process.argv[2];
const licences = {
  musl: "MIT", sqlite: "blessing", mbedtls: "Apache-2.0", civetweb: "MIT", cjson: "MIT", argon2: "Apache-2.0", utf8proc: "MIT",
  zlib: "Zlib", mxml: "Apache-2.0", mimalloc: "MIT", "7zip": "LZMA-SDK-9.22", zxcvbn: "MIT",
};
const ui = ["svelte", "uqr"]; // what of npm is in the browser's files
const parts = new Map();
for (const file of ["third_party/lock", "third_party/lock-data"])
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [name, release, place, where, sum] = line.split(/\s+/);
    if (!licences[name]) continue;
    const part = parts.get(name) ?? { name, release, sources: [] };
    part.sources.push({ place, where, sum });
    parts.set(name, part);
  }
const { packages } = JSON.parse(readFileSync("www/package-lock.json", "utf8"));
for (const name of ui) {
  const { version: release, license, integrity } = packages[`node_modules/${name}`];
  licences[name] = license;
  parts.set(name, { name, release, sources: [{ place: "npm", where: name, integrity }] });
}

const dates = new Map(readFileSync("third_party/dates", "utf8").split("\n").filter((l) => l && !l.startsWith("#")).map((l) => [l.split(" ")[0], [l.split(" ")[1], l.split(" ").slice(2).join(" ")]]));
const both = (name, why) => {
  const texts = why.split(" | ");
  if (texts.length !== 2) throw new Error(`third_party/dates: ${name} wants its reason in English | in Japanese`);
  return `${JSON.stringify(texts[1])}, ${JSON.stringify(texts[0])}`;
};
const component = ({ name, release, sources }) => ({
  type: "library",
  "bom-ref": `${name}@${release}`,
  name,
  version: release,
  licenses: [{ license: { id: licences[name] } }],
  hashes: sources.filter((s) => s.sum).map((s) => ({ alg: "SHA-256", content: s.sum })),
  externalReferences: sources.map((s) => ({ type: "distribution", url: s.place === "url" ? s.where : `${s.place}:${s.where}`, ...(s.integrity ? { comment: s.integrity } : {}) })),
});
const list = [...parts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
for (const name of Object.keys(licences)) if (!parts.has(name)) throw new Error(`${name} is not in the lock file`);
const sbom = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: { component: { type: "application", "bom-ref": `yagura@${version}`, name: "yagura", version, licenses: [{ license: { id: "Apache-2.0" } }] } },
  components: list.map(component),
  dependencies: [{ ref: `yagura@${version}`, dependsOn: list.map((p) => `${p.name}@${p.release}`) }],
};

let notices = readFileSync("LICENSE", "utf8");
for (const { name, release } of list) {
  const dir = ui.includes(name) ? `www/node_modules/${name}` : `build/third/${name}`;
  const found = existsSync(dir) ? readdirSync(dir).find((n) => /^(licen[cs]e|copying|copyright)/i.test(n)) : undefined;
  const text = found ? readFileSync(`${dir}/${found}`, "utf8") : `SPDX-License-Identifier: ${licences[name]}\n`;
  notices += `\n${"=".repeat(72)}\n${name} ${release}\n${"=".repeat(72)}\n\n${text}`;
}
const literal = (text) => text.match(/[^\n]*\n?/g).filter(Boolean).map((line) => JSON.stringify(line).replace(/\\u([0-9a-f]{4})/g, (_, h) => `\\x${h.slice(2)}""`).replace(/\?\?/g, '?""?')).join("\n  ");
process.stdout.write(`/* made by scripts/sbom.mjs */
#include "base/build.h"
const int build_component_count = ${list.length};
const struct build_part build_parts[] = {
${list.map(({ name, release, sources }) => {
  const [day, why] = dates.get(name) ?? [];
  if (!/^\d{4}-\d\d-\d\d$/.test(day ?? "")) throw new Error(`${name} is not in third_party/dates`);
  const s = sources[0];
  return `  {${[name, release, licences[name], s.place === "url" ? s.where : `${s.place}:${s.where}`, s.sum ?? s.integrity, day].map((x) => JSON.stringify(x)).join(", ")}, ${why ? both(name, why) : "0, 0"}},`;
}).join("\n")}
};
const char build_sbom[] =
  ${literal(JSON.stringify(sbom, null, 1) + "\n")};
const char build_licenses[] =
  ${literal(notices)};
`);
