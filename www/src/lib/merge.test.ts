// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeLines } from "./merge.ts";

const base = "一\n二\n三\n四\n五";

test("changes in different places are put together", () => {
  assert.equal(mergeLines(base, base.replace("二", "二、私"), base.replace("四", "四、彼")), "一\n二、私\n三\n四、彼\n五");
  assert.equal(mergeLines(base, `頭\n${base}`, `${base}\n尾`), `頭\n${base}\n尾`);
  assert.equal(mergeLines(base, base.replace("二\n", ""), base.replace("四", "四\n四の二")), "一\n三\n四\n四の二\n五");
  assert.equal(mergeLines("", "", "theirs"), "theirs");
});

test("the same place changed by both is asked; the same change is not", () => {
  assert.equal(mergeLines(base, base.replace("三", "私"), base.replace("三", "彼")), null);
  assert.equal(mergeLines(base, base.replace("三", "同"), base.replace("三", "同")), base.replace("三", "同"));
  assert.equal(mergeLines(base, base.replace("三\n", ""), base.replace("三", "彼")), null, "one removed what the other changed");
  assert.equal(mergeLines(base, `${base}\n私`, `${base}\n彼`), null, "both added at the end");
  assert.equal(mergeLines("", "私", "彼"), null);
});

test("what one did alone is taken; nothing is lost of random edits", () => {
  assert.equal(mergeLines(base, base, "彼"), "彼");
  assert.equal(mergeLines(base, "私", base), "私");
  let seed = 7;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: 12 }, (_, i) => `行${i}`);
    const change = (who: string) => lines.map((l, i) => (random(6) === 0 ? `${l} ${who}${i}` : l));
    const [mine, theirs] = [change("私"), change("彼")];
    const merged = mergeLines(lines.join("\n"), mine.join("\n"), theirs.join("\n"));
    if (merged === null) continue;
    for (const line of [...mine, ...theirs]) if (!lines.includes(line)) assert.ok(merged.split("\n").includes(line), line);
  }
});

test("a very long text is asked rather than worked at", () => {
  const long = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word}${i}`).join("\n");
  assert.equal(mergeLines(long("a"), long("b"), long("c")), null);
});
