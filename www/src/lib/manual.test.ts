// SPDX-License-Identifier: Apache-2.0
// Both languages have the same pages, and every link between them leads
// somewhere.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../manual/", import.meta.url);
const source = readFileSync(new URL("manual.ts", import.meta.url), "utf8");
const names = [...source.match(/pageNames = \[(.*?)\]/)![1]!.matchAll(/"(\w+)"/g)].map(([, n]) => n!);

for (const lang of ["ja", "en"])
  test(`the manual is whole: ${lang}`, () => {
    const files = readdirSync(new URL(lang, folder));
    assert.deepEqual(files.filter((f) => f.endsWith(".md")).toSorted(), names.map((n) => `${n}.md`).toSorted());
    const shown = new Set<string>();
    for (const name of names) {
      const text = readFileSync(new URL(`${lang}/${name}.md`, folder), "utf8");
      assert.match(text, /^# \S.*\n\n/, `${name}: a title first`);
      for (const [, to] of text.matchAll(/(?<!!\[[^\]]*)\]\(([^)]+)\)/g)) assert.ok(names.some((n) => to === `/help/${n}`), `${name}: ${to}`);
      for (const [, alt, src] of text.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)) {
        assert.ok(alt, `${name}: ${src} says what it shows`);
        assert.ok(src!.startsWith(`/manual/${lang}/`), `${name}: ${src}`);
        shown.add(src!.slice(`/manual/${lang}/`.length));
      }
    }
    assert.deepEqual(files.filter((f) => !f.endsWith(".md")).toSorted(), [...shown].toSorted(), "every picture is there and shown");
  });

test("every section a screen leads to is there", () => {
  for (const [, name, n] of source.matchAll(/"(\w+)\?s=(\d+)"/g)) {
    const sections = readFileSync(new URL(`en/${name}.md`, folder), "utf8").match(/^## /gm) ?? [];
    assert.ok(Number(n) <= sections.length, `${name}?s=${n}`);
  }
});

test("both languages have the same sections and tables", () => {
  const shape = (lang: string, name: string) =>
    readFileSync(new URL(`${lang}/${name}.md`, folder), "utf8").split("\n").map((l) => l.match(/^(#+|\||-|\d\.|```|!\[)/)?.[0] ?? "").filter(Boolean).join(" ");
  for (const name of names) assert.equal(shape("ja", name), shape("en", name), name);
});
