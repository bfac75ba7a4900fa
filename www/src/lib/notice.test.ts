// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { countdown, periodOf } from "./notice.ts";

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
