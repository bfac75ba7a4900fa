// SPDX-License-Identifier: Apache-2.0
// Prints the table of common passwords for base/common_password.h: of each the
// FNV-1a hash of its bytes.  The list is that of zxcvbn (third_party/lock-data).
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { passwords, english_wikipedia } = createRequire(import.meta.url)(resolve(process.argv[2], "lib/frequency_lists.js"));
const own = ["yagura", "株式会社", "パスワード", "あいうえお", "さくら"];
const hashes = new Set();
for (const word of [...passwords, ...english_wikipedia.slice(0, 3000), ...own]) {
  const bytes = new TextEncoder().encode(word.toLowerCase());
  if (bytes.length < 4) continue;
  let hash = 2166136261;
  for (const b of bytes) hash = Math.imul(hash ^ b, 16777619) >>> 0;
  hashes.add(hash);
}
const sorted = [...hashes].sort((a, b) => a - b);
if (sorted.length < 20000) throw new Error(`only ${sorted.length} words`);
console.log('#include "base/common_password.h"');
console.log(`const uint32_t common_password_table[] = {\n${sorted.map((h) => `${h}u`).join(",\n")}};`);
console.log(`const size_t common_password_count = ${sorted.length};`);
