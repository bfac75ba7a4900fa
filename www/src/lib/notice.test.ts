// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { countdown, isBegunAt, kindOf, periodOf, shortBy } from "./notice.ts";

test("a period says its day once when it is one", () => {
  const starts_at = "2026-11-22T22:00:00+09:00";
  assert.equal(periodOf({ starts_at, ends_at: "2026-11-22T23:30:00+09:00" }, "ja"), "2026/11/22 (日) 22:00 – 23:30");
  assert.equal(periodOf({ starts_at, ends_at: "2026-11-23T02:00:00+09:00" }, "en"), "Sun 22 Nov 2026 22:00 – Mon 23 Nov 2026 02:00");
  assert.equal(periodOf({ starts_at, ends_at: null }, "ja"), "2026/11/22 (日) 22:00 –");
  assert.equal(periodOf({ starts_at: null, ends_at: null }, "ja"), "");
});

test("what is left counts in hours and minutes, also below nothing", () => {
  assert.deepEqual([86_399, 3600, 59, -60, -90_000].map(countdown), ["23:59", "1:00", "0:00", "-0:01", "-25:00"]);
});

test("planned work falls short of the period of its kind, in hours rounded up", () => {
  const period = { change_hours: 120, maintenance_hours: 72, version: 1 };
  const at = Date.parse("2026-11-20T22:00:00+09:00");
  const work = (kind: "change" | "maintenance" | "recovery", starts_at: string | null) => shortBy({ kind, starts_at }, period, at);
  assert.equal(work("maintenance", "2026-11-23T22:00"), 0);
  assert.equal(work("maintenance", "2026-11-23T21:59"), 1);
  assert.equal(work("maintenance", "2026-11-20T22:02:00+09:00"), 72);
  assert.equal(work("change", "2026-11-23T22:00"), 48);
  assert.equal(work("change", null), 0);
  assert.equal(work("recovery", "2026-11-20T22:00"), 0);
  assert.deepEqual(["2026-11-20T22:00", "2026-11-20T22:01"].map((starts_at) => isBegunAt({ kind: "change", starts_at }, at)), [true, false]);
});

test("an emergency is named where work is planned", () => {
  assert.equal(kindOf({ kind: "maintenance", is_emergency: true }), "notice_emergency_maintenance");
  assert.equal(kindOf({ kind: "maintenance", is_emergency: false }), "notice_maintenance");
  assert.equal(kindOf({ kind: "incident", is_emergency: true }), "notice_incident");
});
