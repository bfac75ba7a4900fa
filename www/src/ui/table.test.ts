// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { groupedLines, nextSort, shownColumns, visibleRows } from "./table.ts";

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
  const list = [
    { id: "key", label: "", width: 88 },
    { id: "subject", label: "" },
    { id: "project", label: "", width: 180, from: 860 },
    { id: "start", label: "", width: 136, from: 1120 },
    { id: "end", label: "", width: 136, from: 600 },
    { id: "rest", label: "", width: 500 },
  ];
  // at 1150 px all may be shown, but 100 px would be left for the subject
  assert.deepEqual(shownColumns(list, 1150).map((c) => c.id), ["key", "subject", "project", "end", "rest"]);
  assert.deepEqual(shownColumns(list, 1140).map((c) => c.id), ["key", "subject", "end", "rest"]);
  assert.deepEqual(shownColumns(list, 1280).length, 6);
  assert.equal(nextSort("", "no"), "no");
  assert.equal(nextSort("no", "no"), "-no");
  assert.equal(nextSort("-no", "no"), null);
});

test("a heading stands above each group, also where the rows have no groups at all", () => {
  const rows = [{ id: "1", g: "a" }, { id: "2", g: "a" }, { id: "3", g: "" }];
  assert.deepEqual(groupedLines(rows, (r) => r.g).map((l) => [l.heading, l.row?.id ?? null, l.at]), [["a", null, -1], ["a", "1", 0], ["a", "2", 1], ["", null, -1], ["", "3", 2]]);
  assert.deepEqual(groupedLines(rows).map((l) => l.at), [0, 1, 2]);
});
