// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("no word of a language is left in the markup", () => {
  const files = (dir: string): string[] =>
    readdirSync(dir).flatMap((name) => {
      const path = join(dir, name);
      return statSync(path).isDirectory() ? files(path) : path.endsWith(".svelte") ? [path] : [];
    });
  for (const path of files(join(import.meta.dirname, "..")))
    for (const line of readFileSync(path, "utf8").split("\n"))
      if (!line.includes("日本語") && !/^\s*(\/\/|\/\*|\*|<!--)|\/\/ /.test(line))
        assert.doesNotMatch(line.replace(/\/\^.*?\$?\//g, "").replace(/"[\s　]+"|\[\\s　\]/g, ""), /[\u3040-\u30ff\u4e00-\u9fff]/, path);
});
