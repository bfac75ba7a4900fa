// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { bearsMark, toggleMark } from "./marks.ts";

test("labels are chosen one by one, and none is a choice of its own", () => {
  assert.equal(toggleMark("", "3"), "3");
  assert.equal(toggleMark("3", "5"), "3,5");
  assert.equal(toggleMark("3,5", "3"), "5");
  assert.equal(toggleMark("none", "3"), "3");
  assert.ok(bearsMark("", ["1"]) && bearsMark("", undefined));
  assert.ok(bearsMark("3,5", ["5"]) && !bearsMark("3,5", ["1"]) && !bearsMark("3", undefined));
  assert.ok(bearsMark("none", []) && bearsMark("none", undefined) && !bearsMark("none", ["1"]));
});
