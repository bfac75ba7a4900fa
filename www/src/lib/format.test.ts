// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDay, formatMoment, hours, isoDay, parseDay, relative, shortDay, typedDay, typedMinutes, weekday } from "./format.ts";

const today = parseDay("2026-11-22")!;

test("days are written as each language writes them", () => {
  assert.equal(formatDay("2026-11-22", "ja"), "2026/11/22 (日)");
  assert.equal(formatDay("2026-11-22", "en"), "Sun 22 Nov 2026");
  assert.equal(formatDay(null, "ja"), "");
  assert.equal(shortDay("2026-11-02", "ja", "2026"), "11/02");
  assert.equal(shortDay("2027-01-02", "en", "2026"), "2 Jan 27");
});

test("moments are those of Japan, whatever the browser's zone", () => {
  assert.equal(formatMoment("2026-11-22T09:30:00+09:00", "ja"), "2026/11/22 (日) 09:30");
});

test("days count from 1970 and know their weekday", () => {
  assert.equal(isoDay(parseDay("2026-02-28")! + 1), "2026-03-01");
  assert.equal(weekday(parseDay("1969-12-31")!), 3);
});

for (const [typed, day] of [
  ["2026/11/30", "2026-11-30"],
  ["2026-12-01", "2026-12-01"],
  ["１２／１", "2026-12-01"],
  ["12月24日", "2026-12-24"],
  ["26/12/24", "2026-12-24"],
  ["5", "2026-11-05"],
  ["+3", "2026-11-25"],
  ["-1d", "2026-11-21"],
  ["今日", "2026-11-22"],
] as const)
  test(`a person types ${typed}`, () => assert.equal(isoDay(typedDay(typed, today, null) as number), day));

test("what is no day is refused, nothing is no day on purpose", () => {
  for (const bad of ["2026/02/30", "13/1", "abc", "1/2/3/4"]) assert.equal(typedDay(bad, today, null), undefined, bad);
  assert.equal(typedDay("  ", today, null), null);
});

test("effort is minutes inside, hours outside", () => {
  assert.equal(hours(90), "1.5");
  assert.equal(typedMinutes("1.5h"), 90);
  assert.equal(typedMinutes("２時間"), 120);
  assert.equal(typedMinutes("-1"), undefined);
  assert.equal(typedMinutes(""), null);
});

test("recent moments are told relative to now", () => {
  const now = Date.parse("2026-11-22T10:00:00+09:00");
  assert.equal(relative("2026-11-22T09:57:00+09:00", "ja", now), "3 分前");
  assert.equal(relative("2026-11-21T09:00:00+09:00", "en", now), "yesterday");
  assert.equal(relative("2026-01-01T09:00:00+09:00", "ja", now), "2026/01/01 (木)");
});
