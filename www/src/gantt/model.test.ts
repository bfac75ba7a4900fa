// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { isoDay, parseDay, typedDay } from "../lib/format.ts";
import { Workdays } from "./days.ts";
import { Scale, barBox, distance, header, linkPath, partAt, zoomFor } from "./layout.ts";
import { Plan, type Row } from "./model.ts";

const columns = ["id", "no", "parent", "rank", "subject", "classification", "planned_start", "planned_end", "progress", "assignee", "version"];
const row = (id: string, parent: string | null, rank: number, start: string | null = null, end: string | null = null) =>
  [id, Number(id), parent, rank, `作業 ${id}`, "task", start, end, 0, null, 1];
const plan = () =>
  new Plan({
    columns,
    revision: 1,
    rows: [row("1", null, 10), row("2", "1", 20, "2026-11-23", "2026-11-25"), row("3", "1", 10), row("4", null, 20)],
    links: [["9", "2", "3", "FS", 1]],
  });

test("rows come in WBS order, numbered, with depth", () => {
  const rows = plan().visible(new Set());
  assert.deepEqual(rows.map((v) => [v.row.id, v.wbs, v.depth, v.parent]), [
    ["1", "1", 0, true], ["3", "1.1", 1, false], ["2", "1.2", 1, false], ["4", "2", 0, false],
  ]);
});

test("what is collapsed hides what is below; a filter shows ancestors", () => {
  assert.deepEqual(plan().visible(new Set(["1"])).map((v) => v.row.id), ["1", "4"]);
  assert.deepEqual(plan().visible(new Set(["1"]), "作業 2").map((v) => v.row.id), ["1", "2"]);
});

test("a delta changes, adds and removes", () => {
  const p = plan();
  p.apply({ revision: 2, rows: [row("5", "1", 15)], links: [], gone: { tickets: ["4"], links: ["9"] } });
  assert.deepEqual(p.visible(new Set()).map((v) => v.row.id), ["1", "3", "5", "2"]);
  assert.equal(p.links.size, 0);
  assert.equal(p.revision, 2);
});

const days = new Workdays({
  weekdays: 62,
  holidays: [["2026-11-23", "勤労感謝の日", "Labour Thanksgiving Day"]],
  days: [["2026-11-28", true, "出勤"], ["2026-11-24", false, "創立記念日"]],
});
const day = (text: string) => parseDay(text)!;

test("working days know week-ends, holidays and exceptions", () => {
  assert.equal(days.works(day("2026-11-23")), false);
  assert.equal(days.works(day("2026-11-24")), false);
  assert.equal(days.works(day("2026-11-28")), true);
  assert.equal(days.count(day("2026-11-20"), day("2026-11-30")), 6);
  assert.equal(isoDay(days.end(day("2026-11-20"), 3)), "2026-11-26");
  assert.equal(days.name(day("2026-11-23"), "ja"), "勤労感謝の日");
});

test("days are typed as people write them", () => {
  const today = day("2026-11-22");
  assert.equal(typedDay("2026/12/1", today, null), day("2026-12-01"));
  assert.equal(typedDay("１２／１", today, null), day("2026-12-01"));
  assert.equal(typedDay("12月1日", today, null), day("2026-12-01"));
  assert.equal(typedDay("+3", today, day("2026-12-01")), day("2026-12-04"));
  assert.equal(typedDay("", today, null), null);
  assert.equal(typedDay("2/30", today, null), undefined);
  assert.equal(typedDay("あした", today, null), undefined);
});

const bar = (start: string, end: string, more: Partial<Row> = {}) =>
  ({ start: day(start), end: day(end), progress: 0, classification: "task", ...more }) as Row;

test("bars, milestones and their parts are where the pointer finds them", () => {
  const scale = new Scale("day", day("2026-11-01"), day("2026-12-31"));
  const box = barBox(scale, bar("2026-11-23", "2026-11-25"))!;
  assert.equal(box.width, 84);
  assert.equal(scale.day(box.x), day("2026-11-23"));
  const task = bar("2026-11-23", "2026-11-25");
  assert.equal(partAt(box, task, box.x + 2, false), "start");
  assert.equal(partAt(box, task, box.x + 82, false), "end");
  assert.equal(partAt(box, task, box.x + 40, false), "body");
  assert.equal(partAt(box, task, box.x + 92, false), "link_end");
  assert.equal(partAt(box, task, box.x + 120, false), null);
  assert.equal(partAt(box, task, box.x + 10, false), "progress");
  assert.equal(partAt(box, { ...task, progress: 50 }, box.x + 42, false), "progress");
  assert.equal(partAt(box, { ...task, progress: 100 }, box.x + 74, false), "progress");
  const short = barBox(scale, bar("2026-11-23", "2026-11-23"))!;
  assert.equal(partAt(short, task, short.x + 10, false), "body");
  assert.equal(barBox(scale, bar("2026-11-23", "2026-11-23", { classification: "milestone" }))!.width, 14);
});

test("a link ends at its successor and every bend is a right angle", () => {
  for (const kind of ["FS", "SS", "FF", "SF"] as const) {
    const path = linkPath(kind, { x: 100, width: 50 }, 14, { x: 20, width: 40 }, 70);
    assert.deepEqual(path.at(-1), [kind === "FS" || kind === "SS" ? 20 : 60, 70]);
    for (let i = 1; i < path.length; i++)
      assert.ok(path[i]![0] === path[i - 1]![0] || path[i]![1] === path[i - 1]![1], kind);
  }
  assert.equal(distance([[0, 0], [10, 0]], 5, 3), 3);
});

test("the header names months and days in both languages", () => {
  const scale = new Scale("day", day("2026-11-01"), day("2026-12-31"));
  const [months, cells] = header(scale, day("2026-11-29"), day("2026-12-02"), "ja");
  assert.deepEqual(months.map((m) => m.text), ["2026年11月", "2026年12月"]);
  assert.deepEqual(cells.map((c) => c.text), ["29", "30", "1", "2"]);
  assert.equal(header(scale, day("2026-12-01"), day("2026-12-02"), "en")[0][0]!.text, "Dec 2026");
});

test("a plan opens at the scale that shows it whole", () => {
  assert.deepEqual([0, 60, 61, 240, 365, 1500].map(zoomFor), ["day", "day", "week", "week", "month", "quarter"]);
});
