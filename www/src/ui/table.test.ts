// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSort, shownColumns, visibleRows } from "./table.ts";

test("of ten thousand rows only those in sight are drawn", () => {
  const seen = visibleRows(10_000, 36, 36_000, 720);
  assert.ok(seen.last - seen.first < 50);
  assert.equal(seen.above + seen.below + (seen.last - seen.first) * 36, 360_000);
});

test("a list shorter than the window, and none at all", () => {
  assert.deepEqual(visibleRows(3, 36, 0, 720), { first: 0, last: 3, above: 0, below: 0 });
  assert.deepEqual(visibleRows(0, 36, 500, 720), { first: 0, last: 0, above: 0, below: 0 });
});

test("columns leave when it gets narrow; sorting goes up, down, away", () => {
  const columns = [{ id: "a", label: "a" }, { id: "b", label: "b", from: 800 }];
  assert.deepEqual(shownColumns(columns, 700).map((c) => c.id), ["a"]);
  assert.equal(nextSort("", "no"), "no");
  assert.equal(nextSort("no", "no"), "-no");
  assert.equal(nextSort("-no", "no"), null);
});
