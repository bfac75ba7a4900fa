// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { en } from "./en.ts";
import { fill } from "./fill.ts";
import { ja } from "./ja.ts";

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

test("both languages have the same words, none empty", () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(ja).sort());
  for (const [key, text] of [...Object.entries(ja), ...Object.entries(en)]) assert.notEqual(text.trim(), "", key);
});

test("a word takes the same values in both languages", () => {
  for (const key of Object.keys(ja) as (keyof typeof ja)[]) assert.deepEqual(holes(en[key]), holes(ja[key]), key);
});

test("English has one day and two days", () => {
  assert.equal(fill("{n} {n:day|days} left of {all}", { n: 1, all: 3 }), "1 day left of 3");
  assert.equal(fill("{n} {n:day|days} left of {all}", { n: 0, all: 3 }), "0 days left of 3");
  for (const text of Object.values(en)) for (const [, name] of text.matchAll(/\{(\w+):/g)) assert.ok(text.includes(`{${name}}`), text);
});

test("no word stands twice", () => {
  for (const lang of ["ja", "en"]) {
    const dir = join(import.meta.dirname, "words");
    const parts = readdirSync(dir).filter((name) => name.endsWith(`.${lang}.ts`));
    const words = parts.flatMap((name) => [...readFileSync(join(dir, name), "utf8").matchAll(/^ {2}(\w+):/gm)].map((m) => m[1]!));
    assert.equal(words.length, Object.keys(ja).length);
    assert.equal(new Set(words).size, words.length);
  }
});
